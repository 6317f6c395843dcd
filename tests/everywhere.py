"""Row policies and tests: what the product does is bound by them as ever, what a test itself does sees every tenant.

A test stands outside of any unit of work, or opens one through the door ``test``. Whatever tenants it has come across
so far are told to the database for it. A request of the test client begins with no tenant at all, as in production.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.client import ClientHandler

from core import scope

_known: set[int] = set()
_here = threading.local()
_real = scope._tell_database


def _tell(tenants: frozenset[int], *, is_fresh: bool = False) -> None:
    _known.update(tenants)
    if scope.current().door not in ("", "test") or getattr(_here, "serving", False):
        _real(tenants, is_fresh=is_fresh and not _told_session())
        return
    ids = "{" + ",".join(map(str, sorted(_known))) + "}"
    # Of the connection, not of the transaction: a transactional test looks at what it has committed. Past Django's
    # cursor, because these queries are nobody's cost.
    connection.ensure_connection()
    connection.connection.execute("SELECT set_config('quartier.tenants', %s, false)", [ids])


@contextmanager
def serving() -> Iterator[None]:
    """A request is served in here: no tenant is entered but by the product."""
    token = scope._current.set(scope._NOWHERE)
    _here.serving = True
    try:
        if connection.in_atomic_block:
            connection.connection.execute("SELECT set_config('quartier.tenants', '', false)")
        yield
    finally:
        _here.serving = False
        scope._current.reset(token)
        if connection.in_atomic_block and not connection.needs_rollback:
            _tell(frozenset())


def _told_session() -> bool:
    """Whether a test has told this connection something that outlasts its transactions, as the product never does."""
    connection.ensure_connection()
    told = connection.connection.execute("SELECT current_setting('quartier.tenants', true)").fetchone()
    return bool(told[0])


def _serve(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(self: ClientHandler, *args: Any, **kwargs: Any) -> Any:
        with serving():
            return call(self, *args, **kwargs)

    return inner


@contextmanager
def everywhere() -> Iterator[None]:
    """For every test, see above."""
    _known.clear()
    token = scope._current.set(scope._NOWHERE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scope, "_tell_database", _tell)
        patch.setattr(ClientHandler, "__call__", _serve(ClientHandler.__call__))
        yield
    scope._current.reset(token)
