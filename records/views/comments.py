"""A record's discussion: its comments, newest last, and who takes part. Who may see the record takes part."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, urlize
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from records import services
from records.exceptions import InvalidData, RecordsError
from records.ids import decode
from records.mentions import MENTION
from records.models import Comment, Record, User
from records.models.discussions import MAX_COMMENT_LENGTH
from records.permissions import people_who_can
from records.views.layout import demand, object_for, record_for

SHOWN: Final = 30
MAX_SHOWN: Final = 500
# Of whom a page offers to choose; the others can be mentioned.
MAX_PEOPLE: Final = 200


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as the page shows it."""

    comment: Comment
    html: SafeString
    may_edit: bool
    may_delete: bool


class Discussion:
    """The discussion of one record, as far as it is shown."""

    max_length = MAX_COMMENT_LENGTH

    def __init__(self, request: HttpRequest, record: Record, people: list[User]) -> None:
        """`people` are those who may see the record."""
        self.is_open = record.deleted_at is None
        limit = MAX_SHOWN if request.GET.get("comments") == "all" else SHOWN
        rows = list(record.comments.select_related("author")[: limit + 1])
        self.has_earlier = len(rows) > limit
        self.is_all = limit == MAX_SHOWN
        self.participants = list(
            User.objects.filter(participations__record=record).order_by("participations__id")
        )
        known = {user.username for user in (*self.participants, *people)}
        self.comments = [
            _said(request, comment, known, self.is_open) for comment in rows[limit - 1 :: -1]
        ]
        taking_part = {user.pk for user in self.participants}
        self.others = [user for user in people if user.pk not in taking_part]


def _said(request: HttpRequest, comment: Comment, known: set[str], is_open: bool) -> Said:
    is_own = comment.author_id == request.user.pk
    may_delete = is_own or request.user.has_perm("records.delete_comment")
    return Said(comment, html_of(comment.body, known), is_open and is_own, is_open and may_delete)


def html_of(body: str, usernames: set[str]) -> SafeString:
    """The text with links, and with marks where it mentions one of these people."""
    pieces, end = [], 0
    for match in MENTION.finditer(body):
        if match[1] in usernames:
            pieces.append(urlize(body[end : match.start()], nofollow=True, autoescape=True))
            pieces.append(format_html('<span class="mention">@{}</span>', match[1]))
            end = match.end()
    pieces.append(urlize(body[end:], nofollow=True, autoescape=True))
    return mark_safe("".join(pieces))  # every piece is escaped


def people_of(record: Record) -> list[User]:
    """Who may see a record, by name, as many as a page offers."""
    people = people_who_can("view", record.object)
    return list(people.order_by("first_name", "last_name", "username")[:MAX_PEOPLE])


@login_required
@require_POST
def comment_add(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    record = record_for(object_for(request, slug), record_id)
    body = request.POST.get("body", "")
    return _act(
        request,
        record,
        lambda: services.add_comment(record=record, body=body, author=_user(request)),
    )


@login_required
@require_POST
def comment_edit(request: HttpRequest, slug: str, record_id: str, comment_id: str) -> HttpResponse:
    record = record_for(object_for(request, slug), record_id)
    comment = _comment_for(record, comment_id)
    if comment.author_id != request.user.pk:
        raise PermissionDenied("A comment is changed by nobody but its author.")
    body = request.POST.get("body", "")
    return _act(request, record, lambda: services.edit_comment(comment=comment, body=body))


@login_required
@require_POST
def comment_delete(
    request: HttpRequest, slug: str, record_id: str, comment_id: str
) -> HttpResponse:
    record = record_for(object_for(request, slug), record_id)
    comment = _comment_for(record, comment_id)
    if comment.author_id != request.user.pk and not request.user.has_perm("records.delete_comment"):
        raise PermissionDenied("A comment is deleted by its author or an administrator.")
    return _act(request, record, lambda: services.delete_comment(comment=comment))


@login_required
@require_POST
def participants_change(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    """Somebody takes part (`join`) or does so no more (`leave`). Who may change the record removes others."""
    object_definition = object_for(request, slug)
    record = record_for(object_definition, record_id)
    if set(request.POST.getlist("leave")) - {request.user.pk}:
        demand(request, "change", object_definition)

    def change() -> None:
        for name, act in (
            ("join", services.join_discussion),
            ("leave", services.leave_discussion),
        ):
            if ids := request.POST.getlist(name)[:MAX_PEOPLE]:
                act(record=record, users=User.objects.filter(pk__in=ids))

    return _act(request, record, change)


def _act(request: HttpRequest, record: Record, change: Any) -> HttpResponse:
    """Do it, or say why not, and go back to the discussion."""
    try:
        change()
    except InvalidData as error:
        messages.error(request, " ".join(text for texts in error.errors.values() for text in texts))
    except RecordsError as error:
        messages.error(request, str(error))
    here = reverse("record_detail", args=[record.object.slug, record.pk])
    return redirect(f"{here}#discussion")


def _comment_for(record: Record, comment_id: str) -> Comment:
    try:
        decode("cmt", comment_id)
    except ValueError:
        raise Http404 from None
    comment = record.comments.filter(pk=comment_id).first()
    if comment is None:
        raise Http404
    return comment


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
