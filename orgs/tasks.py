"""Celery wrappers of this floor."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from core import scope
from core.services import jobs, throttle
from orgs.services import availability, oauth, tokens
from orgs.services.register import runs

_LONG = {"soft_time_limit": 1740, "time_limit": 1800}  # the largest registers take minutes


@shared_task(name="orgs.import_register", autoretry_for=(OperationalError, InterfaceError), max_retries=3, **_LONG)
def import_register(run_id: int) -> None:
    """Import a register that was just uploaded; one that is over or in work is left alone."""
    runs.work(run_id)


@shared_task(name="orgs.catch_up_imports", **_LONG)
def catch_up_imports() -> None:
    """Every 30 seconds: an import that no worker was told of, or that a killed one left behind."""
    jobs.run("orgs.catch_up_imports", runs.catch_up)


@shared_task(name="docms.purge_tokens")
def purge_tokens() -> None:
    """Delete tokens, sessions, second factors and codes that nobody can use any more, and forgotten waits."""

    def work() -> dict[str, int]:
        with scope.unit_of_work(door="job"):
            oauth.purge()
            return {**tokens.purge(), "waits": throttle.forget_idle()}

    jobs.run("docms.purge_tokens", work)


@shared_task(name="docms.purge_links")
def purge_links() -> None:
    """Delete used and expired links, every hour."""

    def work() -> dict[str, int]:
        with scope.unit_of_work(door="job"):
            return {"links": tokens.purge_links()}

    jobs.run("docms.purge_links", work)


@shared_task(name="orgs.sample_availability")
def sample_availability() -> None:
    """Hourly: who is available in each organization."""
    jobs.run("orgs.sample_availability", availability.sample)


@shared_task(name="orgs.trim_availability")
def trim_availability() -> None:
    """Daily: samples older than 14 days go (ORGS-061)."""
    jobs.run("orgs.trim_availability", availability.trim_samples)
