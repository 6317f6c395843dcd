"""An outage is told as one, at every door: what it is and when to come back. A mistake of ours is not."""

from __future__ import annotations

import errno
from typing import Any

import psycopg
import pytest
import redis
from botocore.exceptions import ClientError, EndpointConnectionError
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client, RequestFactory
from django.utils import timezone

from core import scope
from core.disk import TempObject
from core.models import JobRun, Upload
from core.outages import outage_of, server_error
from core.problems import problem_of
from core.services import jobs, throttle
from docms.models import Document
from tests.cast import Cast
from tests.docms.door import signed_in as called_by
from tests.factories import folder
from tests.portal.pages import create_upload, signed_in


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


def answered(status: int) -> ClientError:
    return ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")  # type: ignore[typeddict-item]


OUTAGES = [
    (raised(OperationalError("gone"), psycopg.OperationalError("server closed the connection")), 503),
    (raised(OperationalError("stopped"), psycopg.errors.AdminShutdown("terminating")), 503),
    (raised(OperationalError("deadlock"), psycopg.errors.DeadlockDetected("deadlock")), 503),
    (raised(OperationalError("full"), psycopg.errors.DiskFull("No space left on device")), 507),
    (InterfaceError("the connection is closed"), 503),
    (redis.ConnectionError("refused"), 503),
    (EndpointConnectionError(endpoint_url="http://s3"), 503),
    (answered(500), 503),
    (answered(507), 507),
    (OSError(errno.ENOSPC, "No space left on device"), 507),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), 507),
    (raised(RuntimeError("while storing"), OSError(errno.ENOSPC, "No space left on device")), 507),
]
MISTAKES = [
    raised(ProgrammingError("typo"), psycopg.errors.UndefinedColumn("no such column")),
    FileNotFoundError(errno.ENOENT, "No such file"),
    answered(403),
    ValueError("nonsense"),
]


@pytest.mark.parametrize(("error", "status"), OUTAGES, ids=lambda value: repr(value)[:40])
def test_an_outage_says_what_it_is_and_when_to_come_back(error: Exception, status: int) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert problem.retry_after > 0


@pytest.mark.parametrize("error", MISTAKES, ids=lambda value: repr(value)[:40])
def test_a_mistake_of_ours_is_none(error: Exception) -> None:
    assert outage_of(error) is None
    assert problem_of(error).status == 500


@pytest.mark.parametrize(("error", "status"), [(OUTAGES[0][0], 503), (OUTAGES[3][0], 507), (ValueError("x"), 500)])
def test_a_page_says_the_same(rf: RequestFactory, error: Exception, status: int) -> None:
    try:
        raise error
    except Exception:
        response = server_error(rf.get("/app/"))
    assert response.status_code == status
    assert str(status) in response.content.decode()
    assert ("Retry-After" in response.headers) == (status != 500)


def no_room(self: TempObject, chunk: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_in_the_dialect_and_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    where = folder(cast)
    caller = called_by(cast.admin, cast.tenant)
    with monkeypatch.context() as patch:
        patch.setattr(TempObject, "write", no_room)
        answer = caller.call("POST", "/files", {"folder_id": where.pk, "filename": "a.txt", "file_data": "YWJj"})
    assert answer.status == 507
    assert int(answer["Retry-After"]) > 0
    assert not Document.objects.exists()
    assert caller.upload(where.pk)["file_id"]


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_keeps_a_resumable_upload_where_it_stood(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(cast.admin)
    url = create_upload(client, cast.tenant.pk, "a.txt", 3)["Location"]
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}

    def send() -> Any:
        return client.patch(url, b"abc", headers=headers, content_type="application/offset+octet-stream")

    with monkeypatch.context() as patch:
        patch.setattr(TempObject, "write", no_room)
        answer = send()
    assert answer.status_code == 507
    assert int(answer["Retry-After"]) > 0
    assert answer["Tus-Resumable"] == "1.0.0"
    assert Upload.objects.get().received == 0
    assert send().status_code == 204


def test_a_page_of_a_database_that_is_gone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.admin, backend="orgs.auth.SessionBackend")

    def gone(*args: Any, **kwargs: Any) -> Any:
        raise OUTAGES[0][0]

    with monkeypatch.context() as patch:
        patch.setattr("orgs.session.SessionStore.load", gone)
        response = client.get("/app/profile")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


# --- What a killed process or a wrong clock leaves --------------------------------------------------------


@pytest.mark.django_db
def test_a_run_whose_worker_was_killed_is_ended_by_the_next() -> None:
    killed = JobRun.objects.create(name="t.work", started_at=timezone.now())
    other = JobRun.objects.create(name="t.other", started_at=timezone.now())
    jobs.run("t.work", lambda: {"done": 1})
    killed.refresh_from_db()
    assert killed.ended_at
    assert killed.error == jobs.KILLED
    other.refresh_from_db()
    assert other.ended_at is None


def test_a_block_that_begins_in_the_future_does_not_hold(cast: Cast) -> None:
    counter = throttle.Counter("t", "renter")
    with scope.unit_of_work(door="test"):
        for _failure in range(6):
            throttle.fail(counter)
        assert throttle.remaining(counter) == 8
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_throttle SET last_failure_at = last_failure_at + interval '2 hours', "
                "blocked_until = blocked_until + interval '2 hours' WHERE scope = 't'"
            )
        assert throttle.remaining(counter) == 0
        throttle.fail(counter)
        assert throttle.remaining(counter) == 16
