"""Quick actions, replaced as a whole, and trials, one per person."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Conflict, Denied, Invalid
from core.models import AuditEntry
from orgs.models import Organization, QuickAction, Trial
from orgs.services import quick_actions, tree, trials
from orgs.services.tenants import add_member
from tests.orgs.test_services_tree import node

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def top(cast: Cast) -> Organization:
    """An organization outside of every tenant, owned by `owner`."""
    return node(cast, "Oben")


def button(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "resource": "ticket-type", "resource_id": 1, **values}


def put(cast: Cast, organization: Organization, *actions: dict[str, Any], who: str = "owner") -> list[QuickAction]:
    return quick_actions.replace(actor=cast.actor(who), organization=organization, actions=actions)


def names(organization: Organization) -> list[str]:
    return [action.name for action in quick_actions.listed(organization)]


def test_the_list_is_what_was_sent_in_its_order(cast: Cast, top: Organization) -> None:
    put(cast, top, button("B", color="red", icon="bolt", one_click=True), button("A"))
    put(cast, node(cast, "Anderswo"), button("X"))
    first = quick_actions.listed(top)[0]
    assert names(top) == ["B", "A"]
    assert (first.color, first.icon, first.one_click, first.resource, first.resource_id) == (
        "red", "bolt", True, "ticket-type", 1,
    )  # fmt: skip
    put(cast, top)
    assert names(top) == []


def test_a_known_id_is_kept_in_another_place(cast: Cast, top: Organization) -> None:
    a, b = put(cast, top, button("A"), button("B"))
    again = put(cast, top, button("Neu"), button("B2", id=b.pk))
    assert [action.pk for action in again][1] == b.pk
    assert names(top) == ["Neu", "B2"]
    assert not QuickAction.objects.filter(pk=a.pk).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "}, {"name": "x" * 101}, {"resource": ""}, {"color": "x" * 33}, {"icon": "x" * 65}, {"id": 999999},
    ],
)  # fmt: skip
def test_one_wrong_element_leaves_the_list_complete(cast: Cast, top: Organization, wrong: dict[str, Any]) -> None:
    put(cast, top, button("A"), button("B"))
    with pytest.raises(Invalid) as refused:
        put(cast, top, button("C"), button("D") | wrong)
    assert set(refused.value.fields) == {f"[1].{next(iter(wrong))}"}
    assert names(top) == ["A", "B"]


def test_an_id_of_another_organization_is_refused(cast: Cast, top: Organization) -> None:
    [foreign] = put(cast, node(cast, "Anderswo"), button("X"))
    with pytest.raises(Invalid):
        put(cast, top, button("A", id=foreign.pk))
    [mine] = put(cast, top, button("A"))
    with pytest.raises(Invalid):
        put(cast, top, button("A", id=mine.pk), button("B", id=mine.pk))
    assert names(top) == ["A"]


def test_a_thousand_are_too_many(cast: Cast, top: Organization) -> None:
    with pytest.raises(Invalid):
        put(cast, top, *(button(str(n)) for n in range(1000)))
    assert names(top) == []


def test_members_read_and_do_not_write(cast: Cast, top: Organization) -> None:
    add_member(user=cast.guest, organization=top, role="staff")
    with pytest.raises(Denied):
        put(cast, top, button("A"), who="guest")
    assert names(top) == []


@pytest.mark.rule("ORGS-081")
def test_after_an_unbooked_trial_there_are_none(cast: Cast, top: Organization) -> None:
    put(cast, top, button("A"))
    Organization.objects.filter(pk=top.pk).update(trial_ends_at=timezone.now() - datetime.timedelta(seconds=1))
    top.refresh_from_db()
    with pytest.raises(Denied):
        quick_actions.listed(top)
    with pytest.raises(Denied):
        put(cast, top, button("B"))
    Organization.objects.filter(pk=top.pk).update(booked_at=timezone.now())
    top.refresh_from_db()
    assert names(top) == ["A"]


# --- Trials ---------------------------------------------------------------------------------------------


def test_a_trial_runs_for_fourteen_days(cast: Cast) -> None:
    assert trials.of(cast.renter) is None
    trial = trials.start(cast.renter)
    assert trials.is_running(trial)
    Trial.objects.update(started_at=timezone.now() - tree.TRIAL)
    later = trials.of(cast.renter)
    assert later is not None
    assert not trials.is_running(later)


def test_there_is_one_trial_for_each_person_ever(cast: Cast) -> None:
    trials.start(cast.renter)
    Trial.objects.update(started_at=timezone.now() - tree.TRIAL * 10)
    with pytest.raises(Conflict):
        trials.start(cast.renter)
    assert trials.is_running(trials.start(cast.guest))


def test_every_change_is_in_the_audit(cast: Cast, top: Organization) -> None:
    [mine] = put(cast, top, button("A", color="red"))
    put(cast, top, button("A", color="blue", id=mine.pk))
    entry = AuditEntry.objects.filter(object_type="orgs.organization", object_id=str(top.pk)).latest("id")
    old, new = entry.changes["quick_actions"]  # type: ignore[index]
    assert ("red" in old[0], "blue" in new[0]) == (True, True)
    before = AuditEntry.objects.count()
    put(cast, top, button("A", color="blue", id=mine.pk))
    assert AuditEntry.objects.count() == before
