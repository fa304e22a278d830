"""Where secrets are used. Higher apps add their own places with `@finds_uses`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from records.expressions import ExpressionError, names_used, names_used_in_expression
from webhooks.auth import Auth
from webhooks.binding import secret_names_of
from webhooks.jsontext import JSONTextError, read_json
from webhooks.models import Secret, Webhook


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses secrets: `places` says where in it, "header `X-Key`", in its own order."""

    title: str
    kind: str
    url: str
    places: tuple[str, ...]
    is_active: bool = True


# (name of a secret, use)
FindUses = Callable[[], Iterable[tuple[str, Use]]]
_finders: list[FindUses] = []

_COLUMNS: Final = (
    "name", "is_active", "filter", "url", "path_params", "query_params", "headers", "body_kind",
    "body", "body_rows", "auth", "signing_secret", "client_certificate",
)  # fmt: skip


def finds_uses(find: FindUses) -> FindUses:
    """Register another place where secrets may be used."""
    _finders.append(find)
    return find


def all_uses() -> dict[str, list[Use]]:
    """By the name of the secret, whether it exists or not."""
    found: dict[str, list[Use]] = defaultdict(list)
    for find in _finders:
        for name, use in find():
            found[name].append(use)
    return {name: sorted(uses, key=lambda use: use.title.lower()) for name, uses in found.items()}


def uses_of(name: str) -> list[Use]:
    return all_uses().get(name, [])


def secret_names(*kinds: str) -> list[str]:
    """The names there are, for menus and checks; of some kinds only, if any are given."""
    secrets = Secret.objects.filter(kind__in=kinds) if kinds else Secret.objects.all()
    return list(secrets.values_list("name", flat=True))


@finds_uses
def _webhook_uses() -> Iterator[tuple[str, Use]]:
    for webhook in Webhook.objects.only(*_COLUMNS):
        places: dict[str, list[str]] = defaultdict(list)
        for place, names in places_of(webhook):
            for name in sorted(names):
                places[name].append(place)
        url = reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        for name, where in places.items():
            yield name, Use(webhook.name, "Webhook", url, tuple(where), webhook.is_active)


def places_of(webhook: Webhook) -> Iterator[tuple[str, set[str]]]:
    """(a place in words, the names of the secrets there), of a webhook or of a request in its form."""
    yield "URL", _names_in(webhook.url, "url")
    for label, rows in (
        ("path parameter", webhook.path_params),
        ("query parameter", webhook.query_params),
        ("header", webhook.headers),
        ("body row", webhook.body_rows if webhook.body_kind == "rows" else ()),
    ):
        for row in rows:
            yield f"{label} `{row['name']}`", _names_in(str(row["value"]))
    if webhook.body_kind in ("json", "text"):
        yield "body", _names_in_body(webhook)
    yield "filter", _names_in_filter(webhook.filter)
    auth = Auth.from_json(webhook.auth or {})
    if auth.kind != "none":
        yield "authentication", {auth.secret} - {""}
    yield "signing", {webhook.signing_secret} - {""}
    yield "client certificate", {webhook.client_certificate} - {""}


def _names_in_body(webhook: Webhook) -> set[str]:
    if webhook.body_kind == "text":
        return _names_in(webhook.body)
    try:
        return _names_in(read_json(webhook.body))
    except JSONTextError:
        return set()


def _names_in(source: object, mode: str = "text") -> set[str]:
    try:
        return secret_names_of(names_used(source, mode))  # type: ignore[arg-type]
    except ExpressionError:
        return set()


def _names_in_filter(source: str) -> set[str]:
    try:
        return secret_names_of(names_used_in_expression(source))
    except ExpressionError:
        return set()
