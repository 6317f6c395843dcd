"""The try-out's settings in a hurry: sweeps come every few seconds, so that healing is a matter of seconds, too.

Nothing else differs. What a lost message of the broker would bring back by itself (``visibility_timeout``) stays at
its hour: the sweeps have to find what was lost.
"""

from config.settings.tryout import *  # noqa: F403
from config.settings.tryout import CELERY_BEAT_SCHEDULE as _SCHEDULE
from config.settings.tryout import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "script.fault_runs.haste.HasteConfig"]
DOCMS_RATE_LIMIT = 0
_SECONDS = {
    "messaging.sweep": 2.0,
    "core.seal_audit": 2.0,
    "core.catch_up_previews": 7.0,
    "orgs.catch_up_imports": 3.0,
    "docms.release_documents": 6.0,
    "docms.catch_up_index": 7.0,
}
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": _SECONDS.get(name, entry["schedule"])} for name, entry in _SCHEDULE.items()
}
