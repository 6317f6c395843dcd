"""Random secrets and their hashes: the database never holds a usable token (DOCMS-004)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """SHA-256. Enough for 256 random bits; whatever people choose or type goes through `keyed_hash`."""
    return hashlib.sha256(token.encode()).digest()


def keyed_hash(purpose: str, text: str) -> bytes:
    """HMAC of a short code or an address, so that a leaked table cannot be searched by guessing."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"{purpose}:{text}".encode(), "sha256")
