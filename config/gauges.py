"""What `/metrics` reads when it is asked: jobs, outbox, audit, storage, database, queue. Totals of the installation.

Cheap at any size, with the same number of queries for one row and for millions: newest rows by index, counts of partial
indexes that end at `CAP`, and for the stored bytes, whose rows no index counts, a sample of the table's pages. Each
family stands in a savepoint with a time limit: what cannot be read is missing from the answer, named by
``quartier_scrape_failed``, and the rest is there. Nothing in it names a tenant, a person or a file.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis
from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core import scope

log = logging.getLogger(__name__)

CAP = 10_000  # rows; a count that ends here says "at least"
SAMPLE = 1000  # pages of the table of stored bytes; up to there the figures are exact
PATIENCE = 2  # seconds for one query, and for the broker
WINDOW = "24 hours"
QUEUE = "celery"  # the name of Celery's list in Redis

_JOBS = """
    SELECT job, newest.started_at, newest.ended_at, newest.failed, good.ended_at, coalesce(bad.count, 0)
      FROM unnest(%s::text[]) AS job
      LEFT JOIN LATERAL (
           SELECT started_at, ended_at, error <> '' AS failed FROM core_jobrun
            WHERE name = job ORDER BY started_at DESC LIMIT 1) AS newest ON true
      LEFT JOIN LATERAL (
           SELECT ended_at FROM core_jobrun
            WHERE name = job AND error = '' AND ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1) AS good ON true
      LEFT JOIN LATERAL (
           SELECT count(*) FROM core_jobrun
            WHERE name = job AND error <> '' AND started_at > now() - %s::interval) AS bad ON true
"""
_OUTBOX = """
    SELECT (SELECT count(*) FROM (SELECT 1 FROM messaging_message WHERE state = 'queued' LIMIT %(cap)s) AS q),
           (SELECT count(*) FROM (SELECT 1 FROM messaging_message WHERE state = 'sending' LIMIT %(cap)s) AS s),
           (SELECT min(not_before) FROM messaging_message WHERE state = 'queued'),
           (SELECT count(*) FROM (
                   SELECT 1 FROM messaging_message
                    WHERE NOT (error_msg = '') AND state = 'failed' AND updated_at > now() - %(window)s::interval
                    LIMIT %(cap)s) AS f),
           (SELECT count(*) FROM (
                   SELECT 1 FROM messaging_message
                    WHERE NOT (error_msg = '') AND state = 'bounced' AND updated_at > now() - %(window)s::interval
                    LIMIT %(cap)s) AS b)
"""
_AUDIT = """
    SELECT count(*), min(at) FROM (
           SELECT at FROM core_auditentry WHERE seq IS NULL ORDER BY id LIMIT %s) AS waiting
"""
_BLOB_PAGES = "SELECT pg_relation_size('core_blob') / current_setting('block_size')::int"
_BLOBS = "SELECT count(*), coalesce(sum(size), 0) FROM core_blob TABLESAMPLE SYSTEM (%s)"
_UPLOADS = """
    SELECT count(*), coalesce(sum(received), 0) FROM (
           SELECT received FROM core_upload WHERE attached_at IS NULL LIMIT %s) AS waiting
"""
_CONNECTIONS = """
    SELECT coalesce(state, 'unknown'), count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'),
           coalesce(extract(epoch FROM max(now() - xact_start)), 0)::float8,
           current_setting('max_connections')::int, pg_database_size(current_database())
      FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user
     GROUP BY 1 ORDER BY 1
"""


def families() -> list[Metric]:
    """All of them, read now."""
    found: list[Metric] = []
    failed = GaugeMetricFamily("quartier_scrape_failed", "1: this part could not be read.", labels=["part"])
    try:
        with scope.unit_of_work(door="metrics"), scope.all_tenants():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{PATIENCE}s"])
            for name, read in _IN_DATABASE.items():
                failed.add_metric([name], _try(name, read, found, in_database=True))
    except (Error, OSError) as error:
        log.warning("metrics of the database cannot be read: %s", type(error).__name__)
        failed.add_metric(["unit_of_work"], 1)
    for name, read in _BESIDE.items():
        failed.add_metric([name], _try(name, read, found, in_database=False))
    return [*found, failed]


def _try(name: str, read: Callable[[], Iterator[Metric]], found: list[Metric], *, in_database: bool) -> int:
    """Add a family; 1 when it cannot be read."""
    try:
        if in_database:
            with transaction.atomic():
                got = list(read())
        else:
            got = list(read())
    except (Error, OSError, redis.RedisError) as error:
        log.warning("metrics of %s cannot be read: %s", name, type(error).__name__)
        return 1
    found += got
    return 0


def _row(query: str, values: Sequence[float] = ()) -> tuple[float, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row: tuple[float, ...] = cursor.fetchone()
    return row


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"quartier_{name}", text, value=float(value))


def _jobs() -> Iterator[Metric]:
    def family(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"quartier_job_{name}", text, labels=["job"])

    started = family("last_start_timestamp_seconds", "When the newest run began.")
    succeeded = family("last_success_timestamp_seconds", "When the newest run without an error ended.")
    seconds = family("last_duration_seconds", "How long the newest run took; missing while it runs.")
    failures = family("failures", f"Runs that failed in the last {WINDOW}.")
    failing = family("failed", "1: the newest run failed.")
    running = family("running", "1: a run has begun and not ended.")
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, [sorted(settings.CELERY_BEAT_SCHEDULE), WINDOW])
        rows = cursor.fetchall()
    for job, begun, ended, failed, good, bad in rows:
        failures.add_metric([job], bad)
        if begun is not None:
            started.add_metric([job], begun.timestamp())
            failing.add_metric([job], int(failed))
            running.add_metric([job], int(ended is None))
        if begun is not None and ended is not None:
            seconds.add_metric([job], (ended - begun).total_seconds())
        if good is not None:
            succeeded.add_metric([job], good.timestamp())
    return iter((started, succeeded, seconds, failures, failing, running))


def _outbox() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX, {"cap": CAP, "window": WINDOW})
        queued, sending, oldest, failed, bounced = cursor.fetchone()
    waiting = GaugeMetricFamily("quartier_outbox_messages", f"Messages, at most {CAP}.", labels=["state"])
    waiting.add_metric(["queued"], queued)
    waiting.add_metric(["sending"], sending)
    lost = GaugeMetricFamily(
        "quartier_outbox_lost_messages", f"Messages that failed or came back in the last {WINDOW}.", labels=["state"]
    )
    lost.add_metric(["failed"], failed)
    lost.add_metric(["bounced"], bounced)
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    yield waiting
    yield lost
    yield _gauge("outbox_oldest_seconds", "How long ago the oldest waiting message should have gone out.", age)


def _audit() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(_AUDIT, [CAP])
        count, oldest = cursor.fetchone()
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("audit_unsealed_entries", f"Entries that wait for the sealer, at most {CAP}.", count)
    yield _gauge("audit_unsealed_oldest_seconds", "Age of the oldest of them.", age)


def _storage() -> Iterator[Metric]:
    (pages,) = _row(_BLOB_PAGES)
    percent = min(100.0, 100 * SAMPLE / max(pages, 1))
    count, size = _row(_BLOBS, [percent])
    waiting, received = _row(_UPLOADS, [CAP])
    scale = 100 / percent
    yield _gauge("blobs", "Stored files, equal ones of a tenant once. Estimated when there are many.", count * scale)
    yield _gauge("blob_bytes", "Their bytes, without previews. Estimated like their number.", float(size) * scale)
    yield _gauge("uploads_waiting", f"Uploads that nothing has taken yet, at most {CAP}.", waiting)
    yield _gauge("uploads_waiting_bytes", "What has arrived of them.", float(received))


def _database() -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        rows = cursor.fetchall()
    states = GaugeMetricFamily(
        "quartier_database_connections", "Connections of web and workers, as the database sees them.", labels=["state"]
    )
    for state, count, *_rest in rows:
        states.add_metric([state], count)
    yield states
    yield _gauge("database_connections_max", "How many the database admits, of everybody.", rows[0][4])
    yield _gauge("database_lock_waits", "Connections that wait for a lock.", sum(row[2] for row in rows))
    yield _gauge("database_oldest_transaction_seconds", "Age of the oldest transaction.", max(row[3] for row in rows))
    yield _gauge("database_bytes", "Size of the database.", rows[0][5])


def _disk() -> Iterator[Metric]:
    """Only where files lie in a folder: a bucket tells nobody how full it is."""
    url = urlsplit(settings.STORAGE_URL)
    if url.scheme == "file":
        usage = shutil.disk_usage(Path(unquote(url.path)))
        yield _gauge("storage_free_bytes", "Room for files on their disk.", usage.free)
        yield _gauge("storage_size_bytes", "Size of that disk.", usage.total)


def _queue() -> Iterator[Metric]:
    server = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        waiting, running = server.llen(QUEUE), server.hlen("unacked")
    finally:
        server.close()
    yield _gauge("queue_tasks", "Tasks that wait for a worker.", int(waiting))  # type: ignore[arg-type]
    yield _gauge("queue_unacknowledged_tasks", "Tasks that a worker has taken.", int(running))  # type: ignore[arg-type]


_IN_DATABASE: dict[str, Callable[[], Iterator[Metric]]] = {
    "jobs": _jobs, "outbox": _outbox, "audit": _audit, "storage": _storage, "database": _database,
}  # fmt: skip
_BESIDE: dict[str, Callable[[], Iterator[Metric]]] = {"disk": _disk, "queue": _queue}
