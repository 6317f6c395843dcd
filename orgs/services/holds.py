"""Legal holds: placed on a person, a unit or a community, and released. What a hold covers is not deleted.

Whoever deletes anything that a hold may cover calls `keep_still` before it asks and before it locks any row of its own.
Then either the deletion is over when a hold is placed, and placing finds the thing gone, or the hold stands when the
deletion asks. Holds on documents are placed upstairs, with `open_hold`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import rows
from core.text import is_blank
from orgs import rules
from orgs.models import Community, Contact, Hold, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from orgs.actor import Actor

_LOCK = 4  # the class of advisory locks; jobs take 1, trees 2, the sealer 3


def keep_still(tenant_ids: Iterable[int | None]) -> None:
    """No hold is placed in these tenants until the transaction ends. Those who delete do not wait for each other."""
    _lock(tenant_ids, "pg_advisory_xact_lock_shared")


def _lock(tenant_ids: Iterable[int | None], function: str) -> None:
    ids = sorted({tenant_id for tenant_id in tenant_ids if tenant_id is not None})  # one order for everybody
    with connection.cursor() as cursor:
        for tenant_id in ids:
            cursor.execute(f"SELECT {function}(%s, %s)", [_LOCK, tenant_id])


def open_hold(*, actor: Actor, tenant_id: int, title: str, reason: str, **covers: Any) -> Hold:
    """Write a hold, for the services that place one. Waits until every running deletion in the tenant is over.

    What the hold covers is looked up afterwards: it may have gone meanwhile. The caller runs in a transaction.

    Raises `Denied` for whoever is no administrator of the tenant, `ValidationError` without title or reason.
    """
    assert actor.user_id is not None, "holds are placed by people"
    require(rules.may_administer(actor, tenant_id))
    _lock([tenant_id], "pg_advisory_xact_lock")
    return rows.create(
        Hold, verb="placed", tenant_id=tenant_id, title=title.strip(), reason=reason.strip(),
        placed_by_id=actor.user_id, **covers,
    )  # fmt: skip


@transaction.atomic
def place(
    *,
    actor: Actor,
    tenant_id: int,
    title: str,
    reason: str,
    contact: Contact | None = None,
    unit: Unit | None = None,
    community: Community | None = None,
) -> Hold:
    """Keep everything of a person, a unit, a community, or of several of them, from being deleted.

    Side effects: an audit entry with verb ``placed``.

    Raises `Denied` for whoever is no administrator of the tenant, `Invalid` when nothing is named, `NotFound` when
    something named is not of the tenant or was deleted meanwhile, `ValidationError` without title or reason.
    """
    covers = {name: row for name, row in (("contact", contact), ("unit", unit), ("community", community)) if row}
    if not covers:
        raise Invalid(_("Please say what the hold covers."), code="nothing_held")
    hold = open_hold(actor=actor, tenant_id=tenant_id, title=title, reason=reason, **covers)
    there: dict[str, QuerySet[Any]] = {
        "contact": Contact.objects.filter(erased_at=None),
        "unit": Unit.objects.all(),
        "community": Community.objects.all(),
    }
    for name, row in covers.items():
        if not there[name].filter(pk=row.pk, tenant=tenant_id).exists():
            raise NotFound(_("This was deleted before the hold could be placed."), code="gone")
    return hold


@transaction.atomic
def release(*, actor: Actor, hold: Hold, reason: str) -> Hold:
    """Let go what a hold covers; what is due goes with the next run of its job. Returns the row as it is now.

    Side effects: an audit entry with verb ``hold_released``.

    Raises `NotFound` when it is gone, `Denied` for whoever is no administrator of the tenant, `Conflict`
    (``released``) for one that was released already, `Invalid` without reason.
    """
    require(rules.may_administer(actor, hold.tenant_id))
    fresh = Hold.objects.select_for_update().filter(pk=hold.pk).first()
    if fresh is None:
        raise NotFound
    if fresh.released_at is not None:
        raise Conflict(_("This hold was released already."), code="released")
    if is_blank(reason):
        problem = _("Please give a reason.")
        raise Invalid(problem, fields={"reason": [problem]})
    rows.change(
        fresh,
        {"released_at": timezone.now(), "released_by_id": actor.user_id, "release_reason": reason.strip()},
        verb="hold_released",
    )
    return fresh
