"""The tables of tickets."""

from tickets.models.activities import IdempotencyRecord, TicketActivity, TicketAttachment
from tickets.models.desk import AssignmentRule, CannedReply, TicketDraft, TicketFilter, TicketWatcher
from tickets.models.holds import TicketHold
from tickets.models.mail import InboundMail, Mailbox
from tickets.models.tickets import DONE, Ticket, TicketIndex, TicketStatus
from tickets.models.types import (
    Priority,
    ResidentRole,
    SupportType,
    TicketType,
    TicketTypeCommunity,
    TicketTypeField,
    TicketTypeGroup,
)

__all__ = [
    "DONE",
    "AssignmentRule",
    "CannedReply",
    "IdempotencyRecord",
    "InboundMail",
    "Mailbox",
    "Priority",
    "ResidentRole",
    "SupportType",
    "Ticket",
    "TicketActivity",
    "TicketAttachment",
    "TicketDraft",
    "TicketFilter",
    "TicketHold",
    "TicketIndex",
    "TicketStatus",
    "TicketType",
    "TicketTypeCommunity",
    "TicketTypeField",
    "TicketTypeGroup",
    "TicketWatcher",
]
