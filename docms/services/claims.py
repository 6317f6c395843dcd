"""Documents that a download has claimed: hidden at once, deleted by a worker (DOCMS-122, 123)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import scope
from core.errors import Conflict, NotFound
from docms.models import Document
from docms.services.documents import delete_document

if TYPE_CHECKING:
    from core.services.jobs import Counts

BATCH = 200


def finish_claimed(document_id: int) -> bool:
    """Delete a document that a download has claimed (DOCMS-122); False when it is gone, not claimed or protected.

    A protected one stays hidden until the sweep finds it free. Deleting twice is no error.
    """
    document = Document.objects.filter(pk=document_id, claimed_at__isnull=False).first()
    if document is None:
        return False
    try:
        delete_document(
            actor=None,
            document=document,
            reason="next_download",
            rule={"claimed_by": document.claimed_by_id, "claimed_at": str(document.claimed_at)},
        )
    except (Conflict, NotFound):
        return False
    return True


def delete_claimed() -> Counts:
    """Job: delete what downloads have claimed and what is not protected (any more); see `finish_claimed`."""
    counts = {"deleted": 0, "waiting": 0}
    last = 0
    while ids := _batch(last):
        for document_id in ids:
            with scope.unit_of_work(door="worker"), scope.all_tenants():
                counts["deleted" if finish_claimed(document_id) else "waiting"] += 1
        last = ids[-1]
    return counts


def _batch(last: int) -> list[int]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        claimed = Document.objects.filter(claimed_at__isnull=False, pk__gt=last)
        return list(claimed.order_by("pk").values_list("pk", flat=True)[:BATCH])
