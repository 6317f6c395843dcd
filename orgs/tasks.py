"""Celery wrappers of this floor."""

from celery import shared_task

from core import scope
from core.services import jobs, throttle
from orgs.services import tokens


@shared_task(name="orgs.tidy_sign_in")
def tidy_sign_in() -> None:
    """Delete expired tokens, links, sessions and forgotten waits, every ten minutes."""

    def work() -> dict[str, int]:
        with scope.unit_of_work(door="job"):
            return {**tokens.tidy(), "waits": throttle.forget_idle()}

    jobs.run("orgs.tidy_sign_in", work)
