"""Points of the licence: asked for at every door through which somebody comes in or comes back."""

from __future__ import annotations

import datetime
from html import unescape
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from core.errors import Denied
from core.services import rows
from orgs.models import License, Membership, User
from orgs.services import contacts, invites, members, occupancies
from tests.portal.pages import signed_in

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
    assert f"Bitte wenden Sie sich an {cast.tenant.name}." in unescape(refused.content.decode())
    assert not User.objects.filter(email="nele@quartier.test").exists()
    rows.change(mine, {"max_points": mine.max_points + 1})
    assert Client().post(url, register).status_code == 302
    assert User.objects.filter(email="nele@quartier.test").exists()


@pytest.mark.parametrize(
    ("spare", "days", "warning"),
    [
        (None, None, ""),
        (2, None, ""),
        (1, None, "Die Lizenz hat 1 freien Punkt."),
        (0, None, "Die Lizenz hat keine freien Punkte."),
        (2, -1, "Die Lizenz ist abgelaufen."),
        (2, 1, ""),
    ],
)
def test_who_invites_is_told_beforehand_that_points_are_short(
    cast: Cast, spare: int | None, days: int | None, warning: str
) -> None:
    for number in (1, 2):
        known = contacts.create_contact(
            tenant=cast.tenant, first_name="Nele", last_name="Neu", email=f"nele{number}@quartier.test"
        )
        occupancies.move_in(contact=known, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
    if spare is not None:
        end = timezone.now() + datetime.timedelta(days=days) if days else None
        rows.change(licence(cast, spare), {"valid_until": end})
    client, url = signed_in(cast.staff), f"/admin/orgs/community/{cast.house_a.pk}/invite/"
    page = client.get(url)
    assert page.context["warning"].startswith(warning) and bool(page.context["warning"]) is bool(warning)
    assert warning in page.content.decode()
    assert client.post(url).context["counted"][0][1] == 2  # a warning, no refusal
