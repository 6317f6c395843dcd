"""What quick actions lead to: the one table of their resource words.

Each floor enters its words at start-up (`AppConfig.ready`), so that this floor need not know them: documents and folders
are opened, types of tickets and cases started.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orgs.actor import Actor

# Who asks, and ids of things → the addresses of those that this person may open or start. In one query for all ids.
Find = Callable[["Actor", Collection[int]], Mapping[int, str]]


@dataclass(frozen=True)
class Resource:
    """A kind of target. ``starts`` – posting to its address does it at once, opening the address asks first."""

    find: Find
    starts: bool = False


_KNOWN: dict[str, Resource] = {}


def register(word: str, find: Find, *, starts: bool = False) -> None:
    """Enter a word. Raises `ValueError` for one that is taken."""
    if word in _KNOWN:
        raise ValueError(word)
    _KNOWN[word] = Resource(find, starts)


def known(word: str) -> Resource | None:
    """What a word means here; None for one that no floor of this installation knows."""
    return _KNOWN.get(word)


def words() -> list[str]:
    """The words that mean something here, for whoever writes one."""
    return sorted(_KNOWN)
