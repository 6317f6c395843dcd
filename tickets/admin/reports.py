"""Reports on the help desk, each number leading to the list behind it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.admin import pages
from core.admin.pages import list_url
from core.admin.pickers import picker
from tickets.admin.worklist import CommunityForm
from tickets.models import Ticket
from tickets.services import reports, worklist

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tickets.admin.tickets import TicketAdmin

DAYS = 30  # of the period where none is chosen


def page(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """Of a period, and of one community or all."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    asked, today = worklist.read(request.GET), timezone.localdate()
    until = asked.until or today
    since = asked.since or until - datetime.timedelta(days=DAYS)
    wish = reports.period(since, until, asked.community)
    form = CommunityForm({"community": asked.community or ""})
    field: Any = form.fields["community"]
    form.fields["community"] = picker(admin, request, field, Ticket._meta.get_field("community"))
    ages = reports.ages(actor, asked)
    return pages.render(
        admin.admin_site,
        request,
        "admin/tickets/reports.html",
        title=_("Reports"),
        opts=admin.opts,
        since=since,
        until=until,
        community_field=form["community"],
        media=form.media,
        ages=ages,
        most=max([bar.count for bar in ages] + [1]),
        groups=[
            ("type", _("By type"), reports.grouped(actor, wish, "type")),
            ("community", _("By community"), reports.grouped(actor, wish, "community")),
            ("assignee", _("By person"), reports.grouped(actor, wish, "assignee")),
        ],
        list_url=list_url(Ticket),
        back=list_url(Ticket),
    )
