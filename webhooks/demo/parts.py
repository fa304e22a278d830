"""What apps above this one add to the demo: they register it, and `load_demo` calls it in its turn."""

from collections.abc import Callable
from dataclasses import dataclass

from webhooks.demo.objects import Definitions


@dataclass(frozen=True, slots=True)
class Part:
    """`make`: after objects, people and webhooks are there, before the records, whose events it may react to.
    `follow`: the inspectors' address may have changed since."""

    make: Callable[[Definitions], None]
    follow: Callable[[], None]


PARTS: list[Part] = []


def register(part: Part) -> Part:
    if part not in PARTS:
        PARTS.append(part)
    return part
