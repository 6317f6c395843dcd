"""The Celery application: JSON messages that carry ids, static schedule in the settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
app = Celery("quartier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


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
