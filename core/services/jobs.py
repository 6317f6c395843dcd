"""Jobs: one at a time by name, with a record of the last run that the back office and `/readyz` show."""

from __future__ import annotations

import datetime
import logging
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection
from django.utils import timezone

from core.logs import mask
from core.models import JobRun, SystemLog
from core.services import system_log

log = logging.getLogger(__name__)

Counts = dict[str, int]
KILLED = "The worker stopped while it ran."
KEPT = datetime.timedelta(days=1)  # some jobs run every twenty seconds
KEPT_RUNS = 7  # the newest stay however old they are: a daily job's row of failures is seen by them


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether this process got the name. Another one that has it keeps it until it is through, or dies.

    The name is a lock of a transaction that stays open on a connection of its own, as long as the job runs. A lock of
    the session would not do: behind a pooler in transaction mode the session belongs to whoever comes next, who would
    hold the lock, too, and nobody would let it go. An open transaction keeps its server even there. It has read
    nothing and holds no snapshot, so it keeps no table from being vacuumed. A row with a heartbeat would need no
    connection, but a process that died would keep the name until somebody believes it.
    """
    key = [zlib.crc32(name.encode()) - 2**31]
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(1, %s)", key)
            mine: bool = cursor.fetchone()[0]
        if not mine:
            holder.rollback()  # wait for nothing
        yield mine
    finally:
        with suppress(DatabaseError):  # a connection that broke has let go already
            holder.rollback()
        holder.close()


def run(name: str, work: Callable[[], Counts], *, told_after: int = 0) -> Counts | None:
    """Run a job unless it runs elsewhere (then None); record when, what it counted, or why it failed.

    The work opens its own units of work, batch by batch, so that it can be killed and repeated. An exception
    is recorded and raised again. With ``told_after`` so many failures in a row, at most `KEPT_RUNS`, are written to the
    system log, and again after as many more.
    """
    assert told_after <= KEPT_RUNS, "no more runs than are kept can be counted"
    with alone(name) as mine:
        return _recorded(name, work, told_after) if mine else None


def _recorded(name: str, work: Callable[[], Counts], told_after: int) -> Counts:
    now = timezone.now()
    # Nobody else works under this name, so a run without an end was killed.
    if JobRun.objects.filter(name=name, ended_at=None).update(ended_at=now, error=KILLED):
        _tell_of_failures(name, told_after)
    row = JobRun.objects.create(name=name, started_at=now)
    try:
        counts = work()
        row.counts = counts
        return counts
    except Exception as error:
        row.error = mask(f"{type(error).__name__}: {error}")[:2000]
        log.exception("job %s failed", name)
        raise
    finally:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at", "counts", "error"])
        # The newest that went well stays, however long ago: whoever looks wants to know since when it does not.
        good = JobRun.objects.filter(name=name, error="", ended_at__isnull=False).order_by("-started_at").values("pk")
        newest = JobRun.objects.filter(name=name).order_by("-started_at").values("pk")[:KEPT_RUNS]
        old = JobRun.objects.filter(name=name, started_at__lt=row.started_at - KEPT)
        old.exclude(pk__in=good[:1]).exclude(pk__in=newest).delete()
        if row.error:
            _tell_of_failures(name, told_after)


def _tell_of_failures(name: str, count: int) -> None:
    """Write to the system log when the last ``count`` runs failed and none of them is told of yet."""
    failed = list(JobRun.objects.filter(name=name).order_by("-started_at")[:count])
    if not count or len(failed) < count or not all(row.error for row in failed):
        return
    action = f"{count} failures in a row"
    if not SystemLog.objects.filter(category=name, action=action, created_at__gte=failed[-1].started_at).exists():
        told = "\n".join(f"{row.started_at.isoformat()} {row.error}" for row in failed)
        SystemLog.objects.create(
            category=name, action=action, stacktrace=told[: system_log.LIMIT], created_at=timezone.now()
        )
