"""The floor of the support door: the caller by credentials, rights, and hand-written statements around the rows."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import orjson
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

Caller = dict[str, Any]
WORDS = {"new": "new", "reopened": "inProgress", "in_progress": "inProgress", "waiting": "inProgress", "solved": "solved", "closed": "closed"}  # fmt: skip

CALLER = """
SELECT t.user_id, t.organization_id, m.id, m.role, m.admin_perm OR m.all_communities OR m.role = 'owner', t.scopes, o.ancestors
  FROM orgs_accesstoken t JOIN orgs_user u ON u.id = t.user_id AND u.erased_at IS NULL
  JOIN orgs_organization o ON o.id = t.organization_id AND o.closed_at IS NULL
  JOIN orgs_membership m ON m.user_id = t.user_id AND m.organization_id = t.organization_id
       AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
 WHERE t.token_hash = %s AND t.kind = 'basic' AND t.public_id = %s AND t.revoked_at IS NULL
   AND (t.expires_at IS NULL OR t.expires_at > now())
"""
LOCATION = """
SELECT c.id, c.tenant_id,
       %(wide)s OR EXISTS (SELECT 1 FROM orgs_communityassignment a WHERE a.membership_id = %(membership)s AND a.community_id = c.id),
       ARRAY(SELECT p.id FROM orgs_contact p WHERE p.user_id = %(user)s AND p.tenant_id = c.tenant_id AND p.erased_at IS NULL),
       EXISTS (SELECT 1 FROM orgs_contact p JOIN orgs_occupancy o ON o.contact_id = p.id AND o.revoked_at IS NULL
                 AND o.period @> current_date JOIN orgs_unit u ON u.id = o.unit_id AND u.community_id = c.id
                WHERE p.user_id = %(user)s AND p.erased_at IS NULL)
  FROM orgs_community c WHERE c.tenant_id = %(tenant)s AND
"""
_RIGHTS = "(%(manages)s OR t.created_by_id = %(user)s OR t.contact_id = ANY(%(contacts)s)) AND t.deleted_at IS NULL"
_ROWS = """
SELECT t.id, t.uuid, t.created_at, t.updated_at, t.number, t.status, t.support_type, t.description, t.status_changed_at,
       cu.id, au.id
  FROM tickets_ticket t LEFT JOIN orgs_contact c ON c.id = t.contact_id
  LEFT JOIN orgs_user cu ON cu.id = c.user_id AND cu.erased_at IS NULL
  LEFT JOIN orgs_membership m ON m.id = t.assignee_id LEFT JOIN orgs_user au ON au.id = m.user_id
"""
PEOPLE = """
SELECT m.user_id, m.uuid, m.role, m.deactivated_at IS NOT NULL AND m.deactivated_at <= now(), u.uuid, u.first_name,
       u.last_name, u.email, coalesce(nullif(u.mobile, ''), nullif(u.telephone, '')),
       m.role IN ('owner', 'staff', 'affiliate') AND (m.admin_perm OR m.all_communities OR m.role = 'owner' OR EXISTS (
         SELECT 1 FROM orgs_communityassignment a WHERE a.membership_id = m.id AND a.community_id = %(community)s)),
       EXISTS (SELECT 1 FROM orgs_contact p JOIN orgs_occupancy o ON o.contact_id = p.id AND o.revoked_at IS NULL
                 AND o.period @> current_date JOIN orgs_unit n ON n.id = o.unit_id AND n.community_id = %(community)s
                WHERE p.user_id = m.user_id AND p.erased_at IS NULL)
  FROM orgs_membership m JOIN orgs_user u ON u.id = m.user_id
 WHERE m.organization_id = %(tenant)s AND m.user_id = ANY(%(users)s)
"""


def _all(statement: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def _caller(request: HttpRequest) -> Caller:
    client, _colon, secret = (
        base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
    )
    row = _all(CALLER, [hashlib.sha256(secret.encode()).digest(), client])[0]
    return {"user": row[0], "tenant": row[1], "membership": row[2], "role": row[3], "wide": row[4]}


def _enter(caller: Caller, condition: str, value: Any) -> Caller:
    row = _all(f"{LOCATION} {condition}", {**caller, "value": value})[0]
    caller |= {"community": row[0], "tenant": row[1], "manages": row[2], "contacts": row[3]}
    assert row[2] or row[4]
    return caller


def _people(caller: Caller, users: set[int]) -> dict[int, dict[str, Any]]:
    """Memberships as the door shows them, by account."""
    found = {}
    for row in _all(PEOPLE, {**caller, "users": list(users)}):
        role = ("owner" if row[2] == "owner" else "admin") if row[9] else "member"
        user = {"id": row[4], "photoUrl": None, "name": row[5], "surname": row[6], "blocked": row[3]}
        if caller["manages"] or row[0] == caller["user"]:
            user |= {"email": row[7] or None, "phoneNumber": row[8]}
        found[row[0]] = {
            "id": row[1],
            "roleType": role,
            "type": "member" if row[9] or row[10] else "nonmember",
            "user": user,
        }
    return found


def _ticket(row: tuple[Any, ...], location: str, people: dict[int, dict[str, Any]]) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "createDate": row[2], "description": row[7], "id": row[1], "locationRef": location, "number": row[4],
        "status": WORDS[row[5]], "type": row[6], "updateDate": row[3],
        "userAssignee": people[row[10]]["user"] if row[10] else None,
        "userRequester": people[row[9]]["user"] if row[9] else None,
    }  # fmt: skip
    if row[8]:
        shape["statusUpdateDate"] = row[8]
    for name, user in (("Requester", row[9]), ("Assignee", row[10])):
        if user:
            shape |= {f"membership{name}": people[user], f"membershipRef{name}": people[user]["id"]}
    if row[10]:
        shape["userRefAssignee"] = people[row[10]]["user"]["id"]
    return shape


def _json(data: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(data, option=orjson.OPT_UTC_Z), status=status, content_type="application/json")


def listed(request: HttpRequest) -> HttpResponse:
    """Four statements: a page of a location's tickets of some states."""
    location = request.GET["locationRef"]
    caller = _enter(_caller(request), "c.uuid = %(value)s", location)
    words = request.GET.get("status", "").split(",")
    statuses = [stored for stored, word in WORDS.items() if word in words]
    rows = _all(
        f"{_ROWS} WHERE t.community_id = %(community)s AND t.status = ANY(%(statuses)s) AND {_RIGHTS} "
        "ORDER BY t.created_at DESC, t.id DESC LIMIT 26",
        {**caller, "statuses": statuses},
    )  # fmt: skip
    people = _people(caller, {user for row in rows[:25] for user in row[9:11] if user})
    return _json({"tickets": [_ticket(row, location, people) for row in rows[:25]]})


def thread(request: HttpRequest, ref: uuid.UUID) -> HttpResponse:
    """Six statements: a ticket with its whole stream."""
    caller = _caller(request)
    caller = _enter(caller, "c.id = (SELECT t.community_id FROM tickets_ticket t WHERE t.uuid = %(value)s)", ref)
    asked = {**caller, "ref": ref}
    row = _all(f"{_ROWS} WHERE t.uuid = %(ref)s AND {_RIGHTS}", asked)[0]
    ((location,),) = _all("SELECT uuid FROM orgs_community WHERE id = %s", [caller["community"]])
    entries = _all(
        "SELECT a.uuid, a.created_at, a.kind, a.user_id, a.text, a.data::text, a.id FROM tickets_ticketactivity a "
        "WHERE a.ticket_id = %s AND a.deleted_at IS NULL AND a.kind <> 'note' AND a.kind <> 'event' ORDER BY a.created_at, a.id",
        [row[0]],
    )
    files = _all(
        "SELECT f.activity_id FROM tickets_ticketattachment f JOIN core_blob b ON b.id = f.blob_id WHERE f.ticket_id = %s",
        [row[0]],
    )
    assert not files
    people = _people(caller, {entry[3] for entry in entries} | {user for user in row[9:11] if user})
    shapes = []
    for entry in entries:
        shape = {"createDate": entry[1], "id": entry[0], "ticketRef": row[1], "type": entry[2]}
        if entry[2] == "statusUpdated":
            data = orjson.loads(entry[5])
            now, before = WORDS[data["status"]], WORDS[data["previous"]]
            if now == before:
                continue
            shape["data"] = {"status": now, "previousAttributes": {"status": before}}
        elif entry[2] == "comment":
            shape["data"] = {"text": entry[4]}
        shapes.append(shape | {"membership": people[entry[3]]})
    return _json({"activities": shapes, "ticket": _ticket(row, str(location), people)})


@csrf_exempt
def created(request: HttpRequest) -> HttpResponse:
    """Eight statements in one transaction: numbers, ticket, first entry, index."""
    sent = orjson.loads(request.body)["ticket"]
    with transaction.atomic():
        caller = _enter(_caller(request), "c.uuid = %(value)s", sent["locationRef"])
        counter = (
            "INSERT INTO core_numbercounter (tenant_id, kind, scope_id, last) VALUES (%s, %s, %s, 1) "
            "ON CONFLICT (tenant_id, kind, scope_id) DO UPDATE SET last = core_numbercounter.last + 1 RETURNING last"
        )
        number = _all(counter, [caller["tenant"], "ticket", caller["community"]])[0][0]
        identifier = _all(counter, [caller["tenant"], "ticket_identifier", 0])[0][0]
        now, ref = timezone.now(), uuid.uuid4()
        pk = _all(
            "INSERT INTO tickets_ticket (created_at, updated_at, row_version, tenant_id, uuid, community_id, number, identifier,"
            " support_type, contact_id, created_by_id, title, description, answers, status, shared_with, rating_comment, "
            "priority, paused_seconds, external_ref, stranger) VALUES (%(now)s, %(now)s, 1, %(tenant)s, %(ref)s, %(community)s, "
            "%(number)s, %(identifier)s, 'other', %(contact)s, %(user)s, 'Sonstiges', %(text)s, '[]', 'new', '{}', '', 2, 0, '', '') "
            "RETURNING id",
            {**caller, "now": now, "ref": ref, "number": number, "identifier": str(identifier), "text": sent["text"], "contact": caller["contacts"][0]},
        )[0][0]  # fmt: skip
        _all(
            "INSERT INTO tickets_ticketactivity (created_at, tenant_id, uuid, ticket_id, kind, user_id, from_staff, text, data, "
            "automatic_name, source, external_ref) VALUES (%s, %s, %s, %s, 'ticketCreated', %s, %s, %s, '{}', '', 'support', '') RETURNING id",
            [now, caller["tenant"], uuid.uuid4(), pk, caller["user"], caller["manages"], sent["text"]],
        )
        _all(
            "INSERT INTO tickets_ticketindex (ticket_id, community_id, vector) VALUES (%s, %s, "
            "to_tsvector('simple', %s) || to_tsvector('german', %s)) RETURNING ticket_id",
            [pk, caller["community"], sent["text"], sent["text"]],
        )
        people = _people(caller, {caller["user"]})
    row = (pk, ref, now, now, number, "new", "other", sent["text"], None, caller["user"], None)
    entry = {
        "createDate": now,
        "id": uuid.uuid4(),
        "ticketRef": ref,
        "type": "ticketCreated",
        "membership": people[caller["user"]],
    }
    return _json({"activities": [entry], "ticket": _ticket(row, sent["locationRef"], people)}, 201)
