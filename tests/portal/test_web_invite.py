"""Invitations in the browser."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import scope
from orgs.models import Contact, Invite, OrganizationSettings, User
from orgs.services import contacts, invites, occupancies
from tests.cast import PASSWORD, Cast
from tests.portal.pages import signed_in

GOOD = "Noch-ein-Satz-3"


@pytest.fixture
def invite(cast: Cast) -> Invite:
    """Nele Neu rents A3 and is invited."""
    with scope.unit_of_work(door="test"):
        nele = contacts.create_contact(
            tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test"
        )
        occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
        return invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)


@pytest.fixture
def url(invite: Invite) -> str:
    return f"/app/invite/{invite.code}"


def test_a_code_from_a_letter_may_be_typed_with_blanks_and_small(invite: Invite, client: Client) -> None:
    typed = invites.readable(invite.code).lower().replace("-", " ")
    assert client.get("/app/invite/").status_code == 200
    assert client.get("/app/invite/", {"code": typed}).url == f"/app/invite/{invite.code}"
    assert client.get("/app/invite/", {"code": "ab"}).status_code == 422


@pytest.mark.rule("PORTAL-049")
def test_the_page_says_who_where_by_whom_and_until_when(cast: Cast, invite: Invite, url: str, client: Client) -> None:
    text = client.get(url).content.decode()
    for part in (
        "Nele Neu",
        "Haus A",
        "Wohnung A3",
        "Admin Muster",
        "Brandt &amp; Keller",
        str(invite.expires_on.year),
    ):
        assert part in text
    assert 'value="nele@quartier.test"' in text
    invite.refresh_from_db()
    assert invite.accepted_at is None


@pytest.mark.rule("PORTAL-037")
def test_one_screen_makes_the_account_and_comes_in(cast: Cast, url: str, client: Client) -> None:
    response = client.post(url, {"email": "nele@quartier.test", "password": "kurz"})
    assert response.status_code == 422 and not User.objects.filter(email="nele@quartier.test").exists()
    response = client.post(url, {"email": "nele@quartier.test", "password": GOOD})
    assert response.url == f"/app/c/{cast.house_a.pk}/"
    assert client.get(response.url).status_code == 200


def test_terms_must_be_agreed_to_where_there_are_some(cast: Cast, url: str, client: Client) -> None:
    OrganizationSettings.objects.filter(organization=cast.tenant).update(terms="Bitte freundlich sein.")
    assert "Bitte freundlich sein." in client.get(url).content.decode()
    data = {"email": "nele@quartier.test", "password": GOOD}
    response = client.post(url, data)
    assert response.status_code == 422 and 'id="id_terms_error"' in response.content.decode()
    assert client.post(url, {**data, "terms": "on"}).status_code == 302


@pytest.mark.rule("PORTAL-039")
def test_an_address_with_an_account_is_told_to_sign_in_and_accept(
    cast: Cast, invite: Invite, url: str, client: Client
) -> None:
    response = client.post(url, {"email": "neighbour@quartier.test", "password": GOOD})
    assert response.status_code == 409 and f"next=%2Fapp%2Finvite%2F{invite.code}" in response.content.decode()
    invite.refresh_from_db()
    assert invite.accepted_at is None
    back = client.post("/app/login", {"username": "neighbour@quartier.test", "password": PASSWORD, "next": url})
    assert back.url == url and "neighbour@quartier.test" in client.get(url).content.decode()
    assert client.post(url).url == f"/app/c/{cast.house_a.pk}/"
    assert client.get(f"/app/c/{cast.house_a.pk}/").status_code == 200


def test_somebody_elses_seat_is_not_taken(cast: Cast, invite: Invite, url: str) -> None:
    Contact.objects.filter(pk=invite.contact_id).update(user=cast.owner, is_primary=False)
    response = signed_in(cast.neighbour).post(url)
    assert response.status_code == 409 and response.context["refused"]


@pytest.mark.rule("PORTAL-106")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accepted_at": timezone.now()}, "used"),
        ({"withdrawn_at": timezone.now()}, "withdrawn"),
        ({"expires_on": datetime.date(2020, 1, 1)}, "expired"),
    ],
)
def test_dead_codes_say_why(invite: Invite, url: str, client: Client, change: dict[str, Any], reason: str) -> None:
    Invite.objects.filter(pk=invite.pk).update(**change)
    response = client.get(url)
    assert response.status_code == 410 and response.context["reason"] == reason
    assert client.post(url, {"email": "nele@quartier.test", "password": GOOD}).status_code == 410


@pytest.mark.rule("PORTAL-050", "PORTAL-051")
def test_guessing_leads_to_waits_that_hold_for_a_right_code_too(url: str) -> None:
    client = Client(REMOTE_ADDR="198.51.100.9")
    assert [client.get(f"/app/invite/AAAAAAAAAA{n}").status_code for n in range(3)] == [404] * 3
    response = client.get(url)
    assert response.status_code == 429 and int(response["Retry-After"]) >= 1
    assert "data-wait=" in response.content.decode()
