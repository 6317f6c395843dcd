"""Which errors are no mistake of ours but an outage: database, broker, storage or disk. Callers are told to come back.

What a caller sees is the same everywhere: status 503, or 507 where the disk is full, and ``Retry-After``.
"""

from __future__ import annotations

import errno
import sys

import redis
from django.db import Error as DatabaseError
from django.db import InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg import Error as ServerError

from core.errors import StorageFull, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK = frozenset({errno.EIO, errno.EROFS, errno.ESTALE})
# What PostgreSQL says, by class: no connection, conflict with others, out of resources, stopped, broken hardware.
_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_STATES = frozenset({"25006", "55P03"})  # a standby took the place of the server; a lock was not to be had
_DISK_FULL = "53100"
# What was referred to went meanwhile (foreign keys are asked at the end of a transaction); each waited for the other.
ATTEMPTS = 3  # of a request that others were in the way of
_CLASHES = frozenset({"23503", "40001", "40P01"})


def outage_of(error: BaseException | None) -> Unavailable | None:
    """The outage behind an error, or none when it is a mistake."""
    while error is not None:
        found = _outage(error)
        if found is not None:
            return found
        error = error.__cause__
    return None


def is_clash(error: BaseException | None) -> bool:
    """Whether another transaction was in the way, so that the same request, done again, finds what there is now."""
    while error is not None:
        if isinstance(error, ServerError) and error.sqlstate in _CLASHES:
            return True
        error = error.__cause__
    return False


def _outage(error: BaseException) -> Unavailable | None:
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, ServerError | DatabaseError):
        return _of_database(error)
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return Unavailable()
    if type(error).__module__.startswith("botocore."):
        return _of_bucket(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        return StorageFull()
    if isinstance(error, OSError) and error.errno in _DISK:
        return Unavailable()
    return None


def _of_database(error: BaseException) -> Unavailable | None:
    server = error if isinstance(error, ServerError) else error.__cause__
    if not isinstance(server, ServerError):
        return Unavailable() if isinstance(error, InterfaceError) else None  # the connection is closed
    state = server.sqlstate
    if state == _DISK_FULL:
        return StorageFull()
    lost = state is None and type(server).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")
    return Unavailable() if lost or state in _STATES or str(state)[:2] in _CLASSES else None


def _of_bucket(error: BaseException) -> Unavailable | None:
    from botocore import exceptions  # only where there is a bucket

    lost = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
    if isinstance(error, lost):
        return Unavailable()  # no connection, no answer
    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == StorageFull.status:
            return StorageFull()
        return Unavailable() if status >= 500 or status == 429 else None
    return None


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what no view has answered (`handler500`): an outage, or a mistake of ours."""
    outage = outage_of(sys.exc_info()[1])
    if outage is None:
        return render(request, "500.html", status=500)
    response = render(request, "503.html", {"message": outage.message, "status": outage.status}, status=outage.status)
    response.headers["Retry-After"] = str(outage.retry_after)
    return response
