"""The background jobs of the contract: all of its tasks are registered under its names and run as often as it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings

from config.celery import app

# The table "Background jobs" of docms.md: task, and how often it runs; None where only an event starts it.
TABLE: dict[str, timedelta | None] = {
    "docms.send_mail": None,
    "docms.notify_upload": None,
    "docms.release_documents": timedelta(minutes=5),
    "docms.send_sms": None,
    "docms.delete_by_folder_date": timedelta(hours=1),
    "docms.delete_after_first_access": timedelta(hours=1),
    "docms.delete_big_files": timedelta(minutes=15),
    "docms.delete_after_download": timedelta(minutes=5),
    "docms.remove_content": timedelta(days=1),
    "docms.update_folder_paths": timedelta(days=1),  # the contract names the event alone; the change does it itself
    "docms.index_document": None,
    "docms.scan_document": None,
    "docms.purge_tokens": timedelta(minutes=10),
    "docms.purge_links": timedelta(hours=1),
    "docms.expire_shares": timedelta(hours=1),
    "docms.apply_deactivations": timedelta(minutes=10),
    "docms.check_license": timedelta(days=1),
    "docms.check_update": timedelta(days=1),
    "docms.start_update": timedelta(minutes=1),
    "docms.trim_logs": timedelta(days=1),
}
# What the table does not know: jobs that catch up on what an event did not start.
BESIDE = {"docms.catch_up_index"}


def registered() -> set[str]:
    """The tasks that workers know."""
    app.loader.import_default_modules()
    return {
        name
        for name in app.tasks
        if name.split(".")[0] in ("core", "orgs", "messaging", "docms", "tickets", "processes")
    }


def every(schedule: Any) -> timedelta:
    """How long it is from one run to the next."""
    if not isinstance(schedule, crontab):
        return timedelta(seconds=float(schedule))
    assert len(schedule.day_of_week) == 7
    hours, minutes = len(schedule.hour), len(schedule.minute)
    return timedelta(days=1) / (hours * minutes)


def planned() -> dict[str, timedelta]:
    """Task → how often."""
    return {entry["task"]: every(entry["schedule"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_the_tasks_of_the_contract_are_registered_under_its_names() -> None:
    assert {name for name in registered() if name.startswith("docms.")} == TABLE.keys() | BESIDE


@pytest.mark.parametrize("name", TABLE)
def test_a_task_runs_as_often_as_the_contract_says(name: str) -> None:
    assert planned().get(name) == TABLE[name]


def test_what_is_planned_is_registered_once_under_its_own_name() -> None:
    assert planned().keys() <= registered()
    assert all(key == entry["task"] for key, entry in settings.CELERY_BEAT_SCHEDULE.items())
    assert len(planned()) == len(settings.CELERY_BEAT_SCHEDULE)
