"""Points of the licence: asked for at every door through which somebody comes in or comes back."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from core.errors import Denied
from core.services import rows
from orgs.models import License, Membership, User
from orgs.services import contacts, invites, members, occupancies

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.rule("DOCMS-174")


def licence(cast: Cast, spare: int) -> License:
    """A licence with that many points to spare."""
    used = Membership.objects.active().filter(organization=cast.tenant).count()
    return rows.create(License, organization=cast.tenant, max_points=used + spare)


def newcomer(cast: Cast, number: int = 1) -> Membership:
    """Somebody whom the back office takes in."""
    return members.take_in(
        actor=cast.actor("admin"), tenant=cast.tenant, email=f"neu{number}@quartier.test", first_name="Nina", last_name="Neu", language="de",
        role="staff",
    )  # fmt: skip


def test_the_back_office_takes_in_as_many_as_there_are_points(cast: Cast) -> None:
    licence(cast, spare=1)
    newcomer(cast)
    with pytest.raises(Denied) as refusal:
        newcomer(cast, 2)
    assert refusal.value.code == "license_required"


def test_who_was_let_go_needs_a_point_to_come_back(cast: Cast) -> None:
    gone = cast.membership("renter")
    members.change(membership=gone, changes={"deactivated_at": timezone.now()})
    licence(cast, spare=0)
    with pytest.raises(Denied):
        members.reactivate(membership=gone)
    later = timezone.now() + datetime.timedelta(days=1)
    with pytest.raises(Denied):
        members.change(membership=gone, changes={"deactivated_at": later})
    members.change(membership=gone, changes={"read_perm": False})  # no coming back
    License.objects.all().delete()
    members.reactivate(membership=gone)
    assert Membership.objects.active().filter(pk=gone.pk).exists()


def test_an_invitation_waits_until_there_is_a_point(cast: Cast) -> None:
    nele = contacts.create_contact(tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test")
    occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
    invite = invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    mine = licence(cast, spare=0)
    register = {"email": "nele@quartier.test", "password": "Noch-ein-Satz-3"}
    url = f"/app/invite/{invite.code}"
    refused = Client().post(url, register)
    assert refused.status_code == 403 and "keine Punkte" in refused.content.decode()
    assert not User.objects.filter(email="nele@quartier.test").exists()
    rows.change(mine, {"max_points": mine.max_points + 1})
    assert Client().post(url, register).status_code == 302
    assert User.objects.filter(email="nele@quartier.test").exists()
