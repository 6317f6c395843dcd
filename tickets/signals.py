"""What this floor announces, inside the transaction; `support_event` after it."""

from django.dispatch import Signal

# ticket: Ticket, activity: TicketActivity – of kind ticketCreated
ticket_filed = Signal()
# ticket: Ticket, activity: TicketActivity – of kind comment
ticket_commented = Signal()
# ticket: Ticket, activity: TicketActivity – the comment that was taken back
ticket_comment_withdrawn = Signal()
# ticket: Ticket, activity: TicketActivity – of kind note, which only the management sees
ticket_noted = Signal()
# ticket: Ticket, activity: TicketActivity – of kind statusUpdated, by_reply: bool – it comes with a reply
ticket_status_changed = Signal()
# ticket: Ticket, activity: TicketActivity – of kind assigneeUpdated
ticket_assigned = Signal()
# ticket: Ticket – it has another word of the tickets contract; no entry tells of it
ticket_type_changed = Signal()
# ticket: Ticket – hidden everywhere from now on, but still stored
ticket_deleted = Signal()
# tenant_id: int, ticket_ids: list[int] – gone for good; the rows do not exist any more
tickets_destroyed = Signal()
# ticket: Ticket, target: str ("response" or "resolution") – told once for each target
ticket_overdue = Signal()
# ticket: Ticket – the one that is left, merged: Ticket – the one that leads there now
ticket_merged = Signal()
# event: `tickets.services.events.SupportEvent` – the change is committed; a receiver that fails stops nobody else
support_event = Signal()
