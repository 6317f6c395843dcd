"""Updates over HTTP, with a real updater beside the house."""

from __future__ import annotations

import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import JobRun, SystemLog
from core.services import rows
from docms import tasks
from orgs.models import InstallationSettings, Membership
from tests.docms.door import Caller, signed_in, soon
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast

pytestmark = pytest.mark.django_db

RELEASE = {"version": "99.1.0", "channel": "stable", "release_date": "2026-05-01", "changelog": "Überall schneller\n✓"}


class Updater:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps(RELEASE).encode()
        self.asked: list[tuple[str, str, Any, dict[str, str]]] = []
        updater = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                updater.asked.append((self.command, self.path, body, dict(self.headers)))
                self.send_response(updater.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                if updater.status != 204:
                    self.wfile.write(updater.body)

            do_GET = do_POST = answer  # noqa: N815 - the names of the standard library

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/quartier?channel=stable"

    def installs(self) -> list[Any]:
        """What it was asked to install."""
        return [body for method, _path, body, _headers in self.asked if method == "POST"]


@pytest.fixture
def updater(settings: Any) -> Iterator[Updater]:
    """An updater that the installation knows."""
    made = Updater()
    settings.UPDATER_URL = made.url
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, as a member of Brandt & Keller."""
    rows.create(
        Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff", admin_perm=True
    )
    return signed_in(cast.operator, cast.tenant)


def row() -> InstallationSettings:
    return InstallationSettings.objects.get()


def due(caller: Caller) -> None:
    """An update is known, and its moment has come."""
    caller.ok("POST", "/updates/check")
    caller.ok("POST", "/updates/install", {"install_date": soon(hours=1)})
    InstallationSettings.objects.update(update_install_at=timezone.now())


# --- Who may, and what is known --------------------------------------------------------------------------------


def test_updates_are_the_operators(admin: Caller, renter: Caller, updater: Updater) -> None:
    for caller in (admin, renter):
        caller.refused("GET", "/updates", 403)
        caller.refused("POST", "/updates/check", 403)
        caller.refused("POST", "/updates/install", 403, {"install_date": None})
    assert updater.asked == []


@pytest.mark.rule("DOCMS-178")
def test_the_newest_known_version_is_shown_beside_the_installed_one(
    operator: Caller, updater: Updater, settings: Any
) -> None:
    assert operator.ok("GET", "/updates") == {"installed": {"version": settings.VERSION}, "available": None}
    assert updater.asked == []  # reading asks nobody
    operator.ok("POST", "/updates/check")
    assert operator.ok("GET", "/updates") == {"installed": {"version": settings.VERSION}, "available": RELEASE}
    assert [(method, path) for method, path, _body, _headers in updater.asked] == [("GET", "/quartier?channel=stable")]


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "v0.1.0"])
def test_a_version_that_is_not_newer_is_none(operator: Caller, updater: Updater, settings: Any, version: str) -> None:
    settings.VERSION = "0.1.0"
    updater.body = json.dumps({**RELEASE, "version": version}).encode()
    operator.ok("POST", "/updates/check")
    assert operator.ok("GET", "/updates")["available"] is None
    settings.VERSION = "0.0.8"
    assert operator.ok("GET", "/updates")["available"]["version"] == version


def test_the_tenth_version_is_newer_than_the_ninth(operator: Caller, updater: Updater, settings: Any) -> None:
    settings.VERSION = "1.9.3"
    updater.body = json.dumps({**RELEASE, "version": "1.10.0-beta.1"}).encode()
    operator.ok("POST", "/updates/check")
    assert operator.ok("GET", "/updates")["available"]["version"] == "1.10.0-beta.1"


@pytest.mark.rule("DOCMS-178")
@pytest.mark.parametrize("status", [200, 202, 204, 400, 401, 404, 418, 500, 503])
def test_the_status_of_the_updater_is_passed_on(operator: Caller, updater: Updater, status: int) -> None:
    updater.status = status
    answer = operator.client.post("/docms/api/v1/updates/check", headers={"Authorization": f"Bearer {operator.token}"})
    assert answer.status_code == status
    assert (answer.content == b"") is (status < 400)
    if status >= 400:
        assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", b"[]", b"{}", b'{"version": 1}', b'"x"', json.dumps({**RELEASE, "version": " "}).encode(),
        json.dumps({**RELEASE, "changelog": "x" * 200_001}).encode(), json.dumps({**RELEASE, "channel": "a\x00"}).encode(),
        b" " * 1_100_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_none_leaves_the_old_result(operator: Caller, updater: Updater, body: bytes) -> None:
    operator.ok("POST", "/updates/check")
    updater.body = body
    assert "200" in operator.refused("POST", "/updates/check", 502)["message"]  # what really happened
    assert operator.ok("GET", "/updates")["available"] == RELEASE


def test_a_failing_updater_leaves_the_old_result(operator: Caller, updater: Updater, settings: Any) -> None:
    operator.ok("POST", "/updates/check")
    updater.status = 302  # a redirect is not followed
    assert "302" in operator.refused("POST", "/updates/check", 502)["message"]
    settings.UPDATER_URL = f"http://127.0.0.1:{free_port()}/"
    assert "nicht" in operator.refused("POST", "/updates/check", 502)["message"]
    settings.UPDATER_URL = ""
    operator.refused("POST", "/updates/check", 409)
    assert operator.ok("GET", "/updates")["available"] == RELEASE


def test_the_daily_look_keeps_the_old_result_and_reports_a_failure(operator: Caller, updater: Updater) -> None:
    tasks.check_update()
    assert operator.ok("GET", "/updates")["available"] == RELEASE
    assert not SystemLog.objects.filter(category="updates").exists()
    updater.status = 500
    tasks.check_update()
    assert operator.ok("GET", "/updates")["available"] == RELEASE
    updater.status, updater.body = 200, b"{}"
    tasks.check_update()
    words = [entry.action for entry in SystemLog.objects.filter(category="updates").order_by("id")]
    assert words == [
        "the check for updates failed: the updater answered 500",
        "the check for updates failed: the updater answered 200 with what does not describe a release",
    ]
    runs = JobRun.objects.filter(name="docms.check_update").order_by("id")
    assert [run.counts for run in runs] == [{"status": 200}, {"status": 500}, {"status": 502}]


# --- Installing ------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-179")
def test_a_moment_that_is_over_is_refused(operator: Caller, updater: Updater) -> None:
    operator.ok("POST", "/updates/check")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()  # began at midnight
    for past in (soon(seconds=-5), "2020-01-01", today):
        assert "install_date" in operator.refused("POST", "/updates/install", 400, {"install_date": past})["message"]
    assert row().update_state == ""
    operator.ok("POST", "/updates/install", {"install_date": soon(hours=1)})
    assert row().update_state == "scheduled"


@pytest.mark.rule("DOCMS-196")
def test_a_day_means_its_start_in_utc(operator: Caller, updater: Updater) -> None:
    operator.ok("POST", "/updates/check")
    operator.ok("POST", "/updates/install", {"install_date": "2040-02-29"})
    assert row().update_install_at == datetime.datetime(2040, 2, 29, tzinfo=datetime.UTC)


@pytest.mark.rule("DOCMS-179")
def test_null_starts_at_once(operator: Caller, updater: Updater) -> None:
    operator.ok("POST", "/updates/check")
    operator.ok("POST", "/updates/install", {"install_date": None})
    tasks.start_update()
    assert updater.installs() == [{"version": RELEASE["version"]}]
    assert row().update_state == "started"


def test_a_later_call_replaces_the_moment(operator: Caller, updater: Updater) -> None:
    operator.ok("POST", "/updates/check")
    operator.ok("POST", "/updates/install", {"install_date": soon(hours=1)})
    operator.ok("POST", "/updates/install", {"install_date": "2040-01-01"})
    assert row().update_install_at == datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize("wrong", [{}, {"install_date": "bald"}, {"install_date": 3}, {"install_date": ""}, []])
def test_odd_moments_are_refused(operator: Caller, updater: Updater, wrong: Any) -> None:
    operator.ok("POST", "/updates/check")
    operator.refused("POST", "/updates/install", 400, wrong)


def test_there_must_be_something_to_install_and_somebody_to_do_it(
    operator: Caller, updater: Updater, settings: Any
) -> None:
    operator.refused("POST", "/updates/install", 409, {"install_date": None})
    operator.ok("POST", "/updates/check")
    settings.UPDATER_URL = ""
    operator.refused("POST", "/updates/install", 409, {"install_date": None})
    settings.UPDATER_URL = updater.url
    operator.ok("POST", "/updates/install", {"install_date": None})
    InstallationSettings.objects.update(update_state="starting")
    operator.refused("POST", "/updates/install", 409, {"install_date": None})


def test_an_update_is_handed_over_when_its_moment_has_come_and_once(operator: Caller, updater: Updater) -> None:
    operator.ok("POST", "/updates/check")
    operator.ok("POST", "/updates/install", {"install_date": soon(hours=1)})
    tasks.start_update()
    assert updater.installs() == []
    InstallationSettings.objects.update(update_install_at=timezone.now())
    for _run in range(3):
        tasks.start_update()
    assert updater.installs() == [{"version": RELEASE["version"]}]


def test_a_failure_is_tried_three_times(operator: Caller, updater: Updater) -> None:
    due(operator)
    updater.status = 500
    for attempt in (1, 2):
        tasks.start_update()
        assert (row().update_state, row().update_attempts) == ("scheduled", attempt)
    assert not SystemLog.objects.filter(category="updates").exists()
    tasks.start_update()
    assert row().update_state == "failed"
    assert SystemLog.objects.filter(category="updates").count() == 1
    tasks.start_update()
    assert len(updater.installs()) == 3
    updater.status = 200
    operator.ok("POST", "/updates/install", {"install_date": None})  # anew
    tasks.start_update()
    assert row().update_state == "started"


def test_a_run_that_died_while_asking_counts_as_a_failure(operator: Caller, updater: Updater) -> None:
    due(operator)
    InstallationSettings.objects.update(update_state="starting", update_attempts=1)
    tasks.start_update()
    assert (row().update_state, row().update_attempts) == ("started", 2)
    keys = {headers["Idempotency-Key"] for method, _path, _body, headers in updater.asked if method == "POST"}
    assert len(keys) == 1
    InstallationSettings.objects.update(update_state="starting", update_attempts=3)
    tasks.start_update()
    assert row().update_state == "failed"
