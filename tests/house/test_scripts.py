"""The scripts explain themselves, and the try-out's servers keep their promises."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from script.embedded import Child, Postgres, ServerError, Valkey, stop_all
from script.embedded.postgres import APP, OWNER
from script.tryout import folder as tryout_folder
from script.tryout import server
from script.tryout.mailbox import Mailbox
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in (ROOT / "script").iterdir() if path.is_file() and "." not in path.name)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Short, because sockets lie in it; reachable, because PostgreSQL never runs as root."""
    with tempfile.TemporaryDirectory(prefix="qt-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_explains_the_script(script: Path) -> None:
    assert os.access(script, os.X_OK)
    done = subprocess.run([script, "--help"], capture_output=True, text=True, cwd="/", timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith(f"script/{script.name}")


def test_postgres_and_valkey_start_stop_and_start_again(short_folder: Path) -> None:
    postgres, valkey = Postgres(short_folder), Valkey(short_folder)
    try:
        for _start in range(2):
            postgres.start()
            valkey.start()
            roles = postgres.psql(
                "SELECT rolname, rolsuper, rolcreatedb, rolbypassrls FROM pg_roles "
                f"WHERE rolname IN ('{OWNER}', '{APP}') ORDER BY 1"
            )
            assert roles.split() == [f"{APP}|f|f|f", f"{OWNER}|f|t|f"]
            assert postgres.psql("SHOW listen_addresses").strip() == ""
            stop_all([postgres, valkey])
            assert not postgres.running
            assert not valkey.running
    finally:
        stop_all([postgres, valkey])


def test_postgres_refuses_a_cluster_of_another_version(short_folder: Path) -> None:
    postgres = Postgres(short_folder)
    postgres.start()
    postgres.stop()
    version = short_folder / "postgres" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(ServerError, match="made by PostgreSQL 9"):
        postgres.start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from script.embedded import Child\n"
        "child = Child('sleeper', ['sleep', '300'], log=None)\n"
        "print(child.process.pid, flush=True); time.sleep(300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_child_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    child = Child("stubborn", ["sh", "-c", "trap '' TERM; echo ready; sleep 300; sleep 300"], log=tmp_path / "log")
    until = time.monotonic() + 10
    while "ready" not in child.last_lines():
        assert time.monotonic() < until
        time.sleep(0.05)
    child.stop(patience=0.2)
    assert not child.running


def test_the_mailbox_keeps_each_mail_as_a_file(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mails", free_port())
    mailbox.start()
    try:
        with smtplib.SMTP("127.0.0.1", mailbox.port) as client:
            for subject in ("one", "two"):
                client.sendmail("a@demo.test", ["b@demo.test"], f"Subject: {subject}\r\n\r\nHello\r\n")
    finally:
        mailbox.stop()
    mails = [message_from_bytes(path.read_bytes()) for path in sorted((tmp_path / "mails").glob("*.eml"))]
    assert [mail["Subject"] for mail in mails] == ["one", "two"]
    assert mails[0]["X-Recipients"] == "b@demo.test"


@pytest.mark.parametrize("port", ["-5", "99999", "x", "9" * 5000])
def test_a_port_that_is_none_is_refused_in_words(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "script.tryout.server", "--port", port],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "is no port" in done.stderr.splitlines()[-1]


def test_port_0_takes_a_free_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = []
    monkeypatch.setattr(sys, "argv", ["server", "--port", "0"])
    monkeypatch.setattr(server, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(server, "Lock", lambda folder: None)
    monkeypatch.setattr(server.Tryout, "run", lambda self: started.append((self.port, self.url)))
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    assert server.main() == 0
    ((port, url),) = started
    assert 1024 <= port < 65536
    assert url == f"http://localhost:{port}"


def test_keys_stay_the_same_and_are_nobody_elses(tmp_path: Path) -> None:
    first = tryout_folder.keys(tmp_path)
    assert tryout_folder.keys(tmp_path) == first
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_a_data_folder_has_one_server(tmp_path: Path) -> None:
    first, second = tryout_folder.Lock(tmp_path), tryout_folder.Lock(tmp_path)
    first.take("http://localhost:1")
    with pytest.raises(ServerError, match=r"running already: http://localhost:1 \(process \d+\)"):
        second.take("http://localhost:2")
    first.release()
    second.release()


def _alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
