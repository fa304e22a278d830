"""Discussions: what is said of a record, and who takes part. Permissions are the caller's to ask for.

A comment is told by one event, with the change of participants it brings along in the same statement. All of
them raise InvalidData for values that do not fit and RecordDeleted for records that are deleted.
"""

from collections.abc import Collection, Iterable
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from records.actors import current_cause
from records.events import capture, make_event
from records.exceptions import AlreadyGone, InvalidData, RecordDeleted
from records.mentions import mentioned_names
from records.messages import notify
from records.models import Comment, Event, Participant, Record, User
from records.models.discussions import MAX_COMMENT_LENGTH, excerpt
from records.permissions import people_who_can
from records.snapshots import comment_snapshot, discussion_snapshot

# An event tells of all of them, before and after, and each is told of every comment.
MAX_PARTICIPANTS: Final = 200
# What a notification shows of a comment.
_SHOWN: Final = 300


def add_comment(
    *, record: Record, body: str, author: User | None, author_label: str = ""
) -> Comment:
    """Say something of a record. The author, and who is mentioned (“@ada”) and may see the record, take part.

    Without an author it is said by `author_label`, or by what the current cause is called.
    """
    _check(record)
    label = author_label or (str(author) if author else current_cause().label)
    comment = Comment(
        record=record,
        author=author,
        author_label=label[:150],
        body=_clean(body),
        created_at=timezone.now(),
    )
    with transaction.atomic():
        comment.save(force_insert=True)
        mentioned = _mentioned(comment)
        people = [*([author] if author else []), *mentioned]
        event = _event("comment.created", comment, after=comment_snapshot(comment))
        capture(event, *_joined(record, people))
        _tell(comment, f"{comment.author_name} commented on “{record}”", without=mentioned)
        _tell_mentioned(comment, mentioned)
    return comment


def edit_comment(*, comment: Comment, body: str) -> Comment:
    """Change what was said. Who is mentioned now and was not before is told of it."""
    body = _clean(body)
    with transaction.atomic():
        comment = _locked(comment)
        _check(comment.record)
        if body == comment.body:
            return comment
        before, already = comment_snapshot(comment), mentioned_names(comment.body)
        comment.body, comment.edited_at = body, timezone.now()
        comment.save(update_fields=["body", "edited_at"])
        mentioned = [one for one in _mentioned(comment) if one.username not in already]
        after = comment_snapshot(comment)
        event = _event("comment.updated", comment, before=before, after=after, changed=["body"])
        capture(event, *_joined(comment.record, mentioned))
        _tell_mentioned(comment, mentioned)
    return comment


def delete_comment(*, comment: Comment) -> None:
    """Take back what was said, also of a deleted record. Its event keeps it, for administrators."""
    with transaction.atomic():
        comment = _locked(comment)
        event = _event("comment.deleted", comment, before=comment_snapshot(comment))
        comment.delete()
        capture(event)


def set_participants(*, record: Record, users: Iterable[User]) -> None:
    """Exactly these people take part; who is new is told so."""
    wanted = {user.pk: user for user in users}
    with transaction.atomic():
        now = _participants(_lock(record))
        leave_discussion(
            record=record, users=User.objects.filter(pk__in=[pk for pk in now if pk not in wanted])
        )
        join_discussion(record=record, users=wanted.values())


def join_discussion(*, record: Record, users: Iterable[User]) -> None:
    """These people take part, too. All of them may see the record, or InvalidData says who may not."""
    _check(record)
    users = list(users)
    check_may_see(record, users, "participants")
    with transaction.atomic():
        now = _participants(_lock(record))
        new = [user for user in users if user.pk not in now]
        if len(now) + len(new) > MAX_PARTICIPANTS:
            raise InvalidData(
                {"participants": [f"No more than {MAX_PARTICIPANTS} people take part."]}
            )
        capture(*_joined(record, new))
        actor = current_cause().user
        notify(
            [user for user in new if user != actor],
            title=f"{current_cause().name} added you to the discussion of “{record}”"[:200],
            url=_url(record),
        )


def leave_discussion(*, record: Record, users: Iterable[User]) -> None:
    """These people take part no more, until they comment or are mentioned again."""
    leaving = {user.pk for user in users}
    with transaction.atomic():
        now = _participants(_lock(record))
        if not leaving & now:
            return
        Participant.objects.filter(record=record, user__in=leaving).delete()
        capture(membership_event(record, now, now - leaving))


def membership_event(record: Record, before: Collection[str], after: Collection[str]) -> Event:
    """Of a discussion whose participants (their ids) have changed."""
    event = make_event(
        "discussion.membership_changed",
        before=discussion_snapshot(record, before),
        after=discussion_snapshot(record, after),
        changed=["participants"],
        record=record,
    )
    event.object_id = record.object_id
    return event


def check_may_see(record: Record, users: Iterable[User], name: str) -> None:
    """Raise InvalidData (under `name`) when some of these people may not see the record."""
    users = list(users)
    may = set(people_who_can("view", record.object).filter(pk__in=[user.pk for user in users]))
    if others := [str(user) for user in users if user not in may]:
        words = f"{', '.join(others)} may not see {record.object.plural}."
        raise InvalidData({name: [f"{words} Give them the permission first, or leave them out."]})


# --- parts ---


def _check(record: Record) -> None:
    if record.deleted_at is not None:
        raise RecordDeleted


def _clean(body: str) -> str:
    body = body.replace("\r\n", "\n").replace("\0", "").strip()
    if not body:
        raise InvalidData({"body": ["Write something first."]})
    if len(body) > MAX_COMMENT_LENGTH:
        words = f"A comment has at most {MAX_COMMENT_LENGTH:,} characters; this one has"
        raise InvalidData({"body": [f"{words} {len(body):,}."]})
    return body


def _locked(comment: Comment) -> Comment:
    """As the database has it now."""
    rows = Comment.objects.select_related("record__object", "author")
    found = rows.select_for_update(of=("self",)).filter(pk=comment.pk).first()
    if found is None:
        raise AlreadyGone
    return found


def _lock(record: Record) -> Record:
    """One change of participants at a time: what an event tells of them is what there is."""
    Record.objects.select_for_update().filter(pk=record.pk).values_list("pk").first()
    return record


def _participants(record: Record) -> set[str]:
    return set(Participant.objects.filter(record=record).values_list("user_id", flat=True))


def _mentioned(comment: Comment) -> list[User]:
    names = mentioned_names(comment.body)
    if not names:
        return []
    people = people_who_can("view", comment.record.object).filter(username__in=names)
    return [user for user in people if user.pk != comment.author_id]


def _joined(record: Record, people: Iterable[User]) -> list[Event]:
    """Let people take part as far as there is room. The event of it, if anything changes."""
    wanted = list(dict.fromkeys(user.pk for user in people))
    if not wanted:
        return []
    now = _participants(record)
    new = [pk for pk in wanted if pk not in now][: MAX_PARTICIPANTS - len(now)]
    if not new:
        return []
    rows = [Participant(record=record, user_id=pk) for pk in new]
    Participant.objects.bulk_create(rows, ignore_conflicts=True)
    return [membership_event(record, now, now | set(new))]


def _tell(comment: Comment, title: str, *, without: Collection[User]) -> None:
    """The participants who may (still) see the record."""
    people = people_who_can("view", comment.record.object)
    people = people.filter(participations__record=comment.record)
    aside = [comment.author_id, *(user.pk for user in without)]
    _notify([user for user in people if user.pk not in aside], comment, title)


def _tell_mentioned(comment: Comment, people: Collection[User]) -> None:
    _notify(people, comment, f"{comment.author_name} mentioned you on “{comment.record}”")


def _notify(people: Collection[User], comment: Comment, title: str) -> None:
    if people:
        url = f"{_url(comment.record)}#{comment.pk}"
        notify(people, title=title[:200], body=excerpt(comment.body, _SHOWN), url=url)


def _url(record: Record) -> str:
    return reverse("record_detail", args=[record.object.slug, record.pk])


def _event(
    change: str,
    comment: Comment,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    changed: Iterable[str] = (),
) -> Event:
    event = make_event(
        change,
        before=before,
        after=after,
        changed=changed,
        record=comment.record,
        subject_id=comment.pk,
        subject_label=str(comment),
    )
    event.object_id = comment.record.object_id
    return event
