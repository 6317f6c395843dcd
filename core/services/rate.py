"""How often somebody may ask: requests counted in Redis, one round trip each. Failed attempts are `core.services.throttle`.

Counted per whole minute of the clock, so nothing is left to tidy: over the turn of a minute somebody may ask twice as often
for a moment, and what the limits protect bears that. Where a contract promises a number within any second, `check_within`
remembers the moments themselves.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

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

_T = TypeVar("_T")
# Moments of requests that were let through, of the last window. Returns the oldest where there is no room for one more.
_LOG = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
    return redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
redis.call('EXPIRE', KEYS[1], 2 * ARGV[2])
return false
"""


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
    turn, passed = divmod(now(), window)
    name = f"quartier:rate:{scope}:{key}:{int(turn)}"

    def count(server: redis.Redis) -> int:
        with server.pipeline(transaction=False) as commands:
            commands.incr(name)
            commands.expire(name, 2 * window)
            return cast("int", commands.execute()[0])

    counted = _ask(count) if limit > 0 else None
    if counted is not None and counted > limit:
        raise _blocked(window - passed)


def check_within(scope: str, key: object, limit: int, *, window: int) -> None:
    """The same for any stretch of ``window`` seconds, wherever it begins; requests that are refused do not count."""
    at = now()

    def ask(server: redis.Redis) -> Any:
        return server.eval(_LOG, 1, f"quartier:rate:{scope}:{key}", at, window, limit, uuid.uuid4().hex)

    oldest = _ask(ask) if limit > 0 else None
    if oldest is not None:
        raise _blocked(float(oldest) + window - at)


def _ask(question: Callable[[redis.Redis], _T]) -> _T | None:
    """What the server says; None while it says nothing."""
    if time.monotonic() < _server.silent_until:
        return None
    try:
        answer = question(_client(settings.REDIS_URL))
    except redis.RedisError as error:
        _server.silent_until = time.monotonic() + PAUSE
        if not _server.is_lost:
            _server.is_lost = True
            log.warning("requests are not counted, so no rate is limited: %s", error)
        return None
    if _server.is_lost:
        _server.is_lost = False
        log.warning("requests are counted again")
    return answer


def _blocked(seconds: float) -> Blocked:
    return Blocked(max(1, math.ceil(seconds)), _("Too many requests. Please wait a moment."))
