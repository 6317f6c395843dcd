"""The legal holds on a person or a place, below its form. The holds themselves are looked after upstairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.pages import Cell, Section, change_url
from orgs import rules
from orgs.models import Hold

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

    from core.admin.base import HouseAdmin

SHOWN = 50


def state_of(hold: Hold) -> tuple[str, Any]:
    """A tone and a word."""
    return ("warn", gettext("in force")) if hold.released_at is None else ("none", gettext("released"))


def covers(hold: Hold) -> str:
    """The person and the places it is on, in one line."""
    return ", ".join(str(place) for place in (hold.contact, hold.unit, hold.community) if place)


def holds_section(
    admin: HouseAdmin, request: HttpRequest, obj: Any, found: models.QuerySet[Hold], links: list[tuple[Any, str]]
) -> list[Section]:
    """The holds on a row, those in force first; for administrators alone."""
    actor = request.actor  # type: ignore[attr-defined]
    if not rules.may_administer(actor, obj.tenant_id):
        return []
    lines = []
    rows = found.visible_to(actor).select_related("contact", "unit", "community", "placed_by")  # type: ignore[attr-defined]
    for hold in sorted(rows.order_by("-id")[:SHOWN], key=lambda hold: hold.released_at is not None):
        tone, word = state_of(hold)
        since = formats.date_format(timezone.localtime(hold.created_at), "SHORT_DATE_FORMAT")
        lines.append(
            [
                Cell(hold.title, change_url(hold)),
                Cell(covers(hold) or gettext("papers by name")),
                Cell(hold.placed_by),
                Cell(since),
                Cell(word, tone=tone),
            ]
        )
    heads = [_("Title"), _("Covers"), _("Placed by"), _("Since"), _("State")]
    return [Section(_("Legal holds"), heads, lines, _("No hold covers this."), links=links)]


def place_link(admin: HouseAdmin, request: HttpRequest, **query: Any) -> list[tuple[Any, str]]:
    """To the form for a new hold."""
    return admin.add_link(request, Hold, _("Place a hold"), **query)
