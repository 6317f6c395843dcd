"""Moving an organization: a place is chosen, what that changes is shown, and only then it moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from core.admin import pages
from core.admin.pages import id_in, problem
from core.answers import require
from core.errors import DomainError
from orgs import rules
from orgs.admin import organization_tree
from orgs.models import Organization
from orgs.services import moves, tree

if TYPE_CHECKING:
    from orgs.admin.organizations import OrganizationAdmin
    from orgs.services.moves import Effects, People

PAGE = 50  # places of the list


@dataclass
class Fact:
    """One thing that a move changes or leaves, in sentences, with a tone."""

    title: Any
    lines: list[str]
    tone: str = "none"
    word: Any = ""


def move_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET without a place: choose one. GET with one: what it changes. POST: moves, or says why not."""
    obj: Organization = pages.of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    require(rules.may_own(actor, obj))
    asked = request.POST if request.method == "POST" else request.GET
    if "parent" not in asked:
        return _choose(admin, request, obj)
    parent = None
    if asked["parent"]:
        parent = admin.get_queryset(request).filter(pk=id_in(asked["parent"]) or 0).first()
        if parent is None:
            messages.error(request, _("Choose an organization from the list."))
            return _choose(admin, request, obj)
    if request.method == "POST":
        try:
            with transaction.atomic():
                moved = tree.change(
                    actor=actor, organization=obj, values={"parent": parent}, expected=id_in(asked.get("version"))
                )
        except DomainError as error:
            problem(request, error)
        else:
            messages.success(request, _told(obj, parent))
            return redirect(organization_tree.tree_url(moved))
    obj.refresh_from_db()
    found = moves.effects(actor=actor, organization=obj, parent=parent)
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/organization_move.html",
        title=_("What the move changes"),
        opts=admin.opts,
        original=obj,
        parent=parent,
        effects=found,
        refusal=str(found.refusal.message) if found.refusal else "",
        facts=facts(found),
        back=organization_tree.tree_url(obj),
    )


def _told(obj: Organization, parent: Organization | None) -> str:
    if parent is None:
        return _("“%(name)s” is on top now.") % {"name": obj.name}
    return _("“%(name)s” lies below “%(parent)s” now.") % {"name": obj.name, "parent": parent.name}


def _choose(admin: OrganizationAdmin, request: HttpRequest, obj: Organization) -> HttpResponse:
    """Places that could be meant, found by words. Whether one fits, the next page says."""
    words = request.GET.get("q", "").strip()[:200]
    others = admin.get_queryset(request).exclude(pk=obj.pk).exclude(ancestors__contains=[obj.pk])
    actor = request.actor  # type: ignore[attr-defined]
    if not actor.is_operator:
        owned = list(actor.owned_organizations)
        others = others.filter(pk__in=owned) | others.filter(ancestors__overlap=owned)
    if words:
        others = others.filter(name__icontains=words)
    if obj.parent_id is not None:
        others = others.exclude(pk=obj.parent_id)
    page = Paginator(others.order_by(Lower("name"), "id"), PAGE).get_page(request.GET.get("p"))
    above = {pk for one in page.object_list for pk in one.ancestors}
    names = dict(admin.seen_by(actor).filter(pk__in=above).order_by().values_list("pk", "name"))
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/organization_places.html",
        title=_("Move the organization"),
        opts=admin.opts,
        original=obj,
        words=words,
        page=page,
        places=[(one, " › ".join(names[pk] for pk in one.ancestors if pk in names)) for one in page.object_list],
        is_top=obj.parent_id is None,
        back=organization_tree.tree_url(obj),
    )


# --- In words ---------------------------------------------------------------------------------------------


def facts(found: Effects) -> list[Fact]:
    """What the confirmation says; nothing for a move that is refused."""
    if found.refusal:
        return []
    return [_going(found), _rights(found), _factor(found), *_company(found), _kept()]


def _going(found: Effects) -> Fact:
    n, people, houses = found.organizations, found.people, found.communities
    return Fact(
        gettext_lazy("What moves"),
        [
            ngettext("%(n)d organization", "%(n)d organizations", n) % {"n": n},
            ngettext("%(n)d person who works there", "%(n)d people who work there", people) % {"n": people},
            ngettext("%(n)d community", "%(n)d communities", houses) % {"n": houses},
        ],
    )


def _rights(found: Effects) -> Fact:
    lines = []
    if found.gain.total:
        lines.append(_("Get owner rights: %(names)s") % {"names": named(found.gain)})
    if found.lose.total:
        lines.append(_("Lose owner rights: %(names)s") % {"names": named(found.lose)})
    if found.takes_from_actor:
        lines.append(_("You are one of them, and cannot undo this move."))
    title = gettext_lazy("Owner rights")
    if not lines:
        return Fact(title, [_("Nobody gets or loses any.")], word=pgettext_lazy("move", "stays"))
    return Fact(title, lines, "bad" if found.takes_from_actor else "warn", pgettext_lazy("move", "changes"))


def named(people: People) -> str:
    """Names, and how many more there are."""
    more = ngettext("%(n)d more", "%(n)d more", people.unnamed) % {"n": people.unnamed}
    return ", ".join([*people.names, *([more] if people.unnamed else [])])


def _factor(found: Effects) -> Fact:
    title = gettext_lazy("Second factor")
    if found.duty_begins:
        demanded = _("From then on %(names)s demands one.") % {"names": _joined(found.factor_after)}
        shut = ngettext(
            "%(n)d person has none yet and stays outside until one is set up.",
            "%(n)d people have none yet and stay outside until one is set up.",
            found.without_factor,
        ) % {"n": found.without_factor}
        return Fact(
            title, [demanded, shut] if found.without_factor else [demanded], "warn", pgettext_lazy("move", "begins")
        )
    if found.duty_ends:
        ended = _("Until now %(names)s demands one; then nothing does.") % {"names": _joined(found.factor_before)}
        return Fact(title, [ended], "warn", pgettext_lazy("move", "ends"))
    if found.factor_after:
        return Fact(title, [_("It is demanded both before and after.")], word=pgettext_lazy("move", "stays"))
    return Fact(title, [_("It is demanded neither now nor then.")], word=pgettext_lazy("move", "stays"))


def _joined(demanding: tuple[Organization, ...]) -> str:
    return ", ".join(one.name for one in demanding)


def _company(found: Effects) -> list[Fact]:
    if not found.changes_tenant:
        return []
    lines = []
    if found.tenant_before is not None:
        lines.append(_("It leaves the company %(name)s.") % {"name": found.tenant_before.name})
        if found.leaving:
            lines.append(
                ngettext(
                    "%(n)d person works nowhere else in it and loses the place there.",
                    "%(n)d people work nowhere else in it and lose the place there.",
                    found.leaving,
                )
                % {"n": found.leaving}
            )
    if found.tenant_after is not None:
        lines.append(_("It comes into the company %(name)s.") % {"name": found.tenant_after.name})
    return [Fact(gettext_lazy("Company"), lines, "warn", pgettext_lazy("move", "changes"))]


def _kept() -> Fact:
    return Fact(
        gettext_lazy("Language, time zone, retention"),
        [_("Every organization keeps its own values.")],
        word=pgettext_lazy("move", "stays"),
    )
