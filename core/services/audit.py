"""The audit writer: one row per write, in the transaction of the write, with a digest that cannot be forged.

Writers never wait for each other: the row carries its own HMAC, and a sealer chains committed rows afterwards.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.postgresql.psycopg_any import Range
from django.utils import timezone

from core import scope
from core.fields import EncryptedTextField
from core.models import AuditEntry

# Values that are recorded as length and hash: long texts of people, and whatever is written in bulk.
LONG = 300
SECRET_FIELDS = frozenset({"password", "token_hash", "code", "code_hash", "secret", "salt", "digest", "chain", "data"})


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Range):
        return [_plain(value.lower), _plain(value.upper)]
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(bytes(value)).hexdigest()[:16]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    text = str(value)
    if len(text) > LONG:
        return {"length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return text


def recorded(model: type[models.Model], name: str, value: Any) -> Any:
    """What the audit may hold of a column: never a secret, of long texts only length and hash."""
    field = model._meta.get_field(name)
    if name in SECRET_FIELDS or isinstance(field, EncryptedTextField):
        return "***" if value else ""
    return _plain(value)


def digest_of(entry: AuditEntry) -> bytes:
    """HMAC over salt and the canonical row."""
    row = {
        "tenant": entry.tenant_id,
        "at": entry.at.astimezone(datetime.UTC).isoformat(),
        "user": entry.user_id,
        "acting_for": entry.acting_for,
        "door": entry.door,
        "ip": entry.ip,
        "request": entry.request_id,
        "verb": entry.verb,
        "type": entry.object_type,
        "id": entry.object_id,
        "changes": entry.changes,
    }
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return hmac.digest(settings.AUDIT_KEY.encode(), bytes(entry.salt) + canonical, "sha256")


def entry_for(
    verb: str, *, object_type: str, object_id: Any, tenant_id: int | None, changes: Mapping[str, Any] | None = None
) -> AuditEntry:
    """An unsaved entry of the running scope: for services that write many at once."""
    now = scope.current()
    entry = AuditEntry(
        tenant_id=tenant_id,
        at=timezone.now(),
        user_id=now.user_id,
        acting_for=now.acting_for,
        door=now.door,
        ip=now.ip,
        request_id=now.request_id,
        verb=verb,
        object_type=object_type,
        object_id=str(object_id),
        changes=_plain(changes) if changes is not None else None,
        salt=secrets.token_bytes(16),
    )
    entry.digest = digest_of(entry)
    return entry


def record(verb: str, obj: models.Model, changes: Mapping[str, Any] | None = None) -> AuditEntry:
    """Write who did what to an object, with old and new values as ``{field: [old, new]}``."""
    tenant_id = getattr(obj, "tenant_id", None)
    entry = entry_for(verb, object_type=obj._meta.label_lower, object_id=obj.pk, tenant_id=tenant_id, changes=changes)
    entry.save(force_insert=True)
    return entry
