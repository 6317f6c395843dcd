"""How urgent a ticket is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Invalid
from core.services import rows
from tickets import rules
from tickets.models import Priority
from tickets.services.changes import Changed
from tickets.services.locking import locked

if TYPE_CHECKING:
    from orgs.actor import Actor
    from tickets.models import Ticket


@transaction.atomic
def set_priority(*, actor: Actor, ticket: Ticket, priority: int) -> Changed:
    """Set how urgent it is; as with the support type no entry of the stream tells of it (conflict 4).

    Side effect: audit. Raises `Denied` for others than managers, `Invalid` for an unknown value, `NotFound` when deleted.
    """
    ticket = locked(ticket)
    require(rules.may_work_on(actor, ticket))
    if priority not in Priority.values:
        raise Invalid.of("priority", _("There is no such priority."))
    rows.change(ticket, {"priority": priority}, verb="priority_changed", check=False)
    return Changed(ticket)
