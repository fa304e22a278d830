"""Mails and notices: to whom they go, what they say, and that tests send none."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from automations.models import MailTemplate
from records.models import Mail, Notification
from tests.automations.making import make_company, make_leads, run_once, step, step_of
from tests.records.making import make_user

pytestmark = pytest.mark.django_db

SEED = {
    "template_id": "welcome",
    "to": "{{record.email}}",
    "variables": {"first_name": "{{record.name}}", "total": "{{ record.amount * 2 }}"},
}


@pytest.fixture
def welcome() -> MailTemplate:
    return MailTemplate.objects.create(
        id="welcome",
        name="Welcome mail",
        subject="Welcome, {{ first_name }}",
        body="Dear {{ vars.first_name }},\n{{ record.amount }} and {{ total + 1 }}",
    )


def test_a_template_is_filled_in_with_variables(welcome: MailTemplate) -> None:
    run = run_once(step("send_email", **SEED), record={"email": "ada@example.com", "amount": 4})
    assert run.status == "succeeded", run.reason
    mail = Mail.objects.get()
    assert (mail.to, mail.cc) == (["ada@example.com"], [])
    assert mail.subject == "Welcome, Ada"
    assert mail.body == "Dear Ada,\n4 and 9"
    assert step_of(run).note == "Written to ada@example.com"


def test_a_mail_of_the_steps_own_goes_to_many() -> None:
    make_leads()
    boss = make_user("boss", email="boss@example.com")
    make_company()
    run = run_once(
        step(
            "send_email",
            to="{{ record.email }}, {{ record.manager }}; x@example.com, ada@example.com",
            cc=["{{ ['c1@example.com', 'c2@example.com'] }}"],
            subject="About\n{{ record.name }}",
            body="{{ record.manager.name }}",
        ),
        record={"email": "ada@example.com", "manager": boss.pk},
    )
    assert run.status == "succeeded", run.reason
    mail = Mail.objects.get()
    assert mail.to == ["ada@example.com", "boss@example.com", "x@example.com"]
    assert mail.cc == ["c1@example.com", "c2@example.com"]
    assert (mail.subject, mail.body) == ("About Ada", "boss")


def test_variables_of_the_run_are_there_beside_those_of_the_step(welcome: MailTemplate) -> None:
    welcome.body = "{{ vars.a }} {{ vars.b }} {{ b }}"
    welcome.save()
    run = run_once(
        step("set_variables", "s0", variables={"a": 1}),
        step(
            "send_email",
            template_id="welcome",
            to="a@example.com",
            variables={"b": 2, "first_name": "x"},
        ),
    )
    assert run.status == "succeeded", run.reason
    assert Mail.objects.get().body == "1 2 2"


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        (
            {"template_id": "welcom", "to": "a@example.com"},
            "template_id",
            "There is no mail template “welcom”; did you mean `welcome`?",
        ),
        ({"to": "{{ record.email }}", "subject": "x"}, "to", "There is nobody to send it to"),
        ({"to": "{{ record.name }}", "subject": "x"}, "to/0", "“Ada” is no e-mail address."),
        ({"to": "{{ record.manager }}", "subject": "x"}, "to/0", "“mute” has no e-mail address."),
        (
            {"to": "a@example.com", "subject": "{{ record.email }}"},
            "subject",
            "The subject is empty.",
        ),
        (
            {"to": "a@example.com", "subject": "x", "body": "{{ nope }}"},
            "body",
            "unknown name `nope`",
        ),
        (
            {"to": "a@example.com", "template_id": "welcome"},
            "template_id/welcome/subject",
            "unknown name `first_name`",
        ),
        (
            {"to": "a@example.com", "subject": "{{ secrets.key }}"},
            "subject",
            "secrets can be used in steps that send requests",
        ),
    ],
)
def test_a_mail_that_can_not_be_written_is_told_in_words(
    config: dict[str, Any], field: str, words: str, welcome: MailTemplate
) -> None:
    make_leads()
    mute = make_user("mute", email="")
    run = run_once(step("send_email", **config), record={"manager": mute.pk}, checked=False)
    assert words in run.reason
    assert step_of(run).error["field"] == field
    assert not Mail.objects.exists()


def test_a_test_writes_down_what_it_would_have_sent(welcome: MailTemplate) -> None:
    run = run_once(
        step("send_email", **SEED), record={"email": "ada@example.com", "amount": 1}, state="test"
    )
    assert run.status == "succeeded", run.reason
    assert not Mail.objects.exists()
    assert step_of(run).input["subject"] == "Welcome, Ada"
    assert step_of(run).note == "Would have written to ada@example.com; nothing was sent."


def test_people_teams_and_the_owner_are_told_once_each() -> None:
    ada, bob, carl = (
        make_user(name, email=f"{name}@example.com") for name in ("ada", "bob", "carl")
    )
    sales = Group.objects.create(name="Sales")
    sales.user_set.add(bob, carl)
    run = run_once(
        step(
            "notify",
            title="New: {{ record.name }}",
            body="Look",
            users=["ada", "bob@example.com"],
            teams=["Sales"],
            owner=True,
            urgency="urgent",
            by_mail=True,
        ),
        record={"owner": ada},
    )
    assert run.status == "succeeded", run.reason
    told = Notification.objects.all()
    assert {each.user for each in told} == {ada, bob, carl}
    assert len(told) == 3
    assert (told[0].title, told[0].body, told[0].urgency) == ("New: Ada", "Look", "urgent")
    assert f"/{run.record_id}" in told[0].url
    assert Mail.objects.count() == 3
    assert step_of(run).note == "Told 3 people"


def test_nobody_to_tell_is_said() -> None:
    run = run_once(step("notify", title="x", owner=True))
    assert run.status == "succeeded"
    assert step_of(run).note == "There is nobody to tell."


def test_a_test_tells_nobody() -> None:
    make_user("ada", email="ada@example.com")
    run = run_once(step("notify", title="x", users=["ada"], by_mail=True), state="test")
    assert not Notification.objects.exists()
    assert not Mail.objects.exists()
    assert step_of(run).note == "Would have told ada; nothing was sent."
    assert step_of(run).input["to"] == ["ada"]
