"""Statements that nearly every request asks, written out, and planned by PostgreSQL once for each connection.

Putting such a statement together by the ORM costs more time than answering it, and so does planning one with a dozen
subqueries. The values are bound by the server, so the text stays the same; after its fifth use psycopg prepares it.
Behind a pooler in transaction mode the next transaction may meet another server, so nothing is prepared there. Each text
is rewritten to PostgreSQL's own places for values (``$1``) once for each process, not at each use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from psycopg import RawCursor

_M = TypeVar("_M", bound=models.Model)
USES = 5  # before a statement is prepared
NEXT = "nextval(pg_get_serial_sequence('{table}', 'id'))"  # the number that the next row of a table gets


_PLACE = re.compile(r"%(?:\((\w+)\))?([s%])")


@lru_cache(maxsize=512)
def _numbered(statement: str) -> tuple[str, list[str]]:
    """The statement with ``$1`` … for its values, and the name of each; those that are given by place have none."""
    names: list[str] = []
    places: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name, kind = found.groups()
        if kind == "%":
            return "%"
        if name is None:
            places[str(len(places))] = len(places) + 1
            return f"${len(places)}"
        if name not in places:
            places[name] = len(places) + 1
            names.append(name)
        return f"${places[name]}"

    return _PLACE.sub(number, statement), names


class _PlannedCursor(RawCursor[Any]):
    """Takes statements with ``%s`` or ``%(name)s`` for values, as every cursor of Django."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Psycopg's."""
        if params is None:
            return super().execute(query, **options)
        text, names = _numbered(query)
        return super().execute(text, [params[name] for name in names] if names else params, **options)


@contextmanager
def planned_cursor() -> Iterator[Any]:
    """A cursor of the default connection, seen by whatever counts and logs its statements."""
    connection.ensure_connection()
    raw = connection.connection
    if not connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        raw.prepare_threshold = USES
    made: Any = _PlannedCursor(raw)
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


FOUND = "(found)"  # stands in a statement for what a queryset finds


def around(statement: str, found: models.QuerySet[Any, Any]) -> tuple[str, dict[str, Any]] | None:
    """A constant statement around what a queryset finds, with its values; None where Django sees that this is nothing."""
    inner = named_sql_of(found)
    return inner and (statement.replace(FOUND, f"({inner[0]})"), inner[1])


def count(found: models.QuerySet[Any, Any]) -> int:
    """How many rows a queryset finds."""
    inner = sql_of(found.order_by().values("pk"))
    if inner is None:
        return 0
    with planned_cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({inner[0]}) AS found", inner[1])  # noqa: S608 - Django's own text
        return int(cursor.fetchone()[0])


class Found(Generic[_M]):
    """Rows of a model by a queryset that is put together once: later questions differ in their values alone.

    ``Found(lambda tenant: Contact.objects.filter(tenant=tenant), tenant=NUMBER)``: the keywords say of which kind a value
    is, `NUMBER` or `WORD`. What the queryset joins or leaves out is settled when it is put together, so only what stands
    in a comparison may depend on a value.
    """

    def __init__(self, build: Callable[..., models.QuerySet[_M]], **kinds: str) -> None:
        self._build, self._kinds = build, kinds

    def first(self, **values: Any) -> _M | None:
        """The first row, or none."""
        return next(iter(self.fetch(**values)), None)

    def exists(self, **values: Any) -> bool:
        """Whether there is one."""
        return bool(self.fetch(**values))

    def fetch(self, **values: Any) -> list[_M]:
        """All rows."""
        statement, constants, rows = self._compiled
        return [found for (found,) in rows.fetch_by(statement, {**constants, **values})]

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any], ModelRows]:
        stands_for: dict[Any, str] = {}
        for place, (name, kind) in enumerate(self._kinds.items()):
            stands_for[_STAND_INS[kind](place)] = name
        found = self._build(**{name: value for value, name in stands_for.items()})
        inner = sql_of(found)
        assert inner is not None, "a queryset that finds nothing"
        pieces, names, constants = inner[0].split("%s"), [], {}
        for place, value in enumerate(inner[1]):
            name = stands_for.get(value) or f"_{place}"
            names.append(name)
            if name not in self._kinds:
                constants[name] = value
        assert set(names) >= set(self._kinds), "a value that the queryset does not ask for"
        text = pieces[0] + "".join(f"%({name})s{piece}" for name, piece in zip(names, pieces[1:], strict=True))
        return text, constants, ModelRows("", row=found.model._meta.label)


# Values that stand for those of a later question while the statement is put together.
NUMBER, WORD = "number", "word"
_STAND_INS: dict[str, Callable[[int], Any]] = {
    NUMBER: lambda place: 2_000_000_011 + place,
    WORD: lambda place: f"\x01{place}",
}


class ModelRows:
    """Rows of models by a constant statement, in which ``{alias}`` stands for all columns of a model.

    ``ModelRows("SELECT {t}, {u} FROM orgs_accesstoken t JOIN …", t="orgs.AccessToken", u="orgs.User")`` gives pairs of
    instances; a model of an outer join that met no row is None. A new field of a model is read without a word here, but
    where ``only`` names the fields that are wanted (the key among them). Columns after those of the models come as they are.
    """

    def __init__(self, statement: str, only: Mapping[str, tuple[str, ...]] | None = None, **aliases: str) -> None:
        self._statement, self._only, self._aliases = statement, only or {}, aliases

    def fetch(self, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask for the rows; values by name, or by place."""
        return self.fetch_by(self._compiled[0], params)

    def fetch_around(self, found: models.QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
        """Ask for the rows of what a queryset finds, for which the statement has ``(found)``."""
        asked = around(self._compiled[0], found)
        return self.fetch_by(*asked) if asked else []

    def fetch_by(self, statement: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
        """The same by another constant statement with these columns."""
        parts = self._compiled[1]
        end = parts[-1].place.stop
        with planned_cursor() as cursor:
            cursor.execute(statement, params)
            return [(*(part.of(row) for part in parts), *row[end:]) for row in cursor.fetchall()]

    @cached_property
    def _compiled(self) -> tuple[str, list[_Part]]:
        columns: dict[str, str] = {}
        parts = []
        begin = 0
        for alias, name in self._aliases.items():
            model = apps.get_model(name)
            fields = [f for f in model._meta.concrete_fields if f.attname in self._only.get(alias, (f.attname,))]
            columns[alias] = ", ".join(f'{alias}."{f.column}"' for f in fields)
            converters = [
                (place, converter)
                for place, f in enumerate(fields)
                for converter in (*connection.ops.get_db_converters(f.cached_col), *f.get_db_converters(connection))
            ]
            key = begin + fields.index(model._meta.pk)
            parts.append(
                _Part(model, fields, [f.attname for f in fields], slice(begin, begin + len(fields)), key, converters)
            )
            begin += len(fields)
        return self._statement.format(**columns), parts


class _Part(NamedTuple):
    """Where the columns of one model stand in a row."""

    model: type[models.Model]
    fields: list[models.Field[Any, Any]]
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
            values[place] = convert(values[place], self.fields[place].cached_col, connection)
        return self.model.from_db(connection.alias, self.names, values)
