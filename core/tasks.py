"""Work of the lowest floor that happens outside of requests."""

from __future__ import annotations

import logging

from celery import shared_task

from core import scope
from core.errors import StorageDown
from core.services import blobs, jobs, previews, scanning, sealing, sweeps, uploads

log = logging.getLogger(__name__)


@shared_task(name="core.make_preview")
def make_preview(blob_id: int) -> None:
    """Draw the preview of a blob."""
    previews.make_preview(blob_id)


@shared_task(name="core.mark_missing")
def mark_missing(blob_id: int) -> None:
    """Write down that the object of a blob is lost, or is there again."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        blobs.mark_missing(blob_id)


@shared_task(name=scanning.TASK)
def scan_document(blob_id: int) -> None:
    """Let the virus scanner look at the bytes of a version, a picture, an upload. Without a verdict it stays held, and `catch_up_scans` takes it up."""
    try:
        scanning.scan_blob(blob_id)
    except (scanning.ScannerDown, StorageDown, FileNotFoundError) as error:
        log.warning("blob %s stays held: %s", blob_id, error)


@shared_task(name="core.catch_up_scans")
def catch_up_scans() -> None:
    """Each minute: scan what waits."""
    jobs.run("core.catch_up_scans", scanning.catch_up)


@shared_task(name="core.catch_up_previews")
def catch_up_previews() -> None:
    """Make the previews that were left."""
    jobs.run("core.catch_up_previews", previews.catch_up)


@shared_task(name="core.expire_uploads")
def expire_uploads() -> None:
    """Remove upload handles whose 24 hours are over."""
    jobs.run("core.expire_uploads", uploads.expire)


@shared_task(name=sweeps.TASK)
def remove_content(*blob_ids: int) -> None:
    """Destroy bytes to which nothing refers: daily all of them, after a deletion those that it has freed.

    What fails is left for the next run; seven failures in a row of the daily one go to the system log.
    """
    if blob_ids:
        sweeps.destroy_unreferenced(list(blob_ids))
    else:
        jobs.run(sweeps.TASK, lambda: sweeps.sweep_unreferenced() | sweeps.sweep_objects(), told_after=7)


@shared_task(name="core.seal_audit")
def seal_audit() -> None:
    """Every ten seconds: chain what was committed.

    Nothing wakes it on commit. Its digest protects an entry from the start, and nobody reads the chain before the next
    checkpoint; a message to the broker with every write would cost more than the seconds are worth.
    """
    jobs.run("core.seal_audit", sealing.seal)


@shared_task(name="core.checkpoint_audit")
def checkpoint_audit() -> None:
    """Each hour, for the one checkpoint of the day: a worker that was down at midnight makes it later."""
    jobs.run("core.checkpoint_audit", sealing.checkpoint)
