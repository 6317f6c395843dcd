"""Create, change and delete one row: version, time and audit in one place, for every service."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from core.errors import Changed
from core.moments import is_showable
from core.services import audit
from core.text import is_blank

_M = TypeVar("_M", bound=models.Model)


class Taken(ValidationError):
    """A value that must be unique is stored already; doors answer 409."""


_UNRECORDED = frozenset({"id", "created_at", "updated_at", "row_version", "uuid", "tenant"})


def _values(obj: models.Model) -> dict[str, Any]:
    return {
        f.name: getattr(obj, f.attname)
        for f in obj._meta.concrete_fields
        if f.name not in _UNRECORDED and not f.generated  # type: ignore[attr-defined]
    }


def create(model: type[_M], *, verb: str = "created", check: bool = True, savepoint: bool = True, **values: Any) -> _M:
    """Insert a row after validating its columns, and record it. Without ``savepoint`` a refusal by the database undoes the
    service's whole transaction, which spares two round trips where nobody would go on anyway.

    Raises `ValidationError` with the fields that are wrong. References, uniqueness and checks are the database's
    to refuse (asking it first would cost a query each and still race); see `guarded`.
    """
    obj = model(**values)
    if check:
        clean(obj, values)
    guarded(obj, lambda: obj.save(force_insert=True), savepoint=savepoint)
    audit.record(verb, obj, recorded_values(obj))
    return obj


def recorded_values(obj: models.Model) -> dict[str, Any]:
    """What the audit says of a new row: of each column that holds something, that nothing was there before."""
    model = type(obj)
    return {k: [None, audit.recorded(model, k, v)] for k, v in _values(obj).items() if v not in (None, "", [], {})}


def change(
    obj: _M,
    changes: Mapping[str, Any],
    *,
    expected: int | None = None,
    verb: str = "changed",
    check: bool = True,
    at: datetime.datetime | None = None,
) -> dict[str, tuple[Any, Any]]:
    """Write the columns that really change; raise `row_version`; record old and new value.

    Returns ``{field: (old, new)}``, empty when nothing changed (then nothing is written). With ``expected``
    the row must still have that version: two writers never overwrite each other unseen. ``at`` – the moment of the
    change, where something else bears the same.

    Raises `ValidationError` when a value is wrong, `core.errors.Changed` when the version moved on.
    """
    old = {name: getattr(obj, name) for name in changes}
    new = {name: value for name, value in changes.items() if old[name] != value}
    if expected is not None and getattr(obj, "row_version", expected) != expected:
        raise Changed
    if not new:
        return {}
    for name, value in new.items():
        setattr(obj, name, value)
    if check:
        clean(obj, new)
    attnames = [cast("models.Field[Any, Any]", obj._meta.get_field(name)).attname for name in new]
    columns = {attname: getattr(obj, attname) for attname in attnames}
    rows = type(obj)._base_manager.filter(pk=obj.pk)
    if hasattr(obj, "row_version"):
        rows = rows.filter(row_version=obj.row_version)
        columns |= {"row_version": obj.row_version + 1, "updated_at": at or timezone.now()}
    written = guarded(obj, lambda: rows.update(**columns))
    if not written:
        raise Changed
    for attname, value in columns.items():
        setattr(obj, attname, value)
    audit.record(
        verb,
        obj,
        {n: [audit.recorded(type(obj), n, old[n]), audit.recorded(type(obj), n, new[n])] for n in new},
    )
    return {name: (old[name], new[name]) for name in new}


def delete(obj: models.Model, *, verb: str = "deleted") -> None:
    """Delete one row with its parts, and record what it held."""
    held = {k: [audit.recorded(type(obj), k, v), None] for k, v in _values(obj).items() if v not in (None, "", [], {})}
    audit.record(verb, obj, held)
    obj.delete()


def clean(obj: models.Model, written: Mapping[str, Any]) -> None:
    """Validate the columns that are ``written``, without asking the database. Raises `ValidationError`."""
    beyond = [name for name, at in written.items() if isinstance(at, datetime.datetime) and not is_showable(at)]
    if beyond:
        raise ValidationError(dict.fromkeys(beyond, _("Must lie between the years 1900 and 9999.")))
    unsaid = [name for name, text in written.items() if isinstance(text, str) and text and is_blank(text)]
    columns = [cast("models.Field[Any, Any]", obj._meta.get_field(name)) for name in unsaid]
    missing = [column.name for column in columns if column.editable and not column.blank]
    if missing:  # to Django only '' is blank
        raise ValidationError(dict.fromkeys(missing, models.Field.default_error_messages["blank"]))
    names = {name.removesuffix("_id") for name in written} | set(written)
    obj.clean_fields(exclude={f.name for f in obj._meta.concrete_fields if f.is_relation or f.name not in names})
    obj.clean()


def guarded(obj: models.Model, write: Any, *, savepoint: bool = True) -> Any:
    """Run a write, in a savepoint unless the transaction ends with it anyway; a violated constraint becomes a `ValidationError` with its message for people.

    A `Taken` where the constraint is that a value is unique.
    """
    try:
        with transaction.atomic(savepoint=savepoint):
            return write()
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        name = getattr(diagnosis, "constraint_name", "") or ""
        is_taken = isinstance(error.__cause__, UniqueViolation)
        kind = Taken if is_taken else ValidationError
        for constraint in obj._meta.constraints:
            if constraint.name == name:
                raise kind(constraint.get_violation_error_message(), code=name) from error
        if is_taken:
            raise kind(_("There is such an entry already."), code=name) from error
        raise
