"""Names that are mentioned in a text."""

import pytest

from records.mentions import MAX_MENTIONS, mentioned_names

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("", []),
        ("@ada look", ["ada"]),
        ("look, @ada.", ["ada"]),
        ("(@ada, @bob) and @ada", ["ada", "bob"]),
        ("@ada.smith+x@ and “@o'brien", ["ada.smith+x", "o"]),
        ("mail ada@example.com", []),
        ("https://example.com/@ada?q=@bob", []),
        ("@@ada", []),
        ("line\n@ada", ["ada"]),
        ("@", []),
        ("@élodie", ["élodie"]),
    ],
)
def test_names_are_mentioned_at_the_beginning_of_words(body: str, names: list[str]) -> None:
    assert mentioned_names(body) == names


def test_a_long_list_of_names_is_cut() -> None:
    assert len(mentioned_names(" ".join(f"@u{number}" for number in range(99)))) == MAX_MENTIONS
