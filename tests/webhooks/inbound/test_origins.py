import pytest

from webhooks.inbound.origins import origin_problem


@pytest.mark.parametrize("origin", ["*", "https://www.example.com", "http://localhost:8080"])
def test_origins(origin):
    assert origin_problem(origin) == ""


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "https://www.example.com/", "https://a.example/path", "ftp://a.example",
     "https://", "https://user@a.example", "null", "https://a.example:99999", "https://[::1"],
)  # fmt: skip
def test_what_is_no_origin_is_told(text):
    assert origin_problem(text)
