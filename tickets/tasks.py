"""Celery wrappers of this floor: ids in, one service called, a missing row is no error."""

from celery import shared_task

from core.services import jobs
from tickets.services import retention


@shared_task(name=retention.JOB)
def purge_closed() -> None:
    """Delete closed tickets beyond the retention period of their organization, daily."""
    jobs.run(retention.JOB, retention.purge_closed)
