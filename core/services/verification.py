"""Proof that nobody touched the audit: digests, chain, checkpoints and erasures, compared with what is stored.

`core.services.sealing` says what stands against whom.
"""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import orjson
from django.db import models
from django.db.models import Count, Max
from django.db.models.functions import Cast
from django.utils import timezone

from core import scope
from core.models import AuditEntry
from core.services import audit
from core.services.audit import DIGESTED
from core.services.sealing import (
    BEFORE_ALL,
    ERASED,
    GENESIS,
    LATE,
    OWN,
    Checkpoint,
    checkpoints,
    end_of_chain,
    left_of,
    link,
)  # fmt: skip

PAGE = 10_000  # entries that a verification holds at a time
FINDINGS = 20  # after so many a verification ends: the rest would say the same
_AT = DIGESTED.index("at")
_READ = (*DIGESTED[:-1], Cast("changes", models.TextField()))  # `_fits` reads the JSON
_quick = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)


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
            end, _chain = end_of_chain() or (0, GENESIS)
        self._gather(stored)
        after = self._start_at(since) if since else BEFORE_ALL
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
        reach = max((c.seq for c in self.exported), default=BEFORE_ALL)
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
            self.emptied[left_of(digest, row)] = seq
        else:
            self.found("digest", seq, f"{name} has lost its salt, but not its content")

    def _waiting(self) -> None:
        oldest, after = timezone.now(), BEFORE_ALL
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
