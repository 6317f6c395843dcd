"""The encrypted column: secrets of SMTP, SMS and OpenID at rest."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


def cipher() -> MultiFernet:
    """The installation's keys, newest first: the first encrypts, all decrypt (so keys can be rotated)."""
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


class EncryptedTextField(models.TextField):
    """Text that the database only ever sees encrypted (Fernet: AES-128-CBC with HMAC-SHA256).

    It cannot be searched. A value that none of the keys opens raises `cryptography.fernet.InvalidToken`:
    a lost key is an operator's problem to see, not an empty password to send mail with.
    """

    description = "Encrypted text"

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if not value:
            return value
        return cipher().encrypt(value.encode()).decode("ascii")

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if not value:
            return value
        return cipher().decrypt(value.encode("ascii")).decode()

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in {"isnull", "exact"}:
            return None
        return super().get_lookup(lookup_name)


__all__ = ["EncryptedTextField", "InvalidToken", "cipher"]
