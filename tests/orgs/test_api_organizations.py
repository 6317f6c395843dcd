"""Organizations over HTTP: creating and changing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orgs.models import Organization
from orgs.services.tenants import add_member
from tests.orgs.door import Caller, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


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


@pytest.mark.rule("ORGS-063")
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
