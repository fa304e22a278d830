"""Client certificates: read, kept, shown, chosen in a webhook, and shown to a receiver that asks for one."""

import random
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from records.models import User
from tests.waiting import wait_until
from tests.webhooks.hostile import OK, Authority, answering, serving
from tests.webhooks.jobs_at_hand import an_event
from webhooks import vault
from webhooks.addresses import NetworkPolicy
from webhooks.binding import Credentials
from webhooks.certificates import CertificateProblem, read_certificate
from webhooks.engine import DeliveryEngine
from webhooks.exceptions import SecretGoesElsewhere, SecretRefused
from webhooks.keyring import Keyring, OpenSecret, SecretProblem
from webhooks.models import RequestLog, Secret, Webhook
from webhooks.secret_services import create_secret, put_value, rotate_secret
from webhooks.secret_uses import uses_of
from webhooks.services import edit_job
from webhooks.subscriptions import make_job
from webhooks.transport import Transport

LOOPBACK = NetworkPolicy.from_settings(allowed_networks=["127.0.0.0/8"])
ADD = "/admin/webhooks/webhook/add/"


@pytest.fixture(autouse=True)
def _fresh_keyring():
    vault.forget_keyring()
    yield
    vault.forget_keyring()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pem(authority):
    return authority.issue_pem("client")


def parts_of(pem):
    """(certificate, key)"""
    certificate, _, key = pem.partition("-----BEGIN PRIVATE KEY-----")
    return certificate, "-----BEGIN PRIVATE KEY-----" + key


def key_lines(pem):
    return parts_of(pem)[1].splitlines()[1:-1]


def small_key():
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def locked_keys(pem):
    key = load_pem_private_key(parts_of(pem)[1].encode(), None)
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        yield key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"x")).decode()


# --- Reading --------------------------------------------------------------------------------------


def test_what_may_be_shown(pem):
    read = read_certificate(pem)
    assert read.facts.subject == "CN=client"
    assert read.facts.issuer == "CN=Test authority"
    now = datetime.now(UTC)
    assert now < read.facts.valid_until < now + timedelta(days=2)
    assert read.facts.warning(now) == ""
    assert "has expired on" in read.facts.warning(now + timedelta(days=2))
    assert "not valid before" in read.facts.warning(now - timedelta(days=9))
    assert key_lines(pem)[0] not in repr(read)


def test_parts_come_in_any_order_and_are_kept_in_that_of_tls(authority, pem):
    certificate, key = parts_of(pem)
    issuer = Path(authority.file).read_text()
    read = read_certificate(f"Bag Attributes\n{key}{issuer}\r\n junk {certificate}{certificate}")
    assert read.pem == certificate + issuer + key
    assert read.digest == read_certificate(read.pem).digest
    assert read.digest != read_certificate(pem).digest


def test_text_that_is_no_client_certificate_is_refused_with_words(authority, pem):
    certificate, key = parts_of(pem)
    other = parts_of(authority.issue_pem("other"))[1]
    pkcs8, traditional = locked_keys(pem)
    cases = [
        ("", "There is no certificate"),
        ("no PEM at all", "There is no certificate"),
        (key, "There is no certificate"),
        (certificate, "There is no private key"),
        (certificate + other, "does not belong to the certificate"),
        (certificate + key + other, "more than one private key"),
        (certificate + pkcs8, "has a password"),
        (certificate + traditional, "has a password"),
        (certificate + small_key(), "has 1024 bits"),
        (certificate[:80] + certificate[90:] + key, "Certificate 1 can't be read"),
        (certificate + key[:50] + key[60:], "The private key can't be read"),
        (certificate * 11 + key, "11 certificates"),
    ]
    for text, words in cases:
        with pytest.raises(CertificateProblem, match=words) as caught:
            read_certificate(text)
        assert not any(line in str(caught.value) for line in key_lines(pem))


def test_a_damaged_certificate_is_a_problem_and_never_an_error(pem):
    chance = random.Random(7)
    for _ in range(300):
        place = chance.randrange(len(pem))
        damaged = pem[:place] + chance.choice("AZaz09+/=\n-\0ü") + pem[place + 1 :]
        with suppress(CertificateProblem):
            read_certificate(damaged)


def test_a_server_certificate_is_warned_of(authority):
    paths = authority.issue("server.example")
    text = "".join(Path(path).read_text() for path in paths)
    assert "not for clients" in read_certificate(text).facts.warning(datetime.now(UTC))


# --- In the keyring -------------------------------------------------------------------------------


def test_a_certificate_is_nothing_else(pem):
    now = datetime.now(UTC)
    ring = Keyring(
        {
            "partner": OpenSecret("partner", "cert", pem),
            "key": OpenSecret("key", "text", "value"),
            "lost": OpenSecret("lost", "cert", problem="the secret `lost` can't be read"),
        }
    )
    assert ring.client_certificate("partner", now).facts.subject == "CN=client"
    cases = [
        (lambda: ring.text("partner"), "is a client certificate, and these are never sent"),
        (lambda: ring.hmac_text("partner"), "an HMAC needs a text"),
        (lambda: ring.signing_keys("partner", now), "signing needs a signing key"),
        (lambda: ring.client_certificate("key", now), "is no client certificate"),
        (lambda: ring.client_certificate("lost", now), "can't be read"),
        (lambda: ring.client_certificate("partnr", now), "did you mean `partner`"),
        (lambda: ring.client_certificate("partner", now + timedelta(days=9)), "has expired on"),
    ]
    for use, words in cases:
        with pytest.raises(SecretProblem, match=re.escape(words)):
            use()


# --- Kept and shown -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_kept_encrypted_and_neither_generated_nor_rotated(pem):
    secret, generated = create_secret(name="partner", kind="cert", value=pem)
    assert generated == ""
    assert vault.open_secret(secret).value == pem
    assert not any(line in secret.encrypted for line in key_lines(pem))
    for value, words in (
        ("", "Enter the value"),
        ("x" * 50_001, "50,000"),
        ("x", "no certificate"),
    ):
        with pytest.raises(SecretRefused, match=words):
            put_value(secret=secret, value=value)
    with pytest.raises(SecretRefused, match="Only signing keys rotate"):
        rotate_secret(secret=secret)


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


@pytest.mark.django_db
def test_the_admin_shows_subject_issuer_and_expiry_only(boss, authority, pem):
    form = {"name": "partner", "kind": "cert", "value": pem.replace("\n", "\r\n")}
    pages = [boss.post("/admin/webhooks/secret/add/", form, follow=True).content.decode()]
    secret = Secret.objects.get()
    page = f"/admin/webhooks/secret/{secret.pk}/change/"
    pages += [boss.get(each).content.decode() for each in (page, "/admin/webhooks/secret/")]
    for html in pages:
        assert "CN=client" in html
        assert not any(line in html for line in pem.splitlines()[1:-1] if "-----" not in line)
    assert "CN=Test authority" in pages[1]
    assert "Rotate" not in pages[1]
    expired = authority.issue_pem("late", expired=True)
    form = {"name": "partner", "value": expired, "description": ""}
    html = boss.post(page, form, follow=True).content.decode()
    assert "The client certificate has expired on" in html
    assert "Not valid" in html
    html = boss.get(page).content.decode()
    assert "The client certificate has expired on" in html
    assert "CN=late" in html
    refused = boss.post(page, {**form, "value": parts_of(pem)[1]}).content.decode()
    assert "There is no certificate" in refused
    assert key_lines(pem)[0] not in refused


# --- Chosen in a webhook --------------------------------------------------------------------------


def filled(**values):
    return {
        "name": "Hook", "event": "record.created", "method": "POST", "url": "https://x.example/",
        "body_kind": "default", "timeout_s": "30", "retry_delays_s": "", "jitter_percent": "0",
        "success_statuses": "2xx", "max_redirects": "0", **values,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_webhook_names_its_certificate(boss, authority, pem):
    secret, _ = create_secret(name="partner", kind="cert", value=pem)
    create_secret(name="key", value="text")
    chosen = filled(client_certificate="partner")
    assert boss.post(ADD, chosen).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.client_certificate == "partner"
    page = f"/admin/webhooks/webhook/{webhook.pk}/change/"
    assert '<option value="partner" selected>' in boss.get(page).content.decode()
    assert (
        '<option value="partner" selected>' in boss.get(f"{ADD}?copy={webhook.pk}").content.decode()
    )
    (use,) = uses_of("partner")
    assert (use.title, use.places) == ("Hook", ("client certificate",))
    for values, words in (
        ({"client_certificate": "key"}, "Select a valid choice"),
        ({"client_certificate": "partner", "url": "http://x.example/"}, "only shown over https://"),
        ({"url": "https://x.example/?{{ secrets.partner }}"}, "partner"),
        ({"auth_kind": "bearer", "auth_secret": "partner"}, "Select a valid choice"),
        ({"signing_secret": "partner"}, "Select a valid choice"),
    ):
        response = boss.post(ADD, filled(**values))
        assert response.status_code == 200, values
        assert words in response.content.decode()
    put_value(secret=secret, value=authority.issue_pem("late", expired=True))
    secret.save()
    html = boss.post(page, chosen, follow=True).content.decode()
    assert "partner: The client certificate has expired" in html


@pytest.mark.django_db
def test_a_job_has_the_name_and_takes_it_to_another_host_with_permission_only(pem):
    create_secret(name="partner", kind="cert", value=pem)
    job = make_job(a_webhook("https://x.example/", "partner"), an_event(), "record.created")
    job.save()
    assert job.credentials == {"certificate": "partner"}
    assert Credentials.from_json(job.credentials).certificate == "partner"
    actor = User.objects.create_user("editor", password="x")
    with pytest.raises(SecretGoesElsewhere):
        edit_job(job=job, url="https://y.example/", headers=[], body="", actor=actor)
    edit_job(job=job, url="https://x.example/2", headers=[], body="", actor=actor)
    job.refresh_from_db()
    assert job.credentials == {"certificate": "partner"}


# --- Sent -----------------------------------------------------------------------------------------


def a_webhook(url, certificate):
    return Webhook.objects.create(
        name="Hook", event="record.created", url=url, client_certificate=certificate,
        retry_delays_s=[],
    )  # fmt: skip


def delivered(authority, *webhooks):
    """The jobs, sent."""
    jobs = [make_job(webhook, an_event(), "record.created") for webhook in webhooks]
    for job in jobs:
        job.save()
    transport = Transport(LOOPBACK, ca_bundle=authority.file)
    engine = DeliveryEngine(transport, concurrency=4, per_lane=4)
    engine.start()
    try:
        wait_until(
            lambda: RequestLog.objects.filter(job__in=[job.pk for job in jobs]).count() == len(jobs)
        )
    finally:
        engine.stop()
        transport.close()
    for job in jobs:
        job.refresh_from_db()
    return jobs


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_asks_for_a_certificate_gets_it(authority, pem):
    create_secret(name="partner", kind="cert", value=pem)
    with serving(answering(OK), tls=authority.demanding_context("127.0.0.1")) as server:
        shown, silent = delivered(
            authority, a_webhook(server.url, "partner"), a_webhook(server.url, "")
        )
        assert (shown.status, shown.status_code, shown.error) == ("succeeded", 200, "")
        assert silent.error_kind in ("tls", "protocol")
        assert len(server.requests) == 1
    rows = str(list(RequestLog.objects.values()))
    assert not any(line in rows for line in pem.splitlines()[1:-1] if "-----" not in line)


@pytest.mark.django_db(transaction=True)
def test_a_certificate_that_cannot_be_used_sends_nothing_and_says_so(authority, pem, settings):
    expired = authority.issue_pem("late", expired=True)
    create_secret(name="late", kind="cert", value=expired)
    create_secret(name="text", value="text")
    settings.SECRETS_KEYS = ["x" * 50]
    create_secret(name="lost", kind="cert", value=pem)
    settings.SECRETS_KEYS = []
    create_secret(name="partner", kind="cert", value=pem)
    with serving(answering(OK), tls=authority.demanding_context("127.0.0.1")) as server:
        cases = {
            "gone": "there is no secret `gone`",
            "late": "`late`: the client certificate has expired on",
            "text": "`text` is no client certificate",
            "lost": "the secret `lost` can't be read",
        }
        webhooks = [a_webhook(server.url, name) for name in cases]
        plain = a_webhook(server.url.replace("https:", "http:"), "partner")
        jobs = delivered(authority, *webhooks, plain)
        for job, words in zip(jobs, [*cases.values(), "only shown over https://"], strict=True):
            assert (job.error_kind, job.status) == ("secret", "failed"), job.error
            assert words in job.error
            assert job.error.startswith("Nothing was sent")
        assert server.requests == []
        assert server.connections == 0


@pytest.mark.django_db(transaction=True)
def test_a_renewed_certificate_is_used_from_then_on(authority, pem, tmp_path):
    stranger = Authority(tmp_path, "Another").issue_pem("client")
    secret, _ = create_secret(name="partner", kind="cert", value=stranger)
    with serving(answering(OK), tls=authority.demanding_context("127.0.0.1")) as server:
        webhook = a_webhook(server.url, "partner")
        (job,) = delivered(authority, webhook)
        assert job.error_kind in ("tls", "protocol")
        put_value(secret=secret, value=pem)
        secret.save()
        (job,) = delivered(authority, webhook)
        assert job.status == "succeeded"
