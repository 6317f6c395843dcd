"""The servers of a test session: PostgreSQL for all workers, Valkey for each, SMTP and Chromium on demand.

Every worker has a database of its own, copied from a template that is migrated once as the owner, and connects
to it as the role `quartier_app`: a grant that is missing in production is missing here.
"""

from __future__ import annotations

import contextlib
import fcntl
import imaplib
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from psycopg import sql
from psycopg._preparing import PrepareManager

from script.embedded import Postgres, ServerError, Valkey
from script.embedded.postgres import APP, OWNER
from script.schema import schema_digest

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "quartier_template"
# A test database may be lost, so nothing waits for a disk.
_RECKLESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


class Servers:
    """What one process of the session has started; `stop()` leaves nothing behind."""

    def __init__(self) -> None:
        self.worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.folder = Path(os.environ.get("QUARTIER_TEST_FOLDER", ""))
        self._owns_folder = False

    def start_shared(self) -> None:
        """Once per session, before Django's settings load: a folder and PostgreSQL. Workers inherit them."""
        # Under /tmp and short: sockets live in it, and PostgreSQL's user must reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="quartier-test-", dir="/tmp"))
        self._owns_folder = True
        self.folder.chmod(0o711)
        os.environ["QUARTIER_TEST_FOLDER"] = str(self.folder)
        if not os.environ.get("DATABASE_URL"):
            self.postgres = Postgres(self.folder, options=_RECKLESS)
            self.postgres.start()
            self.postgres.psql(f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}")  # see tests/tables.py
            os.environ["DATABASE_URL"] = self.postgres.url(APP)
            os.environ["MIGRATION_DATABASE_URL"] = self.postgres.url(OWNER)
            os.environ["QUARTIER_TEST_EMBEDDED"] = "1"
        os.environ.setdefault("MIGRATION_DATABASE_URL", os.environ["DATABASE_URL"])

    def start_own(self) -> None:
        """For each process that runs tests: its database's name, its broker, its folder of files."""
        name = f"quartier_test_{self.worker or 'single'}"
        for variable in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
            os.environ[variable] = _with_path(os.environ[variable], name)
        if os.environ.get("REDIS_URL"):
            number = int(self.worker.removeprefix("gw") or 0) + 1
            os.environ["REDIS_URL"] = _with_path(os.environ["REDIS_URL"], str(number))
        else:
            self.valkey = Valkey(self.folder, name=self.worker or "single")
            self.valkey.start()
            os.environ["REDIS_URL"] = self.valkey.url
        files = self.folder / "files" / (self.worker or "single")
        files.mkdir(parents=True)
        os.environ["STORAGE_URL"] = f"file://{files}"

    def create_database(self) -> None:
        """A copy of the template, which the first process that asks migrates."""
        name = urlsplit(os.environ["DATABASE_URL"]).path.lstrip("/")
        with locked(self.folder / "template.lock"):
            ready = self.folder / "template.ready"
            if not ready.exists():
                self._make_template()
                ready.touch()
            with owner("postgres") as connection:
                _drop(connection, name)
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
                )

    def stop(self) -> None:
        if self.valkey:
            self.valkey.stop()
        if self.worker or not self._owns_folder:
            return
        if self.postgres:
            self.postgres.stop()
        else:
            with owner("postgres") as connection:
                names = connection.execute(
                    "SELECT datname FROM pg_database WHERE datname LIKE 'quartier\\_test\\_%' OR datname = %s",
                    [TEMPLATE],
                ).fetchall()
                for (name,) in names:
                    _drop(connection, name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_template(self) -> None:
        """Migrated; or, where nothing changed since an earlier session, read from that session's dump.

        On a clean checkout, as in CI, there is no dump: every migration runs.
        """
        with owner("postgres") as connection:
            _drop(connection, TEMPLATE)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        if os.environ.get("QUARTIER_TEST_EMBEDDED"):
            postgres = Postgres(self.folder)
            dump = ROOT / "build" / f"test-schema-{schema_digest()}.sql"
            if dump.exists():
                postgres.psql(dump.read_text(), TEMPLATE)
                return
            self._migrate_template()
            dump.parent.mkdir(exist_ok=True)
            for old in dump.parent.glob("test-schema-*.sql"):
                old.unlink(missing_ok=True)
            draft = dump.with_suffix(f".{os.getpid()}")
            draft.write_text(postgres.dump(TEMPLATE))
            draft.replace(dump)
        else:
            self._migrate_template()

    def _migrate_template(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "MIGRATION_DATABASE_URL": _with_path(os.environ["MIGRATION_DATABASE_URL"], TEMPLATE),
            },
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ServerError(f"The test database could not be migrated:\n{done.stdout}{done.stderr}")


def keep_prepared(patch: pytest.MonkeyPatch) -> None:
    """What a connection has prepared outlives a rollback, the end of nearly every test and of many a question inside one.

    Psycopg forgets it then, lest tables be rolled back that it speaks of; the app role makes none. So tests come to the
    plans that serve a connection of production, instead of planning each statement anew.
    """
    patch.setattr(PrepareManager, "clear", lambda self: False)


@contextlib.contextmanager
def owner(database: str = "") -> Iterator[psycopg.Connection[Any]]:
    """A short connection as the owner of the tables, to this process's database or another one."""
    url = os.environ["MIGRATION_DATABASE_URL"]
    with psycopg.connect(_with_path(url, database) if database else url, autocommit=True) as connection:
        yield connection


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process of the session at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


class MailSink:
    """An SMTP server that keeps what it gets, refuses what it is told to refuse and can be down.

    ``replies`` maps a recipient's address to an answer such as "550 5.1.1 no such user".
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.replies: dict[str, str] = {}
        self.port = free_port()
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def stop(self) -> None:
        """From now on a connection is refused; `start()` brings the same address back."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[EmailMessage]:
        """The messages that were sent to one address, oldest first."""
        return [m for m, e in zip(self.messages, self.envelopes, strict=False) if address in e.rcpt_tos]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.envelopes.append(envelope)
        self.messages.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"


class Imap:
    """A real IMAP server in a process of its own: `deliver(raw)` puts a mail into its inbox.

    ``files``: certificate and key, where it is to speak STARTTLS.
    """

    USER, PASSWORD = "hilfe", "Ein-Wort"

    def __init__(self, log: Path, files: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self._log = log
        self._options = ["--cert", str(files[0]), "--key", str(files[1])] if files else ["--no-tls"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("pymap")
        command = [str(program), "--host", "127.0.0.1", "--port", str(self.port), *self._options]
        command += ["--no-service", "managesieve", "dict", "--demo-user", self.USER, "--demo-password", self.PASSWORD]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        if not eventually(self._answers):
            raise ServerError(f"The IMAP server does not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def deliver(self, *mails: bytes) -> None:
        with self._signed_in() as box:
            for raw in mails:
                box.append("INBOX", None, None, raw)  # type: ignore[arg-type]

    def unseen(self) -> int:
        """How many mails of the inbox nobody has marked as read."""
        with self._signed_in() as box:
            box.select(readonly=True)
            return len(box.search(None, "UNSEEN")[1][0].split())

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, 10) as box:
            if self._options[0] == "--cert":
                box.starttls(ssl.create_default_context(cafile=self._options[1]))
            box.login(self.USER, self.PASSWORD)
            yield box

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), imaplib.IMAP4("127.0.0.1", self.port, 5):
            return True
        return False


def eventually(holds: Callable[[], object], *, seconds: float = 20) -> bool:
    """Whether something that another process brings about holds within a while."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def free_port() -> int:
    """A TCP port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_local(address: object) -> bool:
    """Whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
