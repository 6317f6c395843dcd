"""What this floor announces, inside the transaction. Plain codes and tokens travel here and nowhere else."""

from django.dispatch import Signal

# invite: Invite, code: str – an invitation was made or renewed
invite_issued = Signal()
# user: User, purpose: "password_init" | "password_reset", token: str, tenant: Organization | None, hours: int
password_link_issued = Signal()
# invitation: OwnerInvitation, token: str
owner_invited = Signal()
# membership: Membership, welcome: bool
user_created = Signal()
# occupancy: Occupancy – it has a last day, or was revoked
occupancy_ended = Signal()
# user: User – a tombstone by now; address: str – what it had. Every floor drops what it holds about the person
user_erased = Signal()
# contact: Contact – empty by now; address: str – what it had, "" for none
contact_erased = Signal()
