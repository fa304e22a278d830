"""What a browser would send of a form that nobody has touched."""

from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.area: str | None = None
        self.select: str | None = None
        self.templates = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.templates += tag == "template"
        name = values.get("name", "")
        if self.templates:
            return
        if tag == "option" and self.select:
            self._option(values)
        elif tag == "input" and name:
            self._input(name, values)
        elif tag == "textarea" and name:
            self.area = name
            self.found.setdefault(name, []).append("")
        elif tag == "select" and name:
            self.select = name

    def handle_endtag(self, tag: str) -> None:
        self.templates -= tag == "template"
        self.area = None if tag == "textarea" else self.area
        self.select = None if tag == "select" else self.select

    def handle_data(self, data: str) -> None:
        if self.area and not self.templates:
            self.found[self.area][-1] += data

    def _input(self, name: str, values: dict[str, str]) -> None:
        is_box = values.get("type") in ("checkbox", "radio")
        if not is_box or "checked" in values:
            self.found.setdefault(name, []).append(values.get("value", "on" if is_box else ""))

    def _option(self, values: dict[str, str]) -> None:
        chosen = self.found.setdefault(self.select or "", [])
        if not chosen:
            chosen.append(values.get("value", ""))
        elif "selected" in values:
            chosen[-1] = values.get("value", "")


def untouched(html: str) -> dict[str, Any]:
    reader = _Reader()
    reader.feed(html)
    return {name: values if len(values) > 1 else values[0] for name, values in reader.found.items()}
