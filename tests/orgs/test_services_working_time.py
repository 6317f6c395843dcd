"""The time in which a company works."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from core.errors import Invalid
from orgs.models import Organization, OrganizationSettings
from orgs.services.working_time import WorkingTime, check_business_hours, check_region

OFFICE = {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
HOUR = datetime.timedelta(hours=1)


def clock(**values: Any) -> WorkingTime:
    return WorkingTime(Organization(timezone="Europe/Berlin"), OrganizationSettings(**values))


def at(text: str) -> datetime.datetime:
    """A moment of UTC."""
    return datetime.datetime.fromisoformat(f"{text}+00:00")


def test_who_says_nothing_works_around_the_clock() -> None:
    assert clock().after(at("2026-03-28T23:00"), 24 * HOUR) == at("2026-03-29T23:00")
    assert clock().between(at("2026-03-28T23:00"), at("2026-03-29T23:00")) == 24 * HOUR


@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        ("2026-11-25T09:00", 1, "2026-11-25T10:00"),  # Wednesday, 10 to 11 in Berlin
        ("2026-11-25T10:30", 1, "2026-11-25T12:30"),  # over noon
        ("2026-11-25T05:00", 1, "2026-11-25T08:00"),  # before the office opens
        ("2026-11-27T15:30", 1, "2026-11-30T07:30"),  # over the weekend
        ("2026-11-25T07:00", 8, "2026-11-25T16:00"),  # to the last minute of the day
        ("2026-10-23T14:00", 2, "2026-10-26T08:00"),  # over the end of summer time
    ],
)
def test_hours_run_while_the_office_is_open(begin: str, hours: int, end: str) -> None:
    assert clock(business_hours=OFFICE).after(at(begin), hours * HOUR) == at(end)


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        ("2026-11-25T10:00", "2026-11-25T13:00", 2),
        ("2026-11-27T15:00", "2026-11-30T08:00", 2),
        ("2026-11-28T08:00", "2026-11-29T08:00", 0),
        ("2026-11-25T13:00", "2026-11-25T10:00", 0),
    ],
)
def test_what_lies_between_two_moments(begin: str, end: str, hours: int) -> None:
    assert clock(business_hours=OFFICE).between(at(begin), at(end)) == hours * HOUR


def test_what_is_added_is_what_lies_between() -> None:
    time = clock(business_hours=OFFICE, holiday_region="DE-HE")
    for hours in (0.5, 3, 8, 20, 200):
        begin = at("2026-12-22T11:17")
        assert time.between(begin, time.after(begin, hours * HOUR)) == hours * HOUR


def test_public_holidays_of_the_region_and_days_of_the_company_are_off() -> None:
    corpus_christi = at("2026-06-03T14:00")  # Wednesday; Thursday is one in Hesse, not in Hamburg
    assert clock(business_hours=OFFICE, holiday_region="DE-HE").after(corpus_christi, 2 * HOUR) == at(
        "2026-06-05T07:00"
    )
    assert clock(business_hours=OFFICE, holiday_region="DE-HH").after(corpus_christi, 2 * HOUR) == at(
        "2026-06-04T07:00"
    )
    off = [datetime.date(2026, 6, 4)]
    assert clock(business_hours=OFFICE, extra_holidays=off).after(corpus_christi, 2 * HOUR) == at("2026-06-05T07:00")


def test_holidays_stop_a_clock_that_runs_day_and_night() -> None:
    assert clock(holiday_region="DE").after(at("2026-12-24T22:00"), 2 * HOUR) == at("2026-12-27T00:00")


def test_an_office_that_never_opens_long_enough_promises_hours_of_the_clock() -> None:
    once = {"mon": [["08:00", "08:01"]]}
    assert clock(business_hours=once).after(at("2026-11-25T09:00"), 100 * HOUR) == at("2026-11-29T13:00")


def test_a_day_may_end_at_midnight() -> None:
    late = {"wed": [["20:00", "24:00"]]}
    assert clock(business_hours=late).between(at("2026-11-25T00:00"), at("2026-11-27T00:00")) == 4 * HOUR


@pytest.mark.parametrize(
    "value",
    [
        [], "mon", {"mo": []}, {"mon": [["08:00"]]}, {"mon": [["8:00", "12:00"]]}, {"mon": [["12:00", "08:00"]]},
        {"mon": [["08:00", "08:00"]]}, {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]}, {"mon": [["08:60", "12:00"]]},
        {"mon": [["24:01", "24:02"]]}, {"mon": [[8, 12]]}, {"mon": 8 * [None]}, {"mon": [["٠٨:00", "12:00"]]},
    ],
)  # fmt: skip
def test_what_are_no_business_hours_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        check_business_hours(value)


def test_business_hours_are_kept_in_the_order_of_the_week() -> None:
    assert check_business_hours({"fri": [["08:00", "12:00"]], "mon": [["13:00", "24:00"]], "sun": []}) == {
        "mon": [["13:00", "24:00"]],
        "fri": [["08:00", "12:00"]],
    }


@pytest.mark.parametrize("region", ["XX", "DE-XX", "Hessen"])
def test_a_region_whose_holidays_nobody_knows_is_refused(region: str) -> None:
    assert check_region("DE-HE") == "DE-HE"
    with pytest.raises(Invalid):
        check_region(region)
