"""Keys of licences as the vendor signs them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VENDOR, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC = VENDOR.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
CODE = "ABCDE-12345-KLMNO-67890-PQRST"


def signed(by: Ed25519PrivateKey = VENDOR, **terms: Any) -> str:
    """A key with these terms; the others are a commercial licence without limits."""
    payload = json.dumps({"product": "quartier", "type": "commercial", "variant": "professional", **terms}).encode()
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (payload, by.sign(payload)))


def for_code(code: str = CODE, **terms: Any) -> str:
    """The key that a code of the set-up unlocks."""
    return signed(code_sha256=hashlib.sha256(code.encode()).hexdigest(), **terms)
