"""The clock of web, worker and scheduler jumps under load; database and clients keep the right time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from script.fault_runs.house import House, preload
from script.fault_runs.run import Site
from script.fault_runs.table import Row


def jump(site: Site, hours: int, seconds: float) -> Row:
    """Away from the right time, and back to it after a while. Both ways are jumps under load."""
    name = f"clock jumps {hours:+d} h and back"
    if not preload():
        return Row(name, 0, "", skipped="needs libfaketime (Debian: apt-get install faketime)")
    clock = site.house.folder / "clock"
    clock.write_text("+0\n")
    with _ticking(site.house, clock), site.fault(name) as row:
        clock.write_text(f"{hours:+d}h\n")
        row.times += 1
        site.house.pause(seconds)
        row.problems += _stands_still(site)
        clock.write_text("+0\n")
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
    from django.db.models import Max

    from core.models import JobRun

    names = ("messaging.sweep", "core.seal_audit", "orgs.catch_up_imports")
    return dict(
        JobRun.objects.filter(name__in=names)
        .values_list("name")
        .annotate(newest=Max("pk"))
        .values_list("name", "newest")
    )


@contextmanager
def _ticking(house: House, clock: Path) -> Iterator[None]:
    """Web, worker and scheduler take the time from a file for a while."""
    house.clock = clock
    house.restart(lambda: None)
    try:
        yield
    finally:
        house.clock = None
        house.restart(lambda: None)
