"""The organizations door: who is let in, with which token, and how it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from orgs.models import AccessToken
from tests.orgs.door import OF_ORGANIZATION, PERSONAL, Caller, of_organization, operations, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


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
