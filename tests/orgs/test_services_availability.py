"""Who is there: counted once, over the subtree, now and over the last 14 days."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import scope
from orgs.models import AvailabilitySample, Engagement, Membership, Organization
from orgs.services import availability
from orgs.services.availability import Counts
from orgs.services.tenants import add_member
from tests.orgs.test_services_tree import node

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def top(cast: Cast) -> Organization:
    """An organization outside of every tenant, owned by `owner`."""
    return node(cast, "Oben")


def of(organization: Organization) -> availability.Presence:
    return availability.counts([organization.pk])[organization.pk]


def test_the_root_is_counted_alone_and_with_all_below(cast: Cast, top: Organization) -> None:
    middle = node(cast, "Mitte", top)
    leaf = node(cast, "Blatt", middle)
    add_member(user=cast.renter, organization=leaf, role="staff")
    assert of(top) == availability.Presence(Counts(1), Counts(2))
    assert of(leaf) == availability.Presence(Counts(2), Counts(2))
    assert of(node(cast, "Nebenan", who="guest")).total == Counts(1)


def test_a_person_counts_once_and_as_available_where_free_anywhere(cast: Cast, top: Organization) -> None:
    below = node(cast, "Unten", top)
    Membership.objects.filter(user=cast.owner, organization=top).update(is_available=False)
    assert of(top) == availability.Presence(Counts(not_available=1), Counts(available=1))
    Membership.objects.filter(user=cast.owner, organization=below).update(is_available=False)
    assert of(top).total == Counts(not_available=1)


def test_on_assignment_comes_before_everything_in_the_whole_tree(cast: Cast, top: Organization) -> None:
    below = node(cast, "Unten", top)
    elsewhere = node(cast, "Anderswo")
    availability.begin_engagement(user=cast.owner, organization=below, source=Engagement.Source.WORK_ORDER, source_id=7)
    assert of(top) == availability.Presence(Counts(in_event=1), Counts(in_event=1))
    assert of(elsewhere).root == Counts(available=1)  # another tree knows nothing of it
    availability.end_engagement(user=cast.owner, source=Engagement.Source.WORK_ORDER, source_id=7)
    assert of(top).root == Counts(available=1)


def test_only_owners_and_staff_who_are_still_there_count(cast: Cast, top: Organization) -> None:
    for user, role in ((cast.renter, "guest"), (cast.guest, "contractor"), (cast.neighbour, "affiliate")):
        add_member(user=user, organization=top, role=role)
    gone = add_member(user=cast.former, organization=top, role="staff")
    soon = add_member(user=cast.additional, organization=top, role="staff")
    now = timezone.now()
    Membership.objects.filter(pk=gone.pk).update(deactivated_at=now)
    Membership.objects.filter(pk=soon.pk).update(deactivated_at=now + datetime.timedelta(hours=1))
    assert of(top).root == Counts(available=2)  # the owner, and who leaves in an hour


def test_any_number_of_organizations_is_one_statement(cast: Cast, top: Organization) -> None:
    ids = [top.pk, *(node(cast, name, top).pk for name in "abc")]
    with CaptureQueriesContext(
        connection,
    ) as captured:
        found = availability.counts(ids)
    assert len(captured) == 1
    assert found.keys() == set(ids)
    assert availability.counts([]) == {}


# --- One person -----------------------------------------------------------------------------------------


def test_people_set_themselves_available_unavailable_and_on_assignment(cast: Cast, top: Organization) -> None:
    below = node(cast, "Unten", top)
    for presence, counted in (
        (availability.ENGAGED, Counts(in_event=1)),
        (availability.UNAVAILABLE, Counts(not_available=1)),
        (availability.ENGAGED, Counts(in_event=1)),
        (availability.AVAILABLE, Counts(available=1)),
    ):
        availability.set_presence(user=cast.owner, organization=below, presence=presence)
        assert of(top).total == counted
        assert availability.presence_of(cast.owner, top) == presence


def test_a_work_order_is_not_left_by_hand(cast: Cast, top: Organization) -> None:
    availability.begin_engagement(user=cast.owner, organization=top, source=Engagement.Source.WORK_ORDER, source_id=7)
    availability.set_presence(user=cast.owner, organization=top, presence=availability.AVAILABLE)
    assert availability.presence_of(cast.owner, top) == availability.ENGAGED


def test_twice_on_assignment_is_once(cast: Cast, top: Organization) -> None:
    for _time in range(2):
        availability.set_presence(user=cast.owner, organization=top, presence=availability.ENGAGED)
    assert Engagement.objects.count() == 1


def test_other_trees_keep_their_own_word(cast: Cast, top: Organization) -> None:
    other = node(cast, "Anderswo")
    availability.set_presence(user=cast.owner, organization=top, presence=availability.UNAVAILABLE)
    assert of(other).root == Counts(available=1)


# --- Over time ------------------------------------------------------------------------------------------


def test_each_hour_is_written_down_once(cast: Cast, top: Organization) -> None:
    assert availability.sample()["sampled"] == Organization.objects.count()
    availability.sample()
    taken = AvailabilitySample.objects.get(organization=top)
    assert (taken.root_available, taken.total_available) == (1, 1)
    assert (taken.sampled_at.minute, taken.sampled_at.second) == (0, 0)
    house = AvailabilitySample.objects.get(organization=cast.tenant)
    assert house.root_available == 2  # administrator and clerk; residents are no members here


def test_batches_of_a_run_leave_nobody_out(cast: Cast, top: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "BATCH", 2)
    nodes = {top.pk, *(node(cast, name, top).pk for name in "abc")}
    availability.sample()
    assert nodes <= set(AvailabilitySample.objects.values_list("organization", flat=True))


def sampled(organization: Organization, **ago: float) -> AvailabilitySample:
    """A sample of so long ago."""
    counted = dict.fromkeys(
        ("root_available", "root_in_event", "root_not_available", "total_available", "total_in_event",
         "total_not_available"), 0,
    )  # fmt: skip
    moment = timezone.now() - datetime.timedelta(**ago)
    return AvailabilitySample.objects.create(organization=organization, sampled_at=moment, **counted)


def test_the_history_is_the_last_14_days_newest_first(cast: Cast, top: Organization) -> None:
    sampled(top, days=14, minutes=1)
    edge, newest = sampled(top, days=13, hours=23), sampled(top, hours=1)
    sampled(node(cast, "Nebenan"), hours=2)
    sampled(top, hours=-1)
    assert list(availability.history(top, until=timezone.now())) == [newest, edge]


def test_the_daily_run_deletes_what_is_older(cast: Cast, top: Organization) -> None:
    sampled(top, days=14, minutes=1)
    kept = sampled(top, days=13)
    with scope.unit_of_work(door="test"):
        assert availability.trim_samples() == {"deleted": 1}
    assert list(AvailabilitySample.objects.all()) == [kept]
