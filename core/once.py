"""Forms that make a secret which their answer shows, and nothing afterwards: going back or loading the answer again would make
a second one unseen. Each drawn form bears a mark, and a mark is good once."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from django.core.cache import cache

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger(__name__)

FIELD = "once"
KEPT = 24 * 3600  # seconds


def mark() -> str:
    """For the hidden field `FIELD` of a form that is drawn."""
    return uuid.uuid4().hex


def is_first(request: HttpRequest) -> bool:
    """Whether this drawn form is sent for the first time. Programs that send no mark, and everybody while the cache is out
    of reach, always do."""
    sent = request.POST.get(FIELD, "")
    if not (len(sent) == 32 and sent.isascii() and sent.isalnum()):
        return True
    try:
        # Remembered at the request, which may be done again (`orgs.middleware.UnitOfWorkMiddleware`).
        if not hasattr(request, "_is_first"):
            request._is_first = bool(cache.add(f"once:{request.user.pk}:{sent}", 1, KEPT))  # type: ignore[attr-defined]
        return bool(request._is_first)  # type: ignore[attr-defined]
    except Exception as error:
        log.warning("whether a form was sent before is not known: %s", error)
        return True
