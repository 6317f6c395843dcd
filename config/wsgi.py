"""The WSGI application that gunicorn serves."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.services.pace import WEB
from core.wire import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
os.environ["PGAPPNAME"] = WEB  # the name of the web's sessions, by which jobs see that somebody waits
application = whole_bodies(get_wsgi_application())


def _hold_role() -> None:
    from config.checks import hold_role  # the models are there now

    hold_role()


def _settle() -> None:
    """Load what the first request would, and tell the garbage collector that all of it is here to stay.

    A full collection walks a quarter of a million objects of the program itself, which stops all threads of a worker for
    a tenth of a second, several times in a thousand requests: most of the slowest answers.
    """
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()


_hold_role()
_settle()
