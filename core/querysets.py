"""Read rules of the lowest floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.expressions import RawSQL
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from core.protocols import Actor

_M = TypeVar("_M", bound=models.Model)


class _Rows(ArraySubquery):
    # An empty array matches nothing, but it is a value: `~any_of(…)` over it must stay true.
    empty_result_set_value = NotImplemented


class EqualsAny(Func):
    """``value = ANY(array)``: PostgreSQL then looks each value up by index.

    A plain ``IN (SELECT …)`` becomes a semi-join, and the planner, who cannot know that few rows match,
    scans the whole table (measured: 116 ms against 17 ms over a million documents).
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    arity = 2
    output_field = models.BooleanField()


def any_of(field: str, subquery: models.QuerySet[Any, Any]) -> models.Q:
    """``field = ANY(ARRAY(subquery))``; the subquery selects one column."""
    return models.Q(EqualsAny(F(field), _Rows(subquery.order_by())))


def equals_any(field: str, values: Iterable[int]) -> models.Q:
    """``field = ANY(array)`` of given numbers: one parameter, where ``IN`` has one for each."""
    return models.Q(EqualsAny(F(field), Value(list(values), output_field=ArrayField(models.BigIntegerField()))))


def any_of_sql(field: str, subquery: str, params: Sequence[Any]) -> models.Q:
    """The same of a subquery in SQL; the text is the caller's own, values come as ``params``."""
    rows = RawSQL(f"ARRAY({subquery})", tuple(params), output_field=ArrayField(models.BigIntegerField()))  # noqa: S611
    return models.Q(EqualsAny(F(field), rows))


class BlobQuerySet(models.QuerySet["_M"]):
    """Stored bytes; they are never listed on their own, only through what shows them."""

    def deliverable(self) -> Self:
        """Bytes that may leave: checked, or never to be checked, and not known to be missing."""
        return self.filter(scan__in=("clean", "skipped"), missing_since=None)


class UploadQuerySet(models.QuerySet["_M"]):
    """Handles of uploads."""

    def visible_to(self, actor: Actor) -> Self:
        """Only the uploader sees a handle (PORTAL-080)."""
        return self.filter(user_id=actor.user_id, expires_at__gt=timezone.now())

    def watched_by(self, actor: Actor) -> Self:
        """Whoever runs the installation watches what arrives; the handle itself is shown to nobody but its owner."""
        return self.all() if actor.is_operator else self.none()

    def waiting(self) -> Self:
        """Neither attached nor expired."""
        return self.filter(attached_at=None, expires_at__gt=timezone.now())


class AuditQuerySet(models.QuerySet["_M"]):
    """The history."""

    def visible_to(self, actor: Actor) -> Self:
        """Tenant administrators see their tenant's history, the operator everything."""
        if actor.is_operator:
            return self.all()
        return self.filter(tenant__in=actor.admin_tenants)


class DestructionQuerySet(models.QuerySet["_M"]):
    """Deletion history."""

    def visible_to(self, actor: Actor) -> Self:
        """Administrators see the deletions of their tenants."""
        return self.filter(tenant__in=actor.admin_tenants)


class JobRunQuerySet(models.QuerySet["_M"]):
    """What the scheduler ran."""

    def visible_to(self, actor: Actor) -> Self:
        """Only the operator: a run works on every tenant."""
        return self.all() if actor.is_operator else self.none()


class SystemLogQuerySet(models.QuerySet["_M"]):
    """The system log."""

    def visible_to(self, actor: Actor) -> Self:
        """Only the operator reads it (DOCMS-166)."""
        return self.all() if actor.is_operator else self.none()
