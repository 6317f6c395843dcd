"""Jobs that fail again and again: their runs are kept, and the system log hears of it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core import tasks
from core.models import JobRun, SystemLog
from core.services import jobs, sweeps

if TYPE_CHECKING:
    from core.services.jobs import Counts

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime.datetime]:
    """What `timezone.now` says: the last of these."""
    moments = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: moments[-1])
    return moments


def broken() -> Counts:
    raise OSError("the disk is gone")


def nightly(clock: list[datetime.datetime], times: int) -> None:
    """The daily run, as many days in a row; whether it fails is what `sweep_objects` does."""
    for _day in range(times):
        clock.append(clock[-1] + DAY)
        try:
            tasks.remove_content()
        except OSError:
            clock[-1] += datetime.timedelta(seconds=1)


def told() -> list[str]:
    return list(SystemLog.objects.filter(category="docms.remove_content").values_list("action", flat=True))


def test_seven_failures_of_the_daily_removal_go_to_the_system_log(
    clock: list[datetime.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "sweep_objects", broken)
    nightly(clock, 6)
    assert told() == []
    nightly(clock, 1)
    assert told() == ["7 failures in a row"]
    entry = SystemLog.objects.get()
    assert entry.stacktrace.count("the disk is gone") == 7
    nightly(clock, 6)
    assert len(told()) == 1
    nightly(clock, 1)
    assert len(told()) == 2


def test_a_run_that_goes_well_begins_the_count_anew(
    clock: list[datetime.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sweeps, "sweep_objects", broken)
        nightly(clock, 6)
    nightly(clock, 1)
    monkeypatch.setattr(sweeps, "sweep_objects", broken)
    nightly(clock, 6)
    assert told() == []
    nightly(clock, 1)
    assert len(told()) == 1


def test_runs_that_were_killed_count_as_failures(
    clock: list[datetime.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "sweep_objects", broken)
    nightly(clock, 6)
    clock.append(clock[-1] + DAY)
    JobRun.objects.create(name=sweeps.TASK, started_at=clock[-1])  # and its worker died
    clock.append(clock[-1] + DAY)
    monkeypatch.setattr(sweeps, "sweep_objects", dict)
    tasks.remove_content()
    assert told() == ["7 failures in a row"]


def test_other_jobs_fail_without_an_entry(clock: list[datetime.datetime]) -> None:
    for _day in range(8):
        clock.append(clock[-1] + DAY)
        with pytest.raises(OSError, match="disk"):
            jobs.run("test.job", broken)
    assert not SystemLog.objects.exists()


def test_the_newest_runs_are_kept_and_older_ones_go(clock: list[datetime.datetime]) -> None:
    for _day in range(10):
        clock.append(clock[-1] + DAY + datetime.timedelta(seconds=1))
        jobs.run("test.job", dict)
    assert JobRun.objects.count() == jobs.KEPT_RUNS
