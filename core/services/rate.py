"""How often somebody may ask: requests counted per minute, or another stretch of time, in Redis. Failed attempts are `core.services.throttle`.

Counted per whole minute (or second …) of the clock, so each request costs one round trip and nothing is left to tidy. Over the turn
of a minute somebody may ask twice as often for a moment; what the limits protect bears that.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import cast

import redis
from django.conf import settings
from django.utils.translation import gettext as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import Blocked

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
PATIENCE = 1.0  # seconds for connecting and for the answer
PAUSE = 10.0  # seconds in which a server that failed is not asked again


class _Server:
    """What this process knows of the counting server."""

    silent_until = 0.0  # on the monotonic clock
    is_lost = False


_server = _Server()


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), retries=0)
    )


def now() -> float:
    """Seconds since 1970; tests let it stand still."""
    return time.time()


def check(scope: str, key: object, limit: int, *, window: int = WINDOW) -> None:
    """Count a request of ``key``. Raises `Blocked` above ``limit`` in this window of seconds; a limit of 0 is none.

    When the server does not answer, everybody is let through: a limit must not be what takes the house down. That is
    logged once, and once more when counting goes on.
    """
    if limit <= 0 or time.monotonic() < _server.silent_until:
        return
    turn, passed = divmod(now(), window)
    name = f"quartier:rate:{scope}:{key}:{int(turn)}"
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=False) as commands:
            commands.incr(name)
            commands.expire(name, 2 * window)
            count = cast("int", commands.execute()[0])
    except redis.RedisError as error:
        _server.silent_until = time.monotonic() + PAUSE
        if not _server.is_lost:
            _server.is_lost = True
            log.warning("requests are not counted, so no rate is limited: %s", error)
        return
    if _server.is_lost:
        _server.is_lost = False
        log.warning("requests are counted again")
    if count > limit:
        raise Blocked(max(1, round(window - passed)), _("Too many requests. Please wait a moment."))
