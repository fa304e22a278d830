"""Is anybody listening to an event? Asked before events are written that may be many and are seldom wanted.

    @records.listeners.register
    def webhooks_listen(event_name: str) -> bool:
        return Webhook.objects.active().filter(event=event_name).exists()

A question costs a query of a small table at most: it is asked in the transaction that would write the events.
"""

from collections.abc import Callable

Question = Callable[[str], bool]

_questions: list[Question] = []


def register(question: Question) -> Question:
    """Add an app's answer for full event names, such as "job.failed". Usable as a decorator."""
    if question not in _questions:
        _questions.append(question)
    return question


def is_anybody_listening(event_name: str) -> bool:
    """Whether some app reacts to events of this name now."""
    return any(question(event_name) for question in _questions)
