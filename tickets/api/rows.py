"""Tickets and entries as the support door reads them: only what it shows, by one statement around what a queryset finds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from core.planned import ModelRows, around, planned_cursor
from tickets.services.people import PERSON, Person

if TYPE_CHECKING:
    import datetime
    import uuid
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from orgs.models import Community, User
    from tickets.models import Ticket, TicketActivity, TicketAttachment


class Line(NamedTuple):
    """A ticket."""

    pk: int
    uuid: uuid.UUID
    created_at: datetime.datetime
    updated_at: datetime.datetime
    number: int
    status: str
    support_type: str
    description: str
    status_changed_at: datetime.datetime | None
    location: uuid.UUID
    requester: Person | None
    assignee: Person | None

    @classmethod
    def of_new(cls, ticket: Ticket, location: Community, requester: User) -> Line:
        """A ticket that was filed just now, as it is stored: nobody has it yet."""
        return cls(
            ticket.pk, ticket.uuid, ticket.created_at, ticket.updated_at, ticket.number, ticket.status,
            ticket.support_type, ticket.description, None, location.uuid, Person.of(requester), None,
        )  # fmt: skip


class Entry(NamedTuple):
    """An entry of a stream, by the names that a `TicketActivity` has."""

    pk: int
    uuid: uuid.UUID
    created_at: datetime.datetime
    kind: str
    user_id: int | None
    text: str
    data: Mapping[str, Any]
    automatic_name: str


_LINES = f"""
SELECT t.id, t.uuid, t.created_at, t.updated_at, t.number, t.status, t.support_type, t.description, t.status_changed_at,
       p.uuid, {PERSON.format("r")}, {PERSON.format("a")}
  FROM (found) AS f JOIN tickets_ticket t ON t.id = f.pk JOIN orgs_community p ON p.id = t.community_id
  LEFT JOIN orgs_contact c ON c.id = t.contact_id LEFT JOIN orgs_user r ON r.id = c.user_id AND r.erased_at IS NULL
  LEFT JOIN orgs_membership m ON m.id = t.assignee_id LEFT JOIN orgs_user a ON a.id = m.user_id
"""  # noqa: S608 - constant text
_OWN = 10  # columns of the ticket itself
_ENTRIES = """
SELECT a.id, a.uuid, a.created_at, a.kind, a.user_id, a.text, nullif(a.data, '{}')::text, a.automatic_name
  FROM (found) AS f JOIN tickets_ticketactivity a ON a.id = f.pk ORDER BY a.created_at, a.id
"""
_NOTHING: Mapping[str, Any] = MappingProxyType({})  # what most entries carry
_FILES = ModelRows(
    """
    SELECT {f}, {b} FROM tickets_ticketattachment f JOIN core_blob b ON b.id = f.blob_id
     WHERE f.activity_id = ANY(%(entries)s) ORDER BY f.position, f.id
    """,
    f="tickets.TicketAttachment",
    b="core.Blob",
)


def lines(found: QuerySet[Ticket]) -> list[Line]:
    """The tickets that a queryset finds, in any order; an erased requester is none."""
    rows = _around(_LINES, found)
    size = len(Person._fields)
    return [Line._make((*row[:_OWN], _person(row[_OWN : _OWN + size]), _person(row[_OWN + size :]))) for row in rows]


def entries(found: QuerySet[TicketActivity]) -> list[Entry]:
    """The entries that a queryset finds, oldest first."""
    return [
        Entry._make((*row[:6], orjson.loads(row[6]) if row[6] else _NOTHING, row[7]))
        for row in _around(_ENTRIES, found)
    ]


def files_of(entry_ids: Iterable[int]) -> dict[int, list[TicketAttachment]]:
    """Files by their entry, each with its ``blob``."""
    found: dict[int, list[TicketAttachment]] = {}
    for file, blob in _FILES.fetch({"entries": sorted(entry_ids)}):
        file.blob = blob
        found.setdefault(file.activity_id, []).append(file)
    return found


def _person(values: tuple[Any, ...]) -> Person | None:
    return None if values[0] is None else Person._make(values)


def _around(statement: str, found: QuerySet[Any]) -> list[tuple[Any, ...]]:
    asked = around(statement, found.values("pk"))
    if asked is None:
        return []
    with planned_cursor() as cursor:
        cursor.execute(*asked)
        return list(cursor.fetchall())
