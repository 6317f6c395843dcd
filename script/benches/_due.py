"""Documents that are due, some of them on hold, each with bytes of its own, among a large world; and their end.

Used by a process that has set Django up in the environment of `_world.World`.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZE = 10_000  # bytes of each
READERS = 3  # read marks of each document
NAME = "b6"


@dataclass
class Due:
    """What was made: ids of documents that will go and of those that stay, and the keys of their bytes."""

    folders: list[int]
    due: list[int]
    held: list[int]
    blobs: list[int]
    keys: list[uuid.UUID]


def fill(files: Path, *, due: int, held: int) -> Due:
    """In two folders whose date has come: half of the held ones by name, half through the folder's person."""
    from django.utils import timezone

    from core import scope
    from docms.models import Document, Folder
    from docms.services import folders, holds
    from orgs.actor import enter
    from orgs.models import Contact, Organization, User
    from orgs.services import holds as places

    user = User.objects.get(email="admin@demo.test")
    with scope.unit_of_work(door="command", user_id=user.pk), scope.all_tenants():
        tenant = Organization.objects.get(pk=Contact.objects.get(user__email="renter@demo.test").tenant_id)
        actor = enter(user, door="command", tenant_id=tenant.pk)
        contact = Contact.objects.filter(tenant=tenant).exclude(kind="self").order_by("-pk").first()
        assert contact is not None
        suffix = uuid.uuid4().hex[:8]
        free = folders.create_folder(actor=actor, tenant=tenant, name=f"{NAME} {suffix}")
        kept = folders.create_folder(actor=actor, tenant=tenant, name=f"{NAME} {suffix} Person", contact=contact)
        by_name = held // 2
        made = copies(tenant.pk, [free.pk] * (due + by_name) + [kept.pk] * (held - by_name))
        write(files, made.keys)
        documents = made.due
        words: dict[str, Any] = {"actor": actor, "tenant_id": tenant.pk, "title": NAME, "reason": "bench"}
        holds.place(**words, document_ids=documents[due : due + by_name])
        places.place(**words, contact=contact)
        yesterday = timezone.now() - datetime.timedelta(days=1)
        Folder.objects.filter(pk__in=[free.pk, kept.pk]).update(auto_delete_files=True, allow_delete_files=yesterday)
        assert Document.objects.filter(folder__in=[free.pk, kept.pk]).count() == due + held
    return Due([free.pk, kept.pk], documents[:due], documents[due:], made.blobs, made.keys)


def _blob_name(key: uuid.UUID) -> str:
    from core.storage import blob_name

    return blob_name(key)


def content_of(key: uuid.UUID) -> bytes:
    """Bytes that no other document has."""
    return f"%PDF-1.4\n{key.hex}".encode().ljust(SIZE, b"x")


def write(files: Path, keys: list[uuid.UUID]) -> None:
    """The bytes, where the storage has them."""
    for key in keys:
        path = files / _blob_name(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(key))


def copies(tenant_id: int, folder_ids: list[int], *, model: int | None = None) -> Due:
    """A document in each folder that is named, with version, index, read marks and the rows of its bytes.

    Copies of one document: of ``model``, or of the first one of the company that has no label. All are in ``due``.
    """
    from django.db import connection

    from core.models import Blob
    from docms.models import Document, DocumentIndex, DocumentVersion, ReadMark

    total = len(folder_ids)
    keys = [uuid.uuid4() for _ in folder_ids]
    hashes = [hashlib.sha256(content_of(key)).digest() for key in keys]
    with connection.cursor() as cursor:

        def numbers(table: str) -> list[int]:
            cursor.execute(
                f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, %s)", [total]
            )
            return [row[0] for row in cursor.fetchall()]

        documents, versions, blobs = (numbers(t) for t in ("docms_document", "docms_documentversion", "core_blob"))
        cursor.execute(
            "SELECT d.id, d.current_id, v.blob_id FROM docms_document d JOIN docms_documentversion v ON v.id = d.current_id"
            " WHERE d.tenant_id = %s AND d.label_id IS NULL AND (%s::bigint IS NULL OR d.id = %s) ORDER BY d.id LIMIT 1",
            [tenant_id, model, model],
        )
        model, version, blob = cursor.fetchone()
        given = (
            "(SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[], %s::bytea[])"
            " AS g(document, version, blob, folder, key, hash)) g"
        )
        arrays: list[Any] = [documents, versions, blobs, folder_ids, keys, hashes]

        def copy(table: Any, where: int, **columns: str) -> None:
            fields = [f.column for f in table._meta.concrete_fields if not f.generated]
            source = ", ".join(columns.get(name, f"x.{name}") for name in fields)
            key = table._meta.pk.column
            cursor.execute(
                f"INSERT INTO {table._meta.db_table} ({', '.join(fields)})"
                f" SELECT {source} FROM {table._meta.db_table} x, {given} WHERE x.{key} = %s",
                [*arrays, where],
            )

        old = "now() - interval '30 days'"
        copy(
            Blob, blob, id="g.blob", sha256="g.hash", storage_key="g.key", created_at=old, size=str(SIZE),
            preview_state="'none'", preview_key="NULL", missing_since="NULL",
        )  # fmt: skip
        copy(
            Document, model, id="g.document", folder_id="g.folder", current_id="g.version", created_at=old,
            title=f"'{NAME} ' || g.document", sort_key=f"'{NAME} ' || g.document", claimed_at="NULL", done="false", notified_at="now()",
        )  # fmt: skip
        copy(DocumentVersion, version, id="g.version", document_id="g.document", blob_id="g.blob", created_at=old)
        copy(DocumentIndex, model, document_id="g.document", folder_id="g.folder", pending="false")
        cursor.execute(
            "SELECT array_agg(id) FROM (SELECT id FROM orgs_membership WHERE organization_id = %s ORDER BY id LIMIT %s) m",
            [tenant_id, READERS],
        )
        (members,) = cursor.fetchone()
        cursor.execute(
            f"INSERT INTO {ReadMark._meta.db_table} (created_at, tenant_id, document_id, membership_id, version_no, first_at)"
            f" SELECT now(), %s, g.document, m, 1, now() FROM unnest(%s::int[]) m, {given}",
            [tenant_id, members, *arrays],
        )
    return Due([], documents, [], blobs, keys)


def hold(document_ids: list[int]) -> None:
    """Place a hold on documents by name, as the administrator does."""
    from core import scope
    from docms.models import Document
    from docms.services import holds
    from orgs.actor import enter
    from orgs.models import User

    user = User.objects.get(email="admin@demo.test")
    with scope.unit_of_work(door="command", user_id=user.pk), scope.all_tenants():
        tenant_id = Document.objects.filter(pk__in=document_ids).values_list("tenant_id", flat=True)[0]
        actor = enter(user, door="command", tenant_id=tenant_id)
        placed = holds.place(actor=actor, tenant_id=tenant_id, document_ids=document_ids, title=NAME, reason="bench")
        assert placed.covered == sorted(document_ids)


def broken(made: Due, files: Path) -> int:
    """Held documents that are not whole: row, version, bytes' row or file is missing."""
    from core import scope
    from docms.models import Document

    with scope.unit_of_work(door="command"), scope.all_tenants():
        there = dict(Document.objects.filter(pk__in=made.held).values_list("pk", "current__blob__storage_key"))
    return sum(
        1
        for document_id in made.held
        if there.get(document_id) is None or not (files / _blob_name(there[document_id])).exists()
    )


def unfinished(made: Due) -> int:
    """Bytes of due documents that still have their row."""
    from core import scope
    from core.models import Blob

    with scope.unit_of_work(door="command"), scope.all_tenants():
        return Blob.objects.filter(pk__in=made.blobs).count() - len(made.held)


def clean() -> None:
    """Release what was held, let everything that is left go, and take folders and holds away."""
    from core import scope
    from core.services import sweeps
    from docms.models import Document, DocumentVersion, Folder
    from docms.services import folders, retention
    from orgs.actor import enter
    from orgs.models import Hold, User

    user = User.objects.get(email="admin@demo.test")
    with scope.unit_of_work(door="command", user_id=user.pk), scope.all_tenants():
        mine = Document.objects.filter(folder__name__startswith=NAME)
        blobs = list(DocumentVersion.objects.filter(document__in=mine).values_list("blob_id", flat=True))
        Hold.objects.filter(title=NAME).update(released_at=datetime.datetime.now(datetime.UTC))
    retention.delete_by_folder_date()
    sweeps.destroy_unreferenced(blobs)
    with scope.unit_of_work(door="command", user_id=user.pk), scope.all_tenants():
        Hold.objects.filter(title=NAME).delete()
        for folder in Folder.objects.filter(name__startswith=NAME):
            folders.delete_folder(actor=enter(user, door="command", tenant_id=folder.tenant_id), folder=folder)
