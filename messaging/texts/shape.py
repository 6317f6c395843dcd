"""What a built-in text consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Words:
    """The words around every mail of one language."""

    hello: str  # with {{user_name}}
    hello_nobody: str
    regards: str
    button_fails: str
    settings: str
    hours: Callable[[int], str]  # "72 hours", grammatically right
    colon: str = ":"  # between a label and what it says


@dataclass(frozen=True)
class BuiltIn:
    """One mail. A paragraph or fact whose placeholders are all empty is left out."""

    subject: str
    title: str
    paragraphs: tuple[str, ...]
    reason: str  # in the foot: why somebody gets this mail
    button: str = ""
    after: tuple[str, ...] = ()  # quiet paragraphs below the button
    facts: tuple[tuple[str, str], ...] = ()  # label, placeholder
    plate: tuple[str, ...] = ()  # placeholders of the line above the title
