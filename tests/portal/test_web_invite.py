"""Invitations in the browser."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import scope
from core.models import Throttle
from orgs.models import Contact, Invite, OrganizationSettings, User
from orgs.services import contacts, invites, occupancies
from tests.cast import PASSWORD, Cast
from tests.portal.pages import signed_in

GOOD = "Noch-ein-Satz-3"
ADDRESS = "198.51.100.9"


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


@pytest.mark.parametrize("mark", ["/", "–", ".", " - ", "\u00a0", "?"])
def test_whatever_stands_between_the_groups_is_left_out(invite: Invite, client: Client, mark: str) -> None:
    typed = invites.readable(invite.code).replace("-", mark)
    assert client.get("/app/invite/", {"code": typed}).url == f"/app/invite/{invite.code}"


@pytest.mark.parametrize("typed", ["--------", "AB/C------", "ЖЖЖЖ-ЖЖЖЖ-ЖЖЖЖ", "²²²²²²²²", "ß" * 40])
def test_what_cannot_be_a_code_is_refused_at_the_field(db: None, client: Client, typed: str) -> None:
    page = client.get("/app/invite/", {"code": typed})
    assert page.status_code == 422
    assert len(page.context["form"].errors["code"]) == 1
    assert not Throttle.objects.exists()


@pytest.mark.rule("PORTAL-049")
def test_the_page_says_who_where_by_whom_and_until_when(cast: Cast, invite: Invite, url: str, client: Client) -> None:
    with scope.unit_of_work(door="test"):
        assert invite.contact is not None
        occupancies.move_in(contact=invite.contact, unit=cast.unit_a3, role="owner", first=datetime.date(2024, 1, 1))
    response = client.get(url)
    text = response.content.decode()
    for part in (
        "Nele Neu",
        "Haus A",
        "Wohnung A3",
        "Admin Muster",
        "Brandt &amp; Keller",
        "Mieter/in, Eigentümer/in",
        str(invite.expires_on.year),
    ):
        assert part in text
    assert 'value="nele@quartier.test"' in text
    assert not response.wsgi_request.user.is_authenticated


@pytest.mark.rule("PORTAL-049")
def test_looking_does_not_use_a_code_up(invite: Invite, url: str, client: Client) -> None:
    for _ in range(2):
        assert client.get(url).status_code == 200
    invite.refresh_from_db()
    assert invite.accepted_at is None
    assert client.post(url, {"email": "nele@quartier.test", "password": GOOD}).status_code == 302


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


def check(cast: Cast, url: str) -> Any:
    return Client(REMOTE_ADDR=ADDRESS).get(url)


def registration(cast: Cast, url: str) -> Any:
    return Client(REMOTE_ADDR=ADDRESS).post(url, {"email": "nele@quartier.test", "password": GOOD})


def acceptance(cast: Cast, url: str) -> Any:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.force_login(cast.guest, backend="orgs.auth.SessionBackend")
    return client.post(url)


Act = Callable[[Cast, str], Any]
every_act = pytest.mark.parametrize("act", [check, registration, acceptance])


@pytest.mark.rule("PORTAL-106")
@every_act
@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"code_hash": b"x" * 32}, 404, None),
        ({"accepted_at": timezone.now()}, 410, "used"),
        ({"withdrawn_at": timezone.now()}, 410, "withdrawn"),
        ({"expires_on": datetime.date(2020, 1, 1)}, 410, "expired"),
    ],
)
def test_unknown_and_dead_codes_say_why_and_count(
    cast: Cast, invite: Invite, url: str, act: Act, change: dict[str, Any], status: int, reason: str | None
) -> None:
    Invite.objects.filter(pk=invite.pk).update(**change)
    response = act(cast, url)
    assert response.status_code == status and response.context.get("reason") == reason
    assert Throttle.objects.get(scope="invite").failures == 1


@pytest.mark.rule("PORTAL-106")
def test_a_weak_password_and_a_known_address_do_not_count(cast: Cast, url: str, client: Client) -> None:
    answers = [
        client.get(url),
        client.post(url, {"email": "nele@quartier.test", "password": "kurz"}),
        client.post(url, {"email": "neighbour@quartier.test", "password": GOOD}),
        client.post(url, {"email": "nele@quartier.test", "password": GOOD}),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 409, 302]
    assert not Throttle.objects.exists()


@pytest.mark.rule("PORTAL-050")
def test_the_wait_doubles_from_the_third_unknown_code_up_to_900_seconds(db: None) -> None:
    client, waits = Client(REMOTE_ADDR=ADDRESS), []
    for number in range(14):
        assert client.get(f"/app/invite/AAAAAAAAAA{number}").status_code == 404
        row = Throttle.objects.get()
        waits.append((row.blocked_until - row.last_failure_at).total_seconds() if row.blocked_until else 0)
        Throttle.objects.update(blocked_until=None)  # the wait is over
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


@pytest.mark.rule("PORTAL-051")
@every_act
def test_during_a_wait_a_right_code_is_answered_with_the_remaining_seconds(
    cast: Cast, invite: Invite, url: str, act: Act
) -> None:
    client = Client(REMOTE_ADDR=ADDRESS)
    assert [client.get(f"/app/invite/AAAAAAAAAA{n}").status_code for n in range(3)] == [404] * 3
    Throttle.objects.update(blocked_until=timezone.now() + datetime.timedelta(seconds=99))
    response = act(cast, url)
    assert response.status_code == 429 and 90 < int(response["Retry-After"]) <= 99
    assert f'data-wait="{response["Retry-After"]}"' in response.content.decode()
    invite.refresh_from_db()
    assert invite.accepted_at is None
    assert not User.objects.filter(email="nele@quartier.test").exists()
    assert Contact.objects.get(pk=invite.contact_id).user is None


@pytest.mark.rule("PORTAL-051")
def test_another_address_does_not_wait(url: str) -> None:
    guesser, somebody = Client(REMOTE_ADDR=ADDRESS), Client(REMOTE_ADDR="198.51.100.10")
    for number in range(3):
        guesser.get(f"/app/invite/AAAAAAAAAA{number}")
    Throttle.objects.update(blocked_until=timezone.now() + datetime.timedelta(seconds=99))
    assert [client.get(url).status_code for client in (guesser, somebody)] == [429, 200]
