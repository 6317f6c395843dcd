"""The work list: what is to be done, as an address that can be kept and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import moments
from core.admin import pages
from core.admin.base import COUNT_LIMIT, CappedPaginator
from core.admin.pages import change_url, id_in, list_url, problem
from core.admin.pickers import picker
from core.errors import DomainError
from orgs.models import Community, Membership
from tickets.admin.shown import ICON, PRIORITY_TONES, STATUS_TONES
from tickets.models import Priority, SupportType, Ticket, TicketFilter, TicketStatus, TicketType
from tickets.services import filters as saved_filters
from tickets.services import worklist
from tickets.services.answers import excerpt

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tickets.admin.tickets import TicketAdmin
    from tickets.services.worklist import Wish

PER_PAGE = 50
PEOPLE = 300  # in the chooser of assignees
EXCERPT = 140  # characters


@dataclass
class Line:
    """One ticket of the list."""

    ticket: Any
    url: str

    @property
    def number(self) -> str:
        """As the community counts, with its short code; and as the company does, where that is another number."""
        place = self.ticket.community.code or self.ticket.community.identifier
        number = f"{place}-{self.ticket.number}" if place else str(self.ticket.number)
        return number if self.ticket.identifier == str(self.ticket.number) else f"{number} · {self.ticket.identifier}"

    @property
    def excerpt(self) -> str:
        """See `answers.excerpt`, in one line."""
        said = excerpt(self.ticket.title, self.ticket.answers, self.ticket.beginning)
        return Truncator(" ".join(said.split())).chars(EXCERPT)

    @property
    def filed(self) -> str:
        """When, as people say it."""
        return moments.relative(timezone.localtime(self.ticket.created_at), timezone.localtime())

    @property
    def icon(self) -> str:
        """Of its type."""
        return (self.ticket.ticket_type and self.ticket.ticket_type.icon) or ICON

    @property
    def requester(self) -> Any:
        """Whoever it is about, else the sender nobody knows, else who filed it."""
        return self.ticket.contact or self.ticket.stranger or self.ticket.created_by

    @property
    def status_tone(self) -> str:
        """The colour of its status."""
        return STATUS_TONES[self.ticket.status]

    @property
    def priority_tone(self) -> str:
        """The colour of its priority."""
        return PRIORITY_TONES[self.ticket.priority]

    @property
    def waits_for_us(self) -> bool:
        """The requester spoke last, or nobody has answered yet."""
        return self.ticket.closed_at is None and not self.ticket.by_staff


class CommunityForm(forms.Form):
    """The chooser of a community, which looks up what is typed."""

    community = forms.ModelChoiceField(
        label=gettext_lazy("community"), queryset=Community.objects.none(), required=False
    )


def page(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """The tickets that an address asks for."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    wish = worklist.read(request.GET)
    # As many ids as are counted: they tell the number and the page at once.
    ids = list(worklist.matching(actor, wish).values_list("pk", flat=True)[: COUNT_LIMIT + 1])
    shown = CappedPaginator(ids, PER_PAGE).get_page(request.GET.get("p"))
    query = wish.query
    tickets = worklist.lines(actor, list(shown.object_list))
    lines = [Line(t, f"{change_url(t)}?{urlencode({'list': query})}") for t in tickets]
    if left_out := worklist.unread(request.GET, wish):
        messages.warning(request, _("Left out, because it cannot be read: %(names)s") % {"names": ", ".join(left_out)})
    total = shown.paginator.count
    return pages.render(
        admin.admin_site,
        request,
        "admin/tickets/list.html",
        title=_("Work list"),
        opts=admin.opts,
        is_fullwidth="1",
        wish=wish,
        query=query,
        lines=lines,
        page=shown,
        total=f"{COUNT_LIMIT:n}+" if total > COUNT_LIMIT else str(total),
        count=total,
        views=[(name, word, "?" + wish.but(view=name).query) for name, word in worklist.VIEWS.items()],
        is_filtered=bool(wish.but(view="", order="").query),
        saved=saved_filters.tabs(actor, actor.tenant_id),
        user=actor.user,
        may_add=admin.has_add_permission(request),
        may_save=actor.tenant_id in actor.staff_tenants,
        **choices(admin, request, wish),
    )


def choices(admin: TicketAdmin, request: HttpRequest, wish: Wish) -> dict[str, Any]:
    """What the filters and the bulk change offer. Two queries, and one for the chosen community."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    people = Membership.objects.visible_to(actor).active().staff().select_related("user")
    kinds = TicketType.objects.visible_to(actor).filter(tenant__in=actor.staff_tenants)
    if actor.tenant_id is not None:
        people, kinds = people.filter(organization=actor.tenant_id), kinds.filter(tenant=actor.tenant_id)
    form = CommunityForm({"community": wish.community or ""})
    field: Any = form.fields["community"]
    form.fields["community"] = picker(admin, request, field, Ticket._meta.get_field("community"))
    return {
        "people": list(people.order_by("user__last_name", "user__first_name", "id")[:PEOPLE]),
        "types": list(kinds.order_by("position", "id")[:PEOPLE]),
        "community_field": form["community"],
        "media": form.media,
        "states": worklist.STATES,
        "orders": worklist.ORDERS,
        "targets": worklist.TARGETS,
        "kinds": SupportType.choices,
        "statuses": TicketStatus.choices,
        "priorities": Priority.choices,
    }


def filters(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """Save the view under a name, or remove a saved one."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    query = worklist.read(forms_query(request)).query
    here = f"{list_url(Ticket)}?{query}"
    try:
        if remove := request.POST.get("remove", ""):
            saved = TicketFilter.objects.visible_to(actor).filter(pk=id_in(remove) or 0).first()
            if saved is None:
                raise Http404
            saved_filters.remove(actor=actor, saved=saved)
            messages.success(request, _("The filter was removed."))
        else:
            saved_filters.save(
                actor=actor,
                tenant_id=actor.tenant_id or 0,
                name=request.POST.get("name", ""),
                query=query,
                is_shared=bool(request.POST.get("is_shared")),
            )
            messages.success(request, _("The filter was saved."))
    except (DomainError, ValidationError) as error:
        problem(request, error)
    return redirect(here)


def forms_query(request: HttpRequest) -> Any:
    """The address of the list that a form on it was sent from."""
    from django.http import QueryDict

    return QueryDict(request.POST.get("query", "")[:2000])


def bulk_url() -> str:
    """Where changes of many begin."""
    return reverse("admin:tickets_ticket_bulk")
