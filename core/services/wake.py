"""Tell a worker that there is work. A dead broker neither fails nor holds up the request: sweeps find the rest."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from kombu.pools import producers

if TYPE_CHECKING:
    from kombu import Connection

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for connecting and for sending
PAUSE = 5.0  # seconds in which a broker that failed is not asked again


class _Broker:
    """What this process knows of the broker."""

    silent_until = 0.0  # on the monotonic clock


_broker = _Broker()


@lru_cache(maxsize=4)
def _connection(url: str) -> Connection:
    """A connection of our own, less patient than the worker's."""
    options: dict[str, Any] = dict(settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    options |= {
        "socket_connect_timeout": PATIENCE,
        "socket_timeout": PATIENCE,
        "max_retries": 0,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
    connection: Connection = current_app.connection_for_write(
        url, connect_timeout=PATIENCE, transport_options=options, heartbeat=0
    )
    return connection


def wake(task: str, *args: int) -> bool:
    """Send a task its ids; False when the broker does not answer within about a second.

    Use it as ``transaction.on_commit(partial(wake, "app.task", row.pk), robust=True)``. Whoever relies on it has
    a sweep that finds what was not sent. After a failure the broker is left alone for five seconds, so that a
    request with many messages waits once.
    """
    if time.monotonic() < _broker.silent_until:
        return False
    try:
        with producers[_connection(settings.CELERY_BROKER_URL)].acquire(block=True, timeout=PATIENCE) as producer:
            current_app.send_task(task, args=args, producer=producer, retry=False, ignore_result=True)
    except Exception as error:
        _broker.silent_until = time.monotonic() + PAUSE
        log.warning("broker not reachable, %s will be found by the sweep: %s", task, error)
        return False
    return True
