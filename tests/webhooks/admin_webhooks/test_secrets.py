"""Secrets in the form of a webhook: by name, in the form as in the preview."""

from pathlib import Path

import pytest
from django.test import Client

from records.models import ObjectDefinition, Record
from tests.webhooks.admin_webhooks.pages import ADD, LIST, filled, preview
from tests.webhooks.hostile import Authority
from webhooks.keyring import SecretKind
from webhooks.models import Webhook
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def secrets() -> None:
    create_secret(name="api_key", value="s3cret-value")
    create_secret(name="key", kind=SecretKind.SYMMETRIC)


def test_authentication_and_signing_key_are_kept_by_name(admin: Client, secrets: None) -> None:
    values = filled(
        auth_kind="header",
        auth_secret="api_key",
        auth_header="X-Api-Key",
        auth_prefix="Token ",
        signing_secret="key",
    )
    assert admin.post(ADD, values).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.auth == {
        "kind": "header", "secret": "api_key", "header": "X-Api-Key", "prefix": "Token ",
    }  # fmt: skip
    assert webhook.signing_secret == "key"
    page = admin.get(f"{LIST}{webhook.pk}/change/").content.decode()
    assert 'value="Token "' in page
    assert "s3cret-value" not in page
    copy = admin.get(f"{ADD}?copy={webhook.pk}").content.decode()
    assert 'value="X-Api-Key"' in copy
    admin.post(f"{LIST}{webhook.pk}/change/", filled(auth_kind="none"))
    webhook.refresh_from_db()
    assert (webhook.auth, webhook.signing_secret) == ({}, "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"auth_kind": "bearer"}, "Choose the secret"),
        ({"auth_kind": "bearer", "auth_secret": "nope"}, "Select a valid choice"),
        ({"auth_kind": "basic", "auth_secret": "api_key"}, "Enter the user name"),
        (
            {"auth_kind": "header", "auth_secret": "api_key", "auth_header": "X Y"},
            "letters, digits",
        ),
        (
            {"url": "https://x.example/?k={{ secrets.api_kye }}"},
            "did you mean <code>api_key</code>",
        ),
        (
            {
                "auth_kind": "bearer",
                "auth_secret": "api_key",
                "headers-name": "authorization",
                "headers-value": "mine",
            },
            "the authentication below sets this header",
        ),
    ],
)
def test_a_mistake_in_the_authentication_is_refused(
    admin: Client, secrets: None, values: dict[str, str], words: str
) -> None:
    response = admin.post(ADD, filled(**values))
    assert response.status_code == 200
    assert words in response.content.decode()


def test_the_preview_names_secrets_and_never_has_their_values(
    admin: Client, leads: ObjectDefinition, jane: Record, secrets: None
) -> None:
    page = preview(
        admin,
        object=leads.pk,
        url="https://x.example/{{ secrets.api_key }}",
        auth_kind="bearer",
        auth_secret="api_key",
        signing_secret="key",
        body_kind="json",
        body='{"key": "{{ secrets.api_key }}"}',
    )
    assert "s3cret-value" not in page
    for words in (
        "https://x.example/{{ secrets.api_key }}",
        "Bearer {{ secrets.api_key }}",
        "webhook-signature",
        "put in when it is sent",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("kind", "version"), [(SecretKind.SYMMETRIC, "v1,…"), (SecretKind.ED25519, "v1a,…")]
)
def test_the_preview_shows_the_version_of_the_signature(
    admin: Client, leads: ObjectDefinition, kind: str, version: str
) -> None:
    create_secret(name="signer", kind=kind)
    assert f"{version} signed with signer" in preview(admin, signing_secret="signer")


def test_the_preview_names_the_client_certificate(admin: Client, tmp_path: Path) -> None:
    pem = Authority(tmp_path).issue_pem("client")
    create_secret(name="partner_cert", kind=SecretKind.CERTIFICATE, value=pem)
    page = preview(admin, client_certificate="partner_cert")
    assert "With the client certificate <code>partner_cert</code>" in page
    assert "--cert ./partner_cert.pem" in page
    assert not any(line in page for line in pem.splitlines() if "-----" not in line)
