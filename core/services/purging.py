"""What jobs that delete have in common: bounded batches, safe to kill, and one bad row never stops the others."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, TypeVar

from core import scope
from core.logs import mask
from core.models import SystemLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model, QuerySet

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

M = TypeVar("M", bound="Model")
FOUND = 5000  # ids that one statement finds


def purge(
    model: type[M], *, job: str, due: Callable[[int], QuerySet[M]], end: Callable[[list[int]], int], batch: int
) -> Counts:
    """Delete what is due, by the number, in transactions of ``batch`` rows; returns how many went and how many failed.

    ``due`` builds what is due at that moment and has a greater number than the one it gets, read across all tenants.
    ``end`` gets ids, asks once more under its locks, deletes and returns how many went; it runs in one transaction.
    When a batch fails, each of its rows gets a transaction of its own: one that fails alone, too, is written to the
    system log, holds up no other, and is tried again by the next run.
    """
    counts = {"deleted": 0, "failed": 0}
    last = 0
    while ids := find(due, last):
        for start in range(0, len(ids), batch):
            part = ids[start : start + batch]
            try:
                counts["deleted"] += _end(end, part)
            except Exception:
                log.exception("%s of %s: %s rows from %s on go one by one", job, model._meta.label, len(part), part[0])
                for pk in part:
                    _end_one(model, job, end, pk, counts)
        last = ids[-1]
    return counts


def find(due: Callable[[int], QuerySet[M]], last: int) -> list[int]:
    """The numbers after ``last`` of what is due now, at most `FOUND` of them, in order."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return list(due(last).order_by("pk").values_list("pk", flat=True)[:FOUND])


def _end(end: Callable[[list[int]], int], ids: list[int]) -> int:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return end(ids)


def _end_one(model: type[Model], job: str, end: Callable[[list[int]], int], pk: int, counts: Counts) -> None:
    try:
        counts["deleted"] += _end(end, [pk])
    except Exception as error:
        counts["failed"] += 1
        log.exception("%s: %s %s could not be deleted", job, model._meta.label, pk)
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            row = model._default_manager.filter(pk=pk).values("tenant_id").first()
            SystemLog.objects.create(
                tenant_id=row["tenant_id"] if row else None,
                category=job,
                action=f"{model._meta.model_name} {pk}",
                stacktrace=mask("".join(traceback.format_exception(error)))[-20000:].replace("\x00", ""),
            )
