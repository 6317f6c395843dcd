"""Tell a worker that there is work. A dead broker neither fails nor holds up the request: sweeps find the rest."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from celery import current_app
from celery.utils import uuid
from django.conf import settings
from django.db import connection, transaction
from kombu.pools import producers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kombu import Connection, Producer

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
    line: Connection = current_app.connection_for_write(
        url, connect_timeout=PATIENCE, transport_options=options, heartbeat=0
    )
    return line


def wake(task: str, *args: int) -> bool:
    """Send a task its ids; False when the broker does not answer within about a second.

    Use it as ``transaction.on_commit(partial(wake, "app.task", row.pk), robust=True)``, or `wake_after_commit` where one
    change wakes several. Whoever relies on it has a sweep that finds what was not sent. After a failure the broker is left
    alone for five seconds, so that a request with many messages waits once.
    """
    return wake_all([(task, args)])


def wake_all(tasks: Sequence[tuple[str, tuple[int, ...]]]) -> bool:
    """`wake` for several tasks, in one round trip to the broker."""
    if time.monotonic() < _broker.silent_until:
        return False
    try:
        pool = producers[_connection(settings.CELERY_BROKER_URL)]
        with pool.acquire(block=True, timeout=PATIENCE) as producer, producer.batch():
            for task, args in tasks:
                _send(producer, task, args)
    except Exception as error:
        _broker.silent_until = time.monotonic() + PAUSE
        names = ", ".join(task for task, _args in tasks)
        log.warning("broker not reachable, %s will be found by the sweep: %s", names, error)
        return False
    return True


def _send(producer: Producer, task: str, args: tuple[int, ...]) -> None:
    """Celery's message into its one queue. `send_task`, which also looks for routes, for options of the task and for who
    waits for a result, takes twice as long.
    """
    amqp = current_app.amqp
    message = amqp.create_task_message(uuid(), task, args, {}, ignore_result=True, argsrepr=repr(args), kwargsrepr="{}")
    producer.publish(  # type: ignore[no-untyped-call]
        message.body,
        exchange="",
        routing_key=amqp.default_queue.name,
        serializer=current_app.conf.task_serializer,
        headers=message.headers,
        **message.properties,
    )


class _Waking:
    """What is sent when a transaction has been committed."""

    def __init__(self, first: tuple[str, tuple[int, ...]]) -> None:
        self.tasks = [first]

    def __call__(self) -> None:
        wake_all(self.tasks)


def wake_after_commit(task: str, *args: int) -> None:
    """`wake` after the commit, at once with what else the same savepoint wakes: it is undone with it, and only with it."""
    waiting: list[Any] = connection.run_on_commit
    for savepoints, action, _robust in waiting:
        if isinstance(action, _Waking) and savepoints == set(connection.savepoint_ids):
            action.tasks.append((task, args))
            return
    transaction.on_commit(_Waking((task, args)), robust=True)
