"""The moment before which an organization keeps nothing that is over."""

from __future__ import annotations

import datetime

import pytest

from orgs.services.retention import cut_off

UTC = datetime.UTC


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.rule("ORGS-064")
@pytest.mark.parametrize(
    ("today", "months", "day"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2026-05-31", 1, "2026-04-30"),
        ("2026-03-01", 1, "2026-02-01"),
        ("2026-01-15", 13, "2024-12-15"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2028-02-29", 48, "2024-02-29"),
        ("2026-11-26", 1200, "1926-11-26"),
    ],
)
def test_months_are_those_of_the_calendar_and_end_with_the_month(today: str, months: int, day: str) -> None:
    found = cut_off(at(f"{today}T12:00+00:00"), months=months, timezone="UTC")
    assert found == at(f"{day}T00:00+00:00")


@pytest.mark.rule("ORGS-064")
@pytest.mark.parametrize(
    ("zone", "now", "begins"),
    [
        # Half past eleven at night in UTC: tomorrow in Berlin, already the 1st in Auckland, still today in New York.
        ("Europe/Berlin", "2026-03-30T22:30+00:00", "2026-02-28T00:00+01:00"),
        ("Pacific/Auckland", "2026-03-31T12:30+00:00", "2026-03-01T00:00+13:00"),
        ("America/New_York", "2026-04-01T03:30+00:00", "2026-02-28T00:00-05:00"),
        ("UTC", "2026-04-01T03:30+00:00", "2026-03-01T00:00+00:00"),
        # A day that had no midnight begins at one o'clock.
        ("America/Asuncion", "2024-11-06T12:00+00:00", "2024-10-06T00:00-04:00"),
    ],
)
def test_the_day_is_that_of_the_organization(zone: str, now: str, begins: str) -> None:
    # In UTC: Python calls no moment equal to a midnight that the clock left out.
    assert cut_off(at(now), months=1, timezone=zone).astimezone(UTC) == at(begins)


@pytest.mark.rule("ORGS-065")
def test_a_day_has_one_cut_off_however_late_it_is() -> None:
    day = [datetime.datetime(2026, 3, 31, hour, 59, tzinfo=UTC) for hour in range(22)]
    assert len({cut_off(now, months=1, timezone="Europe/Berlin") for now in day}) == 1
