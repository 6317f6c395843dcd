"""What jobs that go through due rows have in common: bounded batches, safe to kill, one bad row never stops the others."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, TypeVar

from core import scope
from core.logs import mask
from core.models import SystemLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model, QuerySet

    from core.services.jobs import Counts
    from core.services.pace import Pace

log = logging.getLogger(__name__)

M = TypeVar("M", bound="Model")
FOUND = 5000  # ids that one statement finds


def go_through(
    model: type[M],
    *,
    job: str,
    due: Callable[[int], QuerySet[M]],
    work: Callable[[list[int]], int],
    batch: int,
    counted: str = "done",
    pace: Pace | None = None,
) -> Counts:
    """Do what is due, by the number, in transactions of ``batch`` rows; returns how many were ``counted``, and how many failed.

    ``due`` builds what is due at that moment and has a greater number than the one it gets, read across all tenants.
    ``work`` gets ids, asks once more under its locks, acts and returns for how many; it runs in one transaction.
    When a batch fails, each of its rows gets a transaction of its own: one that fails alone, too, is written to the
    system log, holds up no other, and is tried again by the next run. With a ``pace`` it steps back while people wait.
    """
    counts = {counted: 0, "failed": 0}
    last = 0
    while ids := find(due, last):
        last = ids[-1]
        while ids:
            size = pace.size(batch) if pace else batch
            part, ids = ids[:size], ids[size:]
            began = time.monotonic()
            for done in _through(model, job, work, part):
                if done is None:
                    counts["failed"] += 1
                else:
                    counts[counted] += done
            if pace:
                pace.give_way(time.monotonic() - began)
    return counts


def _through(model: type[Model], job: str, work: Callable[[list[int]], int], part: list[int]) -> Iterator[int | None]:
    """For how many of a batch it worked, at once or row by row; None for each that failed alone."""
    try:
        yield _work(work, part)
    except Exception:
        log.exception("%s of %s: %s rows from %s on go one by one", job, model._meta.label, len(part), part[0])
        for pk in part:
            yield _work_on_one(model, job, work, pk)


def find(due: Callable[[int], QuerySet[M]], last: int) -> list[int]:
    """The numbers after ``last`` of what is due now, at most `FOUND` of them, in order."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return list(due(last).order_by("pk").values_list("pk", flat=True)[:FOUND])


def _work(work: Callable[[list[int]], int], ids: list[int]) -> int:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return work(ids)


def _work_on_one(model: type[Model], job: str, work: Callable[[list[int]], int], pk: int) -> int | None:
    """For how many it worked; None when it failed, which is told."""
    try:
        return _work(work, [pk])
    except Exception as error:
        log.exception("%s: nothing became of %s %s", job, model._meta.label, pk)
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            row = model._default_manager.filter(pk=pk).values("tenant_id").first()
            SystemLog.objects.create(
                tenant_id=row["tenant_id"] if row else None,
                category=job,
                action=f"{model._meta.model_name} {pk}",
                stacktrace=mask("".join(traceback.format_exception(error)))[-20000:].replace("\x00", ""),
            )
        return None
