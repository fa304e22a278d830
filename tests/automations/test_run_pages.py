"""The admin's pages of runs: what they show, what they let people do, and what they refuse."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from automations.admin import run_steps
from automations.models import Run, StepRun
from records.ids import new_id
from records.models import User
from tests.automations.making import (
    end_job,
    make_automation,
    make_lead,
    make_leads,
    run_once,
    step,
    work,
)
from tests.automations.runs_at_hand import a_run, a_step, an_automation
from tests.webhooks.jobs_at_hand import a_job, a_person, a_record, an_event
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

LIST = "/admin/automations/run/"
EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(a_person("boss", is_staff=True, is_superuser=True))
    return client


def staff_with(*names: str) -> Client:
    user: User = a_person("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def of(run: Run, what: str = "change/") -> str:
    return f"{LIST}{run.pk}/{what}"


def listed(html: str) -> list[str]:
    return re.findall(r'id="open-(run_\w+)"', html)


def text_of(html: str) -> str:
    """What people read, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


# --- the list ---


def test_each_tab_lists_its_runs(boss: Client) -> None:
    runs = {each: a_run(status=each).pk for each in ("succeeded", "failed", "waiting", "skipped")}

    assert listed(page(boss, LIST)) == [runs["waiting"], runs["failed"], runs["succeeded"]]
    assert listed(page(boss, f"{LIST}?tab=failures")) == [runs["failed"]]
    assert listed(page(boss, f"{LIST}?tab=waiting")) == [runs["waiting"]]
    assert listed(page(boss, f"{LIST}?tab=not_fired")) == [runs["skipped"]]


def test_a_row_tells_what_happened_and_what_came_of_it(boss: Client) -> None:
    record = a_record("Grace Hopper")
    event = an_event(record)
    run = a_run(status="failed", reason="Tell them: no", record=record, event=event, mode="test")
    a_step(run)
    a_step(run, "s2")

    html = page(boss, LIST)

    for words in ("Close deals", "Created Grace Hopper", "Tell them: no", "Failed", "Test", "2"):
        assert words in text_of(html)
    assert f'href="/admin/records/record/{record.pk}/change/"' in html
    assert f'href="/admin/records/event/{event.pk}/change/"' in html


def test_what_is_not_understood_is_told_and_left_out(boss: Client) -> None:
    a_run()

    html = page(
        boss, f"{LIST}?tab=odd&automation=nope&status=x&mode=y&error=z&time=w&cause=c&q=run_1"
    )

    assert html.count('role="alert"') == 8
    assert "No run matches" in html


def test_empty_tabs_say_what_they_are_for(boss: Client) -> None:
    for tab, words in (
        ("all", "Nothing has run yet"),
        ("failures", "No failures"),
        ("waiting", "Nothing is waiting"),
        ("not_fired", "Nothing was held back"),
    ):
        assert words in page(boss, f"{LIST}?tab={tab}")


def test_the_number_of_queries_does_not_depend_on_the_number_of_runs(boss: Client) -> None:
    def queries(number: int) -> int:
        for each in range(number):
            version = an_automation(f"A{Run.objects.count()}")
            record = a_record(f"R{each}")
            run = a_run(version, record=record, event=an_event(record))
            a_step(run)
            a_run(version, event=an_event(None))
        with CaptureQueriesContext(connection) as captured:
            page(boss, LIST)
        return len(captured)

    queries(1)
    assert queries(1) == queries(15)


def test_the_list_refreshes_only_while_something_is_open(boss: Client) -> None:
    a_run()
    assert boss.get(LIST, headers={"HX-Request": "true"})["X-Live-Open"] == "0"
    a_run(status="waiting")
    answer = boss.get(LIST, headers={"HX-Request": "true"})
    assert answer["X-Live-Open"] == "1"
    again = {"HX-Request": "true", "X-Live-Digest": answer["X-Live-Digest"]}
    assert boss.get(LIST, headers=again).status_code == 204


def test_steps_of_very_long_runs_are_not_counted(boss: Client) -> None:
    a_run(variables={"count": 9000})

    assert "500+" in page(boss, LIST)


# --- a run's page ---


def test_a_run_is_told_from_its_event_to_its_changes(boss: Client) -> None:
    make_leads()
    rules = {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": 10}],
    }
    run = run_once(
        step("update_record", fields={"status": "Big"}, name_="Mark it"),
        record={"amount": 300},
        conditions=rules,
    )
    assert run.status == "succeeded", run.reason

    text = text_of(page(boss, of(run)))

    for words in (
        "Succeeded", "Welcome · Created · Ada", "Amount is greater than 10 is 300", "Mark it",
        "Status: empty → Big", "Status empty Big", "Amount 300.00 EUR",
    ):  # fmt: skip
        assert words in text


def test_a_failing_step_is_open_and_names_field_and_expression(boss: Client) -> None:
    run = run_once(step("set_variables", variables={"x": "{{ 1 / 0 }}"}, name_="Divide"))

    html = page(boss, of(run))

    row = StepRun.objects.get()
    assert re.search(rf'<details class="runs-attempt" id="exec-{row.pk}" open>', html)
    assert 'id="step-s1" data-failing' in html
    assert "variables/x" in html
    assert '<pre class="runs-expression">{{ 1 / 0 }}' in html


def test_a_waiting_run_says_for_what_and_its_page_refreshes_itself(boss: Client) -> None:
    make_leads()
    hook = step("webhook", url="https://api.example.com/leads", name_="Tell the CRM")
    run = run_once(hook, step("set_variables", "s2", variables={}))

    html = page(boss, of(run))

    job = WebhookJob.objects.get()
    assert f'href="/admin/webhooks/webhookjob/{job.pk}/change/"' in html
    assert "Waits for the answer to POST https://api.example.com/leads" in text_of(html)
    assert "Still to come" in html
    assert boss.get(of(run), headers={"HX-Request": "true"})["X-Live-Open"] == "1"
    end_job(job, status_code=503, body="Down <b>now</b>")
    work()
    text = text_of(page(boss, of(run)))
    assert "503 Service Unavailable" in text
    assert "Down <b>now</b>" in text
    assert "Not reached" in text


def test_a_job_names_the_step_that_asked_for_it(boss: Client) -> None:
    make_leads()
    run = run_once(step("webhook", "tell", url="https://api.example.com/leads"))
    job = WebhookJob.objects.get()
    address = f"{of(run)}#step-tell"

    for where in (f"/admin/webhooks/webhookjob/{job.pk}/change/", "/admin/webhooks/webhookjob/"):
        assert f'href="{address}"' in page(boss, where)
        viewer_html = page(staff_with("view_webhookjob"), where)
        assert address not in viewer_html
        User.objects.get(username="staff").delete()


def test_why_it_did_not_fire_is_told_rule_by_rule(boss: Client) -> None:
    make_leads()
    rules = {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": 10}],
    }
    make_automation(step("set_variables"), conditions=rules)
    make_lead(amount=5)
    work()
    run = Run.objects.get(status="skipped")

    text = text_of(page(boss, of(run)))

    assert "Not fired" in text
    assert "Did not hold: Amount is greater than 10 is 5" in text
    assert "Steps done" not in text


def test_the_chain_of_causes_is_told_by_names(boss: Client) -> None:
    first = a_run(an_automation("First"))
    second = a_run(an_automation("Second"), caused_by=first)
    third = a_run(an_automation("Third"), caused_by=second)
    retry = a_run(third.version, retry_of=third, started_by=User.objects.get())

    text = text_of(page(boss, of(third)))
    assert re.search(r"Caused by First .{1,20} Second .{1,20} Third this run", text)
    assert "Tried again" in text
    assert "Second" in text_of(page(boss, of(first)))
    assert f'href="{of(third)}"' in page(boss, of(retry))


def test_previous_and_next_run_of_the_automation(boss: Client) -> None:
    runs = [a_run() for _ in range(3)]

    html = page(boss, of(runs[1]))

    assert f'id="earlier-run" rel="prev" href="{of(runs[0])}"' in html
    assert f'id="later-run" rel="next" href="{of(runs[2])}"' in html


def test_nothing_that_people_wrote_is_taken_as_html(boss: Client) -> None:
    version = an_automation(EVIL, step("set_variables", "s1", variables={}, name_=EVIL[:60]))
    run = a_run(version, status="failed", reason=EVIL, error={"path": "s1", "message": EVIL},
                record=a_record(EVIL), event=an_event(a_record(EVIL), subject_label=EVIL))  # fmt: skip
    change = {
        "record": "rec_x",
        "label": EVIL,
        "object": "x",
        "field": EVIL,
        "before": EVIL,
        "after": EVIL,
    }
    a_step(run, status="failed", note=EVIL, input={EVIL: EVIL}, output=EVIL, changes=[change],
           error={"message": EVIL, "field": EVIL, "expression": EVIL})  # fmt: skip

    for address in (LIST, of(run), of(run, f"steps/{StepRun.objects.get().pk}/")):
        html = page(boss, address)
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_credentials_in_headers_are_masked_and_secrets_stay_names(boss: Client) -> None:
    run = a_run(an_automation("A", step("webhook", "s1", url="https://x.example")))
    headers = [["Authorization", "Bearer sk_live_1234567890abcdef"], ["X-Key", "{{ secrets.crm }}"]]
    output = {"headers": {"set-cookie": "session=abcdefghijklmnop1234"}, "status": 200}
    a_step(run, type="webhook", input={"headers": headers}, output=output)

    html = page(boss, of(run))

    assert "sk_live_1234567890abcdef" not in html
    assert "abcdefghijklmnop1234" not in html
    assert "{{ secrets.crm }}" in unescape(html)


def test_large_values_show_their_beginning_until_the_whole_is_asked_for(boss: Client) -> None:
    run = a_run(an_automation("A", step("set_variables", "s1", variables={})))
    row = a_step(run, output={"text": "x" * 20_000 + "END"})

    assert "END" not in page(boss, of(run))
    assert "Show all" in page(boss, of(run))
    assert "END" in page(boss, of(run, f"steps/{row.pk}/?whole=1"))


def test_a_long_run_costs_no_more_queries_and_fetches_its_steps_when_they_are_opened(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def queries(number: int) -> int:
        run = a_run(
            an_automation(
                "Long", *(step("set_variables", f"s{n}", variables={}) for n in range(number))
            )
        )
        for n in range(number):
            a_step(run, f"s{n}", output={"number": n}, job=a_job())
        with CaptureQueriesContext(connection) as captured:
            html = page(boss, of(run))
        assert html.count('class="runs-attempt"') == number
        assert html.count('class="runs-detail"') == min(number, run_steps.MAX_FULL)
        return len(captured)

    queries(2)
    assert queries(2) == queries(120)
    monkeypatch.setattr(run_steps, "MAX_ROWS", 10)
    run = Run.objects.order_by("-pk").first()
    assert run is not None
    assert "only its first 10 steps are shown" in page(boss, of(run))


def test_a_version_that_has_lost_its_actions_and_trigger_still_has_a_page(boss: Client) -> None:
    version = an_automation("Old", step("fax", "s1"), trigger={"type": "pigeon", "config": {}})
    run = a_run(version, status="failed", error={"path": "s1", "message": "Gone."})
    a_step(run, type="fax", status="failed", error={"message": "Gone."})

    text = text_of(page(boss, of(run)))

    assert "fax (not installed)" in text
    assert "It is not installed any more." in text


def test_a_run_that_is_not_there_leads_back_to_the_list(boss: Client) -> None:
    for pk in (new_id("run"), "nonsense", "run_1"):
        response = boss.get(f"{LIST}{pk}/change/", follow=True)
        assert response.redirect_chain == [(LIST, 302)]
        assert "There is no run" in unescape(response.content.decode())
    run = a_run()
    assert boss.get(of(run, f"steps/{new_id('step')}/")).status_code == 404
    assert boss.get(of(run, "steps/nonsense/")).status_code == 404


# --- giving up, and who may ---


def test_a_waiting_run_can_be_cancelled(boss: Client) -> None:
    run = run_once(step("wait", duration=2, unit="days"))
    assert 'id="cancel"' in page(boss, of(run))

    response = boss.post(of(run, "cancel/"), follow=True)

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert "The run is cancelled" in response.content.decode()
    assert boss.get(of(run, "cancel/")).status_code == 405
    assert "has already ended" in boss.post(of(run, "cancel/"), follow=True).content.decode()


def test_who_may_only_look_sees_no_buttons_and_cannot_use_them() -> None:
    run = run_once(step("wait", duration=2, unit="days"))
    viewer = staff_with("view_run")

    html = page(viewer, of(run))

    assert 'id="cancel"' not in html
    assert "/retry/" not in html
    assert viewer.post(of(run, "cancel/")).status_code == 403
    assert "/admin/records/record/" not in html


@pytest.mark.parametrize("address", ["", "{run}/change/", "{run}/steps/{step}/"])
def test_without_the_permission_there_is_nothing_to_see(address: str) -> None:
    run = a_run()
    row = a_step(run)

    response = staff_with().get(LIST + address.format(run=run.pk, step=row.pk))

    assert response.status_code == 403


def test_the_sidebar_counts_the_failures_of_the_day(boss: Client) -> None:
    for _ in range(3):
        a_run(status="failed")

    html = page(boss, LIST).split('id="nav-sidebar-apps"')[1].split("<main")[0]

    assert re.search(r"Runs\s*</span>.*?3", html, re.DOTALL)


def test_the_home_page_tells_of_runs_once_there_are_any(boss: Client) -> None:
    assert "Runs in 24 hours" not in page(boss, reverse("admin:index"))
    a_run(status="failed")

    text = text_of(page(boss, reverse("admin:index")))

    assert "Runs in 24 hours 1 1 failed" in text
