"""Small pictures: logos of tenants, and of the message after sign-in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from PIL import Image

from core.errors import Invalid
from core.services import blobs
from core.services.sniff import PICTURES

if TYPE_CHECKING:
    from core.models import Blob
    from core.services.blobs import Readable

LOGO_MAX = 512 * 1024  # bytes
LOGO_TYPES = ("image/png", "image/jpeg")
_PIXELS = 25_000_000  # unpacked in here; of more, only the frame is looked at


def store_logo(file: Readable, *, tenant_id: int, field: str) -> Blob:
    """Store a PNG or JPEG of at most `LOGO_MAX`. Raises `Invalid` and `TooLarge` naming ``field``."""
    content = file.read(LOGO_MAX + 1)
    blob = blobs.store(io.BytesIO(content), tenant_id=tenant_id, limit=LOGO_MAX)
    if blob.mime not in LOGO_TYPES or not _is_whole(content, blob.mime):
        problem = _("Must be a PNG or JPEG picture.")
        raise Invalid(f"{field}: {problem}", fields={field: [problem]})
    return blob


def _is_whole(content: bytes, mime: str) -> bool:
    """Whether a picture can be drawn, to its last line."""
    try:
        with Image.open(io.BytesIO(content), formats=[PICTURES[mime]]) as picture:
            if picture.width * picture.height > _PIXELS:
                picture.verify()
            else:
                picture.load()
    except Exception:  # parsers of foreign bytes raise anything
        return False
    return True
