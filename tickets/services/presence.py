"""Who is looking at a ticket at this moment, and who is writing: kept for half a minute, in the cache and nowhere else.

A hint so that two people do not answer the same thing; nothing is decided by it. Without the cache nobody is seen.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from django.core.cache import cache

if TYPE_CHECKING:
    from orgs.actor import Actor
    from tickets.models import Ticket

log = logging.getLogger(__name__)

SEEN_FOR = 30  # seconds without a sign, then somebody is gone
Seen = dict[int, tuple[str, bool, float]]  # account → name, writing, moment


def _key(ticket: Ticket) -> str:
    return f"tickets:presence:{ticket.pk}"


def note(actor: Actor, ticket: Ticket, *, writing: bool = False) -> list[tuple[str, bool]]:
    """Say that the actor is there; returns the others, by name, and whether they write.

    Two signs at the same moment can swallow each other; the next one, ten seconds later, puts that right.
    """
    assert actor.user is not None
    try:
        now = time.time()
        seen: Seen = {pk: one for pk, one in _stored(ticket).items() if now - one[2] < SEEN_FOR}
        seen[actor.user.pk] = (actor.user.get_full_name() or actor.user.username, writing, now)
        cache.set(_key(ticket), seen, SEEN_FOR)
    except Exception as error:
        log.warning("presence is not kept: %s", error)
        return []
    return sorted((name, writes) for pk, (name, writes, _at) in seen.items() if pk != actor.user.pk)


def leave(actor: Actor, ticket: Ticket) -> None:
    """The actor has gone."""
    try:
        seen = _stored(ticket)
        if actor.user_id in seen:
            del seen[actor.user_id]
            cache.set(_key(ticket), seen, SEEN_FOR)
    except Exception as error:
        log.warning("presence is not kept: %s", error)


def _stored(ticket: Ticket) -> dict[Any, Any]:
    found = cache.get(_key(ticket))
    return found if isinstance(found, dict) else {}
