"""Moving an organization in the back office: a place is chosen, what changes is shown, and then it moves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.services import rows
from orgs.models import Organization
from orgs.services.tenants import add_member
from tests.orgs.test_admin_organizations import TREE, below
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cast: Cast) -> tuple[Organization, Organization]:
    """Two branches."""
    return below(cast, "Filiale Nord"), below(cast, "Filiale Süd")


def text_of(answer: Any) -> str:
    """The page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def parent_of(organization: Organization) -> int | None:
    return Organization.objects.get(pk=organization.pk).parent_id


def move(client: Client, organization: Organization, parent: Organization | None, **values: Any) -> Any:
    """Sends what the confirmation sends."""
    sent = {"parent": parent.pk if parent else "", "version": organization.row_version, **values}
    return client.post(f"{TREE}{organization.pk}/move/", sent)


def test_places_are_found_by_name(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, sued = pair
    inside = below(cast, "Filiale Nord, Team", nord)
    client = signed_in(cast.admin)
    page = client.get(f"{TREE}{nord.pk}/move/").content.decode()
    assert f"?parent={sued.pk}" in page
    assert 'href="?parent="' in page
    for not_a_place in (nord.pk, inside.pk, nord.parent_id, cast.other_tenant.pk):
        assert f"?parent={not_a_place}&" not in page.replace('"', "&")
    assert f"?parent={sued.pk}" not in client.get(f"{TREE}{nord.pk}/move/?q=West").content.decode()


def test_the_confirmation_says_what_changes_and_moves_nothing(
    cast: Cast, pair: tuple[Organization, Organization]
) -> None:
    nord, sued = pair
    rows.change(cast.house_b, {"organization": nord}, check=False)
    answer = signed_in(cast.admin).get(f"{TREE}{nord.pk}/move/?parent={sued.pk}")
    text = text_of(answer)
    assert "Brandt &amp; Keller › Filiale Süd › Filiale Nord" in text
    assert "1 Objekt" in text
    assert parent_of(nord) == cast.tenant.pk


def test_confirmed_it_moves_and_its_line_is_shown(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, sued = pair
    answer = move(signed_in(cast.admin), nord, sued)
    assert answer["Location"] == f"{TREE}?open={cast.tenant.pk}&open={sued.pk}#organization-{nord.pk}"
    assert parent_of(nord) == sued.pk


def test_who_loses_what_is_named(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, _sued = pair
    client = signed_in(cast.operator)
    found = client.get(f"{TREE}{nord.pk}/move/?parent={cast.other_tenant.pk}").context["effects"]
    assert (found.gain.names, found.lose.names) == (("Stranger Muster",), ())  # admin owns it directly, too
    assert not found.takes_from_actor


@pytest.mark.parametrize("place", ["itself", "below"])
def test_a_circle_is_refused_before_anything_changes(
    cast: Cast, pair: tuple[Organization, Organization], place: str
) -> None:
    nord, _sued = pair
    team = below(cast, "Team", nord)
    target = nord if place == "itself" else team
    client = signed_in(cast.admin)
    page = client.get(f"{TREE}{nord.pk}/move/?parent={target.pk}")
    assert "Eine Organisation kann nicht unter sich selbst liegen." in text_of(page)
    assert page.context["facts"] == []
    assert "Eine Organisation kann nicht unter sich selbst liegen." in text_of(move(client, nord, target))
    assert parent_of(nord) == cast.tenant.pk


def test_houses_of_one_company_do_not_go_to_another(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, _sued = pair
    rows.change(cast.house_a, {"organization": nord}, check=False)
    client = signed_in(cast.operator)
    assert client.get(f"{TREE}{nord.pk}/move/?parent={cast.other_tenant.pk}").context["refusal"]
    move(client, nord, cast.other_tenant)
    assert parent_of(nord) == cast.tenant.pk


def test_an_organization_of_others_is_no_place(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, _sued = pair
    client = signed_in(cast.admin)
    assert "Wählen Sie eine Organisation aus der Liste." in text_of(move(client, nord, cast.other_tenant))
    assert "Nordhaus" not in text_of(client.get(f"{TREE}{nord.pk}/move/?q=Nordhaus&p=²"))
    assert parent_of(nord) == cast.tenant.pk


def test_what_moved_meanwhile_is_not_moved_again(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, sued = pair
    stale = nord.row_version
    rows.change(nord, {"name": "Filiale Nordwest"})
    answer = move(signed_in(cast.admin), nord, sued, version=stale)
    assert answer.status_code == 200
    assert parent_of(nord) == cast.tenant.pk


def test_administrators_who_own_nothing_do_not_move(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, sued = pair
    rows.change(cast.membership("staff"), {"admin_perm": True})
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=nord, role="staff")
    client = signed_in(cast.staff)
    assert client.get(f"{TREE}{nord.pk}/move/").status_code == 403
    assert move(client, nord, sued).status_code == 403
    assert parent_of(nord) == cast.tenant.pk


def test_places_cost_the_same_for_one_and_three(cast: Cast, pair: tuple[Organization, Organization]) -> None:
    nord, sued = pair
    client = signed_in(cast.admin)
    before = queries_of(client, f"{TREE}{nord.pk}/move/")
    for name in ("a", "b", "c"):
        below(cast, name, sued)
    assert queries_of(client, f"{TREE}{nord.pk}/move/") == before
