"""Celery wrappers of this floor: ids in, one service called, a missing row is no error."""

from celery import shared_task

from core.services import jobs
from processes.services import retention


@shared_task(name=retention.JOB)
def purge_finished() -> None:
    """Delete finished cases beyond the retention period of their organization, daily."""
    jobs.run(retention.JOB, retention.purge_finished)
