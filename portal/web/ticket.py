"""One ticket: its way, what was said, what one may do: answer with photos, rate, file a new one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from core import typed
from core.answers import require
from core.errors import Conflict, Denied, DomainError, Invalid, NotFound
from orgs import audience
from portal.rules import may_use_tickets
from portal.web.pages import is_fragment, page
from portal.web.shell import Shell, enter, number_in
from portal.web.ticket_files import DOOR, Attached, widget
from portal.web.ticket_new import SOURCE, form_token, once_per_form
from portal.web.ticket_stream import Stream
from tickets import rules
from tickets.models import DONE, Ticket
from tickets.services import attachments, changes, comments, merging, rating, sharing

if TYPE_CHECKING:
    from core.models import Upload


def _seen(request: HttpRequest, **which: Any) -> tuple[Shell, Ticket]:
    """A ticket within sight, where tickets are switched on, in the frame of its community."""
    actor = request.actor  # type: ignore[attr-defined]
    joined = ("community__tenant__settings", "unit", "contact__user", "created_by", "ticket_type", "merged_into")
    ticket = Ticket.objects.visible_to(actor).filter(**which).select_related(*joined).first()
    if ticket is None:
        raise NotFound
    shell = enter(request, ticket.community_id, "tickets")
    require(may_use_tickets(ticket.community))
    return shell, ticket


@require_GET
@page
def by_number(request: HttpRequest, ticket_id: int) -> HttpResponse:
    """The short address of mails leads to the lasting one."""
    return redirect("portal:ticket", _seen(request, pk=ticket_id)[1].uuid)


@require_GET
@page
@vary_on_headers("HX-Request")
def ticket(request: HttpRequest, ticket_ref: uuid.UUID) -> HttpResponse:
    """The page. Of a ticket that was merged into another one that other, for who sees it.

    The page asks itself for news with htmx: without any the answer is empty.
    """
    shell, found = _seen(request, uuid=ticket_ref)
    target = merging.target_for(shell.actor, found)
    if target is not found:
        if is_fragment(request):
            return HttpResponse(headers={"HX-Redirect": reverse("portal:ticket", args=[target.uuid])})
        messages.info(request, _("Ticket no. %(number)s goes on here.") % {"number": found.identifier})
        return redirect("portal:ticket", target.uuid)
    if not is_fragment(request):
        return render(request, "portal/ticket.html", _context(request, shell, found, **_typed(request, shell)))
    context = _context(request, shell, found)
    if request.GET.get("seen") == context["stream"].version:
        return HttpResponse(status=204)
    return render(request, "portal/ticket.html#news", context)


def _context(request: HttpRequest, shell: Shell, found: Ticket, **more: Any) -> dict[str, Any]:
    stream = Stream(shell.actor, found)
    may_comment = bool(rules.may_comment(shell.actor, found))
    is_requester = rules.is_requester(shell.actor, found)
    is_done = found.status in DONE
    is_merged = merging.target_of(found) is not found  # with one that the person does not see, or the page led there
    is_over = is_requester and comments.is_over(found) and not is_merged
    kept: list[Upload] = more.pop("kept", [])
    return {
        "ticket": found,
        "stream": stream,
        "steps": stream.steps,
        "is_mine": is_requester,
        "is_reader": not may_comment,
        "is_done": is_done,
        "is_over": is_over,
        "is_merged": is_merged,
        "may_comment": may_comment and not is_over,
        "may_file": bool(rules.may_file(shell.actor, found.community)),
        "reopens": is_done and is_requester and not is_over,
        "reopens_until": found.closed_at + comments.REOPENED_FOR if found.closed_at else None,
        "may_rate": is_done and not is_merged and bool(rules.may_rate(shell.actor, found)),
        "stars": _stars(),
        "may_share": is_requester and not is_merged,
        "is_shared": bool(found.shared_with),
        "may_withdraw": not is_done and not is_merged and bool(rules.may_withdraw(shell.actor, found)),
        "files": widget(found.community, kept=kept),
        "token": form_token(request),
        "writer": typed.writer(shell.actor),
        "is_fragment": is_fragment(request),
        **more,
    }


def _typed(request: HttpRequest, shell: Shell) -> dict[str, Any]:
    """What was sent from this page when the session had ended."""
    found = typed.taken(request, shell.actor)
    if found is None:
        return {}
    sent, had_files = found
    kept = attachments.waiting(sent.getlist("upload"), actor=shell.actor, door=DOOR)
    shown: dict[str, Any] = {"came_back": True, "kept": kept, "said": sent.get("text", ""), "lost": had_files}
    return shown | {"rating_said": sent.get("comment", ""), "rating_given": number_in(sent.get("rating", ""))}


def _stars() -> list[tuple[int, str]]:
    return [
        (5, _("5 stars, very content")), (4, _("4 stars")), (3, _("3 stars")), (2, _("2 stars")),
        (1, _("1 star, not content at all")),
    ]  # fmt: skip


def _place(ticket_ref: uuid.UUID) -> str:
    return reverse("portal:ticket", args=[ticket_ref])


@require_POST
@page
@typed.comes_back_to(_place)
def comment(request: HttpRequest, ticket_ref: uuid.UUID) -> HttpResponse:
    """Say something, with photos. What the requester says opens a ticket again that was done (PORTAL-070)."""
    shell, found = _seen(request, uuid=ticket_ref)
    require(rules.may_comment(shell.actor, found))
    text = request.POST.get("text", "")
    attached = Attached(request, shell.actor, found.community)

    def work() -> dict[str, Any]:
        files = attached.files
        said = comments.add_comment(actor=shell.actor, ticket=found, text=text, source=SOURCE, files=files)
        return {"entry": said.activity.pk, "reopened": said.reopened is not None}

    try:
        if "\x00" in text:
            raise Invalid.of("text", _("Please enter a text."))
        done = once_per_form(request, shell, [text, attached.posted, attached.sizes], work)
    except (Invalid, ValidationError, Conflict) as error:
        problem = " ".join(error.messages) if isinstance(error, ValidationError) else str(error.message)
        context = _context(request, shell, found, problem=problem, said=text, kept=attached.waiting)
        context["lost"] = bool(attached.sizes)
        return render(request, "portal/ticket.html", context, status=409 if isinstance(error, Conflict) else 422)
    if done["reopened"]:
        messages.success(request, _("Sent. Your ticket is open again."))
    return redirect(f"{reverse('portal:ticket', args=[found.uuid])}#e{done['entry']}")


@require_POST
@page
@typed.comes_back_to(_place)
def rate(request: HttpRequest, ticket_ref: uuid.UUID) -> HttpResponse:
    """How content somebody was, once it is done; the last word counts (PORTAL-071)."""
    shell, found = _seen(request, uuid=ticket_ref)
    said = request.POST.get("comment", "")
    try:
        rating.rate(
            actor=shell.actor, ticket=found, rating=number_in(request.POST.get("rating", "")) or 0, comment=said
        )
    except Denied:
        raise
    except DomainError as error:
        problem = str(error.message) if request.POST.get("rating") else _("Please choose one to five stars.")
        context = _context(request, shell, found, rating_problem=problem, rating_said=said)
        return render(request, "portal/ticket.html", context, status=409 if isinstance(error, Conflict) else 422)
    messages.success(request, _("Thank you for your rating."))
    return redirect("portal:ticket", found.uuid)


@require_POST
@page
def share(request: HttpRequest, ticket_ref: uuid.UUID) -> HttpResponse:
    """Let the neighbours read along, or no longer."""
    shell, found = _seen(request, uuid=ticket_ref)
    keys = [audience.community(found.community_id)] if request.POST.get("neighbours") == "1" else []
    sharing.share(actor=shell.actor, ticket=found, keys=keys, source=SOURCE)
    if keys:
        messages.success(request, _("Your neighbours can read along now."))
    else:
        messages.success(request, _("The ticket is between you and the management again."))
    return redirect("portal:ticket", found.uuid)


@require_POST
@page
def withdraw(request: HttpRequest, ticket_ref: uuid.UUID) -> HttpResponse:
    """It has become needless: close it."""
    shell, found = _seen(request, uuid=ticket_ref)
    try:
        changes.withdraw(actor=shell.actor, ticket=found, source=SOURCE)
    except Conflict as error:
        messages.info(request, str(error.message))
    else:
        messages.success(request, _("The ticket is withdrawn. If you write here again, it is open again."))
    return redirect("portal:ticket", found.uuid)
