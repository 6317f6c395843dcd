"""Import of a 10,000-row register through the services, against COPY of the resulting rows into the same tables.

The rows that an import wrote (register, search index, audit) are copied into a database of the same schema, indexes and
constraints included, in one transaction. Three registers, in turns. `script/bench import_register -- 2000` takes another
number of rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import psycopg
from psycopg import sql

from script.benches import _residents
from script.benches._stack import Stack, median, table
from script.embedded.postgres import DATABASE, OWNER

ROUNDS = 3
FLOOR = "floor"
# In the order of their references; how a table's new rows are told from the old ones.
TABLES = {
    "orgs_community": "id", "orgs_building": "id", "orgs_unit": "id", "orgs_contact": "id",
    "orgs_contactindex": "contact_id", "orgs_occupancy": "id", "core_auditentry": "id",
}  # fmt: skip
HEAD = (
    "community_ref;community;street;house_number;postal_code;city;unit_ref;unit;contact_ref;first_name;last_name;email;"
    "telephone;role;from;until;language"
)


def register(count: int, number: int) -> bytes:
    """Communities of 100 units with two entrances, one person in each unit."""
    lines = [HEAD]
    for row in range(count):
        house, flat = divmod(row, 100)
        lines.append(
            f"{number}-{house};Wohnpark {house};Ahornstraße;{house * 2 + flat % 2};50733;Köln;{flat};Wohnung {flat};"
            f"P{number}-{row};Erika;Müller {row};person{row}.{number}@register.bench;0221 {1000000 + row};"
            f"{('owner', 'renter')[row % 2]};01.05.2020;;{('de', 'pl')[row % 2]}"
        )
    return "\n".join(lines).encode()


def main() -> None:
    """One run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with Stack() as stack:
        house = _residents.build(1)
        from django.db import connection

        connection.close()
        stack.postgres.psql(f"CREATE DATABASE {FLOOR} TEMPLATE {DATABASE} OWNER {OWNER}")
        times: list[tuple[float, float]] = []
        rows = 0
        for number in range(ROUNDS):
            with psycopg.connect(stack.postgres.url(OWNER)) as here:
                before = {name: _last(here, name) for name in TABLES}
            imported = _import(house, register(count, number))
            with (
                psycopg.connect(stack.postgres.url(OWNER)) as here,
                psycopg.connect(stack.postgres.url(OWNER, FLOOR)) as there,
            ):
                pieces = {name: list(_new_rows(here, name, before[name])) for name in TABLES}
                rows = sum(_count(here, name, before[name]) for name in TABLES)
                copied = _copy(there, pieces)
            times.append((imported, copied))
        ratio = median(copied / imported for imported, copied in times)
        table(
            ("rows of the file", "rows written", "import", "COPY of the same", "ratio", "target"),
            [
                (
                    f"{count:,}", f"{rows:,}", f"{median(i for i, _c in times):.1f} s",
                    f"{median(c for _i, c in times):.2f} s", f"{ratio:.2f}", "≥ 0.10",
                )
            ],
        )  # fmt: skip


def _import(house: _residents.House, data: bytes) -> float:
    """Seconds, with the progress that a run would note."""
    from core import scope
    from orgs.services.register import import_rows, read_csv

    begin = time.perf_counter()
    with scope.unit_of_work(door="worker", user_id=house.admin.pk, tenants=[house.tenant.pk]):
        import_rows(read_csv(data), tenant=house.tenant)
    return time.perf_counter() - begin


def _last(connection: psycopg.Connection[tuple[int]], name: str) -> int:
    row = connection.execute(
        sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(sql.Identifier(TABLES[name]), sql.Identifier(name))
    ).fetchone()
    assert row is not None
    return row[0]


def _count(connection: psycopg.Connection[tuple[int]], name: str, after: int) -> int:
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {} WHERE {} > %s").format(sql.Identifier(name), sql.Identifier(TABLES[name])),
        [after],
    ).fetchone()
    assert row is not None
    return row[0]


def _columns(connection: psycopg.Connection[tuple[int]], name: str) -> sql.Composed:
    """Those that are written; the database makes the generated ones itself."""
    found = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' ORDER BY attnum",
        [name],
    ).fetchall()
    return sql.SQL(", ").join(sql.Identifier(str(column)) for (column,) in found)


def _new_rows(connection: psycopg.Connection[tuple[int]], name: str, after: int) -> Iterator[bytes]:
    statement = sql.SQL("COPY (SELECT {} FROM {} WHERE {} > {}) TO STDOUT").format(
        _columns(connection, name), sql.Identifier(name), sql.Identifier(TABLES[name]), sql.Literal(after)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            yield bytes(piece)


def _copy(connection: psycopg.Connection[tuple[int]], pieces: dict[str, list[bytes]]) -> float:
    """Seconds."""
    columns = {name: _columns(connection, name) for name in pieces}
    begin = time.perf_counter()
    for name, rows in pieces.items():
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), columns[name])
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in rows:
                copy.write(piece)
    connection.commit()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
