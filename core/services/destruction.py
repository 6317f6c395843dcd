"""What outlives destroyed things of any floor: their records, their audit entries, and word to who removes bytes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from core.models import DestructionRecord
from core.services import audit, sweeps
from core.services.wake import wake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from core.models import Blob


def record(gone: Iterable[tuple[Model, dict[str, Any]]], *, reason: str, user_id: int | None = None) -> None:
    """Write a destruction record and an audit entry for each of these rows, just before they are deleted.

    With each row come the columns of its record beyond kind, number and tenant.
    """
    pairs = [(row, facts) for row, facts in gone]
    DestructionRecord.objects.bulk_create(
        DestructionRecord(
            tenant_id=row.tenant_id,  # type: ignore[attr-defined]
            kind=row._meta.model_name or "",
            object_id=row.pk,
            reason=reason,
            user_id=user_id,
            **facts,
        )
        for row, facts in pairs
    )
    by_model: dict[type[Model], list[Model]] = {}
    for row, _facts in pairs:
        by_model.setdefault(type(row), []).append(row)
    changes = {"reason": [None, reason]}
    for model, rows in by_model.items():
        audit.record_many("deleted", model, ((row.pk, row.tenant_id, changes) for row in rows))  # type: ignore[attr-defined]


def file_facts(name: str, blob: Blob) -> dict[str, Any]:
    """The columns of a record that tell which bytes went."""
    return {"filename": name, "sha256": blob.sha256, "size": blob.size}


def remove_bytes_later(blob_ids: Iterable[int]) -> None:
    """After the commit a worker removes those of these blobs that nothing refers to any more."""
    told = sorted(set(blob_ids))
    for start in range(0, len(told), sweeps.BATCH):
        transaction.on_commit(partial(wake, sweeps.TASK, *told[start : start + sweeps.BATCH]), robust=True)
