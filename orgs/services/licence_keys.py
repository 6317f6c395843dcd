"""Keys of licences: what was bought, signed by the vendor with Ed25519.

A key is two parts in URL-safe Base64 with a dot between them: a JSON object, and the signature of its bytes. The object
holds ``product`` ("quartier"), ``type``, ``variant``, ``tenant`` (the uuid of the one tenant it is for, or null),
``features`` (codes), ``max_points`` (0 = no limit), the last days ``app_duration``, ``maintenance_duration`` and
``support_duration`` (ISO dates, or null for unlimited), and for set-ups ``code_sha256`` (of the code that unlocks it).
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Invalid

PRODUCT = "quartier"
FEATURES = (1, 2, 3, 4)  # big files, text-message sharing, group administrators, applications
POINTS_MAX = 2**31 - 1
YEARS = (2000, 9000)  # of a last day


@dataclass(frozen=True)
class Terms:
    """What a key grants."""

    license_type: str
    license_variant: str
    features: list[int]
    max_points: int
    tenant: UUID | None
    app_duration: datetime.date | None
    maintenance_duration: datetime.date | None
    support_duration: datetime.date | None
    code_sha256: str

    @property
    def valid_until(self) -> datetime.datetime | None:
        """The end of the last day, in UTC."""
        if self.app_duration is None:
            return None
        return datetime.datetime.combine(
            self.app_duration + datetime.timedelta(days=1), datetime.time(), tzinfo=datetime.UTC
        )

    def is_unlocked_by(self, code: str) -> bool:
        """Whether it belongs to this code of the set-up."""
        given = hashlib.sha256(code.encode()).hexdigest()
        return hmac.compare_digest(given.encode(), self.code_sha256.lower().encode())

    def columns(self, key: str) -> dict[str, Any]:
        """As `orgs.License` keeps it."""
        return {
            "key": key,
            "license_type": self.license_type,
            "license_variant": self.license_variant,
            "valid_until": self.valid_until,
            "features": self.features,
            "max_points": self.max_points,
            "maintenance_until": self.maintenance_duration,
            "support_until": self.support_duration,
        }


def read(key: str) -> Terms:
    """The terms of a key whose signature is right, expired or not.

    Raises `Invalid` (``invalid_license``) for everything else, and where the installation knows no public key.
    """
    try:
        payload, _dot, signature = key.strip().partition(".")
        signed = _bytes(payload)
        Ed25519PublicKey.from_public_bytes(settings.LICENSE_PUBLIC_KEY).verify(_bytes(signature), signed)
        return _terms(orjson.loads(signed))
    except (InvalidSignature, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Invalid(_("This licence key is not valid."), code="invalid_license") from None


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _terms(values: dict[str, Any]) -> Terms:
    if values["product"] != PRODUCT:
        raise ValueError(values["product"])
    features, points, tenant = values.get("features", []), values.get("max_points", 0), values.get("tenant")
    if not set(features) <= set(FEATURES) or type(points) is not int or not 0 <= points <= POINTS_MAX:
        raise ValueError("features or points")
    return Terms(
        license_type=_text(values["type"]),
        license_variant=_text(values["variant"]),
        features=sorted(features),
        max_points=points,
        tenant=UUID(tenant) if tenant is not None else None,
        app_duration=_day(values.get("app_duration")),
        maintenance_duration=_day(values.get("maintenance_duration")),
        support_duration=_day(values.get("support_duration")),
        code_sha256=str(values.get("code_sha256", "")),
    )


def _text(value: object) -> str:
    text = str(value)
    if "\x00" in text:  # which PostgreSQL keeps in no text
        raise ValueError(text)
    return text[:50]


def _day(text: str | None) -> datetime.date | None:
    if text is None:
        return None
    day = datetime.date.fromisoformat(text)
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(text)
    return day
