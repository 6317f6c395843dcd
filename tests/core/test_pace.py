"""Jobs step back while the web works for somebody, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from core.models import JobRun
from core.services import batches, pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause would have been."""
    found: list[float] = []
    monkeypatch.setattr(pace.time, "sleep", found.append)
    return found


@pytest.fixture
def session() -> Iterator[psycopg.Connection]:
    """One of the web's: its last statement is just over."""
    told = connection.get_connection_params()
    with psycopg.connect(
        host=told.get("host"), port=told.get("port"), user=told.get("user"), password=told.get("password"),
        dbname=told["dbname"], application_name=pace.WEB, autocommit=True,
    ) as line:  # fmt: skip
        line.execute("SELECT 1")
        yield line


def test_nobody_is_there(pauses: list[float]) -> None:
    its = pace.Pace()
    its.give_way(0.5)
    assert pauses == []
    assert its.size(500) == 500


@pytest.mark.usefixtures("session")
def test_who_works_for_somebody_is_given_nineteen_times_as_long(pauses: list[float]) -> None:
    its = pace.Pace()
    its.give_way(0.1)
    assert pauses == [pytest.approx(1.9)]


@pytest.mark.usefixtures("session", "pauses")
def test_what_comes_between_pauses_is_short() -> None:
    assert pace.Pace().size(500) == 100


def test_a_session_that_has_long_been_silent_is_nobody(
    session: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BUSY", 0.0)
    assert not pace.somebody_waits()
    with session.transaction():
        session.execute("SELECT 1")
        assert pace.somebody_waits()  # in the middle of something


def test_another_program_is_nobody_who_waits(session: psycopg.Connection) -> None:
    session.execute("SET application_name = 'psql'")
    assert not pace.somebody_waits()


@pytest.mark.usefixtures("session")
def test_patience_ends(pauses: list[float]) -> None:
    its = pace.Pace()
    for _batch in range(100):
        its.give_way(1.0)
    assert max(pauses) == pace.LONGEST
    assert sum(pauses) == pytest.approx(pace.PATIENCE)
    assert its.size(500) == 500


@pytest.mark.usefixtures("session")
def test_a_job_pauses_outside_of_its_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [JobRun.objects.create(name="one of three", started_at=timezone.now()).pk for _row in range(3)]
    seen: list[bool] = []
    monkeypatch.setattr(pace.time, "sleep", lambda _seconds: seen.append(connection.in_atomic_block))

    def due(last: int) -> QuerySet[JobRun]:
        return JobRun.objects.filter(pk__gt=last, pk__in=ids)

    counts = batches.go_through(JobRun, job="test", due=due, work=len, batch=10, pace=pace.Pace())
    assert counts == {"done": 3, "failed": 0}
    assert seen == [False, False]
