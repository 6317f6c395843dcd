"""The editor of quick actions: all rows in one form, which is stored as a whole. It works without scripts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin import pages
from core.admin.pages import Cell, Section, change_url, of_object
from core.answers import require
from core.errors import Changed, Denied, DomainError, Invalid
from orgs import resources, rules
from orgs.services import quick_actions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import Organization, QuickAction

FIELDS = ("id", *quick_actions.LENGTHS, "resource_id", "one_click")
_BUTTON = re.compile(r"(up|down|remove)-(\d{1,3})")
_NUMBER = re.compile(r"[+-]?\d{1,16}", re.ASCII)
_PLACE = re.compile(r"\[(\d+)\]\.(\w+)")


@dataclass
class Row:
    """One line of the form, as it was typed."""

    values: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)
    focus: str = ""  # the button that has it after the page was drawn again

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        return not any(self.values[name].strip() for name in FIELDS if name != "id")


def section(request: HttpRequest, obj: Organization) -> Section:
    """What there is, for its form."""
    actor = request.actor  # type: ignore[attr-defined]
    editor = reverse("admin:orgs_organization_quick_actions", args=[obj.pk])
    links = [(_("Edit the quick actions"), editor)] if rules.may_change_organization(actor, obj) else []
    usable = rules.may_use(obj)
    if not usable:
        return Section(_("Quick actions"), note=usable.reason)
    rows = [
        [Cell(one.name), Cell(target_of(one)), Cell(_("at once") if one.one_click else _("asks first"))]
        for one in quick_actions.listed(obj)
    ]
    heads = [_("Name"), _("Leads to"), _("Click")]
    return Section(_("Quick actions"), heads, rows, _("There are none."), links=links)


def target_of(one: QuickAction) -> str:
    """What a button is about."""
    return one.resource if one.resource_id is None else f"{one.resource} {one.resource_id}"


def editor_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET: the stored rows. POST: a button of a row draws the form again, "save" stores all or nothing."""
    obj: Organization = of_object(admin, request, object_id)
    require(rules.may_change_organization(request.actor, obj))  # type: ignore[attr-defined]
    refusal: str = ""
    try:
        stored = quick_actions.listed(obj)
    except Denied as error:
        stored, refusal = [], str(error.message)
    seen = _digest(stored)
    rows = [_row_of(one) for one in stored]
    if request.method == "POST" and not refusal:
        rows, seen = _sent(request.POST), request.POST.get("seen", "")
        button = request.POST.get("do", "save")
        if button != "save":
            _press(rows, button)
        else:
            refusal = _stored(request, obj, rows, seen, stored)
            if not refusal:
                messages.success(request, _("The quick actions were stored."))
                return redirect(change_url(obj))
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/quick_actions.html",
        title=_("Quick actions"),
        opts=admin.opts,
        original=obj,
        rows=rows,
        seen=seen,
        refusal=refusal,
        is_full=len(rows) >= quick_actions.MOST,
        most=quick_actions.MOST,
        lengths=quick_actions.LENGTHS,
        words=resources.words(),
        is_shut=not rules.may_use(obj),
        back=change_url(obj),
    )


def _row_of(one: QuickAction) -> Row:
    values = {name: getattr(one, name) for name in FIELDS if name not in ("id", "one_click")}
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    return Row({**texts, "id": str(one.pk), "one_click": "on" if one.one_click else ""})


def _digest(stored: list[QuickAction]) -> str:
    """What the person has before their eyes: a list that was replaced meanwhile is not overwritten unseen."""
    plain = [tuple(_row_of(one).values.items()) for one in stored]
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:32]


def _sent(data: Mapping[str, str]) -> list[Row]:
    """The rows as they were typed; more than one too many are not even read."""
    count = data.get("count", "")
    total = min(int(count), quick_actions.MOST + 1) if count.isascii() and count.isdigit() and len(count) < 6 else 0
    return [Row({name: data.get(f"{n}-{name}", "") for name in FIELDS}) for n in range(total)]


def _press(rows: list[Row], button: str) -> None:
    """Add, remove, or move a row; the focus goes along."""
    if button == "add":
        if len(rows) < quick_actions.MOST:
            rows.append(Row(dict.fromkeys(FIELDS, ""), focus="name"))
        return
    found = _BUTTON.fullmatch(button)
    if found is None or int(found[2]) >= len(rows):
        return
    verb, at = found[1], int(found[2])
    row = rows.pop(at)
    if verb == "remove":
        if rows:
            rows[min(at, len(rows) - 1)].focus = "remove"
        return
    to = max(at - 1, 0) if verb == "up" else min(at + 1, len(rows))
    rows.insert(to, row)
    # At the end of the way its button does nothing any more: the other one has the focus.
    row.focus = "down" if to == 0 else "up" if to == len(rows) - 1 else verb


def _stored(request: HttpRequest, obj: Organization, rows: list[Row], seen: str, stored: list[QuickAction]) -> str:
    """Store all rows but blank ones. Returns why not; the rows then carry their errors."""
    kept = [row for row in rows if not row.is_blank]
    for row in kept:
        number = row.values["resource_id"].strip()
        if number and (not _NUMBER.fullmatch(number) or abs(int(number)) > 2**53 - 1):
            row.errors["resource_id"] = [_("Must be a whole number.")]
    if any(row.errors for row in kept):
        return _("Nothing was stored: please look at the marked rows.")
    try:
        if seen != _digest(stored):
            raise Changed
        quick_actions.replace(
            actor=request.actor,  # type: ignore[attr-defined]
            organization=obj,
            actions=[_values(row) for row in kept],
        )
    except Invalid as error:
        loose = []
        for name, texts in error.fields.items():
            place = _PLACE.fullmatch(name)
            if place and int(place[1]) < len(kept):
                kept[int(place[1])].errors[place[2]] = texts
            else:
                loose += texts
        return loose[0] if loose else _("Nothing was stored: please look at the marked rows.")
    except DomainError as error:
        return str(error.message)
    return ""


def _values(row: Row) -> dict[str, Any]:
    number = row.values["resource_id"].strip()
    texts = {name: row.values[name].strip() for name in quick_actions.LENGTHS}
    return {
        **texts,
        "id": pages.id_in(row.values["id"]),
        "one_click": bool(row.values["one_click"]),
        "resource_id": int(number) if number else None,
    }
