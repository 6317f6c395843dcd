"""`script/fuzz`: generated requests to a real server process, on servers and a database of their own."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import requests
from psycopg import sql

from script.embedded import Postgres
from script.embedded.postgres import OWNER
from tests.servers import ROOT, Servers, eventually, free_port

if TYPE_CHECKING:
    from tests.fuzz.cases import Request
    from tests.fuzz.harness import Tally
    from tests.fuzz.world import World

DATABASE, KEPT = "quartier_test_single", "quartier_test_kept"
# What a request may do to the next ones; after so much the world is made anew, which takes as long as ten requests.
DIRT_MAX, DELETION, CHANGE = 12, 4, 1


class Original:
    """The database as it was made, to come back to. The server's connections are cut; it opens others."""

    def __init__(self, superuser: psycopg.Connection[Any], world: World) -> None:
        self.dirt, self.superuser, self.world = 0, superuser, world
        self.credentials = dict(world.credentials)
        self._copy(DATABASE, KEPT)

    def after(self, request: Request, status: int) -> None:
        """Note what a request may have changed."""
        label, method = request.case.operation.label, request.case.method
        if status < 300 and ("/password" in label or label in ("PUT /tenants/current", "PUT /app-settings")):
            self.dirt += DIRT_MAX  # nobody could sign in
        elif status < 300 and method == "DELETE":
            self.dirt += DELETION
        elif (status < 300 and method != "GET") or "/tfa" in label or "/log" in label or "-tenant" in label:
            self.dirt += CHANGE
        if self.dirt >= DIRT_MAX:
            self.restore()

    def restore(self) -> None:
        """Begin anew."""
        self.dirt = 0
        self.world.credentials.update(self.credentials)
        self._copy(KEPT, DATABASE)

    def _copy(self, source: str, target: str) -> None:
        names = {"source": sql.Identifier(source), "target": sql.Identifier(target), "owner": sql.Identifier(OWNER)}
        run = self.superuser.execute
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
        run(sql.SQL("DROP DATABASE IF EXISTS {target} WITH (FORCE)").format(**names))
        run(sql.SQL("CREATE DATABASE {target} TEMPLATE {source} OWNER {owner}").format(**names))


@contextlib.contextmanager
def _served(log: Path) -> Iterator[str]:
    """The web server as in the image, with one process; gives its address."""
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
        "--threads", "4", "--no-control-socket", "--log-level", "info",
    ]  # fmt: skip
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        if not eventually(lambda: b"Booting worker" in log.read_bytes(), seconds=60):
            raise SystemExit(log.read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _world() -> World:
    """The cast and what they have, committed."""
    from core import scope
    from tests import cast
    from tests.everywhere import everywhere
    from tests.fuzz.world import build

    with everywhere():
        with scope.unit_of_work(door="test"):
            made = cast.build()
        return build(made)


def _table(tallies: dict[str, Tally]) -> str:
    width = max(map(len, tallies))
    lines = [f"{'operation':{width}}  requests  failures  by status"]
    for label, tally in tallies.items():
        by_status = "  ".join(f"{status} {count}" for status, count in sorted(tally.statuses.items()))
        lines.append(f"{label:{width}}  {tally.requests:8}  {tally.failures.total():8}  {by_status}")
    total = sum(tally.requests for tally in tallies.values())
    failures = sum(tally.failures.total() for tally in tallies.values())
    errors = sum(n for tally in tallies.values() for status, n in tally.statuses.items() if status >= 500)
    lines.append(f"{'all':{width}}  {total:8}  {failures:8}  server errors: {errors}")
    return "\n".join(lines)


def _run(arguments: argparse.Namespace, log: Path, postgres: Postgres) -> int:
    from django.db import connections

    from tests.fuzz.cases import operations
    from tests.fuzz.harness import fuzz, report
    from tests.fuzz.world import sign_in

    chosen = [operation for operation in operations() if arguments.only in operation.label]
    if not chosen:
        print(f"No operation holds {arguments.only!r} in its name.", file=sys.stderr)
        return 2
    world = _world()
    with (
        _served(log) as address,
        requests.Session() as session,
        psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as superuser,
    ):

        def knock(path: str, headers: dict[str, str]) -> tuple[int, Any]:
            answer = session.get(address + path, headers=headers, timeout=60)
            return answer.status_code, answer.json()

        sign_in(world, knock)
        connections.close_all()
        first = Original(superuser, world)

        def send(request: Request) -> Any:
            response = request.case.call(
                base_url=address + request.prefix, session=session, headers=request.headers, timeout=60
            )
            if response.status_code < 300 and request.case.operation.label.endswith("/logout"):
                sign_in(world, knock, [request.role])
            first.after(request, response.status_code)
            return response

        print(f"{arguments.requests} requests to {len(chosen)} operations, --seed {arguments.seed}", flush=True)
        start = time.monotonic()
        tallies = fuzz(chosen, world, send, total=arguments.requests, seed=arguments.seed)
        print(_table(tallies))
        print(f"{time.monotonic() - start:.0f} s")
        if problems := report(tallies):
            print(problems)
            print(f"What the server said: {log}")
            return 1
    log.unlink()
    return 0


def main() -> int:
    """Run it; 0 when nothing failed, 1 when something did."""
    parser = argparse.ArgumentParser(prog="script/fuzz")
    parser.add_argument("--requests", type=int, default=20_000, help="how many at least (20000)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same seed sends the same")
    parser.add_argument("--only", default="", help="operations with this in their name, such as 'PUT /files'")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # the servers are stopped then, too
    servers = Servers()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"  # no rate limit, passwords that are hashed fast
    os.environ["EMAIL_URL"] = "smtp://127.0.0.1:1"  # mails are queued; no worker runs that could send them
    os.environ["LOG_LEVEL"] = "ERROR"
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL"):  # only what is ours is overwritten
        os.environ.pop(name, None)
    handle, name = tempfile.mkstemp(prefix="quartier-fuzz-", suffix=".log")
    os.close(handle)
    try:
        servers.start_shared()
        servers.start_own()
        import django

        django.setup()
        servers.create_database()
        assert servers.postgres
        return _run(arguments, Path(name), servers.postgres)
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main())
