"""The production stack of one bench: PostgreSQL, Valkey, files, web and workers in a folder that goes with the bench."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from script.embedded import Child, Postgres, ServerError, Valkey, stop_all
from script.embedded.postgres import APP, OWNER

ROOT = Path(__file__).resolve().parents[2]
HOST = "quartier.bench"
# As in the Dockerfile, but for the renewal of workers: a bench looks at the memory of one and the same process.
WORKERS = 2
GUNICORN = (
    "--worker-class", "gthread", "--workers", str(WORKERS), "--threads", "8", "--worker-tmp-dir", "/dev/shm",  # noqa: S108 - as there
    "--no-control-socket", "--logger-class", "core.access_log.MaskingLogger",
)  # fmt: skip
# What every client sends: the name of the house, and that TLS ended at the proxy in front.
HEADERS = {"Host": HOST, "X-Forwarded-Proto": "https"}


class Stack:
    """Servers and house. Leaving the block stops all of it and removes the folder."""

    def __init__(self, *, mail: str = "smtp://127.0.0.1:9", more: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="qb-", dir="/tmp"))  # short and reachable: sockets lie in it
        self.folder.chmod(0o711)
        self.files = self.folder / "files"
        self.files.mkdir()
        self.postgres = Postgres(self.folder, options={"shared_buffers": "512MB", "max_wal_size": "4GB"})
        self.valkey = Valkey(self.folder)
        self._children: list[Child] = []
        self.env = {
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "AUDIT_KEY": secrets.token_urlsafe(48),
            "PUBLIC_URL": f"https://{HOST}",
            "ALLOWED_HOSTS": HOST,
            "STORAGE_URL": f"file://{self.files}",
            "EMAIL_URL": mail,
            "DEFAULT_FROM_EMAIL": "haus@quartier.bench",
            "DOCMS_RATE_LIMIT": "0",  # a bench asks faster than people
            "LOG_LEVEL": "WARNING",
            **(more or {}),
        }

    def __enter__(self) -> Self:
        try:
            self.postgres.start()
            self.valkey.start()
            self.env |= {
                "DATABASE_URL": self.postgres.url(APP),
                "MIGRATION_DATABASE_URL": self.postgres.url(OWNER),
                "REDIS_URL": self.valkey.url,
            }
            os.environ |= self.env
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
            import django

            django.setup()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        from django.db import connections

        connections.close_all()
        stop_all([self.valkey, self.postgres, *self._children])
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def databases(self) -> list[int]:
        """Process ids of PostgreSQL: the server and everything it has started."""
        server = int((self.postgres.data / "postmaster.pid").read_text().split()[0])
        return [server, *children_of(server)]

    def start(self, name: str, command: Sequence[str | Path], **env: str) -> Child:
        """A process of the house, with its output in ``log/``."""
        child = Child(
            name, command, log=self.folder / "log" / f"{name}.log", cwd=ROOT, env={**os.environ, **self.env, **env}
        )
        self._children.append(child)
        return child

    def python(self, name: str, *arguments: str | Path, **env: str) -> Child:
        """`python -m …`."""
        return self.start(name, [sys.executable, "-m", *arguments], **env)

    def web(self, name: str = "web", app: str = "config.wsgi", **env: str) -> Web:
        """The production web server, answering."""
        web = Web(self, name, app, env)
        web.wait()
        return web

    def worker(self, name: str = "worker", *, concurrency: int = 1, **env: str) -> Child:
        """A Celery worker as in compose.yaml."""
        return self.python(
            name, "celery", "-A", "config", "worker", "--concurrency", str(concurrency), "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle", "-n", f"{name}@bench", **env,
        )  # fmt: skip

    def beat(self) -> Child:
        """The scheduler."""
        schedule = self.folder / "beat-schedule"
        return self.python("beat", "celery", "-A", "config", "beat", "--schedule", schedule, "--pidfile=")


class Web:
    """gunicorn on a port of its own."""

    def __init__(self, stack: Stack, name: str, app: str, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.child = stack.python(name, "gunicorn", app, "--bind", f"127.0.0.1:{self.port}", *GUNICORN, **env)

    def wait(self) -> None:
        """Until it accepts connections."""
        wait_for(lambda: _accepts(self.port), f"{self.child.name} does not answer", child=self.child)

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return children_of(self.child.process.pid)

    def peak(self) -> float:
        """The most memory that a worker has had at a time, in MiB (VmHWM)."""
        return max(peak_of(pid) for pid in self.workers)


def children_of(pid: int) -> list[int]:
    """Process ids of what a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processor_seconds(pids: Iterable[int]) -> float:
    """What processes and their children that have ended have used of the processors until now."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])  # in the process and in the kernel, of both
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_of(pid: int) -> float:
    """The most memory that a process has had at a time, in MiB (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def free_port() -> int:
    """A TCP port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(
    holds: Callable[[], object], otherwise: str, *, seconds: float = 60, pause: float = 0.05, child: Child | None = None
) -> None:
    """Go on when it holds. Raises `ServerError` when it does not in time, or the child that should do it has ended."""
    end = time.monotonic() + seconds
    while not holds():
        ended = child is not None and not child.running
        if ended or time.monotonic() > end:
            raise ServerError(f"{otherwise}:\n{child.last_lines() if child else ''}")
        time.sleep(pause)


def alternately(rounds: int, *measures: Callable[[], float]) -> Iterator[list[float]]:
    """Each measure ``rounds`` times, in turns, so that a loaded machine slows all of them; yields the figures of each.

    Figures are rates (more is better) or times, as the measures return them.
    """
    figures: list[list[float]] = [[] for _measure in measures]
    for _round in range(rounds):
        for measure, found in zip(measures, figures, strict=True):
            found.append(measure())
    yield from figures


def median(figures: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(figures)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print()
    for line in (head, ["---"] * len(head), *lines):
        print(f"| {' | '.join(line)} |")
    print(flush=True)
