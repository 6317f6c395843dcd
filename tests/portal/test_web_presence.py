"""Saying on the page of the portal whether one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import scope
from orgs.models import Engagement
from orgs.services import availability
from orgs.services.tenants import add_member, create_organization
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_who_works_for_a_company_and_lands_here_finds_the_three_buttons(cast: Cast) -> None:
    cast.membership("staff").assignments.all().delete()  # who looks after a house lands there
    client = signed_in(cast.staff)
    page = client.get("/app/").content.decode()
    assert page.count('name="presence"') == 3
    assert page.count('aria-pressed="true"') == 1
    response = client.post("/app/presence", {"organization": cast.tenant.pk, "presence": "engaged"}, follow=True)
    assert "Sie sind im Einsatz." in response.content.decode()
    assert availability.presence_of(cast.staff, cast.tenant) == "engaged"


def test_who_works_nowhere_finds_none(cast: Cast) -> None:
    assert b'name="presence"' not in signed_in(cast.former).get("/app/").content
    assert b'name="presence"' not in signed_in(cast.guest).get("/app/").content


@pytest.mark.parametrize("who", ["guest", "renter", "stranger", "operator"])
def test_where_one_does_not_work_nothing_can_be_said(cast: Cast, who: str) -> None:
    values = {"organization": cast.tenant.pk, "presence": "engaged"}
    assert signed_in(getattr(cast, who)).post("/app/presence", values).status_code == 404
    assert not Engagement.objects.exists()


@pytest.mark.parametrize("values", [{}, {"presence": "asleep"}, {"presence": ""}])
def test_another_word_is_refused(cast: Cast, values: dict[str, str]) -> None:
    response = signed_in(cast.staff).post("/app/presence", {"organization": cast.tenant.pk, **values})
    assert response.status_code == 400
    assert availability.presence_of(cast.staff, cast.tenant) == "available"


def test_trees_are_apart(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        club = create_organization(name="Verein", created_by=cast.staff)
        add_member(user=cast.staff, organization=club, role="owner")
    cast.membership("staff").assignments.all().delete()
    client = signed_in(cast.staff)
    page = client.get("/app/").content.decode()
    assert page.count('name="presence"') == 6
    client.post("/app/presence", {"organization": club.pk, "presence": "unavailable"})
    assert availability.presence_of(cast.staff, club) == "unavailable"
    assert availability.presence_of(cast.staff, cast.tenant) == "available"


def test_the_availability_of_the_interface_counts_each_once(cast: Cast) -> None:
    client = signed_in(cast.staff)
    for presence, counted in (
        ("engaged", availability.Counts(available=1, in_event=1)),
        ("unavailable", availability.Counts(available=1, not_available=1)),
        ("available", availability.Counts(available=2)),
    ):
        client.post("/app/presence", {"organization": cast.tenant.pk, "presence": presence})
        assert availability.counts([cast.tenant.pk])[cast.tenant.pk].root == counted
