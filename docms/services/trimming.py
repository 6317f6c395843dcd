"""Logs end, too: entries beyond the retention period of their kind go (`docms.trim_logs`).

The periods are settings of the installation, in days; 0 keeps a log for ever. What a legal hold covers stays: the log
of a held document, and whatever a held person did.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from core import scope
from core.models import SystemLog
from docms.models import Document, DocumentLog
from orgs.models import Hold, SignInLog
from orgs.services.holds import keep_still

if TYPE_CHECKING:
    from core.services.jobs import Counts

LONGEST = 36500  # days; a calendar has no room for any number
BATCH = 2000  # entries that one transaction looks at
PERIODS: dict[type[DocumentLog | SignInLog | SystemLog], str] = {
    DocumentLog: "DOCUMENT_LOG_DAYS",
    SignInLog: "SIGN_IN_LOG_DAYS",
    SystemLog: "SYSTEM_LOG_DAYS",
}


def trim_logs() -> Counts:
    """Job: delete what is older than its kind is kept, batch by batch; counts what went, by kind."""
    return {table._meta.model_name or "": _trim(table, getattr(settings, name)) for table, name in PERIODS.items()}


def _trim(table: Any, days: int) -> int:
    """Read from the oldest entry on, and no further than to the first batch that is young.

    Entries are numbered in the order of their time, so that no index of times is needed; one that a slow transaction
    wrote out of order goes a day later.
    """
    if not days:
        return 0
    before = timezone.now() - datetime.timedelta(days=min(days, LONGEST))
    last: int = 0
    total: int = 0
    while True:
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            batch = list(table.objects.filter(pk__gt=last).order_by("pk")[:BATCH])
            old = [entry for entry in batch if entry.created_at < before]
            keep_still({entry.tenant_id for entry in old})
            held = _held(old)
            gone = [entry.pk for entry in old if entry.pk not in held]
            total += table.objects.filter(pk__in=gone).delete()[0]
        if not old:
            return total
        last = batch[-1].pk


def _held(entries: list[Any]) -> set[int]:
    """Those that a hold covers, through the person who acted or the document."""
    people = {entry.user_id for entry in entries} - {None}
    documents = {entry.document_id for entry in entries if isinstance(entry, DocumentLog)}
    found = Document.objects.filter(pk__in=documents)
    held_documents = set(found.values_list("pk", flat=True)) - set(found.not_held().values_list("pk", flat=True))
    holds = Hold.objects.filter(released_at=None, contact__user__in=people)
    held_people = set(holds.values_list("contact__user", flat=True))
    return {
        entry.pk
        for entry in entries
        if entry.user_id in held_people or getattr(entry, "document_id", None) in held_documents
    }
