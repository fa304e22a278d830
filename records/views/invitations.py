"""What an invitation's link leads to: joining with a new account or the one that is there, or declining."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from records.exceptions import InvalidData, RecordsError
from records.models import Invitation, InvitationStatus, User
from records.services.invitations import (
    accept_as_new_user,
    accept_invitation,
    account_of,
    decline_invitation,
    find_invitation,
)
from records.views.layout import SITE_NAME, render_page

_OVER: Final = {
    InvitationStatus.ACCEPTED: "This invitation has been accepted already. Log in to go on.",
    InvitationStatus.DECLINED: "This invitation has been declined.",
    InvitationStatus.REVOKED: "This invitation has been taken back, or replaced by a newer one.",
    InvitationStatus.PENDING: "This invitation is too old.",
}


class JoinForm(UserCreationForm):  # type: ignore[type-arg]
    """The account of somebody new."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "username")

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        local_part = invitation.email.partition("@")[0]
        super().__init__(*args, initial={"username": local_part[:150]}, **kwargs)
        self.instance.email = invitation.email  # a password that is like it is refused
        self.fields["first_name"].required = True
        username = self.fields["username"]
        username.label, username.help_text = "User name", "What you log in with."
        self.fields["password1"].help_text = "At least 8 characters, and nothing that is common."
        self.fields["password2"].label, self.fields["password2"].help_text = "Password again", ""
        for name, autocomplete in (("first_name", "given-name"), ("last_name", "family-name")):
            self.fields[name].widget.attrs["autocomplete"] = autocomplete
        if isinstance(username.widget, forms.TextInput):
            username.widget.attrs.pop("autofocus", None)


@require_http_methods(["GET", "HEAD", "POST"])
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Look at an invitation; a POST accepts it."""
    invitation = find_invitation(token)
    if invitation is None or not invitation.is_open(timezone.now()):
        return _over(request, invitation)
    if account_of(invitation) is not None or request.user.is_authenticated:
        return _with_account(request, invitation)
    form = JoinForm(
        request.POST if request.method == "POST" else None, invitation=invitation, label_suffix=""
    )
    if request.method == "POST" and form.is_valid():
        try:
            user = accept_as_new_user(invitation=invitation, user=form.save(commit=False))
        except InvalidData as error:
            for name, texts in error.errors.items():
                form.add_error(name if name in form.fields else None, texts)
        except RecordsError:
            return _over(request, find_invitation(token))
        else:
            login(request, user)
            messages.success(request, f"Welcome to {_what(invitation)}.")
            return redirect("home")
    return _page(request, invitation, form=form)


@require_POST
def invitation_decline(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link may say no; nobody has to log in for that."""
    invitation = find_invitation(token)
    if invitation is None:
        return _over(request, None)
    try:
        decline_invitation(invitation=invitation)
    except RecordsError:
        return _over(request, find_invitation(token))
    context = {
        "title": "Declined",
        "words": "Thank you for telling us. There is nothing more to do.",
    }
    return render_page(request, "records/invitation_over.html", context)


def _with_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Somebody who has an account accepts with it, once they are logged in."""
    user = request.user
    is_theirs = isinstance(user, User) and user.email.lower() == invitation.email.lower()
    if request.method == "POST" and is_theirs:
        try:
            accept_invitation(invitation=invitation, user=user)  # type: ignore[arg-type]
        except RecordsError:
            return _over(request, invitation)
        messages.success(request, f"You have joined {_what(invitation)}.")
        return redirect("home")
    return _page(request, invitation, is_theirs=is_theirs)


def _what(invitation: Invitation) -> str:
    return f"the team “{invitation.team}”" if invitation.team else SITE_NAME


def _page(request: HttpRequest, invitation: Invitation, **context: Any) -> HttpResponse:
    values = {"invitation": invitation, "what": _what(invitation), **context}
    return render_page(request, "records/invitation.html", values)


def _over(request: HttpRequest, invitation: Invitation | None) -> HttpResponse:
    """Gone, and why."""
    words = "There is no such invitation. Check that the link is complete."
    if invitation is not None:
        words = _OVER[InvitationStatus(invitation.status)]
        if invitation.status != InvitationStatus.ACCEPTED:
            words += " Ask whoever invited you for a new one."
    context = {
        "title": "This link leads nowhere" if invitation is None else "Too late",
        "words": words,
    }
    status = 404 if invitation is None else 410
    return render_page(request, "records/invitation_over.html", context, status=status)
