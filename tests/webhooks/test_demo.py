"""The demo is loaded once, fills all three tabs, and keeps what people make of it."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from records.dispatch import dispatch_events
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import can
from records.services import delete_record, update_record
from webhooks.demo import hooks, load_demo
from webhooks.models import InboundEndpoint, JobStatus, Webhook, WebhookJob

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True


def everything():
    """All that the demo makes, as the database has it."""
    models = (ObjectDefinition, Record, User, Group, Webhook, InboundEndpoint, Event)
    return {model: list(model.objects.order_by("pk").values()) for model in models}


def test_it_makes_objects_records_teams_and_webhooks():
    assert "45 records of 3 objects" in load_demo()
    counts = {one.slug: one.records.count() for one in ObjectDefinition.objects.all()}
    assert counts == {"leads": 25, "companies": 8, "tickets": 12}
    assert set(Group.objects.values_list("name", flat=True)) == {"Sales", "Support"}
    assert Webhook.objects.active().count() == 6
    lead = Record.objects.get(title="Mara Lindqvist")
    assert lead.data["company"] == Record.objects.get(title="Northwind Rail").pk


def test_a_second_run_touches_nothing():
    load_demo()
    before = everything()
    assert "nothing of it was changed" in load_demo()
    assert everything() == before


def test_a_second_run_keeps_what_people_changed_and_deleted():
    load_demo()
    lead = Record.objects.get(title="Jane Smith")
    update_record(record=lead, data={"name": "Jane Doe"})
    delete_record(record=Record.objects.get(title="Diego Márquez"))
    Webhook.objects.filter(name__startswith="Old CRM").delete()
    InboundEndpoint.objects.all().delete()
    User.objects.get(username="demo").delete()
    before = everything()
    load_demo()
    assert everything() == before


def test_it_is_not_loaded_again_when_its_objects_are_gone_for_good():
    load_demo()
    Webhook.objects.all().delete()
    Record.objects.all().delete()
    ObjectDefinition.objects.all().delete()
    load_demo()
    assert not ObjectDefinition.objects.exists()


def test_it_keeps_away_from_objects_of_the_same_name():
    ObjectDefinition.objects.create(slug="leads", name="Own lead", plural="Own leads")
    load_demo()
    assert [one.plural for one in ObjectDefinition.objects.all()] == ["Own leads"]
    assert not Webhook.objects.exists()


def test_its_events_make_jobs_for_all_three_tabs():
    load_demo()
    dispatch_events(1000)
    jobs = WebhookJob.objects.all()
    names = set(jobs.values_list("webhook_name", flat=True))
    assert names == set(Webhook.objects.values_list("name", flat=True))
    assert set(jobs.values_list("status", flat=True)) == {JobStatus.PENDING}, "an expression fails"
    dead = jobs.filter(url=hooks.DEAD_URL)
    assert dead
    assert {job.max_attempts for job in dead} == {1}
    failing = jobs.filter(url=InboundEndpoint.objects.get(answer_status=500).url)
    assert failing
    assert {job.max_attempts for job in failing} == {4}


def test_the_logins_are_an_administrator_and_an_end_user(settings, client):
    settings.DEMO_PASSWORD = "of-our-choice"
    load_demo()
    assert client.login(username="admin", password="of-our-choice")
    assert client.login(username="demo", password="of-our-choice")
    admin, demo = User.objects.get(username="admin"), User.objects.get(username="demo")
    assert (admin.is_superuser, demo.is_staff, demo.is_superuser) == (True, False, False)
    may = {
        (one.slug, action): can(demo, action, one)
        for one in ObjectDefinition.objects.all()
        for action in ("view", "change", "delete")
    }
    assert may[("leads", "delete")]
    assert may[("tickets", "change")]
    assert not may[("tickets", "delete")]
    assert not may[("companies", "delete")]


def test_without_debug_there_are_no_logins(settings):
    settings.DEBUG = False
    words = load_demo()
    assert "Log in" not in words
    assert not User.objects.exists()
    assert Record.objects.count() == 45


def test_a_login_that_is_taken_stays_with_who_has_it():
    own = User.objects.create_user("admin", password="own")
    load_demo()
    own.refresh_from_db()
    assert own.check_password("own")
    assert not own.is_superuser


def test_webhooks_follow_the_inspector_to_another_port(settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    load_demo()
    inspector = InboundEndpoint.objects.get(name=hooks.INSPECTOR)
    Webhook.objects.create(name="Mine", url="http://127.0.0.1:8000/api/webhooks/inspector/unknown")
    Webhook.objects.create(name="Query", url=f"{inspector.url}?x={{{{ record.id }}}}")
    settings.PUBLIC_URL = "http://127.0.0.1:8123"
    assert "6 webhooks follow" in load_demo()
    urls = dict(Webhook.objects.values_list("name", "url"))
    assert urls["New lead → inspector"] == inspector.url
    assert urls["Query"] == f"{inspector.url}?x={{{{ record.id }}}}"
    assert urls["Mine"].startswith("http://127.0.0.1:8000/")
    assert urls["Old CRM (address fails)"] == hooks.DEAD_URL


@pytest.mark.django_db(transaction=True)
def test_it_is_quiet_while_redis_is_away(redis_process, caplog):
    redis_process.stop()
    output = StringIO()
    call_command("load_demo", stdout=output)
    assert "The demo is loaded" in output.getvalue()
    assert not caplog.records


def test_the_people_in_it_cannot_be_reached():
    load_demo()
    emails = [record.data["email"] for record in Record.objects.filter(object__slug="leads")]
    assert all(email.endswith(".example") and email.isascii() for email in emails)
