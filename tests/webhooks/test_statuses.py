import pytest

from webhooks.statuses import StatusSyntaxError, parse_statuses


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2xx", [200, 204, 299], [199, 300, 404]),
        ("404", [404], [403, 405]),
        ("500-599", [500, 599], [499]),
        ("500 – 502", [501], [503]),
        ("2XX, 404,500-502", [202, 404, 500], [403, 503]),
        ("", [], [200, 500]),
        ("  ", [], [200]),
    ],
)
def test_a_text_is_a_set_of_statuses(text, inside, outside):
    statuses = parse_statuses(text)
    assert all(status in statuses for status in inside)
    assert not any(status in statuses for status in outside)


def test_no_status_is_in_no_set():
    assert None not in parse_statuses("1xx,2xx,3xx,4xx,5xx")


@pytest.mark.parametrize(
    "text", ["6xx", "99", "600", "2xx,", "x", "500-400", "abc-def", "20", "2xxx"]
)
def test_what_is_no_status_is_named_with_its_position(text):
    with pytest.raises(StatusSyntaxError, match=r"part \d"):
        parse_statuses(text)
