"""Celery wrappers of this floor: ids in, one service called, a missing row is no error."""

from celery import shared_task

from core.services import jobs
from tickets.services import bulk, idempotency, retention


@shared_task(name=retention.JOB)
def purge_closed() -> None:
    """Delete closed tickets beyond the retention period of their organization, daily."""
    jobs.run(retention.JOB, retention.purge_closed)


@shared_task(name="tickets.forget_answers")
def forget_answers() -> None:
    """Delete remembered answers older than 24 hours, every hour."""
    jobs.run("tickets.forget_answers", idempotency.forget)


@shared_task(name=bulk.TASK, acks_late=True, soft_time_limit=1740, time_limit=1800)
def change_many(run_id: int) -> None:
    """Change many tickets as somebody has chosen to."""
    bulk.work(run_id)
