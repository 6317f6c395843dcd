"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from core.wire import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = whole_bodies(get_wsgi_application())


def _hold_role() -> None:
    from config.checks import hold_role  # the models are there now

    hold_role()


_hold_role()
