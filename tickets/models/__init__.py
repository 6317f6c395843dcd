"""The tables of tickets."""

from tickets.models.activities import IdempotencyRecord, TicketActivity, TicketAttachment
from tickets.models.holds import TicketHold
from tickets.models.tickets import DONE, Ticket, TicketIndex, TicketStatus
from tickets.models.types import (
    ResidentRole,
    SupportType,
    TicketType,
    TicketTypeCommunity,
    TicketTypeField,
    TicketTypeGroup,
)

__all__ = [
    "DONE",
    "IdempotencyRecord",
    "ResidentRole",
    "SupportType",
    "Ticket",
    "TicketActivity",
    "TicketAttachment",
    "TicketHold",
    "TicketIndex",
    "TicketStatus",
    "TicketType",
    "TicketTypeCommunity",
    "TicketTypeField",
    "TicketTypeGroup",
]
