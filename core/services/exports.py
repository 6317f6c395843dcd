"""What the house holds about one person, as each floor tells it: the sections of a personal export.

Each floor has ``exports.person(user, tenant)``; a door puts them together (one-model, conflict 62). Here is only the shape,
because core knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """One value of each row: its heading for people, and words for stored codes."""

    title: Any
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """Rows of one kind about a person, with values that are text, numbers, truth values, moments, or none.

    ``name`` is the key in machine-readable forms. ``is_one``: there is exactly one row, which is told line by line.
    """

    name: str
    title: Any
    columns: Mapping[str, Column]
    rows: Sequence[Mapping[str, Any]]
    is_one: bool = False


def columns_of(model: Any, *names: str, **more: Column) -> dict[str, Column]:
    """Columns of a model by name, headed as the model heads them; ``more`` are others, or other headings."""
    found = {}
    for name in names:
        column = model._meta.get_field(name)
        found[name] = Column(column.verbose_name, dict(column.flatchoices))
    return found | more
