"""Pictures of organizations, judged by their bytes (ORGS-066, 067, 086)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from core.answers import require
from core.errors import WrongType
from core.services import blobs, rows
from orgs import rules
from orgs.services.installation import public_url

if TYPE_CHECKING:
    from core.services.blobs import Readable
    from orgs.actor import Actor
    from orgs.models import Organization

LIMIT = 5 * 1024 * 1024  # bytes
TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
PIXELS = 40_000_000  # a picture of more is no avatar: to unpack it takes hundreds of megabytes


@transaction.atomic
def store(*, actor: Actor, organization: Organization, file: Readable | None) -> None:
    """Make a picture the avatar, or none. What a former one held goes with the next sweep. Side effect: audit.

    Raises `Denied` (as for any change, ORGS-022), `TooLarge` above `LIMIT`, `WrongType` for bytes that are no picture of
    `TYPES` or unfold to more than `PIXELS`; then the former avatar stays.
    """
    require(rules.may_change_organization(actor, organization))
    blob = None
    if file is not None:
        blob = blobs.store(file, tenant_id=organization.tenant_id, limit=LIMIT)
        if blob.mime not in TYPES or not blob.width or not blob.height or blob.width * blob.height > PIXELS:
            raise WrongType(_("Must be a PNG, JPEG, GIF or WebP picture of at most 40 megapixels."))
    rows.change(organization, {"avatar": blob}, check=False)


def address(organization: Organization) -> str:
    """Where the picture is served, for whoever has the address; nothing without one (ORGS-066)."""
    if organization.avatar is None:
        return ""
    return public_url(f"/api/v1/organizations/avatars/{organization.avatar.storage_key}")
