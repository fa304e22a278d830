"""The rounds of a loop: the same block once for each entry of its list."""

from automations.cursors import Frame, step_over
from automations.loopresults import add_result, outcome_of
from automations.plays import Play


def end_round(play: Play, frame: Frame, error: str = "") -> None:
    """This round is over: the next one begins, or the loop ends and the step behind it is next.

    The loop's frame is the innermost.
    """
    _keep_result(play, frame, error)
    if _begin_next(play, frame):
        return
    cursor = play.run.cursor
    cursor.pop()
    play.remember(play.step_at(cursor[-1]), outcome_of(frame))
    step_over(cursor[-1])


def give_up_round(play: Play, error: str) -> bool:
    """A step of a round has failed. Whether a loop around it is to go on with the next entry; then it does."""
    cursor = play.run.cursor
    for place in range(len(cursor) - 1, 0, -1):
        frame, outer = cursor[place], cursor[place - 1]
        if frame.get("items") is None or play.step_at(outer).config.on_item_error != "continue":
            continue
        del cursor[place + 1 :]
        end_round(play, frame, error)
        return True
    return False


def _keep_result(play: Play, frame: Frame, error: str) -> None:
    outputs = play.run.variables.get("steps", {})
    ids = play.version.ids_within[frame["block"]]
    add_result(frame, {each: outputs[each] for each in ids if each in outputs}, error)


def _begin_next(play: Play, frame: Frame) -> bool:
    if frame["n"] + 1 >= len(frame["items"]):
        return False
    outputs = play.run.variables.get("steps", {})
    for each in play.version.ids_within[frame["block"]]:
        outputs.pop(each, None)  # nobody takes the last round's for this one's
    step_over(frame)
    frame["n"] += 1
    frame["index"] = 0
    return True
