"""What this house knows better about its connections: moments, and whether one still works."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from core.database import base
from core.models import JobRun

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often the server was asked whether it is there."""
    found: list[None] = []
    whole = base.base.DatabaseWrapper.is_usable

    def counted(self: Any) -> bool:
        found.append(None)
        return bool(whole(self))

    monkeypatch.setattr(base.base.DatabaseWrapper, "is_usable", counted)
    return found


@pytest.fixture
def between_requests(settings: Any) -> Iterator[None]:
    """The connection has served a request, and another one begins."""
    connection.settings_dict["CONN_MAX_AGE"], before = 60, connection.settings_dict["CONN_MAX_AGE"]
    connection.close()
    for _request in range(2):
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    close_old_connections()
    yield
    connection.settings_dict["CONN_MAX_AGE"] = before
    connection.close()


def test_a_moment_is_read_as_django_would() -> None:
    now = timezone.now()
    JobRun.objects.create(name="moment", started_at=now)
    found = JobRun.objects.get(name="moment").started_at
    assert (found, found.utcoffset()) == (now, datetime.timedelta())


@pytest.mark.usefixtures("between_requests")
def test_a_connection_that_was_used_just_now_is_not_asked(asked: list[None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert asked == []


@pytest.mark.usefixtures("between_requests")
def test_one_that_has_rested_is_asked(asked: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "RESTED", 0.0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert len(asked) == 1


@pytest.mark.usefixtures("between_requests")
def test_one_that_the_server_has_ended_is_replaced() -> None:
    raw = connection.connection
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])
    other.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert connection.connection is not raw
