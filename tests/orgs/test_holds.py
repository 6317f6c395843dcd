"""Holds on people and places: who sees them, and what they keep of the register."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from core import scope
from core.errors import Conflict, NotFound
from orgs.models import Building, Hold, Unit
from orgs.services import holds, places
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from tests.cast import Cast


def place(cast: Cast, **covers: Any) -> Hold:
    """A hold by the administrator."""
    return holds.place(actor=cast.actor("admin"), tenant_id=cast.tenant.pk, title="Streit", reason="Klage", **covers)


def spare(cast: Cast) -> tuple[Unit, Building]:
    """A unit and its entrance in house A, to which nothing refers."""
    entrance = Building.objects.create(tenant=cast.tenant, community=cast.house_a, street="Nebenhaus 1")
    return Unit.objects.create(tenant=cast.tenant, community=cast.house_a, building=entrance, name="Keller"), entrance


@pytest.mark.parametrize("anchor", ["unit", "community"])
@pytest.mark.parametrize("noun", ["unit", "building"])
def test_a_held_place_is_not_deleted_until_the_hold_is_released(cast: Cast, anchor: str, noun: str) -> None:
    unit, entrance = spare(cast)
    doomed: Any = {"unit": unit, "building": entrance}[noun]
    hold = place(cast, **{anchor: {"unit": unit, "community": cast.house_a}[anchor]})
    page = f"/admin/orgs/{noun}/{doomed.pk}/delete/"
    answer = signed_in(cast.admin).post(page, {"post": "yes"}, follow=True)
    assert type(doomed).objects.filter(pk=doomed.pk).exists()
    assert [str(message) for message in answer.context["messages"]] == ["Hierfür gilt eine Löschsperre."]
    holds.release(actor=cast.actor("admin"), hold=hold, reason="Vergleich")
    signed_in(cast.admin).post(page, {"post": "yes"})
    assert not type(doomed).objects.filter(pk=doomed.pk).exists()
    hold.refresh_from_db()
    assert hold.title == "Streit"


def test_a_hold_elsewhere_keeps_no_unit(cast: Cast) -> None:
    unit, entrance = spare(cast)
    place(cast, unit=cast.unit_a1, community=cast.house_b)
    places.delete_unit(unit)
    places.delete_building(entrance)


@pytest.mark.django_db(transaction=True)
def test_a_hold_that_comes_while_a_unit_is_deleted_finds_it_gone(cast: Cast) -> None:
    unit, _entrance = spare(cast)
    outcomes: list[object] = []

    def hold() -> None:
        try:
            with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
                outcomes.append(place(cast, unit=Unit(pk=gone, tenant_id=cast.tenant.pk)))
        except NotFound as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    gone = unit.pk
    placing = threading.Thread(target=hold)
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        places.delete_unit(unit)
        placing.start()
        placing.join(1)
        assert outcomes == []
    placing.join(20)
    assert outcomes == ["gone"]
    assert not Hold.objects.exists()


def test_administrators_of_the_tenant_and_the_operator_see_holds(cast: Cast) -> None:
    hold = place(cast, contact=cast.contact("renter"))
    for who in ("admin", "operator"):
        assert hold in Hold.objects.visible_to(cast.actor(who))
    for who in ("staff", "renter", "stranger"):
        assert not Hold.objects.visible_to(cast.actor(who)).exists()


def test_an_erased_person_is_gone(cast: Cast) -> None:
    contact = cast.contact("renter")
    type(contact).objects.filter(pk=contact.pk).update(erased_at=contact.created_at)
    with pytest.raises(NotFound):
        place(cast, contact=contact)


def test_a_held_unit_is_refused_by_its_service(cast: Cast) -> None:
    unit, _entrance = spare(cast)
    place(cast, unit=unit)
    with pytest.raises(Conflict) as refused:
        places.delete_unit(unit)
    assert refused.value.code == "held"


def test_a_unit_under_a_hold_stays_in_its_community(cast: Cast) -> None:
    place(cast, community=cast.house_a)
    with pytest.raises(Conflict):
        places.change_unit(cast.unit_a1, {"community": cast.house_b})
    with pytest.raises(Conflict):
        places.change_building(cast.entrance_1, {"community": cast.house_b})
    places.change_unit(cast.unit_a1, {"name": "Neu"})
    cast.unit_a1.refresh_from_db()
    assert (cast.unit_a1.community, cast.unit_a1.name) == (cast.house_a, "Neu")
