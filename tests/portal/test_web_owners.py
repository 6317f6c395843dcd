"""The page behind an owner's invitation: who asks, of what, until when; accepted with one click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from orgs.models import Membership, Organization, OwnerInvitation, SecondFactor
from orgs.services import owners
from tests.orgs.test_api_owners import mailed_token
from tests.orgs.test_services_tree import node
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def top(cast: Cast) -> Organization:
    """An organization of `owner`, who has invited `renter`."""
    made = node(cast, "Gruppe <Nord>")
    owners.invite(actor=cast.actor("owner"), organization=made, email=cast.renter.email)
    return made


@pytest.fixture
def url(cast: Cast, top: Organization) -> str:
    """The address of the mail."""
    return f"/app/owner/{top.pk}/{mailed_token(cast.renter)}"


def owns(cast: Cast, top: Organization, who: str) -> bool:
    return Membership.objects.filter(organization=top, user=getattr(cast, who), role="owner").exists()


def test_who_has_the_link_reads_who_asks_and_of_what(cast: Cast, url: str) -> None:
    text = Client().get(url).content.decode()
    assert "Gruppe &lt;Nord&gt;" in text
    assert cast.owner.get_full_name() in text
    assert f"/app/login?next={url}" in text


def test_the_invited_person_becomes_an_owner(cast: Cast, top: Organization, url: str) -> None:
    response = signed_in(cast.renter).post(url)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert owns(cast, top, "renter")


@pytest.mark.parametrize("caller", ["guest", None])
def test_nobody_else_accepts(cast: Cast, top: Organization, url: str, caller: str | None) -> None:
    client: Any = signed_in(getattr(cast, caller)) if caller else Client()
    assert client.post(url).status_code == (403 if caller else 200)
    assert not owns(cast, top, "renter")
    assert not owns(cast, top, "guest")
    assert OwnerInvitation.objects.get().accepted_at is None


def test_a_second_factor_comes_first_where_it_is_demanded(cast: Cast, top: Organization, url: str) -> None:
    client = signed_in(cast.renter)
    Organization.objects.filter(pk=top.pk).update(enforces_second_factor=True)
    response = client.post(url)
    assert response.status_code == 409
    assert "/app/profile/second-factor" in response.content.decode()
    assert not owns(cast, top, "renter")
    SecondFactor.objects.create(user=cast.renter, secret="A" * 32, name="totp", confirmed_at=timezone.now())
    client.post(url)
    assert owns(cast, top, "renter")


def test_a_dead_link_says_so(cast: Cast, top: Organization, url: str) -> None:
    owners.withdraw(actor=cast.actor("owner"), organization=top, user_id=cast.renter.pk)
    for address in (url, f"/app/owner/{top.pk}/unsinn", "/app/owner/999999/unsinn"):
        for client in (Client(), signed_in(cast.renter)):
            assert client.get(address).status_code == 404
            assert client.post(address).status_code == 404
    assert not owns(cast, top, "renter")
