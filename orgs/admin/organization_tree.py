"""The tree of organizations on one page: branches open where one asks, and each level is paged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import Lower, RowNumber
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from core.admin import pages
from core.admin.base import count_of
from core.admin.pages import id_in, list_url
from orgs import rules
from orgs.models import Membership, Organization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orgs.admin.organizations import OrganizationAdmin

PAGE = 50  # lines of one level
OPEN_MAX = 20  # branches that are open at once; of more, the first opened close again
INDENTED = 12  # levels; deeper ones stand where the last of these does, with their number
STATES = {
    "trial": ("info", pgettext_lazy("organization", "trial")),
    "inactive": ("warn", pgettext_lazy("organization", "inactive")),
    "active": ("good", pgettext_lazy("organization", "active")),
}


@dataclass
class Line:
    """One organization of the tree, or behind the last line of a level that is cut off, the way to the rest."""

    organization: Any
    depth: int = 0
    is_open: bool = False
    toggle: str = ""
    rest: int = 0  # more children than are shown, of which this line tells
    rest_url: str = ""
    may_own: bool = False
    path: str = ""

    @property
    def indent(self) -> int:
        """How far it stands to the right."""
        return min(self.depth, INDENTED)

    @property
    def level(self) -> int | None:
        """Its level, counted from one, where it can no longer be seen from the indentation."""
        return self.depth + 1 if self.depth > INDENTED else None

    @property
    def state(self) -> tuple[str, Any]:
        """A tone and a word."""
        return STATES[self.organization.state]


@dataclass
class Look:
    """What the address asks for: ``at`` a branch, a page of its level, open branches, or words to search."""

    at: Organization | None
    words: str
    page: str
    opened: list[int] | None  # None: nobody has opened or closed anything yet

    def url(self, opened: list[int], organization: Organization) -> str:
        """The same view with these branches open, at the line of one: what lies above it does not close."""
        while len(opened) > OPEN_MAX:
            kept = {organization.pk, *organization.ancestors}
            first = next((n for n, pk in enumerate(opened) if pk not in kept), 0)
            opened = [*opened[:first], *opened[first + 1 :]]
        query: list[tuple[str, Any]] = [("at", self.at.pk)] if self.at else []
        if self.page:
            query.append(("p", self.page))
        query += [("open", pk) for pk in opened] or [("open", "")]
        return f"{list_url(Organization)}?{urlencode(query)}#organization-{organization.pk}"


def tree_url(organization: Organization) -> str:
    """The tree, open as far as an organization's line."""
    above: list[int] = organization.ancestors
    at: list[tuple[str, Any]] = [("at", above[-OPEN_MAX - 1])] if len(above) > OPEN_MAX else []
    opened: list[tuple[str, Any]] = [("open", pk) for pk in above[-OPEN_MAX:]]
    query = urlencode([*at, *(opened or [("open", "")])])
    return f"{list_url(Organization)}?{query}#organization-{organization.pk}"


def line_of(request: HttpRequest, admin: OrganizationAdmin, organization: Organization) -> list[Organization]:
    """What lies above an organization, from the top, as far as one has access (ORGS-027)."""
    if not organization.ancestors:
        return []
    actor = request.actor  # type: ignore[attr-defined]
    found = {one.pk: one for one in admin.seen_by(actor).filter(pk__in=organization.ancestors)}
    return [found[pk] for pk in organization.ancestors if pk in found]


def tree_page(admin: OrganizationAdmin, request: HttpRequest) -> HttpResponse:
    """The highest organizations that one sees, with open branches; one branch; or what a search finds."""
    actor = request.actor  # type: ignore[attr-defined]
    found = admin.get_queryset(request)
    look = _look(request, found)
    page = _page(_level(found, look).order_by(Lower("name"), "id").values_list("pk", flat=True), look.page)
    lines = list(_lines(actor, found, look, page))
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/organizations.html",
        title=_("Organizations"),
        opts=admin.opts,
        lines=lines,
        page=page,
        at=look.at,
        above=line_of(request, admin, look.at) if look.at else [],
        words=look.words,
        is_shut=_is_shut(actor),
        may_move=any(line.may_own for line in lines),
        add_url=reverse("admin:orgs_organization_add") if admin.has_add_permission(request) else "",
        admit_url=reverse("admin:orgs_organization_admit") if actor.is_operator else "",
        list_url=list_url(Organization),
    )


def _look(request: HttpRequest, found: Any) -> Look:
    asked = request.GET
    at = found.filter(pk=id_in(asked["at"]) or 0).first() if asked.get("at") else None
    opened = [pk for text in asked.getlist("open") if (pk := id_in(text))] if "open" in asked else None
    return Look(at, asked.get("q", "").strip()[:200], asked.get("p", ""), opened and list(dict.fromkeys(opened)))


def _level(found: Any, look: Look) -> Any:
    if look.words:
        return found.filter(name__icontains=look.words)
    if look.at is not None:
        return found.filter(parent=look.at)
    # Where one has no access to a parent, the highest accessible one counts as top (ORGS-075).
    return found.exclude(Exists(found.order_by().filter(pk=OuterRef("parent"))))


def _page(level: Any, number: str) -> Page[int]:
    """One page of a level, which is counted only where it does not fit on one."""
    first = list(level[: PAGE + 1]) if not number else []
    return Paginator(first if 0 < len(first) <= PAGE else level, PAGE).get_page(number or 1)


def _lines(actor: Any, found: Any, look: Look, page: Page[int]) -> Iterator[Line]:
    """The lines of the page from the top down; the number of queries does not depend on them."""
    top = list(page.object_list)
    opened = [] if look.words else look.opened
    if opened is None:
        opened = top if len(top) == 1 else []
    opened = opened[-OPEN_MAX:]
    below = _children(found, opened)
    shown = _annotated(found, [*top, *(pk for ids in below.values() for pk in ids)])
    paths = _paths(actor, shown, top) if look.words else {}
    waiting = [(pk, 0) for pk in reversed(top)]
    while waiting:
        pk, depth = waiting.pop()
        if pk < 0:  # the end of a level that is cut off
            one = shown[-pk]
            rest = one.child_total - len(below[-pk])
            yield Line(one, depth, rest=rest, rest_url=f"{list_url(Organization)}?at={one.pk}&p=2")
            continue
        one = shown.get(pk)
        if one is None:  # gone meanwhile
            continue
        is_open = pk in opened
        others = [other for other in opened if other != pk]
        yield Line(
            one, depth, is_open=is_open, may_own=bool(rules.may_own(actor, one)), path=paths.get(pk, ""),
            toggle=look.url(others if is_open else [*others, pk], one) if one.child_total and not look.words else "",
        )  # fmt: skip
        if is_open:
            children = below.get(pk, [])
            if one.child_total > len(children):
                waiting.append((-pk, depth + 1))
            waiting += [(child, depth + 1) for child in reversed(children)]


def _children(found: Any, opened: list[int]) -> dict[int, list[int]]:
    """The first children of each open branch."""
    below: dict[int, list[int]] = {}
    if opened:
        place = Window(RowNumber(), partition_by="parent_id", order_by=[Lower("name").asc(), F("id").asc()])
        ranked = found.order_by().filter(parent__in=opened).annotate(place=place).filter(place__lte=PAGE)
        for parent_id, pk in ranked.order_by("parent_id", "place").values_list("parent_id", "pk"):
            below.setdefault(parent_id, []).append(pk)
    return below


def _annotated(found: Any, ids: list[int]) -> dict[int, Any]:
    """The shown ones, with the number of children that one sees, and of owners and staff."""
    staff = Membership.objects.active().filter(role__in=("owner", "staff"), organization=OuterRef("pk"))
    counted = found.filter(pk__in=ids).annotate(
        child_total=count_of(found.order_by().filter(parent=OuterRef("pk"))), member_total=count_of(staff)
    )
    return {one.pk: one for one in counted.order_by()}


def _paths(actor: Any, shown: dict[int, Any], top: list[int]) -> dict[int, str]:
    """Where found ones lie, in one query."""
    ids = {pk for one in shown.values() for pk in one.ancestors}
    names = dict(Organization.objects.open_to(actor).filter(pk__in=ids).order_by().values_list("pk", "name"))
    return {pk: " › ".join(names[up] for up in shown[pk].ancestors if up in names) for pk in top if pk in shown}


def _is_shut(actor: Any) -> bool:
    """Whether one is kept out of an organization for want of a second factor (ORGS-054)."""
    if actor.is_operator or actor.has_second_factor:
        return False
    visible = Organization.objects.visible_to(actor).filter(closed_at=None)
    return bool(visible.exclude(pk__in=Organization.objects.open_to(actor).order_by().values("pk")).exists())
