"""B9: the tree of organizations: 10,000 of them, eight levels deep, 50,000 memberships of 20,000 people.

Wanted: "may X act here?" and "all of X's organizations" take one query each, at most 5 ms and 1.5 times a recursive
statement that begins with the account; the list of what one reaches and the availability of the topmost organization
take three queries at most; a move of a large branch holds up no reader.

The product asks with the caller at hand, who is made once for each request; what that costs is told beside it.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from script.benches._load import race_calls, table
from script.embedded import Postgres
from script.embedded.postgres import APP, OWNER

if TYPE_CHECKING:
    from orgs.models import User

ROOT = Path(__file__).resolve().parents[2]
HELD = 0.5  # seconds for which a move stays uncommitted; whoever waits for it waits longer
NODES, WIDTH, PEOPLE, MEMBERSHIPS = 10_000, 4, 20_000, 50_000

# May this account act in that organization: does it own it or one above?
MAY = """
WITH RECURSIVE up AS (
  SELECT id, parent_id FROM orgs_organization WHERE id = %(node)s AND closed_at IS NULL
  UNION ALL SELECT o.id, o.parent_id FROM orgs_organization o JOIN up ON o.id = up.parent_id)
SELECT EXISTS (SELECT 1 FROM orgs_membership m JOIN up ON up.id = m.organization_id
                WHERE m.user_id = %(user)s AND m.role = 'owner'
                  AND (m.deactivated_at IS NULL OR m.deactivated_at > now()))
"""
# All that this account reaches: where it works, and everything below what it owns.
ALL = """
WITH RECURSIVE down AS (
  SELECT o.id FROM orgs_membership m JOIN orgs_organization o ON o.id = m.organization_id
   WHERE m.user_id = %(user)s AND m.role = 'owner' AND (m.deactivated_at IS NULL OR m.deactivated_at > now())
  UNION SELECT o.id FROM orgs_organization o JOIN down ON o.parent_id = down.id)
SELECT o.id, o.* FROM orgs_organization o
 WHERE o.id IN (SELECT id FROM down) OR o.id IN (
   SELECT m.organization_id FROM orgs_membership m WHERE m.user_id = %(user)s
      AND m.role IN ('owner', 'staff', 'affiliate') AND (m.deactivated_at IS NULL OR m.deactivated_at > now()))
 ORDER BY lower(o.name), o.id
"""


def main() -> None:
    """One run on a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="qb-", dir="/tmp") as name:  # short and reachable: sockets lie in it
        folder = Path(name)
        folder.chmod(0o711)
        postgres = Postgres(folder, options={"shared_buffers": "512MB"})
        postgres.start()
        try:
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "DATABASE_URL": postgres.url(APP),
                "MIGRATION_DATABASE_URL": postgres.url(OWNER),
            }
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
            import django

            django.setup()
            fill()
            measure()
        finally:
            postgres.stop()


def fill() -> None:
    """The tree, breadth first: the n-th organization lies below the one with number (n + 2) div 4."""
    from config.management.commands.demo import owner_connection
    from core.services.bulk import Loader
    from orgs.models import Membership, Organization, User

    dice = random.Random(9)  # noqa: S311 - the same tree in each run
    lines: dict[int, list[int]] = {1: []}
    for node in range(2, NODES + 1):
        parent = (node + WIDTH - 2) // WIDTH
        lines[node] = [*lines[parent], parent]
    assert max(len(line) for line in lines.values()) == 7
    places = {(1, 1): "owner", (2, 100): "owner", (2, 9_000): "staff", (2, 9_500): "staff"}
    while len(places) < MEMBERSHIPS:
        pair = (dice.randint(3, PEOPLE), dice.randint(2, NODES))
        places.setdefault(pair, dice.choices(("owner", "staff", "resident"), (5, 80, 15))[0])
    owner = owner_connection()
    load = Loader(owner)
    with load.load():
        load.copy(User, (_user(n) for n in range(1, PEOPLE + 1)))
        load.copy(
            Organization,
            (
                Organization(
                    id=n,
                    name=f"Verwaltung {n:05}",
                    parent_id=line[-1] if line else None,
                    ancestors=line,
                    created_by_id=1,
                )
                for n, line in lines.items()
            ),
        )
        with owner.cursor() as cursor:
            cursor.execute("UPDATE orgs_organization SET is_tenant = (id = 1), tenant_id = 1")
        load.copy(
            Membership,
            (
                Membership(user_id=user, organization_id=node, tenant_id=1, role=role, is_available=dice.random() < 0.7)
                for (user, node), role in places.items()
            ),
        )
    load.tidy()


def _user(number: int) -> User:
    from orgs.models import User

    address = f"p{number}@bench.test"
    return User(id=number, username=address, email=address, first_name="Kim", last_name=f"P{number}")


def measure() -> None:
    """As the role of web and workers."""
    from core import scope

    with scope.unit_of_work(door="orgs", tenants=[1]):
        ask()
    move_beside_readers()


def ask() -> None:
    """The two questions for somebody who owns a branch of 100 and works at two other places, and for the topmost owner."""
    from django.db import connection
    from django.db.models.functions import Lower
    from django.test.utils import CaptureQueriesContext

    from orgs import rules
    from orgs.actor import actor_for
    from orgs.api.shapes import shapes_of, with_children
    from orgs.models import Organization, User
    from orgs.services import availability, reach

    def floor(statement: str, **params: int) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())

    for who, here in (("the owner of a branch", 6_400), ("the owner of everything", 9_999)):
        user = User.objects.get(pk=2 if "branch" in who else 1)
        actor = actor_for(user, door="orgs")
        assert not actor.has_second_factor  # asked once for each request

        def may(actor: Any = actor, here: int = here) -> bool:
            return bool(rules.may_own(actor, reach.organization(actor, here)))

        def everything(actor: Any = actor) -> list[Any]:
            return list(Organization.objects.open_to(actor).filter(closed_at=None).order_by(Lower("name"), "id"))

        def page(actor: Any = actor) -> list[Any]:
            return list(
                with_children(Organization.objects.open_to(actor).filter(closed_at=None)).order_by(Lower("name"), "id")[
                    :50
                ]
            )

        asking: dict[str, Callable[[], object]] = {"may X act here?": may, "all of X's organizations": everything}
        for name, call in asking.items():
            with CaptureQueriesContext(
                connection,
            ) as asked:
                call()
            assert len(asked) == 1, asked.captured_queries
            print(f"{who}: {name} one query", flush=True)
        assert may()
        assert floor(MAY, user=user.pk, node=here) == [(True,)]
        assert [one.pk for one in everything()] == [row[0] for row in floor(ALL, user=user.pk)]
        calls: dict[str, Callable[[], object]] = {
            "may X act here?": may,
            "floor: may X act here?": lambda pk=user.pk, node=here: floor(MAY, user=pk, node=node),  # type: ignore[misc]
            f"all {len(everything()):,} of X's organizations": everything,
            "floor: all": lambda pk=user.pk: floor(ALL, user=pk),  # type: ignore[misc]
            "who X is, once for each request": lambda user=user: actor_for(user, door="orgs"),  # type: ignore[misc]
        }
        results = race_calls(calls, seconds=1)
        names = list(calls)
        print(f"\n### {who}\n")
        for base in (names[1], names[3]):
            print(table({name: results[name] for name in (names[names.index(base) - 1], base)}, base=base))
        print(table({names[4]: results[names[4]]}, base=names[4]))

        with CaptureQueriesContext(connection) as asked:
            shapes_of(page())
        print(f"\nthe first 50 of the list with owners and availability: {len(asked)} queries (wanted: ≤ 3)")
        assert len(asked) <= 3
    with CaptureQueriesContext(connection) as asked:
        begin = time.perf_counter()
        found = availability.counts([1])[1]
    heads = found.total.available + found.total.in_event + found.total.not_available
    print(
        f"availability of the topmost organization, {heads:,} people: {len(asked)} query, "
        f"{1000 * (time.perf_counter() - begin):.0f} ms (wanted: ≤ 3 queries)"
    )


def move_beside_readers() -> None:
    """The branch below organization 2, a quarter of the tree, is moved to and fro while somebody reads."""
    from django.db import connection

    from core import scope
    from orgs.actor import actor_for
    from orgs.models import Organization, User
    from orgs.services import reach, tree

    stop = threading.Event()
    moves: list[float] = []

    def move() -> None:
        try:
            while not stop.is_set():
                for parent in (3, 1):
                    begin = time.perf_counter()
                    with scope.unit_of_work(door="orgs", tenants=[1]):
                        actor = actor_for(User.objects.get(pk=1), door="orgs")
                        node, goal = Organization.objects.get(pk=2), Organization.objects.get(pk=parent)
                        tree.change(actor=actor, organization=node, values={"parent": goal})
                        time.sleep(HELD)  # with everything locked that a move locks
                    moves.append(time.perf_counter() - begin)
        finally:
            connection.close()

    def read(seconds: float) -> list[float]:
        took = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            with scope.unit_of_work(door="orgs", tenants=[1]):
                actor = actor_for(User.objects.get(pk=2), door="orgs")
                begin = time.perf_counter()
                reach.organization(actor, 6_400)
                took.append(1000 * (time.perf_counter() - begin))
        return took

    read(1)
    alone = read(4)
    mover = threading.Thread(target=move)
    mover.start()
    beside = read(8)
    stop.set()
    mover.join()
    for name, took in (("alone", alone), ("beside moves", beside)):
        cuts = statistics.quantiles(took, n=20)
        print(f"reading {name}: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms, longest {max(took):.0f} ms")
    print(f"{len(moves)} moves of a quarter of the tree meanwhile, {1000 * statistics.median(moves):.0f} ms each")
    assert max(beside) < 1000 * HELD, "a reader waited for a move"


if __name__ == "__main__":
    main()
