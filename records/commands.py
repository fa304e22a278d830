"""Commands that other apps bring along: buttons on a record's page, and for what is selected in lists.

    @records.commands.register
    def greetings(user: Anyone, definition: ObjectDefinition) -> Iterable[Command]:
        yield Command("greet", "Send a greeting", run=send_greetings)

They are asked for with each page: a maker makes few queries, and gives only what the user may do with the records of
this object.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest

from records.models import ObjectDefinition, Record
from records.permissions import Anyone

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """`run` does it to the records and says, in a sentence, what was done; HTML only by `format_html`. What stands
    in the way is a RecordsError. `confirm`: a question that is asked before.
    """

    key: str
    label: str
    run: Callable[[HttpRequest, Iterable[Record]], str]
    icon: str = "play_arrow"
    confirm: str = ""


CommandMaker = Callable[[Anyone, ObjectDefinition], Iterable[Command]]

_makers: list[CommandMaker] = []


def register(maker: CommandMaker) -> CommandMaker:
    """Add commands to those that are there. Usable as a decorator."""
    if maker not in _makers:
        _makers.append(maker)
    return maker


def commands_for(user: Anyone, definition: ObjectDefinition) -> list[Command]:
    """What this user may do with records of the object. A maker that fails is logged and left out."""
    commands: list[Command] = []
    for maker in _makers:
        try:
            commands += maker(user, definition)
        except Exception:  # whatever goes wrong there must not hide the records
            logger.exception("The commands of %s.%s failed", maker.__module__, maker.__name__)
    return commands
