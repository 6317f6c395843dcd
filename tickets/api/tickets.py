"""Tickets of a location: listed, created, read, changed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework.response import Response

from core.api import whole
from core.errors import Invalid, NotFound
from orgs.models import Membership, User
from orgs.services.contacts import contact_for
from tickets import rules
from tickets.api import bodies, lists
from tickets.api.base import NETWORK_ID, SOURCE, TICKET_ID, SupportView, as_uuid, in_envelope, wrong
from tickets.api.errors import operation
from tickets.api.repeats import IDEMPOTENCY_KEY, RepeatableView
from tickets.api.rows import lines
from tickets.api.shapes import WRITTEN, Shaper, TicketPage, TicketWithActivities, TicketWithActivity, stored
from tickets.models import Ticket
from tickets.services import changes, filing, people

if TYPE_CHECKING:
    import uuid

    from rest_framework.request import Request

    from orgs.models import Community, Contact


class Tickets(RepeatableView):
    """`/support/tickets/v1`."""

    @operation(
        "getSupportTickets", tag="Support", summary="List tickets of a location",
        description="Cursor-paged. Callers who are not administrators of the location see their own tickets only.",
        gives=TicketPage, parameters=lists.PARAMETERS, refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first, a page at a time (TICKETS-028 … 034)."""
        sent = request.query_params
        if "locationRef" not in sent:
            raise wrong("locationRef", _("This parameter is required."))
        location = self.location(as_uuid(sent["locationRef"], "locationRef"))
        limit = whole(request, "limit", default=25, least=1, most=100)
        order = lists.Order.of(sent.get("order", "createDate:desc"))
        found = Ticket.objects.of_participants_in(self.actor, location)
        found = found.filter(lists.filters(self.actor, location, sent))
        if "nextPageToken" in sent:
            found = found.filter(order.after(sent["nextPageToken"]))
        rows = order.sort(lines(found.order_by(*order.columns)[: limit + 1]))
        page: dict[str, Any] = {"tickets": Shaper(self.actor, location).tickets(rows[:limit])}
        if len(rows) > limit:
            token = order.token(rows[limit - 1])
            page |= {"nextPageToken": token, "searchQueryNext": urlencode({**sent.dict(), "nextPageToken": token})}
        return Response(page)

    @operation(
        "createSupportTicket", tag="Support", summary="Create a ticket",
        description="Stores the ticket and its first activity and answers with both.", takes=bodies.TicketCreateBody,
        gives={201: OpenApiResponse(TicketWithActivities, description="Created.")},
        parameters=(NETWORK_ID, IDEMPOTENCY_KEY), refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """See `filing.file_ticket` (TICKETS-010 … 023)."""
        sent = self.body(bodies.TicketCreateBody)["ticket"]
        return self.once(request, lambda: self._create(sent))

    def _create(self, sent: dict[str, Any]) -> dict[str, Any]:
        location = self.location(sent["locationRef"])
        requester, contact = self._requester(location, sent.get("userRefRequester"))
        assert self.actor.user is not None
        shaper = Shaper(self.actor, location)
        shaper.meet(self.actor.user, requester)  # before the number is taken: from then on others wait
        try:
            filed = filing.file_ticket(
                actor=self.actor, community=location, text=sent["text"], support_type=sent["type"],
                requester=contact, source=SOURCE,
            )  # fmt: skip
        except Invalid as error:
            raise in_envelope(error, "ticket") from error
        return shaper.new(filed, requester)

    def _requester(self, location: Community, ref: uuid.UUID | None) -> tuple[User, Contact | None]:
        """On whose behalf, with the entry of the register where it is not the caller's own.

        Raises `Denied` for a member who names another (021), `Invalid` for whoever has no place.
        """
        assert self.actor.user is not None
        if ref is None or ref == self.actor.user.uuid:
            return self.actor.user, None
        rules.require(rules.may_file_for_others(self.actor, location))
        user = User.objects.filter(uuid=ref, erased_at=None).first()
        place = people.places(location, [user.pk]).get(user.pk) if user is not None else None
        if user is None or place is None or not place.has_place:
            raise wrong("ticket.userRefRequester", _("This person has no place in the location."))
        return user, contact_for(user, location.tenant)


class OneTicket(SupportView):
    """`/support/tickets/v1/{id}`."""

    @operation(
        "getSupportTicket", tag="Support", summary="Read a ticket with its activities",
        gives=TicketWithActivities, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, id: str) -> Response:
        """The ticket and its whole stream, oldest first (TICKETS-035)."""
        found = lines(Ticket.objects.of_participants(self.actor).filter(uuid=as_uuid(id, "id")))
        if not found:
            raise NotFound(_("There is no such ticket."))
        return Response(Shaper(self.actor, self.location(found[0].location)).with_stream(found[0]))

    @operation(
        "deleteSupportTicket", tag="Support", summary="Delete a ticket",
        description="For administrators. The number is never given out again.",
        gives={204: OpenApiResponse(description="Deleted.")}, parameters=(TICKET_ID, NETWORK_ID),
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, id: str) -> Response:
        """See `changes.delete` (TICKETS-027, 044)."""
        changes.delete(actor=self.actor, ticket=self.ticket(id))
        return Response(status=204)


class _Changing(SupportView):
    def changed(self, done: changes.Changed) -> Response:
        """The ticket, and the entry if there is one."""
        shaper = Shaper(self.actor, done.ticket.community)
        answer: dict[str, Any] = {"ticket": shaper.ticket(done.ticket.pk)}
        if done.activity is not None:
            told = shaper.activities(done.ticket.uuid, [done.activity])
            answer |= {"activity": told[0]} if told else {}
        return Response(answer)


class Assignee(_Changing):
    """`/support/tickets/v1/{id}/assignee`."""

    @operation(
        "updateSupportTicketAssignee", tag="Support", summary="Assign or unassign a ticket", takes=bodies.AssigneeBody,
        gives=TicketWithActivity, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, id: str) -> Response:
        """See `changes.assign` (TICKETS-040 … 043)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        sent = self.body(bodies.AssigneeBody)["ticket"]
        try:
            done = changes.assign(actor=self.actor, ticket=ticket, assignee=_assignee(ticket, sent), source=SOURCE)
        except Invalid as error:
            if error.code != "not_assignable":
                raise
            raise Invalid(
                error.message, code=error.code, fields={"ticket.userRefAssignee": [str(error.message)]}
            ) from error
        return self.changed(done)


class Status(_Changing):
    """`/support/tickets/v1/{id}/status`."""

    @operation(
        "updateSupportTicketStatus", tag="Support", summary="Change the status of a ticket", takes=bodies.StatusBody,
        gives=TicketWithActivity, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, id: str) -> Response:
        """See `changes.set_status` (TICKETS-036 … 039)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        word = self.body(bodies.StatusBody)["ticket"]["status"]
        return self.changed(
            changes.set_status(
                actor=self.actor, ticket=ticket, status=WRITTEN[word].value, source=SOURCE, same=stored(word)
            )
        )


class Type(SupportView):
    """`/support/tickets/v1/{id}/type`."""

    @operation(
        "updateSupportTicketType", tag="Support", summary="Change the type of a ticket",
        description="Leaves no entry in the activity stream.", takes=bodies.TypeBody,
        gives={204: OpenApiResponse(description="Changed.")}, parameters=(TICKET_ID, NETWORK_ID),
        refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def patch(self, request: Request, id: str) -> Response:
        """See `changes.set_type` (TICKETS-045)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        changes.set_type(actor=self.actor, ticket=ticket, support_type=self.body(bodies.TypeBody)["ticket"]["type"])
        return Response(status=204)


def _assignee(ticket: Ticket, sent: dict[str, Any]) -> Membership | None:
    """The membership that the references name; none to unassign.

    Raises `Invalid` for nobody of the company, and when both are sent and name different people (TICKETS-043).
    """
    found: list[Membership | None] = []
    here = Membership.objects.living().select_related("user").filter(organization=ticket.tenant_id)
    for name, lookup in (("userRefAssignee", "user__uuid"), ("membershipRefAssignee", "uuid")):
        if name not in sent:
            continue
        member = here.filter(**{lookup: sent[name]}).first() if sent[name] is not None else None
        if sent[name] is not None and member is None:
            raise wrong(f"ticket.{name}", _("Only staff who look after this community can be assigned."))
        found.append(member)
    if len({member.pk if member else None for member in found}) > 1:
        raise wrong("ticket.membershipRefAssignee", _("The two references name different people."))
    return found[0]
