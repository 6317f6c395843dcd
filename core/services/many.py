"""Many new rows in one statement, as one JSON document that the database takes apart.

Django's `bulk_create` writes each value as a parameter of its own as soon as a column is an array: for a mail of 27
columns that costs more than what the database does. Row policies, defaults of the model and constraints hold as usual;
signals of single rows are not sent, as with `bulk_create`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db import models


def insert(
    rows: Sequence[models.Model], *, returning: Sequence[str], ignore_conflicts: bool = False
) -> list[tuple[Any, ...]]:
    """Insert unsaved rows of one model; returns these columns of those written, in no promised order.

    With ``ignore_conflicts`` rows that somebody else has written are left out. Takes columns of text, numbers, moments,
    days, truth values and arrays of them, and raises `TypeError` for others.
    """
    if not rows:
        return []
    meta = rows[0]._meta
    fields = [f for f in meta.concrete_fields if not f.generated and not f.primary_key]  # type: ignore[attr-defined]
    document = orjson.dumps(
        [{f.column: f.get_prep_value(f.pre_save(row, True)) for f in fields} for row in rows],
        option=orjson.OPT_UTC_Z,
    ).decode()
    table, columns = sql.Identifier(meta.db_table), sql.SQL(", ").join([sql.Identifier(str(f.column)) for f in fields])
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json) "
        "{conflict} RETURNING {returning}"
    ).format(
        table=table,
        columns=columns,
        conflict=sql.SQL("ON CONFLICT DO NOTHING" if ignore_conflicts else ""),
        returning=sql.SQL(", ").join(map(sql.Identifier, returning)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.connection), [document])
        return list(cursor.fetchall())
