"""Small pictures: logos of tenants, and of the message after sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.services import blobs

if TYPE_CHECKING:
    from core.models import Blob
    from core.services.blobs import Readable

LOGO_MAX = 512 * 1024  # bytes
LOGO_TYPES = ("image/png", "image/jpeg")


def store_logo(file: Readable, *, tenant_id: int, field: str) -> Blob:
    """Store a PNG or JPEG of at most `LOGO_MAX`. Raises `Invalid` and `TooLarge` naming ``field``."""
    blob = blobs.store(file, tenant_id=tenant_id, limit=LOGO_MAX)
    if blob.mime not in LOGO_TYPES:
        problem = _("Must be a PNG or JPEG picture.")
        raise Invalid(f"{field}: {problem}", fields={field: [problem]})
    return blob
