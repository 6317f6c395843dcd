"""A tenancy ends with the last minute of its last day in the company's zone, also on days of 23 and of 25 hours."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from orgs.models import Organization
from orgs.services import occupancies
from tests.docms.door import signed_in as called_by
from tests.portal.pages import house_folder, paper, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from docms.models import Document
    from tests.cast import Cast
    from tests.docms.door import Caller

pytestmark = pytest.mark.django_db

HOUR = 3_600
DOORS = ("start page", "page", "download", "API", "API download", "API list", "API search")
# Zone, last day, hours of that day. Two ways round on both halves of the globe, and at midnight itself.
DAYS = [
    ("Europe/Berlin", "2026-10-25", 25),
    ("Europe/Berlin", "2027-03-28", 23),
    ("Europe/Berlin", "2026-10-26", 24),
    ("America/New_York", "2026-11-01", 25),
    ("America/New_York", "2027-03-14", 23),
    ("Pacific/Auckland", "2027-04-04", 25),
    ("Pacific/Auckland", "2026-09-27", 23),
    ("America/Santiago", "2026-09-06", 23),  # has no midnight: the day begins at 01:00
    ("Asia/Kolkata", "2026-10-25", 24),
]


class Clock:
    """A time of day that stands still."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What `timezone.now()` says from here on."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def ends(cast: Cast, zone: str, day: str) -> tuple[Document, datetime.datetime]:
    """The renter's tenancy ends with a day; a paper the renter reads, and the first moment of the day after."""
    Organization.objects.filter(pk=cast.tenant.pk).update(timezone=zone)
    cast.tenant.refresh_from_db()
    last = datetime.date.fromisoformat(day)
    with scope.unit_of_work(door="test"):
        occupancies.end(occupancy=cast.occupancy("renter"), last=last)
    document = paper(cast, house_folder(cast, "Versammlungen " + zone.replace("/", " ")), title="Einladung")
    after = last + datetime.timedelta(days=1)
    return document, datetime.datetime.combine(after, datetime.time(), zoneinfo.ZoneInfo(zone))


def seen(cast: Cast, who: str, document: Document) -> dict[str, bool]:
    """Through which doors this person sees the paper, signed in anew."""
    user = getattr(cast, who)
    client: Client = signed_in(user)
    caller: Caller = called_by(user, cast.tenant)

    def web(path: str) -> bool:
        response = client.get(path, follow=True)
        response.getvalue()
        return response.status_code == 200

    def listed(path: str, **body: Any) -> bool:
        answer = caller.call("POST" if body else "GET", path, body or None)
        return answer.status == 200 and str(document.pk) in answer.raw.decode()

    asked: dict[str, Callable[[], bool]] = {
        "start page": lambda: web(f"/app/c/{cast.house_a.pk}/"),
        "page": lambda: web(f"/app/documents/{document.pk}"),
        "download": lambda: web(f"/app/documents/{document.pk}/download"),
        "API": lambda: caller.call("GET", f"/files/{document.pk}").status == 200,
        "API download": lambda: caller.call("GET", f"/files/{document.pk}/download").status == 200,
        "API list": lambda: listed("/files"),
        "API search": lambda: listed("/files/search", search="Einladung"),
    }
    return {door: ask() for door, ask in asked.items()}


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
def test_access_ends_with_the_last_minute_of_the_day_there(
    cast: Cast, clock: Clock, zone: str, day: str, hours: int
) -> None:
    document, midnight = ends(cast, zone, day)
    begin = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(), zoneinfo.ZoneInfo(zone))
    end = midnight.astimezone(datetime.UTC)
    assert (end - begin.astimezone(datetime.UTC)).total_seconds() == hours * HOUR

    clock.now = end - datetime.timedelta(minutes=1)
    assert f"{clock.now.astimezone(zoneinfo.ZoneInfo(zone)):%Y-%m-%d %H:%M}" == f"{day} 23:59"
    assert seen(cast, "renter", document) == dict.fromkeys(DOORS, True)
    clock.now = end
    assert seen(cast, "renter", document) == dict.fromkeys(DOORS, False)
    assert seen(cast, "owner", document) == dict.fromkeys(DOORS, True)  # the paper itself is still there


def test_both_hours_that_are_called_two_belong_to_the_day(cast: Cast, clock: Clock) -> None:
    document, _midnight = ends(cast, "Europe/Berlin", "2026-10-25")
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    for fold in (0, 1):
        clock.now = datetime.datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=berlin).astimezone(datetime.UTC)
        assert seen(cast, "renter", document) == dict.fromkeys(DOORS, True)


def test_a_day_ends_where_the_company_is_not_where_the_installation_is(cast: Cast, clock: Clock) -> None:
    """At midnight in Berlin it is evening in New York: the tenancy there still holds."""
    document, midnight = ends(cast, "America/New_York", "2026-10-25")
    berlin = datetime.datetime(2026, 10, 26, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).astimezone(datetime.UTC)
    assert berlin < midnight
    clock.now = berlin
    assert seen(cast, "renter", document) == dict.fromkeys(DOORS, True)
    document, midnight = ends(cast, "Pacific/Auckland", "2026-10-25")
    assert midnight < berlin
    assert seen(cast, "renter", document) == dict.fromkeys(DOORS, False)


def test_a_mail_after_midnight_goes_to_those_who_are_left(cast: Cast, clock: Clock) -> None:
    from docms.services import notify

    document, midnight = ends(cast, "Europe/Berlin", "2027-03-28")
    document.refresh_from_db()
    clock.now = midnight.astimezone(datetime.UTC) - datetime.timedelta(minutes=1)
    assert cast.renter.pk in notify.readers(document)
    clock.now = midnight.astimezone(datetime.UTC)
    assert cast.renter.pk not in notify.readers(document)
    assert cast.owner.pk in notify.readers(document)
