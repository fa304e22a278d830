"""What can go wrong with automations. The docstring is the message."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automations.document.checking import Mistake


class AutomationTrouble(Exception):
    """Something is wrong with an automation."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class DocumentInvalid(AutomationTrouble):
    """The automation has mistakes; mend what is marked, then publish."""

    def __init__(self, mistakes: list["tuple[str, str]"]) -> None:
        # (JSON Pointer, words)
        self.mistakes = mistakes
        super().__init__("; ".join(f"{path or '/'}: {words}" for path, words in mistakes))


class NothingPublished(AutomationTrouble):
    """Nothing of this automation is published yet: publish the draft first."""


class NotByHand(AutomationTrouble):
    """This automation is switched off, or is not one to be run by hand."""


class RunRefused(AutomationTrouble):
    """This can't be done to the run."""


class RunIsOpen(RunRefused):
    """The run has not ended yet."""


class RunHasEnded(RunRefused):
    """The run has already ended."""


class RunIsRunning(RunRefused):
    """A worker is at the run just now; try again in a moment."""


class StepHasMistakes(RunRefused):
    """The changed step has mistakes; mend what is marked, then retry."""

    def __init__(self, mistakes: "Sequence[Mistake]") -> None:
        self.mistakes = mistakes
        words = " ".join(mistake.message for mistake in mistakes)
        super().__init__(f"The changed step has a mistake: {words}")


class VersionBroken(RunRefused):
    """This version can't be run any more."""
