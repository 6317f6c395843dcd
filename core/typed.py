"""What somebody sent when the session had ended: kept for an hour, and shown again to that person, at that place.

Sealed and in the cache alone, one form for each person. The form itself says in a sealed field whose it is, so nobody who
signs in next at the same browser sees it. Without the cache the text is lost, as it would be anyhow.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from django.core.cache import cache
from django.http import QueryDict

from core.fields import InvalidToken, cipher
from core.http import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from core.protocols import Actor

_View = TypeVar("_View")
log = logging.getLogger(__name__)

KEPT = 3600  # seconds
MOST = 100_000  # bytes of a form; its files are not kept
WRITER = "writer"  # the field of a form that says whose it is
_LEFT_OUT = ("csrfmiddlewaretoken", WRITER)


def comes_back_to(place: Callable[..., str]) -> Callable[[_View], _View]:
    """Mark a view that takes what somebody typed, with where it is shown once more after signing in. Below `page`."""

    def mark(view: _View) -> _View:
        view.place = place  # type: ignore[attr-defined]
        return view

    return mark


def writer(actor: Actor) -> str:
    """Whose form it is, for its hidden field `WRITER`."""
    return cipher().encrypt(str(actor.user_id).encode()).decode()


def keep(request: HttpRequest, place: str) -> None:
    """Keep the form of a request that came too late; one without a writer is nobody's."""
    sent = request.POST.copy()
    try:
        user_id = int(cipher().decrypt(sent.get(WRITER, "").encode()))
    except (InvalidToken, ValueError):
        return
    for name in _LEFT_OUT:
        sent.pop(name, None)
    content = dumps([place, sent.urlencode(), bool(request.FILES)])
    if len(content) > MOST:
        return
    try:
        cache.set(_key(user_id), cipher().encrypt(content), KEPT)
    except Exception as error:
        log.warning("a form is not kept: %s", error)


def taken(request: HttpRequest, actor: Actor) -> tuple[QueryDict, bool] | None:
    """What the person had sent from this place, and whether files were with it; only once."""
    try:
        sealed = cache.get(_key(actor.user_id))
        if sealed is None:
            return None
        place, sent, had_files = loads(cipher().decrypt(sealed, ttl=KEPT))
        if place != request.path:
            return None
        cache.delete(_key(actor.user_id))
    except InvalidToken:
        return None
    except Exception as error:
        log.warning("a form is not found again: %s", error)
        return None
    return QueryDict(sent), bool(had_files)


def _key(user_id: int | None) -> str:
    return f"typed:{user_id}"
