"""The part of a webhook's form that says how its requests show who sends them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from webhooks.auth import KINDS, Auth, check_auth
from webhooks.keyring import SIGNING_KINDS, SecretKind
from webhooks.models import Secret, Webhook
from webhooks.signing import ALGORITHMS, ENCODINGS
from webhooks.validation import Mistake

_PREFIX: Final = "auth_"
_PARTS: Final = ("kind", "secret", "username", "header", "prefix", "algorithm", "encoding")


def _choice(label: str, values: Iterable[str]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[(value, value) for value in values],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )


def _text(label: str, *, placeholder: str = "", help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        # The blank at the end of "Token " counts.
        strip=False,
        max_length=200,
        help_text=help_text,
        validators=[ProhibitNullCharactersValidator()],
        widget=UnfoldAdminTextInputWidget({"placeholder": placeholder}),
    )


class AuthFields(forms.Form):
    """Fields for the parts of `Webhook.auth`, and for its signing key."""

    auth_kind = forms.ChoiceField(
        label="Authentication",
        choices=list(KINDS.items()),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    auth_secret = forms.ChoiceField(
        label="Secret", required=False, widget=UnfoldAdminSelectWidget()
    )
    auth_username = _text("User name")
    auth_header = _text("Header", placeholder="X-Api-Key")
    auth_prefix = _text(
        "Prefix", placeholder="sha256=", help_text="Stands directly before the key or signature."
    )
    auth_algorithm = _choice("Algorithm", ALGORITHMS)
    auth_encoding = _choice("Encoding", ENCODINGS)
    signing_secret = forms.ChoiceField(
        label="Sign with",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Adds webhook-signature (Standard Webhooks), by which the receiver knows the sender.",
    )

    client_certificate = forms.ChoiceField(
        label="Client certificate",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Shown to receivers that ask for one (mutual TLS), over https:// only.",
    )

    # Those that expressions can name.
    secret_names: Sequence[str] = ()

    def offer_secrets(self, webhook: Webhook) -> None:
        """Fill the drop-downs, and show what the webhook has. A name without a secret stays choosable."""
        auth = Auth.from_json(webhook.auth or {})
        for name, value in initial_auth(webhook).items():
            self.fields[name].initial = value
        kinds = dict(Secret.objects.values_list("name", "kind"))
        self.secret_names = texts = [
            name for name, kind in kinds.items() if kind == SecretKind.TEXT
        ]
        keys = [name for name, kind in kinds.items() if kind in SIGNING_KINDS]
        certificates = [name for name, kind in kinds.items() if kind == SecretKind.CERTIFICATE]
        fields: dict[str, Any] = self.fields
        fields["auth_secret"].choices = _names("Choose a secret", texts, auth.secret)
        fields["signing_secret"].choices = _names("Not signed", keys, webhook.signing_secret)
        fields["client_certificate"].choices = _names(
            "None", certificates, webhook.client_certificate
        )

    def entered_auth(self) -> Auth:
        """What stands in the form, whether or not it is right."""
        values = {part: self._auth_part(part) for part in _PARTS}
        return Auth(**{part: value for part, value in values.items() if value})

    def check_auth_fields(self) -> dict[str, Any]:
        """`auth` as the webhook keeps it; what is wrong is said at its part."""
        auth = self.entered_auth()
        for part, words in check_auth(auth):
            if _PREFIX + part not in self.errors:
                self.add_error(_PREFIX + part, words)
        return dict(auth.to_json())

    def check_client_certificate(self, url: str) -> None:
        """Where an address is sure to be without TLS, no certificate can be shown."""
        if self.cleaned_data.get("client_certificate") and url.lower().startswith("http:"):
            self.add_error(
                "client_certificate",
                "It is only shown over https://, and the URL begins with http://. Change the URL, or choose “None”.",
            )

    def headers_set_twice(self, rows: Sequence[Mapping[str, Any]]) -> list[Mistake]:
        """Rows whose header the authentication sets: it would take their place when the request is sent."""
        name = self.entered_auth().header_name.lower()
        words = "the authentication below sets this header. Leave it away, or choose “None” there."
        return [
            Mistake("headers", f"Header `{row['name']}`: {words}", place)
            for place, row in enumerate(rows)
            if name and str(row["name"]).lower() == name
        ]

    def _auth_part(self, part: str) -> str:
        name = _PREFIX + part
        value = self.cleaned_data.get(name) or ""
        return str(value) if part == "prefix" else str(value).strip()


def initial_auth(webhook: Webhook) -> dict[str, str]:
    """What the fields begin with."""
    auth = Auth.from_json(webhook.auth or {})
    return {_PREFIX + part: getattr(auth, part) for part in _PARTS}


def _names(empty: str, names: Iterable[str], current: str) -> list[tuple[str, str]]:
    known = [(name, name) for name in names]
    if current and current not in dict(known):
        known.append((current, f"{current} (there is no such secret)"))
    return [("", empty), *known]
