"""Ids for programs stand on the pages of what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import scope
from orgs.services import tenants
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast


def page(client: Client, address: str) -> str:
    answer = client.get(f"/admin/orgs/{address}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("who", ["admin", "staff"])
def test_a_community_and_its_network_can_be_named(cast: Cast, who: str) -> None:
    text = page(signed_in(getattr(cast, who)), f"community/{cast.house_a.pk}")
    for name, value in (("locationRef", cast.house_a.uuid), ("spacebring-network-id", cast.tenant.uuid)):
        assert name in text
        assert str(value) in text


def test_the_network_stands_on_the_page_of_the_company_and_of_no_branch(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        branch = tenants.create_organization(name="Filiale", parent=cast.tenant, created_by=cast.admin)
    client = signed_in(cast.operator)
    assert str(cast.tenant.uuid) in page(client, f"organization/{cast.tenant.pk}")
    assert str(branch.uuid) not in page(client, f"organization/{branch.pk}")


def test_a_member_can_be_named(cast: Cast) -> None:
    member = cast.membership("staff")
    text = page(signed_in(cast.admin), f"membership/{member.pk}")
    assert str(cast.staff.uuid) in text
    assert str(member.uuid) in text


def test_staff_find_the_id_of_a_resident_who_has_an_account(cast: Cast) -> None:
    text = page(signed_in(cast.staff), f"contact/{cast.contact('renter').pk}")
    assert str(cast.renter.uuid) in text
    assert str(cast.membership("renter").uuid) in text
    assert "userRefRequester" in text


def test_who_has_no_account_has_no_id(cast: Cast) -> None:
    contact = cast.contact("renter")
    type(contact).objects.filter(pk=contact.pk).update(user=None)
    text = page(signed_in(cast.staff), f"contact/{contact.pk}")
    assert "userRefRequester" not in text
    assert str(cast.renter.uuid) not in text
