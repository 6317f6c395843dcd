"""Read rules of cases.

Staff see the cases of their company (PROCESSES-013). Everybody else stands in circles around one case: its main
contact, the contract holders of its unit where the type is shared, the contractors with a work order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from core.querysets import any_of
from core.text import search_query

if TYPE_CHECKING:
    from typing import Self

    from orgs.actor import Actor

_M = TypeVar("_M", bound=models.Model)


def _rows(model: str) -> Any:
    """Another table of this floor, for subqueries: unordered, and named, because the models import this module."""
    return apps.get_model("processes", model)._default_manager.order_by()


def _everywhere(actor: Actor) -> bool:
    """The operator, not narrowed to one tenant."""
    return actor.is_operator and not actor.acting


def _circles(actor: Actor, prefix: str = "") -> dict[str, Q]:
    """The circles around a case in which the actor may stand, as conditions on the case."""
    held = {o.unit_id for o in actor.occupancies if o.role in ("owner", "renter")}
    orders = _rows("WorkOrder").linking().filter(contact__in=actor.contact_ids).values("process_id")
    case = prefix.removesuffix("__") or "id"
    return {
        "contact": Q(**{f"{prefix}contact__in": actor.contact_ids}),
        "user": Q(**{f"{prefix}unit__in": held, f"{prefix}type__shared_with_residents": True}),
        "contractor": any_of(case, orders),
    }


def _shown(actor: Actor) -> Q:
    """Feed entries and documents: staff all, authors their own, the others through a circle named (058, 060)."""
    shown = Q(tenant__in=actor.staff_tenants)
    for circle, stands in _circles(actor, "process__").items():
        shown |= stands & (Q(visibility__contains=[circle]) | Q(user=actor.user_id))
    return shown


class OfStaff(models.QuerySet["_M"]):
    """Rows that only staff of the company read."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the company."""
        return self.all() if _everywhere(actor) else self.filter(tenant__in=actor.staff_tenants)


class _Definitions(models.QuerySet["_M"]):
    """Names that are shown with cases, so everybody of the tenant reads them."""

    def visible_to(self, actor: Actor) -> Self:
        """Everybody of the tenant; deleted ones are gone."""
        alive = self.filter(deleted_at=None)
        return alive if _everywhere(actor) else alive.filter(tenant__in=actor.tenants)

    def worked_on_by(self, actor: Actor) -> Self:
        """The back office's: those of companies in which the actor is staff."""
        found = self.visible_to(actor)
        return found if _everywhere(actor) else found.filter(tenant__in=actor.staff_tenants)


class ProcessTypeQuerySet(_Definitions["_M"]):
    """Kinds of cases."""


class ProcessStageQuerySet(_Definitions["_M"]):
    """Stages."""


class ProcessQuerySet(models.QuerySet["_M"]):
    """Cases."""

    def visible_to(self, actor: Actor, *, include_deleted: bool = False) -> Self:
        """Staff of the company, and who stands in a circle around the case (PROCESSES-013 … 015).

        Deleted cases are shown to staff who ask for them, and to nobody else (PROCESSES-054).
        """
        if _everywhere(actor):
            return self.all() if include_deleted else self.filter(deleted_at=None)
        company = Q(tenant__in=actor.staff_tenants)
        seen = company if include_deleted else company & Q(deleted_at=None)
        for stands in _circles(actor).values():
            seen |= stands & Q(deleted_at=None)
        return self.filter(seen)

    def worked_on_by(self, actor: Actor) -> Self:
        """The back office's: those of companies in which the actor is staff, not those the actor stands around."""
        found = self.visible_to(actor)
        return found if _everywhere(actor) else found.filter(tenant__in=actor.staff_tenants)

    def search(self, actor: Actor, words: str, *, include_deleted: bool = False) -> Self:
        """Visible cases in which all words occur."""
        query = search_query(words)
        if query is None:
            return self.none()
        hits = _rows("ProcessIndex").filter(vector=query).values("process_id")
        return self.visible_to(actor, include_deleted=include_deleted).filter(id__in=hits)

    def not_held(self) -> Self:
        """That no legal hold covers: by name, through one of its people, its unit or the unit's community."""
        holds = apps.get_model("orgs", "Hold")._default_manager.filter(released_at=None, tenant=OuterRef("tenant"))
        named = _rows("ProcessHold").filter(process=OuterRef("pk"), hold__released_at=None)
        placed = holds.filter(
            Q(contact=OuterRef("contact"))
            | Q(contact=OuterRef("created_by_party"))
            | Q(contact__user=OuterRef("account"))
            | Q(unit=OuterRef("unit"))
            | Q(community=OuterRef("unit__community"))
        )
        return self.filter(~Exists(named), ~Exists(placed))


class ProcessHoldQuerySet(models.QuerySet["_M"]):
    """Cases under a legal hold by name: for administrators only, as the holds are."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators of the tenant, and the operator."""
        return self.all() if _everywhere(actor) else self.filter(tenant__in=actor.admin_tenants)


class OfProcess(models.QuerySet["_M"]):
    """Rows that are as visible as their case."""

    def visible_to(self, actor: Actor) -> Self:
        """Whoever sees the case."""
        return self.filter(process__in=_rows("Process").visible_to(actor))


class ProcessActivityQuerySet(models.QuerySet["_M"]):
    """Feed and history."""

    def visible_to(self, actor: Actor, *, include_deleted: bool = False) -> Self:
        """Staff, the author, and the circles an entry names; withdrawn entries only for staff who ask."""
        entries = self.filter(process__deleted_at=None)
        if not include_deleted:
            entries = entries.filter(deleted_at=None)
        elif not _everywhere(actor):
            entries = entries.filter(Q(deleted_at=None) | Q(tenant__in=actor.staff_tenants))
        return entries if _everywhere(actor) else entries.filter(_shown(actor))

    def history(self, actor: Actor) -> Self:
        """Changed properties, newest first; for staff only (PROCESSES-057)."""
        changes = self.filter(kind="change").order_by("-id")
        return changes if _everywhere(actor) else changes.filter(tenant__in=actor.staff_tenants)


class ProcessDocumentQuerySet(models.QuerySet["_M"]):
    """Files of cases."""

    def visible_to(self, actor: Actor) -> Self:
        """Staff, who attached it, and the circles it names, also by direct id (PROCESSES-060)."""
        files = self.filter(deleted_at=None, process__deleted_at=None)
        return files if _everywhere(actor) else files.filter(_shown(actor))


class WorkOrderQuerySet(models.QuerySet["_M"]):
    """Orders to contractors."""

    def linking(self) -> Self:
        """Orders that link their contractor to the case: neither declined nor cancelled."""
        return self.exclude(state__in=("declined", "cancelled"))

    def visible_to(self, actor: Actor) -> Self:
        """Staff of the company, and the contractor."""
        if _everywhere(actor):
            return self.all()
        mine = Q(contact__in=actor.contact_ids) & ~Q(state__in=("declined", "cancelled"))
        return self.filter(Q(tenant__in=actor.staff_tenants) | mine)
