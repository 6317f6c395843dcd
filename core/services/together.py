"""New rows of several models by one statement, with what the audit says of them, planned once for each connection.

For what is written so often that each round trip counts, and the ORM's putting together of each INSERT: an upload. The rows
know their numbers beforehand (`core.planned.NEXT`), because the audit's digest covers them. Elsewhere `rows.create` reads
better.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connection, connections, models

from core.planned import planned_cursor
from core.services import audit
from core.services.rows import guarded, recorded_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def insert(
    recorded: Sequence[models.Model],
    others: Iterable[models.Model] = (),
    *,
    verb: str = "created",
    also: str = "",
    values: Mapping[str, Any] | None = None,
    savepoint: bool = True,
) -> None:
    """Write rows; of ``recorded`` ones, which have their numbers, the audit says that they were ``verb``.

    ``also`` is one more statement that writes something, constant and with ``values`` of its own. Without ``savepoint`` a
    refusal by the database undoes the whole transaction. Nothing is validated here.

    Raises what `rows.guarded` raises of the first row.
    """
    objs = [*recorded, *others]
    told = audit.values_of_many(
        verb, ((type(obj), obj.pk, getattr(obj, "tenant_id", None), recorded_values(obj)) for obj in recorded)
    )
    found = {**told, **(values or {})}
    for place, obj in enumerate(objs):
        found |= _values(place, obj)
    text = _statement(tuple((type(obj), obj.pk is not None) for obj in objs), also)

    def write() -> None:
        with planned_cursor() as cursor:
            cursor.execute(text, found)

    guarded(objs[0], write, savepoint=savepoint)
    for obj in objs:
        obj._state.adding, obj._state.db = False, connection.alias


def insert_unless_there(obj: models.Model) -> bool:
    """Write a row and note its number; False where a constraint says that there is such a row already."""
    text = f"{_insert(0, type(obj), has_number=False)} ON CONFLICT DO NOTHING RETURNING {obj._meta.pk.column}"
    with planned_cursor() as cursor:
        cursor.execute(text, _values(0, obj))
        row = cursor.fetchone()
    if row is None:
        return False
    obj.pk = row[0]
    obj._state.adding, obj._state.db = False, connection.alias
    return True


@lru_cache(maxsize=64)
def _statement(kinds: tuple[tuple[type[models.Model], bool], ...], also: str) -> str:
    parts = [_insert(place, model, has_number=has_number) for place, (model, has_number) in enumerate(kinds)]
    parts += [also] if also else []
    return f"WITH {', '.join(f'w{place} AS ({part})' for place, part in enumerate(parts))} {audit.MANY}"


@lru_cache(maxsize=64)
def _insert(place: int, model: type[models.Model], *, has_number: bool) -> str:
    columns = [column for _name, column in _columns(model, has_number)]
    names = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join(f"%(w{place}_{column})s" for column in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608 - names of our own


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], has_number: bool) -> list[tuple[models.Field[Any, Any], str]]:
    fields = [f for f in model._meta.concrete_fields if not f.generated and (has_number or not f.primary_key)]  # type: ignore[attr-defined]
    return [(f, f.column) for f in fields if f.column]


def _values(place: int, obj: models.Model) -> dict[str, Any]:
    line = connections[connection.alias]  # itself: each look through the one of this thread costs as much as the rest
    return {
        f"w{place}_{column}": field.get_db_prep_save(getattr(obj, field.attname), line)
        for field, column in _columns(type(obj), obj.pk is not None)
    }
