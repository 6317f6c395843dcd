"""The frame of a signed-in page: which house one is in, where else one may go, what the navigation counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import NotFound
from orgs.models import Community, Occupancy, Responsibility, Unit
from portal.web.context import Brand, brand_of
from tickets.models import Ticket, TicketStatus

if TYPE_CHECKING:
    from orgs.actor import Actor

SWITCHER = 12  # managed communities that the switcher names; the rest stand on a page of their own
_PLACE, _UNITS = "place", "units"  # session keys: last community, chosen unit by community


@dataclass(frozen=True)
class Place:
    """One line of the switcher: a community, and the unit one has there."""

    community: Community
    unit: Unit | None
    detail: str
    current: bool

    @property
    def url(self) -> str:
        """The start page of the place."""
        url = reverse("portal:start", args=[self.community.pk])
        return f"{url}?unit={self.unit.pk}" if self.unit else url


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation."""

    key: str
    label: str
    icon: str
    url: str
    count: int = 0
    count_label: str = ""


@dataclass
class Shell:
    """What `templates/portal/house.html` draws around a page."""

    actor: Actor
    community: Community | None
    unit_id: int | None = None
    here: str = ""
    _unread: int | None = field(default=None, repr=False)

    @cached_property
    def brand(self) -> Brand | None:
        """The company that manages this community."""
        return brand_of(self.community.tenant) if self.community else None

    @cached_property
    def _units(self) -> list[Unit]:
        if not self.actor.units:
            return []
        units = Unit.objects.visible_to(self.actor).filter(pk__in=self.actor.units)
        found = {u.pk: u for u in units.select_related("community").order_by("id")}
        # In the order in which people moved in: the flat before the parking space that came with it.
        ids = dict.fromkeys(o.unit_id for o in self.actor.occupancies)
        mine = [found[pk] for pk in ids if pk in found]
        return sorted(mine, key=lambda u: (u.community.sort_key, u.community_id))

    @cached_property
    def _more_communities(self) -> list[Community]:
        """Reached without a unit of one's own: managed, or as member of the board."""
        others = (self.actor.managed | self.actor.communities) - {u.community_id for u in self._units}
        if not others:
            return []
        return list(
            Community.objects.visible_to(self.actor).filter(pk__in=others).order_by("sort_key", "id")[: SWITCHER + 1]
        )

    @cached_property
    def unit(self) -> Unit | None:
        """The unit one looks from: the chosen one, else the first in this community."""
        here = [u for u in self._units if self.community and u.community_id == self.community.pk]
        return next((u for u in here if u.pk == self.unit_id), here[0] if here else None)

    @cached_property
    def places(self) -> list[Place]:
        """Own units first, then other communities."""
        roles: dict[int, list[str]] = {}
        for o in self.actor.occupancies:
            label = str(Occupancy.Role(o.role).label)
            if label not in roles.setdefault(o.unit_id, []):
                roles[o.unit_id].append(label)
        mine = [
            Place(
                u.community,
                u,
                " · ".join([unit_line(u), *roles.get(u.pk, [])]),
                self.unit is not None and u.pk == self.unit.pk,
            )
            for u in self._units
        ]
        rest = [
            Place(c, None, c.city or "", self.community is not None and c.pk == self.community.pk and self.unit is None)
            for c in self._more_communities[:SWITCHER]
        ]
        return mine + rest

    @property
    def has_more_places(self) -> bool:
        """Whether the switcher leaves some out."""
        return len(self._more_communities) > SWITCHER

    @property
    def detail(self) -> str:
        """The second line of the switcher: the unit, else the town."""
        if self.unit is not None:
            return unit_line(self.unit)
        return self.community.city if self.community else ""

    @cached_property
    def unread(self) -> int:
        """Unread papers of this community."""
        if self._unread is not None:
            return self._unread
        if self.community is None or not self.community.has_documents:
            return 0
        from portal.web import papers

        return papers.unread_count(self.actor, self.community)

    @cached_property
    def waiting_tickets(self) -> int:
        """The person's own tickets in this community that wait for an answer of the person."""
        if self.community is None or not self.community.has_tickets:
            return 0
        mine = Ticket.objects.visible_to(self.actor).of_requester(self.actor)
        return mine.filter(community=self.community, status=TicketStatus.WAITING).count()

    @cached_property
    def nav(self) -> list[NavItem]:
        """Only what exists, and what the company has switched on here."""
        items = []
        if self.community is not None:
            start = reverse("portal:start", args=[self.community.pk])
            items.append(NavItem("start", _("Start"), "home", start))
            if self.community.has_documents:
                unread = self.unread
                items.append(
                    NavItem(
                        "documents",
                        _("Documents"),
                        "folder",
                        reverse("portal:documents", args=[self.community.pk]),
                        unread,
                        _("unread"),
                    )
                )
            if self.community.has_tickets:
                tickets = reverse("portal:tickets", args=[self.community.pk])
                items.append(
                    NavItem("tickets", _("Tickets"), "ticket", tickets, self.waiting_tickets, _("waiting for you"))
                )
        else:
            items.append(NavItem("start", _("Start"), "home", reverse("portal:home")))
        items.append(NavItem("profile", _("Profile"), "user", reverse("portal:profile")))
        return items

    @cached_property
    def contacts(self) -> list[Responsibility]:
        """Whom the company names on the start page, emergencies first."""
        if self.community is None:
            return []
        rows = (
            Responsibility.objects.visible_to(self.actor)
            .valid_on(self.community.tenant.today())
            .filter(community=self.community, show_on_dashboard=True)
            .select_related("contact")
            .order_by("position", "id")
        )
        return sorted(rows, key=lambda r: r.type != Responsibility.Type.EMERGENCY)

    @property
    def emergency(self) -> Responsibility | None:
        """The number for the painted wall, when one is published."""
        return next((r for r in self.contacts if r.type == Responsibility.Type.EMERGENCY and number_of(r)), None)

    @property
    def emergency_number(self) -> str:
        """Its telephone number."""
        return number_of(self.emergency) if self.emergency else ""


def number_of(row: Responsibility) -> str:
    """The published number of a contact person."""
    return (row.contact.telephone or row.contact.mobile) if row.publish_telephone else ""


def unit_line(unit: Unit) -> str:
    """Name and floor of a unit, as a bell plate shows them."""
    return " · ".join(part for part in (unit.name, unit.floor) if part)


def number_in(text: str) -> int | None:
    """The id or year that an address names, none for anything else: "²" is a digit, too, and no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def communities(actor: Actor) -> QuerySet[Community]:
    """Everything one may look at, with the company and its settings joined."""
    return Community.objects.visible_to(actor).select_related("tenant__settings").order_by("sort_key", "id")


def home_community(request: HttpRequest) -> Community | None:
    """The community last visited, else the first: of one's own units before those one only manages."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    reach = communities(actor)
    last = request.session.get(_PLACE)
    if last:
        found = reach.filter(pk=last).first()
        if found is not None:
            return found
    if actor.communities:
        reach = reach.filter(pk__in=actor.communities)
    elif actor.managed:
        reach = reach.filter(pk__in=actor.managed)
    else:
        return None
    return reach.first()


def enter(request: HttpRequest, community_id: int | None, here: str, *, bare: bool = False) -> Shell:
    """Build the frame of a page; a community out of reach is not found (PORTAL-014).

    Without ``community_id`` the page belongs to no house (profile) and keeps the last one around it, unless it is
    ``bare``: for who may not look into any yet.
    Times are shown in the zone of the company.
    """
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if community_id is None:
        community = None if bare else home_community(request)
    else:
        reach = actor.communities | actor.managed
        community = communities(actor).filter(pk=community_id).first() if community_id in reach else None
        if community is None:
            raise NotFound
    units: dict[str, int] = dict(request.session.get(_UNITS) or {})
    unit_id = None
    if community is not None:
        unit_id = units.get(str(community.pk))
        wanted = number_in(request.GET.get("unit", ""))
        if wanted in actor.units and wanted != unit_id:
            unit_id = wanted
            request.session[_UNITS] = {**units, str(community.pk): unit_id}
        if request.session.get(_PLACE) != community.pk:
            request.session[_PLACE] = community.pk
        timezone.activate(community.tenant.zone)
    shell = Shell(actor=actor, community=community, unit_id=unit_id, here=here)
    request.shell = shell  # type: ignore[attr-defined]
    return shell


def search_places(actor: Actor, words: str) -> QuerySet[Community]:
    """Communities by name, street or town, for people who reach many."""
    found = communities(actor).filter(pk__in=actor.communities | actor.managed)
    for word in words.split()[:6]:
        found = found.filter(Q(name__icontains=word) | Q(street__icontains=word) | Q(city__icontains=word))
    return found
