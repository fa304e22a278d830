"""A request without a body: for health checks, refresh triggers, and to say “still here”."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from automations.actions.webhook import Sending
from automations.request_config import WebhookConfig
from automations.steps import Config, action


class PingConfig(Config):
    url: Annotated[
        str,
        Field(
            title="URL",
            description="Called without a body.",
            json_schema_extra={"input": "url"},
        ),
    ]
    method: Annotated[
        Literal["GET", "POST"],
        Field(title="Method", json_schema_extra={"input": "choice"}),
    ] = "GET"
    wait: Annotated[
        bool,
        Field(
            title="Wait for the answer",
            description="The step fails when it is no success, through all retries.",
            json_schema_extra={"input": "checkbox"},
        ),
    ] = True


@action
class Ping(Sending):
    name = "ping"
    label = "Ping"
    help = "Call a URL without a body: a health check, a refresh, “still here”."
    icon = "network_ping"

    Config: ClassVar = PingConfig

    def request_of(self, config: PingConfig) -> WebhookConfig:
        return WebhookConfig(
            method=config.method,
            url=config.url,
            body_kind="none",
            wait=config.wait,
            response="text",
        )

    def describe(self, config: PingConfig) -> str:
        return f"Ping {config.url}"
