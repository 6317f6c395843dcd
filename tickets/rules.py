"""May-questions about tickets. Each answers with a reason; whether somebody *sees* one is settled before (404).

Managers are the staff who look after a ticket's community. Participants are they, who filed it, and its contact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from core.answers import YES, Answer, no, require
from orgs import audience
from orgs.rules import may_administer

if TYPE_CHECKING:
    from collections.abc import Collection

    from orgs.actor import Actor
    from orgs.models import Community, Membership
    from tickets.models import Ticket, TicketActivity, TicketFilter

__all__ = [
    "is_requester", "manages", "may_ask_for_assignees", "may_ask_for_tickets_of", "may_be_assigned", "may_comment",
    "may_delete_comment", "may_file", "may_file_for_others", "may_keep_filter", "may_rate", "may_see_desk", "may_set_up",
    "may_share", "may_withdraw", "may_work_on", "require", "roles_in",
]  # fmt: skip


def manages(actor: Actor, community_id: int) -> bool:
    """Whether the actor looks after a community; the operator does where not narrowed to one tenant."""
    return community_id in actor.managed or (actor.is_operator and not actor.acting)


def may_file(actor: Actor, community: Community) -> Answer:
    """Managers, and residents where the community takes tickets."""
    if manages(actor, community.pk):
        return YES
    if community.pk not in actor.communities:
        return no(_("You have no access to this community."))
    return YES if community.has_tickets else no(_("This community takes no tickets."), code="tickets_disabled")


def may_file_for_others(actor: Actor, community: Community) -> Answer:
    """Managers only (TICKETS-021)."""
    return YES if manages(actor, community.pk) else no(_("Only the management may file a ticket for somebody else."))


def may_ask_for_tickets_of(actor: Actor, community: Community, user_ids: Collection[int]) -> Answer:
    """A list by who filed it: managers for anybody, others for themselves (TICKETS-033)."""
    if manages(actor, community.pk) or set(user_ids) == {actor.user_id}:
        return YES
    return no(_("Only administrators of the location may ask for tickets of others."))


def may_ask_for_assignees(actor: Actor, community: Community) -> Answer:
    """A list by who works on it is the managers' (TICKETS-033)."""
    return YES if manages(actor, community.pk) else no(_("Only administrators of the location may ask for this."))


def may_work_on(actor: Actor, ticket: Ticket) -> Answer:
    """Status, assignee, type, notes and deletion are the managers' (TICKETS-044)."""
    return YES if manages(actor, ticket.community_id) else no(_("Only the management may do this."))


def is_requester(actor: Actor, ticket: Ticket) -> bool:
    """Who filed it, or its contact: whose word reopens it (PORTAL-070, conflict 3)."""
    return actor.user_id is not None and (
        (ticket.created_by_id == actor.user_id and not ticket.stranger) or ticket.contact_id in actor.contact_ids
    )


def roles_in(actor: Actor, community_id: int) -> frozenset[str]:
    """In which roles somebody lives in a community today, as ticket types name them."""
    roles = {o.role for o in actor.occupancies if o.community_id == community_id}
    return frozenset(roles | ({audience.BOARD} if community_id in actor.board_of else set()))


def may_rate(actor: Actor, ticket: Ticket) -> Answer:
    """Who filed it; its contact where the management filed it for somebody (PORTAL-071, conflict 7)."""
    for_somebody = bool(ticket.stranger) or (
        ticket.contact is not None and ticket.contact.user_id != ticket.created_by_id
    )
    own = ticket.contact_id in actor.contact_ids if for_somebody else ticket.created_by_id == actor.user_id
    if actor.user_id is not None and own:
        return YES
    return no(_("Only the person who filed this ticket can rate it."))


def may_share(actor: Actor, ticket: Ticket, keys: Collection[str]) -> Answer:
    """Managers with whom they like (PORTAL-065); whoever filed it, or its contact, with all neighbours or with nobody."""
    if manages(actor, ticket.community_id):
        return YES
    if is_requester(actor, ticket) and set(keys) <= {audience.community(ticket.community_id)}:
        return YES
    return no(_("Only the management may do this."))


def may_withdraw(actor: Actor, ticket: Ticket) -> Answer:
    """Whoever filed it, or its contact."""
    return YES if is_requester(actor, ticket) else no(_("Only the person who filed this ticket can withdraw it."))


def may_comment(actor: Actor, ticket: Ticket) -> Answer:
    """Participants and the assignee; whoever reads it by sharing only does not (PORTAL-066, TICKETS-048)."""
    if manages(actor, ticket.community_id) or is_requester(actor, ticket) or ticket.assignee_id in actor.membership_ids:
        return YES
    return no(_("Only those who take part in this ticket may comment."))


def may_delete_comment(actor: Actor, ticket: Ticket, comment: TicketActivity) -> Answer:
    """Its author, and managers (TICKETS-054)."""
    if (comment.user_id is not None and comment.user_id == actor.user_id) or manages(actor, ticket.community_id):
        return YES
    return no(_("Only its author and the management may delete a comment."))


def may_be_assigned(membership: Membership, community: Community) -> Answer:
    """Staff who look after the community today (TICKETS-042)."""
    if membership.user_id in audience.people_of([audience.managers(community.pk)], community.tenant):
        return YES
    return no(_("Only staff who look after this community can be assigned."), code="not_assignable")


def may_see_desk(actor: Actor) -> Answer:
    """The work list is for whoever looks after a community, administrators, and the operator."""
    if actor.managed or actor.is_operator or actor.admin_tenants:
        return YES
    return no(_("You do not look after any community."))


def may_set_up(actor: Actor, tenant_id: int | None) -> Answer:
    """Types, ready-made replies and rules of assignment are the administrators'."""
    return may_administer(actor, tenant_id)


def may_keep_filter(actor: Actor, saved: TicketFilter) -> Answer:
    """A saved filter is its owner's; a shared one is put away by administrators, too."""
    if saved.user_id == actor.user_id or (saved.is_shared and may_set_up(actor, saved.tenant_id)):
        return YES
    return no(_("Only whoever saved a filter may change it."))
