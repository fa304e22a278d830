"""Invitations: who was asked to join, and what came of it. A new one is sent by mail, and can be revoked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from records import services
from records.admin.decorators import display
from records.admin.empty import EmptyState
from records.admin.paging import CappedPaginator
from records.admin.selection import CheckedSelection
from records.exceptions import InvalidData, InvitationClosed
from records.models import Invitation, InvitationStatus
from records.services.invitations import check_invitation


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Invitation
        fields = ("email", "team")
        help_texts = {
            "email": "A link is sent there. It can be used once, within 14 days.",
            "team": "What the person may do is what the team may do. Without a team, that is nothing yet.",
        }

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if "email" in values and "team" in values:
            try:
                check_invitation(values["email"], values["team"])
            except InvalidData as error:
                self.add_error("email", error.errors["email"])
        return values


@admin.register(Invitation)
class InvitationAdmin(CheckedSelection, ModelAdmin):  # type: ignore[misc]
    list_display = ("email", "team_name", "state", "invited_by", "created_at", "expires_at")
    list_select_related = ("team", "invited_by")
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator
    show_full_result_count = False

    list_filter = ("status", "team")
    search_fields = ("email",)
    empty_state = EmptyState(
        "mail",
        "Invite somebody",
        "A link by mail lets a person choose a name and a password, and join a team.",
        "New invitation",
    )

    form = InvitationForm

    actions = ("revoke_selected", "send_again_selected")

    # --- form ---

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        if obj is None:
            return ("email", "team")
        return ("email", "team_name", "state", "invited_by", "created_at", "expires_at") + (
            ("ended_at", "accepted_by") if obj.ended_at else ()
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "team":
            kwargs["queryset"] = _teams(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        user: Any = request.user
        obj.pk = services.invite(email=obj.email, team=obj.team, invited_by=user).pk

    # --- actions ---

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        count = 0
        for invitation in queryset.filter(status=InvitationStatus.PENDING):
            try:
                services.revoke_invitation(invitation=invitation)
            except InvitationClosed:
                continue
            count += 1
        words = "1 invitation was" if count == 1 else f"{count:,} invitations were"
        self.message_user(request, f"{words} revoked.")

    @admin.action(description="Send again", permissions=["add"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """A new link for who has not accepted; the old one leads in no more."""
        user: Any = request.user
        teams, count = set(_teams(request)), 0
        for invitation in queryset.exclude(status=InvitationStatus.ACCEPTED):
            if invitation.team is not None and invitation.team not in teams:
                self.message_user(
                    request, f"You may not invite into “{invitation.team}”.", messages.ERROR
                )
                continue
            try:
                services.invite(email=invitation.email, team=invitation.team, invited_by=user)
            except InvalidData as error:
                self.message_user(request, str(error), messages.ERROR)
                continue
            count += 1
        words = "1 invitation was" if count == 1 else f"{count:,} invitations were"
        self.message_user(request, f"{words} sent again.")

    # --- displays ---

    @display(description="Team")
    def team_name(self, obj: Invitation) -> str:
        return str(obj.team) if obj.team else "—"

    @display(
        description="State",
        label={"Pending": "info", "Accepted": "success", "Declined": "warning", "Too old": ""},
    )
    def state(self, obj: Invitation) -> str:
        if obj.status == InvitationStatus.PENDING and not obj.is_open(timezone.now()):
            return "Too old"
        return obj.get_status_display()

    # --- permissions: what was sent is not changed, but revoked ---

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return self.has_revoke_permission(request) or bool(
            super().has_view_permission(request, obj)
        )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.change_invitation")


def _teams(request: HttpRequest) -> QuerySet[Group]:
    """Those into which somebody may invite. Who is no superuser gives away no more than they have: their own."""
    user: Any = request.user
    teams = Group.objects.order_by("name")
    return teams if user.is_superuser else teams.filter(user=user)
