"""The scheduler goes on when the clock is set back."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from celery import Celery
from celery.beat import PersistentScheduler
from django.conf import settings

from config.celery import app
from config.scheduler import SteadyScheduler

HOUR = datetime.timedelta(hours=1)


class Sent(list[str]):
    """Names of the jobs that were sent."""

    def take(self, entry: object, producer: object = None) -> None:
        self.append(entry.name)  # type: ignore[attr-defined]


def due_after_setting_back(kind: type[PersistentScheduler], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent within half a minute after the clock went back by two hours."""
    now = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    small = Celery("clock", broker=settings.CELERY_BROKER_URL, set_as_current=False)
    small.conf.beat_schedule = {"sweep": {"task": "messaging.sweep", "schedule": 20.0}}
    small.conf.result_expires = None  # no job of Celery's own
    for each in (small, app):  # jobs that were kept on disk ask the application of the process
        monkeypatch.setattr(each, "now", lambda: now)
    scheduler, sent = kind(small, schedule_filename=str(folder / "schedule")), Sent()
    monkeypatch.setattr(scheduler, "apply_entry", sent.take)
    try:
        now += HOUR
        for _tick in range(3):
            scheduler.tick()
        assert sent == ["sweep"]
        sent.clear()
        now -= 2 * HOUR
        for _second in range(30):
            now += datetime.timedelta(seconds=1)
            scheduler.tick()
        return sent
    finally:
        scheduler.close()


def test_it_goes_on_when_the_clock_is_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert due_after_setting_back(SteadyScheduler, tmp_path, monkeypatch) == ["sweep"]


def test_the_one_of_celery_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day this fails, ours can go."""
    assert due_after_setting_back(PersistentScheduler, tmp_path, monkeypatch) == []


def test_it_is_the_one_in_use() -> None:
    assert app.conf.beat_scheduler == "config.scheduler:SteadyScheduler"
