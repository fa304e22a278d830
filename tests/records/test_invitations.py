"""Invitations: sent by mail, accepted with a new or an old account, declined, revoked, too old."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail as outbox
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from records.eventtypes import names_of
from records.exceptions import InvalidData, InvitationClosed
from records.messages import RETRY_DELAYS_S, send_mails
from records.models import Event, Invitation, Mail, Notification, User
from records.services import accept_invitation, decline_invitation, invite, revoke_invitation
from records.services.invitations import LIFETIME, find_invitation
from tests.records.leads import make_user
from tests.records.making import NewEvents

pytestmark = pytest.mark.django_db

JANE = "Jane@Example.com"
PASSWORD = "correct-horse-7"


@pytest.fixture
def sales() -> Group:
    return Group.objects.create(name="Sales")


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root", first_name="Root")


@pytest.fixture
def admin(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def link_of(body: str) -> str:
    found = re.search(r"/invitations/[\w-]+/", body)
    assert found
    return found[0]


def invited(
    team: Group | None, by: User | None = None, email: str = JANE
) -> tuple[Invitation, str]:
    """An invitation and the path of its link, as the mail has it."""
    invitation = invite(email=email, team=team, invited_by=by)
    return invitation, link_of(Mail.objects.latest("pk").body)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def names(event: Event) -> set[str]:
    return set(names_of(event.type, changed=event.changed, before=event.before, after=event.after))


def account(**more: Any) -> dict[str, Any]:
    return {
        "first_name": "Jane",
        "last_name": "Smith",
        "username": "jane",
        "password1": PASSWORD,
        "password2": PASSWORD,
        **more,
    }


# --- sending ----------------------------------------------------------------------------------


def test_an_invitation_is_told_and_mailed(sales: Group, root: User) -> None:
    new = NewEvents()
    invitation, path = invited(sales, root)
    event = new.one()
    assert (event.type, event.subject_id, event.subject_label) == (
        "invitation.created",
        invitation.pk,
        JANE,
    )
    assert (event.after["email"], event.after["team_name"], event.after["status"]) == (
        JANE,
        "Sales",
        "pending",
    )
    send_mails()
    message = outbox.outbox[0]
    assert message.to == [JANE]
    assert "Root invites you to join the team “Sales”" in message.subject
    assert f"{settings.PUBLIC_URL}{path}" in message.body


def test_the_token_is_nowhere_but_in_the_mail_and_there_until_it_is_sent(
    sales: Group, root: User
) -> None:
    invitation, path = invited(sales, root)
    token = path.split("/")[2]
    assert len(token) >= 40
    found = find_invitation(token)
    assert found == invitation
    assert token not in repr(Invitation.objects.values().get())
    assert token not in repr(list(Event.objects.values()))
    send_mails()
    assert token in outbox.outbox[0].body
    assert Mail.objects.get().body == ""


def test_a_private_mail_that_is_given_up_is_forgotten(sales: Group, monkeypatch: Any) -> None:
    def refuse(self: Any) -> None:
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    invited(sales)
    for _ in RETRY_DELAYS_S:
        send_mails()
        assert Mail.objects.get().body
        Mail.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    send_mails()
    assert (Mail.objects.get().body, Mail.objects.get().next_attempt_at) == ("", None)


@pytest.mark.parametrize(
    "email", ["", "jane", "a@b\nBcc: all@example.com", "x" * 250 + "@example.com"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidData) as error:
        invite(email=email, team=None, invited_by=None)
    assert set(error.value.errors) == {"email"}
    assert not Mail.objects.exists()


def test_who_needs_no_invitation_gets_none(sales: Group) -> None:
    jane = User.objects.create_user("jane", email="jane@example.com")
    with pytest.raises(InvalidData, match="an account already"):
        invite(email=JANE, team=None, invited_by=None)
    invite(email=JANE, team=sales, invited_by=None)
    jane.groups.add(sales)
    with pytest.raises(InvalidData, match="belongs to “Sales”"):
        invite(email=JANE, team=sales, invited_by=None)
    User.objects.update(is_active=False)
    with pytest.raises(InvalidData, match="not active"):
        invite(email=JANE, team=None, invited_by=None)


def test_a_newer_invitation_takes_the_place_of_the_older(sales: Group) -> None:
    old, old_path = invited(sales)
    new = NewEvents()
    newer, path = invited(sales, email=JANE.lower())
    assert [names(event) for event in new.list()] == [
        {"invitation.updated", "invitation.revoked"},
        {"invitation.created"},
    ]
    assert Client().get(old_path).status_code == 410
    assert Client().get(path).status_code == 200
    old.refresh_from_db()
    assert (old.status, newer.status) == ("revoked", "pending")


@pytest.mark.parametrize("has_team", [True, False])
def test_the_database_allows_one_pending_invitation(sales: Group, has_team: bool) -> None:
    now = timezone.now()

    def make(number: int) -> None:
        Invitation.objects.create(
            email=JANE if number else JANE.lower(),
            team=sales if has_team else None,
            token_hash=str(number),
            created_at=now,
            expires_at=now,
        )

    make(0)
    with pytest.raises(IntegrityError, match="one_pending_invitation"):
        make(1)


# --- accepting --------------------------------------------------------------------------------


def test_somebody_new_gets_an_account_and_is_in(sales: Group, root: User) -> None:
    _, path = invited(sales, root)
    client = Client()
    page = text(client.get(path))
    assert "Root invites you as Jane@Example.com" in page
    assert 'value="Jane"' in page  # a user name is proposed
    new = NewEvents()
    response = client.post(path, account(), follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert "Welcome to the team “Sales”" in text(response)
    jane = User.objects.get(username="jane")
    assert (jane.email, jane.get_full_name(), list(jane.groups.all())) == (
        JANE,
        "Jane Smith",
        [sales],
    )
    assert jane.check_password(PASSWORD)
    assert not jane.is_staff
    assert response.wsgi_request.user == jane
    told = {event.type: event for event in new.list()}
    assert set(told) == {
        "user.created",
        "user.membership_changed",
        "team.membership_changed",
        "invitation.updated",
        "user.login",
    }
    accepted = told["invitation.updated"]
    assert names(accepted) == {"invitation.updated", "invitation.accepted"}
    assert (accepted.actor, accepted.after["accepted_by"]) == (jane, jane.pk)
    note = Notification.objects.get(user=root)
    assert note.title == "Jane@Example.com accepted your invitation to “Sales”"


def test_a_link_leads_in_once(sales: Group) -> None:
    _, path = invited(sales)
    Client().post(path, account())
    for client in (Client(), Client()):
        assert client.get(path).status_code == 410
        assert client.post(path, account(username="other")).status_code == 410
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password1": "12345678", "password2": "12345678"}, "too common"),
        ({"password2": "something-else-1"}, "didn’t match"),
        ({"password1": "jane@example.com", "password2": "jane@example.com"}, "too similar"),
        ({"username": "ROOT"}, "already exists"),
        ({"username": ""}, "required"),
        ({"first_name": ""}, "required"),
    ],
)
def test_an_account_needs_a_free_name_and_a_good_password(
    sales: Group, root: User, values: dict[str, str], words: str
) -> None:
    _, path = invited(sales)
    response = Client().post(path, account(**values))
    assert response.status_code == 200
    assert words in text(response)
    assert User.objects.count() == 1


def test_nobody_makes_themselves_an_administrator(sales: Group) -> None:
    _, path = invited(sales)
    Client().post(path, account(is_superuser="on", is_staff="on", email="evil@example.com"))
    jane = User.objects.get()
    assert (jane.is_superuser, jane.is_staff, jane.email) == (False, False, JANE)


def test_who_has_an_account_logs_in_and_joins(sales: Group) -> None:
    jane = User.objects.create_user("jane", email="jane@example.com", password=PASSWORD)
    _, path = invited(sales)
    client = Client()
    page = text(client.get(path))
    assert "There is an account with this address" in page
    assert f"/login/?next={path}" in page
    assert client.post(path, account(username="second")).status_code == 200
    assert User.objects.count() == 1
    client.force_login(jane)
    response = client.post(path, follow=True)
    assert "You have joined the team “Sales”" in text(response)
    assert list(jane.groups.all()) == [sales]


def test_an_invitation_is_not_for_somebody_else(sales: Group, root: User) -> None:
    invitation, path = invited(sales)
    client = Client()
    client.force_login(root)
    assert "whose address is another one" in text(client.get(path))
    assert client.post(path).status_code == 200
    assert not root.groups.exists()
    with pytest.raises(InvalidData, match="This invitation is for"):
        accept_invitation(invitation=invitation, user=root)


def test_an_account_that_is_not_active_is_not_replaced_by_a_new_one(sales: Group) -> None:
    _, path = invited(sales)
    User.objects.create_user("jane", email="jane@example.com", is_active=False)
    Client().post(path, account(username="second"))
    assert User.objects.count() == 1


def test_it_can_be_too_late(sales: Group) -> None:
    invitation, path = invited(sales)
    with time_machine.travel(timezone.now() + LIFETIME - timedelta(minutes=1)):
        assert Client().get(path).status_code == 200
    with time_machine.travel(timezone.now() + LIFETIME + timedelta(minutes=1)):
        page = Client().get(path)
        assert page.status_code == 410
        assert "too old" in text(page)
        assert Client().post(path, account()).status_code == 410
        with pytest.raises(InvitationClosed):
            decline_invitation(invitation=invitation)
    assert not User.objects.exists()


@pytest.mark.parametrize("token", ["x", "é", "a" * 500, "..", "%00"])
def test_a_link_that_was_never_sent_leads_nowhere(token: str) -> None:
    for path in (f"/invitations/{token}/", f"/invitations/{token}/decline/"):
        response = Client().post(path)
        assert response.status_code == 404


def test_nobody_keeps_the_page(sales: Group) -> None:
    _, path = invited(sales)
    response = Client().get(path)
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Referrer-Policy"] == "same-origin"


# --- saying no --------------------------------------------------------------------------------


def test_who_has_the_link_may_decline(sales: Group, root: User) -> None:
    _, path = invited(sales, root)
    new = NewEvents()
    assert Client().get(f"{path}decline/").status_code == 405
    assert "Thank you for telling us" in text(Client().post(f"{path}decline/"))
    event = new.one()
    assert names(event) == {"invitation.updated", "invitation.declined"}
    assert (event.actor, event.actor_label) == (None, JANE)
    assert Notification.objects.get(user=root).title.startswith(f"{JANE} declined")
    assert Client().post(path, account()).status_code == 410
    assert Client().post(f"{path}decline/").status_code == 410


def test_what_was_revoked_leads_nowhere(sales: Group) -> None:
    invitation, path = invited(sales)
    new = NewEvents()
    revoke_invitation(invitation=invitation)
    assert names(new.one()) == {"invitation.updated", "invitation.revoked"}
    assert Client().post(path, account()).status_code == 410
    with pytest.raises(InvitationClosed):
        revoke_invitation(invitation=invitation)


def test_with_a_team_go_its_invitations(sales: Group) -> None:
    invitation, path = invited(sales)
    new = NewEvents()
    sales.delete()
    assert "invitation.updated" in new.types
    invitation.refresh_from_db()
    assert (invitation.status, invitation.team) == ("revoked", None)
    assert Client().get(path).status_code == 410


# --- the admin --------------------------------------------------------------------------------


def test_the_admin_invites_revokes_and_sends_again(admin: Client, root: User, sales: Group) -> None:
    values = {"email": JANE, "team": sales.pk}
    assert admin.post("/admin/records/invitation/add/", values).status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.invited_by, invitation.team) == (root, sales)
    assert JANE in text(admin.get("/admin/records/invitation/"))
    assert "Pending" in text(admin.get(f"/admin/records/invitation/{invitation.pk}/change/"))
    act = {"action": "send_again_selected", "_selected_action": invitation.pk}
    page = text(admin.post("/admin/records/invitation/", act, follow=True))
    assert "1 invitation was sent again." in page
    newest = Invitation.objects.get(status="pending")
    act = {"action": "revoke_selected", "_selected_action": [invitation.pk, newest.pk]}
    page = text(admin.post("/admin/records/invitation/", act, follow=True))
    assert "1 invitation was revoked." in page
    assert set(Invitation.objects.values_list("status", flat=True)) == {"revoked"}


def test_the_admin_says_who_needs_no_invitation(admin: Client) -> None:
    User.objects.create_user("jane", email="jane@example.com")
    page = text(admin.post("/admin/records/invitation/add/", {"email": JANE, "team": ""}))
    assert "an account already" in page
    assert not Invitation.objects.exists()


def test_staff_invite_into_their_own_teams_alone(sales: Group) -> None:
    sam = make_user("sam", "view_invitation", "add_invitation", is_staff=True)
    client = Client()
    client.force_login(sam)
    page = client.post("/admin/records/invitation/add/", {"email": JANE, "team": sales.pk})
    assert "Select a valid choice" in text(page)
    assert not Invitation.objects.exists()
    own = sam.groups.get()
    client.post("/admin/records/invitation/add/", {"email": JANE, "team": own.pk})
    assert Invitation.objects.get().team == own
    foreign, _ = invited(sales)
    act = {"action": "send_again_selected", "_selected_action": foreign.pk}
    assert "You may not invite into “Sales”" in text(
        client.post("/admin/records/invitation/", act, follow=True)
    )
    act["action"] = "revoke_selected"
    client.post("/admin/records/invitation/", act)
    foreign.refresh_from_db()
    assert foreign.status == "pending"
