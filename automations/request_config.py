"""What a step says about the request that it sends, and about the answer that it waits for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from automations.document.schema import Part
from automations.steps import Config
from webhooks.keyring import SIGNING_KINDS, SecretKind
from webhooks.retries import DEFAULT_DELAYS_S, DEFAULT_SUCCESS


class Row(Part):
    name: str
    value: str = ""


class TypedRow(Row):
    type: Literal["string", "number", "boolean", "json"] = "string"


class Pick(Part):
    """A value of the answer by its JSON Pointer (RFC 6901): /data/externalId."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,39}$")]
    pointer: str


class Store(Part):
    """A field of the run's record, and what of the answer it takes: a name of the schema, or an expression."""

    field: str
    value: str


def _as_rows(value: Any) -> Any:
    """Also {"X-Id": "{{ record.id }}"}."""
    if isinstance(value, Mapping):
        return [{"name": name, "value": text} for name, text in value.items()]
    return value


Rows = Annotated[list[Row], BeforeValidator(_as_rows)]


class WebhookConfig(Config):
    """`method` empty: GET without a body, POST with one."""

    method: Annotated[
        Literal["", "GET", "POST", "PUT", "PATCH", "DELETE"],
        Field(
            title="Method",
            description="By itself: POST with a body, GET without one.",
            json_schema_extra={"input": "choice", "labels": {"": "By itself"}},
        ),
    ] = ""
    url: Annotated[
        str,
        Field(
            title="URL",
            description="Values of the record fit in: https://api.example.com/leads/{record.id}",
            json_schema_extra={"input": "url"},
        ),
    ]
    path_params: Annotated[
        Rows,
        Field(
            title="Path parameters",
            description="Each goes where the URL has its name: {id}.",
            json_schema_extra={"input": "rows"},
        ),
    ] = []
    query_params: Annotated[
        Rows, Field(title="Query parameters", json_schema_extra={"input": "rows"})
    ] = []
    headers: Annotated[Rows, Field(title="Headers", json_schema_extra={"input": "rows"})] = []
    body_kind: Annotated[
        Literal["default", "json", "rows", "text", "none"],
        Field(
            title="Body",
            json_schema_extra={
                "input": "choice",
                "labels": {
                    "default": "The record and the automation",
                    "json": "JSON",
                    "rows": "Names and values",
                    "text": "Text",
                    "none": "None",
                },
            },
        ),
    ] = "default"
    body: Annotated[
        str,
        Field(
            title="Content",
            description="JSON or text, as chosen; both may hold expressions.",
            json_schema_extra={"input": "long_text"},
        ),
    ] = ""
    body_rows: Annotated[
        list[TypedRow],
        Field(title="Names and values", json_schema_extra={"input": "typed_rows"}),
    ] = []
    # webhooks.auth.Auth as JSON, by the name of a secret.
    auth: Annotated[
        dict[str, str], Field(title="Authentication", json_schema_extra={"input": "auth"})
    ] = {}
    signing_secret: Annotated[
        str,
        Field(
            title="Sign with",
            description="Adds webhook-signature (Standard Webhooks), by which the receiver knows the sender.",
            json_schema_extra={"input": "secret", "kinds": [str(kind) for kind in SIGNING_KINDS]},
        ),
    ] = ""
    client_certificate: Annotated[
        str,
        Field(
            title="Client certificate",
            description="Shown to receivers that ask for one (mutual TLS), over https:// only.",
            json_schema_extra={"input": "secret", "kinds": [str(SecretKind.CERTIFICATE)]},
        ),
    ] = ""
    success_statuses: Annotated[
        str,
        Field(
            title="Success",
            description="Statuses such as 2xx, 404.",
            json_schema_extra={"input": "statuses"},
        ),
    ] = DEFAULT_SUCCESS
    retry_statuses: Annotated[
        str,
        Field(
            title="Try again",
            description="Empty: everything that is neither a success nor halts.",
            json_schema_extra={"input": "statuses"},
        ),
    ] = ""
    halt_statuses: Annotated[
        str,
        Field(
            title="Halt",
            description="These end the run as halted, at once.",
            json_schema_extra={"input": "statuses"},
        ),
    ] = ""
    retry_delays_s: Annotated[
        list[Annotated[int, Field(ge=1, le=30 * 86_400)]],
        Field(title="Retries", max_length=20, json_schema_extra={"input": "delays"}),
    ] = list(DEFAULT_DELAYS_S)
    timeout_s: Annotated[
        int,
        Field(title="Timeout in seconds", ge=1, le=300, json_schema_extra={"input": "number"}),
    ] = 30
    max_redirects: Annotated[
        int,
        Field(title="Redirects to follow", ge=0, le=10, json_schema_extra={"input": "number"}),
    ] = 0
    wait: Annotated[
        bool,
        Field(
            title="Wait for the answer",
            description="Through all retries. Otherwise the run goes on at once.",
            json_schema_extra={"input": "checkbox"},
        ),
    ] = True
    response: Annotated[
        Literal["json", "text"],
        Field(
            title="Answer",
            json_schema_extra={"input": "choice", "labels": {"json": "JSON", "text": "Text"}},
        ),
    ] = "json"
    response_schema: Annotated[
        list[Pick],
        Field(
            title="Take from the answer",
            description="Values by JSON Pointer: /data/externalId. None: the whole answer.",
            json_schema_extra={"input": "pointers"},
            max_length=50,
        ),
    ] = []
    store: Annotated[
        list[Store],
        Field(
            title="Store in the record",
            description="A field, and the name of a value from above or an expression.",
            json_schema_extra={"input": "store"},
            max_length=50,
        ),
    ] = []
    # What tests and dry runs take for the answer's body.
    sample_response: Annotated[
        str,
        Field(
            title="Sample of an answer",
            description="What tests take for the answer, since they send nothing.",
            json_schema_extra={"input": "long_text"},
        ),
    ] = ""
