"""Another key for stored secrets: every encrypted column is encrypted anew with the newest of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from core import scope
from core.fields import EncryptedTextField, cipher

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 500  # rows of one transaction


@dataclass
class Rotated:
    """What a rotation has done to one column."""

    table: str
    column: str
    values: int = 0  # that are not empty
    renewed: int = 0
    lost: list[int] = field(default_factory=list)  # ids of rows that no key opens


def columns() -> list[tuple[str, str]]:
    """Table and column of every encrypted field."""
    return sorted(
        (model._meta.db_table, str(column.column))
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for column in model._meta.local_concrete_fields
        if isinstance(column, EncryptedTextField)
    )


def rotate() -> Iterator[Rotated]:
    """Encrypt anew what an older key has encrypted, column by column. Safe to kill and to repeat.

    Side effects: none but the new ciphers. The value stays what it was, so neither audit nor revision tell of it; a row
    that somebody changes meanwhile is left alone, because that has used the newest key. Rows that no key opens are named
    and left as they are.
    """
    newest = Fernet(settings.FIELD_ENCRYPTION_KEYS[0])
    for table, column in columns():
        found, last = Rotated(table, column), 0
        while ids := _batch(found, newest, last):
            last = ids
        yield found


def _batch(found: Rotated, newest: Fernet, after: int) -> int:
    """One transaction; the last id it looked at, 0 when there was none."""
    names = {"table": sql.Identifier(found.table), "column": sql.Identifier(found.column)}
    read = sql.SQL("SELECT id, {column} FROM {table} WHERE id > %s AND {column} <> '' ORDER BY id LIMIT %s").format(
        **names
    )
    write = sql.SQL("UPDATE {table} SET {column} = %s WHERE id = %s AND {column} = %s").format(**names)
    with scope.unit_of_work(door="command"), scope.all_tenants(), connection.cursor() as cursor:
        cursor.execute(read, [after, BATCH])
        rows = cursor.fetchall()
        for number, value in rows:
            found.values += 1
            if _opens(newest, value):
                continue
            try:
                renewed = cipher().rotate(value.encode("ascii")).decode("ascii")
            except (InvalidToken, ValueError):
                found.lost.append(number)
                continue
            cursor.execute(write, [renewed, number, value])
            found.renewed += cursor.rowcount
    return int(rows[-1][0]) if rows else 0


def _opens(key: Fernet, value: str) -> bool:
    try:
        key.decrypt(value.encode("ascii"))
    except (InvalidToken, ValueError):
        return False
    return True
