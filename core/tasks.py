"""Work of the lowest floor that happens outside of requests."""

from __future__ import annotations

from celery import shared_task

from core import scope
from core.services import blobs, jobs, previews, sweeps, uploads


@shared_task(name="core.make_preview")
def make_preview(blob_id: int) -> None:
    """Draw the preview of a blob."""
    previews.make_preview(blob_id)


@shared_task(name="core.mark_missing")
def mark_missing(blob_id: int) -> None:
    """Write down that the object of a blob is lost, or is there again."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        blobs.mark_missing(blob_id)


@shared_task(name="core.catch_up_previews")
def catch_up_previews() -> None:
    """Make the previews that were left."""
    jobs.run("core.catch_up_previews", previews.catch_up)


@shared_task(name="core.expire_uploads")
def expire_uploads() -> None:
    """Remove upload handles whose 24 hours are over."""
    jobs.run("core.expire_uploads", uploads.expire)


@shared_task(name="core.sweep_blobs")
def sweep_blobs() -> None:
    """Destroy bytes to which nothing refers."""
    jobs.run("core.sweep_blobs", lambda: sweeps.sweep_unreferenced() | sweeps.sweep_objects())
