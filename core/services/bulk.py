"""Whole tables by COPY, as the owner: for worlds of a million rows, over which services would work for hours.

COPY does not go through row policies, so it is the owner's alone; and it asks no service, so whoever uses this
answers for rows that look as services write them. A row is an unsaved instance of its model: columns that nobody
names get the model's defaults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import models
from psycopg import sql

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# What slows a load down and is made faster afterwards, in one go over all rows. Whatever is unique stays.
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique
"""
_REFERENCES = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'
"""


class Loader:
    """One load: everything in one transaction on a connection of the tables' owner; then `tidy`."""

    def __init__(self, owner: BaseDatabaseWrapper) -> None:
        self._owner = owner
        self.rows: Counter[type[models.Model]] = Counter()

    @contextmanager
    def load(self) -> Iterator[None]:
        """All of it or nothing."""
        self._owner.set_autocommit(False)
        try:
            self._execute("SET LOCAL maintenance_work_mem = '512MB'")
            yield
            self._owner.commit()
        finally:
            self._owner.rollback()  # of what is not committed
            self._owner.set_autocommit(True)

    def ids(self, model: type[models.Model], count: int) -> range:
        """Primary keys that nobody else gets."""
        sequence = "pg_get_serial_sequence(%s, %s)"
        names = [model._meta.db_table, model._meta.pk.column]
        first = self._fetch(f"SELECT nextval({sequence})", names)[0][0]
        if count:
            self._execute(f"SELECT setval({sequence}, %s)", [*names, first + count - 1])
        return range(first, first + count)

    def number(self, model: type[models.Model], rows: Iterable[models.Model]) -> None:
        """Give unsaved rows their keys, so that others can refer to them before they are written."""
        made = list(rows)
        for row, pk in zip(made, self.ids(model, len(made)), strict=True):
            row.pk = pk

    def copy(self, model: type[models.Model], rows: Iterable[models.Model]) -> None:
        """Write rows in the order in which they come; none is kept in memory. Without primary keys they get some."""
        rows = iter(rows)
        first = next(rows, None)
        if first is None:
            return
        fields: list[Any] = [
            f for f in model._meta.concrete_fields if not f.generated and (f is not model._meta.pk or first.pk)
        ]
        names = [f.attname for f in fields]
        prepare = [f.get_db_prep_save for f in fields]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model._meta.db_table), sql.SQL(", ").join(sql.Identifier(f.column) for f in fields)
        )
        # Most columns hold what they held in the row before: preparing only what differs is twice as fast.
        before: list[Any] = [object()] * len(fields)
        prepared: list[Any] = [None] * len(fields)
        with self._owner.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            for row in chain([first], rows):
                values = row.__dict__
                for place, name in enumerate(names):
                    value = values[name]
                    if value is not before[place]:
                        before[place], prepared[place] = value, prepare[place](value, self._owner)
                copy.write_row(prepared)
                self.rows[model] += 1

    @contextmanager
    def bare(self, *loaded: type[models.Model]) -> Iterator[None]:
        """These tables without indexes and references for the while; made again, and so checked, over all rows."""
        tables = [model._meta.db_table for model in loaded]
        self._execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits to be checked keeps tables from being altered
        indexes = self._fetch(_INDEXES, [tables])
        references = self._fetch(_REFERENCES, [tables])
        for table, name, _definition in references:
            self._execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _definition in indexes:
            self._execute(f"DROP INDEX {name}")
        yield
        for _name, definition in indexes:
            self._execute(definition)
        for table, name, definition in references:
            self._execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')

    def tidy(self) -> None:
        """After the load: statistics for the planner, visibility maps for scans of an index alone."""
        for model in self.rows:
            self._execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')

    def _fetch(self, statement: str, params: list[Any]) -> list[Any]:
        with self._owner.cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())

    def _execute(self, statement: str, params: list[Any] | None = None) -> None:
        with self._owner.cursor() as cursor:
            cursor.execute(statement, params)
