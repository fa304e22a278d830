"""The list of values beside the forms."""

from typing import Any, Final

from automations.document.names import PlaceNames
from webhooks.names import menu_of

_OWNER: Final = (
    ("record.owner.email", "E-mail of the owner"),
    ("record.owner.name", "Name of the owner"),
    ("record.owner.username", "User name of the owner"),
)


def value_menu(names: PlaceNames) -> list[dict[str, Any]]:
    """Groups of names. Mails go to owners more often than anywhere, so who owns the record has a group of its own."""
    groups = menu_of(names)
    if not names.has_record:
        return groups
    people = [{"path": path, "label": label, "kind": "text"} for path, label in _OWNER]
    of_record = next(
        (
            place
            for place, group in enumerate(groups)
            if group["names"][0]["path"].startswith("record.")
        ),
        0,
    )
    return [
        *groups[: of_record + 1],
        {"label": "Owner of the record", "names": people},
        *groups[of_record + 1 :],
    ]
