"""Emptying the tables after a transactional test, and bringing back rows that many tests begin with.

Both as the owner of the tables, and where the server lets him (the tests' own does) with the checks of foreign keys
switched off: for each row that is deleted PostgreSQL asks every table that may refer to it, and of the organizations and
people of a test some hundred may. Nothing is left that could refer to anything; what is brought back was checked when it
was made.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from tests.servers import owner

# Rows that migrations put there and that no test may take away.
_KEPT_TABLES = ("django_migrations", "django_content_type", "auth_permission")
_FEW_ROWS = 512 * 1024  # bytes of a table: beyond it TRUNCATE is faster than DELETE
_SCHEMA = "kept"
_YOUNG = 60.0  # seconds: moments stay as they were, some of them signed, and soon it matters how long ago they are
_emptied: list[int] = [0]


def times_emptied() -> int:
    """How often `truncate_all` was called so far: what is known of rows holds until the next time."""
    return _emptied[0]


def truncate_all() -> None:
    """Empty every table that has rows, as the owner: TRUNCATE is none of the app role's rights.

    The size of a table, not a SELECT, tells which had rows: whoever still writes may not have committed.
    """
    _emptied[0] += 1
    with owner() as connection:
        connection.execute("SET lock_timeout = '20s'")
        sizes = _sizes(connection)
        if not sizes:
            return
        # TRUNCATE makes new files for all tables and indexes that CASCADE reaches, some 900: ten times as slow as
        # taking away the few rows of most tests.
        empty = _truncate if max(sizes.values()) > _FEW_ROWS else _delete
        for patience in (3, 2, 1, 0):
            try:
                empty(connection, _names(sizes))
                return
            except psycopg.errors.DeadlockDetected:  # with a request of the page that a browser still shows
                if not patience:
                    raise


def tables_with_rows() -> list[str]:
    """Those that `truncate_all` would empty."""
    with owner() as connection:
        return _filled(connection)


class Kept:
    """All rows that the tables held at one moment, kept beside them in this process's database."""

    def __init__(self) -> None:
        self._restore: sql.Composable | None = None
        self._taken_at = 0.0

    def take(self) -> None:
        """Keep what is there now; `restore` brings it back from here on. Not on a server that insists on its checks: keys
        of two columns would ask for the tables in their order."""
        with owner() as connection, connection.transaction():
            if not _trust(connection):
                return
            tables = _filled(connection)
            schema = sql.Identifier(_SCHEMA)
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(schema))
            copy = sql.SQL("CREATE TABLE {} AS TABLE {}")
            for name in tables:
                connection.execute(copy.format(sql.Identifier(_SCHEMA, name), sql.Identifier("public", name)))
            counters = connection.execute(
                """
                SELECT format('%%I.%%I', schemaname, sequencename), last_value FROM pg_sequences
                 WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename <> ALL(%s)
                """,
                [_counters_kept()],
            ).fetchall()
            setval = sql.SQL("SELECT setval({}, {})")
            self._taken_at = time.monotonic()
            self._restore = sql.SQL("; ").join([
                *(_insert(connection, name) for name in tables),
                *(setval.format(sql.Literal(name), sql.Literal(value)) for name, value in counters),
            ])  # fmt: skip

    def restore(self) -> bool:
        """Bring it back. False where nothing is kept that is young enough, or something else is there already."""
        if self._restore is None or time.monotonic() - self._taken_at > _YOUNG:
            return False
        with owner() as connection, connection.transaction():
            if _filled(connection):
                return False
            _trust(connection)
            connection.execute(self._restore)
        return True


def _insert(connection: psycopg.Connection[Any], table: str) -> sql.Composable:
    """The statement that brings back the rows of one table."""
    columns = connection.execute(
        """
        SELECT attname FROM pg_attribute
         WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
        """,
        [f'public."{table}"'],
    ).fetchall()
    return sql.SQL("INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}").format(
        sql.Identifier("public", table),
        sql.Identifier(_SCHEMA, table),
        columns=_names(name for (name,) in columns),
    )


def _trust(connection: psycopg.Connection[Any]) -> bool:
    """Check no foreign keys in the rest of this transaction, where that may be switched off; whether it may."""
    switched = connection.execute(
        """
        SELECT set_config('session_replication_role', 'replica', true)
         WHERE has_parameter_privilege('session_replication_role', 'SET')
        """
    )
    return switched.fetchone() is not None


def _truncate(connection: psycopg.Connection[Any], tables: sql.Composable) -> None:
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))


def _delete(connection: psycopg.Connection[Any], tables: sql.Composable) -> None:
    """What TRUNCATE does, row by row. Foreign keys are checked at the end, so the order of the tables does not matter."""
    with connection.transaction():
        # As TRUNCATE: whoever still writes is waited for. He may have written to tables that were empty so far.
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables))
        if filled := _filled(connection):
            _trust(connection)
            deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in filled]
            connection.execute(sql.SQL("; ").join(deletes))
        connection.execute(
            """
            SELECT setval(format('%%I.%%I', schemaname, sequencename), start_value, false) FROM pg_sequences
             WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename <> ALL(%s)
            """,
            [_counters_kept()],
        )


def _counters_kept() -> list[str]:
    return [f"{table}_id_seq" for table in _KEPT_TABLES]


def _filled(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that hold a row now."""
    any_row = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    asked = [any_row.format(sql.Literal(name), sql.Identifier(name)) for name in _sizes(connection)]
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall()] if asked else []


def _sizes(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The bytes of each table that has or had rows."""
    found = connection.execute(
        """
        SELECT c.relname, pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> ALL(%s) AND pg_relation_size(c.oid) > 0
        """,
        [list(_KEPT_TABLES)],
    )
    return dict(found.fetchall())


def _names(tables: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, tables))
