"""The audit writer: one row per write, in the transaction of the write, with a digest that cannot be forged.

Writers never wait for each other: the row carries its own HMAC, and a sealer chains committed rows afterwards.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import ipaddress
import json
import math
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.backends.postgresql.psycopg_any import Range
from django.utils import timezone

from core import scope
from core.fields import EncryptedTextField
from core.models import AuditEntry
from core.planned import planned_cursor

# Values that are recorded as length and hash: long texts of people, and whatever is written in bulk.
LONG = 300
SECRET_FIELDS = frozenset({"password", "token_hash", "code", "code_hash", "secret", "salt", "digest", "chain", "data"})
# The columns that a digest covers, in the order in which `digest_of_row` takes their values.
DIGESTED = (
    "tenant_id", "at", "user_id", "acting_for", "door", "ip", "request_id", "verb", "object_type", "object_id", "changes",
)  # fmt: skip
_encoder = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, float):  # as PostgreSQL gives it back: 1e16 as 10000000000000000, -0.0 as 0.0
        value = int(value) if 1e16 <= abs(value) < math.inf else value + 0.0
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
    return digest_of_row(bytes(entry.salt), [getattr(entry, name) for name in DIGESTED])


def canonical(value: Any) -> bytes:
    """The one spelling of a value in JSON."""
    return _encoder.encode(value).encode()


def digest_of_row(salt: bytes, row: Sequence[Any], spell: Callable[[Any], bytes] = canonical) -> bytes:
    """The same over the values of `DIGESTED`: whoever checks a million entries makes no instances."""
    tenant_id, at, user_id, acting_for, door, ip, request_id, verb, object_type, object_id, changes = row
    spelled = spell(
        {
            "tenant": tenant_id,
            "at": at.astimezone(datetime.UTC).isoformat(),
            "user": user_id,
            "acting_for": acting_for,
            "door": door,
            # PostgreSQL writes ::ffff:203.0.113.4 where Python writes ::ffff:cb00:7104: one spelling for both.
            "ip": str(ipaddress.IPv6Address(ip)) if ip and ":" in ip else ip,
            "request": request_id,
            "verb": verb,
            "type": object_type,
            "id": object_id,
            "changes": changes,
        }
    )
    return hmac.digest(settings.AUDIT_KEY.encode(), salt + spelled, "sha256")


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


# Every write writes an entry, so this is the statement that is asked most of all.
_ONE = """
INSERT INTO core_auditentry
       (tenant_id, at, user_id, acting_for, door, ip, request_id, verb, object_type, object_id, changes, salt, digest)
VALUES (%s, %s, %s, %s, %s, %s::inet, %s, %s, %s, %s, %s::jsonb, %s, %s)
RETURNING id
"""


def record(verb: str, obj: models.Model, changes: Mapping[str, Any] | None = None) -> AuditEntry:
    """Write who did what to an object, with old and new values as ``{field: [old, new]}``."""
    tenant_id = getattr(obj, "tenant_id", None)
    entry = entry_for(verb, object_type=obj._meta.label_lower, object_id=obj.pk, tenant_id=tenant_id, changes=changes)
    values = [getattr(entry, name) for name in (*DIGESTED, "salt", "digest")]
    values[DIGESTED.index("changes")] = None if entry.changes is None else json.dumps(entry.changes)
    with planned_cursor() as cursor:
        cursor.execute(_ONE, values)
        (entry.pk,) = cursor.fetchone()
    entry._state.adding, entry._state.db = False, connection.alias
    return entry


def record_export(model: type[models.Model], *, tenant_id: int | None, query: str, form: str) -> None:
    """Write that somebody takes a list out of the house: of what, how it was narrowed down (as in the address), and as what."""
    changes = {"query": [None, query[:1000]], "form": [None, form]}
    entry = entry_for(
        "exported", object_type=model._meta.label_lower, object_id="", tenant_id=tenant_id, changes=changes
    )
    entry.save(force_insert=True)


# One statement of a few arrays: an instance and thirteen parameters for each of thousands take longer than their writing.
MANY = """
INSERT INTO core_auditentry
       (tenant_id, at, user_id, acting_for, door, ip, request_id, verb, object_type, object_id, changes, salt, digest)
SELECT e.tenant_id, %(at)s, %(user)s, %(acting_for)s, %(door)s, %(ip)s::inet, %(request)s, %(verb)s, e.object_type,
       e.object_id, e.changes, e.salt, e.digest
  FROM unnest(%(tenants)s::bigint[], %(types)s::text[], %(ids)s::text[], %(changes)s::jsonb[], %(salts)s::bytea[],
              %(digests)s::bytea[])
       AS e(tenant_id, object_type, object_id, changes, salt, digest)
"""


def record_many(
    verb: str,
    model: type[models.Model],
    written: Iterable[tuple[int, int | None, Mapping[str, Any]]],
) -> None:
    """`record` for many rows of a model by one statement: of each its id, its tenant and ``{field: [old, new]}``."""
    values = values_of_many(verb, ((model, *row) for row in written))
    if values["ids"]:
        with connection.cursor() as cursor:
            cursor.execute(MANY, values)


def values_of_many(
    verb: str, written: Iterable[tuple[type[models.Model], int, int | None, Mapping[str, Any]]]
) -> dict[str, Any]:
    """The values of `MANY`, for statements that write the rows as well: of each its model, and what `record_many` takes."""
    now, at = scope.current(), timezone.now()
    tenants, types, ids, texts, salts, digests = [], [], [], [], [], []
    for model, object_id, tenant_id, changes in written:
        object_type, plain, salt, number = (
            model._meta.label_lower,
            _plain(changes),
            secrets.token_bytes(16),
            str(object_id),
        )
        row = (
            tenant_id, at, now.user_id, now.acting_for, now.door, now.ip, now.request_id, verb, object_type, number, plain,
        )  # fmt: skip
        tenants.append(tenant_id)
        types.append(object_type)
        ids.append(number)
        texts.append(json.dumps(plain))
        salts.append(salt)
        digests.append(digest_of_row(salt, row))
    return {
        "at": at, "user": now.user_id, "acting_for": now.acting_for, "door": now.door, "ip": now.ip,
        "request": now.request_id, "verb": verb, "tenants": tenants, "types": types, "ids": ids, "changes": texts,
        "salts": salts, "digests": digests,
    }  # fmt: skip
