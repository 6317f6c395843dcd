"""Entries of logs go after the period of their kind, but for what a legal hold covers."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as installed
from django.utils import timezone

from core.models import JobRun, SystemLog
from core.services import rows
from docms import tasks
from docms.models import DocumentHold, DocumentLog
from docms.services import documents, trimming
from orgs.models import Hold, SignInLog
from tests.factories import folder, publish

if TYPE_CHECKING:
    from tests.cast import Cast

DAY = datetime.timedelta(days=1)
KINDS = [(DocumentLog, "DOCUMENT_LOG_DAYS"), (SignInLog, "SIGN_IN_LOG_DAYS"), (SystemLog, "SYSTEM_LOG_DAYS")]
NOTHING = {"documentlog": 0, "signinlog": 0, "systemlog": 0}


@pytest.fixture(autouse=True)
def _empty(cast: Cast) -> None:
    for table, _name in KINDS:
        table.objects.all().delete()


def entry(cast: Cast, table: Any, days: float, who: str = "renter", **values: Any) -> Any:
    """One that somebody left so many days ago."""
    base: dict[Any, dict[str, Any]] = {
        DocumentLog: {"document_id": 987654, "action": "read"},
        SignInLog: {"type": "login", "door": "web"},
        SystemLog: {"category": "backend", "action": "GET /"},
    }
    made = table.objects.create(user=getattr(cast, who), tenant=cast.tenant, **base[table] | values)
    table.objects.filter(pk=made.pk).update(created_at=timezone.now() - days * DAY)
    return made


def hold(cast: Cast, **on: Any) -> Hold:
    return Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin, **on)


@pytest.mark.parametrize(("table", "name"), KINDS)
def test_entries_go_after_the_period_of_their_kind(cast: Cast, settings: Any, table: Any, name: str) -> None:
    setattr(settings, name, 10)
    entry(cast, table, 10.01)
    young = entry(cast, table, 9.99)
    others = [(other, entry(cast, other, 11)) for other, _name in KINDS if other is not table]
    assert trimming.trim_logs() == NOTHING | {table._meta.model_name: 1}
    assert list(table.objects.all()) == [young]
    for other, kept in others:
        assert other.objects.get() == kept
    assert trimming.trim_logs() == NOTHING


@pytest.mark.parametrize(("table", "name"), KINDS)
def test_without_a_period_entries_stay(cast: Cast, settings: Any, table: Any, name: str) -> None:
    entry(cast, table, 20000)
    for endless in (0, 10**17):
        setattr(settings, name, endless)
        assert trimming.trim_logs() == NOTHING
    setattr(settings, name, 19999)
    assert trimming.trim_logs() == NOTHING | {table._meta.model_name: 1}


@pytest.mark.parametrize(("table", "name"), KINDS)
def test_what_a_held_person_did_stays_until_the_release(cast: Cast, settings: Any, table: Any, name: str) -> None:
    setattr(settings, name, 10)
    kept = entry(cast, table, 11, "renter")
    entry(cast, table, 11, "owner")
    held = hold(cast, contact=cast.contact("renter"))
    assert trimming.trim_logs() == NOTHING | {table._meta.model_name: 1}
    assert table.objects.get() == kept
    rows.change(held, {"released_at": timezone.now()})
    assert trimming.trim_logs() == NOTHING | {table._meta.model_name: 1}


@pytest.mark.parametrize("anchor", ["document", "unit"])
def test_the_log_of_a_held_document_stays(cast: Cast, settings: Any, anchor: str) -> None:
    settings.DOCUMENT_LOG_DAYS = 10
    unit = cast.occupancy("renter").unit
    papers = [publish(cast, folder(cast, "Wohnung", unit=unit)), publish(cast, folder(cast, "Frei"))]
    DocumentLog.objects.all().delete()
    kept, _free = (entry(cast, DocumentLog, 11, "staff", document_id=paper.pk) for paper in papers)
    held = hold(cast, **({"unit": unit} if anchor == "unit" else {}))
    if anchor == "document":
        DocumentHold.objects.create(tenant=cast.tenant, hold=held, document=papers[0])
    assert trimming.trim_logs()["documentlog"] == 1
    assert DocumentLog.objects.get() == kept


def test_the_log_of_a_document_outlives_it_until_its_period_is_over(cast: Cast, settings: Any) -> None:
    settings.DOCUMENT_LOG_DAYS = 10
    paper = publish(cast, folder(cast))
    documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert trimming.trim_logs()["documentlog"] == 0
    assert DocumentLog.objects.filter(document_id=paper.pk).count() == 2
    DocumentLog.objects.update(created_at=timezone.now() - 11 * DAY)
    assert trimming.trim_logs()["documentlog"] == 2


def test_batches_pass_what_is_held_and_stop_where_entries_are_young(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trimming, "BATCH", 2)
    settings.SYSTEM_LOG_DAYS = 10
    for days in (14, 14, 13, 12, 11):
        entry(cast, SystemLog, days, "renter" if days == 14 else "owner")
    for _ in range(3):
        entry(cast, SystemLog, 1)
    hold(cast, contact=cast.contact("renter"))
    seen: list[int] = []
    plain = trimming._held
    monkeypatch.setattr(trimming, "_held", lambda entries: seen.append(len(entries)) or plain(entries))
    assert trimming.trim_logs()["systemlog"] == 3
    assert SystemLog.objects.count() == 5
    assert [n for n in seen if n] == [2, 2, 1]


def test_it_runs_daily_under_its_name(cast: Cast) -> None:
    entry(cast, SystemLog, 91)
    [planned] = [e for e in installed.CELERY_BEAT_SCHEDULE.values() if e["task"] == tasks.trim_logs.name]
    assert (len(planned["schedule"].hour), len(planned["schedule"].minute)) == (1, 1)
    tasks.trim_logs()
    run = JobRun.objects.get(name="docms.trim_logs")
    assert (run.counts, run.error) == (NOTHING | {"systemlog": 1}, "")
