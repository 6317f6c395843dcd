"""Answers that are offered before somebody writes: they may be what was wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.models import FaqItem
from tickets.services import answers

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Community
    from portal.querysets import FaqItemQuerySet
    from tickets.models import TicketType

MOST = 6  # answers at once
AT_FIRST = 3  # before anybody has looked for something: the kinds stand below


@dataclass(frozen=True)
class Help:
    """An answer, and the kind of ticket for whom it did not help; None where that kind is not offered (PORTAL-088)."""

    item: FaqItem
    leads_to: TicketType | None


def offered(actor: Actor, community: Community, words: str = "") -> list[Help]:
    """What stands in a community that shows questions and answers, in its order; with words, where all of them occur."""
    found = _shown(actor, community).search(words) if words else _shown(actor, community)
    items = list(found[: MOST if words else AT_FIRST])
    wanted = {item.ticket_type_id for item in items if item.ticket_type_id}
    types = answers.offered(actor, community).in_bulk(wanted) if wanted else {}
    return [Help(item, types.get(item.ticket_type_id or 0)) for item in items]


def of_type(actor: Actor, community: Community, chosen: TicketType) -> list[Help]:
    """What leads to this kind of ticket, for whom has chosen it already."""
    return [Help(item, None) for item in _shown(actor, community).filter(ticket_type=chosen)[:MOST]]


def _shown(actor: Actor, community: Community) -> FaqItemQuerySet[FaqItem]:
    seen: FaqItemQuerySet[FaqItem] = FaqItem.objects.visible_to(actor).shown_in(community).filter(published=True)
    if not community.has_faq:
        seen = seen.none()
    return seen.order_by("group__position", "group_id", "position", "id")
