"""What this floor announces, inside the transaction."""

from django.dispatch import Signal

# tenant_id: int, ticket_ids: list[int] – gone for good; the rows do not exist any more
tickets_destroyed = Signal()
