"""Work in the background that steps back while people wait for answers: deleting thousands of documents can wait, a page not.

Whoever shares a machine with the web takes its time even at a low priority: caches, memory, the disk's queue. So while
somebody has asked for something just now, a job works for a twentieth of its time; when nobody is there, at night, it
works without a pause.
"""

from __future__ import annotations

import time

from django.db import connection

WEB = "quartier-web"  # how the web's sessions are called in PostgreSQL: `config.wsgi` says so
BUSY = 1.0  # seconds after its last statement for which somebody is taken to be there
SHARE = 20  # of its time a job works one part
LONGEST = 10.0  # seconds of one pause
PATIENCE = 240.0  # seconds that one run of a job pauses altogether; it must end before Celery's limit
SMALLER = 5  # times as small are the batches meanwhile

_SOMEBODY = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity
   WHERE application_name = %s AND datname = current_database()
     AND (state <> 'idle' OR state_change > clock_timestamp() - make_interval(secs => %s)))
"""


def somebody_waits() -> bool:
    """Whether the web is working for somebody, or has a moment ago."""
    with connection.cursor() as cursor:
        cursor.execute(_SOMEBODY, [WEB, BUSY])
        return bool(cursor.fetchone()[0])


class Pace:
    """That of one run of a job."""

    def __init__(self) -> None:
        self._left = PATIENCE
        self._gives_way = somebody_waits()

    def size(self, batch: int) -> int:
        """How many rows go next: a pause helps little when what comes before it takes long."""
        return max(batch // SMALLER, 1) if self._gives_way else batch

    def give_way(self, worked: float) -> None:
        """After a batch that took so many seconds, outside of any transaction: pause where somebody waits."""
        self._gives_way = self._left > 0 and somebody_waits()
        if self._gives_way:
            pause = min(worked * (SHARE - 1), LONGEST, self._left)
            time.sleep(pause)
            self._left -= pause
