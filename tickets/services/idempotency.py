"""Repeated requests: the same key and body get the first answer again, for 24 hours (TICKETS-056, 057)."""

from __future__ import annotations

import datetime
import zlib
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict
from core.http import dumps, loads
from tickets.models import IdempotencyRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.services.jobs import Counts

KEPT = datetime.timedelta(hours=24)
_LOCK = 6  # the class of advisory locks; see one-model for the others
BATCH = 1000  # records of one transaction


@transaction.atomic
def once(
    *, credential: str, key: str, body_hash: bytes, tenant_id: int, status: int, work: Callable[[], Any]
) -> tuple[int, Any]:
    """Do the work unless this credential has had it done under this key; returns status and answer.

    Of two that come at once the second waits and gets the first's answer. What fails is not remembered.

    Raises `Conflict` (``idempotency_conflict``) when the key came with another body.
    """
    with connection.cursor() as cursor:
        name = zlib.crc32(f"{credential}\n{key}".encode()) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, name])
    found = IdempotencyRecord.objects.filter(credential=credential, key=key).first()
    if found is not None and found.created_at > timezone.now() - KEPT:
        if bytes(found.body_hash) != body_hash:
            raise Conflict(_("This idempotency key was used before with another body."), code="idempotency_conflict")
        return found.status, found.response
    if found is not None:
        found.delete()
    answer = loads(dumps(work()))
    IdempotencyRecord.objects.create(
        tenant_id=tenant_id, credential=credential, key=key, body_hash=body_hash, status=status, response=answer
    )
    return status, answer


def forget() -> Counts:
    """Job: delete what is older than 24 hours."""
    removed = 0
    while True:
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            old = IdempotencyRecord.objects.filter(created_at__lte=timezone.now() - KEPT).order_by("pk")
            ids = list(old.values_list("pk", flat=True)[:BATCH])
            IdempotencyRecord.objects.filter(pk__in=ids).delete()
        removed += len(ids)
        if len(ids) < BATCH:
            return {"records": removed}
