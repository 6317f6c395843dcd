"""Read rules of people and places that are narrower than "staff of the tenant"."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from core.services import rows
from orgs.models import Building, ImportRun, Membership, Occupancy, OrganizationSettings, Unit
from orgs.services.register import runs

if TYPE_CHECKING:
    from orgs.models import Organization
    from tests.cast import Cast


def imported(tenant: Organization) -> ImportRun:
    """A run that waits."""
    return runs.start(tenant=tenant, file=io.BytesIO(b"a;b"), filename="x.csv", user=None, wake_worker=False)


def test_an_import_is_seen_by_those_who_may_import(cast: Cast) -> None:
    mine, theirs = imported(cast.tenant), imported(cast.other_tenant)
    seen = {who: set(ImportRun.objects.visible_to(cast.actor(who))) for who in ("admin", "stranger", "staff", "renter")}
    assert seen == {"admin": {mine}, "stranger": {theirs}, "staff": set(), "renter": set()}
    assert set(ImportRun.objects.visible_to(cast.actor("operator"))) == {mine, theirs}
    rows.change(cast.membership("staff"), {"all_communities": True})
    assert set(ImportRun.objects.visible_to(cast.actor("staff"))) == {mine}


def test_rights_of_members_are_kept_by_administrators_alone(cast: Cast) -> None:
    own = Membership.objects.administered_by(cast.actor("admin"))
    assert {m.tenant_id for m in own} == {cast.tenant.pk}
    assert {cast.membership("renter"), cast.membership("staff")} <= set(own)
    assert not Membership.objects.administered_by(cast.actor("staff")).exists()
    assert cast.membership("renter") in Membership.objects.visible_to(cast.actor("staff"))
    everywhere = Membership.objects.administered_by(cast.actor("operator"))
    assert {m.tenant_id for m in everywhere} == {cast.tenant.pk, cast.other_tenant.pk}


def test_settings_are_seen_by_administrators(cast: Cast) -> None:
    def seen(who: str) -> set[int]:
        return set(OrganizationSettings.objects.visible_to(cast.actor(who)).values_list("organization", flat=True))

    assert seen("admin") == {cast.tenant.pk}
    assert seen("staff") == seen("renter") == set()
    assert seen("operator") == {cast.tenant.pk, cast.other_tenant.pk}


@pytest.mark.parametrize("model", [Building, Unit, Occupancy])
def test_who_lives_in_a_house_does_not_manage_it(cast: Cast, model: type[Building | Unit | Occupancy]) -> None:
    managed = model.objects.managed_by(cast.actor("staff"))
    assert managed.exists()
    reach = "unit__community" if model is Occupancy else "community"
    assert set(managed.values_list(reach, flat=True)) == {cast.house_a.pk}
    assert model.objects.visible_to(cast.actor("renter")).exists()
    assert not model.objects.managed_by(cast.actor("renter")).exists()
    assert not model.objects.managed_by(cast.actor("stranger")).filter(tenant=cast.tenant).exists()
