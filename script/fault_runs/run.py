"""What every fault has in common: load before, during and after it, then the check, then a row of the table."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from script.fault_runs import disks, people
from script.fault_runs.check import Check
from script.fault_runs.disks import Disk
from script.fault_runs.house import House
from script.fault_runs.load import Journal, Load
from script.fault_runs.table import Row


class Site:
    """A house with people in it, the clients that load it, and whoever checks it."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.house = House(folder)
        self.random = rng
        self.journal = Journal()
        self.disk: Disk | None = None  # of the files, where this process may mount one

    def start(self) -> None:
        """Everything runs, nobody loads it yet."""
        if disks.possible():
            self.disk = Disk(self.house.files)
            self.disk.mount()
        self.house.start_servers()
        people.use(self.house.env)
        self.facts = people.fill()
        self.house.start()
        self.load = Load(self.house, self.facts, self.journal, self.random.getrandbits(32))
        self.check = Check(self.house, self.facts, self.journal)

    def stop(self) -> None:
        """Nothing is left but the folder."""
        self.house.stop()
        if self.disk:
            self.disk.unmount()

    def busy(self) -> set[str]:
        """What the house is doing right now."""
        steps = set(self.journal.steps.values())
        if time.monotonic() - self.house.post.last_at < 0.5:
            steps.add("mailing")
        return steps

    @contextmanager
    def fault(self, name: str, *kinds: str, clear: bool = True) -> Iterator[Row]:
        """Load the house while the body breaks something; fill in the row afterwards.

        ``clear``: every error that clients are told must say what it is and when to come back.
        """
        row = Row(name, 0, "")
        acts, answers = len(self.journal.acts), self.journal.answers
        answers.count.clear()
        answers.broken = 0
        answers.unclear.clear()
        before = time.monotonic()
        print(f"— {name}", flush=True)
        self.load.start(*kinds)
        try:
            self.house.pause(self.random.uniform(0.5, 1.5))
            yield row
        finally:
            self.load.stop()
        found = self.check()
        mine = self.journal.acts[acts:]
        row.acked = sum(act.acks for act in mine)
        row.unknown = sum(act.unknown for act in mine)
        row.lost, row.doubled, row.half = len(found.lost), len(found.doubled), len(found.half)
        row.blobs, row.audit, row.outbox = len(found.blobs), len(found.audit), len(found.outbox)
        row.errors = answers.errors
        row.problems += found.lines + self.load.crashes
        self.load.crashes.clear()
        if clear:
            row.problems += [f"unclear answer: {line}" for line in answers.unclear[:5]]
        if not row.load:
            row.load = ", ".join(sorted({act.kind for act in mine}))
        if not row.acked:
            row.problems.append("no client got anything done: the fault proves nothing")
        refused = Counter(f"{act.kind} {status}" for act in mine for status in act.refused)
        print(
            f"  {time.monotonic() - before:.0f} s, healed after {self.check.healed_after:.0f}, refused: {dict(refused)}, {'ok' if row.ok else 'WRONG'}",
            flush=True,
        )
        for problem in row.problems[:20]:
            print(f"  {problem}", flush=True)
