"""Tickets of a location: listed, created, read, changed, deleted."""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.response import Response

from core.api import whole
from core.errors import Denied, Invalid
from core.http import dumps
from orgs.models import Membership, User
from orgs.services.contacts import contact_for
from tickets import rules
from tickets.api.base import NETWORK_ID, TICKET_ID, SupportView, as_uuid, wrong
from tickets.api.errors import operation
from tickets.api.shapes import (
    STATUS_WORDS,
    WRITTEN,
    Shaper,
    TicketPage,
    TicketWithActivities,
    TicketWithActivity,
    stored,
)
from tickets.models import SupportType, Ticket, TicketActivity
from tickets.services import changes, filing, idempotency, people

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from rest_framework.request import Request

    from orgs.models import Community, Contact

TEXT_MAX = 20_000  # characters
LIST_MAX = 100  # ids of a filter
TOKEN_MAX = 1024  # characters
SOURCE = TicketActivity.Source.SUPPORT
ORDERS = ("createDate:asc", "createDate:desc", "updateDate:asc", "updateDate:desc")
_COLUMNS = {"createDate": "created_at", "updateDate": "updated_at"}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 255}, OpenApiParameter.HEADER,
    description="Caller-chosen value that makes a repeated creation return the first result for 24 hours.",
)  # fmt: skip


# --- What is sent -------------------------------------------------------------------------------------------


class TextField(serializers.CharField):
    """Text of people, kept as it is; blanks alone are none (TICKETS-013)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=TEXT_MAX, min_length=1, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Raises `ValidationError` for anything that is no text."""
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip():
            self.fail("blank")
        return str(super().to_internal_value(data))


class TicketCreate(serializers.Serializer):
    """A new ticket."""

    locationRef = serializers.UUIDField()
    text = TextField()
    type = serializers.ChoiceField(
        SupportType.values, default=SupportType.OTHER.value, help_text="Required by the publisher, optional here."
    )
    userRefRequester = serializers.UUIDField(
        required=False, help_text="On whose behalf; the authenticated user when left out."
    )


class TicketCreateBody(serializers.Serializer):
    """The envelope."""

    ticket = TicketCreate()


class AssigneeUpdate(serializers.Serializer):
    """Who takes it."""

    membershipRefAssignee = serializers.UUIDField(
        required=False, allow_null=True, help_text="Older way to name the assignee; null unassigns."
    )
    userRefAssignee = serializers.UUIDField(
        required=False, allow_null=True, help_text="User to assign; null unassigns."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if not attrs:
            raise serializers.ValidationError(_("Name an assignee, or null."))
        return attrs


class AssigneeBody(serializers.Serializer):
    """The envelope."""

    ticket = AssigneeUpdate()


class StatusUpdate(serializers.Serializer):
    """The new status."""

    status = serializers.ChoiceField(STATUS_WORDS)


class StatusBody(serializers.Serializer):
    """The envelope."""

    ticket = StatusUpdate()


class TypeUpdate(serializers.Serializer):
    """The new type."""

    type = serializers.ChoiceField(SupportType.values)


class TypeBody(serializers.Serializer):
    """The envelope."""

    ticket = TypeUpdate()


# --- Views --------------------------------------------------------------------------------------------------


def _query(name: str, schema: Any, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **options)


_IDS = {"type": "string", "maxLength": 3699, "pattern": "^[0-9a-fA-F-]{36}(,[0-9a-fA-F-]{36}){0,99}$"}
_PARAMETERS = (
    NETWORK_ID,
    _query("locationRef", OpenApiTypes.UUID, "Location whose tickets are wanted.", required=True),
    _query(
        "limit",
        {"type": "integer", "format": "int64", "minimum": 1, "maximum": 100, "default": 25},
        "Page size.",
    ),
    _query("membershipRefRequester", _IDS, "One to 100 distinct membership UUIDs, separated by commas without blanks."),
    _query("userRefAssignee", _IDS, "One to 100 distinct user UUIDs, separated by commas. For administrators only."),
    _query(
        "order", {"type": "string", "enum": list(ORDERS), "default": "createDate:desc"}, "Sort field and direction."
    ),
    _query(
        "nextPageToken", {"type": "string", "minLength": 1, "maxLength": TOKEN_MAX}, "Cursor of the preceding page."
    ),
    _query(
        "status",
        {"type": "string", "pattern": "^(closed|inProgress|new|solved)(,(closed|inProgress|new|solved)){0,3}$"},
        "One or more statuses separated by commas.",
    ),
    _query("type", {"type": "string", "maxLength": 400}, "One or more ticket types separated by commas."),
    _query("updateDate[gte]", OpenApiTypes.DATETIME, "Only tickets changed at or after this moment."),
    _query("updateDate[lte]", OpenApiTypes.DATETIME, "Only tickets changed at or before this moment."),
)


class RepeatableView(SupportView):
    """Answers a repeated request with the first result (TICKETS-056)."""

    def once(self, request: Request, work: Callable[[], Any]) -> Response:
        """Do the work and answer 201, or what was answered under this key before.

        Raises `Invalid` for a key that is none, `Conflict` for one that came with another body.
        """
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return Response(work(), status=201)
        if not 0 < len(key) <= 255:
            raise wrong("Idempotency-Key", _("Must have 1 to 255 characters."))
        body = hashlib.sha256(request.path.encode() + b"\n" + dumps(request.data)).digest()
        status, answer = idempotency.once(
            credential=f"access:{request.auth.pk}", key=key, body_hash=body, tenant_id=self.network.pk, status=201,
            work=work,
        )  # fmt: skip
        return Response(answer, status=status)


class Tickets(RepeatableView):
    """`/support/tickets/v1`."""

    @operation(
        "getSupportTickets", tag="Support", summary="List tickets of a location",
        description="Cursor-paged. Callers who are not administrators of the location see their own tickets only.",
        gives=TicketPage, parameters=_PARAMETERS, refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Newest first, a page at a time (TICKETS-028 … 034)."""
        sent = request.query_params
        if "locationRef" not in sent:
            raise wrong("locationRef", _("This parameter is required."))
        location = self.location(as_uuid(sent["locationRef"], "locationRef"))
        limit = whole(request, "limit", default=25, least=1, most=100)
        column, is_descending = _order(sent.get("order", "createDate:desc"))
        found = Ticket.objects.of_participants(self.actor).filter(community=location)
        found = found.filter(self._filters(request, location)).select_related("contact__user", "assignee__user")
        if "nextPageToken" in sent:
            found = found.filter(_after(sent["nextPageToken"], column, is_descending))
        sign = "-" if is_descending else ""
        rows = list(found.order_by(f"{sign}{column}", f"{sign}id")[: limit + 1])
        page: dict[str, Any] = {"tickets": Shaper(self.actor, location).tickets(rows[:limit])}
        if len(rows) > limit:
            token = _token(rows[limit - 1], column, is_descending)
            page |= {"nextPageToken": token, "searchQueryNext": urlencode({**sent.dict(), "nextPageToken": token})}
        return Response(page)

    def _filters(self, request: Request, location: Community) -> Q:
        sent, wanted = request.query_params, Q()
        if "membershipRefRequester" in sent:
            wanted &= self._by_requester(sent["membershipRefRequester"], location)
        if "userRefAssignee" in sent:
            if not rules.manages(self.actor, location.pk):
                raise Denied(_("Only administrators of the location may ask for this."))
            ids = _ids(sent["userRefAssignee"], "userRefAssignee")
            wanted &= Q(assignee__user__uuid__in=ids)
        if "status" in sent:
            words = _words(sent["status"], "status", STATUS_WORDS)
            wanted &= Q(status__in=set().union(*(stored(word) for word in words)))
        if "type" in sent:
            wanted &= Q(support_type__in=_words(sent["type"], "type", tuple(SupportType.values)))
        for name, lookup in (("updateDate[gte]", "updated_at__gte"), ("updateDate[lte]", "updated_at__lte")):
            if name in sent:
                wanted &= Q(**{lookup: _moment(sent[name], name)})
        return wanted

    def _by_requester(self, text: str, location: Community) -> Q:
        """Raises `Denied` for foreign memberships of a member's (TICKETS-033), `Invalid` for those of no one here."""
        ids = _ids(text, "membershipRefRequester")
        found = Membership.objects.filter(organization=location.tenant_id, uuid__in=ids)
        users = dict(found.values_list("uuid", "user_id"))
        if not rules.manages(self.actor, location.pk) and set(users.values()) != {self.actor.user_id}:
            raise Denied(_("Only administrators of the location may ask for tickets of others."))
        if len(users) < len(ids):
            raise wrong("membershipRefRequester", _("There is no such membership in this location."))
        return Q(contact__user__in=users.values())

    @operation(
        "createSupportTicket", tag="Support", summary="Create a ticket",
        description="Stores the ticket and its first activity and answers with both.", takes=TicketCreateBody,
        gives={201: OpenApiResponse(TicketWithActivities, description="Created.")},
        parameters=(NETWORK_ID, IDEMPOTENCY_KEY), refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """See `filing.file_ticket` (TICKETS-010 … 023)."""
        sent = self.body(TicketCreateBody)["ticket"]
        return self.once(request, lambda: self._create(sent))

    def _create(self, sent: dict[str, Any]) -> dict[str, Any]:
        location = self.location(sent["locationRef"])
        requester = self._requester(location, sent.get("userRefRequester"))
        try:
            filed = filing.file_ticket(
                actor=self.actor, community=location, text=sent["text"], support_type=sent["type"],
                requester=requester, source=SOURCE,
            )  # fmt: skip
        except Invalid as error:
            raise in_envelope(error, "ticket") from error
        shaper = Shaper(self.actor, location)
        return {
            "activities": shaper.activities(filed.ticket, [filed.activity]),
            "ticket": shaper.ticket(filed.ticket),
        }

    def _requester(self, location: Community, ref: uuid.UUID | None) -> Contact | None:
        """On whose behalf. Raises `Denied` for a member who names another (021), `Invalid` for whoever has no place."""
        assert self.actor.user is not None
        if ref is None or ref == self.actor.user.uuid:
            return None
        if not rules.manages(self.actor, location.pk):
            raise Denied(_("Only the management may file a ticket for somebody else."))
        user = User.objects.filter(uuid=ref, erased_at=None).first()
        place = people.places(location, [user.pk]).get(user.pk) if user is not None else None
        if user is None or place is None or not place.has_place:
            raise wrong("ticket.userRefRequester", _("This person has no place in the location."))
        return contact_for(user, location.tenant)


class OneTicket(SupportView):
    """`/support/tickets/v1/{id}`."""

    @operation(
        "getSupportTicket", tag="Support", summary="Read a ticket with its activities",
        gives=TicketWithActivities, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, id: str) -> Response:
        """The ticket and its whole stream, oldest first (TICKETS-035)."""
        ticket = self.ticket(id)
        return Response(Shaper(self.actor, ticket.community).with_stream(ticket))

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
        ticket = Ticket.objects.select_related("contact__user", "assignee__user").get(pk=done.ticket.pk)
        shaper = Shaper(self.actor, done.ticket.community)
        answer: dict[str, Any] = {"ticket": shaper.ticket(ticket)}
        if done.activity is not None:
            told = shaper.activities(ticket, [done.activity])
            answer |= {"activity": told[0]} if told else {}
        return Response(answer)


class Assignee(_Changing):
    """`/support/tickets/v1/{id}/assignee`."""

    @operation(
        "updateSupportTicketAssignee", tag="Support", summary="Assign or unassign a ticket", takes=AssigneeBody,
        gives=TicketWithActivity, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, id: str) -> Response:
        """See `changes.assign` (TICKETS-040 … 043)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        sent = self.body(AssigneeBody)["ticket"]
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
        "updateSupportTicketStatus", tag="Support", summary="Change the status of a ticket", takes=StatusBody,
        gives=TicketWithActivity, parameters=(TICKET_ID, NETWORK_ID), refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, id: str) -> Response:
        """See `changes.set_status` (TICKETS-036 … 039)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        word = self.body(StatusBody)["ticket"]["status"]
        return self.changed(
            changes.set_status(
                actor=self.actor, ticket=ticket, status=WRITTEN[word].value, source=SOURCE, same=stored(word)
            )
        )


class Type(SupportView):
    """`/support/tickets/v1/{id}/type`."""

    @operation(
        "updateSupportTicketType", tag="Support", summary="Change the type of a ticket",
        description="Leaves no entry in the activity stream.", takes=TypeBody,
        gives={204: OpenApiResponse(description="Changed.")}, parameters=(TICKET_ID, NETWORK_ID),
        refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def patch(self, request: Request, id: str) -> Response:
        """See `changes.set_type` (TICKETS-045)."""
        ticket = self.ticket(id)
        rules.require(rules.may_work_on(self.actor, ticket))
        changes.set_type(actor=self.actor, ticket=ticket, support_type=self.body(TypeBody)["ticket"]["type"])
        return Response(status=204)


def _assignee(ticket: Ticket, sent: dict[str, Any]) -> Membership | None:
    """The membership that the references name; none to unassign.

    Raises `Invalid` for nobody of the company, and when both are sent and name different people (TICKETS-043).
    """
    found: list[Membership | None] = []
    here = Membership.objects.select_related("user").filter(organization=ticket.tenant_id)
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


def in_envelope(error: Invalid, envelope: str) -> Invalid:
    """A service's refusal with the names that were sent."""
    fields = {f"{envelope}.{name}": texts for name, texts in error.fields.items()}
    return Invalid(error.message, code=error.code, fields=fields)


# --- Filters and cursors --------------------------------------------------------------------------------------


def _order(text: str) -> tuple[str, bool]:
    if text not in ORDERS:
        raise wrong("order", _("Must be one of: %(values)s.") % {"values": ", ".join(ORDERS)})
    name, _colon, direction = text.partition(":")
    return _COLUMNS[name], direction == "desc"


def _ids(text: str, name: str) -> list[uuid.UUID]:
    """Raises `Invalid` for a blank, a repeated or more than 100 ids (TICKETS-034)."""
    parts = text.split(",")
    if len(parts) > LIST_MAX:
        raise wrong(name, _("At most %(most)d ids.") % {"most": LIST_MAX})
    ids = [as_uuid(part, name) for part in parts]
    if len(set(ids)) < len(ids):
        raise wrong(name, _("Each id may stand once."))
    return ids


def _words(text: str, name: str, known: tuple[str, ...]) -> set[str]:
    words = set(text.split(","))
    if words - set(known):
        raise wrong(name, _("Must be one of: %(values)s.") % {"values": ", ".join(known)})
    return words


def _moment(text: str, name: str) -> datetime.datetime:
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None:
        raise wrong(name, _("Must be a date and time as in RFC 3339."))
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _token(last: Ticket, column: str, is_descending: bool) -> str:
    """Where the next page begins: after this ticket, whatever is created meanwhile (TICKETS-031)."""
    return signing.dumps([column, is_descending, getattr(last, column).isoformat(), last.pk], salt="tickets.page")


def _after(token: str, column: str, is_descending: bool) -> Q:
    """Raises `Invalid` for a token that this list, in this order, did not give."""
    try:
        known, direction, moment, pk = signing.loads(token[: TOKEN_MAX + 1], salt="tickets.page")
    except (signing.BadSignature, ValueError):
        known = None
    if known != column or direction != is_descending:
        raise wrong("nextPageToken", _("This token does not belong to this list."))
    at, side = datetime.datetime.fromisoformat(moment), "lt" if is_descending else "gt"
    return Q(**{f"{column}__{side}": at}) | Q(**{column: at, f"id__{side}": pk})
