"""How events are written: at once, together at the end of a bulk change, or merged into one for a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import transaction

from records.events import capture
from records.models import Event

_batch: ContextVar[list[Event] | None] = ContextVar("batch", default=None)


def write_events(*events: Event) -> None:
    """Write events in the transaction of their change, or leave them to the bulk change that goes on."""
    batch = _batch.get()
    if batch is not None:
        batch.extend(events)
    elif events:
        capture(*events)


@contextmanager
def collecting() -> Iterator[None]:
    """Inside, events wait and are written together at the end: one statement for hundreds of them."""
    if _batch.get() is not None:
        yield
        return
    events: list[Event] = []
    token = _batch.set(events)
    try:
        yield
    finally:
        _batch.reset(token)
    if events:
        capture(*events)


@dataclass
class Story:
    """What one transaction has told of one subject so far: how it was at first, and the event row."""

    before: Any
    event: Event | None = None


# The outermost block of a transaction → subject → story. A block that has ended takes its stories along.
_stories: "WeakKeyDictionary[Any, dict[str, Story]]" = WeakKeyDictionary()


def story_of(key: str, load_before: Any) -> Story:
    """This transaction's story of a subject. `load_before()` is called for the first change of it.

    Forms with many rows save one row after the other; people and automations want to hear of it once.
    """
    block = _outermost_block()
    if block is None:
        return Story(load_before())
    if block not in _stories:
        _stories[block] = {}
        # A block that decorates a function is used again by the next call.
        transaction.on_commit(lambda: _stories.pop(block, None), robust=True)
    stories = _stories[block]
    if key not in stories:
        stories[key] = Story(load_before())
    return stories[key]


def tell(story: Story, event: Event | None) -> None:
    """Write the story's event, in place of the one written before in this transaction; None takes it back."""
    old, story.event = story.event, event
    if event is None:
        if old:
            Event.objects.filter(pk=old.pk).delete()
        return
    if old:
        values = {
            name: getattr(event, name)
            for name in ("type", "subject_id", "subject_label", "before", "after", "changed")
        }
        # The row is gone when a savepoint was rolled back in between.
        if Event.objects.filter(pk=old.pk).update(**values, object_id=event.object_id):
            story.event = old
            return
    capture(event)


def _outermost_block() -> Any:
    """The atomic block that ends the transaction; blocks that tests put around themselves do not count."""
    blocks = getattr(transaction.get_connection(), "atomic_blocks", [])
    return next((block for block in blocks if not getattr(block, "_from_testcase", False)), None)
