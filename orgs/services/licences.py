"""Points of the licence: one for each member who is in use."""

from __future__ import annotations

import datetime

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Denied
from orgs.models import License, Membership, Organization


def is_over(moment: datetime.datetime | None) -> bool:
    """Whether a moment of deactivation has come."""
    return moment is not None and moment <= timezone.now()


def require_point(tenant: Organization) -> None:
    """Ask for a point before a member is made or revived; none is needed without licence (DOCMS-173 … 175).

    The licence stays locked until the transaction ends, so two at once do not take the same last point. Raises
    `Denied` (``license_required``).
    """
    licence = (
        License.objects.select_for_update()
        .filter(Q(organization=tenant) | Q(organization=None))
        .order_by(F("organization").asc(nulls_last=True))
        .first()
    )
    if licence is None:
        return
    if is_over(licence.valid_until):
        raise Denied(_("The licence has expired."), code="license_required")
    used = Membership.objects.active().filter(organization=tenant).count()
    if licence.max_points and used >= licence.max_points:
        raise Denied(_("The licence has no points left."), code="license_required")
