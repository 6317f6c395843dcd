"""The start page of a community, the way in, and the page of all places."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from docms.services import group_admins
from orgs.models import Contact
from orgs.services import availability
from portal.web import papers
from portal.web.pages import page
from portal.web.shell import Shell, enter, home_community, number_of, search_places
from portal.web.tickets import ON_START, Board
from tickets.rules import may_file

NEW = 6  # unread papers that the start page names
SALUTATIONS = frozenset({"Herr", "Frau", "Familie", "Mr", "Mrs", "Ms", "Madame", "Monsieur", "Pan", "Pani"})


@require_GET
@page
def home(request: HttpRequest) -> HttpResponse:
    """To the community last visited; who has none is told what to do."""
    community = home_community(request)
    if community is not None:
        return redirect("portal:start", community_id=community.pk)
    enter(request, None, "start")
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "is_staff": bool(actor.staff_tenants) or actor.is_operator,
        "standings": availability.standings(actor),
        "has_circles": group_admins.has_circles(actor),
    }
    return render(request, "portal/no_place.html", context)


@require_GET
@page
def start(request: HttpRequest, community_id: int) -> HttpResponse:
    """What is new for me here, and whom to call."""
    shell = enter(request, community_id, "start")
    assert shell.community is not None
    new: list[papers.NewPaper] = []
    if shell.community.has_documents:
        new, shell._unread = papers.newest_unread(shell.actor, shell.community, NEW)
    contacts = [
        {"row": row, "number": number_of(row), "email": row.contact.email if row.publish_email else ""}
        for row in shell.contacts
        if row is not shell.emergency
    ]
    mine = Board(shell.actor, shell.community).mine(ON_START) if shell.community.has_tickets else []
    context = {
        "new": new,
        "my_tickets": mine,
        "contacts": contacts,
        "greeting": _greeting(shell),
        "today": timezone.localdate(),
    }
    context["may_file"] = shell.community.has_tickets and bool(may_file(shell.actor, shell.community))
    return render(request, "portal/start.html", context)


def _greeting(shell: Shell) -> str:
    """The name to greet somebody by: as the company's register addresses the person, else the full name."""
    assert shell.community is not None
    user = shell.actor.user
    contact = (
        Contact.objects.visible_to(shell.actor)
        .filter(user=user, tenant=shell.community.tenant_id, kind=Contact.Kind.PERSON)
        .order_by("-is_primary", "id")
        .first()
    )
    if contact is not None and contact.salutation in SALUTATIONS and contact.last_name:
        return " ".join(part for part in (contact.salutation, contact.title, contact.last_name) if part)
    return user.get_full_name() if user else ""


@require_GET
@page
def places(request: HttpRequest) -> HttpResponse:
    """All communities, for people who reach more than the switcher can name."""
    shell = enter(request, None, "places")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    found = Paginator(search_places(shell.actor, words), 50).get_page(request.GET.get("page"))
    return render(request, "portal/places.html", {"found": found, "words": words})
