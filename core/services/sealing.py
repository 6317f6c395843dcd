"""The audit's chain: sealing what was committed, checkpoints and erasure. `core.services.verification` proves it.

Two locks for two thieves. The digest of an entry needs `AUDIT_KEY`: whoever has only the database cannot change or
invent one. The chain needs no key: whoever owns the database can drop or reorder entries and chain the rest anew.
That differs from the checkpoints, which are exported with each backup, out of that person's reach.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.utils import timezone

from core import scope
from core.models import AuditCheckpoint, AuditEntry
from core.services import audit
from core.services.audit import DIGESTED
from core.services.jobs import Counts

BATCH = 5000  # entries of one sealing transaction
ERASING = 1000  # entries that one record of an erasure speaks of
LATE = datetime.timedelta(minutes=5)  # an entry that waits longer for the sealer is a problem to look at
GENESIS = bytes(32)
ERASED = "erased"  # the verb of the records that `erase` leaves
OWN = AuditEntry._meta.label_lower
_LOCK = 3  # the class of advisory locks; jobs take 1, trees 2
BEFORE_ALL = -(2**63)
_number = struct.Struct(">q").pack


def link(chain: bytes, seq: int, digest: bytes) -> bytes:
    """The chain after an entry."""
    return hashlib.sha256(chain + _number(seq) + digest).digest()


# --- Sealing ---------------------------------------------------------------------------------------------


def seal() -> Counts:
    """Job: chain what was committed, in the order of ids; batch by batch, each a transaction of its own.

    One sealer at a time: another one leaves at once. The lock belongs to the transaction, so it works behind a pooler
    and goes with a killed process. Within a run ids only grow: an entry with a lower id that is committed late, and
    one that an erasure holds right now, is left to the next run. Nobody ever waits for an entry, nor the sealer.
    """
    sealed, last = 0, BEFORE_ALL
    while True:
        with scope.unit_of_work(door="worker"):
            ids = _seal_after(last)
        sealed += len(ids)
        if len(ids) < BATCH:
            return {"entries": sealed}
        last = ids[-1]


def _seal_after(last: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [_LOCK])
        if not cursor.fetchone()[0]:
            return []
    # Only now: whoever had the lock before has committed, and may have sealed for a tenant that is new.
    with scope.all_tenants():
        waiting = list(
            AuditEntry.objects.filter(seq=None, pk__gt=last)
            .order_by("pk")
            .select_for_update(skip_locked=True)
            .values_list("pk", "digest")[:BATCH]
        )
        if waiting:
            _chain(waiting)
    return [pk for pk, _digest in waiting]


def _chain(waiting: Sequence[tuple[int, Any]]) -> None:
    seq, chain = end_of_chain() or (0, GENESIS)
    ids, seqs, chains = [], [], []
    for pk, digest in waiting:
        seq += 1
        chain = link(chain, seq, bytes(digest))
        ids.append(pk)
        seqs.append(seq)
        chains.append(chain)
    with connection.cursor() as cursor:
        # The range tells the planner that few rows are meant, whatever it believes of the arrays.
        cursor.execute(
            "UPDATE core_auditentry AS entry SET seq = sealed.seq, chain = sealed.chain"
            "  FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS sealed (id, seq, chain)"
            " WHERE entry.id = sealed.id AND entry.id BETWEEN %s AND %s",
            [ids, seqs, chains, ids[0], ids[-1]],
        )


def end_of_chain() -> tuple[int, bytes] | None:
    """Where the chain ends."""
    found = AuditEntry.objects.filter(seq__isnull=False).order_by("-seq").values_list("seq", "chain").first()
    return (found[0] or 0, bytes(found[1] or b"")) if found else None  # neither is empty: for the types


# --- Checkpoints -----------------------------------------------------------------------------------------


class Checkpoint(NamedTuple):
    """Where the chain ended on a day."""

    day: datetime.date
    seq: int
    chain: bytes


def checkpoint() -> Counts:
    """Job: keep where the chain ends today (UTC). The first run of a day does it, later ones change nothing."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        end = end_of_chain()
        if end is None:
            return {"checkpoints": 0}
        _row, made = AuditCheckpoint.objects.get_or_create(
            day=timezone.now().astimezone(datetime.UTC).date(), defaults={"seq": end[0], "chain": end[1]}
        )
    return {"checkpoints": int(made)}


def checkpoints() -> list[Checkpoint]:
    """All that are stored, oldest first."""
    rows = AuditCheckpoint.objects.order_by("day").values_list("day", "seq", "chain")
    return [Checkpoint(day, seq, bytes(chain)) for day, seq, chain in rows]


def to_lines(known: Iterable[Checkpoint]) -> Iterator[str]:
    """One line of JSON each, for the backup."""
    for day, seq, chain in known:
        yield json.dumps({"day": day.isoformat(), "seq": seq, "chain": chain.hex()}) + "\n"


def from_lines(lines: Iterable[str]) -> list[Checkpoint]:
    """What `to_lines` wrote. Raises `ValueError` that names the line which is something else."""
    found = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            found.append(
                Checkpoint(datetime.date.fromisoformat(row["day"]), int(row["seq"]), bytes.fromhex(row["chain"]))
            )
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"line {number} is no checkpoint") from error
    return found


# --- Erasure ---------------------------------------------------------------------------------------------


def erase(entries: models.QuerySet[AuditEntry]) -> int:
    """Empty ``changes`` and ``salt`` of entries, for good; how many were emptied. Joins the running transaction.

    Side effects: an audit entry per tenant and thousand, which says how many and holds, of each emptied entry, an HMAC
    of what is left of it under its digest. So a verification tells an erasure from somebody who empties an entry to
    change the rest of it. These records hold nothing personal and are themselves never emptied.
    """
    full = entries.exclude(salt=b"").exclude(verb=ERASED, object_type=OWN).order_by("pk")
    emptied, last = 0, BEFORE_ALL
    with transaction.atomic():
        while rows := list(
            full.filter(pk__gt=last).select_for_update().values_list("pk", "digest", *DIGESTED)[:ERASING]
        ):
            last = rows[-1][0]
            emptied += AuditEntry.objects.filter(pk__in=[pk for pk, *_ in rows]).update(changes=None, salt=b"")
            by_tenant = sorted(rows, key=lambda row: row[2] or 0)
            for tenant_id, group in groupby(by_tenant, key=lambda row: row[2]):
                _record_erasure(tenant_id, list(group))
    return emptied


def _record_erasure(tenant_id: int | None, rows: list[tuple[Any, ...]]) -> None:
    first, last = rows[0][0], rows[-1][0]
    audit.entry_for(
        ERASED,
        object_type=OWN,
        object_id=first if first == last else f"{first}…{last}",
        tenant_id=tenant_id,
        changes={
            "entries": [len(rows), 0],
            "left": {"digests": [left_of(bytes(digest), [*row[:-1], None]) for _pk, digest, *row in rows]},
        },
    ).save(force_insert=True)


def left_of(digest: bytes, row: Sequence[Any]) -> str:
    """What is left of an erased entry, bound to its digest."""
    return audit.digest_of_row(digest, row).hex()
