"""Where the rules of an organization come from: what is its own, what it inherits, and from which one above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.admin.pages import Cell, Section, change_url
from orgs.admin import organization_tree
from orgs.models import Membership, Organization
from orgs.services import owners

if TYPE_CHECKING:
    from django.http import HttpRequest

    from orgs.admin.organizations import OrganizationAdmin

NAMED = 5  # owners of one organization
OWN, INHERITED, OVERRIDDEN, NONE = (
    ("good", gettext_lazy("own")),
    ("info", gettext_lazy("inherited")),
    ("warn", gettext_lazy("overridden")),
    ("none", gettext_lazy("as above")),
)


def section(admin: OrganizationAdmin, request: HttpRequest, obj: Organization) -> Section:
    """One line for each rule, with a link to the organization it comes from; those without access are not named."""
    above = organization_tree.line_of(request, admin, obj)
    parent = above[-1] if above and above[-1].pk == obj.parent_id else None
    rows = [
        *_factor(obj, above),
        *_owners(obj, above),
        *(_value(obj, parent, name) for name in ("language", "timezone", "retention_months")),
    ]
    heads = [_("Rule"), _("Here"), _("State"), _("Comes from")]
    return Section(
        _("Where it comes from"), heads, rows, note=" › ".join(one.name for one in (*above, obj)),
        links=[(_("Show in the tree"), organization_tree.tree_url(obj))],
    )  # fmt: skip


def _line(title: Any, here: Any, state: tuple[str, Any], source: Cell) -> list[Cell]:
    tone, word = state
    return [Cell(title), Cell(here), Cell(word, tone=tone), source]


def _factor(obj: Organization, above: list[Organization]) -> list[list[Cell]]:
    """Own, or demanded by which one above (ORGS-053)."""
    title, yes = _("Second factor"), _("demanded")
    rows = [
        _line(title, yes, INHERITED, Cell(one.name, change_url(one))) for one in above if one.enforces_second_factor
    ]
    if obj.enforces_second_factor:
        rows.append(_line(title, yes, OWN, Cell("–")))
    seen = [one.pk for one in above]
    hidden = Organization.objects.filter(pk__in=obj.ancestors, enforces_second_factor=True).exclude(pk__in=seen)
    if hidden.exists():
        rows.append(_line(title, yes, INHERITED, Cell(_("an organization above that you do not see"))))
    return rows or [_line(title, _("not demanded"), OWN, Cell("–"))]


def _owners(obj: Organization, above: list[Organization]) -> list[list[Cell]]:
    """Own owners, and those whose right reaches down from above (ORGS-038)."""
    ids = [*obj.ancestors, obj.pk]
    owned = owners.owner_ids(ids)
    shown = {one.pk: one for one in (*above, obj)}
    owning = Membership.objects.active().filter(organization__in=shown, role=Membership.Role.OWNER)
    names: dict[int, list[str]] = {}
    for member in owning.select_related("user").order_by("user__last_name", "user__first_name", "user_id"):
        names.setdefault(member.organization_id, []).append(str(member.user))
    rows = []
    title = _("Owner rights")
    for pk in ids:
        if not owned[pk] and pk != obj.pk:
            continue
        if pk == obj.pk:
            rows.append(_line(title, _few(names.get(pk, [])) or _("nobody"), OWN, Cell("–")))
        elif pk in shown:
            source = Cell(shown[pk].name, change_url(shown[pk]))
            rows.append(_line(title, _few(names.get(pk, [])), INHERITED, source))
        else:
            count = ngettext("%(n)d person", "%(n)d people", len(owned[pk])) % {"n": len(owned[pk])}
            rows.append(_line(title, count, INHERITED, Cell(_("an organization above that you do not see"))))
    return rows


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    rest = [ngettext("%(n)d more", "%(n)d more", more) % {"n": more}] if more > 0 else []
    return ", ".join([*names[:NAMED], *rest])


def _value(obj: Organization, parent: Organization | None, name: str) -> list[Cell]:
    """A value of its own, beside what the parent has: it was taken over once, and nothing changes it from above."""
    title = str(Organization._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    title, here = title[:1].upper() + title[1:], _shown(name, getattr(obj, name))
    if parent is None:
        return _line(title, here, OWN, Cell("–"))
    there = getattr(parent, name)
    state = NONE if there == getattr(obj, name) else OVERRIDDEN
    if name == "retention_months":  # never taken over (contract, open point 8)
        state = OWN
    text = _("%(name)s: %(value)s") % {"name": parent.name, "value": _shown(name, there)}
    return _line(title, here, state, Cell(text, change_url(parent)))


def _shown(name: str, value: Any) -> str:
    if name != "retention_months":
        return str(value)
    return ngettext("%(n)d month", "%(n)d months", value) % {"n": value} if value else _("for ever")
