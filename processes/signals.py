"""What this floor announces, inside the transaction."""

from django.dispatch import Signal

# tenant_id: int, process_ids: list[int] – gone for good; the rows do not exist any more
processes_destroyed = Signal()

# process: Process – numbered and findable
process_opened = Signal()

# process: Process, changes: {property: (old, new)}, activities: list[ProcessActivity]
process_changed = Signal()

# process: Process – hidden from everybody who does not ask for deleted ones
process_deleted = Signal()
