"""A request that has been through Signalbox too often is cut, and its sender told why."""

import pytest

from webhooks.intake.loops import DEPTH_HEADER, MAX_DEPTH, check_depth, depth_of
from webhooks.intake.refusals import LoopDetected


@pytest.mark.parametrize(
    ("headers", "depth"),
    [
        ([], 0),
        ([("signalbox-depth", "3")], 3),
        ([("Signalbox-Depth", " 4 ")], 4),
        ([("signalbox-depth", "2"), ("signalbox-depth", "5")], 5),
        ([("signalbox-depth", "2, 7,x")], 7),
        ([("signalbox-depth", "0007")], 7),
        ([("x-depth", "3")], 0),
        *(
            ([("signalbox-depth", text)], 0)
            for text in ("", "x", "-3", "1.5", "٣", "²", "1e3", "\0")
        ),
        *(([("signalbox-depth", text)], MAX_DEPTH) for text in ("11", "99999", "9" * 10_000)),
    ],
)
def test_depth_is_a_number_within_bounds(headers, depth):
    assert depth_of(headers) == depth


def test_a_loop_is_refused_with_an_explanation():
    assert check_depth([(DEPTH_HEADER, str(MAX_DEPTH - 1))]) == MAX_DEPTH - 1
    with pytest.raises(LoopDetected) as refused:
        check_depth([(DEPTH_HEADER, str(MAX_DEPTH))])
    assert (refused.value.status, refused.value.kind) == (508, "loop")
    assert DEPTH_HEADER in refused.value.words
    assert "condition" in refused.value.words
