"""Files of tickets: uploads that become attachments of one entry of the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services import rows, uploads
from core.services.sniff import PICTURES
from tickets.models import TicketAttachment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.models import Upload
    from orgs.actor import Actor
    from tickets.models import TicketActivity

LIMIT = 25 * 1024 * 1024  # bytes of a file
_OFFICE = "application/vnd.openxmlformats-officedocument."
ACCEPTED = frozenset(
    {
        *PICTURES, "image/heic", "image/heif", "application/pdf", "text/plain", "text/csv", "video/mp4", "video/quicktime",
        f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet", f"{_OFFICE}presentationml.presentation",
        "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """Handles of uploads, and the door through which they came; a handle goes through no other (conflict 13)."""

    handles: Sequence[str] = ()
    door: str = ""


NONE = Files()


def claim(*, actor: Actor, tenant_id: int, files: Files) -> list[Upload]:
    """Use the handles up, in their order; `add` makes them attachments.

    Raises `Invalid` (``invalid_upload``) for one that is unknown, used, not finished, somebody else's, or of another
    company (TICKETS-050, PORTAL-080).
    """
    claimed = []
    for handle in files.handles:
        assert actor.user_id is not None, "files are uploaded by people"
        upload = uploads.claim(handle, user_id=actor.user_id, door=files.door)
        if upload.tenant_id != tenant_id:
            problem = _("This upload does not exist, is not finished or has been used already.")
            raise Invalid(problem, code="invalid_upload")
        claimed.append(upload)
    return claimed


def add(activity: TicketActivity, claimed: Sequence[Upload]) -> list[TicketAttachment]:
    """Make claimed uploads the files of one entry of the stream."""
    return [
        rows.create(
            TicketAttachment,
            tenant_id=activity.tenant_id,
            ticket_id=activity.ticket_id,
            activity=activity,
            blob=upload.blob,
            name=upload.name,
            position=position,
            key=upload.handle,
        )
        for position, upload in enumerate(claimed)
    ]
