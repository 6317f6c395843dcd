"""Celery wrappers of the outbox."""

from celery import shared_task

from core.services import jobs
from messaging.services import outbox, texting
from messaging.services.deliver import deliver, deliver_due, sweep


@shared_task(name="docms.send_mail")
def send_mail(message_id: int) -> None:
    """Send one mail that was just committed; one that is gone, claimed or sent already is left alone."""
    deliver([message_id])


@shared_task(name="messaging.sweep")
def sweep_outbox() -> None:
    """Every 20 seconds: what waits, what is to be repeated, what a crash left behind."""
    jobs.run("messaging.sweep", sweep)


@shared_task(name="messaging.sweep_texts")
def sweep_texts() -> None:
    """Every 20 seconds: text messages that wait or are to be repeated; apart from mails, which no gateway holds up."""
    jobs.run("messaging.sweep_texts", texting.sweep)


@shared_task(name="messaging.help")
def help_deliver(helpers: int) -> None:
    """Join a worker that has more mails than one batch; another one may join ``helpers`` times."""
    deliver_due(helpers)


@shared_task(name="messaging.empty_old")
def empty_old() -> None:
    """Daily: empty the texts of mails that ended more than 30 days ago."""
    jobs.run("messaging.empty_old", outbox.empty_old)
