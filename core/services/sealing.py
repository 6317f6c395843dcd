"""The audit's chain: sealing what was committed, checkpoints, erasure, and proof that nobody touched it.

Two locks for two thieves. The digest of an entry needs `AUDIT_KEY`: whoever has only the database cannot change or
invent one. The chain needs no key: whoever owns the database can drop or reorder entries and chain the rest anew.
That differs from the checkpoints, which are exported with each backup, out of that person's reach.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from django.db import connection, models, transaction
from django.db.models import Count, Max
from django.db.models.functions import Cast
from django.utils import timezone

from core import scope
from core.models import AuditCheckpoint, AuditEntry
from core.services import audit
from core.services.audit import DIGESTED
from core.services.jobs import Counts

BATCH = 5000  # entries of one sealing transaction
PAGE = 10_000  # entries that a verification holds at a time
ERASING = 1000  # entries that one record of an erasure speaks of
LATE = datetime.timedelta(minutes=5)  # an entry that waits longer for the sealer is a problem to look at
FINDINGS = 20  # after so many a verification ends: the rest would say the same
GENESIS = bytes(32)
ERASED = "erased"  # the verb of the records that `erase` leaves
OWN = AuditEntry._meta.label_lower
_LOCK = 3  # the class of advisory locks; jobs take 1, trees 2
_BEFORE_ALL = -(2**63)
_AT = DIGESTED.index("at")
_number = struct.Struct(">q").pack
_READ = (*DIGESTED[:-1], Cast("changes", models.TextField()))  # `_fits` reads the JSON
_quick = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)


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
    sealed, last = 0, _BEFORE_ALL
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
    seq, chain = _end() or (0, GENESIS)
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


def _end() -> tuple[int, bytes] | None:
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
        end = _end()
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
    emptied, last = 0, _BEFORE_ALL
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
            "left": {"digests": [_left(bytes(digest), [*row[:-1], None]) for _pk, digest, *row in rows]},
        },
    ).save(force_insert=True)


def _left(digest: bytes, row: Sequence[Any]) -> str:
    """What is left of an erased entry, bound to its digest."""
    return audit.digest_of_row(digest, row).hex()


# --- Verification ----------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """Something that is not as it was written; `seq` is None where there is no place in the chain."""

    kind: str  # chain, digest, gap, head, tail, checkpoint, erasure, copy or late
    seq: int | None
    text: str


@dataclass
class Report:
    """What a verification saw."""

    entries: int = 0  # sealed ones
    first: int | None = None
    last: int | None = None
    erased: int = 0
    waiting: int = 0  # not sealed yet; their digests are checked, too
    checkpoints: int = 0  # compared with their entry
    newest: Checkpoint | None = None
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True  # false: it ended at the last of `FINDINGS`

    @property
    def broken_at(self) -> int | None:
        """The first place in the chain that is wrong."""
        return min((f.seq for f in self.findings if f.seq is not None), default=None)


def verify(
    *,
    exported: Sequence[Checkpoint] = (),
    since: datetime.date | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Report:
    """Check each entry's digest, the chain from the first kept entry (or the checkpoint of a day), each checkpoint.

    ``exported`` are checkpoints that were kept elsewhere; as far as they reach, those of the database must be equal.
    ``progress`` is told from time to time how many entries are through. Reads page by page, each in a transaction of
    its own, up to where the chain ends now: neither the sealer nor a writer waits, and new entries are not of concern.

    The head may be trimmed as far as a checkpoint: its own entry, or the one after it, is then the first.
    Raises `NoCheckpoint` when the day has none.
    """
    verification = _Verification(exported, progress)
    try:
        verification.run(since)
    except _Enough:
        verification.report.complete = False
    return verification.report


class NoCheckpoint(LookupError):
    """A verification was to begin at a day that has no checkpoint."""


class _Enough(Exception):
    """No more findings are wanted."""


class _Verification:
    def __init__(self, exported: Sequence[Checkpoint], progress: Callable[[int], None]) -> None:
        self.report = Report()
        self.exported = exported
        self.progress = progress
        self.known: dict[int, list[Checkpoint]] = defaultdict(list)
        self.emptied: dict[str, int | None] = {}  # what is left of erased entries → seq
        self.chain: bytes | None = GENESIS  # before the next entry; None: unknown, its own word is taken
        self.next = 1

    def found(self, kind: str, seq: int | None, text: str) -> None:
        self.report.findings.append(Finding(kind, seq, text))
        if len(self.report.findings) >= FINDINGS:
            raise _Enough

    def run(self, since: datetime.date | None) -> None:
        with scope.unit_of_work(door="command"), scope.all_tenants():
            stored = checkpoints()  # before the end is read: the chain reaches at least as far
            end, _chain = _end() or (0, GENESIS)
        self._gather(stored)
        after = self._start_at(since) if since else _BEFORE_ALL
        while page := self._page("seq", seq__gt=after, seq__lte=end):
            if self.report.first is None:
                self._begin(page[0][0], started=since is not None)
            for seq, chain, salt, digest, *row in page:
                self._sealed(seq, bytes(chain or b""), bytes(salt), bytes(digest), row)
            after = page[-1][0]
            self.report.entries += len(page)
            self.progress(self.report.entries)
        newest = self.report.newest
        if newest and newest.seq > end:
            self.found("tail", end + 1, f"the checkpoint of {newest.day} knows {newest.seq} entries: the end is cut")
        self._waiting()
        self._erasures()
        self._copies()

    def _page(self, order: str, **which: Any) -> list[tuple[Any, ...]]:
        with scope.unit_of_work(door="command"), scope.all_tenants():
            rows = AuditEntry.objects.filter(**which).order_by(order)
            return list(rows.values_list(order, "chain", "salt", "digest", *_READ)[:PAGE])

    def _gather(self, stored: list[Checkpoint]) -> None:
        """The checkpoints to compare with: what is kept elsewhere counts, as far as it reaches."""
        reach = max((c.seq for c in self.exported), default=_BEFORE_ALL)
        here, there = {c.day: c for c in stored}, {c.day: c for c in self.exported}
        for day in sorted(here.keys() | there.keys()):
            if day in there and here.get(day) != there[day]:
                self.found("checkpoint", there[day].seq, f"the database has another checkpoint of {day}, or none")
            elif day not in there and here[day].seq < reach:
                self.found("checkpoint", here[day].seq, f"the checkpoint of {day} was never exported")
        for known in sorted({*self.exported, *(c for c in stored if c.seq >= reach)}):
            self.known[known.seq].append(known)
        self.report.newest = max((c for same in self.known.values() for c in same), key=lambda c: c.seq, default=None)

    def _start_at(self, day: datetime.date) -> int:
        for same in self.known.values():
            for known in same:
                if known.day == day:
                    self.chain, self.next = known.chain, known.seq + 1
                    return known.seq
        raise NoCheckpoint(f"There is no checkpoint of {day}.")

    def _begin(self, first: int, *, started: bool) -> None:
        """The first entry may stand behind a cut that a checkpoint covers."""
        self.report.first = first
        if started or first == 1:
            return
        before = self.known.get(first - 1)
        self.chain, self.next = (before[0].chain if before else None), first
        if not before and first not in self.known:
            self.found("head", first, f"the chain begins at {first}, and no checkpoint covers what was before")

    def _sealed(self, seq: int, chain: bytes, salt: bytes, digest: bytes, row: list[Any]) -> None:
        if seq != self.next:
            self.found("gap", self.next, f"after {self.next - 1} comes {seq}")
            self.chain = None
        if self.chain is not None and link(self.chain, seq, digest) != chain:
            self.found("chain", seq, f"entry {seq} does not continue the one before it")
        self.chain, self.next, self.report.last = chain, seq + 1, seq
        self._content(seq, f"entry {seq}", salt, digest, row)
        for known in self.known.get(seq, ()):
            self.report.checkpoints += 1
            if known.chain != chain:
                self.found("checkpoint", seq, f"on {known.day} the chain was another: something before is gone or new")

    def _content(self, seq: int | None, name: str, salt: bytes, digest: bytes, row: list[Any]) -> None:
        if salt:
            if not _fits(salt, digest, row):
                self.found("digest", seq, f"{name} does not hold what was written")
        elif row[-1] is None:
            self.report.erased += 1
            self.emptied[_left(digest, row)] = seq
        else:
            self.found("digest", seq, f"{name} has lost its salt, but not its content")

    def _waiting(self) -> None:
        oldest, after = timezone.now(), _BEFORE_ALL
        late = oldest - LATE
        while page := self._page("pk", seq=None, pk__gt=after):
            for pk, _chain, salt, digest, *row in page:
                self._content(None, f"the unsealed entry with id {pk}", bytes(salt), bytes(digest), row)
                oldest = min(oldest, row[_AT])
            after = page[-1][0]
            self.report.waiting += len(page)
        if oldest < late:
            self.found("late", None, f"an entry has waited for the sealer since {oldest:%Y-%m-%d %H:%M} UTC")

    def _erasures(self) -> None:
        """What is emptied was emptied by `erase`, and the rest of it is as that left it."""
        if not self.emptied:
            return
        with scope.unit_of_work(door="command"), scope.all_tenants():
            records = AuditEntry.objects.filter(verb=ERASED, object_type=OWN).order_by("pk")
            for salt, digest, *row in records.values_list("salt", "digest", *_READ).iterator(100):
                if _fits(bytes(salt), bytes(digest), row):
                    for left in row[-1]["left"]["digests"]:
                        self.emptied.pop(left, None)
        for seq in self.emptied.values():
            self.found(
                "erasure", seq, f"{f'entry {seq}' if seq else 'an unsealed entry'} is empty, but no erasure did that"
            )

    def _copies(self) -> None:
        """A copy of an entry fits its digest: the one forgery that needs no key."""
        with scope.unit_of_work(door="command"), scope.all_tenants():
            same = AuditEntry.objects.values("digest").annotate(count=Count("pk"), seq=Max("seq")).filter(count__gt=1)
            for row in same.order_by("seq")[:FINDINGS]:
                self.found("copy", row["seq"], f"entry {row['seq'] or '(unsealed)'} is a copy of another")


def _fits(salt: bytes, digest: bytes, row: list[Any]) -> bool:
    """Whether an entry holds what was written.

    First with orjson, ten times as fast as json and of another opinion about some numbers only; then as the writer did.
    """
    changes = row[-1]
    for read, spell in ((orjson.loads, _quick), (json.loads, audit.canonical)):
        try:
            row[-1] = None if changes is None else read(changes)
            if audit.digest_of_row(salt, row, spell) == digest:
                return True
        except (ValueError, TypeError):  # what orjson cannot spell; or nobody wrote, such as a network for an address
            continue
    return False
