"""The clock of web, worker and scheduler jumps under load; database and clients keep the right time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from script.fault_runs.house import House
from script.fault_runs.run import Site
from script.fault_runs.table import Row


def jump(site: Site, hours: int, seconds: float) -> Row:
    """Away from the right time, and back to it after a while. Both ways are jumps under load."""
    name = f"clock jumps {hours:+d} h and back"
    library = _library(site.house.folder)
    if library is None:
        return Row(name, 0, "", skipped="needs Linux and a C compiler")
    clock = site.house.folder / "clock"
    with _ticking(site.house, library, clock), site.fault(name) as row:
        _set(clock, hours)
        row.times += 1
        site.house.pause(seconds)
        row.problems += _stands_still(site)
        _set(clock, 0)
        row.times += 1
        site.house.pause(2.0)
    return row


def _stands_still(site: Site) -> list[str]:
    """While the clock is wrong, people get their mails: those that are not older than the jump are not held up."""
    post = site.house.post
    before = sum(len(mails) for mails in post.got.values())
    arrives = site.house.until(lambda: sum(len(mails) for mails in list(post.got.values())) > before + 3, 40)
    runs = _newest_runs()
    goes_on = site.house.until(lambda: all(_newest_runs().get(name, 0) > newest for name, newest in runs.items()), 40)
    return [
        problem
        for problem, holds in (
            ("no mail arrives while the clock is wrong", arrives),
            ("the scheduler stands still while the clock is wrong", goes_on),
        )
        if not holds
    ]


def _newest_runs() -> dict[str, int]:
    """The newest run of each job that comes every few seconds."""
    from django.db import close_old_connections
    from django.db.models import Max

    from core.models import JobRun

    close_old_connections()  # the database may have been started anew since
    names = ("messaging.sweep", "core.seal_audit", "orgs.catch_up_imports")
    return dict(
        JobRun.objects.filter(name__in=names)
        .values_list("name")
        .annotate(newest=Max("pk"))
        .values_list("name", "newest")
    )


@contextmanager
def _ticking(house: House, library: Path, clock: Path) -> Iterator[None]:
    """Web, worker and scheduler take the time from a file for a while."""
    clock.write_bytes(bytes(8))
    house.clock = {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(clock)}
    house.restart(lambda: None)
    try:
        yield
    finally:
        house.clock = {}
        house.restart(lambda: None)


def _set(clock: Path, hours: int) -> None:
    """In place: the processes have the file in memory."""
    with clock.open("r+b") as file:
        file.write((hours * 3600).to_bytes(8, sys.byteorder, signed=True))


def _library(folder: Path) -> Path | None:
    """`clock.c`, compiled; none where that is not possible."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], capture_output=True)
    return None if done.returncode else library
