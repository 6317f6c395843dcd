"""The page of a ticket: what was said, what can be done, and who else is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import typed
from core.admin import pages
from core.admin.pages import change_url, id_in, problem
from core.errors import Changed, DomainError
from orgs.languages import user_language
from orgs.models import Membership
from tickets import rules
from tickets.admin import shown
from tickets.admin.worklist import Line
from tickets.models import Priority, SupportType, Ticket, TicketActivity, TicketAttachment, TicketStatus, TicketWatcher
from tickets.services import answers, attachments, canned, desk, drafts, family, rating, sharing, worklist
from tickets.services.people import assignable
from tickets.services.targets import PAUSING

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tickets.admin.tickets import TicketAdmin

SHOWN = 200  # entries of the stream; the page asks for older ones
OTHERS = 10  # further tickets of the requester


@dataclass
class Box:
    """What stands in the box for writing."""

    text: str = ""
    is_note: bool = False
    status: str = ""
    uploads: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    is_draft: bool = False


def page(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """GET: the ticket. POST: the controls beside it."""
    if request.method == "POST":
        return _save(admin, request, ticket)
    return show(admin, request, ticket, box=_typed(request) or _box_of(request.actor, ticket))  # type: ignore[attr-defined]


def _typed(request: HttpRequest) -> Box | None:
    """What the person sent after the session had ended."""
    found = typed.taken(request, request.actor)  # type: ignore[attr-defined]
    if found is None or "text" not in found[0]:
        return None
    sent, had_files = found
    told = _("You had been signed out. What you wrote is still here: please look it over and send it once more.")
    again = _("Please choose your photos and files again.")
    messages.warning(request, f"{told} {again}" if had_files else told)
    return Box(sent.get("text", ""), sent.get("mode") == "note", sent.get("status", ""))


def _box_of(actor: Any, ticket: Ticket) -> Box:
    """What the person has begun to write here."""
    draft = drafts.of(actor, ticket)
    return Box(draft.text, draft.is_note, is_draft=True) if draft else Box()


def way_back(request: HttpRequest, ticket: Ticket) -> str:
    """The page of the ticket, with the list it was opened from."""
    asked = request.GET.get("list", request.POST.get("list"))
    return change_url(ticket) if asked is None else f"{change_url(ticket)}?{urlencode({'list': asked[:2000]})}"


def show(
    admin: TicketAdmin,
    request: HttpRequest,
    ticket: Ticket,
    *,
    box: Box,
    chosen: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with what is in the box; ``chosen`` – what somebody chose in the controls that is not saved."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    asked = request.GET.get("list", request.POST.get("list"))
    wish = worklist.read(QueryDict((asked or "")[:2000]))
    stored = _controls(ticket)
    before, after = worklist.neighbours(actor, wish, ticket) if asked is not None else (None, None)
    people = list(assignable(ticket.community).select_related("user"))
    merged = list(Ticket.objects.worked_on_by(actor).filter(merged_into=ticket).order_by("pk"))
    entries, has_older = _stream(actor, ticket, merged, everything=bool(request.GET.get("all")))
    facts = _facts(ticket, entries)
    watchers = list(TicketWatcher.objects.visible_to(actor).filter(ticket=ticket).select_related("membership__user"))
    mine = next((p for p in people if p.user_id == actor.user_id), None)
    names = dict(sharing.choices(ticket.community)) if ticket.shared_with else {}
    children = list(Ticket.objects.worked_on_by(actor).filter(parent=ticket).order_by("number", "id"))

    def near(pk: int | None) -> str:
        return f"{reverse('admin:tickets_ticket_change', args=[pk])}?{urlencode({'list': asked})}" if pk else ""

    response = pages.render(
        admin.admin_site,
        request,
        "admin/tickets/ticket.html",
        title=f"{ticket.identifier} · {ticket.title}",
        opts=admin.opts,
        is_fullwidth="1",
        line=Line(ticket, ""),
        ticket=ticket,
        entries=entries,
        has_older=has_older,
        facts=facts,
        stars="★" * (ticket.rating or 0) + "☆" * (rating.STARS[-1] - (ticket.rating or 0)),
        box=box,
        stored=stored,
        controls=stored | (chosen or {}),
        writer=typed.writer(actor),
        replies=[(r.pk, r.name, canned.fill(r.text, ticket, actor)) for r in canned.offered(ticket, actor)],
        people=people,
        me=mine,
        is_mine=mine is not None and ticket.assignee_id == mine.pk,
        watchers=watchers,
        watched=mine is not None and any(w.membership_id == mine.pk for w in watchers),
        watched_ids={w.membership_id for w in watchers},
        shared=[str(names.get(key, key)) for key in ticket.shared_with],
        merged=merged,
        came_from=id_in(request.GET.get("from", "")),
        children=children,
        all_parts_done=family.hint(ticket) if children else False,
        open_parts=[child for child in children if child.closed_at is None],
        others=[Line(other, change_url(other)) for other in desk.others_of_requester(actor, ticket, OTHERS)],
        statuses=TicketStatus.choices,
        priorities=Priority.choices,
        kinds=SupportType.choices,
        target=_target(ticket),
        list_query=asked,
        list_url=f"{reverse('admin:tickets_ticket_changelist')}?{asked or ''}",
        previous_url=near(before),
        next_url=near(after),
        endpoint=reverse("admin:index") + "uploads/",
        upload_limit=attachments.LIMIT,
        now=timezone.now(),
    )
    response.status_code = status
    return response


def _controls(ticket: Ticket) -> dict[str, Any]:
    return {
        "status": ticket.status,
        "assignee": ticket.assignee_id or 0,
        "priority": ticket.priority,
        "support_type": ticket.support_type,
    }


def _target(ticket: Ticket) -> dict[str, Any] | None:
    """What is due next, and whether it is late."""
    if ticket.closed_at is not None:
        return None
    is_response = ticket.first_response_at is None and ticket.response_due_at is not None
    due = ticket.response_due_at if is_response else ticket.due_at
    if due is None:
        return None
    clock = ticket.status_changed_at if ticket.status in PAUSING else timezone.now()
    return {"at": due, "is_late": clock is not None and due < clock, "is_response": is_response}


def _stream(actor: Any, ticket: Ticket, merged: list[Ticket], *, everything: bool) -> tuple[list[shown.Entry], bool]:
    """Oldest first, with what was said on merged tickets; and whether there is more. Four queries."""
    numbers = {one.pk: one.identifier for one in merged}
    found = TicketActivity.objects.visible_to(actor).filter(ticket__in=[ticket.pk, *numbers])
    newest = list(found.select_related("user").order_by("-created_at", "-id")[: 5000 if everything else SHOWN + 1])
    has_older = not everything and len(newest) > SHOWN
    activities = newest[:SHOWN][::-1] if has_older else newest[::-1]
    files: dict[int | None, list[TicketAttachment]] = {}
    seen = TicketAttachment.objects.filter(activity__in=[a.pk for a in activities]).select_related("blob")
    for attachment in seen.order_by("position", "id"):
        files.setdefault(attachment.activity_id, []).append(attachment)
    people = desk.fill_people(activities)
    return [
        shown.Entry(
            activity,
            shown.words(activity, people),
            shown.who(activity),
            files.get(activity.pk, []),
            numbers.get(activity.ticket_id, ""),
            activity.kind == "comment" and bool(rules.may_delete_comment(actor, ticket, activity)),
        )
        for activity in activities
    ], has_older


def _facts(ticket: Ticket, entries: list[shown.Entry]) -> list[tuple[str, str]]:
    """Questions and answers of the report; in its text they stand no more."""
    first = next((e for e in entries if e.activity.kind == "ticketCreated" and not e.number), None)
    if first is None:
        return []
    first.text, facts = answers.apart(first.text, ticket.answers, user_language(ticket.tenant.language))
    return facts


def _save(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The controls. What a colleague saved meanwhile is told, and the own choice stays in the form."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    sent = _changed(request.POST)
    wanted: dict[str, Any] = {}
    for name in ("status", "support_type"):
        if value := sent.get(name, ""):
            wanted[name] = value
    if (value := sent.get("priority", "")) != "":
        wanted["priority"] = id_in(value) or 0
    assignee = sent.get("assignee")
    if assignee is not None:
        number = id_in(assignee)
        person = (
            Membership.objects.visible_to(actor).living().filter(pk=number).select_related("user").first()
            if number
            else None
        )
        if number is None or (number and person is None):
            messages.error(request, _("There is no such person."))
            return show(admin, request, ticket, box=_box_of(actor, ticket), chosen=wanted)
        wanted["assignee"] = person
    try:
        desk.save(
            actor=actor,
            ticket=ticket,
            wanted=wanted,
            expected=id_in(request.POST.get("expected", "")),
            with_children=bool(request.POST.get("with_children")),
        )
    except Changed:
        fresh = admin.ticket(request, ticket.pk)
        messages.warning(request, _meanwhile(fresh))
        return show(admin, request, fresh, box=_box_of(actor, ticket), chosen=_chosen(wanted), status=409)
    except (DomainError, ValidationError) as error:
        problem(request, error)
        fresh = admin.ticket(request, ticket.pk)
        return show(admin, request, fresh, box=_box_of(actor, ticket), chosen=_chosen(wanted))
    messages.success(request, _("The ticket was saved."))
    return redirect(way_back(request, ticket))


def _changed(sent: QueryDict) -> dict[str, str]:
    """What the person chose anew: what stands as it stood when the page was opened is nobody's wish, and must not undo
    what a colleague has set meanwhile."""
    controls = ("status", "assignee", "priority", "support_type")
    return {name: str(sent[name]) for name in controls if name in sent and sent[name] != sent.get(f"seen_{name}")}


def _chosen(wanted: dict[str, Any]) -> dict[str, Any]:
    """What somebody chose, as the controls hold it."""
    return {name: (value.pk if value else 0) if name == "assignee" else value for name, value in wanted.items()}


def _meanwhile(ticket: Ticket) -> str:
    """What is stored now, for somebody whose change came too late."""
    return _(
        "Somebody changed this ticket meanwhile: it is now “%(status)s”, assigned to %(assignee)s, priority “%(priority)s”. "
        "Your choice was not saved and stands in the form; look at it and save again."
    ) % {
        "status": ticket.get_status_display(),
        "assignee": ticket.assignee.user if ticket.assignee else _("nobody"),
        "priority": ticket.get_priority_display(),
    }
