"""Moving in and out. Rights follow from these rows alone, so ending one is all a move-out needs."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid
from core.services import rows
from orgs.models import Contact, Membership, Occupancy, Unit
from orgs.services.tenants import ensure_member
from orgs.signals import occupancy_ended

RESIDENT_FLAGS = {"read_perm": True, "download_perm": True}


def period(first: datetime.date | None, last: datetime.date | None) -> DateRange:
    """The range of a first and a last day, both included, both optional. The last day of all, 31.12.9999, is none.

    Raises `Invalid` when the last day lies before the first.
    """
    if first and last and last < first:
        raise Invalid(fields={"until": [_("The last day lies before the first.")]})
    return DateRange(first, last + datetime.timedelta(days=1) if last and last < datetime.date.max else None)


def last_day(occupancy: Occupancy) -> datetime.date | None:
    """The last day of a period, or none when it is open."""
    upper = occupancy.period.upper
    return upper - datetime.timedelta(days=1) if upper else None


@transaction.atomic
def move_in(
    *,
    contact: Contact,
    unit: Unit,
    role: str,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    is_admin: bool = False,
    external_ref: str = "",
) -> Occupancy:
    """Record who owns, rents or shares a unit, and from when. Raises `ValidationError` for an overlap."""
    occupancy = rows.create(
        Occupancy,
        tenant_id=unit.tenant_id,
        contact=contact,
        unit=unit,
        role=role,
        is_admin=is_admin,
        period=period(first, last),
        external_ref=external_ref,
    )
    if contact.user is not None:
        seat(contact)
    return occupancy


def seat(contact: Contact) -> Membership:
    """The membership of a resident's account on the tenant node, with the flags of a new resident."""
    assert contact.user is not None
    return ensure_member(
        user=contact.user, organization=contact.tenant, role=Membership.Role.RESIDENT, **RESIDENT_FLAGS
    )


@transaction.atomic
def end(occupancy: Occupancy, *, last: datetime.date, expected: int | None = None) -> None:
    """End an occupancy as of a last day: from the day after, the community is gone for this person (PORTAL-018).

    Raises `Invalid` when the last day lies before the first, `Conflict` (``ended``) for one that is revoked: its access
    is gone for good, whatever day one writes, and `Changed` when the row is not the ``expected`` version any more.
    """
    if occupancy.revoked_at is not None:
        raise Conflict(_("This is not possible in the present state."), code="ended")
    changed = rows.change(occupancy, {"period": period(occupancy.period.lower, last)}, verb="ended", expected=expected)
    if changed:
        occupancy_ended.send(sender=Occupancy, occupancy=occupancy)


@transaction.atomic
def revoke(occupancy: Occupancy) -> None:
    """End an occupancy at once (PORTAL-055)."""
    if occupancy.revoked_at is None:
        rows.change(occupancy, {"revoked_at": timezone.now()}, verb="revoked")
        occupancy_ended.send(sender=Occupancy, occupancy=occupancy)
