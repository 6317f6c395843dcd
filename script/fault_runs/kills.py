"""kill -9 of whatever works, at random points, under load."""

from __future__ import annotations

import time
from collections import Counter

from script.embedded.postgres import APP, OWNER
from script.fault_runs.house import House, kill, schema
from script.fault_runs.load import written
from script.fault_runs.run import Site
from script.fault_runs.table import Row

# Victims with their share of the kills.
SHARES = {"web child": 20, "web": 15, "worker child": 20, "worker": 15, "beat": 5, "import command": 10, "migrate": 10,
          "retention sweep": 5}  # fmt: skip
PARTS = ("web child", "web", "worker child", "worker", "beat")
NAMES = {
    "web child": "kill -9 of a web worker",
    "web": "kill -9 of the web server",
    "worker child": "kill -9 of a task's process",
    "worker": "kill -9 of the worker",
    "beat": "kill -9 of the scheduler",
    "import command": "kill -9 of import_register",
    "migrate": "kill -9 of migrate",
}


def shares(kills: int) -> dict[str, int]:
    """How often each victim is killed; each at least once."""
    found = {victim: max(1, kills * share // 100) for victim, share in SHARES.items()}
    found["worker child"] += max(0, kills - sum(found.values()))
    return found


def kill_part(site: Site, victim: str, times: int) -> Row:
    """A process of web, worker or scheduler; the supervisor, or its parent, starts another."""
    hit: Counter[str] = Counter()
    part = victim.partition(" ")[0]
    with site.fault(NAMES[victim]) as row:
        while row.times < times:
            site.house.pause(site.random.uniform(0.2, 2.0))
            if not site.house.until(lambda: site.house.works(part) and site.house.pids(victim), 120):
                row.problems.append("was not started again")
                break
            pid = site.random.choice(site.house.pids(victim) or [0])
            busy = site.busy()
            if pid and kill(pid):
                row.times += 1
                hit.update(busy or {"idle"})
        site.house.pause(1.0)
    row.load = _shown(hit)
    return row


def kill_import(site: Site, times: int) -> Row:
    """`manage.py import_register`, from its first line to its commit."""
    usual = 3.0
    commands = 0
    with site.fault(NAMES["import command"], "base64", "import") as row:
        while row.times < times and commands < 5 * times:
            commands += 1
            act, content = site.load.register(site.random, rows=site.random.randint(100, 400))
            path = written(site.house.folder, content, act.name)
            act.unknown = 1
            begin = time.monotonic()
            command = site.house.command("import_register", str(path), "--tenant", str(site.facts.tenant))
            moment = site.random.uniform(0.3 * usual, usual)
            if site.house.ended(command, moment):
                usual = time.monotonic() - begin
                if command.process.returncode == 0:
                    act.acks, act.unknown = 1, 0
                continue
            kill(command.process.pid)
            command.process.wait()
            row.times += 1
    row.load = "import"
    return row


def kill_migration(site: Site, times: int) -> Row:
    """`migrate` on an empty database; run again, it must end in what an undisturbed one ends in."""
    house, row = site.house, Row(NAMES["migrate"], 0, "migration")
    print(f"— {row.fault}", flush=True)
    begin = time.monotonic()
    while row.times < times:
        moment = site.random.uniform(0.1, 1.0) * house.migrate_seconds
        found = _migrated(house, f"fault_{row.times}", moment)
        if found is None:
            house.migrate_seconds *= 0.8  # was through before: this machine has become faster
            continue
        row.times += 1
        if found != house.migrated:
            row.half += 1
            row.problems.append(f"killed after {moment:.1f} s: {_difference(house.migrated, found)}")
    print(f"  {time.monotonic() - begin:.0f} s, {'ok' if row.ok else 'WRONG'}", flush=True)
    for problem in row.problems:
        print(f"  {problem}", flush=True)
    return row


def _migrated(house: House, name: str, moment: float) -> list[str] | None:
    """Schema and rows of a database whose migration was killed and repeated; none when it was through before."""
    house.postgres.psql(f"CREATE DATABASE {name} OWNER {OWNER}")
    try:
        env = {
            "DATABASE_URL": house.postgres.url(APP, name),
            "MIGRATION_DATABASE_URL": house.postgres.url(OWNER, name),
        }
        child = house.command("migrate", "--verbosity", "0", env=env)
        if house.ended(child, moment):
            return None
        kill(child.process.pid)
        child.process.wait()
        house.manage("migrate", "--verbosity", "0", env=env)
        return schema(house.postgres.dump(name))
    finally:
        house.postgres.psql(f"DROP DATABASE {name} WITH (FORCE)")


def _difference(clean: list[str], found: list[str]) -> str:
    missing, more = (
        list((Counter(clean) - Counter(found)).elements()),
        list((Counter(found) - Counter(clean)).elements()),
    )
    return f"{len(missing)} lines missing {missing[:3]}, {len(more)} more {more[:3]}"


def _shown(hit: Counter[str]) -> str:
    return ", ".join(f"{step} {count}" for step, count in hit.most_common())
