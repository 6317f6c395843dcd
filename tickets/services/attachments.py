"""Files of tickets: uploads that become attachments of one entry of the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Invalid, WrongType
from core.models import Upload
from core.services import destruction, rows, uploads
from core.services.blobs import held_because
from core.services.sniff import PICTURES
from tickets.models import TicketAttachment
from tickets.services import photos

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orgs.actor import Actor
    from orgs.models import Community
    from tickets.models import TicketActivity

LIMIT = 25 * 1024 * 1024  # bytes of a file
_OFFICE = "application/vnd.openxmlformats-officedocument."
# What every door of tickets takes (conflict 14).
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


@transaction.atomic
def receive(sent: Iterable[Any], *, actor: Actor, community: Community, door: str) -> list[str]:
    """Files of a form become handles, in their order. Raises what `uploads.receive` raises, `WrongType` for other kinds."""
    assert actor.user_id is not None, "files are uploaded by people"
    received = [
        uploads.receive(
            file, user_id=actor.user_id, tenant_id=community.tenant_id, door=door, name=file.name, limit=LIMIT,
            declared_mime=file.content_type or "", community_id=community.pk,
        )
        for file in sent
    ]  # fmt: skip
    _require_accepted(received)
    return [upload.handle for upload in received]


def _require_accepted(received: Iterable[Upload]) -> None:
    if any(upload.blob is None or upload.blob.mime not in ACCEPTED for upload in received):
        raise WrongType


def waiting(handles: Iterable[str], *, actor: Actor, door: str) -> list[Upload]:
    """Those of these handles that are the actor's and still to be used, to show them once more in a form."""
    wanted = [handle for handle in handles if 0 < len(handle) <= 40 and "\x00" not in handle]
    own = Upload.objects.waiting().filter(handle__in=wanted, user=actor.user_id, door=door).exclude(blob=None)
    return sorted(own, key=lambda upload: wanted.index(upload.handle))


def claim(*, actor: Actor, tenant_id: int, files: Files) -> list[Upload]:
    """Use the handles up, in their order; `add` makes them attachments. Positions leave the pictures (PORTAL-079).

    Side effects: a picture that told its place is stored anew; after commit a worker removes the bytes that did.

    Raises `Invalid` (``invalid_upload``) for one that is unknown, used, not finished, somebody else's, or of another
    company (TICKETS-050, PORTAL-080); `WrongType` for a kind that tickets do not take, whatever its door had let in.
    """
    claimed = []
    for handle in files.handles:
        assert actor.user_id is not None, "files are uploaded by people"
        upload = uploads.claim(handle, user_id=actor.user_id, door=files.door)
        if upload.tenant_id != tenant_id:
            problem = _("This upload does not exist, is not finished or has been used already.")
            raise Invalid(problem, code="invalid_upload")
        _require_accepted([upload])
        _without_position(upload)
        claimed.append(upload)
    return claimed


def _without_position(upload: Upload) -> None:
    told = upload.blob
    assert told is not None, "a claimed upload is complete"
    kept = photos.without_position(told)
    if kept.pk != told.pk:
        rows.change(upload, {"blob": kept}, verb="position_removed", check=False)
        destruction.remove_bytes_later([told.pk])


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


def is_photo(file: TicketAttachment) -> bool:
    """Whether a page shows it small: the worker has made the picture, and nothing holds the file back."""
    return file.blob.preview_state == "ready" and file.blob.mime.startswith("image/") and not held_because(file.blob)
