"""Documents: published, changed, given a new version, moved, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict, Denied, Invalid, NotFound
from core.planned import planned_cursor
from core.services import blobs, rows, together
from core.services.wake import wake_after_commit
from core.text import is_blank, sort_key
from docms import rules
from docms.models import Document, DocumentLog, DocumentVersion, Folder, FolderLabel, ReadMark
from docms.reach import FLAGS, NUMBERS, OWN_PERMISSION, flag_values, flags_in, held_folder
from docms.services import destruction, holds, indexing, tree
from docms.services.labels import label_named
from docms.services.locking import locked
from docms.services.marks import set_done
from docms.services.names import check_texts
from orgs.services.holds import keep_still

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from core.models import Blob
    from orgs.actor import Actor

__all__ = ["change_document", "deletable_problem", "delete_document", "publish", "set_done", "versions"]

COLUMNS = frozenset(
    {
        "title", "description", "version_label", "allow_download", "active_from", "active_until", "identifier",
        "internal_note", "delete_after_next_download",
    }
)  # fmt: skip
Action = DocumentLog.Action


class Place(NamedTuple):
    """A folder that is not deleted before the transaction ends, what the actor may do there, and the numbers that a new
    document and its version get."""

    folder: Folder
    document_id: int
    version_id: int
    flags: rules.Flags


def place_for(actor: Actor, folder_id: int) -> Place | None:
    """The folder of that number for an upload; none where the actor does not see it."""
    found = held_folder(actor, folder_id)
    if found is None:
        return None
    folder, document_id, version_id, chosen, may_check = found
    return Place(folder, document_id, version_id, rules.in_force(actor, folder.tenant_id, chosen, may_check))


@scope.joined()
def publish(
    *,
    actor: Actor,
    folder: Folder,
    blob: Blob,
    filename: str,
    title: str = "",
    description: str = "",
    version_label: str = "",
    label_name: str | None = None,
    allow_download: bool = True,
    active_from: datetime.datetime | None = None,
    active_until: datetime.datetime | None = None,
    identifier: str = "",
    internal_note: str = "",
    delete_after_next_download: bool = False,
    place: Place | None = None,
) -> Document:
    """Put stored bytes into a folder as a new document; without title it takes the file name (DOCMS-197).

    ``place`` is what `place_for` gave for the folder in this transaction, in which the bytes have been stored as well:
    nothing is asked and held twice then.

    Side effects: first version, search index, log entry; after commit a worker tells the people of the folder, at
    once or when ``active_from`` has come (DOCMS-142 … 145), and reads the text of a PDF. A failing mail never
    undoes the upload (DOCMS-156).

    Raises `NotFound` when the folder is gone, `Denied` without ``upload`` there (DOCMS-110) or for a big file
    without licence (DOCMS-125), `Invalid` for a label the folder has not (DOCMS-139) or a wrong file name,
    `ValidationError` for other wrong values, as a period that ends before it begins.
    """
    assert actor.user_id is not None, "documents are uploaded by people"
    _folder, document_id, version_id, flags = place or _hold(actor, folder, blob)
    rules.require(rules.may_upload(actor, folder, flags))
    _require_big(folder.tenant_id, blob)
    filename = blobs.clean_filename(filename)
    values: dict[str, Any] = {
        "title": filename[:250] if is_blank(title) else title,
        "description": description,
        "version_label": version_label,
        "allow_download": allow_download,
        "active_from": active_from,
        "active_until": active_until,
        "identifier": identifier,
        "internal_note": internal_note,
        "delete_after_next_download": delete_after_next_download,
    }
    check_texts(Document, values)
    label = _label(folder, label_name)
    document = Document(
        pk=document_id,
        tenant_id=folder.tenant_id,
        folder=folder,
        filename=filename,
        label=label,
        current_id=version_id,
        uploaded_by_id=actor.user_id,
        sort_key=sort_key(values["title"]),
        **values,
        **_content(blob),
    )
    rows.clean(document, {"filename": filename, **values})
    version = DocumentVersion(pk=version_id, **_version(document, blob, number=1, user_id=actor.user_id))
    together.insert(
        [document, version],
        [_entry(document, actor, Action.CREATE)],
        also=indexing.NEW,
        values=indexing.new_values(document),
        savepoint=active_until is not None,  # a period is all that the database may refuse here
    )
    document.current = version
    if label is not None:
        _log(document, actor, Action.LABEL, label.name)
    wake_workers(document, new_content=True)
    return document


# FOR KEY SHARE: uploads into one folder do not wait for each other.
_HOLD = f"""
SELECT {NUMBERS}, {FLAGS}
  FROM docms_folder f JOIN core_blob b ON b.tenant_id = f.tenant_id {OWN_PERMISSION}
 WHERE f.id = %s AND f.tenant_id = %s AND b.id = %s
   FOR KEY SHARE OF f, b
"""  # noqa: S608 - constants


def _hold(actor: Actor, folder: Folder, blob: Blob) -> Place:
    """Keep the folder from being deleted until the transaction ends, and the bytes from being swept."""
    with planned_cursor() as cursor:
        cursor.execute(_HOLD, [*flag_values(actor), folder.pk, folder.tenant_id, blob.pk])
        row = cursor.fetchone()
    if row is not None:
        return Place(folder, row[0], row[1], rules.in_force(actor, folder.tenant_id, *flags_in(row[2:])))
    held = tree.hold(folder.pk)
    if held is None or held.tenant_id != blob.tenant_id:
        raise NotFound
    raise NotFound(_("The content of this file is missing. Please upload it again."), code="file_missing")


def _require_big(tenant_id: int, blob: Blob) -> None:
    answer = rules.may_store_big(tenant_id, blob.size)
    if not answer:
        raise Denied(answer.reason, code="license_required")


def _content(blob: Blob) -> dict[str, Any]:
    """What a document copies from its bytes."""
    return {"size_bytes": blob.size, "mime": blob.mime, "is_big": blob.size > settings.BASE64_LIMIT}


def _version(document: Document, blob: Blob, *, number: int, user_id: int) -> dict[str, Any]:
    """The columns of a version."""
    return {
        "tenant_id": document.tenant_id,
        "document": document,
        "number": number,
        "label": document.version_label,
        "filename": document.filename,
        "blob": blob,
        "size_bytes": blob.size,
        "uploaded_by_id": user_id,
    }


def _label(folder: Folder, name: str | None) -> FolderLabel | None:
    """The folder's label of that name; none for no name. Raises `Invalid` (DOCMS-139)."""
    if not name:
        return None
    label = label_named(folder, name)
    if label is None:
        problem = _("The folder has no label “%(name)s”.") % {"name": name}
        raise Invalid(problem, code="unknown_label", fields={"label_name": [problem]})
    return label


def _log(document: Document, actor: Actor, action: str, label: str = "") -> None:
    _entry(document, actor, action, label).save(force_insert=True)


def _entry(document: Document, actor: Actor, action: str, label: str = "") -> DocumentLog:
    return DocumentLog(
        tenant_id=document.tenant_id, document_id=document.pk, user_id=actor.user_id, action=action, label=label
    )


def wake_workers(document: Document, *, new_content: bool) -> None:
    """After the commit workers read the text and tell people. What is not sent now, the sweeps of both find."""
    visible = document.active_from is None or document.active_from <= timezone.now()
    if new_content and document.mime in indexing.READABLE:
        wake_after_commit("docms.index_document", document.pk)
    if document.notified_at is None and visible:
        wake_after_commit("docms.notify_upload", document.pk)


@transaction.atomic
def change_document(
    *,
    actor: Actor,
    document: Document,
    changes: Mapping[str, Any],
    blob: Blob | None = None,
    filename: str | None = None,
    expected: int | None = None,
) -> Document:
    """Change data (DOCMS-112), with ``blob`` also the content, which starts a new version (DOCMS-113).

    ``changes`` are columns, ``folder`` (a visible `Folder`) for a move, ``label_name``, and ``first_access``, which
    counts for administrators only (DOCMS-120). After a move a label is kept when the new folder has one of that
    name, and holds on the old place cover it on. A new version keeps done state, first access and counter; whoever
    uploads it has read it if they had read the one before (DOCMS-127), and people are told as of a new upload. A title
    that shows nothing is none. Returns the row as it is now.

    Raises `NotFound` when it is gone, `Denied` without the rights here or in the target folder (DOCMS-111),
    `Conflict` (``deletion_locked``) where the target protects it for a shorter time than its folder does (DOCMS-105),
    `Changed` when somebody else was faster, `Invalid` and `ValidationError` for wrong values.
    """
    assert actor.user_id is not None, "documents are changed by people"
    if "folder" in changes:
        keep_still([document.tenant_id])
    fresh = locked(document.pk, folders=[changes["folder"].pk] if "folder" in changes else ())
    if fresh is None or fresh.claimed_at is not None:
        raise NotFound
    rules.require(rules.may_edit(actor, fresh))
    changes = dict(changes)
    unknown = changes.keys() - COLUMNS - {"folder", "label_name", "first_access", "filename"}
    if unknown:
        raise TypeError(f"unknown columns of a document: {', '.join(sorted(unknown))}")
    filename = changes.pop("filename", None) or filename
    values: dict[str, Any] = {key: changes[key] for key in COLUMNS & changes.keys()}
    check_texts(Document, values)
    if "title" in values:
        values["title"] = "" if is_blank(values["title"]) else values["title"]  # the file name is shown then
        values["sort_key"] = sort_key(values["title"] or filename or fresh.filename)
    if filename:
        values["filename"] = blobs.clean_filename(filename)
    if "first_access" in changes and rules.may_administer(actor, fresh.tenant_id):
        values["first_access"] = changes["first_access"]
    values |= _move(actor, fresh, changes)
    old_label = fresh.label_id
    if blob is not None:
        values |= _new_version(actor, fresh, blob, values)
    changed = rows.change(fresh, values, expected=expected)
    if not changed:
        return fresh
    now = timezone.now()
    Document.objects.filter(pk=fresh.pk).update(changed_at=now)
    fresh.changed_at = now
    if changed.keys() - {"label"}:
        _log(fresh, actor, Action.EDIT)
    if fresh.label_id != old_label:
        _log(fresh, actor, Action.LABEL, fresh.label.name if fresh.label else "")
    if blob is not None:
        indexing.index_new(fresh)
    else:
        indexing.index([fresh])
    wake_workers(fresh, new_content=blob is not None)
    return fresh


def _move(actor: Actor, document: Document, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Folder and label after the change."""
    folder = document.folder
    values: dict[str, Any] = {}
    if "folder" in changes and changes["folder"].pk != folder.pk:
        target = tree.hold(changes["folder"].pk)
        if target is None or target.tenant_id != document.tenant_id:
            problem = _("This folder does not exist.")
            raise Invalid(problem, code="unknown_id", fields={"folder": [problem]})
        rules.require(rules.may_move(actor, document, target))
        _keep_protected(document, target)
        holds.keep_document(document.pk)
        folder = values["folder"] = target
        if document.label is not None:
            values["label"] = label_named(folder, document.label.name)
    if "label_name" in changes:
        values["label"] = _label(folder, changes["label_name"])
    return values


def _keep_protected(document: Document, target: Folder) -> None:
    """Raise `Conflict` (``deletion_locked``) where a move would end the protection of the folder's date earlier."""
    until, then = document.folder.allow_delete_files, target.allow_delete_files
    if until is not None and until > timezone.now() and (then is None or then < until):
        raise Conflict(
            _("This document is protected until a date that has not come yet, and would not be there any more."),
            code="deletion_locked",
        )


def _new_version(actor: Actor, document: Document, blob: Blob, values: dict[str, Any]) -> dict[str, Any]:
    assert actor.user_id is not None
    assert document.current is not None
    if blob.tenant_id != document.tenant_id or not blobs.hold(blob):
        raise NotFound(_("The content of this file is missing. Please upload it again."), code="file_missing")
    _require_big(document.tenant_id, blob)
    before = document.current.number
    shown = Document(
        pk=document.pk,
        tenant_id=document.tenant_id,
        version_label=values.get("version_label", document.version_label),
        filename=values.get("filename", document.filename),
    )
    columns = _version(shown, blob, number=before + 1, user_id=actor.user_id)
    version = rows.create(DocumentVersion, check=False, **columns)
    membership = actor.membership(document.tenant_id)
    if membership is not None:
        ReadMark.objects.filter(document=document, membership=membership, version_no=before).update(
            version_no=version.number
        )
    return {"current": version, "notified_at": None, **_content(blob)}


def versions(document: Document) -> models.QuerySet[DocumentVersion]:
    """All contents of a document, oldest first. The caller has settled who sees the document."""
    return DocumentVersion.objects.filter(document=document).select_related("uploaded_by").order_by("number")


# --- The end --------------------------------------------------------------------------------------------


def deletable_problem(document: Document) -> str:
    """Why nobody can delete it now; empty when it can be (DOCMS-105)."""
    problem = rules.deletion_problem(document)
    return str(problem[1]) if problem else ""


@transaction.atomic
def delete_document(
    *, actor: Actor | None, document: Document, reason: str = "manual", rule: dict[str, Any] | None = None
) -> None:
    """Delete a document with all versions and content (DOCMS-114); jobs have no actor.

    Side effects: those of `destruction.destroy`.

    Raises `NotFound` when it is gone, `Denied` for whoever may not, `Conflict` while the folder's date
    (``deletion_locked``, DOCMS-105) or a hold (``held``) protects it.
    """
    keep_still([document.tenant_id])
    row = locked(document.pk)
    if row is None or (actor is not None and row.claimed_at is not None):
        raise NotFound
    if actor is not None:
        answer = rules.may_delete(actor, row)
        if answer.denied_status != 409:
            rules.require(answer)
    problem = rules.deletion_problem(row)
    if problem:
        raise Conflict(problem[1], code=problem[0])
    destruction.destroy(
        Document.objects.filter(pk=row.pk),
        user_id=actor.user_id if actor else None,
        end=destruction.End(reason, rule or {}),
    )
