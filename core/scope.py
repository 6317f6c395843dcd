"""One unit of work = one transaction. Requests, tasks and commands open it here and nowhere else.

It also says who works, through which door and in which tenants: the audit reads it, and the database's
row policies read the tenants from a setting that lives as long as the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.db import connection, transaction

_T = TypeVar("_T")


@dataclass(frozen=True)
class Scope:
    """Who does something, from where and in which tenants."""

    door: str
    user_id: int | None = None
    acting_for: int | None = None
    ip: str | None = None
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    tenants: frozenset[int] = frozenset()


_NOWHERE = Scope(door="", request_id="")
_current: ContextVar[Scope] = ContextVar("quartier_scope", default=_NOWHERE)


@dataclass
class Served:
    """A request being served: what its units of work knew stays known for the logs when they have closed."""

    scope: Scope

    def keep(self, closing: Scope) -> None:
        """Remember who it was, of a unit of work that closes."""
        self.scope = replace(
            self.scope,
            door=closing.door or self.scope.door,
            user_id=closing.user_id or self.scope.user_id,
            acting_for=closing.acting_for or self.scope.acting_for,
            tenants=closing.tenants or self.scope.tenants,
        )


_served: ContextVar[Served | None] = ContextVar("quartier_served", default=None)


def current() -> Scope:
    """The scope of the running unit of work; an empty one outside of any."""
    return _current.get()


def latest() -> Scope:
    """That of the running unit of work, else what the request being served is known by."""
    now, served = _current.get(), _served.get()
    return served.scope if served is not None and not now.request_id else now


@contextmanager
def serving(*, door: str, ip: str | None, request_id: str) -> Iterator[Served]:
    """A request is served in here; its units of work belong to it."""
    served = Served(Scope(door=door, ip=ip, request_id=request_id))
    token = _served.set(served)
    try:
        yield served
    finally:
        _served.reset(token)


@contextmanager
def unit_of_work(
    *,
    door: str,
    user_id: int | None = None,
    acting_for: int | None = None,
    ip: str | None = None,
    request_id: str = "",
    tenants: Iterable[int] = (),
) -> Iterator[Scope]:
    """Open a transaction and the scope of what happens in it. An exception undoes both."""
    served = _served.get()
    scope = Scope(
        door=door,
        user_id=user_id,
        acting_for=acting_for,
        ip=ip,
        request_id=request_id or (served.scope.request_id if served else uuid.uuid4().hex),
        tenants=frozenset(tenants),
    )
    token = _current.set(scope)
    is_fresh = not connection.in_atomic_block
    try:
        with transaction.atomic():
            _tell_database(scope.tenants, is_fresh=is_fresh)
            yield scope
    finally:
        if served is not None:
            served.keep(_current.get())
        _current.reset(token)
        if connection.in_atomic_block and not connection.needs_rollback:  # within another unit, which goes on
            _tell_database(current().tenants)


@contextmanager
def joined() -> Iterator[None]:
    """The running transaction, or one of its own where there is none: `transaction.atomic` without the savepoint that it
    makes within another, for what writes by its last statement alone.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield


@contextmanager
def resumed(earlier: Scope) -> Iterator[Scope]:
    """A unit of work of the same person, door and tenants as an earlier one: while an answer is being sent, the one that
    began it is over."""
    with unit_of_work(
        door=earlier.door,
        user_id=earlier.user_id,
        acting_for=earlier.acting_for,
        ip=earlier.ip,
        request_id=earlier.request_id,
        tenants=earlier.tenants,
    ) as unit:
        yield unit


def identify(user_id: int | None, *, acting_for: int | None = None) -> None:
    """Say who works, once a door knows it."""
    _current.set(replace(_current.get(), user_id=user_id, acting_for=acting_for))


def enter_tenants(tenants: Iterable[int], *, is_told: bool = False) -> None:
    """Say in which tenants the rest of this transaction works.

    ``is_told`` where a statement of the caller's has told the database already, by `TELL`.
    """
    scope = replace(_current.get(), tenants=frozenset(tenants))
    _current.set(scope)
    if not is_told:
        _tell_database(scope.tenants)


# An expression that tells the row policies the tenants, a text like ``{1,2}``, for the rest of the transaction.
TELL = "set_config('quartier.tenants', {tenants}, true)"


@contextmanager
def all_tenants() -> Iterator[None]:
    """Sweeps and look-ups before a tenant is known (an invite code, a share, a mail reply) run in here.

    The policies ask for tenant ids, so the ids of all tenants are set for the duration.
    """
    from django.apps import apps

    before = current().tenants
    organization = apps.get_model("orgs", "Organization")
    enter_tenants(organization.objects.filter(is_tenant=True).values_list("id", flat=True))
    try:
        yield
    finally:
        enter_tenants(before)


@contextmanager
def beside() -> Iterator[Callable[[Callable[[], _T]], _T]]:
    """A way to commit something while the running unit of work stays open: progress that others can see.

    Yields ``aside(work)``, which runs ``work`` in a unit of work of its own, of the same person in the same tenants, on
    a connection of its own. It must not write rows that the open unit of work has written: both would wait for ever.
    """
    now = current()

    def alone(work: Callable[[], _T]) -> _T:
        with resumed(now):
            return work()

    def hang_up() -> None:
        connection.close()  # of this thread

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside") as thread:  # connections belong to threads
        try:
            yield lambda work: thread.submit(alone, work).result()
        finally:
            thread.submit(hang_up).result()


def write_alone(statements: str, params: Mapping[str, Any], *, tenants: Iterable[int]) -> int:
    """Run changes as a transaction of their own in these tenants, in one round trip; returns how many rows the last met.

    For the few places that commit thousands of times in a row; elsewhere `unit_of_work` reads better. ``statements``
    are constant SQL, separated by semicolons, that return nothing. Within a running transaction they are part of it.
    """
    ids = "{" + ",".join(str(t) for t in sorted(tenants)) + "}"
    with connection.cursor() as cursor:  # several statements sent as one are one transaction
        cursor.execute(
            f"SELECT set_config('quartier.tenants', %(_tenants)s, true); {statements}", {**params, "_tenants": ids}
        )
        while cursor.nextset():
            pass
        met = int(cursor.rowcount)
    _tell_database(current().tenants)
    return met


def _tell_database(tenants: frozenset[int], *, is_fresh: bool = False) -> None:
    """A transaction that has just begun knows of no tenant: there is no need to tell it so."""
    if not connection.in_atomic_block or (is_fresh and not tenants):
        return
    with connection.cursor() as cursor:
        ids = "{" + ",".join(str(t) for t in sorted(tenants)) + "}"
        cursor.execute(f"SELECT {TELL.format(tenants='%s')}", [ids])
