"""Small pictures that travel inside JSON: logos of tenants and of the message after sign-in."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import BeingChecked, Held, Invalid
from core.services import blobs
from core.services.pictures import LOGO_MAX, store_logo

if TYPE_CHECKING:
    from core.models import Blob


def as_base64(blob: Blob | None) -> str | None:
    """The picture as plain Base64; none when there is none, when its object is lost, or when it is held."""
    if blob is None or blob.size > LOGO_MAX:
        return None
    try:
        with blobs.open_blob(blob) as file:
            return base64.b64encode(file.read()).decode()
    except (FileNotFoundError, BeingChecked, Held):
        return None


def from_base64(data: str | None, *, tenant_id: int, field: str) -> Blob | None:
    """Store a PNG or JPEG given as Base64 or as data URI; none for nothing. Raises `Invalid` naming ``field``."""
    if not data:
        return None
    plain = data.partition("base64,")[2] if data.startswith("data:") else data
    try:
        content = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content or len(content) > LOGO_MAX:
        raise _wrong(field, _("Must be a picture in Base64 of at most 512 KiB."))
    return store_logo(io.BytesIO(content), tenant_id=tenant_id, field=field)


def _wrong(field: str, problem: str) -> Invalid:
    return Invalid(f"{field}: {problem}", fields={field: [problem]})
