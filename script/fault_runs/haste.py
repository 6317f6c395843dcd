"""Shorter leases and pauses for every process of a fault run; see `script.fault_runs.settings`."""

from __future__ import annotations

import datetime

from django.apps import AppConfig

SECOND = datetime.timedelta(seconds=1)


class HasteConfig(AppConfig):
    """An app without models that is in a hurry."""

    name = "script.fault_runs"
    label = "fault_runs"

    def ready(self) -> None:
        """Minutes become seconds."""
        from core.services import previews
        from docms.services import indexing
        from messaging.services import outbox

        outbox.LEASE = 8 * SECOND
        outbox.PAUSES = tuple(seconds * SECOND for seconds in (2, 4, 8, 16, 30))
        previews.FORGOTTEN = indexing.FORGOTTEN = 10 * SECOND
