"""The tickets of a community as residents have them: their own and those shared with them, open ones first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import Case, Count, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.answers import require
from portal.rules import may_use_tickets
from portal.status import CLOSED, status_text, word_of
from portal.web.pages import page
from portal.web.shell import enter
from portal.web.ticket_steps import Step, steps_of
from tickets import rules
from tickets.models import Ticket
from tickets.services.answers import excerpt

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Community
    from tickets.querysets import TicketQuerySet

PAGE = 20
ON_START = 4  # of the start page
ONLY = ("open", "done", "shared", "older")


@dataclass(frozen=True)
class Line:
    """One ticket of the list."""

    ticket: Ticket
    steps: list[Step]
    is_mine: bool
    is_done: bool
    status: str

    @property
    def excerpt(self) -> str:
        """See `answers.excerpt`."""
        return excerpt(self.ticket.title, self.ticket.answers, self.ticket.description)


class Board:
    """What one person sees of the tickets of one community."""

    def __init__(self, actor: Actor, community: Community, only: str = "", words: str = "") -> None:
        self.actor, self.community, self.words = actor, community, words
        self.only = only if only in ONLY else ""

    @property
    def all(self) -> TicketQuerySet[Ticket]:
        """All of them, old ones too."""
        seen: TicketQuerySet[Ticket] = Ticket.objects.visible_to(self.actor).filter(community=self.community)
        return seen

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many each filter leaves; one query."""
        mine = Q(pk__in=self.all.of_requester(self.actor).order_by().values("pk"))
        current = Q(pk__in=self.all.current().order_by().values("pk"))
        found: dict[str, int] = self.all.order_by().aggregate(
            open=Count("pk", filter=Q(closed_at=None)),
            done=Count("pk", filter=Q(closed_at__isnull=False) & current),
            shared=Count("pk", filter=~mine & current),
            older=Count("pk", filter=~current),
        )
        return found

    @property
    def listed(self) -> TicketQuerySet[Ticket]:
        """What the list shows, open ones first."""
        found = self.all
        if self.words:
            found = Ticket.objects.search(self.actor, self.words).filter(community=self.community)
        found = found.rested() if self.only == "older" else found.current()
        if self.only == "open":
            found = found.filter(closed_at=None)
        elif self.only == "done":
            found = found.filter(closed_at__isnull=False)
        elif self.only == "shared":
            found = found.exclude(pk__in=self.all.of_requester(self.actor).order_by().values("pk"))
        is_done = Case(When(closed_at=None, then=Value(0)), default=Value(1))
        joined: TicketQuerySet[Ticket] = found.select_related("ticket_type", "unit").order_by(
            is_done, "-updated_at", "-id"
        )
        return joined

    def page(self, number: str) -> Page[Ticket]:
        """A page of the list; nonsense is the first."""
        pages = Paginator(self.listed, PAGE)
        try:
            return pages.page(number)
        except (EmptyPage, PageNotAnInteger):
            return pages.page(1)

    def mine(self, limit: int) -> list[Line]:
        """The person's own open ones, for the start page."""
        own = self.all.of_requester(self.actor).filter(closed_at=None).select_related("ticket_type", "unit")
        return self.lines(own.order_by("-updated_at", "-id")[:limit])

    def lines(self, tickets: Any) -> list[Line]:
        """How the rows are drawn."""
        tenant = self.community.tenant
        return [
            Line(
                ticket,
                steps_of(ticket, tenant),
                rules.is_requester(self.actor, ticket),
                word_of(ticket.status) == CLOSED,
                status_text(word_of(ticket.status), tenant),
            )
            for ticket in tickets
        ]


@require_GET
@page
def tickets(request: HttpRequest, community_id: int) -> HttpResponse:
    """The list, narrowed by what the address says."""
    shell = enter(request, community_id, "tickets")
    assert shell.community is not None
    require(may_use_tickets(shell.community))
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    board = Board(shell.actor, shell.community, request.GET.get("only", ""), words)
    found = board.page(request.GET.get("page", "1"))
    context = {
        "board": board,
        "found": found,
        "lines": board.lines(found.object_list),
        "is_empty": not any(board.counts.values()),
        "may_file": bool(rules.may_file(shell.actor, shell.community)),
        "manages": rules.manages(shell.actor, shell.community.pk),
    }
    return render(request, "portal/tickets.html", context)
