"""`script/server`: PostgreSQL, Valkey, mail, web, worker and scheduler as one family of processes."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from script.embedded import Child, Postgres, ServerError, Valkey, stop_all
from script.embedded.postgres import APP, DATABASE, OWNER
from script.embedded.processes import Stoppable
from script.schema import schema_digest, static_digest
from script.tryout.folder import ROOT, Lock, data_folder, keys
from script.tryout.mailbox import Mailbox

PASSWORD = "Quartier-Demo-1"  # noqa: S105 - of the demo, printed and documented
LOGINS = {
    "operator@demo.test": "runs the installation, sees every tenant",
    "admin@demo.test": "administrator of the managing company",
    "staff@demo.test": "clerk of the managing company",
    "owner@demo.test": "owner of a flat",
    "renter@demo.test": "renter of another flat",
    "stranger@demo.test": "administrator of another company",
}


class Stopped(Exception):
    """Someone asked us to stop."""


class Tryout:
    """The family: started in order, watched, stopped in reverse order."""

    def __init__(self, *, host: str, port: int, empty: bool) -> None:
        self.host, self.port, self.empty = host, port, empty
        self.url = f"http://localhost:{port}"
        self.folder = data_folder()
        self.mails = self.folder / "mails"
        self.static = self.folder / "static"
        self.log = self.folder / "log"
        self.env = dict(os.environ)
        self.started: list[Stoppable] = []
        self.children: list[Child] = []
        self.asked_to_stop = threading.Event()
        self._lock = Lock(self.folder)

    def run(self) -> None:
        """Until someone asks to stop or a child dies."""
        try:
            self._lock.take(self.url)
            self._check_port()
            self._start_servers()
            self._prepare()
            self._start_house()
            self._announce()
            while not self.asked_to_stop.wait(0.5):
                self._check_children()
        finally:
            if self.started:
                print("stopping …", flush=True)
            stop_all(self.started)

    def ask_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self.asked_to_stop.set()

    # --- servers ---------------------------------------------------------------------------------------

    def _start_servers(self) -> None:
        self.env.update(
            {
                "DJANGO_SETTINGS_MODULE": "config.settings.tryout",
                "PYTHONUNBUFFERED": "1",
                "PUBLIC_URL": self.env.get("PUBLIC_URL") or self.url,
                "TRYOUT_STATIC": str(self.static),
            }
        )
        for name, value in keys(self.folder).items():
            self.env.setdefault(name, value)
        if not self.env.get("STORAGE_URL"):
            self.env["STORAGE_URL"] = f"file://{self.folder / 'files'}"
        if not self.env.get("DATABASE_URL"):
            postgres = Postgres(self.folder)
            self.started.append(postgres)
            postgres.start()
            self.children.append(postgres.child)
            self._drop_half_filled(postgres)
            self.env["DATABASE_URL"] = postgres.url(APP)
            self.env["MIGRATION_DATABASE_URL"] = postgres.url(OWNER)
        if not self.env.get("REDIS_URL"):
            valkey = Valkey(self.folder)
            self.started.append(valkey)
            valkey.start()
            self.children.append(valkey.child)
            self.env["REDIS_URL"] = valkey.url
        if not self.env.get("EMAIL_URL"):
            mailbox = Mailbox(self.mails, _free_port())
            mailbox.start()
            self.started.append(mailbox)
            self.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mailbox.port}"
            self.env["TRYOUT_MAILS"] = str(self.mails)

    def _drop_half_filled(self, postgres: Postgres) -> None:
        """A first start that was interrupted is done again from the beginning."""
        if not self._filled.exists():
            postgres.psql(
                f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);\nCREATE DATABASE {DATABASE} OWNER {OWNER};"
            )

    # --- the database's content --------------------------------------------------------------------------

    @property
    def _filled(self) -> Path:
        return self.folder / "filled"

    def _prepare(self) -> None:
        self._migrate()
        self._collect()
        if self._filled.exists():
            if self.empty and self._filled.read_text() != "bootstrap":
                print(f"--empty has no effect: there is data already. `rm -rf {ROOT / '.quartier'}/` starts over.")
            return
        if self.empty:
            self._manage("bootstrap")
        else:
            print("filling the demo …", flush=True)
            self._manage("demo", "--scale", "small", "--seed", "1", quiet=True)
        self._filled.write_text("bootstrap" if self.empty else "demo")

    def _migrate(self) -> None:
        """Only when a migration may be new: looking costs seconds. A server elsewhere is always asked."""
        done = self.folder / "migrated"
        state = schema_digest() if "PostgreSQL" in {child.name for child in self.children} else ""
        if state and self._filled.exists() and done.exists() and done.read_text() == state:
            return
        self._manage("migrate", "--verbosity", "1", quiet=True)
        done.write_text(state)

    def _collect(self) -> None:
        """Only when a static file may be new: compressing costs seconds."""
        done = self.folder / "collected"
        state = static_digest()
        if done.exists() and done.read_text() == state:
            return
        self._manage("collectstatic", "--noinput", "--clear", quiet=True)
        done.write_text(state)

    def _manage(self, command: str, *arguments: str, quiet: bool = False) -> None:
        """One command of `manage.py`; it stops with us when we are asked to stop."""
        child = Child(
            f"manage.py {command}",
            [sys.executable, "manage.py", command, *arguments],
            log=self.log / f"{command}.log" if quiet else None,
            cwd=ROOT,
            env=self.env,
        )
        while child.running:
            if self.asked_to_stop.wait(0.05):
                child.stop()
                raise Stopped
        if child.process.returncode:
            raise ServerError(f"{child.name} failed:\n{child.last_lines(40)}")

    # --- web, worker, scheduler --------------------------------------------------------------------------

    def _start_house(self) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "config"]
        self._start("scheduler", [*celery, "beat", "--schedule", self.folder / "beat-schedule", "--pidfile="])
        alone = ["--without-gossip", "--without-mingle"]
        self._start("worker", [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", *alone])
        web = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{self.host}:{self.port}"]
        web += ["--config", "config/gunicorn.py"]
        self._start("web", web)
        until = time.monotonic() + 60
        while not self._answers():
            self._check_children()
            if time.monotonic() > until:
                raise ServerError(f"The web server does not answer:\n{self.children[-1].last_lines()}")
            if self.asked_to_stop.wait(0.1):
                raise Stopped

    def _start(self, name: str, command: Sequence[str | Path]) -> None:
        child = Child(name, command, log=self.log / f"{name}.log", cwd=ROOT, env=self.env)
        self.children.append(child)
        self.started.append(child)

    def _answers(self) -> bool:
        """Any answer counts: what the house says about itself is for `/readyz`."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def _check_children(self) -> None:
        for child in self.children:
            if not child.running:
                raise ServerError(
                    f"{child.name} ended ({child.process.returncode}). Its last lines, from {child.log}:\n"
                    f"{child.last_lines()}"
                )

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise ServerError(f"Cannot listen on {self.host}:{self.port}: {error.strerror}. Try --port.") from None

    def _announce(self) -> None:
        lines = ["", f"Quartier is running: {self.url}", ""]
        if self._filled.read_text() == "demo":
            lines += [f"  {name:<20} {what}" for name, what in LOGINS.items()]
            lines += [f"  password of all: {PASSWORD}", ""]
        if "TRYOUT_MAILS" in self.env:
            lines += [f"mails:    {self.mails}"]
        lines += [f"logs:     {self.log}", f"data:     {self.folder}", "stop:     Ctrl-C", ""]
        print("\n".join(lines), flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535, or 0 for a free one")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/server", description="Try Quartier out on this machine.")
    parser.add_argument("--port", type=_port, default=8000, help="port of the web server (8000); 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address it listens on (127.0.0.1)")
    parser.add_argument("--empty", action="store_true", help="no demo: operator, organization and its administrator")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        tryout = Tryout(host=options.host, port=options.port or _free_port(), empty=options.empty)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, tryout.ask_to_stop)
        print(f"starting … (data in {tryout.folder})", flush=True)
        tryout.run()
    except Stopped:
        pass
    except ServerError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"stopped after {time.monotonic() - began:.0f} seconds.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
