"""The work list: what an address asks for, and the tickets that fit. Lists, bulk changes, exports and reports share it.

A target that waits for its requester does not run: what counts then is the moment at which the waiting began.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Left
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from core.planned import ModelRows
from core.querysets import equals_any
from tickets.models import DONE, Priority, SupportType, Ticket, TicketActivity, TicketStatus
from tickets.services.targets import PAUSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import QueryDict

    from orgs.actor import Actor
    from tickets.querysets import TicketQuerySet

VIEWS: dict[str, Any] = {
    "": _("Everything"), "mine": _("Mine"), "unassigned": _("Unassigned"), "overdue": _("Overdue"),
    "unanswered": _("Requester wrote last"),
}  # fmt: skip
STATES: dict[str, Any] = {"": _("open"), "all": _("all"), "done": _("done"), **dict(TicketStatus.choices)}
TARGETS: dict[str, Any] = {"met": _("target met"), "missed": _("target missed"), "running": _("target running")}
ORDERS: dict[str, Any] = {
    "": _("newest first"), "oldest": _("oldest first"), "updated": _("last changed first"), "target": _("next target first"),
    "priority": _("most urgent first"), "number": _("by number"),
}  # fmt: skip
AGES = (1, 3, 7, 30)  # days: what is younger than each, and what is older than all of them
BEGINNING = 300  # characters of a description that a list reads
NAMES: dict[str, Any] = {
    "q": _("Search"), "view": _("Views"), "state": _("Status"), "kind": _("Support type"), "response": _("First response"),
    "resolution": _("Solution"), "order": _("Order"), "community": _("Community"), "type": _("Ticket type"),
    "assignee": _("Assignee"), "priority": _("Priority"), "age": _("Age"), "unit": _("Unit"), "since": _("Filed from"),
    "until": _("Filed until"), "done_since": _("Closed from"), "done_until": _("Closed until"),
}  # fmt: skip
_MAX_WORDS = 200
_TEXTS = ("q", "view", "state", "kind", "response", "resolution", "order")
_NUMBERS = ("community", "type", "assignee", "priority", "age", "unit")
_DAYS = ("since", "until", "done_since", "done_until")


@dataclass(frozen=True)
class Wish:
    """What somebody wants to see. What an address says that means nothing is left out."""

    q: str = ""
    view: str = ""
    state: str = ""
    kind: str = ""
    response: str = ""
    resolution: str = ""
    order: str = ""
    community: int | None = None
    unit: int | None = None
    type: int | None = None  # 0 = without a type
    assignee: int | None = None  # 0 = nobody
    priority: int | None = None
    age: int | None = None  # place in `AGES`; one more = older
    since: datetime.date | None = None
    until: datetime.date | None = None
    done_since: datetime.date | None = None
    done_until: datetime.date | None = None

    @property
    def query(self) -> str:
        """The query string of its address."""
        values = {name: getattr(self, name) for name in (*_TEXTS, *_NUMBERS, *_DAYS)}
        return urlencode({name: str(value) for name, value in values.items() if value not in ("", None)})

    def but(self, **changes: Any) -> Wish:
        """The same with some of it otherwise."""
        return replace(self, **changes)


def read(data: QueryDict | Mapping[str, str]) -> Wish:
    """What a query string asks for."""
    values: dict[str, Any] = {}
    known = {
        "view": VIEWS,
        "state": STATES,
        "kind": SupportType.values,
        "order": ORDERS,
        "response": TARGETS,
        "resolution": TARGETS,
    }
    for name in _TEXTS:
        written = str(data.get(name, "")).strip()
        if name == "q":
            values[name] = written.replace("\x00", "")[:_MAX_WORDS]
        elif written in known[name]:
            values[name] = written
    for name in _NUMBERS:
        written = str(data.get(name, "")).strip()
        if written.isascii() and written.isdigit() and len(written) < 10:
            values[name] = int(written)
    for name in _DAYS:
        try:
            values[name] = parse_date(str(data.get(name, "")).strip())
        except ValueError:
            continue
        if values[name] is not None and not 1900 < values[name].year < 9999:
            values[name] = None
    if values.get("priority") not in (None, *Priority.values):
        del values["priority"]
    if values.get("age", 0) > len(AGES):
        del values["age"]
    return Wish(**values)


def unread(data: QueryDict | Mapping[str, str], wish: Wish) -> list[str]:
    """The names, in words, of what an address asks for and nobody can read: the list is longer than it was meant to be."""
    asked = [name for name in (*_TEXTS, *_NUMBERS, *_DAYS) if str(data.get(name, "")).strip()]
    return [str(NAMES[name]) for name in asked if getattr(wish, name) in ("", None)]


def matching(actor: Actor, wish: Wish) -> Any:
    """The tickets that the actor works on and that fit, in the wanted order; merged ones only where their number leads."""
    found: TicketQuerySet[Any] = Ticket.objects.worked_on_by(actor)
    if wish.q:
        found = found.found_by(actor, wish.q)
    if actor.tenant_id is not None:
        found = found.filter(tenant=actor.tenant_id)
    found = _in_state(found, wish.state)
    found = _in_view(found, wish.view, actor)
    for name in ("community", "unit", "priority"):
        if getattr(wish, name) is not None:
            found = found.filter(**{name: getattr(wish, name)})
    for name, column in (("type", "ticket_type"), ("assignee", "assignee")):
        if (value := getattr(wish, name)) is not None:
            found = found.filter(**{column: value or None})
    if wish.kind:
        found = found.filter(support_type=wish.kind)
    found = _in_period(found, wish)
    for name, target in (("response", response), ("resolution", resolution)):
        if getattr(wish, name):
            found = found.filter(target(getattr(wish, name)))
    return _ordered(found, wish.order)


def _in_state(found: Any, state: str) -> Any:
    if state in TicketStatus.values:
        return found.filter(status=state)
    if state == "done":
        return found.filter(status__in=DONE)
    return found.filter(closed_at=None) if not state else found


def _in_view(found: Any, view: str, actor: Actor) -> Any:
    if view == "mine":
        return found.filter(assignee__in=actor.membership_ids)
    if view == "unassigned":
        return found.filter(assignee=None)
    if view == "overdue":
        return found.filter(overdue())
    if view == "unanswered":
        return found.alias(by_staff=last_word()).filter(Q(by_staff=False) | Q(by_staff=None), closed_at=None)
    return found


def _in_period(found: Any, wish: Wish) -> Any:
    for column, since, until in (
        ("created_at", wish.since, wish.until),
        ("closed_at", wish.done_since, wish.done_until),
    ):
        if since is not None:
            found = found.filter(**{f"{column}__gte": _midnight(since)})
        if until is not None:
            found = found.filter(**{f"{column}__lt": _midnight(until + datetime.timedelta(days=1))})
    return found.filter(of_age(wish.age)) if wish.age is not None else found


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def _ordered(found: Any, order: str) -> Any:
    if order == "target":
        return found.annotate(next_due=next_due()).order_by(F("next_due").asc(nulls_last=True), "-id")
    columns = {
        "oldest": ("id",),
        "updated": ("-updated_at", "-id"),
        "priority": ("-priority", "-id"),
        "number": ("community__sort_key", "community", "-number"),
    }
    return found.order_by(*columns.get(order, ("-id",)))


# --- Targets ------------------------------------------------------------------------------------------------


def _clock() -> Case:
    """Where the clock of an open ticket stands."""
    return Case(When(status__in=PAUSING, then=F("status_changed_at")), default=Value(timezone.now()))


def _target(column: str, reached: Any, result: str) -> Q:
    """``reached`` – the moment at which it was done, null while it is not."""
    if result == "met":
        return Q(**{f"{column}__gte": reached})
    if result == "missed":
        return Q(**{f"{column}__lt": Coalesce(reached, _clock())})
    return Q(**{f"{column}__gte": _clock(), "closed_at": None})


def response(result: str) -> Q:
    """By the first response: ``met``, ``missed`` or ``running``. Closing answers nothing (TICKETS-059): what was closed in
    time without a word is none of the three, and what was closed too late was missed."""
    if result == "met":
        return Q(response_due_at__gte=F("first_response_at"))
    found = _target("response_due_at", Coalesce(F("first_response_at"), F("closed_at")), result)
    return found & Q(first_response_at=None) if result == "running" else found


def resolution(result: str) -> Q:
    """By the end of the work: ``met``, ``missed`` or ``running``."""
    return _target("due_at", F("closed_at"), result)


def overdue() -> Q:
    """Open, and a target has passed that is still to be reached."""
    unanswered = Q(first_response_at=None, response_due_at__lt=_clock())
    return Q(closed_at=None) & (unanswered | Q(due_at__lt=_clock()))


def next_due() -> Case:
    """The next target of an open ticket: the first response, then the end."""
    return Case(
        When(closed_at__isnull=False, then=Value(None)),
        When(first_response_at=None, response_due_at__isnull=False, then=F("response_due_at")),
        default=F("due_at"),
    )


def of_age(place: int) -> Q:
    """Filed so long ago: by the place in `AGES`, one more for what is older than all of them."""
    now = timezone.now()
    found = Q()
    if place < len(AGES):
        found &= Q(created_at__gt=now - datetime.timedelta(days=AGES[place]))
    if place > 0:
        found &= Q(created_at__lte=now - datetime.timedelta(days=AGES[place - 1]))
    return found


def last_word() -> Subquery:
    """Whether staff spoke last; null where nobody has spoken since it was filed."""
    said = TicketActivity.objects.filter(
        Q(kind="comment") | Q(kind="event", data__event="merged_comment"), ticket=OuterRef("pk"), deleted_at=None
    )
    return Subquery(said.order_by("-created_at", "-id").values("from_staff")[:1], output_field=BooleanField())


# --- Rows ---------------------------------------------------------------------------------------------------


_PERSON = ("id", "first_name", "last_name", "erased_at")
_LINES = ModelRows(
    """
    SELECT {t}, {c}, {u}, {p}, {f}, {m}, {a}, {y}, g.by_staff, g.target_at, g.is_late, g.has_parts, g.beginning
      FROM (found) AS g JOIN tickets_ticket t ON t.id = g.pk JOIN orgs_community c ON c.id = t.community_id
      JOIN orgs_user f ON f.id = t.created_by_id LEFT JOIN orgs_unit u ON u.id = t.unit_id
      LEFT JOIN orgs_contact p ON p.id = t.contact_id LEFT JOIN orgs_membership m ON m.id = t.assignee_id
      LEFT JOIN orgs_user a ON a.id = m.user_id LEFT JOIN tickets_tickettype y ON y.id = t.ticket_type_id
    """,
    only={
        "t": (
            "id", "number", "identifier", "title", "stranger", "answers", "status", "priority", "support_type", "rating", "parent_id",
            "merged_into_id", "created_at", "updated_at", "first_response_at", "response_due_at", "due_at", "closed_at",
        ),
        "c": ("id", "name", "code", "identifier"),
        "u": ("id", "name"),
        "p": (*_PERSON, "title", "company", "number"),
        "f": (*_PERSON, "username"),
        "m": ("id",),
        "a": (*_PERSON, "username"),
        "y": ("id", "name", "icon"),
    },
    t="tickets.Ticket", c="orgs.Community", u="orgs.Unit", p="orgs.Contact", f="orgs.User", m="orgs.Membership",
    a="orgs.User", y="tickets.TicketType",
)  # fmt: skip


def lines(actor: Actor, ids: Sequence[int]) -> list[Any]:
    """The tickets with these ids that the actor works on, in this order, with all that a line of the list shows; one query.

    Which they are is asked before, without what a line shows: a search finds thousands to show fifty.
    """
    found = Ticket.objects.worked_on_by(actor).filter(equals_any("pk", ids)).order_by()
    late = Case(When(overdue(), then=Value(True)), default=Value(False), output_field=BooleanField())
    parts = Ticket.objects.filter(parent=OuterRef("pk"), deleted_at=None)
    marks = {
        "by_staff": last_word(), "target_at": next_due(), "is_late": late, "has_parts": Exists(parts),
        "beginning": Left("description", BEGINNING),
    }  # fmt: skip
    rows = {}
    for (
        ticket,
        *related,
        assignee,
        of_assignee,
        kind,
        by_staff,
        target_at,
        is_late,
        has_parts,
        beginning,
    ) in _LINES.fetch_around(found.annotate(**marks).values("pk", *marks)):
        ticket.community, ticket.unit, ticket.contact, ticket.created_by = related
        ticket.assignee, ticket.ticket_type = assignee, kind
        if assignee is not None:
            assignee.user = of_assignee
        ticket.by_staff, ticket.target_at, ticket.is_late, ticket.has_parts = by_staff, target_at, is_late, has_parts
        ticket.beginning = beginning
        rows[ticket.pk] = ticket
    return [rows[pk] for pk in ids if pk in rows]


def beginning_only(found: Any) -> Any:
    """With ``beginning`` in place of the whole description, which may be long."""
    return found.defer("description").annotate(beginning=Left("description", BEGINNING))


def neighbours(actor: Actor, wish: Wish, ticket: Ticket, *, most: int = 1000) -> tuple[int | None, int | None]:
    """The tickets before and after this one among the first ``most`` of a list. One query."""
    ids = list(matching(actor, wish).values_list("pk", flat=True)[:most])
    if ticket.pk not in ids:
        return (None, ids[0] if ids else None)
    at = ids.index(ticket.pk)
    return (ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
