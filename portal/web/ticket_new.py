"""Filing a ticket: which kind it is, then what the company asks for that kind. Sent twice, it is filed once."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from core import typed
from core.answers import require
from core.errors import DomainError, Invalid, NotFound
from core.http import dumps
from orgs import audience
from orgs.models import Unit
from portal.rules import may_use_tickets
from portal.web import ticket_answers
from portal.web.pages import is_fragment, page
from portal.web.shell import Shell, enter
from portal.web.ticket_files import DOOR, Attached, widget
from portal.web.ticket_form import FILES, NEIGHBOURS, TicketForm
from tickets import rules
from tickets.models import Ticket, TicketActivity, TicketType, TicketTypeField
from tickets.services import answers, attachments, filing, sharing
from tickets.services.idempotency import once

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = TicketActivity.Source.WEB


@dataclass
class Group:
    """A heading and the types under it."""

    name: str
    types: list[TicketType] = field(default_factory=list)


def entered(request: HttpRequest, community_id: int) -> Shell:
    """The frame of a page where somebody files. Raises `Denied` where tickets are off or others file."""
    shell = enter(request, community_id, "tickets")
    assert shell.community is not None
    require(may_use_tickets(shell.community))
    require(rules.may_file(shell.actor, shell.community))
    return shell


@require_GET
@page
@vary_on_headers("HX-Request")
def choose(request: HttpRequest, community_id: int) -> HttpResponse:
    """The kinds, by groups, and answers that may do. Where a company has set up no kinds, one writes freely.

    htmx asks with each word for the answers alone.
    """
    shell = entered(request, community_id)
    assert shell.community is not None
    offered = answers.offered(shell.actor, shell.community).select_related("group")
    types = offered.order_by("group__position", "group_id", "position", "id")
    groups = [Group(name, list(found)) for name, found in groupby(types, lambda t: t.group.name if t.group else "")]
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = ticket_answers.offered(shell.actor, shell.community, words)
    context = {
        "groups": groups,
        "words": words,
        "answers": found,
        "has_answers": bool(found or (words and shell.community.has_faq)),
    }
    return render(request, f"portal/ticket_new.html{'#answers' if is_fragment(request) else ''}", context)


def _place(community_id: int, type_id: int | None = None) -> str:
    """The form itself."""
    if type_id is None:
        return reverse("portal:ticket-free", args=[community_id])
    return reverse("portal:ticket-form", args=[community_id, type_id])


@require_http_methods(["GET", "POST"])
@page
@typed.comes_back_to(_place)
def by_type(request: HttpRequest, community_id: int, type_id: int) -> HttpResponse:
    """The form of one type; one that is not offered here does not exist."""
    shell = entered(request, community_id)
    assert shell.community is not None
    chosen = answers.offered(shell.actor, shell.community).filter(pk=type_id).prefetch_related("fields").first()
    if chosen is None:
        raise NotFound
    return _form(request, shell, chosen)


@require_http_methods(["GET", "POST"])
@page
@typed.comes_back_to(_place)
def freely(request: HttpRequest, community_id: int) -> HttpResponse:
    """The form without a type, only where none is offered; else one chooses first."""
    shell = entered(request, community_id)
    assert shell.community is not None
    if answers.offered(shell.actor, shell.community).exists():
        return redirect("portal:ticket-new", community_id)
    return _form(request, shell, None)


def _form(request: HttpRequest, shell: Shell, chosen: TicketType | None) -> HttpResponse:
    community = shell.community
    assert community is not None
    fields = [f for f in chosen.fields.all() if f.is_active] if chosen else []
    units = [place.unit for place in shell.places if place.unit and place.unit.community_id == community.pk]
    sent, had_files = (request.method == "GET" and typed.taken(request, shell.actor)) or (QueryDict(), False)
    initial = {"unit": str(shell.unit.pk) if shell.unit else "", **sent.dict()}
    form = TicketForm(request.POST if request.method == "POST" else None, fields=fields, units=units, initial=initial)
    names = [name for name, f in form.asked.items() if f.field_type == TicketTypeField.Kind.FILE]
    attached = {name: Attached(request, shell.actor, community, name) for name in names or ([] if fields else [FILES])}
    if request.method == "POST":
        try:
            ticket = _file(request, shell, chosen, form, attached)
        except (DomainError, ValidationError) as error:
            _refuse(form, error)
        else:
            text = _("We have received it: no. %(number)s. You find every answer on this page.")
            messages.success(request, text % {"number": ticket.identifier})
            return redirect("portal:ticket", ticket.uuid)
    kept = {
        name: one.waiting or attachments.waiting(sent.getlist(name), actor=shell.actor, door=DOOR)
        for name, one in attached.items()
    }
    widgets = {name: widget(community, name, kept[name]) for name in attached}
    helpful = ticket_answers.of_type(shell.actor, community, chosen) if chosen and not form.is_bound else []
    context = {
        "answers": helpful, "form": form, "chosen": chosen, "token": form_token(request), "writer": typed.writer(shell.actor),
        "came_back": bool(sent), "lost": had_files or any(one.sizes for one in attached.values()),
        "rows": [(form[name], widgets.get(name)) for name in form.fields if name != "unit"], "has_units": bool(units),
    }  # fmt: skip
    return render(request, "portal/ticket_form.html", context, status=422 if form.is_bound else 200)


def _file(
    request: HttpRequest, shell: Shell, chosen: TicketType | None, form: TicketForm, attached: dict[str, Attached]
) -> Ticket:
    """File what the form says. Raises `Invalid` for files that do not fit, and what the services raise."""
    community = shell.community
    assert community is not None
    if form.errors:
        raise Invalid
    for name, one in attached.items():
        if one.problem:
            raise Invalid.of(name, one.problem)
    unit = _unit(shell, form.unit_id)
    content = [request.POST.get(name, "") for name in form.fields], [(a.posted, a.sizes) for a in attached.values()]

    def work() -> dict[str, int]:
        if chosen is None or not form.asked:
            answers.check_unit(shell.actor, community, unit)
            filed = filing.file_ticket(
                actor=shell.actor, community=community, text=form.cleaned_data["text"].strip(), source=SOURCE,
                title=form.cleaned_data["title"].strip(), ticket_type=chosen, unit=unit, files=attached[FILES].files,
            )  # fmt: skip
        else:
            filed = answers.file_answers(
                actor=shell.actor, community=community, ticket_type=chosen, given=form.given(attached), source=SOURCE,
                door=DOOR, unit=unit,
            )  # fmt: skip
        if form.cleaned_data[NEIGHBOURS]:
            keys = [audience.community(community.pk)]
            sharing.share(actor=shell.actor, ticket=filed.ticket, keys=keys, source=SOURCE)
        return {"ticket": filed.ticket.pk}

    return Ticket.objects.get(pk=once_per_form(request, shell, content, work)["ticket"])


def once_per_form(request: HttpRequest, shell: Shell, content: Any, work: Callable[[], Any]) -> Any:
    """Do the work unless this very form with this content was sent before; then what came of it (see `once`)."""
    community, token = shell.community, form_token(request)
    assert community is not None
    digest = hashlib.sha256(dumps([request.path, content]))
    _status, answer = once(
        credential=f"web:{shell.actor.user_id}", key=f"{token}:{digest.hexdigest()}", body_hash=digest.digest(),
        tenant_id=community.tenant_id, status=201, work=work,
    )  # fmt: skip
    return answer


def form_token(request: HttpRequest) -> str:
    """What a drawn form is known by; it stays the same while its mistakes are mended."""
    sent = request.POST.get("form", "")
    return sent if sent.isalnum() and sent.isascii() and len(sent) <= 40 else uuid.uuid4().hex


def _unit(shell: Shell, unit_id: int | None) -> Unit | None:
    """The unit that is named. Raises `Invalid` for one out of sight."""
    if unit_id is None:
        return None
    unit = Unit.objects.visible_to(shell.actor).filter(pk=unit_id).first()
    if unit is None:
        raise Invalid.of("unit", _("This unit is not one of yours."))
    return unit


def _refuse(form: TicketForm, error: DomainError | ValidationError) -> None:
    if isinstance(error, ValidationError):
        error = Invalid(" ".join(error.messages), fields=dict(getattr(error, "message_dict", {})))
    if not (form.errors and not error.fields):
        form.take(error)
