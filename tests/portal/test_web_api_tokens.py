"""Tokens for programs in the profile and, of an organization, in the back office: shown once, listed, revoked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from orgs.models import AccessToken
from orgs.services import api_tokens
from tests.cast import PASSWORD
from tests.orgs.door import OF_ORGANIZATION, PERSONAL, Caller
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
URL = "/app/profile/tokens"
FORM = {"name": "Skript", "may_write": "write", "days": "90", "password": PASSWORD}


def shown(response: Any) -> str:
    """The token on a page."""
    found = re.search(r"<(?:li|code id=\"key\")>([\w-]{43})</", response.content.decode())
    assert found is not None
    return found[1]


def test_a_token_is_shown_once_and_works(cast: Cast) -> None:
    client = signed_in(cast.staff)
    response = client.post(URL, FORM)
    token = shown(response)
    assert "no-store" in response["Cache-Control"]
    assert [one["name"] for one in Caller({PERSONAL: token}).ok("GET", "/organizations")] == ["Brandt & Keller"]
    text = client.get(URL).content.decode()
    assert "Skript" in text
    assert token not in text


@pytest.mark.parametrize("wrong", [{"name": ""}, {"password": "falsch"}, {"days": "7"}, {"may_write": "alles"}])
def test_a_wrong_field_makes_none(cast: Cast, wrong: dict[str, str]) -> None:
    response = signed_in(cast.staff).post(URL, FORM | wrong)
    assert response.status_code == (200 if "password" in wrong else 422)  # a wrong password is counted
    assert set(response.context["form"].errors) == set(wrong)
    assert not AccessToken.objects.filter(kind="personal").exists()


def test_one_revokes_ones_own_alone(cast: Cast) -> None:
    client = signed_in(cast.staff)
    token = shown(client.post(URL, FORM))
    row = api_tokens.of_person(cast.staff).get()
    signed_in(cast.admin).post(f"{URL}/{row.pk}/revoke")
    Caller({PERSONAL: token}).ok("GET", "/organizations")
    client.post(f"{URL}/{row.pk}/revoke")
    Caller({PERSONAL: token}).refused("GET", "/organizations", 401)
    assert client.post(f"{URL}/{row.pk}/revoke").status_code == 302  # twice is no error


def test_the_list_costs_the_same_for_one_and_three(cast: Cast) -> None:
    client = signed_in(cast.staff)
    client.post(URL, FORM)
    one = queries_of(client, URL)
    client.post(URL, FORM), client.post(URL, FORM)
    assert queries_of(client, URL) == one


def test_the_profile_of_staff_leads_there(cast: Cast) -> None:
    assert URL in signed_in(cast.staff).get("/app/profile").content.decode()
    assert URL not in signed_in(cast.renter).get("/app/profile").content.decode()


def test_an_owner_keeps_the_tokens_of_an_organization(cast: Cast) -> None:
    client = signed_in(cast.admin)
    page = f"/admin/orgs/organization/{cast.tenant.pk}"
    token = shown(client.post(f"{page}/token/", {"name": "Anbindung", "may_write": "read", "days": "0"}))
    caller = Caller({OF_ORGANIZATION: token})
    caller.ok("GET", "/organizations")
    caller.refused("POST", "/organization", 403, {"name": "X", "parentID": cast.tenant.pk})
    section = next(
        s
        for s in client.get(f"{page}/change/").context["sections"]
        if any("revoke-token" in c.link for r in s.rows for c in r)
    )
    revoke = section.rows[0][-1].link
    client.post(revoke)
    caller.refused("GET", "/organizations", 401)
    assert client.get(revoke).status_code == 404


def test_who_owns_nothing_sees_no_tokens(cast: Cast) -> None:
    api_tokens.issue_for(actor=cast.actor("admin"), organization=cast.tenant, name="Geheim", may_write=False, days=0)
    client = signed_in(cast.staff)
    page = f"/admin/orgs/organization/{cast.tenant.pk}"
    assert "Geheim" not in client.get(f"{page}/change/").content.decode()
    assert client.get(f"{page}/token/").status_code == 403
    row = AccessToken.objects.get(kind="organization")
    assert client.post(f"{page}/revoke-token/?token={row.pk}").status_code == 403
    row.refresh_from_db()
    assert row.revoked_at is None


def test_passwords_are_not_guessed_on(cast: Cast) -> None:
    client = signed_in(cast.staff)
    for _time in range(3):
        client.post(URL, FORM | {"password": "falsch"})
    response = client.post(URL, FORM)  # the right one has to wait, too
    assert response.status_code == 422
    assert not AccessToken.objects.filter(kind="personal").exists()
