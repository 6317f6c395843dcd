"""Quick actions and availability of an organization in the back office."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs import rules
from orgs.admin.organization_availability import chart_of
from orgs.models import AvailabilitySample, Membership, Organization, QuickAction
from orgs.services import availability, quick_actions
from orgs.services.availability import Counts
from orgs.services.tenants import add_member
from tests.orgs.test_admin_organization_moves import text_of
from tests.orgs.test_admin_organizations import TREE, below
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FIRST = {
    "name": "Notdienst",
    "resource": "ticket",
    "resource_id": "7",
    "color": "#123456",
    "icon": "phone",
    "one_click": "on",
}
SECOND = {"name": "Schlüssel", "resource": "page"}


@pytest.fixture
def branch(cast: Cast) -> Organization:
    """A branch that the administrator owns."""
    return below(cast, "Filiale Nord")


def seen(client: Client, organization: Organization) -> str:
    """The mark of what the form shows."""
    return str(client.get(f"{TREE}{organization.pk}/quick-actions/").context["seen"])


def send(client: Client, organization: Organization, *sent: dict[str, str], do: str = "save", **more: str) -> Any:
    values = {f"{n}-{name}": value for n, row in enumerate(sent) for name, value in row.items()}
    mark = {"seen": more.pop("seen", "") or seen(client, organization)}
    return client.post(
        f"{TREE}{organization.pk}/quick-actions/", {"do": do, "count": str(len(sent)), **mark, **values, **more}
    )


def names(organization: Organization) -> list[str]:
    found = QuickAction.objects.filter(organization=organization)
    return list(found.order_by("position").values_list("name", flat=True))


def typed(answer: Any) -> list[str]:
    return [row.values["name"] for row in answer.context["rows"]]


# --- Quick actions --------------------------------------------------------------------------------------


def test_rows_are_stored_as_they_stand(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    assert send(client, branch, SECOND, FIRST, {"name": ""}).status_code == 302  # a blank row is no row
    assert names(branch) == ["Schlüssel", "Notdienst"]
    stored = QuickAction.objects.get(organization=branch, name="Notdienst")
    assert (stored.resource, stored.resource_id, stored.color, stored.icon) == ("ticket", 7, "#123456", "phone")
    assert stored.one_click
    assert "ticket 7" in text_of(client.get(f"{TREE}{branch.pk}/change/"))
    assert send(client, branch).status_code == 302
    assert names(branch) == []


@pytest.mark.parametrize(
    ("button", "order"),
    [
        ("up-1", ["Schlüssel", "Notdienst"]), ("down-0", ["Schlüssel", "Notdienst"]), ("up-0", ["Notdienst", "Schlüssel"]),
        ("down-1", ["Notdienst", "Schlüssel"]), ("remove-0", ["Schlüssel"]), ("add", ["Notdienst", "Schlüssel", ""]),
        ("up-9", ["Notdienst", "Schlüssel"]), ("unsinn", ["Notdienst", "Schlüssel"]),
    ],
)  # fmt: skip
def test_buttons_of_a_row_draw_the_form_again_and_store_nothing(
    cast: Cast, branch: Organization, button: str, order: list[str]
) -> None:
    answer = send(signed_in(cast.admin), branch, FIRST, SECOND, do=button)
    assert typed(answer) == order
    assert names(branch) == []


def test_the_focus_goes_along_with_a_row(cast: Cast, branch: Organization) -> None:
    page = send(signed_in(cast.admin), branch, FIRST, SECOND, SECOND, do="up-2").content.decode()
    (button,) = re.findall(r"<button[^>]*autofocus[^>]*>", page)
    assert 'value="up-1"' in button


def test_the_words_that_lead_somewhere_are_offered(cast: Cast, branch: Organization) -> None:
    send(signed_in(cast.admin), branch, FIRST)
    page = signed_in(cast.admin).get(f"{TREE}{branch.pk}/quick-actions/").content.decode()
    assert re.findall(r'<option value="([^"]*)">', page[page.index('<datalist id="words">') :])[:2] == [
        "document",
        "folder",
    ]
    assert re.search(r'name="0-resource"[^>]* list="words"', page)


def test_a_known_row_keeps_its_number(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    send(client, branch, FIRST, SECOND)
    first, second = QuickAction.objects.filter(organization=branch).order_by("position")
    send(client, branch, {**SECOND, "id": str(second.pk)}, {**FIRST, "id": str(first.pk)})
    found = QuickAction.objects.filter(organization=branch).order_by("position")
    assert [one.pk for one in found] == [second.pk, first.pk]


@pytest.mark.rule("ORGS-071")
def test_every_wrong_row_is_marked_and_nothing_changes(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    send(client, branch, FIRST)
    answer = send(client, branch, {"name": "x" * 101, "resource": "a"}, {"name": ""}, SECOND, {"name": "Ohne Ziel"})
    assert [sorted(row.errors) for row in answer.context["rows"]] == [["name"], [], [], ["resource"]]
    assert names(branch) == ["Notdienst"]
    answer = send(client, branch, {**SECOND, "resource_id": "²"})
    assert [sorted(row.errors) for row in answer.context["rows"]] == [["resource_id"]]
    assert names(branch) == ["Notdienst"]


def test_there_are_not_too_many(cast: Cast, branch: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_actions, "MOST", 1)
    client = signed_in(cast.admin)
    assert send(client, branch, FIRST, SECOND).context["refusal"]
    assert typed(send(client, branch, FIRST, do="add")) == ["Notdienst"]
    assert names(branch) == []


def test_a_list_that_was_replaced_meanwhile_is_not_overwritten(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    mark = seen(client, branch)
    send(client, branch, FIRST)
    assert send(client, branch, SECOND, seen=mark).context["refusal"]
    assert names(branch) == ["Notdienst"]


def test_after_the_trial_there_are_none(cast: Cast, branch: Organization) -> None:
    rows.change(branch, {"trial_ends_at": timezone.now() - datetime.timedelta(days=1)})
    client = signed_in(cast.admin)
    answer = client.get(f"{TREE}{branch.pk}/quick-actions/")
    assert answer.context["refusal"] == str(rules.may_use(Organization.objects.get(pk=branch.pk)).reason)
    assert client.get(f"{TREE}{branch.pk}/change/").status_code == 200
    client.post(f"{TREE}{branch.pk}/quick-actions/", {"do": "save", "count": "1", "0-name": "A", "0-resource": "b"})
    assert not QuickAction.objects.exists()


def test_staff_and_strangers_do_not_edit_them(cast: Cast, branch: Organization) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="staff")
    for who, status in ((cast.staff, 403), (cast.stranger, 404)):
        client = signed_in(who)
        url = f"{TREE}{branch.pk}/quick-actions/"
        assert client.get(url).status_code == client.post(url, {"count": "0"}).status_code == status


# --- Availability ---------------------------------------------------------------------------------------


def test_people_stand_there_once_and_by_presence(cast: Cast, branch: Organization) -> None:
    team = below(cast, "Team", branch)
    with scope.unit_of_work(door="test"), scope.all_tenants():
        for who in (cast.staff, cast.renter, cast.owner):
            add_member(user=who, organization=team, role="staff")
        add_member(user=cast.renter, organization=branch, role="staff")
        Membership.objects.filter(organization=team, user=cast.owner).update(is_available=False)
        availability.begin_engagement(user=cast.renter, organization=branch, source="manual")
    client = signed_in(cast.admin)
    page = client.get(f"{TREE}{branch.pk}/availability/?part=total")
    found = [(p["user__first_name"], p["presence"]) for p in page.context["page"]]
    assert found == [("Renter", "engaged"), ("Admin", "available"), ("Staff", "available"), ("Owner", "unavailable")]
    assert page.context["now"] == Counts(2, 1, 1)
    alone = client.get(f"{TREE}{branch.pk}/availability/")
    assert [p["user__first_name"] for p in alone.context["page"]] == ["Renter", "Admin"]
    assert alone.context["now"] == Counts(1, 1, 0)


def test_staff_see_no_names_of_people_they_may_not_know(cast: Cast) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        club = below(cast, "Verein", who="admin")
        rows.change(club, {"parent": None, "ancestors": [], "tenant_id": None}, check=False)
        Membership.objects.filter(organization=club).update(tenant_id=None)
        for who in (cast.staff, cast.stranger):
            add_member(user=who, organization=club, role="staff")
    page = signed_in(cast.staff).get(f"{TREE}{club.pk}/availability/")
    assert "Stranger Muster" not in text_of(page)
    assert "Staff Muster" in text_of(page)
    assert "Stranger Muster" in text_of(signed_in(cast.admin).get(f"{TREE}{club.pk}/availability/"))


def sample(organization: Organization, hours: float, **values: int) -> None:
    counts = dict.fromkeys(
        (f"{p}_{n}" for p in ("root", "total") for n in ("available", "in_event", "not_available")), 0
    )
    at = timezone.now() - datetime.timedelta(hours=hours)
    AvailabilitySample.objects.create(organization=organization, sampled_at=at, **{**counts, **values})


@pytest.mark.rule("ORGS-059")
def test_the_chart_covers_the_14_days_before(cast: Cast, branch: Organization) -> None:
    sample(branch, 14 * 24 + 1, root_available=9)
    sample(branch, 49, root_available=2, root_in_event=1)
    sample(branch, 25, root_available=4, total_available=7)
    page = signed_in(cast.admin).get(f"{TREE}{branch.pk}/availability/")
    chart = page.context["chart"]
    assert chart.top == 4
    assert [day.available for day in chart.days] == [(4, 4), (2, 2)]  # newest first
    assert "<polygon" in page.content.decode()
    assert signed_in(cast.admin).get(f"{TREE}{branch.pk}/availability/?part=total").context["chart"].top == 7


def test_areas_lie_on_each_other_and_end_where_nothing_was_noted(cast: Cast) -> None:
    until = datetime.datetime(2026, 3, 15, 12, tzinfo=datetime.UTC)
    hour = datetime.timedelta(hours=1)
    taken = [(until - n * hour, Counts(1, 1, 0)) for n in (30, 29, 3)]
    chart = chart_of(taken, until=until, zone=cast.tenant.zone)
    assert {tone: len(shapes) for tone, shapes in chart.areas.items()} == {"good": 2, "warn": 2}
    assert chart.areas["good"][1] == "666.0,100.0 668.0,100.0 668.0,200.0 666.0,200.0"
    assert chart.areas["warn"][1] == "666.0,0.0 668.0,0.0 668.0,100.0 666.0,100.0"


def test_nothing_noted_is_said(cast: Cast, branch: Organization) -> None:
    assert "Noch wurde nichts festgehalten" in text_of(signed_in(cast.admin).get(f"{TREE}{branch.pk}/availability/"))


def test_the_page_costs_the_same_for_one_sample_and_three(cast: Cast, branch: Organization) -> None:
    client, url = signed_in(cast.admin), f"{TREE}{branch.pk}/availability/"
    sample(branch, 1, root_available=1)
    before = queries_of(client, url)
    sample(branch, 2, root_available=2)
    sample(branch, 3, root_available=2)
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="staff")
    assert queries_of(client, url) == before
