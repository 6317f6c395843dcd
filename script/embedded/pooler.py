"""PgBouncer in transaction mode in front of an embedded PostgreSQL: tests and benches see what a pooler changes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from script.embedded.processes import Child, ServerError, unprivileged_user

PORT = 6432  # the name of its socket


def program() -> str | None:
    """Where PgBouncer is, or none (Debian: apt-get install pgbouncer)."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


class Pooler:
    """A pool of ``size`` connections as one role to one database; its socket, settings and log in ``folder``."""

    def __init__(self, folder: Path, *, postgres: Path, database: str, role: str, size: int) -> None:
        self.folder = folder / "pooler"
        self._user = unprivileged_user()  # it refuses root, as PostgreSQL does
        self._settings = f"""
[databases]
{database} = host={postgres} user={role} dbname={database}
[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {self.folder}
unix_socket_mode = 0777
auth_type = any
admin_users = postgres
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""
        self._database = database
        self._child: Child | None = None

    def start(self) -> None:
        """Raises `ServerError` where there is no PgBouncer."""
        found = program()
        if found is None:
            raise ServerError("No PgBouncer found (Debian: apt-get install pgbouncer).")
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(self._settings)
        if self._user:
            shutil.chown(self.folder, self._user)
        self._child = Child(
            "PgBouncer",
            [found, settings],
            log=self.folder.parent / "log" / "pgbouncer.log",
            cwd=self.folder,
            user=self._user,
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )
        until = time.monotonic() + 20
        while not (self.folder / f".s.PGSQL.{PORT}").exists():
            if not self._child.running or time.monotonic() > until:
                raise ServerError(f"PgBouncer did not start:\n{self._child.last_lines()}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._child:
            self._child.stop()

    def url(self, role: str) -> str:
        """As `Postgres.url`; whoever comes is the pool's role."""
        return f"postgresql://{role}@/{self._database}?host={self.folder}&port={PORT}"
