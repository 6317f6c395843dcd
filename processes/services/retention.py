"""The daily purge: finished cases beyond the period of their organization go, with their files (ORGS-062 … 065).

The period counts from when a case was finished, not from the ``finish_date`` that somebody sent (conflict 16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from core.models import DestructionRecord
from core.services import batches, destruction
from core.services.pace import Pace
from orgs.services import retention
from orgs.services.holds import keep_still
from processes.models import Process, ProcessDocument, ProcessHold, WorkOrder
from processes.signals import processes_destroyed

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from core.services.jobs import Counts
    from processes.querysets import ProcessQuerySet

JOB = "processes.purge_finished"
BATCH = 100  # cases of one transaction


def due(now: datetime.datetime) -> ProcessQuerySet[Process]:
    """What the purge would delete: finished or deleted long enough ago, and not under a legal hold.

    The period is that of the organization that manages the unit's community; of an imported case without unit, that
    of the company.
    """
    periods = retention.periods(now)
    of_units = retention.any_over(periods, "unit__community__organization", "finished_at")
    of_company = Q(unit=None) & retention.any_over(periods, "tenant", "finished_at")
    found: ProcessQuerySet[Process] = Process.objects.filter(of_units | of_company).not_held()
    return found


def purge_finished() -> Counts:
    """Job: delete what is due, with feed, files, clerks, work orders, index and released holds.

    Side effects: for each case and each file a destruction record and an audit entry; signal `processes_destroyed` for
    each tenant; after commit a worker removes the bytes. Papers of docms that a case had linked stay.
    """
    return batches.go_through(Process, job=JOB, due=_due_after, work=_end, batch=BATCH, counted="deleted", pace=Pace())


def _due_after(last: int) -> ProcessQuerySet[Process]:
    found: ProcessQuerySet[Process] = due(timezone.now()).filter(pk__gt=last)
    return found


def _end(ids: list[int]) -> int:
    """Delete those that are still due when nobody can place a hold or change them any more."""
    cases = Process.objects.filter(pk__in=ids)
    keep_still(cases.order_by().values_list("tenant_id", flat=True).distinct())
    list(cases.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    now = timezone.now()
    found = due(now).filter(pk__in=ids).select_related("tenant", "unit__community__organization")
    doomed = list(found.order_by("pk"))
    destroy(doomed, reason=DestructionRecord.Reason.RETENTION, rules={row.pk: _rule(row, now) for row in doomed})
    return len(doomed)


def destroy(doomed: list[Process], *, reason: str, rules: Mapping[int, Mapping[str, Any]]) -> None:
    """Delete cases with feed, files, clerks, work orders, index and released holds. The caller runs in a transaction, has
    called `keep_still`, has locked the rows, and has asked whether a hold covers them.

    ``rules`` – of each, what its records say of why it went. Side effects: those of `purge_finished`.
    """
    files = list(ProcessDocument.objects.filter(process__in=doomed).select_related("blob").order_by("pk"))
    destruction.record(
        ((case, {"title": case.subject[:250], "rule": rules[case.pk]}) for case in doomed), reason=reason
    )
    told = ({"rule": rules[f.process_id]} | destruction.file_facts(f.name, f.blob) for f in files)
    destruction.record(zip(files, told, strict=True), reason=reason)
    ProcessHold.objects.filter(process__in=doomed, hold__released_at__isnull=False).delete()
    WorkOrder.objects.filter(process__in=doomed).delete()
    Process.objects.filter(pk__in=list(rules)).delete()
    for tenant_id in sorted({case.tenant_id for case in doomed}):
        gone = [case.pk for case in doomed if case.tenant_id == tenant_id]
        processes_destroyed.send(sender=Process, tenant_id=tenant_id, process_ids=gone)
    destruction.remove_bytes_later(file.blob_id for file in files)


def _rule(case: Process, now: datetime.datetime) -> dict[str, Any]:
    """What its records say of why it went."""
    organization = case.unit.community.organization if case.unit else case.tenant
    facts = retention.rule_of(organization, case.finished_at or case.deleted_at or now, now)
    return {"policy": "retention_months", "job": JOB, "process": case.number, **facts}
