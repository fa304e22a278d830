"""Mails about failures: one for everything that is to be told, at most one an hour for each group."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from config.clocks import shared_now
from records.messages import admins, queue_mail
from webhooks.models import FailureGroup
from webhooks.summaries import ERROR_NAMES, hint_of, status_words

# One mail tells of so many groups, and names so many of them.
_MAX_TOLD: Final = 1_000
_MAX_NAMED: Final = 30


def is_digest_due(now: datetime) -> bool:
    return settings.FAILURE_DIGEST and FailureGroup.objects.due(now).exists()


@transaction.atomic
def send_digests() -> int:
    """Write the mails about what has failed. How many groups they tell of; with nobody to tell they count as told."""
    now = shared_now()
    if not is_digest_due(now):
        return 0
    groups = list(
        FailureGroup.objects.due(now)
        .order_by("-unmailed", "pk")
        .select_for_update(skip_locked=True)[:_MAX_TOLD]
    )
    if not groups:
        return 0
    subject, body = _subject(groups), _body(groups, now)
    for address in alert_addresses():
        queue_mail(to=[address], subject=subject, body=body)
    FailureGroup.objects.filter(pk__in=[group.pk for group in groups]).update(
        unmailed=0, mail_due_at=None, mailed_at=now
    )
    return len(groups)


def alert_addresses() -> list[str]:
    """Who is written to when something goes wrong: superusers with an address, and ALERT_EMAILS."""
    addresses = [*(user.email for user in admins()), *settings.ALERT_EMAILS]
    return list({address.lower(): address for address in addresses if address}.values())


def words_of(error_kind: str, status_code: int | None) -> str:
    """What the jobs of a group came to: “Timeout”, “503 Service Unavailable”."""
    if error_kind:
        return ERROR_NAMES.get(error_kind, error_kind)
    return status_words(status_code) if status_code else "Failed"


def what_to_do(error_kind: str, status_code: int | None) -> str:
    """The advice of a job's page, without pointing at what is shown there."""
    hint = hint_of(is_success=False, status_code=status_code, error_kind=error_kind)
    return hint.replace("its answer below", "its answer")


def _subject(groups: Sequence[FailureGroup]) -> str:
    count = sum(group.unmailed for group in groups)
    failures = "1 failure" if count == 1 else f"{count:,} failures"
    first = groups[0]
    if len(groups) == 1:
        words = words_of(first.error_kind, first.status_code)
        return f"{settings.SITE_NAME}: {failures} of {first.webhook_name}: {words}"
    return f"{settings.SITE_NAME}: {failures}, most of {first.webhook_name}"


def _body(groups: Sequence[FailureGroup], now: datetime) -> str:
    named = groups[:_MAX_NAMED]
    parts = [_part(group) for group in named]
    if len(groups) > len(named):
        parts.append(f"… and {len(groups) - len(named)} more kinds of failures.")
    page = settings.PUBLIC_URL + reverse("admin:webhooks_failuregroup_changelist")
    parts.append(f"All failures by cause, and retrying them:\n{page}")
    parts.append(
        "--\nThis goes to administrators, at most once an hour for each kind of failure. "
        "FAILURE_DIGEST=false switches it off."
    )
    return "\n\n".join(parts)


def _part(group: FailureGroup) -> str:
    name = " ".join(group.webhook_name.split())
    lines = [
        f"{name}: {words_of(group.error_kind, group.status_code)}",
        f"  {_count(group)}",
    ]
    if hint := what_to_do(group.error_kind, group.status_code):
        lines.append(f"  What to do: {hint}")
    if group.last_job_id:
        job = reverse("admin:webhooks_webhookjob_change", args=[group.last_job_id])
        lines.append(f"  The latest: {settings.PUBLIC_URL}{job}")
    return "\n".join(lines)


def _count(group: FailureGroup) -> str:
    since = timezone.localtime(group.first_seen_at)
    last = timezone.localtime(group.last_seen_at)
    news = "1 failure" if group.unmailed == 1 else f"{group.unmailed:,} failures"
    words = f"{news}, the latest {last:%Y-%m-%d %H:%M %Z}"
    if group.count > group.unmailed:
        words += f"; {group.count:,} since {since:%Y-%m-%d}"
    return f"{words}."
