"""Invitations: sent, revoked, accepted, declined. Permissions are the caller's to ask for.

All of them raise InvalidData for values that do not fit, and InvitationClosed for an invitation that was
answered or revoked before, or is too old.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from records.actors import acting, current_cause
from records.events import capture, make_event
from records.exceptions import InvalidData, InvitationClosed
from records.messages import notify, queue_mail
from records.models import Event, Invitation, InvitationStatus, User
from records.models.people import UserQuerySet
from records.snapshots import invitation_snapshot

LIFETIME: Final = timedelta(days=14)
_SITE_NAME: Final = str(settings.UNFOLD["SITE_TITLE"])


def invite(*, email: str, team: Group | None, invited_by: User | None) -> Invitation:
    """Ask somebody by mail to join a team, or the installation alone.

    An earlier invitation of the same address to the same team is revoked: only the newest link leads in.
    """
    email = _clean_email(email)
    check_invitation(email, team)
    token, now = secrets.token_urlsafe(32), timezone.now()
    invitation = Invitation(
        email=email,
        team=team,
        token_hash=_hash(token),
        invited_by=invited_by,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    try:
        with transaction.atomic():
            earlier = Invitation.objects.filter(
                email__iexact=email, team=team, status=InvitationStatus.PENDING
            )
            for one in earlier.select_for_update():
                _end(one, InvitationStatus.REVOKED)
            invitation.save(force_insert=True)
            capture(_event("invitation.created", invitation, after=invitation_snapshot(invitation)))
            _mail(invitation, token)
    except IntegrityError:
        raise InvalidData({"email": ["Somebody else has invited this address just now."]}) from None
    return invitation


def check_invitation(email: str, team: Group | None) -> None:
    """Raise InvalidData when nobody with this address needs an invitation to this team."""
    accounts = list(_accounts(email))
    if accounts and not any(user.is_active for user in accounts):
        name = accounts[0]
        raise InvalidData(
            {"email": [f"This is the address of {name}, whose account is not active. Activate it."]}
        )
    for user in accounts:
        if team is None:
            raise InvalidData({"email": [f"{user} has this address, and an account already."]})
        if user.groups.filter(pk=team.pk).exists():
            raise InvalidData({"email": [f"{user} has this address, and belongs to “{team}”."]})


def find_invitation(token: str) -> Invitation | None:
    """The invitation that a link's token belongs to, whatever has become of it."""
    rows = Invitation.objects.select_related("team", "invited_by")
    return rows.filter(token_hash=_hash(token)).first()


def account_of(invitation: Invitation) -> User | None:
    """Who has this address already: an account that is active before one that is not."""
    return _accounts(invitation.email).order_by("-is_active", "-last_login").first()


def revoke_invitation(*, invitation: Invitation) -> Invitation:
    """Take it back: its link leads in no more. One that is too old can be revoked, too."""
    with transaction.atomic():
        invitation = _locked(invitation)
        if invitation.status != InvitationStatus.PENDING:
            raise InvitationClosed
        _end(invitation, InvitationStatus.REVOKED)
    return invitation


def decline_invitation(*, invitation: Invitation) -> Invitation:
    """The person does not want to."""
    with transaction.atomic(), acting(label=invitation.email):
        invitation = _open(invitation)
        _end(invitation, InvitationStatus.DECLINED)
        _tell(invitation, "declined")
    return invitation


def accept_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Somebody who has an account joins the team. Raises InvalidData when the address is not theirs."""
    if user.email.lower() != invitation.email.lower():
        raise InvalidData({"email": [f"This invitation is for {invitation.email}."]})
    with transaction.atomic(), acting(user):
        invitation = _open(invitation)
        _join(invitation, user)
    return invitation


def accept_as_new_user(*, invitation: Invitation, user: User) -> User:
    """Somebody new gets an account: `user` is unsaved, with a name and a password. It is saved and returned."""
    with transaction.atomic():
        invitation = _open(invitation)
        if account_of(invitation) is not None:
            raise InvalidData({"email": [f"{invitation.email} has an account already; log in."]})
        user.email = invitation.email
        try:
            with transaction.atomic(), acting(label=invitation.email):
                user.save(force_insert=True)
        except IntegrityError:
            raise InvalidData({"username": ["Somebody else has this user name."]}) from None
        with acting(user):
            _join(invitation, user)
    return user


# --- parts ---


def _clean_email(email: str) -> str:
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidData({"email": error.messages}) from None
    if len(email) > 254:
        raise InvalidData({"email": ["This is longer than mail addresses are."]})
    return email


def _accounts(email: str) -> UserQuerySet:
    return User.objects.filter(email__iexact=email)  # type: ignore[no-any-return]


def _hash(token: str) -> str:
    """Without salt: the token is too long to be guessed."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _locked(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_related("team", "invited_by")
    found = rows.select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if found is None:
        raise InvitationClosed
    return found


def _open(invitation: Invitation) -> Invitation:
    """As the database has it now, if it can still be answered."""
    found = _locked(invitation)
    if not found.is_open(timezone.now()):
        raise InvitationClosed
    return found


def _join(invitation: Invitation, user: User) -> None:
    if invitation.team is not None:
        user.groups.add(invitation.team)
    _end(invitation, InvitationStatus.ACCEPTED, accepted_by=user)
    _tell(invitation, "accepted")


def _end(
    invitation: Invitation, status: InvitationStatus, *, accepted_by: User | None = None
) -> None:
    before = invitation_snapshot(invitation)
    invitation.status, invitation.ended_at = status, timezone.now()
    invitation.accepted_by = accepted_by
    invitation.save(update_fields=["status", "ended_at", "accepted_by"])
    after = invitation_snapshot(invitation)
    changed = [name for name in after if before[name] != after[name]]
    capture(_event("invitation.updated", invitation, before=before, after=after, changed=changed))


def _tell(invitation: Invitation, answer: str) -> None:
    """Who has invited hears of the answer."""
    inviter = invitation.invited_by
    if inviter is None or inviter == current_cause().user:
        return
    where = f" to “{invitation.team}”" if invitation.team else ""
    notify([inviter], title=f"{invitation.email} {answer} your invitation{where}"[:200])


def _mail(invitation: Invitation, token: str) -> None:
    link = settings.PUBLIC_URL + reverse("invitation", args=[token])
    who = str(invitation.invited_by) if invitation.invited_by else "Somebody"
    what = f"the team “{invitation.team}” on {_SITE_NAME}" if invitation.team else _SITE_NAME
    until = timezone.localtime(invitation.expires_at)
    queue_mail(
        to=[invitation.email],
        subject=f"{who} invites you to join {what}",
        body=(
            f"{who} invites you to join {what}.\n\n"
            f"To accept or decline, open this page by {date_format(until)}:\n{link}\n\n"
            "The link is meant for you alone. If you do not know what this is about, ignore it."
        ),
        is_private=True,
    )


def _event(change: str, invitation: Invitation, **values: Any) -> Event:
    return make_event(change, subject_id=invitation.pk, subject_label=invitation.email, **values)
