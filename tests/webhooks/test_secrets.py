"""Making, changing and rotating secrets; where they are used; and jobs that need them, from event to attempt."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.utils import timezone

from records.models import User
from tests.waiting import wait_until
from tests.webhooks.jobs_at_hand import an_event
from tests.webhooks.making import FakeTransport, answer
from webhooks import vault
from webhooks.addresses import NetworkPolicy
from webhooks.engine import DeliveryEngine
from webhooks.exceptions import SecretGoesElsewhere, SecretIsNotTheirs, SecretRefused
from webhooks.job_secrets import JobText
from webhooks.models import Destination, RequestLog, Webhook, WebhookJob
from webhooks.secret_services import (
    create_secret,
    end_overlap,
    fingerprint,
    put_value,
    require_unused_name,
    rotate_secret,
)
from webhooks.secret_uses import Use, _finders, all_uses, finds_uses, uses_of
from webhooks.services import edit_job
from webhooks.subscriptions import make_job
from webhooks.transport import Transport

VALUE = "canary-of-the-service"


@pytest.fixture(autouse=True)
def _fresh_keyring():
    vault.forget_keyring()
    yield
    vault.forget_keyring()


def a_webhook(**values):
    defaults = {"name": "Hook", "event": "record.created", "url": "https://example.com/"}
    return Webhook.objects.create(**{**defaults, **values})


def row(name, value):
    return {"name": name, "value": value, "type": "string"}


# --- Making and changing --------------------------------------------------------------------------


@pytest.mark.django_db
class TestServices:
    def test_a_text_needs_a_value_and_loses_the_blanks_around_it(self):
        secret, generated = create_secret(name="key", value=f"  {VALUE}\n")
        assert generated == ""
        assert vault.open_secret(secret).value == VALUE
        with pytest.raises(SecretRefused, match="Enter the value"):
            create_secret(name="other", value="  ")

    @pytest.mark.parametrize(("kind", "prefix"), [("symmetric", "whsec_"), ("ed25519", "whsk_")])
    def test_a_signing_key_is_generated(self, kind, prefix):
        secret, generated = create_secret(name="key", kind=kind)
        assert generated.startswith(prefix)
        assert vault.open_secret(secret).value == generated

    def test_a_signing_key_of_ones_own_gets_its_prefix(self):
        secret, generated = create_secret(
            name="key", kind="symmetric", value="MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        )
        assert generated == ""
        assert vault.open_secret(secret).value == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @pytest.mark.parametrize(
        ("kind", "value", "words"),
        [
            ("symmetric", "too-short", "whsec_ and base64"),
            ("ed25519", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_"),
            ("text", "a\0b", "NUL"),
            ("text", "\ud800", "half a character"),
            ("text", "x" * 10_001, "longer than 10,000"),
        ],
    )
    def test_values_that_do_not_fit_are_refused_without_quoting_them(self, kind, value, words):
        with pytest.raises(SecretRefused, match=words) as caught:
            create_secret(name="key", kind=kind, value=value)
        assert "too-short" not in str(caught.value)

    @pytest.mark.parametrize("name", ["Key", "a-b", "1a", "", "a b", "ключ", "key\n", "_a"])
    def test_names_are_as_expressions_have_them(self, name):
        with pytest.raises(ValidationError):
            create_secret(name=name, value=VALUE)

    def test_rotation_keeps_the_old_key_for_a_while(self):
        secret, old = create_secret(name="key", kind="symmetric")
        rotated, new = rotate_secret(secret=secret, overlap=timedelta(hours=1))
        opened = vault.open_secret(rotated)
        assert (opened.value, opened.previous) == (new, old)
        assert timedelta(minutes=59) < rotated.previous_until - timezone.now() < timedelta(hours=1)
        assert len(vault.current_keyring().signing_keys("key", timezone.now())) == 2
        ended = end_overlap(secret=secret)
        assert vault.open_secret(ended).previous == ""
        assert len(vault.current_keyring().signing_keys("key", timezone.now())) == 1

    def test_a_second_click_rotates_nothing(self):
        secret, _ = create_secret(name="key", kind="ed25519")
        seen = fingerprint(secret)
        rotate_secret(secret=secret, seen=seen)
        with pytest.raises(SecretRefused, match="since you opened"):
            rotate_secret(secret=secret, seen=seen)

    def test_texts_do_not_rotate(self):
        secret, _ = create_secret(name="key", value=VALUE)
        with pytest.raises(SecretRefused, match="Only signing keys"):
            rotate_secret(secret=secret)

    def test_a_lost_key_can_be_rotated_too(self, settings):
        settings.SECRETS_KEYS = ["o" * 40]
        secret, _ = create_secret(name="key", kind="symmetric")
        settings.SECRETS_KEYS = ["n" * 40]
        rotated, new = rotate_secret(secret=secret)
        assert vault.open_secret(rotated).value == new
        assert rotated.encrypted_previous == ""


# --- Where they are used --------------------------------------------------------------------------


@pytest.mark.django_db
class TestUses:
    @pytest.mark.parametrize(
        ("values", "place"),
        [
            ({"url": "https://x/{secrets.key}"}, "URL"),
            ({"url": "{{ secrets.key }}"}, "URL"),
            ({"path_params": [row("id", "{{ secrets.key }}")]}, "path parameter `id`"),
            ({"query_params": [row("q", "{{ secrets.key }}")]}, "query parameter `q`"),
            ({"headers": [row("X-Key", "Token {{ secrets.key }}")]}, "header `X-Key`"),
            ({"body_kind": "json", "body": '{"a": ["{{ secrets.key }}"]}'}, "body"),
            ({"body_kind": "text", "body": "{{ secrets.key }}"}, "body"),
            ({"body_kind": "rows", "body_rows": [row("r", "{{ secrets.key }}")]}, "body row `r`"),
            ({"filter": "secrets.key == 'x'"}, "filter"),
            ({"auth": {"kind": "bearer", "secret": "key"}}, "authentication"),
            ({"signing_secret": "key"}, "signing"),
        ],
    )
    def test_each_place_is_found(self, values, place):
        webhook = a_webhook(**values)
        (use,) = uses_of("key")
        assert use.places == (place,)
        assert use.title == "Hook"
        assert webhook.pk in use.url

    def test_other_names_are_not_found(self):
        a_webhook(headers=[row("X", "{{ secrets.key_2 }} secrets.key {{ record.key }}")])
        a_webhook(body_kind="none", body="{{ secrets.key }}", headers=[row("X", "{{ broken")])
        assert uses_of("key") == []
        assert set(all_uses()) == {"key_2"}

    def test_a_webhook_is_named_once_with_all_its_places(self):
        a_webhook(url="https://x/{secrets.key}", auth={"kind": "bearer", "secret": "key"})
        (use,) = uses_of("key")
        assert use.places == ("URL", "authentication")

    def test_other_apps_add_their_own(self):
        use = Use("Nightly", "Automation", "/there", ("step 1",))
        find = finds_uses(lambda: [("key", use)])
        try:
            assert uses_of("key") == [use]
        finally:
            _finders.remove(find)

    def test_a_name_in_use_stays(self):
        require_unused_name("key")
        a_webhook(signing_secret="key")
        with pytest.raises(SecretRefused, match="`key` is used by Hook"):
            require_unused_name("key")


# --- Jobs -----------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestJobs:
    def test_a_job_has_names_and_no_values(self):
        create_secret(name="key", value=VALUE)
        job = make_job(
            a_webhook(
                url="https://example.com/{secrets.key}",
                auth={"kind": "bearer", "secret": "key"},
                signing_secret="signing",
            ),
            an_event(),
            "record.created",
        )
        assert job.credentials["auth"] == {"kind": "bearer", "secret": "key"}
        assert job.credentials["signing"] == "signing"
        assert job.credentials["nonce"] in job.url
        assert job.shown_url == "https://example.com/{{ secrets.key }}"
        assert ["Authorization", "Bearer {{ secrets.key }}"] in job.shown_headers
        assert VALUE not in repr(vars(job))

    def test_a_job_that_needs_none_has_none(self):
        assert make_job(a_webhook(), an_event(), "record.created").credentials is None

    def test_a_filter_with_a_secret_fails_in_words(self):
        job = make_job(a_webhook(filter="secrets.key == 'x'"), an_event(), "record.created")
        assert job.status == "failed"
        assert "unknown name `secrets`" in job.error

    def test_a_secret_address_has_a_lane_of_its_own(self):
        webhook = a_webhook(url="{{ secrets.key }}", query_params=[row("a", "1")])
        job = make_job(webhook, an_event(), "record.created")
        assert job.status == "pending"
        assert job.lane == "secret:key"
        assert job.shown_url == "{{ secrets.key }}?a=1"


@pytest.mark.django_db
class TestEdits:
    def a_job(self, **values):
        webhook = a_webhook(
            **{"url": "https://example.com/", "headers": [row("X", "{{ secrets.key }}")], **values}
        )
        job = make_job(webhook, an_event(), "record.created")
        job.save()
        return job

    def a_person(self, *permissions):
        user = User.objects.create_user("p", password="p")
        user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
        return User.objects.get(pk=user.pk)

    def edited(self, job, *, url=None, headers=None, body=None, actor=None):
        text = JobText(job)
        return edit_job(
            job=job,
            url=text.shown(job.url) if url is None else url,
            headers=text.shown_headers() if headers is None else headers,
            body=text.shown(job.body) if body is None else body,
            actor=actor,
        )

    def test_an_edit_keeps_the_placeholders_it_was_not_about(self):
        job = self.a_job()
        edited = self.edited(job, body="changed")
        assert edited.headers == job.headers
        assert edited.credentials == job.credentials
        assert list(edited.changes.get().changes) == ["body"]

    def test_a_secret_can_be_moved_about_within_its_job(self):
        edited = self.edited(self.a_job(), headers=[("Y", "k={{secrets.key}}")])
        assert edited.shown_headers == [["Y", "k={{ secrets.key }}"]]
        changes = edited.changes.get().changes["headers"]
        assert ["Y", "k={{ secrets.key }}"] in changes[1]

    def test_another_secret_cannot_be_brought_in(self):
        with pytest.raises(SecretIsNotTheirs):
            self.edited(self.a_job(), body="{{ secrets.other }}")

    def test_nor_by_its_placeholder(self):
        job = self.a_job()
        nonce = job.credentials["nonce"]
        with pytest.raises(SecretIsNotTheirs):
            self.edited(job, body=f"secret~other~{nonce}~")

    def test_data_that_look_like_a_secret_are_not_made_one(self):
        job = self.a_job(body_kind="text", body="{{ event.id }}")
        job.body = "{{ secrets.key }} as somebody wrote it"
        job.save()
        text = JobText(job)
        assert text.shown(job.body) == job.body
        assert dict(text.shown_headers())["X"].startswith("secret~key~")
        edited = self.edited(job, body=job.body + "!")
        assert edited.body == "{{ secrets.key }} as somebody wrote it!"
        assert edited.headers == job.headers

    def test_only_who_may_change_webhooks_sends_it_elsewhere(self):
        job = self.a_job()
        person = self.a_person("change_webhookjob")
        with pytest.raises(SecretGoesElsewhere):
            self.edited(job, url="https://elsewhere.example/", actor=person)
        self.edited(job, url="https://example.com/other", actor=person)

    def test_who_may_change_webhooks_does(self):
        edited = self.edited(
            self.a_job(), url="https://elsewhere.example/", actor=self.a_person("change_webhook")
        )
        assert edited.lane == "https://elsewhere.example:443"

    def test_a_request_that_was_never_made_is_made_with_its_secrets(self):
        job = self.a_job(
            url="https://example.com/{secrets.key}", body_kind="text", body="{{ record.nmae }}"
        )
        assert job.error_kind == "template"
        edited = self.edited(job, url="https://example.com/{{ secrets.key }}", body="x")
        assert edited.status == "pending"
        assert edited.shown_url == "https://example.com/{{ secrets.key }}"
        assert edited.credentials["nonce"] in edited.url


# --- Sending --------------------------------------------------------------------------------------


def delivered(*jobs, transport):
    for job in jobs:
        job.save()
    engine = DeliveryEngine(transport, concurrency=4, per_lane=4)
    engine.start()
    try:
        wait_until(
            lambda: RequestLog.objects.filter(job__in=[job.pk for job in jobs]).count() == len(jobs)
        )
    finally:
        engine.stop()


@pytest.mark.django_db(transaction=True)
class TestSending:
    def test_the_receiver_gets_the_values_and_the_log_the_names(self):
        create_secret(name="key", value=VALUE)
        webhook = a_webhook(
            body_kind="json",
            body='{"key": "{{ secrets.key }}"}',
            auth={"kind": "bearer", "secret": "key"},
        )
        job = make_job(webhook, an_event(), "record.created")
        transport = FakeTransport(lambda request: answer(body=request.body))
        delivered(job, transport=transport)
        (request,) = transport.sent
        assert json.loads(request.body) == {"key": VALUE}
        assert dict(request.headers)["Authorization"] == f"Bearer {VALUE}"
        log = RequestLog.objects.get()
        assert json.loads(log.request_body) == {"key": "{{ secrets.key }}"}
        assert ["Authorization", "Bearer {{ secrets.key }}"] in log.request_headers
        assert json.loads(log.response_body) == {"key": "••••"}
        assert VALUE not in repr(RequestLog.objects.values_list())
        assert VALUE not in repr(WebhookJob.objects.values_list())

    def test_a_missing_secret_is_an_attempt_that_is_retried(self):
        create_secret(name="keys", value=VALUE)
        webhook = a_webhook(auth={"kind": "bearer", "secret": "key"})
        job = make_job(webhook, an_event(), "record.created")
        transport = FakeTransport()
        delivered(job, transport=transport)
        assert transport.sent == []
        job.refresh_from_db()
        assert (job.status, job.error_kind) == ("pending", "secret")
        assert job.next_attempt_at > timezone.now()
        assert "there is no secret `key`; did you mean `keys`?" in job.error
        assert not Destination.objects.exists()  # it is not the receiver's fault

    def test_what_breaks_while_sending_is_told_by_name_and_without_words(self, caplog):
        create_secret(name="key", value=VALUE)
        job = make_job(
            a_webhook(url="https://example.com/{secrets.key}"), an_event(), "record.created"
        )

        def breaks(request):
            raise ValueError(f"can't parse {request.url}")

        delivered(job, transport=FakeTransport(breaks))
        log = RequestLog.objects.get()
        assert (log.error_kind, log.url) == ("internal", "https://example.com/{{ secrets.key }}")
        assert VALUE not in caplog.text
        assert "ValueError" in caplog.text

    def test_a_secret_that_was_changed_is_sent_anew_at_the_next_attempt(self):
        secret, _ = create_secret(name="key", value="the first value")
        webhook = a_webhook(auth={"kind": "bearer", "secret": "key"})
        transport = FakeTransport()
        delivered(make_job(webhook, an_event(), "record.created"), transport=transport)
        put_value(secret=secret, value="the second value")
        secret.save()
        delivered(make_job(webhook, an_event(), "record.created"), transport=transport)
        sent = [dict(request.headers)["Authorization"] for request in transport.sent]
        assert sent == ["Bearer the first value", "Bearer the second value"]

    def test_a_value_with_a_line_break_is_no_header_and_is_not_quoted(self):
        create_secret(name="key", value=f"{VALUE}\r\nX-Evil: 1")
        webhook = a_webhook(url="http://127.0.0.1:9/", auth={"kind": "bearer", "secret": "key"})
        job = make_job(webhook, an_event(), "record.created")
        delivered(job, transport=Transport(NetworkPolicy()))
        job.refresh_from_db()
        assert job.error_kind == "invalid"
        assert "line break" in job.error
        assert VALUE not in job.error
