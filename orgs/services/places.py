"""Entrances and units come to an end. What is in use, the database keeps; what a hold covers, the hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.services import rows
from orgs.models import Hold
from orgs.services import holds

if TYPE_CHECKING:
    from orgs.models import Building, Unit


@transaction.atomic
def delete_unit(unit: Unit) -> None:
    """Delete a unit. Holds that were released let go of it.

    Raises `Conflict` (``held``) while a hold covers it or its community, `ProtectedError` while anything refers to it.
    """
    holds.keep_still([unit.tenant_id])
    _refuse(Hold.objects.in_force().on_unit(unit).exists())
    Hold.objects.filter(unit=unit).update(unit=None)
    rows.delete(unit)


@transaction.atomic
def delete_building(building: Building) -> None:
    """Delete an entrance; its units stay.

    Raises `Conflict` (``held``) while a hold covers its community or a unit behind it.
    """
    holds.keep_still([building.tenant_id])
    _refuse(Hold.objects.in_force().on_building(building).exists())
    rows.delete(building)


def _refuse(held: bool) -> None:
    if held:
        raise Conflict(_("A legal hold covers this."), code="held")
