"""Registration with a code that does not work, an address that is taken, or somebody else at the same moment.

Each time the page says what is wrong and what to do, nobody comes in twice, and a code that was not used stays usable.
"""

from __future__ import annotations

import datetime
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import scope
from orgs.models import Contact, Invite, Membership, Occupancy, User
from orgs.services import accounts, contacts, invites, occupancies
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

GOOD = "Noch-ein-Satz-3"


def text_of(response: Any) -> str:
    """The page that came."""
    return str(response.content.decode())


def invited(cast: Cast, email: str = "nele@post.test") -> Invite:
    """Nele Neu rents A3 and is invited."""
    with scope.unit_of_work(door="test"):
        nele = contacts.create_contact(tenant=cast.tenant, first_name="Nele", last_name="Neu", email=email)
        occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
        return invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)


def people() -> tuple[int, int]:
    return User.objects.count(), Membership.objects.count()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "Zur Adresse RENTER@quartier.test gibt es schon ein Konto."),
        ("pl", "Konto z adresem RENTER@quartier.test już istnieje."),
    ],
)
def test_an_address_with_an_account_is_led_to_the_sign_in(
    cast: Cast, client: Client, language: str, words: str
) -> None:
    invite, before = invited(cast), people()
    values = {"email": "RENTER@quartier.test", "password": GOOD}
    page = client.post(f"/app/invite/{invite.code}", values, headers={"accept-language": language})
    assert page.status_code == 409
    assert words in text_of(page)
    assert f"/app/login?next=%2Fapp%2Finvite%2F{invite.code}" in text_of(page)
    assert people() == before
    invite.refresh_from_db()
    assert invite.accepted_at is None


DEAD = {
    "expired": ({"expires_on": datetime.date(2020, 1, 1)}, "Diese Einladung ist abgelaufen", "To zaproszenie wygasło"),
    "used": ({"accepted_at": timezone.now()}, "Dieser Code wurde schon verwendet", "Ten kod został już użyty"),
    "withdrawn": (
        {"withdrawn_at": timezone.now()}, "Diese Einladung wurde zurückgezogen", "To zaproszenie zostało wycofane",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", DEAD)
def test_a_dead_code_says_why_and_lets_nobody_in(cast: Cast, client: Client, reason: str) -> None:
    change, german, polish = DEAD[reason]
    invite, before = invited(cast), people()
    Invite.objects.filter(pk=invite.pk).update(**change)
    url = f"/app/invite/{invite.code}"
    tried = client.post(url, {"email": "nele@post.test", "password": GOOD}, headers={"accept-language": "de"})
    looked = client.get(url, headers={"accept-language": "pl"})
    assert (tried.status_code, looked.status_code) == (410, 410)
    assert german in text_of(tried)
    assert polish in text_of(looked)
    accepted = signed_in(cast.neighbour).post(url)
    assert accepted.status_code == 410
    assert german in text_of(accepted)
    assert people() == before


@pytest.mark.parametrize(
    ("url", "values", "field"),
    [
        ("/app/invite/{code}", {"email": "ne\x00le@post.test", "password": GOOD}, "email"),
        ("/app/invite/{code}", {"email": "nele@post.test", "password": GOOD + "\x00"}, "password"),
        ("/app/invite/{code}", {"email": "n" * 200 + "@post.test", "password": GOOD}, "email"),
        ("/app/invite/{code}", {"email": f"{'n' * 60}@{'p' * 60}.{'q' * 60}.test", "password": GOOD}, "email"),
        ("/app/login", {"username": "nele\x00", "password": GOOD}, "username"),
        ("/app/password/forgot", {"email": "nele\x00@post.test"}, "email"),
    ],
    ids=["NUL in address", "NUL in password", "no address", "long address", "sign-in", "forgotten password"],
)
def test_the_portal_refuses_what_cannot_be_stored_at_the_field(
    cast: Cast, client: Client, url: str, values: dict[str, str], field: str
) -> None:
    invite, before = invited(cast), people()
    response = client.post(url.format(code=invite.code), values)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in text_of(response)
    assert people() == before
    invite.refresh_from_db()
    assert invite.accepted_at is None


@pytest.mark.parametrize("url", ["/app/invite/AAAA%00CCCCDDDD", "/app/password/%00", "/app/invite/?code=AAAA%00AAAA"])
def test_a_nul_byte_in_an_address_is_no_code(cast: Cast, client: Client, url: str) -> None:
    assert client.get(url).status_code in (404, 422)


def together(*posts: Callable[[], Any]) -> list[Any]:
    """The answers of requests that start at once, each on a connection of its own."""
    gate, answers = threading.Barrier(len(posts)), []

    def run(post: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            answers.append(post())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(post,)) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers, key=lambda answer: answer.status_code)


def joining(code: str, email: str) -> Callable[[], Any]:
    return lambda: Client().post(f"/app/invite/{code}", {"email": email, "password": GOOD})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("addresses", [("eins@post.test", "zwei@post.test"), ("nele@post.test", "nele@post.test")])
def test_of_two_who_use_a_code_at_once_one_joins(cast: Cast, addresses: tuple[str, str]) -> None:
    invite, (accounts_before, members_before) = invited(cast), people()
    won, lost = together(*(joining(invite.code, address) for address in addresses))
    assert (won.status_code, won["Location"]) == (302, f"/app/c/{cast.house_a.pk}/")
    assert lost.status_code == 410
    assert "Dieser Code wurde schon verwendet" in text_of(lost)
    assert people() == (accounts_before + 1, members_before + 1)
    invite.refresh_from_db()
    assert invite.accepted_by == Contact.objects.get(pk=invite.contact_id).user == User.objects.latest("id")


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_that_accept_a_code_at_once_one_gets_in(cast: Cast) -> None:
    invite, (accounts_before, _members) = invited(cast), people()
    clients = [signed_in(cast.neighbour), signed_in(cast.guest)]
    won, lost = together(*(lambda client=client: client.post(f"/app/invite/{invite.code}") for client in clients))
    assert (won.status_code, lost.status_code) == (302, 410)
    assert "Dieser Code wurde schon verwendet" in text_of(lost)
    assert User.objects.count() == accounts_before
    assert Contact.objects.get(pk=invite.contact_id).user in (cast.neighbour, cast.guest)
    assert Occupancy.objects.filter(contact__user__in=[cast.neighbour, cast.guest], unit=cast.unit_a3).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_codes_for_one_address_at_once_the_second_stays_usable(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, partners = invited(cast), invited(cast, "partner@post.test")
    accounts_before, members_before = people()
    # Both have looked for the address before either writes it.
    gate, original = threading.Barrier(2), accounts.make_password
    monkeypatch.setattr(accounts, "make_password", lambda password: (gate.wait(10), original(password))[1])
    won, lost = together(joining(mine.code, "nele@post.test"), joining(partners.code, "nele@post.test"))
    assert (won.status_code, lost.status_code) == (302, 409)
    assert "Zur Adresse nele@post.test gibt es schon ein Konto." in text_of(lost)
    assert people() == (accounts_before + 1, members_before + 1)
    assert Invite.objects.filter(accepted_at=None).count() == 1
