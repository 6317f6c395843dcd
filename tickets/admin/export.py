"""The work list as a file: exactly the tickets that the address asks for, in its order."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from array import array
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import FileResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook

from core import scope
from core.admin.logs import harmless
from core.admin.pages import list_url
from core.services import audit
from tickets.models import Ticket
from tickets.services import worklist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponseBase

    from tickets.admin.tickets import TicketAdmin

PIECE = 500  # rows of one unit of work
MOST_XLSX = 100_000  # rows; a workbook is made before it is sent
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADS: tuple[Any, ...] = (
    _("reference"), _("community"), _("number"), _("title"), _("ticket type"), _("support type"), _("status"), _("priority"),
    _("assignee"), _("requester"), _("unit"), _("Filed"), _("last change"), _("first response"), _("first response due at"),
    _("due at"), _("closed at"), _("rating"),
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def page(admin: TicketAdmin, request: HttpRequest) -> HttpResponseBase:
    """CSV, or an Excel workbook with ``form=xlsx``. What is exported is audited."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    wish, form = worklist.read(request.GET), "xlsx" if request.GET.get("form") == "xlsx" else "csv"
    if worklist.unread(request.GET, wish):
        return redirect(
            f"{list_url(Ticket)}?{request.GET.urlencode()}"
        )  # which says so: an export of more than was asked
    found = worklist.matching(actor, wish)
    ids = array("q", found.values_list("pk", flat=True).iterator(chunk_size=2000))
    if form == "xlsx" and len(ids) > MOST_XLSX:
        told = gettext("A workbook takes %(count)d tickets at most. Narrow the list down, or export it as CSV.")
        messages.error(request, told % {"count": MOST_XLSX})
        return redirect(f"{list_url(Ticket)}?{wish.query}")
    audit.record_export(Ticket, tenant_id=actor.tenant_id, query=wish.query, form=form)
    lines = _lines(actor, ids, scope.current(), get_language() or "de")
    name = f"tickets-{timezone.localdate():%Y-%m-%d}.{form}"
    if form == "xlsx":
        return FileResponse(_workbook(lines), as_attachment=True, filename=name, content_type=XLSX)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_csv(lines), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(actor: Any, ids: Any, now: scope.Scope, language: str) -> Iterator[list[Any]]:
    """Piece by piece, each in a unit of work of its own: no transaction stays open for a slow client."""
    with override(language):
        heads = [str(head) for head in HEADS]
    yield heads
    for start in range(0, len(ids), PIECE):
        piece = list(ids[start : start + PIECE])
        with scope.resumed(now), override(language):
            made = [_line(ticket) for ticket in worklist.lines(actor, piece)]
        yield from made


def _line(ticket: Any) -> list[Any]:
    texts = (
        ticket.identifier, ticket.community.name, ticket.number, ticket.title, ticket.ticket_type or "",
        ticket.get_support_type_display(), ticket.get_status_display(), ticket.get_priority_display(),
        ticket.assignee.user if ticket.assignee else "", ticket.contact or ticket.stranger or ticket.created_by, ticket.unit or "",
    )  # fmt: skip
    moments = (
        ticket.created_at, ticket.updated_at, ticket.first_response_at, ticket.response_due_at, ticket.due_at, ticket.closed_at,
    )  # fmt: skip
    return [
        *(text if isinstance(text, int) else harmless(_CONTROLS.sub("", str(text))) for text in texts),
        *(f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "" for at in moments),
        ticket.rating or "",
    ]


def _csv(lines: Iterator[list[Any]]) -> Iterator[bytes]:
    """For spreadsheets: UTF-8 with its mark, semicolons."""
    yield b"\xef\xbb\xbf"
    for line in lines:
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerow(line)
        yield text.getvalue().encode()


def _workbook(lines: Iterator[list[Any]]) -> Any:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Tickets"))
    for line in lines:
        sheet.append(line)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the response
    book.save(file)
    file.seek(0)
    return file
