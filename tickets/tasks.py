"""Celery wrappers of this floor: ids in, one service called, a missing row is no error."""

from celery import shared_task

from core import scope
from core.services import jobs
from tickets.services import assignment, bulk, idempotency, mailboxes, notify, overdue, retention


@shared_task(name=retention.JOB)
def purge_closed() -> None:
    """Delete closed tickets beyond the retention period of their organization, daily."""
    jobs.run(retention.JOB, retention.purge_closed)


@shared_task(name=mailboxes.JOB)
def fetch_mail() -> None:
    """Read the mailboxes of all companies, every minute."""
    jobs.run(mailboxes.JOB, mailboxes.fetch_all)


@shared_task(name=retention.FORGET_MAILS)
def forget_mails() -> None:
    """Delete old entries of the log of mails, daily."""
    jobs.run(retention.FORGET_MAILS, retention.forget_mails)


@shared_task(name="tickets.forget_answers")
def forget_answers() -> None:
    """Delete remembered answers older than 24 hours, every hour."""
    jobs.run("tickets.forget_answers", idempotency.forget)


@shared_task(name=bulk.TASK, acks_late=True, soft_time_limit=1740, time_limit=1800)
def change_many(run_id: int) -> None:
    """Change many tickets as somebody has chosen to."""
    bulk.work(run_id)


@shared_task(name="tickets.assign")
def assign(ticket_id: int) -> None:
    """Give one new ticket to whom the rules say."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        assignment.assign_by_rules([ticket_id])


@shared_task(name=assignment.JOB)
def assign_new() -> None:
    """Assign what found nobody when it was filed, every five minutes."""
    jobs.run(assignment.JOB, assignment.assign_new)


@shared_task(name=notify.TASK)
def tell(activity_id: int) -> None:
    """Tell of one new ticket."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        notify.tell_of([activity_id])


@shared_task(name=notify.JOB)
def tell_new() -> None:
    """Tell of new tickets that no worker was told of, every minute."""
    jobs.run(notify.JOB, notify.tell_new)


@shared_task(name=overdue.TELL)
def tell_overdue() -> None:
    """Tell of missed targets, every five minutes."""
    jobs.run(overdue.TELL, overdue.tell_overdue)


@shared_task(name=overdue.CLOSE)
def close_solved() -> None:
    """Close what was solved 30 days ago, daily."""
    jobs.run(overdue.CLOSE, overdue.close_solved)
