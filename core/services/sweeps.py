"""Tidying of stored bytes: rows without a reference, and objects without a row. No reference is ever counted."""

from __future__ import annotations

import datetime
import logging
import uuid
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core import scope
from core.models import Blob
from core.querysets import equals_any
from core.services import audit
from core.storage import blob_name, preview_name, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

TASK = "docms.remove_content"  # with ids: what has just lost a reference; without: everything
GRACE = datetime.timedelta(days=1)  # between upload and reference
PARTS_GRACE = datetime.timedelta(days=2)  # an upload lives one day
BATCH = 500  # rows of one transaction
ORPHANS_MAX = 0.5  # share of a batch; more means that a wrong or an old database is looked at


class SuspiciousSweepError(RuntimeError):
    """So many objects have no row that something else must be wrong."""


def referencing_fields() -> list[models.ForeignKey[Any, Any]]:
    """Every foreign key to `Blob`, also those without a name on its side."""
    return [
        relation.field
        for relation in Blob._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel) and isinstance(relation.field, models.ForeignKey)
    ]


def sweep_unreferenced() -> Counts:
    """Job: destroy blobs older than a day to which nothing refers; their objects go after commit.

    A reference made meanwhile wins: the batch is then undone and repeated row by row.
    """
    removed, last = 0, 0
    while True:
        ids = _unreferenced_after(last)
        if not ids:
            return {"blobs": removed}
        last = ids[-1]
        removed += destroy_unreferenced(ids)


def destroy_unreferenced(ids: list[int]) -> int:
    """Destroy those of these blobs to which nothing refers any more and that are older than a day. Returns how many."""
    try:
        return _destroy(ids)
    except IntegrityError:
        return sum(_destroy_one(blob_id) for blob_id in ids)


def _unreferenced(now: datetime.datetime) -> models.QuerySet[Blob]:
    found = Blob.objects.filter(created_at__lt=now - GRACE)
    for field in referencing_fields():
        referring = field.model._base_manager.filter(**{field.name: OuterRef("pk")})
        found = found.filter(~Exists(referring))
    return found


def _unreferenced_after(last: int) -> list[int]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return list(
            _unreferenced(timezone.now()).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
        )


def _destroy(ids: list[int]) -> int:
    """Delete rows that are still without reference. Not by the ORM: it would empty references made meanwhile."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        found = _unreferenced(timezone.now()).filter(equals_any("pk", ids))
        doomed = list(
            found.select_for_update(skip_locked=True, of=("self",)).values_list(
                "pk", "tenant_id", "sha256", "size", "storage_key", "preview_key"
            )
        )
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_blob WHERE id = ANY(%s)", [[blob[0] for blob in doomed]])
        audit.record_many(
            "destroyed",
            Blob,
            (
                (pk, tenant_id, {"sha256": [bytes(sha256).hex(), None], "size": [size, None]})
                for pk, tenant_id, sha256, size, _key, _preview in doomed
            ),
        )
        names = [blob_name(blob[4]) for blob in doomed]
        names += [preview_name(blob[5]) for blob in doomed if blob[5]]
        transaction.on_commit(partial(_remove_objects, names), robust=True)
    return len(doomed)


def _remove_objects(names: list[str]) -> None:
    """One that fails keeps no other: `sweep_objects` finds it."""
    for name in names:
        try:
            storage().delete(name)
        except Exception:
            log.exception("the object %s could not be removed; the sweep will", name)


def _destroy_one(blob_id: int) -> int:
    try:
        return _destroy([blob_id])
    except IntegrityError:
        return 0  # something refers to it by now


def sweep_objects(*, force: bool = False) -> Counts:
    """Job: remove objects older than a day without a row, forgotten pieces and temporary files.

    Raises `SuspiciousSweepError` when most objects of a batch have no row, unless ``force``: a restored or wrong
    database must not cost the files.
    """
    now = timezone.now()
    removed = 0
    for folder, column in (("blobs", "storage_key"), ("previews", "preview_key")):
        old = (name for name, modified in storage().names(folder) if modified < now - GRACE)
        for names in _batches(old):
            removed += _remove_orphans(names, column, force)
    pieces = 0
    for folder in ("parts", "tmp"):
        for name, modified in storage().names(folder):
            if modified < now - PARTS_GRACE:
                storage().delete(name)
                pieces += 1
    pieces += storage().abandon(now - PARTS_GRACE)
    return {"objects": removed, "pieces": pieces}


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, BATCH)):
        yield batch


def _remove_orphans(names: list[str], column: str, force: bool) -> int:
    keys = {}
    for name in names:
        try:
            keys[uuid.UUID(hex=name.rsplit("/", 1)[-1])] = name
        except ValueError:
            log.warning("a foreign object lies in the storage: %s", name)
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        known = set(Blob.objects.filter(**{f"{column}__in": list(keys)}).values_list(column, flat=True))
    orphans = [name for key, name in keys.items() if key not in known]
    if not force and len(orphans) > 20 and len(orphans) > ORPHANS_MAX * len(keys):
        raise SuspiciousSweepError(
            f"{len(orphans)} of {len(keys)} objects have no row; run the command with --force if that is right"
        )
    for name in orphans:
        storage().delete(name)
    return len(orphans)
