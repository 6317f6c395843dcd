"""Owners and their invitations in the back office, and where the rules of an organization come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.models import Membership, Organization, OwnerInvitation, SecondFactor
from orgs.services import owners, tree
from orgs.services.tenants import add_member
from tests.orgs.test_admin_organization_moves import text_of
from tests.orgs.test_admin_organizations import TREE, below
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch(cast: Cast) -> Organization:
    """A branch that the administrator owns."""
    return below(cast, "Filiale Nord")


def invite(client: Client, organization: Organization, **values: Any) -> Any:
    return client.post(f"{TREE}{organization.pk}/invite-owner/", values)


def open_ones() -> list[str]:
    return list(OwnerInvitation.objects.filter(accepted_at=None, withdrawn_at=None).values_list("email", flat=True))


def owner_ids(organization: Organization) -> set[int]:
    return set(Membership.objects.filter(organization=organization, role="owner").values_list("user_id", flat=True))


# --- Invitations ----------------------------------------------------------------------------------------


def test_somebody_is_invited_by_address_and_listed(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    assert invite(client, branch, email=cast.renter.email.upper()).status_code == 302
    assert open_ones() == [cast.renter.email]
    assert cast.renter.email in client.get(f"{TREE}{branch.pk}/change/").content.decode()


def test_somebody_of_the_company_is_chosen_by_name(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    page = client.get(f"{TREE}{branch.pk}/invite-owner/").content.decode()
    assert "Staff Muster" in page
    assert "Admin Muster ·" not in page  # owns it already
    assert "Stranger Muster" not in page
    invite(client, branch, person=cast.staff.pk)
    assert open_ones() == [cast.staff.email]


@pytest.mark.parametrize("sent", [{"email": ""}, {"email": "kein"}, {"person": "7", "email": "a@b.de"}])
def test_whom_must_be_clear(cast: Cast, branch: Organization, sent: dict[str, str]) -> None:
    assert invite(signed_in(cast.admin), branch, **sent).context["form"].errors
    assert open_ones() == []


def test_a_person_who_was_not_offered_is_not_invited(cast: Cast, branch: Organization) -> None:
    assert invite(signed_in(cast.admin), branch, person=cast.stranger.pk).context["form"].errors.keys() == {"person"}
    assert open_ones() == []


def test_addresses_without_account_make_one_wait(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    for n in range(3):
        answer = invite(client, branch, email=f"niemand{n}@quartier.test")
        assert "kein Konto mit dieser Adresse" in text_of(answer), n
    assert "kein Konto mit dieser Adresse" not in text_of(invite(client, branch, email="niemand@quartier.test"))
    invite(client, branch, email=cast.renter.email)  # known, and still to wait for
    assert open_ones() == []


def test_an_owner_is_not_invited_again(cast: Cast, branch: Organization) -> None:
    assert invite(signed_in(cast.admin), branch, email=cast.admin.email).context["form"].errors
    assert open_ones() == []


def test_an_invitation_is_withdrawn(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    invite(client, branch, email=cast.renter.email)
    url = f"{TREE}{branch.pk}/withdraw-owner/?user={cast.renter.pk}"
    assert client.get(url).status_code == 200
    assert open_ones() == [cast.renter.email]  # asked first
    client.post(url)
    assert open_ones() == []
    assert client.post(url).status_code == 404


# --- Owners ---------------------------------------------------------------------------------------------


def test_an_owner_is_removed_after_asking(cast: Cast, branch: Organization) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="owner")
    client, url = signed_in(cast.admin), f"{TREE}{branch.pk}/remove-owner/?user={cast.staff.pk}"
    assert "Staff Muster" in text_of(client.get(url))
    assert owner_ids(branch) == {cast.admin.pk, cast.staff.pk}
    client.post(url)
    assert owner_ids(branch) == {cast.admin.pk}


def test_the_last_owner_stays(cast: Cast, branch: Organization) -> None:
    url = f"{TREE}{branch.pk}/remove-owner/?user={cast.admin.pk}"
    answer = signed_in(cast.admin).post(url, follow=True)
    assert "letzte" in text_of(answer)
    assert owner_ids(branch) == {cast.admin.pk}


def test_staff_see_owners_and_touch_nothing(cast: Cast, branch: Organization) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="staff")
        owners.invite(actor=cast.actor("admin"), organization=branch, email=cast.renter.email)
    client = signed_in(cast.staff)
    page = client.get(f"{TREE}{branch.pk}/change/").content.decode()
    assert "Admin Muster" in page
    assert cast.renter.email not in page
    assert "remove-owner" not in page
    for path in (f"remove-owner/?user={cast.admin.pk}", f"withdraw-owner/?user={cast.renter.pk}", "invite-owner/"):
        assert client.post(f"{TREE}{branch.pk}/{path}", {"email": cast.staff.email}).status_code == 403, path
    assert open_ones() == [cast.renter.email]


# --- Where it comes from --------------------------------------------------------------------------------


def origins(client: Client, organization: Organization) -> list[list[str]]:
    """The lines of the section, in words."""
    page = client.get(f"{TREE}{organization.pk}/change/").content.decode()
    section = page[page.index("Woher es kommt") :]
    found = re.findall(r"<tr>(.*?)</tr>", section[: section.index("</table>")], re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in found]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells if row]


def test_every_rule_says_where_it_comes_from(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        SecondFactor.objects.create(user=cast.admin, secret="x", name="totp", confirmed_at=timezone.now())
        rows.change(cast.tenant, {"enforces_second_factor": True, "retention_months": 12})
    branch = below(cast, "Filiale Nord", language="fr")
    company = "Brandt &amp; Keller"
    assert origins(signed_in(cast.admin), branch) == [
        ["Zweiter Faktor", "verlangt", "geerbt", company],
        ["Inhaberrechte", "Admin Muster", "geerbt", company],
        ["Inhaberrechte", "Admin Muster", "eigen", "–"],
        ["Sprache", "fr", "abweichend", f"{company}: de"],
        ["Zeitzone", "Europe/Berlin", "wie darüber", f"{company}: Europe/Berlin"],
        ["Aufbewahrung in Monaten", "unbegrenzt", "eigen", f"{company}: 12 Monate"],
    ]


def test_what_one_has_no_access_to_is_not_named(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        SecondFactor.objects.create(user=cast.admin, secret="x", name="totp", confirmed_at=timezone.now())
        values = {"name": "Holding Geheim", "enforces_second_factor": True}
        holding = tree.create(actor=cast.actor("operator"), parent=None, values=values)
        tree.change(actor=cast.actor("operator"), organization=cast.tenant, values={"parent": holding})
    client = signed_in(cast.admin)
    lines = origins(client, cast.tenant)
    assert lines[:2] == [
        ["Zweiter Faktor", "verlangt", "geerbt", "eine Organisation darüber, die Sie nicht sehen"],
        ["Inhaberrechte", "1 Person", "geerbt", "eine Organisation darüber, die Sie nicht sehen"],
    ]
    assert "Geheim" not in client.get(f"{TREE}{cast.tenant.pk}/change/").content.decode()


def test_the_page_costs_the_same_for_one_owner_and_three(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    before = queries_of(client, f"{TREE}{branch.pk}/change/")
    with scope.unit_of_work(door="test"), scope.all_tenants():
        for who in (cast.staff, cast.renter):
            add_member(user=who, organization=branch, role="owner")
        for who in (cast.owner, cast.guest):
            owners.invite(actor=cast.actor("admin"), organization=branch, email=who.email)
    assert queries_of(client, f"{TREE}{branch.pk}/change/") == before
