"""What is wrong with a document of conditions, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """`path` is a JSON Pointer into the document ("/rules/0/value"), `message` says what, where and how to mend."""

    path: str
    message: str


class ConditionProblem(ValueError):
    """The conditions can't be used; `path` and `message` tell their first mistake."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message
