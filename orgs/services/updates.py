"""Updates: what the updater knows, and handing the installation over to it. Quartier never replaces its own code.

The updater is a service beside the installation (`UPDATER_URL`). GET answers with the newest release as JSON
(``version``, ``channel``, ``release_date``, ``changelog``) or 204 for none; POST with ``{"version": …}`` installs it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import orjson
import urllib3
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from core import scope
from core.errors import Conflict, Invalid
from core.models import SystemLog
from core.services import rows
from core.services.wake import wake
from orgs.models import InstallationSettings
from orgs.services.installation import installation

TIMEOUT = 10  # seconds for connecting and for each answer
ANSWER_MAX = 1024 * 1024  # bytes
ATTEMPTS = 3  # before an update has failed
BAD_GATEWAY, NOBODY = 502, 409  # what callers of the API are told where the updater has no status of its own to pass on
_LENGTHS = {"version": 50, "channel": 50, "release_date": 50, "changelog": 200_000}
State = InstallationSettings.UpdateState


@dataclass(frozen=True)
class _Answer:
    """What the updater said; without status it said nothing."""

    status: int | None = None
    body: bytes = b""

    def __str__(self) -> str:
        """For the system log."""
        return f"the updater answered {self.status}" if self.status is not None else "the updater did not answer"


@dataclass(frozen=True)
class Outcome:
    """What became of asking."""

    status: int  # for callers of the API: the updater's own where it has one to pass on, 2xx when it was understood
    problem: str = ""  # for people
    log: str = ""  # for the system log


def available() -> dict[str, str] | None:
    """The newest known release; None when it is the installed one, or none is known."""
    found = installation().update_available
    if not found or _order(found["version"]) <= _order(settings.VERSION):
        return None
    return {name: str(found[name]) for name in _LENGTHS}


def released(release: dict[str, str]) -> datetime.date | None:
    """The day of a release, in the current time zone; None where the updater wrote it in no ISO form."""
    try:
        moment = parse_datetime(release["release_date"].strip())
        return moment and (moment if timezone.is_naive(moment) else timezone.localtime(moment)).date()
    except (ValueError, OverflowError):  # no day of the calendar
        return None


def _order(version: str) -> list[int]:
    """``1.10.2`` after ``1.9``; what follows a hyphen or plus does not count."""
    head = version.strip().lstrip("v").replace("+", "-").partition("-")[0]
    numbers = [int(part) if part.isascii() and part.isdigit() else 0 for part in head.split(".")[:6]]
    return numbers + [0] * (6 - len(numbers))


# --- Asking -----------------------------------------------------------------------------------------------------


def check() -> Outcome:
    """Ask the updater and keep what it knows. The outcome has its status code (DOCMS-178), 2xx when it was understood.

    502 when it does not answer or not as it should, 409 when there is none; then the former result stays. Opens its own
    unit of work, after the updater has answered.
    """
    if not settings.UPDATER_URL:
        return Outcome(NOBODY, _("There is no updater."))
    answer = _ask("GET")
    if answer.status is None:
        return Outcome(BAD_GATEWAY, _("The updater does not answer."), str(answer))
    if not 200 <= answer.status < 300:
        passed_on = answer.status if answer.status >= 400 else BAD_GATEWAY
        return Outcome(passed_on, _("The updater answered %d.") % answer.status, str(answer))
    try:
        release = _release(answer.body) if answer.status != 204 else {}
    except (ValueError, KeyError, TypeError):
        problem = _("The updater answered %d, but what it sent does not describe a release.") % answer.status
        return Outcome(BAD_GATEWAY, problem, f"{answer} with what does not describe a release")
    with scope.unit_of_work(door="updates", user_id=scope.latest().user_id):
        _change(_row(), {"update_available": release, "update_checked_at": timezone.now()})
    return Outcome(answer.status)


def check_daily() -> dict[str, int]:
    """The job: a failure leaves the old result, and a word in the system log. Does nothing without an updater."""
    if not settings.UPDATER_URL:
        return {"status": 0}
    outcome = check()
    if outcome.problem:
        _report(f"the check for updates failed: {outcome.log}")
    return {"status": outcome.status}


def _release(body: bytes) -> dict[str, str]:
    if len(body) > ANSWER_MAX:
        raise ValueError("too long")
    values = orjson.loads(body)
    release = {name: values[name] for name in _LENGTHS}
    for name, value in release.items():
        if not isinstance(value, str) or "\x00" in value or len(value) > _LENGTHS[name]:
            raise ValueError(name)
    if not release["version"].strip():
        raise ValueError("version")
    return release


def _ask(method: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> _Answer:
    """One request; redirects are not followed."""
    sent = {"Accept": "application/json", "X-Installed": settings.VERSION, **(headers or {})}
    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                method, settings.UPDATER_URL, body=body, headers=sent,
                redirect=False, retries=False, timeout=TIMEOUT, preload_content=False,
            )  # fmt: skip
            content = response.read(ANSWER_MAX + 1)
    except (HTTPError, ValueError):
        return _Answer()
    return _Answer(response.status, content)


# --- Installing -------------------------------------------------------------------------------------------------


@transaction.atomic
def schedule(moment: datetime.datetime | None) -> None:
    """Have the known release installed at a moment, None = at once; a later call replaces the moment.

    Side effects: audit, a worker is told. Raises `Invalid` for a moment that is over (DOCMS-179), `Conflict` when there
    is nothing to install, nobody to do it, or an update is being handed over right now.
    """
    now = timezone.now()
    if moment is not None and moment <= now:
        problem = _("Must lie in the future.")
        raise Invalid(problem, fields={"install_date": [problem]})
    if not settings.UPDATER_URL or available() is None:
        raise Conflict(_("There is no update to install."))
    row = _row()
    if row.update_state == State.STARTING:
        raise Conflict(_("The update is being started."))
    _change(
        row,
        {"update_install_at": moment or now, "update_state": State.SCHEDULED, "update_attempts": 0},
        verb="update_scheduled",
    )
    if moment is None:
        transaction.on_commit(lambda: wake("docms.start_update"), robust=True)


def start_due() -> dict[str, int]:
    """The job: hand a due update over to the updater, once.

    The state changes under a row lock before the updater is asked, so that no second worker asks it. A failure is tried
    again by the next run, three times; then the update has failed, with a word in the system log. A run that died while
    asking counts as a failure: the updater recognises a repetition by its ``Idempotency-Key``.
    """
    _give_back_orphan()
    with scope.unit_of_work(door="job"):
        row = InstallationSettings.objects.select_for_update().filter(pk=1, update_state=State.SCHEDULED).first()
        if row is None or row.update_install_at is None or row.update_install_at > timezone.now():
            return {"started": 0}
        _change(row, {"update_state": State.STARTING, "update_attempts": row.update_attempts + 1})
    version = row.update_available.get("version", "")
    answer = _ask(
        "POST",
        orjson.dumps({"version": version}),
        {"Content-Type": "application/json", "Idempotency-Key": f"{version}@{row.update_install_at.isoformat()}"},
    )
    if answer.status is not None and 200 <= answer.status < 300:
        with scope.unit_of_work(door="job"):
            _change(_row(), {"update_state": State.STARTED})
        return {"started": 1}
    _failed(str(answer))
    return {"started": 0, "failed": 1}


def _give_back_orphan() -> None:
    """Only one run is at work at a time, so what is being started now was left behind by one that died."""
    if InstallationSettings.objects.filter(pk=1, update_state=State.STARTING).exists():
        _failed("the worker stopped while it started the update")


def _failed(why: str) -> None:
    with scope.unit_of_work(door="job"):
        row = _row()
        is_final = row.update_attempts >= ATTEMPTS
        _change(row, {"update_state": State.FAILED if is_final else State.SCHEDULED})
    if is_final:
        _report(why)


# --- The row ----------------------------------------------------------------------------------------------------


def _row() -> InstallationSettings:
    """The one row, locked; made when it is missing."""
    found = InstallationSettings.objects.select_for_update().filter(pk=1).first()
    if found is None:
        rows.create(InstallationSettings, pk=1, app_url=settings.PUBLIC_URL)
        found = InstallationSettings.objects.select_for_update().get(pk=1)
    return found


def _change(row: InstallationSettings, changes: dict[str, Any], *, verb: str = "changed") -> None:
    rows.change(row, changes, verb=verb)


def _report(why: str) -> None:
    with scope.unit_of_work(door="job"):
        SystemLog.objects.create(category="updates", action=why[:100])


__all__ = ["available", "check", "check_daily", "released", "schedule", "start_due"]
