"""Parts of an organization over HTTP: availability, picture, place, quick actions; and one's own trial."""

from __future__ import annotations

import datetime
import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from celery.schedules import crontab
from django.db.models import F
from django.test import Client
from django.utils import timezone
from PIL import Image

from orgs.models import AvailabilitySample, Engagement, Membership, Organization, Trial
from orgs.services import availability
from orgs.services.tenants import add_member
from tests.orgs.door import Caller, of_organization, person

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def counts(free: int = 0, busy: int = 0, away: int = 0) -> dict[str, int]:
    return {"countAvailable": free, "countInEvent": busy, "countNotAvailable": away}


def at(organization: dict[str, Any], part: str) -> str:
    return f"/organization/{organization['id']}/{part}"


def staffed(cast: Cast, organization: dict[str, Any], *who: str, **values: Any) -> None:
    """These people work there."""
    for name in who:
        node = Organization.objects.get(pk=organization["id"])
        add_member(user=getattr(cast, name), organization=node, role="staff", **values)


# --- Availability ---------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-055")
def test_the_root_alone_and_all_below(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])
    staffed(cast, me.make("Ganz unten", parentID=below["id"]), "renter")
    staffed(cast, top, "guest", is_available=False)
    found = me.ok("GET", at(top, "availability"))
    assert found == {"countInRoot": counts(1, 0, 1), "countTotal": counts(2, 0, 1)}


@pytest.mark.rule("ORGS-056")
def test_a_person_counts_once_in_the_total(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    below = me.make("Unten", parentID=top["id"])

    def total() -> Any:
        return me.ok("GET", at(top, "availability"))["countTotal"]

    Membership.objects.filter(user=cast.owner, organization=top["id"]).update(is_available=False)
    assert total() == counts(1)  # available somewhere comes before not available
    availability.begin_engagement(
        user=cast.owner, organization=Organization.objects.get(pk=below["id"]), source=Engagement.Source.MANUAL
    )
    assert total() == counts(0, 1)  # on assignment comes before both


@pytest.mark.rule("ORGS-057")
def test_on_assignment_is_in_neither_other_number(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    node = Organization.objects.get(pk=top["id"])
    availability.begin_engagement(user=cast.owner, organization=node, source=Engagement.Source.WORK_ORDER, source_id=3)
    assert me.ok("GET", at(top, "availability")) == {"countInRoot": counts(0, 1), "countTotal": counts(0, 1)}
    availability.end_engagement(user=cast.owner, source=Engagement.Source.WORK_ORDER, source_id=3)
    assert me.ok("GET", at(top, "availability")) == {"countInRoot": counts(1), "countTotal": counts(1)}


@pytest.mark.rule("ORGS-058")
def test_an_organization_shows_the_same_counts(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    staffed(cast, me.make("Unten", parentID=top["id"]), "renter", is_available=False)
    present = me.ok("GET", at(top, "availability"))
    shown = me.get(top)
    assert (shown["availableUsers"], shown["availableUsersTotal"]) == (present["countInRoot"], present["countTotal"])
    assert present["countInRoot"] != present["countTotal"]


def test_owners_above_a_tenant_see_its_numbers(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    Organization.objects.filter(pk=cast.tenant.pk).update(parent=top["id"], ancestors=[top["id"]])
    assert me.ok("GET", at(top, "availability"))["countTotal"] == counts(3)  # with administrator and clerk
    assert of_organization(top).ok("GET", at(top, "availability"))["countTotal"] == counts(3)


def test_the_root_of_many_is_counted_in_few_statements(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    one = me.cost(at(top, "availability"))
    for name in "abc":
        staffed(cast, me.make(name, parentID=top["id"]), "renter")
    assert me.cost(at(top, "availability")) == one


def sampled(organization: dict[str, Any], **ago: float) -> datetime.datetime:
    """A sample of so long ago, with other numbers for root and total."""
    moment = timezone.now() - datetime.timedelta(**ago)
    AvailabilitySample.objects.create(
        organization_id=organization["id"], sampled_at=moment, root_available=1, root_in_event=2, root_not_available=3,
        total_available=4, total_in_event=5, total_not_available=6,
    )  # fmt: skip
    return moment


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.rule("ORGS-059")
def test_history_covers_fourteen_days(me: Caller, top: dict[str, Any]) -> None:
    sampled(top, days=14, seconds=30)
    inside = sampled(top, days=13, hours=23, minutes=59)
    sampled(me.make("Nebenan"), hours=1)
    found = me.ok("GET", at(top, "history/availability"))
    start, end = moment(found["start_date"]), moment(found["end_date"])
    assert end - start == datetime.timedelta(days=14)
    assert abs(end - timezone.now()) < datetime.timedelta(minutes=1)
    assert [moment(one["date"]) for one in found["entries"]] == [inside]
    assert found["entries"][0].items() >= {"countInRoot": counts(1, 2, 3), "countTotal": counts(4, 5, 6)}.items()


@pytest.mark.rule("ORGS-060")
def test_a_sample_is_taken_every_hour(top: dict[str, Any], settings: Any) -> None:
    job = settings.CELERY_BEAT_SCHEDULE["orgs.sample_availability"]
    assert (job["task"], job["schedule"]) == ("orgs.sample_availability", crontab(minute=0))
    taken = AvailabilitySample.objects.filter(organization=top["id"])
    availability.sample()
    taken.update(sampled_at=F("sampled_at") - datetime.timedelta(hours=1))
    availability.sample()
    availability.sample()  # the same hour again
    later, earlier = taken.order_by("-sampled_at").values_list("sampled_at", flat=True)
    assert later - earlier == datetime.timedelta(hours=1)


@pytest.mark.rule("ORGS-060", "ORGS-085")
def test_history_is_newest_first_and_paged(me: Caller, top: dict[str, Any]) -> None:
    availability.sample()
    made = [sampled(top, hours=n) for n in (3, 1, 2)]
    path = at(top, "history/availability")
    dates = [moment(one["date"]) for one in me.ok("GET", path)["entries"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 4
    page = me.ok("GET", f"{path}?limit=2&offset=2")
    assert [moment(one["date"]) for one in page["entries"]] == sorted([made[0], made[2]], reverse=True)
    assert moment(page["end_date"]) - moment(page["start_date"]) == datetime.timedelta(days=14)
    for query in ("limit=0", "limit=501", "offset=-1"):
        me.refused("GET", f"{path}?{query}", 400)


@pytest.mark.rule("ORGS-061")
def test_the_daily_run_deletes_old_samples(me: Caller, top: dict[str, Any], settings: Any) -> None:
    job = settings.CELERY_BEAT_SCHEDULE["orgs.trim_availability"]
    assert (job["task"], job["schedule"]) == ("orgs.trim_availability", crontab(hour=2, minute=53))
    sampled(top, days=14, seconds=30)
    kept = sampled(top, days=13)
    availability.trim_samples()
    assert list(AvailabilitySample.objects.values_list("sampled_at", flat=True)) == [kept]


# --- Picture --------------------------------------------------------------------------------------------


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8), color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind)
    return out.getvalue()


def put_picture(caller: Caller, organization: dict[str, Any], content: bytes, mime: str, status: int = 200) -> None:
    answer = caller.call("PUT", at(organization, "avatar"), data=content, content_type=mime)
    assert answer.status == status, answer.raw


def shown(url: str) -> tuple[int, bytes]:
    """What a browser gets that knows the address alone."""
    response = Client().get(url.partition("://")[2].partition("/")[2].join(["/", ""]))
    return response.status_code, b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]


@pytest.mark.rule("ORGS-086")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_address_leads_to_the_stored_picture(me: Caller, top: dict[str, Any], kind: str) -> None:
    first, second = picture(kind), picture(kind, color="blue")
    put_picture(me, top, first, f"image/{kind.lower()}")
    url = me.get(top)["avatarURL"]
    assert url.startswith("http")
    assert shown(url) == (200, first)
    put_picture(me, top, second, "application/octet-stream")
    assert shown(me.get(top)["avatarURL"]) == (200, second)
    assert shown(url)[0] == 404  # the former one is nobody's any more


@pytest.mark.rule("ORGS-066")
@pytest.mark.parametrize("extra", [{}, {"data": b"", "content_type": "image/png"}, {"data": b"", "content_type": ""}])
def test_an_empty_request_removes_the_picture(me: Caller, top: dict[str, Any], extra: dict[str, Any]) -> None:
    assert me.call("PUT", at(top, "avatar"), **extra).status == 200  # none was set
    put_picture(me, top, picture(), "image/png")
    assert me.get(top)["avatarURL"]
    assert me.call("PUT", at(top, "avatar"), **extra).status == 200
    assert me.get(top)["avatarURL"] == ""


@pytest.mark.rule("ORGS-067")
def test_a_picture_is_judged_by_its_bytes(me: Caller, top: dict[str, Any]) -> None:
    put_picture(me, top, picture(), "application/json")
    before = me.get(top)["avatarURL"]
    for content in (b"nur Text", b"<html><script>alert(1)</script>", b"%PDF-1.4\n%%EOF", b"<svg xmlns='x'/>"):
        put_picture(me, top, content, "image/png", 415)
    assert me.get(top)["avatarURL"] == before


def test_a_picture_above_five_mebibytes_is_too_large(me: Caller, top: dict[str, Any]) -> None:
    put_picture(me, top, picture() + b"\0" * (5 * 1024 * 1024), "image/png", 413)
    assert me.get(top)["avatarURL"] == ""


def test_a_bomb_is_no_picture(me: Caller, top: dict[str, Any]) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 4_000_000)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    put_picture(me, top, bomb, "image/png", 415)
    assert me.get(top)["avatarURL"] == ""


def test_only_who_may_change_sets_a_picture(cast: Cast, me: Caller, top: dict[str, Any]) -> None:
    staffed(cast, top, "renter")
    for user in (cast.renter, cast.stranger):
        put_picture(person(user), top, picture(), "image/png", 403)
    assert me.get(top)["avatarURL"] == ""


# --- Place ----------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-068")
def test_a_location_is_replaced_and_cleared(me: Caller, top: dict[str, Any]) -> None:
    assert top["location"] is None
    me.ok("PUT", at(top, "location"), {"address": "Köln", "latitude": 50.94, "longitude": -6.96})
    assert me.get(top)["location"] == {"address": "Köln", "latitude": 50.94, "longitude": -6.96}
    me.ok("PUT", at(top, "location"), {"latitude": 0, "longitude": 0})
    assert me.get(top)["location"] == {"latitude": 0, "longitude": 0}
    me.ok("PUT", at(top, "location"), {"address": "Bonn"})
    assert me.get(top)["location"] == {"address": "Bonn"}
    me.ok("DELETE", at(top, "location"))
    assert me.get(top)["location"] is None
    me.ok("DELETE", at(top, "location"))


@pytest.mark.rule("ORGS-069")
@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"latitude": 1}, {"longitude": 1}, {"latitude": 90.1, "longitude": 1}, {"latitude": 1, "longitude": -181},
        {"latitude": "1", "longitude": 1}, {"latitude": None, "longitude": None}, {"address": "x" * 501}, {"address": 7}, [],
        {"latitude": True, "longitude": 1}, {"unbekannt": 1},
    ],
)  # fmt: skip
def test_wrong_locations_are_refused(me: Caller, top: dict[str, Any], wrong: Any) -> None:
    me.ok("PUT", at(top, "location"), {"address": "Köln"})
    me.refused("PUT", at(top, "location"), 400, wrong)
    me.refused("PUT", "/organization", 400, {"id": top["id"], "name": "X", "location": wrong})
    assert me.get(top)["location"] == {"address": "Köln"}


# --- Quick actions --------------------------------------------------------------------------------------


def button(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "resource": "ticket-type", "resource_id": 7, **values}


def buttons(caller: Caller, organization: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.ok("GET", at(organization, "quick-actions"))
    return found


@pytest.mark.rule("ORGS-070")
def test_quick_actions_are_what_was_sent(me: Caller, top: dict[str, Any]) -> None:
    assert buttons(me, top) == []
    me.ok("PUT", at(top, "quick-actions"), [button("B", color="red", icon="bolt", one_click=True), button("A")])
    found = buttons(me, top)
    assert [one["name"] for one in found] == ["B", "A"]
    assert found[0] == {
        **button("B", color="red", icon="bolt", one_click=True), "id": found[0]["id"], "organization_id": top["id"],
    }  # fmt: skip
    me.ok("PUT", at(top, "quick-actions"), [])
    assert buttons(me, top) == []


@pytest.mark.rule("ORGS-071")
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "x" * 101}, {"resource": None}, {"resource_id": "7"}, {"one_click": "ja"}, {"color": "x" * 33},
        {"icon": 7}, {"id": -1},
    ],
)  # fmt: skip
def test_one_wrong_element_changes_nothing(me: Caller, top: dict[str, Any], wrong: dict[str, Any]) -> None:
    me.ok("PUT", at(top, "quick-actions"), [button("A")])
    before = buttons(me, top)
    me.refused("PUT", at(top, "quick-actions"), 400, [button("B"), button("C") | wrong])
    assert buttons(me, top) == before


@pytest.mark.parametrize("body", [{}, "x", None, [7], [[]], [button(str(n)) for n in range(1000)]])
def test_quick_actions_are_a_list_of_at_most_fifty(me: Caller, top: dict[str, Any], body: Any) -> None:
    me.refused("PUT", at(top, "quick-actions"), 400, body)
    assert buttons(me, top) == []


@pytest.mark.rule("ORGS-072")
def test_an_element_keeps_its_id_and_no_foreign_one(me: Caller, top: dict[str, Any]) -> None:
    other = me.make("Anderswo")
    me.ok("PUT", at(top, "quick-actions"), [button("A"), button("B")])
    me.ok("PUT", at(other, "quick-actions"), [button("X")])
    mine, foreign = buttons(me, top), buttons(me, other)[0]
    me.ok("PUT", at(top, "quick-actions"), [{**mine[1], "name": "B2"}, button("Neu")])
    after = buttons(me, top)
    assert [one["name"] for one in after] == ["B2", "Neu"]
    assert after[0]["id"] == mine[1]["id"]
    for wrong in ({"id": foreign["id"]}, {"organization_id": other["id"]}):
        me.refused("PUT", at(top, "quick-actions"), 400, [button("C") | wrong])
    assert buttons(me, top) == after
    assert buttons(me, other) == [foreign]


# --- Trial ----------------------------------------------------------------------------------------------


@pytest.mark.rule("ORGS-078")
def test_reading_starts_no_trial(cast: Cast, me: Caller) -> None:
    for _time in range(2):
        assert me.ok("GET", "/trial") == {"active": False, "start": None, "userID": cast.owner.pk}
    assert not Trial.objects.exists()


@pytest.mark.rule("ORGS-077")
def test_a_trial_is_active_for_fourteen_days(cast: Cast, me: Caller) -> None:
    started = me.ok("POST", "/trial")
    assert (started["active"], started["userID"]) == (True, cast.owner.pk)
    assert abs(moment(started["start"]) - timezone.now()) < datetime.timedelta(minutes=1)
    assert me.ok("GET", "/trial") == started
    start = timezone.now() - datetime.timedelta(days=14)
    Trial.objects.update(started_at=start)
    later = me.ok("GET", "/trial")
    assert (later["active"], moment(later["start"])) == (False, start)


@pytest.mark.rule("ORGS-079")
def test_there_is_one_trial_ever(cast: Cast, me: Caller) -> None:
    me.ok("POST", "/trial")
    me.refused("POST", "/trial", 409)
    Trial.objects.update(started_at=timezone.now() - datetime.timedelta(days=400))
    me.refused("POST", "/trial", 409)
    person(cast.renter).ok("POST", "/trial")


@pytest.mark.rule("ORGS-080")
def test_what_is_made_during_a_trial_is_on_trial(me: Caller, top: dict[str, Any]) -> None:
    start = moment(me.ok("POST", "/trial")["start"])
    made = me.make("Probe")
    assert made["state"] == "trial"
    assert moment(made["trialEndDate"]) == start + datetime.timedelta(days=14)
    assert (me.get(top)["state"], me.get(top)["trialEndDate"]) == ("active", None)


@pytest.mark.rule("ORGS-081")
def test_after_an_unbooked_trial_quick_actions_are_refused(me: Caller) -> None:
    me.ok("POST", "/trial")
    made = me.make("Probe")
    me.ok("PUT", at(made, "quick-actions"), [button("A")])
    Organization.objects.filter(pk=made["id"]).update(trial_ends_at=timezone.now())
    assert me.get(made)["state"] == "inactive"
    me.refused("GET", at(made, "quick-actions"), 403)
    me.refused("PUT", at(made, "quick-actions"), 403, [])
    Organization.objects.filter(pk=made["id"]).update(booked_at=timezone.now())
    assert me.get(made)["state"] == "active"
    assert [one["name"] for one in buttons(me, made)] == ["A"]
