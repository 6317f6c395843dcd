"""What the tests of the audit's chain share: writing, tampering, chaining anew."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core import scope
from core.models import AuditEntry
from core.services import audit, sealing, verification
from tests.servers import owner

MONDAY = datetime.datetime(2026, 3, 2, 0, 5, tzinfo=datetime.UTC)


def write(count: int, *, changes: Any = None) -> list[AuditEntry]:
    """Entries as services write them, committed."""
    with scope.unit_of_work(door="test", user_id=5, acting_for=6, ip="203.0.113.4"):
        return AuditEntry.objects.bulk_create(
            audit.entry_for(
                "changed",
                object_type="orgs.community",
                object_id=number,
                tenant_id=None,
                changes=changes or {"name": ["Haus A", f"Größe {number}"]},
            )
            for number in range(1, count + 1)
        )


def sealed(count: int) -> list[AuditEntry]:
    entries = write(count)
    sealing.seal()
    return list(AuditEntry.objects.filter(pk__in=[e.pk for e in entries]).order_by("seq"))


def seqs(entries: list[AuditEntry]) -> list[int | None]:
    """The numbers in the chain, in the order in which the entries were written."""
    found = dict(AuditEntry.objects.filter(pk__in=[e.pk for e in entries]).values_list("pk", "seq"))
    return [found[e.pk] for e in entries]


def tamper(statement: str, *values: Any) -> None:
    """As the owner of the tables, who may do everything but has no `AUDIT_KEY`."""
    with owner() as thief:
        thief.execute(statement, values)


def chain_anew() -> None:
    """What needs no key: number all entries without gaps and chain them again."""
    with owner() as thief:
        rows = thief.execute("SELECT id, digest FROM core_auditentry ORDER BY seq NULLS LAST, id").fetchall()
        thief.execute("UPDATE core_auditentry SET seq = NULL")
        chain = sealing.GENESIS
        for seq, (pk, digest) in enumerate(rows, 1):
            chain = sealing.link(chain, seq, digest)
            thief.execute("UPDATE core_auditentry SET seq = %s, chain = %s WHERE id = %s", [seq, chain, pk])


def findings(**options: Any) -> list[tuple[str, int | None]]:
    return [(f.kind, f.seq) for f in verification.verify(**options).findings]


def checkpoint(monkeypatch: pytest.MonkeyPatch, days: int = 0) -> dict[str, int]:
    """The checkpoint job on a Monday, or days after it."""
    with monkeypatch.context() as then:
        then.setattr(timezone, "now", lambda: MONDAY + datetime.timedelta(days=days))
        return sealing.checkpoint()


class Beside:
    """A thread with a connection of its own, which waits inside its transaction until it is let go."""

    def __init__(self, work: Any) -> None:
        self.inside, self.go, self.result = threading.Event(), threading.Event(), None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.inside.wait(10)

    def _run(self) -> None:
        try:
            with scope.unit_of_work(door="test"):
                self.result = self._work()
                self.inside.set()
                assert self.go.wait(10)
        finally:
            connection.close()

    def end(self) -> None:
        self.go.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def swap(columns: str) -> None:
    """Exchange the values of columns between the second and the fourth entry."""
    tamper(
        f"UPDATE core_auditentry one SET ({columns}) = (SELECT {columns} FROM core_auditentry two"
        " WHERE two.seq = 6 - one.seq) WHERE one.seq IN (2, 4)"
    )


def exported_of(count: int, monkeypatch: pytest.MonkeyPatch) -> list[sealing.Checkpoint]:
    """Two entries and a checkpoint a day; what was exported after the last."""
    for day in range(count):
        sealed(2)
        checkpoint(monkeypatch, day)
    return sealing.from_lines(sealing.to_lines(sealing.checkpoints()))


def erase(*numbers: int) -> int:
    with scope.unit_of_work(door="test", user_id=9):
        return sealing.erase(AuditEntry.objects.filter(object_id__in=[str(n) for n in numbers]))
