"""What quick actions start: a ticket of a type, on the page for a new one, where staff say for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from orgs import resources
from tickets.models import TicketType

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor


def register() -> None:
    """Enter the words of this floor."""
    resources.register("ticket-type", types)


def types(actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The page for a new ticket of each type that is offered, for who looks after a community."""
    if not actor.managed:
        return {}
    page = reverse("admin:tickets_ticket_add")
    seen = TicketType.objects.visible_to(actor).filter(pk__in=ids, is_active=True).order_by()
    return {pk: f"{page}?{urlencode({'ticket_type': pk})}" for pk in seen.values_list("pk", flat=True)}
