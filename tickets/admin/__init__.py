"""The help desk in the back office: work list, tickets, what administrators set up."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from tickets.admin import mailboxes
from tickets.admin.assignment_rules import AssignmentRuleAdmin
from tickets.admin.canned_replies import CannedReplyAdmin
from tickets.admin.mailboxes import InboundMailAdmin, MailboxAdmin
from tickets.admin.tickets import TicketAdmin
from tickets.admin.type_groups import TicketTypeGroupAdmin
from tickets.admin.types import TicketTypeAdmin
from tickets.models import (
    AssignmentRule,
    CannedReply,
    InboundMail,
    Mailbox,
    Ticket,
    TicketType,
    TicketTypeGroup,
)


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Ticket, TicketAdmin)
    site.register(TicketTypeGroup, TicketTypeGroupAdmin)
    site.register(TicketType, TicketTypeAdmin)
    site.register(CannedReply, CannedReplyAdmin)
    site.register(AssignmentRule, AssignmentRuleAdmin)
    site.register(Mailbox, MailboxAdmin)
    site.register(InboundMail, InboundMailAdmin)


def urls(site: AdminSite) -> list[URLPattern]:
    """Own pages. The test of a mailbox opens its own transactions, so it guards itself."""
    return [path("test-mailbox/", mailboxes.trial(site), name="test-mailbox")]
