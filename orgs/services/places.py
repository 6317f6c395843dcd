"""Entrances and units come to an end. What is in use, the database keeps; what a hold covers, the hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.services import rows
from orgs.models import Hold
from orgs.services import holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orgs.models import Building, Unit


@transaction.atomic
def change_unit(unit: Unit, changes: Mapping[str, Any], *, expected: int | None = None) -> None:
    """Change a unit. Side effect: audit.

    Raises `Conflict` (``held``) where it would leave the community or entrance while a hold covers it (moving is no way
    around a hold), `Changed`, `ValidationError`.
    """
    if _leaves(unit, changes):
        holds.keep_still([unit.tenant_id])
        _refuse(Hold.objects.in_force().on_unit(unit).exists())
    rows.change(unit, changes, expected=expected)


@transaction.atomic
def change_building(building: Building, changes: Mapping[str, Any], *, expected: int | None = None) -> None:
    """The same of an entrance."""
    if _leaves(building, changes):
        holds.keep_still([building.tenant_id])
        _refuse(Hold.objects.in_force().on_building(building).exists())
    rows.change(building, changes, expected=expected)


def _leaves(place: Unit | Building, changes: Mapping[str, Any]) -> bool:
    return any(name in changes and changes[name] != getattr(place, name) for name in ("community", "building"))


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
