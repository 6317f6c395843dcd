"""Imports that run outside of requests: started, worked through by one process, caught up with, cancelled.

A run is all or nothing: its rows and its state ``done`` are one transaction. Whoever works on it holds its tenant's
name (`core.services.jobs.alone`), which a killed process loses; so a run that is ``running`` while nobody holds the
name was left behind, and is simply done again.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict, Held
from core.models import Blob
from core.services import audit, blobs, jobs, rows
from core.services.wake import wake
from orgs.languages import user_language
from orgs.models import ImportRun, Organization, User
from orgs.services.register.engine import ImportResult, Progress, import_rows
from orgs.services.register.reading import Refused, read_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.services.blobs import Readable
    from core.services.jobs import Counts

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 1024 * 1024
ATTEMPTS = 3  # how often a run is taken up before it is given up
PAUSE = 0.5  # seconds between two notes of progress within a stage
TASK = "orgs.import_register"


class _CancelledError(Exception):
    """Somebody cancelled the run while it was worked on."""


@transaction.atomic
def start(
    *, tenant: Organization, file: Readable, filename: str, user: User | None, wake_worker: bool = True
) -> ImportRun:
    """Store a register and have it imported after commit. While no broker answers it waits for `catch_up`.

    Without ``wake_worker`` the caller does the work (a command, which shows it in its terminal).

    Side effects: a stored blob, audit, a woken worker. Raises `TooLarge` above `MAX_BYTES`, `Invalid` for an empty
    file or a name nobody can store.
    """
    run = rows.create(
        ImportRun,
        tenant=tenant,
        file=blobs.store(file, tenant_id=tenant.pk, limit=MAX_BYTES, declared_mime="text/csv"),
        filename=blobs.clean_filename(filename, field="file"),
        created_by=user,
    )
    if wake_worker:
        transaction.on_commit(partial(wake, TASK, run.pk), robust=True)
    return run


@transaction.atomic
def cancel(*, run: ImportRun) -> None:
    """Call a run off; one that is being worked on stops at its next note of progress and writes nothing.

    Side effect: audit. Raises `Conflict` when it is over.
    """
    now = timezone.now()
    if not _open(run.pk).update(state=ImportRun.State.CANCELLED, ended_at=now, updated_at=now):
        raise Conflict(_("The import is over already."), code="not_open")
    audit.record("cancelled", run)


def work(run_id: int, *, progress: Progress | None = None) -> bool:
    """Import what a run holds; False when it is over, unknown, or another run of the tenant is worked on.

    Opens its own units of work. What goes wrong ends in the run's state, never in an exception, but for a database
    that cannot be reached: then the run is left to `catch_up`.
    """
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        tenant_id = ImportRun.objects.filter(pk=run_id).values_list("tenant_id", flat=True).first()
    if tenant_id is None:
        return False
    with jobs.alone(f"orgs.import:{tenant_id}") as mine:
        worked = mine and _work(run_id, tenant_id, progress)
    if worked:
        _wake_next(tenant_id)
    return worked


def catch_up() -> Counts:
    """Job: take up one run that no worker was told of, or that a killed one left behind."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        waiting = list(ImportRun.objects.filter(state__in=ImportRun.OPEN).order_by("id").values_list("pk", flat=True))
    return {"runs": int(any(work(run_id) for run_id in waiting))}


def _wake_next(tenant_id: int) -> None:
    with scope.unit_of_work(door="worker", tenants=[tenant_id]):
        waiting = ImportRun.objects.filter(tenant=tenant_id, state=ImportRun.State.WAITING).order_by("id")
        run_id = waiting.values_list("pk", flat=True).first()
    if run_id is not None:
        wake(TASK, run_id)


def _open(run_id: int) -> Any:
    return ImportRun.objects.filter(pk=run_id, state__in=ImportRun.OPEN)


def _work(run_id: int, tenant_id: int, progress: Progress | None) -> bool:
    with scope.unit_of_work(door="worker", tenants=[tenant_id]):
        run = _open(run_id).select_for_update(of=("self",)).select_related("created_by", "file", "tenant").first()
        if run is None or (run.file is not None and run.file.scan == Blob.Scan.PENDING):
            return False  # the virus scanner has not looked at the file yet: it waits for `catch_up`
        if run.attempts >= ATTEMPTS:
            _end(run_id, state=ImportRun.State.FAILED, failure=ImportRun.Failure.INTERRUPTED)
            return True
        now = timezone.now()
        _open(run_id).update(
            state=ImportRun.State.RUNNING, attempts=run.attempts + 1, started_at=now, updated_at=now,
            stage="", rows_done=0, rows_total=0,
        )  # fmt: skip
    language = run.created_by.language if run.created_by else user_language(run.tenant.language)
    with translation.override(language):
        ending = _outcome(run, progress)
    if ending is not None:
        with scope.unit_of_work(door="worker", tenants=[tenant_id]):
            _end(run_id, **ending)
    return True


def _outcome(run: ImportRun, progress: Progress | None) -> dict[str, Any] | None:
    """How a run ended that wrote nothing; none when it is done, or was cancelled."""
    failed: dict[str, Any] = {"state": ImportRun.State.FAILED}
    try:
        _import(run, progress)
    except _CancelledError:
        return None
    except Refused as refused:
        return {
            "state": ImportRun.State.REFUSED,
            "counts": {"errors": refused.total},
            "report": [[e.row, e.column, str(e.message)] for e in refused.errors],
        }
    except (OperationalError, InterfaceError):
        raise
    except SoftTimeLimitExceeded:
        return failed | {"failure": ImportRun.Failure.TOO_LONG}
    except FileNotFoundError:
        return failed | {"failure": ImportRun.Failure.FILE_LOST}
    except Held:
        return failed | {"failure": ImportRun.Failure.BLOCKED}
    except Exception:
        log.exception("import %s failed", run.pk)
        return failed | {"failure": ImportRun.Failure.UNEXPECTED}
    return None


def _import(run: ImportRun, progress: Progress | None) -> None:
    """The one transaction: everything the file says, and the run's end."""
    if run.file is None:
        raise FileNotFoundError
    with blobs.open_blob(run.file) as file:
        data = file.read()
    with (
        scope.unit_of_work(door="worker", user_id=run.created_by_id, tenants=[run.tenant_id]),
        scope.beside() as aside,
    ):
        tell = _teller(run.pk, aside)

        def told(stage: str, done: int, total: int) -> None:
            tell(stage, done, total)
            if progress is not None:
                progress(stage, done, total)

        result = import_rows(read_csv(data), tenant=run.tenant, progress=told)
        _finish(run.pk, result)


def _teller(run_id: int, aside: Callable[[Callable[[], Any]], Any]) -> Progress:
    """Writes progress where others see it, not more often than they look; notices when the run was cancelled."""
    last_stage, last_at = "", 0.0

    def write(stage: str, done: int, total: int) -> str | None:
        running = ImportRun.objects.filter(pk=run_id, state=ImportRun.State.RUNNING)
        running.update(stage=stage[:100], rows_done=done, rows_total=total)
        return ImportRun.objects.filter(pk=run_id).values_list("state", flat=True).first()

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last_stage, last_at
        now = time.monotonic()
        if stage == last_stage and done < total and now - last_at < PAUSE:
            return
        last_stage, last_at = stage, now
        if aside(partial(write, stage, done, total)) == ImportRun.State.CANCELLED:
            raise _CancelledError

    return tell


def _finish(run_id: int, result: ImportResult) -> None:
    ended = _end(
        run_id,
        state=ImportRun.State.DONE,
        counts={"created": result.created, "changed": result.changed},
        contacts_created=result.contacts_created,
        contacts_changed=result.contacts_changed,
    )
    if not ended:
        raise _CancelledError


def _end(run_id: int, **values: Any) -> bool:
    now = timezone.now()
    return bool(_open(run_id).update(ended_at=now, updated_at=now, **values))
