"""A filled company of a given size with its servers: built once, kept in `.quartier/bench/`, started for each bench.

What is kept is found by a digest of the schema, the code that fills it and the sizes, so it is never the wrong one.
PostgreSQL runs with its own, durable defaults; only its share of the memory is set.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from script.benches._stack import GUNICORN, children_of, free_port, peak_of, wait_for
from script.embedded import Child, Postgres, ServerError, Valkey, stop_all
from script.embedded.postgres import APP, OWNER
from script.embedded.processes import Stoppable
from script.schema import schema_digest
from script.tryout.folder import ROOT, data_folder, keys

# The two sizes of one shape: in both a renter reaches 11 folders of 50 documents. A community of the greater one has
# more households with folders of their own.
SMALL = {"communities": 50, "residents": 5_000, "folders": 2_000, "groups": 500, "documents": 100_000}
LARGE = {"communities": 200, "residents": 20_000, "folders": 20_000, "groups": 4_400, "documents": 1_000_000}
MEMORY = {"shared_buffers": "1GB", "max_wal_size": "4GB", "effective_cache_size": "4GB"}
_FILLED_BY = ("orgs/demo.py", "orgs/demo_large.py", "docms/demo.py", "docms/demo_large.py", "core/services/bulk.py")


class World:
    """``with World(SMALL) as world``: the servers run, the rows are there, ``world.env`` leads to them."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.folder = data_folder() / "bench" / _digest(sizes)
        self.env = dict(os.environ)
        self._started: list[Stoppable] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        ready = self.folder / "ready"
        if not ready.exists() and self.folder.exists():
            shutil.rmtree(self.folder)  # of a build that was interrupted
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711)
        self.postgres, valkey = Postgres(self.folder, options=MEMORY), Valkey(self.folder)
        for server in (self.postgres, valkey):
            server.start()
            self._started.append(server)
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        self.env |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.tryout",
            "DATABASE_URL": self.postgres.url(APP),
            "MIGRATION_DATABASE_URL": self.postgres.url(OWNER),
            "REDIS_URL": valkey.url,
            "STORAGE_URL": f"file://{files}",
            "LOG_LEVEL": "WARNING",
            # Counted as in production, but nobody is refused: one token asks for everything here.
            "DOCMS_RATE_LIMIT": "1000000000",
            **keys(self.folder),
        }
        if not ready.exists():
            self._build()
            ready.touch()

    def _build(self) -> None:
        told = ", ".join(f"{size:,} {name}" for name, size in self.sizes.items())
        print(f"building {told} …", flush=True)
        options = [part for name, size in self.sizes.items() for part in (f"--{name}", str(size))]
        self.python("manage.py", "migrate", "--verbosity", "0")
        print(self.python("manage.py", "demo", "--scale", "large", *options).splitlines()[0], flush=True)
        self.postgres.psql("CHECKPOINT")

    def python(self, *arguments: str, stdin: str = "", **env: str) -> str:
        """Run a program in the world's environment and return what it prints. Raises `ServerError`."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env | env, input=stdin, capture_output=True, text=True
        )
        if done.returncode:
            raise ServerError(f"{arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def visitor(self) -> dict[str, Any]:
        """Somebody who lives there and is signed in at each door, see `_visitor`."""
        found: dict[str, Any] = json.loads(self.python("-m", "script.benches._visitor"))
        return found

    def gunicorn(self, application: str, **env: str) -> str:
        """Serve a WSGI application as production serves ours; returns its address."""
        return self.serve(
            application,
            ["-m", "gunicorn", application, *GUNICORN, "--log-level", "warning", "--bind", "127.0.0.1:{port}"],
            **env,
        )  # fmt: skip

    def peak(self) -> float:
        """The most memory that a worker of the server started last has had, in MiB."""
        server = self._started[-1]
        assert isinstance(server, Child)
        return max(peak_of(pid) for pid in children_of(server.process.pid))

    def serve(self, name: str, command: Sequence[str], **env: str) -> str:
        """Start a web server on a free port and wait until it answers; returns its address."""
        port = free_port()
        arguments = [part.format(port=port) for part in command]
        log = self.folder / "log" / f"{name}.log"
        child = Child(name, [sys.executable, *arguments], log=log, cwd=ROOT, env=self.env | env)
        self._started.append(child)
        wait_for(lambda: _answers(port), f"{name} does not answer", child=child)
        return f"http://127.0.0.1:{port}"

    def _stop(self) -> None:
        stop_all(self._started)
        self._started.clear()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _digest(sizes: dict[str, int]) -> str:
    digest = hashlib.sha256(f"{schema_digest()}{sorted(sizes.items())}".encode())
    for name in _FILLED_BY:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:10]
