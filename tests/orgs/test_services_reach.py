"""Access to one organization: the same as what lists show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import DomainError
from orgs.actor import Actor, actor_for
from orgs.models import Organization, SecondFactor
from orgs.services import reach
from orgs.services.tenants import add_member
from tests.cast import PEOPLE

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def forest(cast: Cast) -> Cast:
    """Two branches below Brandt & Keller, one below the other; a demanding one outside of tenants; one that is closed."""

    def made(name: str, *above: Organization, **values: Any) -> Organization:
        parent = above[-1] if above else None
        return Organization.objects.create(
            name=name, parent=parent, ancestors=[one.pk for one in above], created_by=cast.admin,
            tenant=parent.tenant if parent else None, **values,
        )  # fmt: skip

    branch = made("Zweig", cast.tenant)
    made("Blatt", cast.tenant, branch, enforces_second_factor=True)
    alone = made("Verein", enforces_second_factor=True)
    below = made("Ortsverein", alone)
    made("Zu", closed_at=timezone.now())
    add_member(user=cast.owner, organization=branch, role="owner")
    add_member(user=cast.renter, organization=alone, role="owner")
    add_member(user=cast.neighbour, organization=below, role="staff")
    SecondFactor.objects.create(user=cast.neighbour, secret="x", confirmed_at=timezone.now(), name="app")
    return cast


def outcome(actor: Actor, organization_id: int) -> str:
    try:
        return reach.organization(actor, organization_id).name
    except DomainError as error:
        return error.code


@pytest.mark.rule("ORGS-053", "ORGS-054")
@pytest.mark.parametrize("who", [*PEOPLE, "token"])
def test_one_is_open_to_whom_the_list_shows_it(forest: Cast, who: str) -> None:
    if who == "token":
        actor = Actor(user=None, door="orgs", node=Organization.objects.get(name="Zweig").pk)
    else:
        actor = actor_for(getattr(forest, who), door="orgs")
    there = Organization.objects.filter(closed_at=None)
    opened = set(there.open_to(actor).values_list("pk", flat=True))
    seen = set(there.visible_to(actor).values_list("pk", flat=True))
    for one in Organization.objects.all():
        if one.closed_at is not None:
            expected = "not_found"
        elif one.pk in opened:
            expected = one.name
        else:
            expected = "second_factor_required" if one.pk in seen else "forbidden"
        assert outcome(actor, one.pk) == expected
    assert outcome(actor, 2_000_000_000) == "not_found"


def test_it_is_one_query(forest: Cast, django_assert_num_queries: Any) -> None:
    actor = forest.actor("admin")
    branch = Organization.objects.get(name="Zweig")
    with django_assert_num_queries(1):
        assert reach.organization(actor, branch.pk) == branch


def test_a_demanded_second_factor_is_one_more(forest: Cast, django_assert_num_queries: Any) -> None:
    actor = forest.actor("neighbour")
    below = Organization.objects.get(name="Ortsverein")
    with django_assert_num_queries(2):
        assert reach.organization(actor, below.pk) == below
