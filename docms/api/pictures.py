"""Small pictures that travel inside JSON: logos of tenants and of the message after sign-in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from core.services import blobs

if TYPE_CHECKING:
    from core.models import Blob

LOGO_MAX = 512 * 1024  # bytes


def as_base64(blob: Blob | None) -> str | None:
    """The picture as plain Base64; none when there is none, or when its object is lost."""
    if blob is None or blob.size > LOGO_MAX:
        return None
    try:
        with blobs.open_blob(blob) as file:
            return base64.b64encode(file.read()).decode()
    except FileNotFoundError:
        return None
