"""System checks: what would only be noticed in operation is said before."""

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004


@register(Tags.security)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """The values that came from the environment make sense."""
    return [
        *_check_urls(),
        *_check_networks(),
        *_check_numbers(),
    ]


@register(Tags.security, deploy=True)
def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """What is fine on a development machine and not elsewhere."""
    if urlsplit(settings.PUBLIC_URL).hostname in {"localhost", "127.0.0.1", "::1"}:
        return [
            Warning(
                f"PUBLIC_URL is {settings.PUBLIC_URL}: links in mails will lead to the reader's own machine.",
                hint="Set PUBLIC_URL to the address that people use, such as https://signalbox.example.",
                id="signalbox.W001",
            )
        ]
    return []


def _check_urls() -> Iterator[CheckMessage]:
    for name, value, schemes in (
        ("PUBLIC_URL", settings.PUBLIC_URL, {"http", "https"}),
        ("REDIS_URL", settings.REDIS_URL, {"redis", "rediss", "unix"}),
        ("OUTBOUND_PROXY", settings.OUTBOUND_PROXY, {"", "http", "https"}),
    ):
        if urlsplit(value).scheme not in schemes:
            expected = " or ".join(f"{scheme}://…" for scheme in sorted(schemes) if scheme)
            yield Error(
                f"{name} is “{value}”, which is not a URL of the kind {expected}.",
                id="signalbox.E001",
            )


def _check_networks() -> Iterator[CheckMessage]:
    for network in settings.OUTBOUND_ALLOWED_NETWORKS:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield Error(
                f"OUTBOUND_ALLOWED_NETWORKS: {error}.",
                hint="Networks are written like 10.0.0.0/8 or fd00::/8, separated by commas.",
                id="signalbox.E002",
            )


def _check_numbers() -> Iterator[CheckMessage]:
    for name in (
        "WEB_PROCESSES",
        "WEB_THREADS",
        "WORKERS",
        "DELIVERY_CONCURRENCY",
        "DELIVERY_CONCURRENCY_PER_DESTINATION",
    ):
        value = getattr(settings, name)
        if value < 1:
            yield Error(f"{name} is {value}; it has to be 1 or more.", id="signalbox.E003")
    for kind in ("SUCCEEDED", "FAILED", "BODIES", "INBOUND", "EVENTS", "MESSAGES"):
        days = getattr(settings, f"RETENTION_{kind}_DAYS")
        if days < 0:
            yield Error(
                f"RETENTION_{kind}_DAYS is {days}; it has to be 0, which keeps for ever, or more.",
                id="signalbox.E003",
            )
