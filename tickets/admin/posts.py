"""What is sent from the page of a ticket: replies, notes, drafts, signs of presence; and the files it hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.pages import id_in, problem
from core.errors import DomainError
from core.services.delivery import deliver, deliver_preview
from orgs.models import Membership
from tickets.admin import ticket_page
from tickets.admin.ticket_page import Box, way_back
from tickets.models import CannedReply, TicketActivity, TicketAttachment
from tickets.services import attachments, canned, comments, desk, drafts, watching
from tickets.services import presence as presences
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from tickets.admin.tickets import TicketAdmin
    from tickets.models import Ticket

DOOR = "back_office"
MOST_FILES = 20


def reply(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Send, keep as a draft, or put a ready-made reply into the box (for browsers without scripts)."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    box = Box(
        text=request.POST.get("text", ""),
        is_note=request.POST.get("mode") == "note",
        status=request.POST.get("status", ""),
        uploads=request.POST.getlist("upload")[:MOST_FILES],
    )
    do = request.POST.get("do", "send")
    if do == "insert":
        chosen = CannedReply.objects.visible_to(actor).filter(pk=id_in(request.POST.get("canned", "")) or 0).first()
        if chosen is not None:
            box.text = f"{box.text}\n{canned.fill(chosen.text, ticket, actor)}".strip()
        return ticket_page.show(admin, request, ticket, box=box)
    try:
        if do == "draft":
            drafts.keep(actor=actor, ticket=ticket, text=box.text, is_note=box.is_note)
            messages.success(request, _("The draft was kept."))
        else:
            handles: list[str] = []
            if not box.is_note:
                sent = request.FILES.getlist("files")[:MOST_FILES]
                received = attachments.receive(sent, actor=actor, community=ticket.community, door=DOOR)
                handles = [*box.uploads, *received]
            desk.answer(
                actor=actor,
                ticket=ticket,
                text=box.text,
                is_note=box.is_note,
                files=Files(handles[:MOST_FILES], DOOR),
                status=box.status,
                expected=id_in(request.POST.get("expected", "")) if box.status else None,
                with_children=bool(request.POST.get("with_children")),
            )
            messages.success(request, _told(box, ticket))
    except (DomainError, ValidationError) as error:
        box.errors = error.messages if isinstance(error, ValidationError) else [str(error.message)]
        return ticket_page.show(
            admin,
            request,
            admin.ticket(request, ticket.pk),
            box=box,
            status=409 if getattr(error, "status", 0) in (409, 412) else 200,
        )
    return redirect(way_back(request, ticket))


def _told(box: Box, ticket: Ticket) -> str:
    if box.is_note:
        return _("The note was written.")
    if ticket.stranger:
        return _("The reply stands at the ticket. It is sent to nobody: please write to %(address)s yourself.") % {
            "address": ticket.stranger
        }
    return _("The reply was sent.")


def draft(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Autosave: what is in the box."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    try:
        begun = parse_datetime(request.POST.get("begun", ""))
    except ValueError:
        begun = None
    if begun is not None and timezone.is_naive(begun):
        begun = None
    try:
        drafts.keep(
            actor=actor,
            ticket=ticket,
            text=request.POST.get("text", ""),
            is_note=request.POST.get("mode") == "note",
            begun=begun,
        )
    except DomainError as error:
        return JsonResponse({"error": str(error.message)}, status=error.status)
    return HttpResponse(status=204)


def presence(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """A sign that somebody is there; answers who else is."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if request.POST.get("left"):
        presences.leave(actor, ticket)
        return HttpResponse(status=204)
    others = presences.note(actor, ticket, writing=request.POST.get("writing") == "1")
    writing = [name for name, writes in others if writes]
    looking = [name for name, writes in others if not writes]
    told = []
    if writing:
        text = ngettext("%(names)s is writing on this ticket.", "%(names)s are writing on this ticket.", len(writing))
        told.append(text % {"names": ", ".join(writing)})
    if looking:
        text = ngettext("%(names)s is looking at this ticket.", "%(names)s are looking at this ticket.", len(looking))
        told.append(text % {"names": ", ".join(looking)})
    version = admin.ticket(request, ticket.pk).row_version
    return JsonResponse({"text": " ".join(told), "version": version})


def take(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Assign to oneself."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    mine = Membership.objects.active().filter(user=actor.user_id, organization=ticket.tenant_id).first()
    if mine is None:
        messages.error(request, _("You are no member of this company."))
    else:
        _attempt(
            request,
            lambda: desk.save(actor=actor, ticket=ticket, wanted={"assignee": mine}),
            _("The ticket is yours now."),
        )
    return redirect(way_back(request, ticket))


def watch(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Add a watcher, or remove one."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if gone := request.POST.get("remove", ""):
        _attempt(
            request,
            lambda: watching.unwatch(actor=actor, ticket=ticket, membership_id=id_in(gone) or 0),
            _("No longer a watcher."),
        )
        return redirect(way_back(request, ticket))
    number = id_in(request.POST.get("membership", ""))
    person = Membership.objects.visible_to(actor).living().filter(pk=number or 0).first()
    if person is None:
        messages.error(request, _("There is no such person."))
    else:
        _attempt(
            request,
            lambda: watching.watch(actor=actor, ticket=ticket, membership=person),
            _("Watches this ticket now."),
        )
    return redirect(way_back(request, ticket))


def withdraw(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Take a comment out of the stream, with its files."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    try:
        number = UUID(request.POST.get("comment", ""))
    except ValueError:
        raise Http404 from None
    found = TicketActivity.objects.visible_to(actor).filter(uuid=number, ticket=ticket).select_related("ticket").first()
    if found is None:
        raise Http404
    _attempt(request, lambda: comments.delete_comment(actor=actor, comment=found), _("The comment was taken back."))
    return redirect(way_back(request, ticket))


def file(admin: TicketAdmin, request: HttpRequest, ticket: Ticket, key: str) -> HttpResponseBase:
    """A file of the ticket, or of one that was merged into it; with ``?preview`` the small picture of it."""
    seen = TicketAttachment.objects.visible_to(request.actor)  # type: ignore[attr-defined]
    found = seen.filter(key=key, ticket=ticket).select_related("blob").first() if "\x00" not in key else None
    if found is None:
        raise Http404
    if "preview" in request.GET:
        return deliver_preview(found.blob, request)
    return deliver(found.blob, filename=found.name, inline=True, request=request)


def _attempt(request: HttpRequest, work: Any, done: str) -> None:
    try:
        work()
    except (DomainError, ValidationError) as error:
        problem(request, error)
    else:
        messages.success(request, done)
