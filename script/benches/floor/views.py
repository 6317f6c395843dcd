"""The floor's views: find the caller, ask, answer."""

from __future__ import annotations

import datetime
import hashlib
import zoneinfo
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template

from script.benches.floor import sql

Caller = dict[str, Any]

_PAGE = Template(
    """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{{ community.0 }}</title></head><body>
<header>{{ community.1 }} · {{ unread }} ungelesen</header><nav>{% for u in units %}<a href="/c/{{ u.3 }}">{{ u.1 }}</a>
{% endfor %}</nav><main><h1>{{ greeting.0 }} {{ greeting.3 }}</h1><ul>{% for d in new %}
<li><a href="/documents?doc={{ d.0 }}">{{ d.1 }}</a> {{ d.4 }} {{ d.3|date:"j. F Y" }}</li>{% endfor %}</ul><ul>
{% for c in contacts %}<li>{{ c.0 }} {{ c.1 }} {{ c.2 }} {{ c.4 }} {{ c.5 }}</li>{% endfor %}</ul></main>
<footer>{{ community.4 }}</footer></body></html>"""
)


def _all(statement: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


@cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def keys_of(places: Sequence[tuple[Any, ...]], user: int) -> list[str]:
    """The circles of an account, from the rows of `sql.PLACES`."""
    keys = {f"a:{user}"}
    for contact, unit, building, community, role, full in places:
        keys.add(f"p:{contact}")
        if role == "board":
            keys.add(f"c:{community}:board")
        elif unit:
            keys |= {f"c:{community}", f"c:{community}:{role}"}
            if full:
                keys |= {f"u:{unit}", f"u:{unit}:{role}"}
                if building:
                    keys.add(f"b:{building}")
    return list(keys)


def _by_token(request: HttpRequest) -> Caller:
    """Two statements: the token with everything of its company, and the places of the person."""
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    row = _all(sql.TOKEN, [hashlib.sha256(secret.encode()).digest()])[0]
    places = _all(sql.PLACES, {"user": row[0], "tenants": [row[1]]})
    assert row[10]
    return {
        "user": row[0], "tenants": [row[1]], "zone": _zone(row[2]), "memberships": [row[3]], "keys": keys_of(places, row[0]),
        "flags": (row[6], row[7], row[8]), "mark_read": row[9],
    }  # fmt: skip


def _by_session(request: HttpRequest) -> Caller:
    """Three statements: the session, the memberships, the places."""
    key = request.COOKIES["user_session"]
    ((user,),) = _all(sql.SESSION, [hashlib.sha256(key.encode()).digest()])
    members = _all(sql.MEMBERSHIPS, [user])
    places = _all(sql.PLACES, {"user": user, "tenants": [m[1] for m in members]})
    return {
        "user": user, "tenants": [m[1] for m in members], "memberships": [m[0] for m in members],
        "keys": keys_of(places, user), "units": [p[1] for p in places if p[1]], "communities": {p[3] for p in places},
    }  # fmt: skip


def _moment(value: datetime.datetime | None, zone: zoneinfo.ZoneInfo) -> str | None:
    if value is None:
        return None
    local = value.astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def _json(row: tuple[Any, ...], caller: Caller, flags: tuple[bool, bool, bool]) -> dict[str, Any]:
    zone, own = caller["zone"], row[20] == caller["user"]
    upload, edit, edit_own = flags
    return {
        "file_id": row[0], "version": row[1] or None, "folder_id": row[2], "folder_inactive_at": _moment(row[3], zone),
        "title": row[4], "description": row[5] or None, "filename": row[6], "label_name": row[7], "label_color": row[8],
        "size_bytes": row[9], "size_mega_bytes": round(row[9] / 1_000_000, 2), "access_counter": row[10],
        "allow_download": row[11], "latest_change": _moment(row[12], zone), "read_by_user": caller["mark_read"] and row[26],
        "active_date": _moment(row[13], zone), "inactive_date": _moment(row[14], zone),
        "done_state": {
            "done": row[15], "date": _moment(row[16], zone), "user_id": row[17],
            "user_name": ", ".join(part for part in (row[19], row[18]) if part) or None,
        },
        "is_creator": own, "identifier": row[21] or None, "first_access": _moment(row[22], zone),
        "is_on_fileserver": row[23], "delete_after_next_download": row[24],
        "internal_note": (row[25] or None) if upload and (edit_own if own else edit) else None,
    }  # fmt: skip


def folder_files(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Four statements."""
    caller = _by_token(request)
    asked = {**caller, "folder": folder_id}
    found = _all(sql.FOLDER, asked)
    if not found:
        return HttpResponse(status=404)
    flags = found[0] if found[0][0] is not None else caller["flags"]
    rows = [_json(row, caller, flags) for row in _all(sql.FILES, asked)]
    return HttpResponse(orjson.dumps(rows), content_type="application/json")


def page_files(request: HttpRequest) -> HttpResponse:
    """Four statements."""
    caller = _by_token(request)
    wish = orjson.loads(request.body)
    found = _all(sql.PAGE, {**caller, "ids": wish["ids"], "limit": wish["limit"]})
    chosen = _all(sql.FLAGS, {**caller, "folders": list({row[2] for row in found})})
    flags: dict[Any, Any] = {folder: (upload, edit, edit_own) for folder, upload, edit, edit_own in chosen}
    rows = [_json(row, caller, flags.get(row[2]) or caller["flags"]) for row in found]
    return HttpResponse(orjson.dumps(rows), content_type="application/json")


def search_files(request: HttpRequest) -> HttpResponse:
    """Three statements."""
    caller = _by_token(request)
    statement, values = sql.search(orjson.loads(request.body)["search"].lower().split())
    found = [pk for (pk,) in _all(statement, {**caller, **values})]
    return HttpResponse(orjson.dumps(found), content_type="application/json")


def start(request: HttpRequest, community_id: int) -> HttpResponse:
    """What the portal's start page asks the database, in a page without a house around it: nine statements."""
    caller = _by_session(request)
    if community_id not in caller["communities"]:
        return HttpResponse(status=404)
    asked = {**caller, "community": community_id}
    context = {
        "community": _all(sql.COMMUNITY, asked)[0],
        "new": _all(sql.NEW, asked),
        "unread": _all(sql.UNREAD, asked)[0][0],
        "contacts": _all(sql.CONTACTS, asked),
        "greeting": _all(sql.GREETING, asked)[0],
        "units": _all(sql.UNITS, asked),
    }
    return HttpResponse(_PAGE.render(Context(context)))


def unread(request: HttpRequest, community_id: int) -> HttpResponse:
    """The count alone."""
    caller = _by_session(request)
    return HttpResponse(str(_all(sql.UNREAD, {**caller, "community": community_id})[0][0]))
