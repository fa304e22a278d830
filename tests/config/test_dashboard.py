"""The home page: figures from known requests, first steps that complete themselves, a sidebar for each person."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config import metrics, sidebar, vitals
from config.dashboard import duration
from config.first_steps import first_steps
from config.metrics import BIN_BOUNDS, WINDOWS, count_deliveries, default_window, percentile_ms
from config.queues import ring
from records.actors import acting
from records.dispatch import dispatch_events
from records.ids import decode, encode, first_id_at
from records.models import ObjectDefinition, Record, User
from records.services import close_record, create_record, reopen_record, update_record
from tests.webhooks.making import make_job
from webhooks.demo import load_demo
from webhooks.models import InboundEndpoint, RequestLog, Webhook, WebhookJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = WINDOWS["1h"]


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def staff(client):
    """A member of staff who may do nothing; `may(...)` gives permissions."""
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)

    def may(*codenames):
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))

    return may


_serial = iter(range(10**9))


def sent(when=NOON, *, status=200, kind="", took=10, ending=None, **values):
    """A request with an id of that time; `ending` is its last hexadecimal digits."""
    number = decode("req", first_id_at("req", when)).int + (next(_serial) << 8)
    number |= 0xAB if ending is None else int(ending, 16)
    return RequestLog(
        id=encode("req", type(decode("req", first_id_at("req", when)))(int=number)),
        direction=values.pop("direction", "out"),
        method="POST",
        url="https://example.com/",
        status_code=status,
        error_kind=kind,
        duration_ms=took,
        started_at=when,
        **values,
    )


def keep(*rows):
    RequestLog.objects.bulk_create(rows)


# --- what was sent ---------------------------------------------------------------------------


def test_outcomes_are_counted_in_their_cells():
    keep(
        sent(NOON),
        sent(NOON + timedelta(seconds=119)),
        sent(NOON - timedelta(seconds=1), status=201),
        sent(NOON - timedelta(minutes=10), status=500),
        sent(NOON - timedelta(minutes=10), status=302),
        sent(NOON - timedelta(minutes=10), status=None, kind="dns"),
        sent(NOON - timedelta(minutes=20), status=None, kind="interrupted"),
        sent(NOON - timedelta(hours=2)),
        sent(NOON, direction="in"),
    )
    found = count_deliveries(HOUR, NOON + timedelta(seconds=60))
    by_start = {
        cell.start: (cell.delivered, cell.failed, cell.unknown)
        for cell in found.cells
        if cell.delivered or cell.failed or cell.unknown
    }
    assert by_start == {
        NOON: (2, 0, 0),
        NOON - timedelta(minutes=2): (1, 0, 0),
        NOON - timedelta(minutes=10): (0, 3, 0),
        NOON - timedelta(minutes=20): (0, 0, 1),
    }
    assert (found.total, found.delivered, found.failed, found.unknown) == (7, 3, 3, 1)
    assert found.failure_rate == pytest.approx(4 / 7)
    assert not found.is_estimate


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_every_window_has_its_cells_up_to_now(window):
    bounds = window.bounds(NOON)
    assert len(bounds) == window.cells + 1
    assert bounds[-2] <= NOON < bounds[-1]
    assert bounds[1] - bounds[0] == timedelta(seconds=window.cell_s)


def test_the_oldest_and_the_newest_cell_hold_their_own():
    bounds = HOUR.bounds(NOON)
    keep(sent(bounds[0]), sent(bounds[0] - timedelta(milliseconds=1)), sent(NOON))
    found = count_deliveries(HOUR, NOON)
    assert [cell.delivered for cell in found.cells if cell.delivered] == [1, 1]
    assert (found.cells[0].delivered, found.cells[-1].delivered) == (1, 1)


def test_latency_is_that_of_answers_and_right_within_a_fifth():
    keep(
        *(sent(took=number) for number in range(1, 101)),
        *(sent(status=None, kind="timeout", took=30_000) for _ in range(50)),
    )
    found = count_deliveries(HOUR, NOON)
    (cell,) = [cell for cell in found.cells if cell.delivered]
    assert cell.p50_ms == pytest.approx(50, rel=0.2)
    assert cell.p95_ms == pytest.approx(95, rel=0.2)
    assert found.p95_ms == cell.p95_ms


def test_where_nothing_was_sent_there_is_nothing_to_tell():
    found = count_deliveries(HOUR, NOON)
    assert (found.total, found.failure_rate, found.p95_ms) == (0, None, None)


@pytest.mark.parametrize(
    ("latencies", "share", "expected"),
    [
        ([], 0.95, None),
        ([0], 0.95, 1),
        ([7] * 10, 0.5, 6.5),
        ([500_000], 0.95, BIN_BOUNDS[-1]),
    ],
)
def test_percentiles(latencies, share, expected):
    bins = Counter(
        next((n for n, bound in enumerate(BIN_BOUNDS) if took <= bound), len(BIN_BOUNDS) - 1)
        for took in latencies
    )
    found = percentile_ms(bins, share)
    assert found == (expected if expected is None else pytest.approx(expected, rel=0.1, abs=1))


def test_bins_grow_by_about_a_fifth_and_reach_past_every_timeout():
    assert BIN_BOUNDS[0] == 1
    assert BIN_BOUNDS[-1] >= 300_000
    grown = [later / earlier for earlier, later in pairwise(BIN_BOUNDS[9:])]
    assert 1.15 < min(grown) < max(grown) < 1.25


@pytest.mark.parametrize(
    ("exact", "weight", "endings"),
    [(100, 1, ["00", "10", "ab"]), (2, 16, ["00", "10", "f0"]), (0, 256, ["00"])],
)
def test_beyond_a_number_of_requests_a_random_share_is_counted(monkeypatch, exact, weight, endings):
    monkeypatch.setattr(metrics, "EXACT_ROWS", exact)
    rows = [sent(ending=ending) for ending in ("00", "10", "ab", "f0", "0f", "cd")]
    keep(*rows)
    found = count_deliveries(HOUR, NOON)
    if weight == 1:
        assert (found.total, found.is_estimate) == (6, False)
    else:
        assert (found.total, found.is_estimate) == (len(endings) * weight, True)


def test_figures_take_two_queries_however_much_there_is(django_assert_num_queries):
    keep(*(sent(NOON - timedelta(minutes=number)) for number in range(100)))
    with django_assert_num_queries(2):
        count_deliveries(WINDOWS["7d"], NOON)


def test_an_answer_is_remembered_for_a_moment(django_assert_num_queries):
    first = metrics.deliveries(HOUR, NOON)
    with django_assert_num_queries(0):
        assert metrics.deliveries(HOUR, NOON) == first


def test_a_young_installation_is_shown_by_the_hour():
    now = timezone.now()
    assert default_window(now).key == "1h"
    keep(sent(now - timedelta(minutes=5)))
    assert default_window(now).key == "1h"
    keep(sent(now - timedelta(hours=3)))
    assert default_window(now).key == "24h"


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(None, "–"), (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (61_230, "61.2 s")],
)
def test_durations_in_words(milliseconds, words):
    assert duration(milliseconds) == words


# --- how it runs -----------------------------------------------------------------------------


def test_what_waits_is_counted(redis):
    make_job()
    make_job(due_in_s=600)
    make_job(status="failed")
    ring("deliveries")
    found = vitals.read_vitals(timezone.now())
    assert (found.open_jobs, found.due_jobs, found.rings, found.queue_depth) == (2, 1, 1, 2)


def test_counts_end_at_a_cap(monkeypatch):
    monkeypatch.setattr(vitals, "COUNT_CAP", 2)
    for _ in range(4):
        make_job()
    found = vitals.read_vitals(timezone.now())
    assert (found.open_jobs, vitals.capped(found.open_jobs), vitals.capped(2)) == (3, "2+", "2")


def test_workers_count_while_they_give_signs_of_life(redis):
    now = timezone.now()
    for name, age_s in {"new": 1, "quiet": 40, "gone": 120}.items():
        seen = (now - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        redis.hset(f"rq:worker:{name}", "last_heartbeat", seen)
        redis.sadd("rq:workers", f"rq:worker:{name}")
    redis.sadd("rq:workers", "rq:worker:expired")
    assert vitals.workers_alive(now) == 2


def test_a_redis_that_is_away_is_told_in_words(admin_client, redis_process):
    make_job()
    redis_process.stop()
    found = vitals.read_vitals(timezone.now())
    assert found.is_redis_away
    assert (found.workers, found.queue_depth) == (None, 1)
    assert "Redis is away" in home(admin_client)


# --- the page --------------------------------------------------------------------------------


def home(client, **parameters):
    response = client.get(reverse("admin:index"), parameters)
    assert response.status_code == 200
    return response.content.decode()


def chart_of(text):
    return json.loads(re.search(r'id="sb-chart-data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def test_an_empty_installation_has_a_home_page(admin_client):
    text = home(admin_client)
    assert "Set the line up" in text
    assert "Nothing was sent in the last hour" in text
    assert "No job has failed" in text


def test_figures_and_charts_are_of_the_window_asked_for(admin_client):
    now = timezone.now()
    keep(sent(now), sent(now, status=500), sent(now - timedelta(hours=5)))
    chart = chart_of(home(admin_client, window="1h"))
    assert (sum(chart["delivered"]), sum(chart["failed"]), chart["window"]) == (1, 1, "1h")
    assert "1 requests succeeded, 1 failed" in chart["words"]["deliveries"]
    chart = chart_of(home(admin_client, window="24h"))
    assert (sum(chart["delivered"]), len(chart["labels"])) == (2, 48)
    assert home(admin_client, window="nonsense")


def test_the_live_part_comes_alone(admin_client):
    url = reverse("admin:index") + "?live=1&window=1h"
    text = admin_client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert chart_of(text)["window"] == "1h"
    assert "<html" not in text
    assert "nav-sidebar" not in text


def test_the_page_takes_the_same_queries_for_many(admin_client):
    def count():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            home(admin_client, window="1h")
        return len(queries)

    make_job(status="failed", error_kind="dns")
    keep(sent(timezone.now()))
    few = count()
    for _ in range(8):
        make_job(status="failed", error_kind="dns")
        make_job()
        keep(sent(timezone.now()))
    assert count() == few


def test_figures_take_permission(client, staff):
    text = home(client)
    assert "sb-chart-data" not in text
    assert "ask an administrator" in text
    staff("view_webhookjob", "view_requestlog")
    assert "sb-chart-data" in home(client)


def test_end_users_are_sent_to_the_login(client):
    client.force_login(User.objects.create_user("end"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_an_estimate_shows_no_more_digits_than_it_is_good_for(admin_client, monkeypatch):
    monkeypatch.setattr(metrics, "EXACT_ROWS", 0)
    keep(*(sent(timezone.now(), ending="00") for _ in range(5)))  # 5 × 256 = 1,280
    assert "~1,300" in home(admin_client, window="1h")


# --- first steps -----------------------------------------------------------------------------


@pytest.fixture
def admin_request(rf, admin_user):
    request = rf.get("/admin/")
    request.user = admin_user
    return request


def states(request):
    return [(step.title, step.is_done) for step in first_steps(request).steps]


def test_without_anything_they_say_what_to_do_first(admin_request):
    assert states(admin_request) == [
        ("Define an object", False),
        ("Create a webhook", False),
        ("Add a record", False),
    ]
    definition = ObjectDefinition.objects.create(slug="deals", name="Deal", plural="Deals")
    create_record(object_definition=definition, data={})
    assert [done for _, done in states(admin_request)] == [True, False, True]


@pytest.fixture
def lead(settings):
    settings.DEBUG = False
    load_demo()
    dispatch_events(1000)
    return Record.objects.get(title="Jane Smith")


def test_with_the_demo_they_lead_along_the_way_of_a_change(admin_request, lead):
    assert states(admin_request) == [
        ("Edit this lead", False),
        ("See its job", False),
        ("See what arrived", False),
    ]
    with acting(admin_request.user):
        update_record(record=lead, data={"estimated_value": 25000})
    steps = first_steps(admin_request)
    assert [step.is_done for step in steps.steps] == [True, False, False]
    assert steps.steps[0].address == reverse("record_edit", args=["leads", lead.pk])
    dispatch_events(100)
    job = WebhookJob.objects.filter(record=lead).latest("pk")
    steps = first_steps(admin_request)
    assert steps.steps[1].address == reverse("admin:webhooks_webhookjob_change", args=[job.pk])
    WebhookJob.objects.filter(pk=job.pk).update(status="succeeded", status_code=200)
    assert [step.is_done for step in first_steps(admin_request).steps] == [True, True, False]
    arrived = RequestLog.objects.create(
        direction="in",
        endpoint=InboundEndpoint.objects.get(answer_status=200),
        method="POST",
        url="/",
        request_headers=[["Webhook-Id", job.pk]],
        started_at=timezone.now(),
    )
    steps = first_steps(admin_request)
    assert steps.is_complete
    assert steps.steps[2].address.endswith(f"{arrived.endpoint_id}/change/#{arrived.pk}")


def test_the_job_that_reached_an_inspector_is_shown_first(admin_request, lead):
    Webhook.objects.create(name="Elsewhere", event="record.updated", url="https://example.com/")
    with acting(admin_request.user):
        update_record(record=lead, data={"estimated_value": 25000})
    dispatch_events(100)
    assert "Lead changed" in first_steps(admin_request).steps[1].state


def test_closing_and_reopening_that_no_webhook_hears_do_not_lose_the_way(admin_request, lead):
    Webhook.objects.filter(event="record.updated").update(event="record.field_changed")
    with acting(admin_request.user):
        close_record(record=lead)
        dispatch_events(100)
        # A closed record has no form: it is reopened on its page.
        step = first_steps(admin_request).steps[0]
        assert step.address == reverse("record_detail", args=["leads", lead.pk])
        assert first_steps(admin_request).steps[1].state == "No webhook reacts to this change"
        reopen_record(record=lead)
        update_record(record=lead, data={"estimated_value": 25000})
        assert first_steps(admin_request).steps[1].state == "Waits for a worker"
        dispatch_events(100)
        WebhookJob.objects.filter(record=lead).update(status="succeeded", status_code=200)
        close_record(record=lead)
        reopen_record(record=lead)
        dispatch_events(100)
    job = WebhookJob.objects.filter(record=lead).latest("pk")
    step = first_steps(admin_request).steps[1]
    assert step.address == reverse("admin:webhooks_webhookjob_change", args=[job.pk])
    assert step.is_done


def test_they_are_for_those_who_may_see_jobs(rf):
    request = rf.get("/admin/")
    request.user = User.objects.create_user("staff", is_staff=True)
    assert first_steps(request) is None


def test_names_of_records_are_escaped(admin_client, lead):
    update_record(record=lead, data={"name": "<script>alert(1)</script>"})
    text = home(admin_client)
    assert "<script>alert(1)" not in text
    assert "Edit <script>alert(1)</script>" in unescape(text)


# --- the sidebar -----------------------------------------------------------------------------


def lines(client, url=None):
    text = client.get(url or reverse("admin:index")).content.decode()
    nav = text.split('id="nav-sidebar-apps"')[1].split("<main")[0]
    return re.findall(r"<span>([^<>]+)</span>", nav)


def test_an_administrator_sees_everything(admin_client, lead):
    found = lines(admin_client)
    for title in (
        "Home", "Open the app", "Objects", "Leads", "Companies", "Support tickets", "Events", "Webhooks",
        "Jobs", "Inbound endpoints", "Request log", "Users", "Teams", "Worker queues", "Admin log",
    ):  # fmt: skip
        assert title in found


def test_staff_sees_what_it_may(client, staff, lead):
    assert [line for line in lines(client) if line not in ("Home", "Open the app")] == []
    staff("view_webhookjob", "view_leads")
    found = lines(client)
    assert "Jobs" in found
    assert "Webhooks" not in found
    assert "Companies" not in found
    assert "Worker queues" not in found


def test_a_label_that_people_chose_is_escaped(rf, admin_user):
    ObjectDefinition.objects.create(slug="odd", name="<b>Odd", plural="<b>Odds")
    request = rf.get("/admin/")
    request.user = admin_user
    titles = [item["title"] for group in sidebar.navigation(request) for item in group["items"]]
    assert "&lt;b&gt;Odds" in titles


@pytest.mark.parametrize(
    ("path", "query", "title"),
    [
        ("/admin/", "", "Home"),
        ("/admin/webhooks/webhookjob/", "tab=failures", "Jobs"),
        ("/admin/webhooks/webhook/", "", "Webhooks"),
        ("/admin/records/record/", "object=leads", "Leads"),
        ("/admin/records/record/", "q=1&object=leads", "Leads"),
        ("/admin/records/record/", "object=leads_of_old", None),
        ("/admin/password_change/", "", None),
    ],
)
def test_the_line_of_the_page_that_is_open_is_marked(rf, admin_user, lead, path, query, title):
    request = rf.get(f"{path}?{query}")
    request.user = admin_user
    active = [
        item["title"]
        for group in sidebar.navigation(request)
        for item in group["items"]
        if item["active"]
    ]
    assert active == ([title] if title else [])


def test_recent_failures_are_counted_up_to_a_cap(monkeypatch):
    assert sidebar.failures(None) == ""
    old = first_id_at("job", timezone.now() - timedelta(days=2))
    make_job(status="failed", id=old)
    for _ in range(3):
        make_job(status="failed")
    cache.clear()
    assert sidebar.failures(None) == "3"
    monkeypatch.setattr(sidebar, "BADGE_CAP", 2)
    cache.clear()
    assert sidebar.failures(None) == "2+"


# --- the admin log ---------------------------------------------------------------------------


def test_the_admin_log_is_there_to_be_read_and_never_counted(admin_client, admin_user):
    admin_client.post(
        reverse("admin:webhooks_inboundendpoint_add"),
        {"name": "Mine", "answer_status": 200, "answer_body": ""},
    )
    with CaptureQueriesContext(connection) as queries:
        text = admin_client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert "inbound endpoint Mine" in text
    assert not any("COUNT(" in query["sql"] and "log" in query["sql"] for query in queries)
    assert admin_client.get(reverse("admin:admin_logentry_add")).status_code == 403


# --- the login page --------------------------------------------------------------------------


def test_the_login_page_tells_the_demo_login_in_debug_only(client, settings):
    settings.DEBUG = True
    settings.DEMO_PASSWORD = "of-our-choice"
    url = reverse("admin:login")
    assert "of-our-choice" not in client.get(url).content.decode()
    user = User.objects.create_user("admin", password="another", is_staff=True)
    assert "of-our-choice" not in client.get(url).content.decode()
    user.set_password("of-our-choice")
    user.save()
    assert "of-our-choice" in client.get(url).content.decode()
    settings.DEBUG = False
    assert "of-our-choice" not in client.get(url).content.decode()


def test_who_logs_in_to_the_admin_is_led_to_the_admin(client):
    User.objects.create_user("admin", password="secret", is_staff=True)
    url = reverse("admin:login")
    field = re.search(
        r'<input type="hidden" form="login-form" name="next" value="([^"]*)">',
        client.get(url).content.decode(),
    )
    response = client.post(url, {"username": "admin", "password": "secret", "next": field[1]})
    assert response.url == reverse("admin:index")
