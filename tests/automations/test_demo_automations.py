"""The demo's three automations work, and their runs are worth looking at."""

import pytest

from automations.document.checking import check_document
from automations.models import Automation, Run, RunStatus
from records.models import Record, Task
from tests.automations.making import end_job, work
from webhooks.demo import load_demo
from webhooks.models import InboundEndpoint, WebhookJob

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True


@pytest.fixture
def loaded() -> None:
    load_demo()
    work()


def deliver() -> None:
    """As the inspectors would answer: the CRM with an id, the partner not at all."""
    endpoints = {each.url: each for each in InboundEndpoint.objects.all()}
    for job in WebhookJob.objects.filter(status="pending", run_id__isnull=False):
        endpoint = endpoints[job.url]
        end_job(job, status_code=endpoint.answer_status, body=endpoint.answer_body)
    work()


def runs_of(name: str) -> dict[str, int]:
    statuses = Run.objects.filter(automation__name=name).values_list("status", flat=True)
    return {status: list(statuses).count(status) for status in set(statuses)}


def test_three_are_active_and_without_mistakes_or_warnings(loaded):
    automations = Automation.objects.order_by("name")
    assert [(each.name, each.state) for each in automations] == [
        ("Daily digest", "active"),
        ("Follow up", "active"),
        ("Welcome new leads", "active"),
    ]
    for automation in automations:
        assert check_document(automation.draft, for_publishing=False) == []


def test_runs_are_in_all_tabs(loaded):
    deliver()
    deliver()
    assert runs_of("Welcome new leads") == {"succeeded": 16, "failed": 2, "skipped": 7}
    assert runs_of("Follow up") == {"waiting": 3}


def test_the_id_of_the_crm_is_kept_and_the_owner_told(loaded):
    deliver()
    lead = Record.objects.get(title="Mara Lindqvist")
    assert lead.data["crm_id"] == "crm-4711"
    assert lead.owner.notifications.filter(title__startswith="New lead: Mara Lindqvist").exists()


def test_a_failed_one_says_why_and_its_lead_is_in_quarantine(loaded):
    deliver()
    deliver()
    run = Run.objects.filter(status=RunStatus.FAILED).first()
    assert "500" in run.reason
    assert run.error["path"] == "kind/visit"
    held = Record.objects.exclude(quarantined_at=None).order_by("title")
    assert [record.title for record in held] == ["Clara Hoffmann", "Yara Haddad"]


def test_who_owns_a_lead_that_moved_has_a_task(loaded):
    assert Task.objects.filter(title="Call Aiko Tanaka").exists()


def test_at_another_port_they_follow_the_inspectors_as_a_new_version(loaded, settings):
    automation = Automation.objects.get(name="Welcome new leads")
    settings.PUBLIC_URL = "http://127.0.0.1:9234"
    load_demo()
    automation.refresh_from_db()
    assert automation.published.number == 2
    assert automation.published.document["steps"][0]["config"]["url"].startswith(
        "http://127.0.0.1:9234/"
    )
    assert automation.draft == automation.published.document
    load_demo()
    automation.refresh_from_db()
    assert automation.published.number == 2


def test_what_somebody_is_working_on_is_not_published_with_the_address(loaded, settings):
    automation = Automation.objects.get(name="Welcome new leads")
    automation.draft["steps"] = automation.draft["steps"][:1]
    automation.save()
    settings.PUBLIC_URL = "http://127.0.0.1:9234"
    load_demo()
    automation.refresh_from_db()
    assert len(automation.published.document["steps"]) == 2
    assert len(automation.draft["steps"]) == 1
    assert "127.0.0.1:9234" in automation.draft["steps"][0]["config"]["url"]
