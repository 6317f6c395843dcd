"""The whole stack in one folder, as production runs it, with somebody who starts again what died."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from script.embedded import Child, Postgres, ServerError, Valkey, stop_all
from script.embedded.postgres import APP, DATABASE, OWNER
from script.fault_runs.post import Post
from script.tryout.folder import ROOT, keys

PARTS = ("beat", "worker", "web")


class House:
    """PostgreSQL, Valkey, mail server; web, worker and scheduler, which `watch` starts again when they end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock: dict[str, str] = {}  # what gives web, worker and scheduler another time
        self.port = free_port()
        self.files = folder / "files"
        self.postgres, self.valkey, self.post = Postgres(folder), Valkey(folder), Post(free_port())
        self.env = {**os.environ, **keys(folder)}
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "script.fault_runs.settings",
            "PYTHONUNBUFFERED": "1",
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "STORAGE_URL": f"file://{self.files}",
            "DATABASE_URL": self.postgres.url(APP),
            "MIGRATION_DATABASE_URL": self.postgres.url(OWNER),
            "REDIS_URL": self.valkey.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.post.port}",
            "LOG_LEVEL": "INFO",
        }
        self.parts: dict[str, Child] = {}
        self._starts = 0
        self._past: list[Child] = []

    # --- Start and stop ---------------------------------------------------------------------------------

    def start_servers(self) -> None:
        """What the house leans on, and an empty database of the newest version."""
        self.postgres.start()
        self.valkey.start()
        self.post.start()
        begin = time.monotonic()
        self.manage("migrate", "--verbosity", "0")
        self.migrate_seconds = time.monotonic() - begin
        self.migrated = schema(self.postgres.dump(DATABASE))

    def start(self) -> None:
        """Web, worker and scheduler; returns when web answers."""
        for name in PARTS:
            self._start(name)
        if not self.until(self.answers, 60):
            raise ServerError(f"web does not answer:\n{self.parts['web'].last_lines()}")

    def stop(self) -> None:
        """Everything, in reverse order, with whatever outlived a killed parent."""
        stop_all([*self._past, *self.parts.values()])
        self.parts.clear()
        stop_all([self.post, self.valkey, self.postgres])

    def restart(self, meanwhile: Callable[[], object], **env: str) -> None:
        """Web, worker and scheduler anew, with other settings."""
        stop_all([*self._past, *self.parts.values()])
        self.parts.clear()
        meanwhile()
        self.env |= env
        self.start()

    def watch(self) -> None:
        """Start again what ended, as the supervisor of an installation does."""
        for name, child in list(self.parts.items()):
            if not child.running:
                self._past.append(child)
                self._start(name)

    def pause(self, seconds: float) -> None:
        """Let time pass, watching."""
        self.until(lambda: False, seconds)

    def until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Watch until something holds; False when it does not within that time."""
        end = time.monotonic() + seconds
        while True:
            self.watch()
            if holds():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.05)

    def ended(self, child: Child, seconds: float) -> bool:
        """Whether a command ends by itself within that time."""
        return self.until(lambda: not child.running, seconds)

    def manage(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """One command of `manage.py`. Raises `ServerError` when it fails."""
        child = self.command(*arguments, env=env)
        child.process.wait()
        if child.process.returncode:
            raise ServerError(f"{child.name} failed:\n{child.last_lines(40)}")
        return child.last_lines(40)

    def command(self, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
        """A command of `manage.py` that runs beside us."""
        self._starts += 1
        return Child(
            f"manage.py {arguments[0]}",
            [sys.executable, "manage.py", *arguments],
            log=self.folder / "log" / f"{arguments[0]}-{self._starts}.log",
            cwd=ROOT,
            env={**self.env, **(env or {})},
        )

    def _start(self, name: str) -> None:
        self._starts += 1
        celery = [sys.executable, "-m", "celery", "-A", "config"]
        commands: dict[str, list[str | Path]] = {
            "beat": [*celery, "beat", "-l", "INFO", "--schedule", self.folder / "beat-schedule", "--pidfile="],
            "worker": [*celery, "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"],
            "web": [
                *(sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{self.port}"),
                *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--no-control-socket"),
                *("--logger-class", "core.access_log.MaskingLogger"),
            ],
        }  # fmt: skip
        env = dict(self.env)
        env |= self.clock
        log = self.folder / "log" / f"{name}-{self._starts}.log"
        self.parts[name] = Child(name, commands[name], log=log, cwd=ROOT, env=env)

    # --- Looking at it ----------------------------------------------------------------------------------

    def answers(self) -> bool:
        """Whether web answers at all."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def works(self, part: str) -> bool:
        """Whether web, worker or scheduler is through with starting."""
        child = self.parts.get(part)
        if child is None or not child.running:
            return False
        if part == "web":
            return self.answers()
        said = " ready." if part == "worker" else "beat: Starting..."
        return child.log is not None and said in child.log.read_text(errors="replace")

    def pids(self, victim: str) -> list[int]:
        """The processes of ``web``, ``worker`` or ``beat``; of ``web child`` and ``worker child`` those below."""
        part, _blank, below = victim.partition(" ")
        child = self.parts.get(part)
        if child is None or not child.running:
            return []
        return children_of(child.process.pid) if below else [child.process.pid]


def schema(dump: str) -> list[str]:
    """The lines of a dump, without what no two have in common: moments, and pg_dump's token against forged dumps.

    Django numbers its models in the order in which it first meets them; a run that goes on after another meets them in
    another order. They are named here, and so are their permissions.
    """
    dump = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*", "MOMENT", dump)
    models = dict(re.findall(r"^(\d+)\t([a-z_]+\t[a-z_]+)$", dump, re.MULTILINE))
    dump = re.sub(r"^\d+\t([a-z_]+\t[a-z_]+)$", r"\1", dump, flags=re.MULTILINE)
    dump = re.sub(
        r"^\d+\t(Can [^\t]+)\t(\d+)\t(\w+)$",
        lambda found: f"{found[1]}\t{models[found[2]]}\t{found[3]}",
        dump,
        flags=re.MULTILINE,
    )
    return sorted(line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def kill(pid: int) -> bool:
    """kill -9; False when it was gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def children_of(pid: int) -> list[int]:
    """From /proc; none for a process that is gone."""
    try:
        return [int(part) for part in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def free_port() -> int:
    """A TCP port that nobody uses, below those that the system gives to clients: it stays free while web is down."""
    while True:
        port = random.randrange(12_000, 20_000)  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
