"""What a move of an organization would change, said beforehand: by numbers, by names, and by the reason against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.models import Organization, SecondFactor
from orgs.services import moves, owners, tree
from orgs.services.tenants import add_member
from tests.orgs.test_services_tree import fresh, node

if TYPE_CHECKING:
    from orgs.services.moves import Effects
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def effects(cast: Cast, organization: Organization, parent: Organization | None, who: str = "owner") -> Effects:
    """What the move would change, as a persona is told."""
    return moves.effects(actor=cast.actor(who), organization=fresh(organization), parent=parent and fresh(parent))


def test_paths_and_numbers(cast: Cast) -> None:
    top, other = node(cast, "Oben"), node(cast, "Anderswo")
    mine = node(cast, "Meins", top)
    team = node(cast, "Team", mine)
    for where in (mine, team):
        add_member(user=cast.renter, organization=where, role="staff")
    found = effects(cast, mine, other)
    assert [one.name for one in found.before] == ["Oben", "Meins"]
    assert [one.name for one in found.after] == ["Anderswo", "Meins"]
    assert (found.organizations, found.people, found.communities) == (2, 2, 0)  # each person once
    assert found.refusal is None
    assert fresh(mine).parent_id == top.pk


def test_owners_of_old_ancestors_lose_and_of_new_ones_gain(cast: Cast) -> None:
    top, other = node(cast, "Oben"), node(cast, "Anderswo")
    mine = node(cast, "Meins", top)
    for where, who in ((top, cast.renter), (top, cast.guest), (other, cast.neighbour), (mine, cast.guest)):
        add_member(user=who, organization=where, role="owner")
    found = effects(cast, mine, other)
    assert found.gain == moves.People(1, ("Neighbour Muster",))
    assert found.lose == moves.People(1, ("Renter Muster",))  # the guest owns it directly, the asker both
    assert not found.takes_from_actor


def test_whoever_takes_the_right_from_oneself_is_told(cast: Cast) -> None:
    top = node(cast, "Oben")
    mine = node(cast, "Meins", top, who="owner")
    add_member(user=cast.renter, organization=mine, role="owner")
    owners.remove(actor=cast.actor("owner"), organization=mine, user_id=cast.owner.pk)
    found = effects(cast, mine, None)
    assert found.takes_from_actor
    assert found.lose == moves.People(1, ("Owner Muster",))


def test_names_and_paths_hold_what_one_has_access_to(cast: Cast) -> None:
    hidden = node(cast, "Geheim", who="renter")
    top = node(cast, "Oben", hidden, who="renter")
    mine = node(cast, "Meins", top, who="renter")
    add_member(user=cast.owner, organization=mine, role="owner")
    found = effects(cast, mine, None)
    assert [one.name for one in found.before] == ["Meins"]
    assert found.lose.total == 0  # the renter owns it directly
    add_member(user=cast.neighbour, organization=hidden, role="owner")
    assert effects(cast, mine, None).lose == moves.People(1, ())


@pytest.mark.rule("ORGS-053")
def test_a_duty_begins_and_ends_with_the_ancestors(cast: Cast) -> None:
    free, strict = node(cast, "Frei"), node(cast, "Streng", enforces_second_factor=True)
    SecondFactor.objects.create(user=cast.owner, secret="x", name="totp", confirmed_at=timezone.now())
    mine = node(cast, "Meins", free)
    add_member(user=cast.renter, organization=mine, role="staff")
    begins = effects(cast, mine, strict)
    assert (begins.duty_begins, begins.duty_ends, begins.without_factor) == (True, False, 1)
    assert [one.name for one in begins.factor_after] == ["Streng"]
    tree.change(actor=cast.actor("owner"), organization=mine, values={"parent": strict})
    ends = effects(cast, mine, free)
    assert (ends.duty_begins, ends.duty_ends, ends.without_factor) == (False, True, 0)


def test_a_duty_of_its_own_goes_along(cast: Cast) -> None:
    SecondFactor.objects.create(user=cast.owner, secret="x", name="totp", confirmed_at=timezone.now())
    free, strict = node(cast, "Frei"), node(cast, "Streng", enforces_second_factor=True)
    mine = node(cast, "Meins", free, enforces_second_factor=True)
    found = effects(cast, mine, strict)
    assert (found.duty_begins, found.duty_ends) == (False, False)


def test_a_company_is_left_with_those_who_work_nowhere_else(cast: Cast) -> None:
    with scope.all_tenants():
        branch = node(cast, "Zweig", fresh(cast.tenant), who="admin")
        add_member(user=cast.stranger, organization=branch, role="staff")
        tree.join_tenant(cast.stranger, cast.tenant.pk)
    found = effects(cast, branch, None, who="admin")
    assert (found.changes_tenant, found.tenant_before, found.tenant_after) == (True, cast.tenant, None)
    assert (found.people, found.leaving) == (2, 1)


@pytest.mark.parametrize(
    ("place", "code"), [("itself", "cycle"), ("below", "cycle"), ("foreign", "forbidden"), ("same", "same_place")]
)
def test_what_would_be_refused_carries_the_reason(cast: Cast, place: str, code: str) -> None:
    top = node(cast, "Oben")
    mine = node(cast, "Meins", top)
    places = {
        "itself": mine, "below": node(cast, "Team", mine), "foreign": node(cast, "Fremd", who="renter"), "same": top,
    }  # fmt: skip
    found = effects(cast, mine, places[place])
    assert found.refusal is not None
    assert found.refusal.code == code
    assert found.organizations == 0


def test_communities_bind_to_their_company(cast: Cast) -> None:
    with scope.all_tenants():
        branch = node(cast, "Zweig", fresh(cast.tenant), who="admin")
        rows.change(cast.house_a, {"organization": branch}, check=False)
    found = effects(cast, branch, None, who="admin")
    assert found.refusal is not None
    assert found.refusal.code == "tenant_bound"


def test_the_answer_costs_the_same_for_a_small_and_a_large_branch(cast: Cast) -> None:
    top, other = node(cast, "Oben"), node(cast, "Anderswo")
    mine = node(cast, "Meins", top)

    def queries() -> int:
        actor = cast.actor("owner")
        with CaptureQueriesContext(connection) as captured:
            moves.effects(actor=actor, organization=fresh(mine), parent=fresh(other))
        return len(captured)

    before = queries()
    for name in ("a", "b", "c"):
        add_member(user=cast.renter, organization=node(cast, name, mine), role="staff")
    assert queries() == before
