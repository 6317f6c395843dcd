"""Names of people as the docms contract writes them: surname and given name."""

from __future__ import annotations


def display_name(first: str | None, last: str | None, as_given: str | None) -> str:
    """As it was given through this door, else "Surname, Given name"."""
    if as_given:
        return as_given
    return ", ".join(part for part in (last, first) if part)
