"""Organizations over HTTP: access, creating, changing, the tree, lists."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from orgs.models import AccessToken, Membership, Organization, OrganizationSettings, SecondFactor, User
from orgs.services.tenants import add_member
from tests.orgs.door import OF_ORGANIZATION, PERSONAL, Caller, of_organization, operations, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(cast: Cast) -> Caller:
    """`owner`, with a personal token."""
    return person(cast.owner)


@pytest.fixture
def top(me: Caller) -> dict[str, Any]:
    """An organization that `owner` has made."""
    return me.make("Oben")


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


# --- Access and errors ----------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-001", "ORGS-006")
@pytest.mark.parametrize("headers", [{}, {PERSONAL: "nonsense"}, {OF_ORGANIZATION: "x" * 43}, {PERSONAL: ""}])
def test_without_a_valid_token_there_is_no_answer(top: dict[str, Any], headers: dict[str, str]) -> None:
    for method, path in (("GET", "/organizations"), ("GET", f"/organization/{top['id']}"), ("POST", "/trial")):
        body = Caller(headers).refused(method, path, 401)
        assert body["success"] is False and body["message"]


def test_revoked_and_expired_tokens_are_dead(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    me.ok("GET", "/organizations")
    AccessToken.objects.update(expires_at=timezone.now())
    me.refused("GET", "/organizations", 401)
    AccessToken.objects.update(expires_at=None, revoked_at=timezone.now())
    me.refused("GET", "/organizations", 401)


@pytest.mark.rule("ORGS-002")
@pytest.mark.parametrize("spelling", ["API-Token", "api-token", "Api-ToKEN"])
def test_header_names_have_no_case(top: dict[str, Any], spelling: str) -> None:
    secret = of_organization(top).headers[OF_ORGANIZATION]
    assert names(Caller({spelling: secret}).ok("GET", "/organizations")) == ["Oben"]


def test_the_personal_header_has_no_case_either(me: Caller, top: dict[str, Any]) -> None:
    assert names(Caller({"personal-access-TOKEN": me.headers[PERSONAL]}).ok("GET", "/organizations")) == ["Oben"]


@pytest.mark.rule("ORGS-003")
def test_an_organization_token_reaches_its_subtree_alone(me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    beside = me.make("Nebenan", parentID=top["id"])
    token = of_organization(middle)
    assert {token.get(one)["id"] for one in (middle, leaf)} == {middle["id"], leaf["id"]}
    for foreign in (top, beside):
        token.refused("GET", f"/organization/{foreign['id']}", 403)
        token.refused("PUT", "/organization", 403, {"id": foreign["id"], "name": "X"})
        token.refused("DELETE", f"/organization/{foreign['id']}", 403)
    assert names(token.ok("GET", "/organizations")) == ["Blatt", "Mitte"]


def test_an_organization_token_has_owner_rights_below(me: Caller, top: dict[str, Any]) -> None:
    token = of_organization(top)
    made = token.make("Unten", parentID=top["id"])
    assert made["ownerIDs"] == []
    assert token.put(made, description="neu")["description"] == "neu"
    token.ok("DELETE", f"/organization/{made['id']}")


@pytest.mark.rule("ORGS-004")
def test_what_only_a_person_can_do(top: dict[str, Any]) -> None:
    token = of_organization(top)
    for method, path in (
        ("GET", "/trial"), ("POST", "/trial"), ("GET", "/organizations/owner"),
        ("POST", f"/organization/{top['id']}/owner/invitation/{'x' * 43}/accept"),
    ):  # fmt: skip
        token.refused(method, path, 403)


PERSON_ONLY = {"AcceptOwnerInvitation", "GetOwnedOrganizations", "GetTrialStatus", "StartTrial"}


@pytest.mark.rule("ORGS-088")
@pytest.mark.parametrize("with_person", [True, False], ids=["personal", "organization"])
@pytest.mark.parametrize(("method", "path", "name"), operations())
def test_every_operation_takes_either_token(
    cast: Cast, me: Caller, top: dict[str, Any], method: str, path: str, name: str, with_person: bool
) -> None:
    caller = me if with_person else of_organization(top)
    path = path.format(organizationID=top["id"], userID=cast.owner.pk, invitationID="x" * 43)
    body = {"id": top["id"], "name": "Oben"} if method == "PUT" else {"parentID": top["id"]}
    status = caller.call(method, path, None if method in ("GET", "DELETE") else body).status
    if name in PERSON_ONLY and not with_person:
        assert status == 403
    else:
        assert status in (200, 201, 400, 404, 409, 415)  # understood: what is asked for decides, not the token


@pytest.mark.rule("ORGS-005")
def test_of_two_tokens_the_personal_one_decides(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    mine, stranger = of_organization(top), person(cast.stranger)
    both = Caller(stranger.headers | mine.headers)
    both.refused("GET", f"/organization/{top['id']}", 403)
    assert both.ok("GET", "/trial")["userID"] == cast.stranger.pk
    Caller({PERSONAL: "nonsense", **mine.headers}).refused("GET", "/organizations", 401)


def test_a_token_that_only_reads_does_not_write(cast: Cast, top: dict[str, Any]) -> None:
    reader = person(cast.owner, scopes=["read"])
    assert reader.get(top)["name"] == "Oben"
    reader.refused("PUT", "/organization", 403, {"id": top["id"], "name": "Neu"})
    assert reader.get(top)["name"] == "Oben"


@pytest.mark.rule("ORGS-006")
def test_every_refusal_is_json_in_the_dialect(me: Caller, top: dict[str, Any]) -> None:
    for method, path, status in (
        ("GET", "/organization/0", 400), ("GET", "/organization/999999", 404), ("GET", "/organizations/nirgends", 404),
        ("PATCH", f"/organization/{top['id']}", 405), ("GET", "/trial/mehr", 404),
        ("PUT", f"/organization/{top['id']}/owner/1", 405),
    ):  # fmt: skip
        answer = me.call(method, path)
        assert (answer.status, answer.body["success"]) == (status, False), path
        assert answer.body["message"]


@pytest.mark.rule("ORGS-007")
@pytest.mark.parametrize("raw", ["0", "-1", "abc", "1.5", "%2B1", "9" * 30, "١"])
def test_ids_are_positive_whole_numbers(me: Caller, top: dict[str, Any], raw: str) -> None:
    for path in (f"/organization/{raw}", f"/organization/{raw}/children", f"/organization/{top['id']}/owner/{raw}"):
        me.refused("GET", path, 400)


@pytest.mark.rule("ORGS-008")
def test_unknown_is_not_found_and_foreign_forbidden(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    foreign = person(cast.stranger).make("Fremd")
    me.refused("GET", "/organization/2147483646", 404)
    me.refused("GET", f"/organization/{2**40}", 404)
    me.refused("GET", f"/organization/{foreign['id']}", 403)


@pytest.mark.rule("ORGS-009")
def test_the_list_with_a_slash_is_the_same(me: Caller, top: dict[str, Any]) -> None:
    assert me.ok("GET", "/organizations/?all=true") == me.ok("GET", "/organizations") == [me.get(top)]


def test_more_requests_than_allowed_wait(me: Caller, settings: Any, broker: Any) -> None:
    settings.ORGS_RATE_LIMIT = 3
    for _time in range(3):
        me.ok("GET", "/organizations")
    answer = me.call("GET", "/organizations")
    assert answer.status == 429
    assert 1 <= int(answer["Retry-After"]) <= 60


# --- Creating and changing ------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-010", "ORGS-011")
@pytest.mark.parametrize("sent", [{}, {"id": 1}, {"id": 2**62}, {"id": None}])
def test_the_maker_owns_what_the_server_numbers(cast: Cast, me: Caller, sent: dict[str, Any]) -> None:
    answer = me.call("POST", "/organization", {"name": "Neu", **sent})
    assert answer.status == 201
    assert answer.body["id"] == Organization.objects.get(name="Neu").pk
    assert answer.body["ownerIDs"] == [cast.owner.pk]
    assert me.get(answer.body) == answer.body


@pytest.mark.rule("ORGS-012")
def test_owners_come_from_nowhere_else(cast: Cast, me: Caller) -> None:
    made = me.make("Neu", ownerIDs=[cast.stranger.pk])
    assert made["ownerIDs"] == [cast.owner.pk]
    assert me.put(made, ownerIDs=[cast.stranger.pk])["ownerIDs"] == [cast.owner.pk]


@pytest.mark.rule("ORGS-013")
@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "  \t "}, {"name": None}, {"name": 7}, {"name": "x" * 256}]
)
def test_a_name_is_needed(me: Caller, body: dict[str, Any]) -> None:
    assert "name" in me.refused("POST", "/organization", 400, body)["message"]
    assert not Organization.objects.filter(parent=None, tenant=None).exists()


@pytest.mark.parametrize("body", [[], "x", 7, None])
def test_a_body_is_an_object(me: Caller, body: Any) -> None:
    me.refused("POST", "/organization", 400, body)
    me.refused("PUT", "/organization", 400, body)


@pytest.mark.rule("ORGS-014")
def test_creating_below_needs_owner_rights(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    add_member(user=cast.guest, organization=Organization.objects.get(pk=top["id"]), role="staff", admin_perm=True)
    for user in (cast.guest, cast.stranger):
        person(user).refused("POST", "/organization", 403, {"name": "Unten", "parentID": top["id"]})
    assert me.ok("GET", f"/organization/{top['id']}/children")["totalChilds"] == 0


@pytest.mark.rule("ORGS-015")
def test_languages_are_well_formed(me: Caller) -> None:
    for tag in ("de", "en-GB"):
        assert me.make("X", language=tag)["language"] == tag
    for tag in ("en_GB", "d", "de-", "", "x" * 36, 7):
        assert "language" in me.refused("POST", "/organization", 400, {"name": "X", "language": tag})["message"]


@pytest.mark.rule("ORGS-016")
def test_zones_exist(me: Caller) -> None:
    assert me.make("X", timezone="Europe/Warsaw")["timezone"] == "Europe/Warsaw"
    for zone in ("Europe/Bonn", "../etc/passwd", "localtime", ""):
        assert "timezone" in me.refused("POST", "/organization", 400, {"name": "X", "timezone": zone})["message"]


@pytest.mark.rule("ORGS-017")
def test_defaults_come_from_the_parent(me: Caller) -> None:
    top = me.make("Oben")
    british = me.make("Unten", parentID=top["id"], language="en-GB", timezone="Europe/London")
    below = me.make("Ganz unten", parentID=british["id"])
    assert (top["language"], top["timezone"]) == ("de", "Europe/Berlin")
    assert (below["language"], below["timezone"]) == ("en-GB", "Europe/London")


@pytest.mark.rule("ORGS-018")
def test_what_only_answers_hold_is_passed_over(me: Caller, top: dict[str, Any]) -> None:
    counts = {"countAvailable": 9, "countInEvent": 9, "countNotAvailable": 9}
    sent = {
        "availableUsers": counts, "availableUsersTotal": "x", "avatarURL": "https://boese.example/", "creationDate": "1999",
        "hasChildren": True, "state": "inactive", "trialEndDate": 7,
    }  # fmt: skip
    assert me.put(top, **sent) == top
    made = me.make("Neu", **sent)
    assert made.items() >= {"avatarURL": "", "hasChildren": False, "state": "active", "trialEndDate": None}.items()


@pytest.mark.rule("ORGS-019")
def test_sending_back_what_was_read_changes_nothing(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"], location={"address": "Köln", "latitude": 50.9, "longitude": 6.9})
    for one in (top, below):
        read = me.get(one)
        version = Organization.objects.get(pk=one["id"]).row_version
        assert me.ok("PUT", "/organization", read) == read
        assert Organization.objects.get(pk=one["id"]).row_version == version


@pytest.mark.rule("ORGS-019")
def test_who_sees_no_parent_sends_it_back_all_the_same(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    add_member(user=cast.guest, organization=Organization.objects.get(pk=below["id"]), role="owner")
    guest = person(cast.guest)
    read = guest.get(below)
    assert read["parentID"] == top["id"]
    assert guest.ok("PUT", "/organization", read) == read


@pytest.mark.rule("ORGS-020")
def test_what_is_left_out_stays(me: Caller) -> None:
    made = me.make("X", description="Text", dataRetentionPeriod=12, language="pl", location={"address": "Köln"})
    assert me.put(made, name="Y") == me.get(made)
    assert me.get(made) == {**made, "name": "Y"}


@pytest.mark.rule("ORGS-021")
def test_an_update_names_its_organization(me: Caller, top: dict[str, Any]) -> None:
    assert "id" in me.refused("PUT", "/organization", 400, {"name": "Neu"})["message"]
    me.refused("PUT", "/organization", 400, {"id": "x", "name": "Neu"})
    me.refused("PUT", "/organization", 404, {"id": 2**40, "name": "Neu"})
    assert me.get(top)["name"] == "Oben"


@pytest.mark.rule("ORGS-022")
def test_owners_and_administrators_change_and_members_do_not(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    node = Organization.objects.get(pk=top["id"])
    add_member(user=cast.guest, organization=node, role="staff", admin_perm=True)
    add_member(user=cast.renter, organization=node, role="staff")
    assert person(cast.guest).put(top, description="1")["description"] == "1"
    person(cast.renter).refused("PUT", "/organization", 403, {"id": top["id"], "name": "Neu"})
    below = me.make("Unten", parentID=top["id"])
    assert me.put(below, description="von oben")["description"] == "von oben"


@pytest.mark.rule("ORGS-023")
def test_tags_are_the_platforms(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    assert me.put(top, tags=["meins"])["tags"] == []
    assert me.make("X", tags=["meins"])["tags"] == []
    operator = person(cast.operator)
    assert operator.put(top, tags=["intern"])["tags"] == ["intern"]
    assert me.put(top, tags=[])["tags"] == ["intern"]


@pytest.mark.rule("ORGS-024")
def test_nothing_is_an_empty_text(me: Caller, top: dict[str, Any]) -> None:
    assert (top["avatarURL"], top["description"]) == ("", "")
    me.refused("PUT", "/organization", 400, {"id": top["id"], "name": "X", "description": None})
    assert me.put(top, description="")["description"] == ""


@pytest.mark.rule("ORGS-082")
def test_an_update_stores_all_that_it_names(me: Caller, top: dict[str, Any]) -> None:
    other = me.make("Anderswo")
    wanted = {
        "name": "Neu", "description": "Text\nZeile", "language": "fr", "timezone": "Europe/Paris",
        "dataRetentionPeriod": 24, "enforcesTwoFactorAuth": False, "parentID": other["id"],
        "location": {"address": "Paris", "latitude": 48.85, "longitude": 2.35},
    }  # fmt: skip
    answer = me.put(top, **wanted)
    assert answer.items() >= wanted.items()
    assert me.get(top) == answer


@pytest.mark.parametrize("months", [-1, 1201, 1.5, "12", True])
def test_months_of_retention_are_bounded(me: Caller, top: dict[str, Any], months: Any) -> None:
    values = {"id": top["id"], "name": "X", "dataRetentionPeriod": months}
    assert "dataRetentionPeriod" in me.refused("PUT", "/organization", 400, values)["message"]
    assert me.get(top)["dataRetentionPeriod"] == 0


@pytest.mark.rule("ORGS-087")
def test_every_organization_has_every_property(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    everything = {
        "availableUsers", "availableUsersTotal", "avatarURL", "creationDate", "dataRetentionPeriod", "description",
        "enforcesTwoFactorAuth", "hasChildren", "id", "language", "location", "name", "ownerIDs", "state", "tags",
        "timezone", "trialEndDate",
    }  # fmt: skip
    children = me.ok("GET", f"/organization/{top['id']}/children")
    paged = me.ok("GET", "/organizations/paginated")["organizations"]
    listed = me.ok("GET", "/organizations")
    for one in (top, *children["path"], *paged):
        assert one.keys() == everything
    for one in (below, *children["childs"]):
        assert one.keys() == everything | {"parentID"}
    assert {one["id"] for one in listed} == {top["id"], below["id"]}
    assert me.put(top, description="neu")["creationDate"] == top["creationDate"]


@pytest.mark.rule("ORGS-089")
def test_a_body_above_one_mebibyte_is_too_large(me: Caller, top: dict[str, Any]) -> None:
    values = {"id": top["id"], "name": "Neu", "x": "y" * 1024 * 1024}
    me.refused("PUT", "/organization", 413, values)
    me.refused("POST", "/organization", 413, values)
    assert me.get(top)["name"] == "Oben"


# --- Hierarchy ------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-025", "ORGS-028", "ORGS-085")
def test_children_are_direct_ones_and_paged(me: Caller, top: dict[str, Any]) -> None:
    made = [me.make(name, parentID=top["id"]) for name in ("a", "b", "c")]
    me.make("Enkel", parentID=made[0]["id"])
    path = f"/organization/{top['id']}/children"
    assert names(me.ok("GET", path)["childs"]) == ["a", "b", "c"]
    page = me.ok("GET", f"{path}?limit=1&offset=1")
    assert (names(page["childs"]), page["totalChilds"]) == (["b"], 3)
    assert names(me.ok("GET", f"{path}?offset=2")["childs"]) == ["c"]
    assert me.ok("GET", f"{path}?limit=500&offset=9")["childs"] == []
    for query in ("limit=0", "limit=501", "offset=-1", "limit=x", "offset=1.5", "limit="):
        me.refused("GET", f"{path}?{query}", 400)


@pytest.mark.rule("ORGS-026")
def test_the_path_runs_from_the_top_to_the_organization(me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    assert names(me.ok("GET", f"/organization/{leaf['id']}/children")["path"]) == ["Oben", "Mitte", "Blatt"]
    assert names(me.ok("GET", f"/organization/{top['id']}/children")["path"]) == ["Oben"]


@pytest.mark.rule("ORGS-027")
def test_the_path_leaves_out_what_one_does_not_see(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    leaf = me.make("Blatt", parentID=middle["id"])
    for one in (top, leaf):
        add_member(user=cast.renter, organization=Organization.objects.get(pk=one["id"]), role="staff")
    assert names(person(cast.renter).ok("GET", f"/organization/{leaf['id']}/children")["path"]) == ["Oben", "Blatt"]


@pytest.mark.rule("ORGS-029")
def test_children_are_ordered_by_name_without_case(me: Caller, top: dict[str, Any]) -> None:
    made = [me.make(name, parentID=top["id"]) for name in ("b", "A", "a", "B", "C")]
    found = me.ok("GET", f"/organization/{top['id']}/children")["childs"]
    assert [one["id"] for one in found] == [made[n]["id"] for n in (1, 2, 0, 3, 4)]


@pytest.mark.rule("ORGS-030")
def test_having_children_begins_and_ends_with_them(me: Caller, top: dict[str, Any]) -> None:
    other = me.make("Anderswo")
    below = me.make("Unten", parentID=top["id"])
    assert me.get(top)["hasChildren"] is True
    me.put(below, parentID=other["id"])
    assert (me.get(top)["hasChildren"], me.get(other)["hasChildren"]) == (False, True)
    me.ok("DELETE", f"/organization/{below['id']}")
    assert me.get(other)["hasChildren"] is False


@pytest.mark.rule("ORGS-031")
def test_nothing_lies_below_itself(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    for parent in (top, below):
        values = {"id": top["id"], "name": "Neu", "parentID": parent["id"]}
        me.refused("PUT", "/organization", 409, values)
    assert me.get(top) == {**top, "hasChildren": True, "availableUsersTotal": me.get(top)["availableUsersTotal"]}
    assert names(me.ok("GET", f"/organization/{below['id']}/children")["path"]) == ["Oben", "Unten"]


@pytest.mark.rule("ORGS-033")
def test_moving_needs_owner_rights_on_both_sides(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    foreign = person(cast.stranger).make("Fremd")
    node = Organization.objects.get(pk=foreign["id"])
    add_member(user=cast.owner, organization=node, role="staff", admin_perm=True)
    me.refused("PUT", "/organization", 403, {"id": top["id"], "name": "X", "parentID": foreign["id"]})
    me.refused("PUT", "/organization", 403, {"id": foreign["id"], "name": "X", "parentID": top["id"]})
    Membership.objects.filter(user=cast.owner, organization=node).update(role="owner")
    assert me.put(top, parentID=foreign["id"])["parentID"] == foreign["id"]


@pytest.mark.rule("ORGS-034")
def test_parent_zero_is_the_top_level(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    assert me.put(below)["parentID"] == top["id"]
    assert "parentID" not in me.put(below, parentID=0)
    assert "parentID" not in me.get(below)
    assert "parentID" not in me.make("Auch oben", parentID=0)


def test_an_unknown_parent_is_not_found(me: Caller, top: dict[str, Any]) -> None:
    me.refused("POST", "/organization", 404, {"name": "X", "parentID": 2**40})
    me.refused("PUT", "/organization", 404, {"id": top["id"], "name": "X", "parentID": 2**40})
    assert "parentID" not in me.get(top)


@pytest.mark.rule("ORGS-035")
def test_what_has_children_stays(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    me.refused("DELETE", f"/organization/{top['id']}", 409)
    assert me.get(below)["parentID"] == top["id"]


@pytest.mark.rule("ORGS-083")
def test_a_deleted_organization_is_gone_everywhere(me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    me.ok("DELETE", f"/organization/{below['id']}")
    me.refused("GET", f"/organization/{below['id']}", 404)
    assert names(me.ok("GET", "/organizations")) == ["Oben"]
    assert me.ok("GET", f"/organization/{top['id']}/children")["totalChilds"] == 0
    assert names(me.ok("GET", "/organizations/paginated")["organizations"]) == ["Oben"]


@pytest.mark.rule("ORGS-037")
def test_deleting_keeps_every_account(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    before = User.objects.count()
    me.ok("PUT", f"/organization/{top['id']}/quick-actions", [{"name": "X", "resource": "tag", "resource_id": 1}])
    me.ok("PUT", f"/organization/{top['id']}/location", {"address": "Köln"})
    me.ok("POST", f"/organization/{top['id']}/owner/invitation", {"email": cast.renter.email})
    me.ok("DELETE", f"/organization/{top['id']}")
    assert User.objects.count() == before
    for part in ("quick-actions", "owner/invitation", "history/availability"):
        me.refused("GET", f"/organization/{top['id']}/{part}", 404)
    node = Organization(pk=top["id"])
    assert not any(
        getattr(node, name).exists()
        for name in ("quick_actions", "owner_invitations", "availability_samples", "memberships")
    )


@pytest.mark.rule("ORGS-054", "ORGS-053")
def test_members_without_a_second_factor_stay_outside(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    free = me.make("Frei")
    assert me.put(top, enforcesTwoFactorAuth=True)["enforcesTwoFactorAuth"] is True
    for one in (top, below):
        assert me.refused("GET", f"/organization/{one['id']}", 403)["error"] == "second_factor_required"
    assert names(me.ok("GET", "/organizations")) == ["Frei"]
    me.get(free)
    SecondFactor.objects.create(user=cast.owner, secret="A" * 32, name="totp", confirmed_at=timezone.now())
    assert (me.get(top)["enforcesTwoFactorAuth"], me.get(below)["enforcesTwoFactorAuth"]) == (True, False)


# --- Lists ----------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-073")
def test_the_list_is_what_one_works_in(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    me.make("Unten", parentID=top["id"])
    person(cast.stranger).make("Fremd")
    assert names(me.ok("GET", "/organizations")) == ["Oben", "Unten"]
    for who in ("renter", "guest", "foreigner"):  # residents and guests are no members here
        assert person(getattr(cast, who)).ok("GET", "/organizations") == []
    assert names(person(cast.staff).ok("GET", "/organizations")) == ["Brandt & Keller"]


@pytest.mark.rule("ORGS-074")
def test_top_level_organizations_come_ten_at_a_time(me: Caller) -> None:
    made = [me.make(f"N{n:02}") for n in range(12)]
    me.make("Unten", parentID=made[0]["id"])
    page = me.ok("GET", "/organizations/paginated")
    assert (names(page["organizations"]), page["totalOrganizations"]) == ([f"N{n:02}" for n in range(10)], 12)
    assert names(me.ok("GET", "/organizations/paginated?limit=5&offset=10")["organizations"]) == ["N10", "N11"]
    for query in ("limit=0", "limit=51", "offset=-1", "all=vielleicht"):
        me.refused("GET", f"/organizations/paginated?{query}", 400)


@pytest.mark.rule("ORGS-075")
def test_the_highest_that_one_sees_is_top_level(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    middle = me.make("Mitte", parentID=top["id"])
    me.make("Blatt", parentID=middle["id"])
    add_member(user=cast.renter, organization=Organization.objects.get(pk=middle["id"]), role="owner")
    page = person(cast.renter).ok("GET", "/organizations/paginated")
    assert (names(page["organizations"]), page["totalOrganizations"]) == (["Mitte"], 1)


@pytest.mark.rule("ORGS-076")
def test_all_switches_paging_off(me: Caller) -> None:
    for n in range(12):
        me.make(f"N{n:02}")
    page = me.ok("GET", "/organizations/paginated?all=true&limit=2&offset=5")
    assert len(page["organizations"]) == page["totalOrganizations"] == 12


def test_owned_organizations_are_the_direct_ones(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    Membership.objects.filter(user=cast.owner, organization=below["id"]).update(role="staff")
    assert names(me.ok("GET", "/organizations/owner")) == ["Oben"]


@pytest.mark.parametrize("path", ["/organizations", "/organizations/paginated", "/organization/{id}/children"])
def test_lists_cost_the_same_for_one_and_three(me: Caller, top: dict[str, Any], path: str) -> None:
    path = path.format(**top)
    me.make("A", parentID=top["id"]), me.make("A2")
    one = me.cost(path)
    for name in ("B", "C"):
        me.make(name, parentID=top["id"]), me.make(f"{name}2")
    assert me.cost(path) == one


def test_a_company_that_is_closed_is_gone(cast: Cast) -> None:
    admin = person(cast.admin)
    admin.get(cast.tenant.pk)
    token = of_organization(cast.tenant)
    Organization.objects.filter(pk=cast.tenant.pk).update(closed_at=timezone.now())
    person(cast.operator).refused("GET", f"/organization/{cast.tenant.pk}", 404)
    admin.refused("GET", f"/organization/{cast.tenant.pk}", 404)
    token.refused("GET", "/organizations", 401)


@pytest.mark.rule("ORGS-036")
def test_data_of_a_tenant_keep_an_organization(cast: Cast) -> None:
    admin = person(cast.admin)
    branch = admin.make("Zweig", parentID=cast.tenant.pk)
    cast.house_b.organization = Organization.objects.get(pk=branch["id"])
    cast.house_b.save(update_fields=["organization"])
    admin.refused("DELETE", f"/organization/{branch['id']}", 409)
    cast.house_b.organization = cast.tenant
    cast.house_b.save(update_fields=["organization"])
    admin.ok("DELETE", f"/organization/{branch['id']}")
    admin.refused("DELETE", f"/organization/{cast.tenant.pk}", 409)
    assert OrganizationSettings.objects.filter(organization=cast.tenant).exists()


def test_deactivated_members_lose_access_at_once(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    add_member(user=cast.renter, organization=Organization.objects.get(pk=top["id"]), role="staff")
    renter = person(cast.renter)
    renter.get(top)
    moment = timezone.now() - datetime.timedelta(seconds=1)
    Membership.objects.filter(user=cast.renter, organization=top["id"]).update(deactivated_at=moment)
    renter.refused("GET", f"/organization/{top['id']}", 403)
