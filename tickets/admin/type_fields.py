"""The questions of a ticket type: all in one form, stored as a whole. It works without scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from core.admin import pages
from core.admin.pages import change_url, id_in, of_object
from core.errors import DomainError, Invalid
from tickets import rules
from tickets.models import TicketType, TicketTypeField
from tickets.services import types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from tickets.admin.types import TicketTypeAdmin

NAMES = ("id", "name", "field_type", "description", "options", "decimals", "required", "is_active")
_BUTTON = re.compile(r"(up|down|remove)-(\d{1,3})")
_PLACE = re.compile(r"\[(\d+)\]\.(\w+)")


@dataclass
class Row:
    """One question, as it was typed."""

    values: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)
    focus: str = ""

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        return not any(self.values[name].strip() for name in ("id", "name", "description", "options"))


def editor_page(admin: TicketTypeAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET: the stored questions. POST: a button of a row draws the form again, "save" stores all or nothing."""
    obj: TicketType = of_object(admin, request, object_id)
    rules.require(rules.may_set_up(request.actor, obj.tenant_id))  # type: ignore[attr-defined]
    stored = types.fields_of(obj)
    rows, seen, refusal = [_row_of(one) for one in stored], types.digest(stored), ""
    if request.method == "POST":
        rows, seen = _sent(request.POST), request.POST.get("seen", "")
        button = request.POST.get("do", "save")
        if button != "save":
            _press(rows, button)
        else:
            refusal = _store(request, obj, rows, seen or "none")
            if not refusal:
                messages.success(request, _("The questions were stored. Tickets already filed stay as they are."))
                return redirect(change_url(obj))
    return pages.render(
        admin.admin_site,
        request,
        "admin/tickets/type_fields.html",
        title=_("Questions"),
        opts=admin.opts,
        original=obj,
        rows=rows,
        seen=seen,
        refusal=refusal,
        kinds=TicketTypeField.Kind.choices,
        is_full=len(rows) >= types.MOST_FIELDS,
        back=change_url(obj),
    )


def _row_of(one: TicketTypeField) -> Row:
    return Row(
        {
            "id": str(one.pk),
            "name": one.name,
            "field_type": one.field_type,
            "description": one.description,
            "options": "\n".join(one.options),
            "decimals": "" if one.decimals is None else str(one.decimals),
            "required": "on" if one.required else "",
            "is_active": "on" if one.is_active else "",
        }
    )


def _sent(data: Mapping[str, str]) -> list[Row]:
    """The rows as they were typed; more than one too many are not even read."""
    count = id_in(data.get("count", "")) or 0
    return [
        Row({name: data.get(f"{n}-{name}", "") for name in NAMES}) for n in range(min(count, types.MOST_FIELDS + 1))
    ]


def _press(rows: list[Row], button: str) -> None:
    """Add, remove, or move a row; the focus goes along."""
    if button == "add":
        if len(rows) < types.MOST_FIELDS:
            rows.append(Row({**dict.fromkeys(NAMES, ""), "is_active": "on"}, focus="name"))
        return
    found = _BUTTON.fullmatch(button)
    if found is None or int(found[2]) >= len(rows):
        return
    verb, at = found[1], int(found[2])
    row = rows.pop(at)
    if verb == "remove":
        return
    to = max(at - 1, 0) if verb == "up" else min(at + 1, len(rows))
    rows.insert(to, row)
    row.focus = "down" if to == 0 else "up" if to == len(rows) - 1 else verb


def _store(request: HttpRequest, obj: TicketType, rows: list[Row], seen: str) -> str:
    """Store all rows but blank ones. Returns why not; the rows then carry their errors."""
    kept = [row for row in rows if not row.is_blank]
    for row in kept:
        number = row.values["decimals"].strip()
        if number and id_in(number) is None:
            row.errors["decimals"] = [_("Must be a whole number.")]
    if any(row.errors for row in kept):
        return _("Nothing was stored: please look at the marked rows.")
    try:
        types.set_fields(
            actor=request.actor,  # type: ignore[attr-defined]
            ticket_type=obj,
            fields=[_values(row) for row in kept],
            seen=seen,
        )
    except Invalid as error:
        loose = []
        for name, texts in error.fields.items():
            place = _PLACE.fullmatch(name)
            if place and int(place[1]) < len(kept) and place[2] != "id":
                kept[int(place[1])].errors[place[2]] = texts
            else:
                loose += texts
        return (
            loose[0]
            if loose
            else str(error.message)
            if not error.fields
            else _("Nothing was stored: please look at the marked rows.")
        )
    except DomainError as error:
        return str(error.message)
    return ""


def _values(row: Row) -> dict[str, Any]:
    values, number = row.values, row.values["decimals"].strip()
    return {
        **values,
        "id": id_in(values["id"]),
        "options": [line.strip() for line in values["options"].splitlines() if line.strip()],
        "decimals": int(number) if number else None,
        "required": bool(values["required"]),
        "is_active": bool(values["is_active"]),
    }
