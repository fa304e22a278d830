"""What the request log can be asked for: which part of it an index answers, and what is looked for in windows."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Left, StrIndex, Substr

from records.ids import first_id_at, moment_of
from records.models import User
from webhooks.automationlinks import known_automations
from webhooks.models import Direction, FormerEndpoint, InboundEndpoint, RequestLog, WebhookJob

# Of a body so many characters are searched: the largest would take seconds.
SEARCHED_OF_BODY: Final = 10_000
# The requests of so many jobs are found by their ids, however old they are; of more, in windows.
_FEW_JOBS: Final = 500
# Of one event or run, the requests of its newest jobs.
_JOBS_OF_ONE: Final = 5_000
# Of users whose names are searched, so many.
_MAX_USERS: Final = 100
_ADDRESS_LIKE: Final = re.compile(r"\d{1,3}\.[\d.:]*|\[?[0-9a-f]*:[0-9a-f.:\]]*", re.IGNORECASE)
# A request that sets off a run is written with it, at most so long before or after.
_BESIDE_ITS_RUN: Final = timedelta(minutes=2)
# What a request belongs to, but for the kinds of endpoints.
_KINDS: Final = {
    "webhook": Q(job__isnull=False, job__run_id=None),
    "step": Q(job__run_id__isnull=False),
    "rejected": Q(direction=Direction.IN) & ~Q(error_kind=""),
}
# A replay answers nobody, and nothing is wrong with that.
_UNANSWERED: Final = Q(status_code=None, replay_of=None)
# Those that are sent; all others are received.
_SENT: Final = ("webhook", "step")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is looked for; ids are the ids' texts.

    `kind` is "webhook", "step", "rejected", or a kind of endpoint. `outcome` is "2" for 200 to 299 and so on, or
    "error" for requests that got no answer.
    """

    direction: str = ""
    kind: str = ""
    outcome: str = ""
    method: str = ""
    endpoint_id: str = ""
    webhook_id: str = ""
    automation_id: str = ""
    request_id: str = ""
    job_id: str = ""
    event_id: str = ""
    run_id: str = ""
    # It took at least so long.
    took_ms: int = 0
    # A part of the name of who did it by hand, or the beginning of the other side's address.
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None
    # A part of the URL, of the error, or of the beginning of a body.
    text: str = ""
    # Whether texts are looked for in the secret parts of our own addresses, too.
    sees_addresses: bool = True
    is_kept: bool = False
    # An id that can't be: nothing is found.
    is_impossible: bool = False

    @property
    def is_filtered(self) -> bool:
        return self != LogQuery()


def searchable_rows() -> QuerySet[RequestLog]:
    return RequestLog.objects.alias(
        status_class=F("status_code") / 100,
        url_query=Substr("url", StrIndex("url", Value("?"))),
        request_beginning=Left("request_body", SEARCHED_OF_BODY),
        response_beginning=Left("response_body", SEARCHED_OF_BODY),
    )


def conditions_of(query: LogQuery) -> tuple[Q, Q]:
    """What an index answers in the order of the ids, and the rest."""
    if query.is_impossible:
        return Q(pk__in=[]), Q()
    indexed, rest = _of_jobs(query)
    indexed = [condition for condition in [*_ids(query), *indexed, *_columns(query)] if condition]
    for condition in [*indexed[1:], *_unindexed(query)]:
        rest &= condition
    return (indexed[0] if indexed else Q()), rest


def _ids(query: LogQuery) -> list[Q]:
    """Those that leave the fewest rows first."""
    return [
        Q(pk=query.request_id) | Q(replay_of=query.request_id) if query.request_id else Q(),
        Q(job=query.job_id) if query.job_id else Q(),
        _of_event(query.event_id) if query.event_id else Q(),
        _of_run(query.run_id) if query.run_id else Q(),
        Q(is_kept=True) if query.is_kept else Q(),
        _of_users(query.who) if query.who and not _is_address(query.who) else Q(),
    ]


def _columns(query: LogQuery) -> list[Q]:
    # The index leaves out those that went well, which are found soon without it.
    is_rare = query.outcome.isdecimal() and int(query.outcome) >= 3
    is_received = query.direction == Direction.IN or (query.kind and query.kind not in _SENT)
    return [
        Q(endpoint=query.endpoint_id) if query.endpoint_id else Q(),
        Q(status_class=int(query.outcome), status_code__gte=300) if is_rare else Q(),
        Q(direction=Direction.IN) if is_received else Q(),
    ]


def _unindexed(query: LogQuery) -> list[Q]:
    return [
        Q(direction=Direction.OUT) if query.direction == Direction.OUT else Q(),
        _of_kind(query.kind) if query.kind else Q(),
        _UNANSWERED if query.outcome == "error" else Q(),
        Q(status_code__gte=200, status_code__lt=300) if query.outcome == "2" else Q(),
        Q(method=query.method) if query.method else Q(),
        Q(duration_ms__gte=query.took_ms) if query.took_ms else Q(),
        Q(remote_address__istartswith=query.who) if _is_address(query.who) else Q(),
        _with_text(query) if query.text else Q(),
    ]


def _of_kind(kind: str) -> Q:
    if kind in _KINDS:
        return _KINDS[kind]
    # No join: it would leave out those whose endpoint is deleted.
    own, former = (
        model.objects.filter(kind=kind).values("pk") for model in (InboundEndpoint, FormerEndpoint)
    )
    return (Q(endpoint__in=own) | Q(endpoint__in=former)) & Q(error_kind="")


def _with_text(query: LogQuery) -> Q:
    text = query.text
    in_url = Q(url__icontains=text)
    if not query.sees_addresses:
        in_url = (Q(direction=Direction.OUT) & in_url) | Q(
            url__contains="?", url_query__icontains=text
        )
    return (
        in_url
        | Q(error__icontains=text)
        | Q(request_beginning__icontains=text)
        | Q(response_beginning__icontains=text)
    )


# --- who ---------------------------------------------------------------------------------------


def _is_address(who: str) -> bool:
    """An IP address or the beginning of one; everything else is a name."""
    return bool(_ADDRESS_LIKE.fullmatch(who))


def _of_users(name: str) -> Q:
    found = User.objects.filter(
        Q(username__icontains=name) | Q(first_name__icontains=name) | Q(last_name__icontains=name)
    )
    return Q(actor__in=list(found.order_by("pk").values_list("pk", flat=True)[:_MAX_USERS]))


# --- what jobs tell of their requests ----------------------------------------------------------


def _of_event(event_id: str) -> Q:
    """The request that it is made of, and those that it has set off."""
    return Q(event=event_id) | Q(job__in=_jobs_of_one(event=event_id))


def _of_run(run_id: str) -> Q:
    """The requests of its steps, the one that set it off, which no index knows by it, and that one's repeats."""
    began = moment_of(run_id)
    beside = Q(
        run_id=run_id,
        pk__gte=first_id_at("req", began - _BESIDE_ITS_RUN),
        pk__lt=first_id_at("req", began + _BESIDE_ITS_RUN),
    )
    repeats = Q(run_id=run_id) & ~Q(error_kind="")
    return beside | repeats | Q(job__in=_jobs_of_one(run_id=run_id))


def _of_jobs(query: LogQuery) -> tuple[list[Q], Q]:
    """The webhook and the automation: along an index where they have few jobs, else looked for in windows."""
    indexed, rest = [], Q()
    if query.webhook_id:
        of_webhook = Q(job__webhook=query.webhook_id)
        few = _few(WebhookJob.objects.filter(webhook=query.webhook_id))
        if len(few) <= _FEW_JOBS:
            indexed.append(Q(job__in=few))
        else:
            rest &= of_webhook
    if query.automation_id:
        runs = known_automations().runs(query.automation_id)
        own = InboundEndpoint.objects.filter(automation_id=query.automation_id)
        received = Q(endpoint__in=list(own.values_list("pk", flat=True)))
        few = _few(WebhookJob.objects.filter(run_id__in=runs.values("pk")))
        if len(few) <= _FEW_JOBS:
            indexed.append(received | Q(job__in=few))
        else:
            rest &= received | Q(Exists(runs.filter(pk=OuterRef("job__run_id"))))
    return indexed, rest


def _jobs_of_one(**which: str) -> list[str]:
    jobs = WebhookJob.objects.filter(**which).order_by("-pk")
    return list(jobs.values_list("pk", flat=True)[:_JOBS_OF_ONE])


def _few(jobs: QuerySet[WebhookJob]) -> list[str]:
    """Their ids; one more than are few, where there are more."""
    return list(jobs.order_by().values_list("pk", flat=True)[: _FEW_JOBS + 1])
