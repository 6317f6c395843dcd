"""The plans of the hot lists and of the sweeps among a million documents, written to `docs/plans/`, one file for each.

Each is asked for as the role of web and workers, whom row policies bind, as the owner, whom they do not, and through
PgBouncer in transaction mode. The files hold the plan under the policies; where another one differs in more than the
policies' own filters, the file says so and the bench fails.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from script.benches._world import LARGE, World
from script.embedded import Pooler, ServerError
from script.embedded.postgres import APP, DATABASE, OWNER
from script.tryout.folder import ROOT

FOLDER = ROOT / "docs" / "plans"
# Sweeps ask for holds; of a table without a row the planner knows nothing, and its plans are chance.
HOLDS = """
import django; django.setup()
from pathlib import Path
from django.conf import settings
from script.benches import _due
_due.fill(Path(settings.STORAGE_URL.removeprefix("file://")), due=500, held=500)
"""
OTHER = "ANOTHER PLAN, see below"


def main() -> None:
    """One run."""
    with World(LARGE) as world:
        visitor = world.visitor()
        world.python("-c", HOLDS)
        world.postgres.psql("ANALYZE docms_documenthold, orgs_hold, docms_folder", DATABASE)
        pooler = Pooler(world.folder, postgres=world.postgres.sockets, database=DATABASE, role=APP, size=2)
        pooler.start()
        try:
            bound = _plans(world, visitor, DATABASE_URL=world.postgres.url(APP))
            others = {
                "without row policies": _plans(world, visitor, DATABASE_URL=world.postgres.url(OWNER)),
                "through PgBouncer": _plans(world, visitor, DATABASE_URL=pooler.url(APP), DATABASE_POOLED="true"),
            }
        finally:
            pooler.stop()
        version = world.postgres.psql("SHOW server_version").strip().split()[0]
    FOLDER.mkdir(exist_ok=True)
    different = 0
    for name, plan in bound.items():
        lines = [
            f"{name}: the plan of a resident's list under row policies, 1,000,000 documents, PostgreSQL {version}."
        ]
        if name.startswith("sweep-"):
            lines[0] = lines[0].replace("a resident's list", "a job's statement")
            lines.append(f"Indexes: {', '.join(plan['indexes'])}.")
        if name.endswith("administrator"):
            lines[0] = lines[0].replace("a resident's", "an administrator's")
        for how, plans in others.items():
            told = _compared(plan["nodes"], plans[name]["nodes"])
            different += told == OTHER
            lines.append(f"{how.capitalize()}: {told}.")
        lines += ["", plan["text"], ""]
        for how, plans in others.items():
            if _compared(plan["nodes"], plans[name]["nodes"]) == OTHER:
                lines += [f"--- {how}", "", plans[name]["text"], ""]
        (FOLDER / f"{name}.txt").write_text("\n".join(lines))
        print("\n".join(lines[:4]))
    if different:
        sys.exit(f"{different} plans differ; see docs/plans/.")


def _compared(nodes: list[str], others: list[str]) -> str:
    """A dozen small tables may be joined in any order; what counts is how each is read and joined."""
    if nodes == others:
        return "the same nodes"
    alike = sorted(node.strip() for node in nodes) == sorted(node.strip() for node in others)
    return "the same nodes, joined in another order" if alike else OTHER


def _plans(world: World, visitor: dict[str, Any], **env: str) -> dict[str, Any]:
    told = world.python("-m", "script.benches._questions", "plans", stdin=json.dumps(visitor), **env)
    found: dict[str, Any] = json.loads(told)
    if not found:
        raise ServerError("No list was asked for.")
    return found


if __name__ == "__main__":
    main()
