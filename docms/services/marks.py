"""What documents and folders are to people: read, done, favourite, opened last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from core.errors import NotFound
from core.services import rows
from docms import rules
from docms.models import Document, DocumentLog, Folder, FolderMark
from docms.services.locking import locked

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Membership


@transaction.atomic
def set_favourite(*, folder_id: int, actor: Actor, on: bool) -> None:
    """Mark or unmark a folder as one's own favourite; twice is once (DOCMS-141).

    Raises `NotFound` for a folder the actor does not see. Not audited: a bookmark is nobody else's business.
    """
    folder = Folder.objects.visible_to(actor, all=True).filter(pk=folder_id).first()
    membership = actor.membership(folder.tenant_id) if folder else None
    if folder is None or membership is None:
        raise NotFound
    if on:
        FolderMark.objects.bulk_create(
            [FolderMark(tenant_id=folder.tenant_id, folder=folder, membership=membership, is_favourite=True)],
            update_conflicts=True,
            unique_fields=["membership", "folder"],
            update_fields=["is_favourite"],
        )
    else:
        FolderMark.objects.filter(folder=folder, membership=membership).update(is_favourite=False)


def opened(folder: Folder, membership: Membership | None) -> None:
    """Remember the folder as the one fetched last (DOCMS-060). The caller has settled that it is visible."""
    if membership is None:
        return
    FolderMark.objects.bulk_create(
        [FolderMark(tenant_id=folder.tenant_id, folder=folder, membership=membership, opened_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["membership", "folder"],
        update_fields=["opened_at"],
    )


@transaction.atomic
def mark_read(*, document_id: int, actor: Actor) -> None:
    """Take a document off the list of unread ones, without log entry or count (DOCMS-128).

    Raises `NotFound` for a document the actor does not see, `Denied` without ``read`` in its folder.
    """
    visible = Document.objects.visible_to(actor, all=True).select_related("current", "folder")
    document = visible.filter(pk=document_id).first()
    membership = actor.membership(document.tenant_id) if document else None
    if document is None or document.current is None or membership is None:
        raise NotFound
    rules.require(rules.may_read(actor, document))
    write_read_mark(document, membership.pk, document.current.number)


# This member knows this version; a mark never goes back to an older one (DOCMS-126), and one that would stay as it is
# is not written. Part of a statement in which ``counted`` has a row (id, tenant_id, membership_id, number) for each mark.
READ_MARK = """
  INSERT INTO docms_readmark AS mark
         (tenant_id, document_id, membership_id, version_no, first_at, downloaded_at, created_at)
  SELECT tenant_id, id, membership_id, number, %(now)s, CASE WHEN %(is_download)s THEN %(now)s END, %(now)s FROM counted
  ON CONFLICT (document_id, membership_id) DO UPDATE
     SET version_no = greatest(mark.version_no, excluded.version_no),
         downloaded_at = coalesce(mark.downloaded_at, excluded.downloaded_at)
   WHERE mark.version_no < excluded.version_no
      OR (mark.downloaded_at IS NULL AND excluded.downloaded_at IS NOT NULL)
"""


def write_read_mark(document: Document, membership_id: int, version_no: int) -> None:
    """Mark without opening, see `READ_MARK`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH counted(id, tenant_id, membership_id, number) AS (VALUES (%(id)s, %(tenant)s, %(membership)s, %(number)s))"
            f"{READ_MARK}",
            {
                "id": document.pk,
                "tenant": document.tenant_id,
                "membership": membership_id,
                "number": version_no,
                "now": timezone.now(),
                "is_download": False,
            },
        )


@transaction.atomic
def set_done(*, document_id: int, actor: Actor, done: bool) -> Document:
    """Check a document off, or take the mark back; everybody of the folder shares it (DOCMS-129, 130).

    The state it already has changes neither moment nor log. Side effects: log entry.

    Raises `NotFound` for a document the actor does not see, `Denied` where checking off is not switched on.
    """
    if not Document.objects.visible_to(actor, all=True).filter(pk=document_id).exists():
        raise NotFound
    document = locked(document_id)
    if document is None or document.claimed_at is not None:
        raise NotFound
    rules.require(rules.may_check_off(actor, document.folder))
    if document.done == done:
        return document
    rows.change(
        document,
        {"done": done, "done_at": timezone.now(), "done_by": actor.user},
        verb="checked" if done else "unchecked",
        check=False,
    )
    DocumentLog.objects.create(
        tenant_id=document.tenant_id,
        document_id=document.pk,
        user_id=actor.user_id,
        action=DocumentLog.Action.CHECK if done else DocumentLog.Action.UNCHECK,
    )
    return document
