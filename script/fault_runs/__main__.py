"""`script/faults`: breaks the house in every way that is listed here, and ends with one table."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from script.fault_runs import kills
from script.fault_runs.run import Site
from script.fault_runs.table import Row, show

Fault = Callable[[Site, bool], Row]


def _kills(count: int) -> dict[str, Fault]:
    def part(victim: str, times: int) -> Fault:
        return lambda site, _short: kills.kill_part(site, victim, times)

    shares = kills.shares(count)
    faults: dict[str, Fault] = {
        f"kill-{victim.replace(' ', '-')}": part(victim, shares[victim])
        for victim in ("web child", "web", "worker child", "worker", "beat")
    }
    faults["kill-import"] = lambda site, _short: kills.kill_import(site, shares["import command"])
    faults["kill-migrate"] = lambda site, _short: kills.kill_migration(site, shares["migrate"])
    return faults


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
    faults = _kills(7 if options.short else options.kills)
    if options.list:
        print("\n".join(faults))
        return 0
    unknown = set(options.only) - faults.keys()
    if unknown:
        parser.error(f"no fault is called {', '.join(sorted(unknown))}; --list names them")
    chosen = {name: fault for name, fault in faults.items() if not options.only or name in options.only}
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
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
    wrong = [row for row in rows if not row.ok]
    print(show(rows))
    seconds = time.monotonic() - begin
    print(f"\nseed {options.seed}, {sum(row.times for row in rows)} faults, {seconds:.0f} s: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
