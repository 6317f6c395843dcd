"""B6: the retention sweep over 1,000,000 documents, of which 10,000 are due and 500 more are on hold, against the floor.

The sweep runs as in production: a task is sent, a worker deletes rows and has the bytes removed; the clock stops when the
last file is gone. The floor (`floor/deletions.py`) does the same by one transaction of plain SQL and unlinks the files.
Wanted: at most twice the floor. Then a folder page is read with and without the sweep (wanted: at most 20 % slower), and
the worker is killed ten times on its way, while holds are placed on what is left (wanted: no hold broken).
`script/bench b6 -- rates`, `-- reads` and `-- kills` measure one part.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from pathlib import Path

from script.benches import _due
from script.benches._load import Request, Result, Round, hammer, table
from script.benches._stack import wait_for
from script.benches._world import LARGE, World
from script.benches.floor import deletions
from script.embedded import Child
from script.embedded.postgres import OWNER
from script.tryout.folder import ROOT

TASK, REST = "docms.delete_by_folder_date", "docms.remove_content"
DUE, HELD = 10_000, 500
ROUNDS = 3
KILLS = 10
READ_FOR = 3  # seconds


class Bench:
    """The world, its files and the worker that sweeps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.files = Path(world.env["STORAGE_URL"].removeprefix("file://"))
        self._workers = 0

    def worker(self) -> Child:
        """A worker as in compose.yaml that takes tasks."""
        from config.celery import app

        self._workers += 1
        name = f"b6-{self._workers}"
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "WARNING",
            "--without-gossip",
            "--without-mingle",
            "-n",
            f"{name}@bench",
        ]
        child = Child(name, command, log=self.world.folder / "log" / f"{name}.log", cwd=ROOT, env=self.world.env)
        wait_for(lambda: app.control.ping(destination=[f"{name}@bench"], timeout=0.5), "no worker starts", child=child)
        return child

    def fill(self) -> _due.Due:
        """What is due now."""
        made = _due.fill(self.files, due=DUE, held=HELD)
        self.world.postgres.psql("CHECKPOINT")
        return made

    def sweep(self, made: _due.Due, worker: Child) -> float:
        """Seconds from the task to the last file."""
        begin = time.perf_counter()
        self.send(TASK)
        wait_for(lambda: not _due.unfinished(made), "the sweep does not end", seconds=600, pause=0.1, child=worker)
        return time.perf_counter() - begin

    def send(self, task: str) -> None:
        """As the scheduler does."""
        from config.celery import app

        app.send_task(task, ignore_result=True)

    def floor(self) -> float:
        """Seconds of the floor."""
        begin = time.perf_counter()
        gone = deletions.delete(self.world.postgres.url(OWNER), self.files)
        assert gone == DUE, gone
        return time.perf_counter() - begin

    def check(self, made: _due.Due) -> None:
        """Nothing that is held is broken, and everything that was due has gone with one record each."""
        from core import scope
        from core.models import DestructionRecord

        assert not _due.broken(made, self.files)
        with scope.unit_of_work(door="command"), scope.all_tenants():
            records = list(
                DestructionRecord.objects.filter(object_id__in=made.due + made.held).values_list("object_id", flat=True)
            )
        assert sorted(records) == made.due, f"{len(records)} records"


def main() -> None:
    """One run."""
    only = set(sys.argv[1:])
    with World(LARGE) as world:
        os.environ |= world.env
        import django

        django.setup()
        bench = Bench(world)
        try:
            for name, part in (("rates", rates), ("reads", reads), ("kills", kills)):
                if not only or name in only:
                    part(bench)
                    _due.clean()
        finally:
            from django.db import connections

            _due.clean()
            connections.close_all()


def rates(bench: Bench) -> None:
    """Sweep and floor in turns; the first turn warms both up."""
    worker = bench.worker()
    ours: list[float] = []
    floor: list[float] = []
    for turn in range(ROUNDS + 1):
        made = bench.fill()
        took = bench.sweep(made, worker)
        bench.check(made)
        made = bench.fill()
        bare = bench.floor()
        bench.check(made)
        if turn:
            ours.append(took)
            floor.append(bare)
    worker.stop(patience=60)
    ratio = statistics.median(mine / other for mine, other in zip(ours, floor, strict=True))
    print(f"\n### {DUE:,} documents deleted, {HELD} held, among a million\n")
    print("| | seconds | range | ÷ floor (wanted: ≤ 2) |\n| --- | ---: | --- | ---: |")
    for name, took_ in (("the sweep, with a worker", ours), ("floor", floor)):
        shown = f"{statistics.median(took_):.1f} | {min(took_):.1f}–{max(took_):.1f}"
        print(f"| {name} | {shown} | {f'{ratio:.2f}' if took_ is ours else ''} |", flush=True)


def reads(bench: Bench) -> None:
    """One person reads a folder page after the other, with nothing else to do and while the sweep runs."""
    visitor = bench.world.visitor()
    product = bench.world.gunicorn("config.wsgi") + "/docms/api/v1"
    page = Request(f"{product}/folders/{visitor['folder']}/files", {"Authorization": f"Bearer {visitor['token']}"})
    worker = bench.worker()
    hammer(page, READ_FOR, 1)
    found: dict[str, list[Round]] = {"alone": [], "while the sweep runs": []}
    for _round in range(ROUNDS):
        made = bench.fill()
        found["alone"].append(hammer(page, READ_FOR, 1))
        bench.send(TASK)
        wait_for(lambda: _due.unfinished(made) < DUE, "the sweep does not start", pause=0.02, child=worker)  # noqa: B023
        found["while the sweep runs"].append(hammer(page, READ_FOR, 1))
        left = _due.unfinished(made)
        print(f"after {READ_FOR} s of reading {left:,} were left", flush=True)
        wait_for(lambda: not _due.unfinished(made), "the sweep does not end", seconds=600, child=worker)  # noqa: B023
    worker.stop(patience=60)
    print("\n### a folder page, one reader\n")
    print(table({name: Result(name, rounds) for name, rounds in found.items()}, base="alone"), flush=True)


def kills(bench: Bench) -> None:
    """Ten times the worker dies with all its children, and a hold is placed on some of what it has left."""
    from core import scope
    from docms.models import Document

    made = bench.fill()
    for kill in range(1, KILLS + 1):
        worker = bench.worker()
        bench.send(TASK)
        share = DUE - DUE * kill // (KILLS + 1)
        wait_for(lambda: _left(made) <= share, "the sweep does not go on", seconds=120, pause=0.01, child=worker)  # noqa: B023
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        with scope.unit_of_work(door="command"), scope.all_tenants():
            chosen = list(Document.objects.filter(pk__in=made.due).order_by("-pk").values_list("pk", flat=True)[:10])
        _due.hold(chosen)
        made.held += chosen
        made.due = sorted(set(made.due) - set(chosen))
    worker = bench.worker()
    bench.send(TASK)
    wait_for(lambda: not _left(made), "the sweep does not end", seconds=120, child=worker)
    lost = _due.unfinished(made)
    bench.send(REST)  # as every night
    wait_for(lambda: not _due.unfinished(made), "bytes are left", seconds=300, child=worker)
    worker.stop(patience=60)
    broken = _due.broken(made, bench.files)
    bench.check(made)
    print(
        f"\nkilled {KILLS} times: {broken} of {len(made.held)} holds broken, one record for each of {len(made.due):,}"
        f" deleted documents; bytes of {lost:,} were left to the nightly run, none after it",
        flush=True,
    )
    assert not broken


def _left(made: _due.Due) -> int:
    """Due documents that are there."""
    from core import scope
    from docms.models import Document

    with scope.unit_of_work(door="command"), scope.all_tenants():
        return Document.objects.filter(pk__in=made.due).count()


if __name__ == "__main__":
    main()
