"""Small SQL expressions for check constraints over trees: plain columns that Django's lookups cannot compare."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func


class LastOf(Func):
    """The last element of an array, null for an empty one."""

    template = "(%(expressions)s)[cardinality(%(expressions)s)]"
    arity = 1


class Holds(Func):
    """``array @> {element}``: the array holds the element."""

    template = "(%(expressions)s]::int[])"
    arg_joiner = " @> ARRAY["
    arity = 2
    output_field = BooleanField()


class IsOneOf(Func):
    """``element = ANY (array)``: as `Holds`, for an index on the element."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY ("
    arity = 2
    output_field = BooleanField()


class IsNotDistinct(Func):
    """``a IS NOT DISTINCT FROM b``: equal, where two nulls are equal too."""

    template = "(%(expressions)s)"
    arg_joiner = " IS NOT DISTINCT FROM "
    arity = 2
    output_field = BooleanField()


class IsSameFlag(Func):
    """``flag = (a IS NOT DISTINCT FROM b)``."""

    template = "(%(expressions)s)"
    arity = 3
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        flag, left, right = (compiler.compile(e) for e in self.source_expressions)
        return f"({flag[0]} = ({left[0]} IS NOT DISTINCT FROM {right[0]}))", [*flag[1], *left[1], *right[1]]
