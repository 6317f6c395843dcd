"""Statements that nearly every request asks, written out, and planned by PostgreSQL once for each connection.

Putting such a statement together by the ORM costs more time than answering it, and so does planning one with a dozen
subqueries. The values are bound by the server, so the text stays the same; after its fifth use psycopg prepares it.
Behind a pooler in transaction mode the next transaction may meet another server, so nothing is prepared there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.backends.postgresql.base import ServerBindingCursor

USES = 5  # before a statement is prepared


@contextmanager
def planned_cursor() -> Iterator[Any]:
    """A cursor of the default connection, seen by whatever counts and logs its statements."""
    connection.ensure_connection()
    raw = connection.connection
    if not connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        raw.prepare_threshold = USES
    made: Any = ServerBindingCursor(raw)  # type: ignore[call-arg]
    with connection.make_debug_cursor(made) if connection.queries_logged else connection.make_cursor(made) as cursor:
        yield cursor


def sql_of(found: models.QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]] | None:
    """A queryset as text and values, for statements around it; None where Django sees that it is empty."""
    try:
        return found.query.sql_with_params()
    except EmptyResultSet:
        return None


def named_sql_of(found: models.QuerySet[Any, Any]) -> tuple[str, dict[str, Any]] | None:
    """The same for a statement whose other values have names; these are called ``_0``, ``_1`` …"""
    inner = sql_of(found)
    if inner is None:
        return None
    pieces = inner[0].split("%s")
    assert len(pieces) == len(inner[1]) + 1, "a percent sign that is no value"
    text = pieces[0] + "".join(f"%(_{place})s{piece}" for place, piece in enumerate(pieces[1:]))
    return text, {f"_{place}": value for place, value in enumerate(inner[1])}


def count(found: models.QuerySet[Any, Any]) -> int:
    """How many rows a queryset finds."""
    inner = sql_of(found.order_by().values("pk"))
    if inner is None:
        return 0
    with planned_cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({inner[0]}) AS found", inner[1])  # noqa: S608 - Django's own text
        return int(cursor.fetchone()[0])


class ModelRows:
    """Rows of models by a constant statement, in which ``{alias}`` stands for all columns of a model.

    ``ModelRows("SELECT {t}, {u} FROM orgs_accesstoken t JOIN …", t="orgs.AccessToken", u="orgs.User")`` gives pairs of
    instances; a model of an outer join that met no row is None. A new field of a model is read without a word here.
    """

    def __init__(self, statement: str, **aliases: str) -> None:
        self._statement, self._aliases = statement, aliases

    def fetch(self, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Ask for the rows; values by name."""
        text, parts = self._compiled
        with planned_cursor() as cursor:
            cursor.execute(text, params)
            return [tuple(part.of(row) for part in parts) for row in cursor.fetchall()]

    @cached_property
    def _compiled(self) -> tuple[str, list[_Part]]:
        columns: dict[str, str] = {}
        parts = []
        begin = 0
        for alias, name in self._aliases.items():
            model = apps.get_model(name)
            fields = model._meta.concrete_fields
            columns[alias] = ", ".join(f'{alias}."{f.column}"' for f in fields)
            converters = [
                (place, converter)
                for place, f in enumerate(fields)
                for converter in (*connection.ops.get_db_converters(f.cached_col), *f.get_db_converters(connection))
            ]
            key = begin + fields.index(model._meta.pk)
            parts.append(_Part(model, [f.attname for f in fields], slice(begin, begin + len(fields)), key, converters))
            begin += len(fields)
        return self._statement.format(**columns), parts


class _Part(NamedTuple):
    """Where the columns of one model stand in a row."""

    model: type[models.Model]
    names: list[str]
    place: slice
    key: int
    converters: list[tuple[int, Callable[[Any, Any, Any], Any]]]

    def of(self, row: tuple[Any, ...]) -> models.Model | None:
        """The instance, as the ORM would make it."""
        if row[self.key] is None:
            return None
        values = list(row[self.place])
        for place, convert in self.converters:
            values[place] = convert(values[place], self.model._meta.concrete_fields[place].cached_col, connection)
        return self.model.from_db(connection.alias, self.names, values)
