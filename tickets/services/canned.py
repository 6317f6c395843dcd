"""Ready-made replies: texts with placeholders, which are filled in before somebody reads, changes and sends them.

A placeholder is replaced by plain text, once: what stands in a name is never looked at for placeholders, and no template
language reads any of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid
from tickets.models import CannedReply

if TYPE_CHECKING:
    from orgs.actor import Actor
    from tickets.models import Ticket

PLACEHOLDERS: dict[str, Any] = {
    "requester_name": gettext_lazy("name of the requester"),
    "ticket_number": gettext_lazy("reference of the ticket"),
    "community": gettext_lazy("name of the community"),
    "unit": gettext_lazy("name of the unit"),
    "staff_name": gettext_lazy("your own name"),
    "company_name": gettext_lazy("name of the company"),
}
_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def check(text: str) -> None:
    """Raise `Invalid` for placeholders that nothing would be put in for, and for braces without an end."""
    unknown = sorted({name for name in _PLACE.findall(text) if name not in PLACEHOLDERS})
    if unknown:
        raise Invalid.of("text", _("Unknown placeholders: %(names)s") % {"names": ", ".join(unknown)[:200]})
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise Invalid.of("text", _("A placeholder begins with {{ and ends with }}."))


def fill(text: str, ticket: Ticket, actor: Actor) -> str:
    """The text for this ticket, written by this person."""
    values = {
        "requester_name": requester_name(ticket),
        "ticket_number": ticket.identifier,
        "community": ticket.community.name,
        "unit": ticket.unit.name if ticket.unit else "",
        "staff_name": actor.user.get_full_name() if actor.user else "",
        "company_name": ticket.tenant.name,
    }
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)


def offered(ticket: Ticket, actor: Actor) -> list[CannedReply]:
    """Those for every ticket and those for this one's support type, in the company's order. One query."""
    seen = CannedReply.objects.visible_to(actor).filter(tenant=ticket.tenant_id, is_active=True)
    return list(seen.filter(support_type__in=("", ticket.support_type)))


def requester_name(ticket: Ticket) -> str:
    """Whoever it is about; else who filed it."""
    if ticket.contact is not None:
        return str(ticket.contact)
    return ticket.stranger or ticket.created_by.get_full_name()
