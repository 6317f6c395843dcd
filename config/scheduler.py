"""The scheduler of Celery, which goes on when the clock is set back."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from celery.beat import PersistentScheduler

log = logging.getLogger(__name__)

SKEW = datetime.timedelta(seconds=1)


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery's own waits until the clock is where it was when a job ran last: for as long as it was wrong."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Jobs that ran in the future have run just now."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now + SKEW]
        if ahead:
            log.warning("the clock went back: %d jobs ran in the future", len(ahead))
            for entry in ahead:
                entry.last_run_at = now
            self._heap = None  # is made anew
        return float(super().tick(*args, **kwargs))
