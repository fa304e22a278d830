"""The items of a loop that a run's page has folded: what each came to, and the steps that were done for one of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from automations.admin.run_page import labels_of, load_run
from automations.admin.run_steps import StepsView, steps_view
from automations.document import Document
from automations.models import Run, StepRun, StepStatus
from automations.tracenodes import Block, anchor_of
from automations.traces import item_text
from webhooks.admin.filters import clean_id

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

# So many items are told in one answer.
MAX_ITEMS: Final = 1_000
_FOLDER: Final = "admin/automations/runs"
# A loop's place: "b/l[0]/inner".
_PLACE: Final = re.compile(r"\A[\w-]+(\[\d+\])?(/[\w-]+(\[\d+\])?)*\Z")


@dataclass(frozen=True, slots=True)
class Round:
    """One item of a loop. `error`: why one of its steps failed, empty where all went well."""

    number: int
    item: str
    has_failed: bool
    error: str

    @property
    def name(self) -> str:
        return f"Item {self.number + 1}"


class RunRounds:
    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view(self.view)
        return [path("<str:object_id>/items/", view, name="automations_run_items")]

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`loop`: its place; `first` and `last`: which of its items, from 0; one alone with its steps."""
        self.admin.require_view(request)
        pk = clean_id(Run, object_id)
        run = load_run(pk) if pk else None
        loop = request.GET.get("loop", "")[:200]
        first, last = _number(request, "first"), _number(request, "last")
        if run is None or first is None or last is None or not _PLACE.match(loop):
            raise Http404("There are no such items.")
        context: dict[str, Any] = {"run": run, "loop": loop}
        if first == last:
            block, steps = _one(request, run, loop, first)
            return TemplateResponse(
                request, f"{_FOLDER}/_item.html", {**context, "block": block, "steps": steps}
            )
        rounds = rounds_of(run, loop, first, min(last, first + MAX_ITEMS - 1))
        context |= {"rounds": rounds, "anchor": anchor_of(loop)}
        return TemplateResponse(request, f"{_FOLDER}/_items.html", context)


def rounds_of(run: Run, loop: str, first: int, last: int) -> Sequence[Round]:
    """Three queries: what the loop was given, what its items did, why some failed."""
    rows = StepRun.objects.filter(run=run, path__startswith=f"{loop}[").order_by("pk")
    numbers: dict[int, str] = {}
    for pk, place, status in rows.values_list("pk", "path", "status"):
        number = _number_in(place, loop)
        if number is None or not first <= number <= last:
            continue
        numbers.setdefault(number, "")
        if status == StepStatus.FAILED:
            numbers[number] = pk
    errors = dict(
        StepRun.objects.filter(pk__in=filter(None, numbers.values())).values_list("pk", "error")
    )
    texts = _texts(run, loop)
    return [
        Round(
            number=number,
            item=item_text(texts[number]) if number < len(texts) else "",
            has_failed=bool(pk),
            error=str((errors.get(pk) or {}).get("message", "")),
        )
        for number, pk in sorted(numbers.items())
    ]


def _one(request: HttpRequest, run: Run, loop: str, number: int) -> tuple[Block, StepsView]:
    document = Document.model_validate(run.version.document)
    steps = steps_view(request, run, document, within=f"{loop}[{number}]", labels=labels_of(run))
    node = next((each for each in steps.trace.all_nodes() if each.path == loop), None)
    block = next((each for each in node.blocks if each.number == number), None) if node else None
    if block is None:
        raise Http404("There is no such item.")
    return block, steps


def _texts(run: Run, loop: str) -> Sequence[Any]:
    given = (
        StepRun.objects.filter(run=run, path=loop).order_by("-pk").values_list("input", flat=True)
    )
    first = given.first()
    texts = first.get("list") if isinstance(first, dict) else None
    return texts if isinstance(texts, list) else []


def _number_in(place: str, loop: str) -> int | None:
    number, _, _ = place[len(loop) + 1 :].partition("]")
    return int(number) if number.isdecimal() else None


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None
