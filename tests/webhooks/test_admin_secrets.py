"""Secrets in the admin: values go in and never come out; uses, rotation, deletion, permissions."""

import re
import sys
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core.signals import got_request_exception
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from records.models import User
from webhooks import vault
from webhooks.models import Secret, Webhook
from webhooks.secret_services import create_secret, fingerprint
from webhooks.signing import read_ed25519_key

pytestmark = pytest.mark.django_db

VALUE = "canary-in-the-admin"
KEY = "whsec_" + "Y2FuYXJ5LWtleS1vZi10aGUtYWRtaW4taW4tdGVzdHM="
LIST = "/admin/webhooks/secret/"
ADD = f"{LIST}add/"


@pytest.fixture(autouse=True)
def _fresh_keyring():
    vault.forget_keyring()
    yield
    vault.forget_keyring()


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


@pytest.fixture
def log_in(client):
    def log_in_with(*permissions):
        user = User.objects.create_user("somebody", password="x", is_staff=True)
        user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in_with


def page_of(secret, name="change"):
    return reverse(f"admin:webhooks_secret_{name}", args=[secret.pk])


def html_of(response):
    return response.content.decode()


def a_webhook(**values):
    return Webhook.objects.create(
        **{"name": "Notify CRM", "event": "record.created", "url": "https://x.example/", **values}
    )


# --- Adding ---------------------------------------------------------------------------------------


def test_a_text_is_added_and_never_shown(boss):
    response = boss.post(
        ADD, {"name": "crm_token", "kind": "text", "value": VALUE, "description": "d"}, follow=True
    )
    assert response.status_code == 200
    assert VALUE not in html_of(response)
    secret = Secret.objects.get()
    assert vault.open_secret(secret).value == VALUE
    for address in (LIST, page_of(secret), page_of(secret, "history"), page_of(secret, "delete")):
        html = html_of(boss.get(address))
        assert "crm_token" in html
        assert VALUE not in html
        assert secret.encrypted not in html


def test_a_generated_key_is_shown_once_and_is_in_no_session(boss):
    response = boss.post(ADD, {"name": "signing", "kind": "symmetric", "value": ""})
    secret = Secret.objects.get()
    key = vault.open_secret(secret).value
    html = html_of(response)
    assert html.count(key) == 1
    assert "never again" in html
    assert "no-store" in response["Cache-Control"]
    assert key not in html_of(boss.get(page_of(secret)))
    assert key not in "".join(str(s.get_decoded()) for s in Session.objects.all())
    assert key not in str(response.cookies)


def test_of_an_ed25519_key_only_the_public_half_is_shown(boss):
    response = boss.post(ADD, {"name": "signing", "kind": "ed25519", "value": ""}, follow=True)
    opened = vault.open_secret(Secret.objects.get())
    assert read_ed25519_key(opened.value).public_key in html_of(response)
    assert opened.value not in html_of(response)
    assert opened.value[5:30] not in html_of(response)


def test_a_key_of_ones_own_is_not_shown_back(boss):
    response = boss.post(ADD, {"name": "signing", "kind": "symmetric", "value": KEY}, follow=True)
    assert KEY not in html_of(response)
    assert vault.open_secret(Secret.objects.get()).value == KEY


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "Not A Name", "value": VALUE}, "Use lower-case letters"),
        ({"name": "ok", "value": ""}, "Enter the value."),
        ({"name": "ok", "kind": "symmetric", "value": VALUE}, "whsec_ and base64"),
        ({"name": "ok", "kind": "ed25519", "value": VALUE}, "whsk_ and base64"),
        ({"name": "ok", "kind": "other", "value": VALUE}, "Enter it again"),
        ({"name": "taken", "value": VALUE}, "already exists"),
        ({"name": "ok", "value": VALUE + "\0"}, "Null characters"),
    ],
)
def test_a_form_that_is_refused_does_not_send_the_value_back(boss, values, words):
    create_secret(name="taken", value="something")
    response = boss.post(ADD, {"kind": "text", **values})
    assert response.status_code == 200
    html = html_of(response)
    assert words in html
    assert VALUE not in html
    assert Secret.objects.count() == 1


def test_a_value_in_the_address_fills_no_form(boss):
    assert VALUE not in html_of(boss.get(f"{ADD}?value={VALUE}")).replace(f"?value={VALUE}", "")


# --- Changing -------------------------------------------------------------------------------------


def test_an_empty_value_keeps_the_one_there_is(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    boss.post(page_of(secret), {"name": "key", "value": "", "description": "changed"})
    secret.refresh_from_db()
    assert secret.description == "changed"
    assert vault.open_secret(secret).value == VALUE


def test_a_new_value_replaces_the_old(boss):
    secret, _ = create_secret(name="key", value="the old value")
    before = secret.value_changed_at
    boss.post(page_of(secret), {"name": "key", "value": f"{VALUE}\r\nline two"}, follow=True)
    secret.refresh_from_db()
    assert vault.open_secret(secret).value == f"{VALUE}\nline two"
    assert secret.value_changed_at > before
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Changed value."
    assert VALUE not in entry.change_message + entry.object_repr


def test_the_kind_stays(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    boss.post(page_of(secret), {"name": "key", "kind": "symmetric", "value": ""})
    secret.refresh_from_db()
    assert secret.kind == "text"


def test_a_signing_key_cannot_be_overwritten(boss):
    secret, key = create_secret(name="key", kind="symmetric")
    boss.post(page_of(secret), {"name": "key", "value": KEY})
    secret.refresh_from_db()
    assert vault.open_secret(secret).value == key


def test_a_name_in_use_stays(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    response = boss.post(page_of(secret), {"name": "renamed", "value": ""})
    assert response.status_code == 302
    a_webhook(auth={"kind": "bearer", "secret": "renamed"})
    response = boss.post(page_of(secret), {"name": "key", "value": ""})
    assert "renamed is used by Notify CRM" in html_of(response)
    secret.refresh_from_db()
    assert secret.name == "renamed"


def test_a_value_that_cannot_be_read_is_said_and_mended(boss, settings):
    settings.SECRETS_KEYS = ["o" * 40]
    secret, _ = create_secret(name="key", value="lost")
    signing, _ = create_secret(name="signing", kind="ed25519")
    settings.SECRETS_KEYS = ["n" * 40]
    assert html_of(boss.get(LIST)).count("Can't be read") == 2
    for each in (secret, signing):
        assert "SECRETS_KEYS" in html_of(boss.get(page_of(each)))
    boss.post(page_of(secret), {"name": "key", "value": VALUE})
    boss.post(page_of(signing, "rotate"), {"overlap_h": "24", "seen": fingerprint(signing)})
    assert "Can't be read" not in html_of(boss.get(LIST))


# --- Rotation -------------------------------------------------------------------------------------


def test_a_key_is_rotated_and_the_new_one_shown_once(boss):
    secret, old = create_secret(name="key", kind="symmetric")
    form = {"overlap_h": "24", "value": "", "seen": fingerprint(secret)}
    html = html_of(boss.post(page_of(secret, "rotate"), form))
    secret.refresh_from_db()
    opened = vault.open_secret(secret)
    assert html.count(opened.value) == 1
    assert opened.previous == old
    assert old not in html
    assert secret.previous_until - timezone.now() > timedelta(hours=23)
    page = html_of(boss.get(page_of(secret)))
    assert "The old key signs too until" in page
    assert opened.value not in page
    # The same form again, as a reload sends it: nothing happens.
    again = html_of(boss.post(page_of(secret, "rotate"), form, follow=True))
    assert "since you opened the page" in again
    secret.refresh_from_db()
    assert vault.open_secret(secret) == opened


def test_both_public_keys_are_shown_during_the_overlap(boss):
    secret, old = create_secret(name="key", kind="ed25519")
    form = {"overlap_h": "1", "seen": fingerprint(secret)}
    html = html_of(boss.post(page_of(secret, "rotate"), form, follow=True))
    secret.refresh_from_db()
    new = vault.open_secret(secret).value
    for key in (old, new):
        assert read_ed25519_key(key).public_key in html
        assert key not in html
    ended = html_of(boss.post(page_of(secret, "end_overlap"), follow=True))
    assert read_ed25519_key(new).public_key in ended
    assert read_ed25519_key(old).public_key not in ended


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"overlap_h": "5"}, "Choose for how long"),
        ({"overlap_h": "24", "value": "canary-nonsense"}, "whsec_ and base64"),
    ],
)
def test_a_rotation_that_is_refused(boss, form, words):
    secret, old = create_secret(name="key", kind="symmetric")
    form = {"seen": fingerprint(secret), **form}
    html = html_of(boss.post(page_of(secret, "rotate"), form, follow=True))
    assert words in html
    assert "canary-nonsense" not in html
    secret.refresh_from_db()
    assert vault.open_secret(secret).value == old


def test_rotation_is_no_get(boss):
    secret, _ = create_secret(name="key", kind="symmetric")
    assert boss.get(page_of(secret, "rotate")).status_code == 405
    assert boss.get(page_of(secret, "end_overlap")).status_code == 405


# --- Uses and deletion ----------------------------------------------------------------------------


def test_uses_are_listed(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    assert "Nowhere yet" in html_of(boss.get(page_of(secret)))
    webhook = a_webhook(
        headers=[{"name": "X-Key", "value": "{{ secrets.key }}"}],
        auth={"kind": "bearer", "secret": "key"},
    )
    a_webhook(name="Off", is_active=False, url="https://x/{secrets.key}")
    html = re.sub(r"\s+", " ", html_of(boss.get(page_of(secret))))
    assert reverse("admin:webhooks_webhook_change", args=[webhook.pk]) in html
    assert "header <code>X-Key</code>, authentication" in html
    assert "switched off" in html
    assert "Notify CRM" in html_of(boss.get(LIST))


def test_deleting_one_in_use_has_to_be_meant(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    a_webhook(signing_secret="key")
    page = page_of(secret, "delete")
    assert "Notify CRM" in html_of(boss.get(page))
    html = html_of(boss.post(page, {"post": "yes"}, follow=True))
    assert "Tick the box" in html
    assert Secret.objects.exists()
    boss.post(page, {"post": "yes", "anyway": "1"})
    assert not Secret.objects.exists()


def test_one_that_nothing_uses_is_deleted_at_once(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    assert "Nothing uses it" in html_of(boss.get(page_of(secret, "delete")))
    boss.post(page_of(secret, "delete"), {"post": "yes"})
    assert not Secret.objects.exists()


def test_many_at_once_are_not_deleted(boss):
    secret, _ = create_secret(name="key", value=VALUE)
    boss.post(LIST, {"action": "delete_selected", "_selected_action": [secret.pk], "post": "yes"})
    assert Secret.objects.exists()


def test_the_list_asks_a_fixed_number_of_questions(boss, django_assert_max_num_queries):
    for number in range(12):
        create_secret(name=f"key{number}", value=VALUE)
        a_webhook(auth={"kind": "bearer", "secret": f"key{number}"})
    boss.get(LIST)
    with django_assert_max_num_queries(20):
        boss.get(LIST)


# --- Permissions and strange addresses ------------------------------------------------------------


def test_who_may_only_look_enters_nothing(log_in):
    secret, _ = create_secret(name="key", kind="symmetric")
    client = log_in("view_secret")
    html = html_of(client.get(page_of(secret)))
    assert "key" in html
    assert 'name="value"' not in html
    assert "Rotate the key" not in html
    form = {"overlap_h": "24", "seen": fingerprint(secret)}
    assert client.post(page_of(secret, "rotate"), form).status_code == 403
    assert client.post(page_of(secret, "end_overlap")).status_code == 403
    assert client.post(page_of(secret), {"name": "key"}).status_code == 403
    assert client.get(page_of(secret, "delete")).status_code == 403
    assert client.get(ADD).status_code == 403


def test_who_edits_webhooks_sees_names_and_no_page_of_secrets(log_in):
    secret, _ = create_secret(name="crm_token", value=VALUE)
    client = log_in("view_webhook", "change_webhook")
    webhook = a_webhook()
    html = html_of(client.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk])))
    assert "crm_token" in html
    assert VALUE not in html
    assert client.get(LIST).status_code == 403
    assert client.get(page_of(secret)).status_code == 403


@pytest.mark.parametrize("pk", ["nonsense", "sec_00000000000000000000000000", "job_x", "%00"])
def test_strange_addresses(boss, pk):
    assert boss.get(f"{LIST}{pk}/change/").status_code in (302, 404)
    assert boss.post(f"{LIST}{pk}/rotate/").status_code == 404
    assert boss.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code in (302, 404)


def test_an_error_report_has_no_value(boss, monkeypatch):
    """What a page of ours that breaks would tell those who look after the installation."""
    secret, _ = create_secret(name="key", value="something")
    reports = []

    @sensitive_variables()
    def breaks(**kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("webhooks.admin.secrets.put_value", breaks)
    boss.raise_request_exception = False

    def report(sender, request, **kwargs):
        reporter = ExceptionReporter(request, *sys.exc_info(), is_email=True)
        reports.append(reporter.get_traceback_text() + reporter.get_traceback_html())

    got_request_exception.connect(report)
    try:
        response = boss.post(page_of(secret), {"name": "key", "value": VALUE})
    finally:
        got_request_exception.disconnect(report)
    assert response.status_code == 500
    assert len(reports) == 1
    assert VALUE not in reports[0]
