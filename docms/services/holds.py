"""Legal holds on documents: placed by name, and kept when a document leaves the place that a hold is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core.errors import NotFound
from core.models import AuditEntry
from core.services import audit
from docms.models import Document, DocumentHold, Folder
from orgs.models import Hold
from orgs.services import holds

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from orgs.actor import Actor


@dataclass(frozen=True)
class Placed:
    """A hold, the documents it covers by name, and those that were deleted before it could be placed."""

    hold: Hold
    covered: list[int]
    gone: list[int]


@transaction.atomic
def place(*, actor: Actor, tenant_id: int, document_ids: Collection[int], title: str, reason: str) -> Placed:
    """Keep documents of a tenant from being deleted. Waits until running deletions in the tenant are over.

    Side effects: audit entries with verb ``placed`` for the hold and ``held`` for each document.

    Raises `Denied` for whoever is no administrator of the tenant, `NotFound` (``gone``) when none of the documents
    is there any more, `ValidationError` without title or reason.
    """
    hold = holds.open_hold(actor=actor, tenant_id=tenant_id, title=title, reason=reason)
    visible = Document.objects.visible_to(actor, all=True).filter(pk__in=document_ids, tenant=tenant_id)
    covered = list(visible.order_by("pk").values_list("pk", flat=True))
    if not covered:
        raise NotFound(_("This was deleted before the hold could be placed."), code="gone")
    DocumentHold.objects.bulk_create(
        DocumentHold(tenant_id=tenant_id, hold=hold, document_id=document_id) for document_id in covered
    )
    AuditEntry.objects.bulk_create(
        audit.entry_for(
            "held",
            object_type=Document._meta.label_lower,
            object_id=document_id,
            tenant_id=tenant_id,
            changes={"hold": [None, hold.pk]},
        )
        for document_id in covered
    )
    return Placed(hold, covered, sorted(set(document_ids) - set(covered)))


def covering(document: Document) -> QuerySet[Hold]:
    """The holds on a document, released ones, too: by name, or through its folder's person or place."""
    folder = document.folder
    communities = {folder.community_id, folder.unit.community_id if folder.unit else None} - {None}
    named = DocumentHold.objects.filter(document=document).order_by().values("hold")
    on = Q(pk__in=named) | Q(community__in=communities)
    for name in ("contact", "unit"):
        if getattr(folder, f"{name}_id"):
            on |= Q(**{name: getattr(folder, f"{name}_id")})
    return Hold.objects.filter(on, tenant=document.tenant_id)


def covered(hold: Hold) -> QuerySet[Document]:
    """The documents that a hold covers as long as it is in force, of those that are there."""
    on = Q()
    if hold.contact_id:
        on |= Q(contact=hold.contact_id)
    if hold.unit_id:
        on |= Q(unit=hold.unit_id)
    if hold.community_id:
        on |= Q(community=hold.community_id) | Q(unit__community=hold.community_id)
    found = Q(pk__in=DocumentHold.objects.filter(hold=hold).order_by().values("document"))
    if on:
        found |= Q(folder__in=Folder.objects.filter(on, tenant=hold.tenant_id).order_by().values("pk"))
    return Document.objects.filter(found, tenant=hold.tenant_id, claimed_at=None)


_NAME_COVERED = """
INSERT INTO docms_documenthold (created_at, tenant_id, hold_id, document_id)
SELECT now(), d.tenant_id, h.id, d.id
  FROM docms_document d
  JOIN docms_folder f ON f.id = d.folder_id
  LEFT JOIN orgs_unit u ON u.id = f.unit_id
  JOIN orgs_hold h ON h.tenant_id = d.tenant_id AND h.released_at IS NULL
   AND (h.contact_id = f.contact_id OR h.unit_id = f.unit_id OR h.community_id IN (f.community_id, u.community_id))
 WHERE d.{column} = ANY(%s)
ON CONFLICT (hold_id, document_id) DO NOTHING
"""


def keep_document(document_id: int) -> int:
    """Before a document leaves its folder: holds on the folder's place cover it by name from now on.

    Else moving would be a way around a hold. Returns how many are new. The caller has called `holds.keep_still`.
    """
    return _name_covered("id", [document_id])


def keep_folders(folder_ids: Collection[int]) -> int:
    """Before folders get another place; the same for all documents in them, in one statement."""
    return _name_covered("folder_id", folder_ids)


def _name_covered(column: str, ids: Collection[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NAME_COVERED.format(column=column), [list(ids)])
        return int(cursor.rowcount)
