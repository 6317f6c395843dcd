"""The start page of the back office: one's own presence, and the quick actions of one's organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.colors import contrast
from core.models import AuditEntry
from core.services import rows
from orgs import resources
from orgs.models import Engagement, Membership, Organization
from orgs.services import availability, quick_actions
from orgs.services.tenants import add_member, create_organization
from orgs.tiles import INKS, tile
from tests.factories import folder, manual_group
from tests.portal.pages import house_folder, paper, queries_of, signed_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def put(cast: Cast, *actions: dict[str, Any], organization: Organization | None = None) -> None:
    with scope.unit_of_work(door="test"):
        quick_actions.replace(
            actor=cast.actor("operator"),
            organization=organization or cast.tenant,
            actions=[{"name": "Knopf", "resource": "folder", "resource_id": 0, **action} for action in actions],
        )


def desk(client: Client) -> Any:
    return client.get("/admin/").context["desk"]


def offers(client: Client) -> list[quick_actions.Offer]:
    return [offer for board in desk(client).boards for offer in board.offers]


# --- Presence -------------------------------------------------------------------------------------------


def test_staff_see_what_they_are_and_press_another_button(cast: Cast) -> None:
    client = signed_in(cast.staff)
    [standing] = desk(client).standings
    assert (standing.organization, standing.presence) == (cast.tenant, "available")
    page = client.get("/admin/").content.decode()
    assert page.count('name="presence"') == 3
    values = {"organization": cast.tenant.pk, "next": "/admin/"}
    for presence in ("engaged", "unavailable", "available"):
        response = client.post("/app/presence", {**values, "presence": presence})
        assert (response.status_code, response["Location"]) == (302, "/admin/")
        assert [one.presence for one in desk(client).standings] == [presence]
        assert availability.presence_of(cast.staff, cast.tenant) == presence
    assert cast.membership("admin").is_available  # nobody else's


def test_the_operator_belongs_nowhere_and_says_nothing(cast: Cast) -> None:
    assert desk(signed_in(cast.operator)).standings == []
    assert b'name="presence"' not in signed_in(cast.operator).get("/admin/").content


def test_setting_it_is_in_the_audit(cast: Cast) -> None:
    client = signed_in(cast.staff)
    client.post("/app/presence", {"organization": cast.tenant.pk, "presence": "unavailable"})
    entry = AuditEntry.objects.filter(object_type="orgs.membership").latest("id")
    assert (entry.changes, entry.user_id) == ({"is_available": [True, False]}, cast.staff.pk)
    client.post("/app/presence", {"organization": cast.tenant.pk, "presence": "engaged"})
    assert AuditEntry.objects.latest("id").verb == "engagement_begun"


def test_a_work_order_counts_until_it_ends(cast: Cast) -> None:
    client = signed_in(cast.staff)
    order = Engagement.Source.WORK_ORDER
    availability.begin_engagement(user=cast.staff, organization=cast.tenant, source=order, source_id=7)
    client.post("/app/presence", {"organization": cast.tenant.pk, "presence": "available"})
    [standing] = desk(client).standings
    assert (standing.presence, standing.on_work_order) == ("engaged", True)
    availability.end_engagement(user=cast.staff, source=order, source_id=7)
    [standing] = desk(client).standings
    assert (standing.presence, standing.on_work_order) == ("available", False)


# --- Quick actions ----------------------------------------------------------------------------------------


def test_they_stand_in_the_organizations_order_and_lead_to_what_they_open(cast: Cast) -> None:
    where = house_folder(cast)
    document = paper(cast, where)
    put(
        cast,
        {"name": "Z zuerst", "resource": "document", "resource_id": document.pk},
        {"name": "A danach", "resource_id": where.pk},
    )
    client = signed_in(cast.admin)
    found = offers(client)
    assert [(one.name, one.reason, one.posts) for one in found] == [("Z zuerst", "", False), ("A danach", "", False)]
    for one in found:
        assert f'href="{one.url}"' in client.get("/admin/").content.decode()
        assert client.get(one.url).status_code == 200
    assert found[0].url.endswith(f"/{document.pk}/change/")
    assert found[1].url.endswith(f"?folder__id__exact={where.pk}")


def test_what_one_may_not_see_looks_like_what_is_not_there(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        secret = folder(cast, "Vorstand", manual_group(cast, "Vorstand", "guest"))
    put(cast, {"name": "Geheim", "resource_id": secret.pk}, {"name": "Weg", "resource_id": 10**9})
    hidden, gone = offers(signed_in(cast.staff))
    assert (hidden.url, gone.url) == ("", "")
    assert hidden.reason == gone.reason != ""
    seen, gone = offers(signed_in(cast.admin))
    assert (bool(seen.url), seen.reason, gone.url) == (True, "", "")
    page = signed_in(cast.staff).get("/admin/").content.decode()
    assert "Geheim" in page
    assert f"folder__id__exact={secret.pk}" not in page


def test_a_word_that_no_floor_knows_says_so(cast: Cast) -> None:
    put(cast, {"resource": "resource-template", "resource_id": 7})
    [offer] = offers(signed_in(cast.admin))
    assert (offer.url, "kennt" in offer.reason) == ("", True)


def test_a_floor_enters_its_words_and_one_click_posts_where_something_starts(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[int]] = []

    def find(actor: Any, ids: Collection[int]) -> dict[int, str]:
        asked.append(set(ids))
        return {pk: f"/admin/?type={pk}" for pk in ids if pk != 9}

    monkeypatch.setattr(resources, "_KNOWN", dict(resources._KNOWN))
    resources.register("probe-type", find, starts=True)
    with pytest.raises(ValueError, match="probe-type"):
        resources.register("probe-type", find)
    probe = {"resource": "probe-type"}
    put(cast, {**probe, "resource_id": 7, "one_click": True}, {**probe, "resource_id": 8}, {**probe, "resource_id": 9})
    client = signed_in(cast.staff)
    assert [(one.url, one.posts) for one in offers(client)] == [
        ("/admin/?type=7", True), ("/admin/?type=8", False), ("", False),
    ]  # fmt: skip
    assert asked == [{7, 8, 9}]  # all at once
    page = client.get("/admin/").content.decode()
    assert '<form method="post" action="/admin/?type=7">' in page
    assert '<a class="q-quick" href="/admin/?type=8">' in page


def test_each_organization_in_which_one_works_has_its_own(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        branch = create_organization(name="Zweig", created_by=cast.admin, parent=cast.tenant)
        other = create_organization(name="Anderer Zweig", created_by=cast.admin, parent=cast.tenant)
        add_member(user=cast.staff, organization=branch, role="staff")
    for organization in (cast.tenant, branch, other):
        put(cast, {"name": organization.name}, organization=organization)
    boards = desk(signed_in(cast.staff)).boards
    assert [(one.organization.pk, one.offers[0].name) for one in boards] == [
        (cast.tenant.pk, cast.tenant.name), (branch.pk, "Zweig"),
    ]  # fmt: skip


@pytest.mark.rule("ORGS-081")
def test_once_the_trial_is_over_there_are_none_and_the_page_says_why(cast: Cast) -> None:
    put(cast, {"name": "Hausordnung"})
    client = signed_in(cast.staff)
    assert len(offers(client)) == 1
    rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    [board] = desk(client).boards
    assert (board.offers, board.organization) == ([], cast.tenant)
    page = client.get("/admin/").content.decode()
    assert "Hausordnung" not in page
    assert "Der Testzeitraum dieser Organisation ist vorbei." in page
    rows.change(cast.tenant, {"booked_at": timezone.now()})
    assert len(offers(client)) == 1


def test_the_page_costs_the_same_for_one_action_and_three(cast: Cast) -> None:
    wheres = [house_folder(cast, name) for name in "abc"]
    put(cast, {"resource_id": wheres[0].pk})
    client = signed_in(cast.staff)
    one = queries_of(client, "/admin/")
    put(cast, *({"resource_id": where.pk} for where in wheres))
    assert len(offers(client)) == 3
    assert queries_of(client, "/admin/") == one


# --- Tiles ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("color", ["red", "#1f5c4a", "#ff0", "#ffffff", "#000", "#777777", "gold", "rgb(200, 30, 90)"])
def test_the_ink_on_any_colour_can_be_read(color: str) -> None:
    found = tile(color, "bolt")
    assert contrast(found.fill, INKS[found.ink]) >= 4.5


@pytest.mark.parametrize("color", ["", "url(evil)", "reddish", "#12", "}"])
def test_what_is_no_colour_is_left_out(color: str) -> None:
    assert (tile(color, "").fill, tile(color, "").ink) == ("", "")


@pytest.mark.parametrize(
    ("icon", "shown"), [("home_work", "home_work"), ("", "bolt"), ("<b>", "bolt"), ("Bolt ", "bolt")]
)
def test_what_is_no_icon_is_the_common_one(icon: str, shown: str) -> None:
    assert tile("", icon).icon == shown


# --- Whom to assign -----------------------------------------------------------------------------------------


def test_available_people_come_first_then_those_on_assignment_then_the_others(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        people = {
            name: add_member(user=getattr(cast, name), organization=cast.other_tenant, role="staff")
            for name in ("renter", "owner", "neighbour", "additional")
        }
    away, order = people["renter"], Engagement.Source.WORK_ORDER
    Membership.objects.filter(pk=away.pk).update(is_available=False)
    availability.begin_engagement(user=cast.owner, organization=cast.other_tenant, source=order, source_id=1)
    # Tied up in another tree is not tied up here.
    availability.begin_engagement(user=cast.neighbour, organization=cast.tenant, source=order, source_id=2)
    found = Membership.objects.active().staff().filter(organization=cast.other_tenant).available_first()
    assert [(one.user.first_name, one.presence) for one in found.select_related("user")] == [
        ("Additional", "available"), ("Neighbour", "available"), ("Stranger", "available"),
        ("Owner", "engaged"), ("Renter", "unavailable"),
    ]  # fmt: skip


def test_who_is_on_assignment_at_a_branch_is_so_at_the_head_office(cast: Cast, django_assert_num_queries: Any) -> None:
    with scope.unit_of_work(door="test"):
        branch = create_organization(name="Zweig", created_by=cast.admin, parent=cast.tenant)
    availability.begin_engagement(user=cast.staff, organization=branch, source=Engagement.Source.MANUAL)
    with django_assert_num_queries(1):
        found = list(Membership.objects.active().staff().filter(organization=cast.tenant).available_first())
    assert [(one.user_id, one.presence) for one in found] == [(cast.admin.pk, "available"), (cast.staff.pk, "engaged")]
