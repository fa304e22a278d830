"""The page before many runs are retried, and the pages of bulk retries."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from automations import rerun_previews
from automations.bulk_reruns import go_on_with_bulk_reruns, start_bulk_rerun
from automations.history import RunsQuery
from automations.models import BulkRerun, Run
from automations.services import publish, retry_run, save_draft
from tests.automations.making import end_job, make_lead, run_once, step, work
from tests.automations.test_retry_page import (
    CALL,
    END,
    client_of,
    failed_run,
    many,
    publish_mended,
    text_of,
)
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


def failed_runs(number: int) -> list[str]:
    failed_run()
    for _ in range(number - 1):
        make_lead()
        work()
        end_job(WebhookJob.objects.get(status="pending"))
        work()
    return list(Run.objects.filter(status="failed").values_list("pk", flat=True))


def test_many_are_shown_by_version_first_and_then_done(client):
    ids = failed_runs(3)
    response = client.post(many(), {"ids": ids})
    text = text_of(response)
    assert "Retry 3 runs?" in text
    assert "3 runs on version 1" in text
    assert "Nothing of it is noticed outside" in text
    assert Run.objects.count() == 3
    response = client.post(many(), {"ids": ids, "confirmed": "1"}, follow=True)
    assert "3 runs are tried again." in text_of(response)
    assert Run.objects.count() == 6


def test_many_from_the_start_warn_of_what_is_noticed_twice(client):
    ids = failed_runs(2)
    text = text_of(client.post(many(), {"ids": ids, "begin": "start"}))
    assert "Noticed outside a second time: “Call the CRM” by 2 runs" in text


def test_what_can_t_be_retried_is_counted_with_the_reason(client):
    [run] = failed_runs(1)
    retry_run(run=Run.objects.get(pk=run), actor=None)
    work()
    text = text_of(client.post(many(), {"ids": [run]}))
    assert "Nothing to retry" in text
    assert "1 × It was retried already" in text


# --- all that match ---------------------------------------------------------------------------


def everything(client, address="", **values):
    return client.post(
        many() + address, {"everything": "1", "confirmed": "1", **values}, follow=True
    )


def go_on():
    BulkRerun.objects.update(step_at=timezone.now() - timedelta(seconds=1))
    return go_on_with_bulk_reruns()


def test_all_that_failed_under_the_filters_are_begun_little_by_little(client):
    failed_runs(3)
    waiting = run_once(step("wait", "w", duration=1, unit="hours"), name="Waits")
    automation = Run.objects.filter(status="failed").first().automation_id
    address = f"?automation={automation}&time=24h"
    number = Run.objects.filter(status="failed").count()
    response = client.post(many() + address, {"everything": "1"})
    assert f"Retry {number} runs?" in text_of(response)
    assert waiting.pk not in response.content.decode()
    assert not BulkRerun.objects.exists()
    response = everything(client, address)
    bulk = BulkRerun.objects.get()
    assert response.redirect_chain == [
        (reverse("admin:automations_run_rerun", args=[bulk.pk]), 302)
    ]
    assert (bulk.created_by.username, bulk.which["automation_id"]) == ("root", automation)
    assert go_on() == number
    assert "all were retried already" in text_of(client.get(many() + address, follow=True))


def test_what_fails_after_the_page_was_shown_is_none_of_it(client):
    failed_runs(2)
    asked_at = timezone.now()
    make_lead()
    work()
    end_job(WebhookJob.objects.get(status="pending"))
    work()
    everything(client, until=asked_at.isoformat())
    assert go_on() == 2


@pytest.mark.parametrize("until", ["", "nonsense", "2999-01-01T00:00:00+00:00"])
def test_a_moment_that_is_none_is_now(client, until):
    failed_runs(1)
    everything(client, until=until)
    assert BulkRerun.objects.get().until <= timezone.now()


def test_it_says_from_which_step_of_which_automation_and_what_is_noticed(client):
    failed_runs(2)
    failed_run(END, step("webhook", "crm", url="{{ record.name / 2 }}", name_="Tell"), name="Two")
    text = text_of(client.post(many(), {"everything": "1"}))
    assert "From “Halve”" in text
    assert "From “Tell”" in text
    assert "Reaches other systems or people: “Tell”" in text
    text = text_of(client.post(many(), {"everything": "1", "begin": "start"}))
    assert "Noticed outside a second time: “Call the CRM” by 3 runs" in text
    assert "From “Halve”" not in text


def test_what_is_looked_at_closely_is_bounded_and_it_says_so(client, monkeypatch):
    monkeypatch.setattr(rerun_previews, "LOOKED_AT", 2)
    failed_runs(4)
    text = text_of(client.post(many(), {"everything": "1"}))
    assert "Retry 4 runs?" in text
    assert "Its newest 2 were looked at one by one" in text
    monkeypatch.setattr(rerun_previews, "PREVIEW_CAP", 3)
    assert "Retry 3 runs or more?" in text_of(client.post(many(), {"everything": "1"}))


def test_automations_beyond_the_first_are_counted(client, monkeypatch):
    monkeypatch.setattr(rerun_previews, "MAX_GROUPS", 1)
    failed_runs(2)
    failed_run(
        END, step("set_variables", "b", variables={"a": "{{ record.name / 2 }}"}), name="Two"
    )
    number = Run.objects.filter(status="failed").count()
    text = text_of(client.post(many(), {"everything": "1"}))
    assert f"Retry {number} runs?" in text
    assert "the runs of 1 more automation" in text


def test_on_the_current_version_what_can_t_be_retried_is_named(client):
    run = failed_run(CALL, step("set_variables", "b", variables={"a": "{{ record.name / 2 }}"}))
    draft = run.automation.published.document
    draft["steps"][1]["id"] = "other"
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    text = text_of(client.post(many(), {"everything": "1", "on": "current"}))
    assert "Nothing to retry" in text
    assert "1 × The current version has no step “b”" in text


def test_the_failures_have_a_way_there_with_their_filters(client):
    failed_runs(1)
    history = reverse("admin:automations_run_changelist")
    page = client.get(history, {"tab": "failures", "error": "expression"}).content.decode()
    assert f'href="{many()}?tab=failures&amp;error=expression"' in page
    assert many() not in client.get(history, {"tab": "all"}).content.decode().split('id="bulk"')[0]
    looker = client_of("ada", "view_run")
    assert f'href="{many()}' not in looker.get(history, {"tab": "failures"}).content.decode()


def test_the_choices_are_kept(client):
    run = failed_run(settings={"on_failure": {"quarantine": True}})
    publish_mended(run)
    everything(client, begin="start", on="current", release="1")
    bulk = BulkRerun.objects.get()
    assert (bulk.begin, bulk.on, bulk.releases) == ("start", "current", True)


def test_the_preview_takes_as_many_queries_for_many_as_for_few(django_assert_max_num_queries):
    def preview():
        return rerun_previews.preview_of_query(
            RunsQuery(), until=timezone.now(), begin="failed_step", on="same"
        )

    failed_runs(5)
    preview()
    with django_assert_max_num_queries(8):
        assert preview().number == 5


# --- how far it has come ------------------------------------------------------------------------


def rerun() -> BulkRerun:
    return start_bulk_rerun(query=RunsQuery(text="divide"), actor=None)


def page_of(bulk: BulkRerun) -> str:
    return reverse("admin:automations_run_rerun", args=[bulk.pk])


def test_the_page_tells_how_far_it_is_and_what_has_come_of_it(client):
    failed_runs(3)
    bulk = rerun()
    assert "Counting" in text_of(client.get(page_of(bulk)))
    go_on()
    work()
    text = text_of(client.get(page_of(bulk)))
    assert "3 of 3 tried again" in text
    assert "3 failed again" in text
    assert "“divide”" in text
    assert "from the failed step" in text.lower()
    listed = text_of(client.get(reverse("admin:automations_run_retries")))
    assert "“divide” Finished 3 of 3" in listed


def test_only_what_has_changed_is_sent_again(client):
    failed_runs(1)
    page = client.get(page_of(rerun()), headers={"HX-Request": "true"})
    digest = page["X-Live-Digest"]
    assert page["X-Live-Open"] == "1"
    again = client.get(
        page_of(BulkRerun.objects.get()),
        headers={"HX-Request": "true", "X-Live-Digest": digest},
    )
    assert again.status_code == 204


def test_it_can_be_stopped_on_its_page(client):
    failed_runs(1)
    bulk = rerun()
    cancel = reverse("admin:automations_run_rerun_cancel", args=[bulk.pk])
    assert client.get(cancel).status_code == 405
    assert "Stopped. 0 runs" in text_of(client.post(cancel, follow=True))
    assert "had ended already" in text_of(client.post(cancel, follow=True))
    assert go_on() == 0


def test_before_the_first_the_list_says_where_to_begin(client):
    assert "No bulk retry yet" in text_of(client.get(reverse("admin:automations_run_retries")))


def test_who_may_only_look_can_neither_start_nor_stop():
    failed_runs(1)
    bulk = rerun()
    client = client_of("ada", "view_run")
    assert b"cancel-rerun" not in client.get(page_of(bulk)).content
    cancel = reverse("admin:automations_run_rerun_cancel", args=[bulk.pk])
    assert client.post(cancel).status_code == 403
    assert client.post(many(), {"everything": "1", "confirmed": "1"}).status_code == 403
    stranger = client_of("bob", "view_webhookjob")
    assert stranger.get(page_of(bulk)).status_code == 403
    assert stranger.get(reverse("admin:automations_run_retries")).status_code == 403


@pytest.mark.parametrize("pk", ["x", "rerun_nonsense", "rerun_01jdsy0000000000000000000z"])
def test_no_such_bulk_retry_is_not_found(client, pk):
    assert client.get(reverse("admin:automations_run_rerun", args=[pk])).status_code == 404


# --- what was ticked ------------------------------------------------------------------------------


def test_nothing_chosen_is_said_in_words(client):
    assert "Tick the runs you mean first" in text_of(client.post(many(), follow=True))
    response = client.post(many(), {"ids": ["nonsense", "run_\0"]}, follow=True)
    assert "Tick the runs you mean first" in text_of(response)


def test_the_history_lets_runs_be_ticked_except_those_that_did_not_fire(client):
    failed_runs(1)
    history = reverse("admin:automations_run_changelist")
    assert b'id="bulk"' in client.get(history).content
    assert b'id="bulk"' not in client.get(history, {"tab": "not_fired"}).content
