"""The forms of a page, as a browser would send them back."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class Fields(HTMLParser):
    """Names and values of all fields of a page; ``texts`` are those that people type into, or choose from.

    ``kinds`` says of these what their text is read as: ``date`` (and times), ``number``, ``choice`` or ``text``.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.chosen: dict[str, list[str]] = {}  # of lists: all, of which ``values`` has the last
        self.texts: list[str] = []
        self.kinds: dict[str, str] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field."""
        found = dict(attrs)
        name, kind = found.get("name") or "", found.get("type") or "text"
        if tag == "option" and self._select and "selected" in found:
            self.values[self._select] = found.get("value") or ""
            self.chosen.setdefault(self._select, []).append(self.values[self._select])
        if not name or kind in ("file", "submit", "button"):
            return
        if tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in found:
                self.values[name] = found.get("value") or "on"
        elif tag in ("input", "textarea", "select"):
            self.values.setdefault(name, found.get("value") or "")
            if kind != "hidden":
                self.texts.append(name)
                self.kinds[name] = _kind(tag, kind, found.get("class") or "")
            self._select = name if tag == "select" else ""


def _kind(tag: str, kind: str, classes: str) -> str:
    if tag == "select" or "vForeignKeyRawIdAdminField" in classes:
        return "choice"
    if "vDate" in classes or "vTime" in classes or kind in ("date", "time", "datetime-local"):
        return "date"
    return "number" if kind == "number" or "vInteger" in classes or "vBigInteger" in classes else "text"


def as_it_stands(page: str) -> dict[str, Any]:
    """What a browser sends that is asked to save the form of a page as it stands; nothing for lists without a choice."""
    fields = Fields(page)
    return {name: fields.chosen.get(name, value) for name, value in fields.values.items() if value}
