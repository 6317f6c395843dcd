"""What a list of tickets may be asked for: filters, order, and the page after the last one (TICKETS-028 … 034)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from orgs.models import Membership
from tickets import rules
from tickets.api.base import NETWORK_ID, as_uuid, wrong
from tickets.api.shapes import STATUS_WORDS, stored
from tickets.models import SupportType

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

    from orgs.actor import Actor
    from orgs.models import Community
    from tickets.api.rows import Line

LIST_MAX = 100  # ids of a filter
TOKEN_MAX = 1024  # characters
ORDERS = ("createDate:asc", "createDate:desc", "updateDate:asc", "updateDate:desc")
_SALT = "tickets.page"
_COLUMNS = {"createDate": "created_at", "updateDate": "updated_at"}


def _query(name: str, schema: Any, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **options)


_IDS = {"type": "string", "maxLength": 3699, "pattern": "^[0-9a-fA-F-]{36}(,[0-9a-fA-F-]{36}){0,99}$"}
PARAMETERS = (
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


def filters(actor: Actor, location: Community, sent: Mapping[str, str]) -> Q:
    """What the parameters of a list leave of a location's tickets.

    Raises `Invalid` naming the parameter, `Denied` for a member who asks for others (TICKETS-033).
    """
    wanted = Q()
    if "membershipRefRequester" in sent:
        wanted &= _by_requester(actor, location, sent["membershipRefRequester"])
    if "userRefAssignee" in sent:
        rules.require(rules.may_ask_for_assignees(actor, location))
        wanted &= Q(assignee__user__uuid__in=_ids(sent["userRefAssignee"], "userRefAssignee"))
    if "status" in sent:
        words = _words(sent["status"], "status", STATUS_WORDS)
        wanted &= Q(status__in=set().union(*(stored(word) for word in words)))
    if "type" in sent:
        wanted &= Q(support_type__in=_words(sent["type"], "type", tuple(SupportType.values)))
    for name, lookup in (("updateDate[gte]", "updated_at__gte"), ("updateDate[lte]", "updated_at__lte")):
        if name in sent:
            wanted &= Q(**{lookup: _moment(sent[name], name)})
    return wanted


def _by_requester(actor: Actor, location: Community, text: str) -> Q:
    ids = _ids(text, "membershipRefRequester")
    found = Membership.objects.living().filter(organization=location.tenant_id, uuid__in=ids)
    users = dict(found.values_list("uuid", "user_id"))
    rules.require(rules.may_ask_for_tickets_of(actor, location, users.values()))
    if len(users) < len(ids):
        raise wrong("membershipRefRequester", _("There is no such membership in this location."))
    return Q(contact__user__in=users.values())


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


# --- Order and pages ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """By which column, and which end comes first; ties go by the number."""

    column: str
    is_descending: bool

    @classmethod
    def of(cls, text: str) -> Order:
        """Raises `Invalid` for none of `ORDERS` (TICKETS-032)."""
        if text not in ORDERS:
            raise wrong("order", _("Must be one of: %(values)s.") % {"values": ", ".join(ORDERS)})
        name, _colon, direction = text.partition(":")
        return cls(_COLUMNS[name], direction == "desc")

    @property
    def columns(self) -> list[str]:
        """For ``order_by``."""
        sign = "-" if self.is_descending else ""
        return [f"{sign}{self.column}", f"{sign}id"]

    def sort(self, tickets: Iterable[Line]) -> list[Line]:
        """As `columns` do."""
        return sorted(tickets, key=lambda t: (getattr(t, self.column), t.pk), reverse=self.is_descending)

    def token(self, last: Line) -> str:
        """Where the next page begins: after this ticket, whatever is created meanwhile (TICKETS-031)."""
        place = [self.column, self.is_descending, getattr(last, self.column).isoformat(), last.pk]
        return signing.dumps(place, salt=_SALT)

    def after(self, token: str) -> Q:
        """What follows. Raises `Invalid` for a token that this list, in this order, did not give."""
        try:
            column, is_descending, moment, pk = signing.loads(token[: TOKEN_MAX + 1], salt=_SALT)
        except (signing.BadSignature, ValueError):
            column = is_descending = None
        if (column, is_descending) != (self.column, self.is_descending):
            raise wrong("nextPageToken", _("This token does not belong to this list."))
        at, side = datetime.datetime.fromisoformat(moment), "lt" if self.is_descending else "gt"
        # The first bound says nothing that the second does not; it is what an index is entered by.
        return Q(**{f"{column}__{side}e": at}) & (Q(**{f"{column}__{side}": at}) | Q(**{f"id__{side}": pk}))
