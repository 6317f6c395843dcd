"""The Celery application: JSON messages that carry ids, static schedule in the settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
NICENESS = 10  # of the processes that do the tasks

app = Celery("quartier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect(dispatch_uid="config.keep_logging")
def keep_logging(**kwargs: Any) -> None:
    """Worker and beat log as the web does (`LOGGING`): in lines of JSON, masked, from `LOG_LEVEL` on.

    Whoever listens here keeps Celery from setting up its own; its ``--loglevel`` then has no effect.
    """
    import django

    django.setup()


@worker_process_init.connect(dispatch_uid="config.give_way")
def give_way(**kwargs: Any) -> None:
    """What works in the background yields to whoever waits for a page on the same machine."""
    os.nice(NICENESS)


@worker_init.connect(dispatch_uid="config.hold_role")
def hold_role(**kwargs: Any) -> None:
    """A worker does not start with a role that no row policy binds. Celery goes on after other errors than this."""
    import django

    django.setup()
    from config import checks

    try:
        checks.hold_role()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
