"""`script/faults`: breaks the house in every way that is listed here, and ends with one table."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from script.fault_runs import clock, kills, outages, sweeping
from script.fault_runs.run import Site
from script.fault_runs.table import Row, show

Fault = Callable[[Site, bool], Row]
# What CI runs: each thing once that the house leans on or is made of.
SHORT = ("kill-web-child", "kill-worker-child", "kill-worker", "kill-migrate", "kill-sweep", "postgres-immediate", "valkey-stop",
         "smtp-drop", "disk-full")  # fmt: skip


def _faults(count: int) -> dict[str, Fault]:
    """All of them by name; ``count`` kills in all."""
    shares = kills.shares(count)

    def part(victim: str) -> Fault:
        return lambda site, _short: kills.kill_part(site, victim, shares[victim])

    def stopped(how: signal.Signals) -> Fault:
        return lambda site, short: outages.postgres(site, how, 1 if short else 3)

    return {
        **{f"kill-{victim.replace(' ', '-')}": part(victim) for victim in kills.PARTS},
        "kill-import": lambda site, _short: kills.kill_import(site, shares["import command"]),
        "kill-migrate": lambda site, _short: kills.kill_migration(site, shares["migrate"]),
        "kill-sweep": lambda site, short: sweeping.kill_sweep(site, 2 if short else max(3, shares["retention sweep"])),
        "postgres-fast": stopped(signal.SIGINT),
        "postgres-immediate": stopped(signal.SIGQUIT),
        "postgres-kill": stopped(signal.SIGKILL),
        "valkey-stop": lambda site, short: outages.valkey(site, 1 if short else 4),
        "valkey-flush": lambda site, short: outages.flush(site, 2 if short else 10),
        "smtp-down": lambda site, short: outages.smtp_down(site, 1 if short else 3),
        "smtp-slow": lambda site, _short: outages.smtp_slow(site, 10),
        "smtp-drop": lambda site, short: outages.smtp_drops(site, 3 if short else 20),
        "s3-stop": lambda site, short: outages.s3_stopped(site, 1 if short else 3),
        "disk-full": lambda site, short: outages.disk_full(site, 1 if short else 3),
        "database-full": lambda site, _short: outages.database_full(site, 5),
        "clock-forward": lambda site, _short: clock.jump(site, 2, 8),
        "clock-back": lambda site, _short: clock.jump(site, -2, 8),
    }


def main() -> int:
    """One run; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(prog="script/faults")
    parser.add_argument("--kills", type=int, default=100, help="kills in all, spread over the victims (100)")
    parser.add_argument("--seed", type=int, default=1, help="of what is random about it (1)")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these faults only; --list names them")
    parser.add_argument("--short", action="store_true", help="each victim once, the quick outages: a good minute")
    parser.add_argument("--list", action="store_true", help="name the faults and end")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    options = parser.parse_args()
    faults = _faults(len(kills.SHARES) if options.short else options.kills)
    if options.list:
        print("\n".join(faults))
        return 0
    unknown = set(options.only) - faults.keys()
    if unknown:
        parser.error(f"no fault is called {', '.join(sorted(unknown))}; --list names them")
    wanted = options.only or (SHORT if options.short else faults)
    chosen = {name: fault for name, fault in faults.items() if name in wanted}
    begin = time.monotonic()
    rows: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix="qf-", dir="/tmp"))  # short and reachable: sockets lie in it
    folder.chmod(0o711)
    site = Site(folder, random.Random(options.seed))  # noqa: S311 - chance that can be repeated
    try:
        site.start()
        for fault in chosen.values():
            rows.append(fault(site, options.short))
    finally:
        site.stop()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    wrong = [row for row in rows if not row.ok]
    print(show(rows))
    seconds = time.monotonic() - begin
    print(f"\nseed {options.seed}, {sum(row.times for row in rows)} faults, {seconds:.0f} s: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
