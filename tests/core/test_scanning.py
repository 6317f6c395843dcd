"""The hook for a virus scanner, on a real one: without its word nothing leaves, whatever it does."""

from __future__ import annotations

import datetime
import io
import re
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core import tasks
from core.errors import BeingChecked, Held
from core.models import AuditEntry, Blob, JobRun, SystemLog
from core.services import blobs, previews, scanning
from core.signals import blob_cleared
from core.storage import blob_name, storage
from script.embedded.clamd import EICAR, MIB, Clamd
from tests.core.material import archive, pdf, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test import Client

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}"


@pytest.fixture
def cleared() -> Iterator[list[int]]:
    """The blobs of which the floors above were told that they may leave."""
    told: list[int] = []

    def listen(sender: Any, *, blob: Blob, **_: Any) -> None:
        told.append(blob.pk)

    blob_cleared.connect(listen)
    yield told
    blob_cleared.disconnect(listen)


def wait(blob: Blob) -> None:
    """It has waited long enough for the job."""
    Blob.objects.filter(pk=blob.pk).update(updated_at=timezone.now() - datetime.timedelta(minutes=2))


def state_of(blob: Blob) -> str:
    return Blob.objects.get(pk=blob.pk).scan


def is_held(blob: Blob) -> bool:
    """Whether its bytes are neither handed out nor read."""
    fresh = Blob.objects.get(pk=blob.pk)
    try:
        blobs.require_deliverable(fresh)
    except (BeingChecked, Held):
        with pytest.raises((BeingChecked, Held)):
            blobs.open_blob(fresh)
        assert not Blob.objects.deliverable().filter(pk=blob.pk).exists()
        return True
    blobs.open_blob(fresh).close()
    return False


# --- Without a scanner ------------------------------------------------------------------------------------


class TestNoScanner:
    def test_nothing_is_scanned_and_nothing_is_held(self) -> None:
        blob = stored(pdf(), None)
        assert blob.scan == "skipped"
        assert not is_held(blob)
        assert scanning.scan_blob(blob.pk) == "skipped"
        assert scanning.catch_up() == {"scanned": 0, "held": 0}

    def test_taking_the_scanner_away_lets_nothing_go(self, clamd: Clamd, settings: Any) -> None:
        blob = stored(pdf(), None)
        settings.CLAMAV_URL = ""
        wait(blob)
        assert scanning.scan_blob(blob.pk) == "pending"
        scanning.catch_up()
        assert is_held(blob)


# --- With one ---------------------------------------------------------------------------------------------


class TestVerdicts:
    def test_a_new_file_is_held_until_it_is_clean(self, clamd: Clamd, cleared: list[int]) -> None:
        blob = stored(pdf(), None)
        assert blob.scan == "pending"
        assert is_held(blob)
        assert scanning.scan_blob(blob.pk) == "clean"
        assert not is_held(blob)
        assert cleared == [blob.pk]

    @pytest.mark.parametrize(
        "content", [EICAR, b"%PDF-1.4\n" + EICAR, archive(brief=EICAR)], ids=["bare", "pdf", "zip"]
    )
    def test_malware_is_held_for_good(self, clamd: Clamd, cleared: list[int], content: bytes) -> None:
        blob = stored(content, None)
        assert scanning.scan_blob(blob.pk) == "infected"
        assert is_held(blob)
        assert cleared == []

    def test_malware_is_audited_and_told_to_the_operator(self, clamd: Clamd) -> None:
        blob = stored(EICAR, None)
        scanning.scan_blob(blob.pk)
        entry = AuditEntry.objects.get(object_type="core.blob", verb="malware_found")
        assert (entry.object_id, entry.changes) == (str(blob.pk), {"name": [None, "Eicar-Test-Signature.UNOFFICIAL"]})
        told = SystemLog.objects.get()
        assert (told.category, told.action) == ("docms.scan_document", f"blob {blob.pk}: infected")
        assert "Eicar" in told.stacktrace

    def test_scanning_twice_changes_nothing(self, clamd: Clamd, cleared: list[int]) -> None:
        blob = stored(EICAR, None)
        for _ in range(2):
            assert scanning.scan_blob(blob.pk) == "infected"
        assert SystemLog.objects.count() == 1

    def test_malware_in_the_last_bytes_of_a_big_file_is_found(self, clamd: Clamd) -> None:
        blob = stored(bytes(3 * MIB) + EICAR, None)
        assert scanning.scan_blob(blob.pk) == "infected"

    def test_the_same_malware_again_is_held_at_once(self, clamd: Clamd) -> None:
        scanning.scan_blob(stored(EICAR, None).pk)
        assert stored(EICAR, None).scan == "infected"

    def test_what_was_found_clean_is_not_held_again(self, clamd: Clamd) -> None:
        scanning.scan_blob(stored(pdf("gleich"), None).pk)
        assert stored(pdf("gleich"), None).scan in ("clean", "pending")
        content = b"gleich"
        scanning.scan_blob(stored(content, None).pk)
        assert stored(content, None).scan == "clean"

    def test_what_came_before_the_scanner_is_scanned_when_it_comes_again(self, settings: Any, clamd: Clamd) -> None:
        url, settings.CLAMAV_URL = settings.CLAMAV_URL, ""
        blob = stored(EICAR, None)
        assert blob.scan == "skipped"
        settings.CLAMAV_URL = url
        assert stored(EICAR, None).scan == "pending"
        assert scanning.scan_blob(blob.pk) == "infected"

    def test_a_healed_file_is_scanned(self, settings: Any, clamd: Clamd) -> None:
        url, settings.CLAMAV_URL = settings.CLAMAV_URL, ""
        blob = stored(b"Haus", None)
        storage().delete(blob_name(blob.storage_key))
        settings.CLAMAV_URL = url
        assert stored(b"Haus", None).scan == "pending"

    def test_no_parser_touches_what_is_held(self, clamd: Clamd) -> None:
        blob = stored(pdf(), None)
        assert previews.make_preview(blob.pk) == "pending"
        Blob.objects.filter(pk=blob.pk).update(created_at=timezone.now() - datetime.timedelta(hours=1))
        assert previews.catch_up() == {"previews": 0}
        scanning.scan_blob(blob.pk)
        assert previews.make_preview(blob.pk) == "ready"

    def test_a_lost_object_is_no_verdict(self, clamd: Clamd) -> None:
        blob = stored(b"Haus", None)
        storage().delete(blob_name(blob.storage_key))
        tasks.scan_document(blob.pk)
        assert is_held(blob)

    def test_a_row_that_is_gone_is_no_error(self, clamd: Clamd) -> None:
        tasks.scan_document(4711)


class TestTooLarge:
    def test_what_the_setting_excludes_is_never_clean(self, clamd: Clamd, settings: Any) -> None:
        settings.CLAMAV_LIMIT = 1000
        blob = stored(bytes(1001), None)
        assert scanning.scan_blob(blob.pk) == "too_large"
        assert is_held(blob)
        assert "1001 bytes" in SystemLog.objects.get().stacktrace

    @pytest.mark.parametrize("more", [1, 8 * MIB], ids=["a byte", "a lot"])
    def test_what_the_scanner_refuses_is_never_clean(self, clamd: Clamd, more: int) -> None:
        blob = stored(bytes(clamd.limit + more), None)
        assert scanning.scan_blob(blob.pk) == "too_large"
        assert is_held(blob)

    def test_what_is_as_large_as_the_limit_is_scanned(self, clamd: Clamd, settings: Any) -> None:
        settings.CLAMAV_LIMIT = 1000
        assert scanning.scan_blob(stored(bytes(1000), None).pk) == "clean"

    def test_the_operator_releases_it(self, clamd: Clamd, settings: Any, cleared: list[int]) -> None:
        settings.CLAMAV_LIMIT = 1000
        blob = stored(bytes(1001), None)
        scanning.scan_blob(blob.pk)
        call_command("scan_blobs", "--release", str(blob.pk))
        assert not is_held(blob)
        assert cleared == [blob.pk]
        assert AuditEntry.objects.filter(object_id=str(blob.pk), verb="released").count() == 1

    def test_a_higher_limit_has_it_scanned(self, clamd: Clamd, settings: Any) -> None:
        settings.CLAMAV_LIMIT = 1000
        blob = stored(bytes(1001), None)
        scanning.scan_blob(blob.pk)
        settings.CLAMAV_LIMIT = 2000
        call_command("scan_blobs", "--held")
        assert scanning.scan_blob(blob.pk) == "clean"


# --- A scanner that is down -------------------------------------------------------------------------------


class TestDown:
    def test_files_wait_and_are_scanned_when_it_is_back(self, clamd: Clamd, cleared: list[int]) -> None:
        clamd.stop()
        good, bad = stored(pdf(), None), stored(EICAR, None)
        for blob in (good, bad):
            tasks.scan_document(blob.pk)
            assert is_held(blob)
            wait(blob)
        tasks.catch_up_scans()
        assert JobRun.objects.get(name="core.catch_up_scans").counts == {"scanned": 0, "held": 1}  # it asked once
        clamd.start()
        for blob in (good, bad):
            wait(blob)
        assert scanning.catch_up() == {"scanned": 2, "held": 0}
        assert (state_of(good), state_of(bad), cleared) == ("clean", "infected", [good.pk])

    def test_the_system_log_hears_of_it_once(self, clamd: Clamd) -> None:
        clamd.stop()
        blob = stored(pdf(), None)
        for _ in range(3):
            wait(blob)
            scanning.catch_up()
        told = SystemLog.objects.get()
        assert (told.category, told.action) == ("docms.scan_document", "held")
        assert "no answer" in told.stacktrace

    def test_the_job_leaves_young_ones_to_the_worker(self, clamd: Clamd) -> None:
        stored(pdf(), None)
        assert scanning.catch_up() == {"scanned": 0, "held": 0}

    def test_a_file_at_which_it_dies_holds_up_no_other(self, clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
        poison, good = stored(b"poison", None), stored(pdf(), None)
        wait(good)
        Blob.objects.filter(pk=poison.pk).update(updated_at=timezone.now() - datetime.timedelta(hours=1))
        whole = scanning._Daemon.look_at

        def look_at(self: Any, chunks: Any) -> tuple[str, str]:
            content = list(chunks)
            if content == [b"poison"]:
                clamd.kill()
            return whole(self, content)

        monkeypatch.setattr(scanning._Daemon, "look_at", look_at)
        assert scanning.catch_up() == {"scanned": 0, "held": 1}
        clamd.start()
        assert scanning.catch_up() == {"scanned": 1, "held": 0}
        assert (state_of(poison), state_of(good)) == ("pending", "clean")

    def test_killed_while_it_reads_it_has_said_nothing(self, clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
        blob = stored(bytes(2 * MIB) + EICAR, None)
        stream = storage().backend.stream

        def dying(name: str, start: int, length: int) -> Iterator[bytes]:
            for number, chunk in enumerate(stream(name, start, length)):
                if number == 3:
                    clamd.kill()
                yield chunk

        monkeypatch.setattr(storage().backend, "stream", dying)
        with pytest.raises(scanning.ScannerDown):
            scanning.scan_blob(blob.pk)
        assert is_held(blob)
        monkeypatch.undo()
        clamd.start()
        assert scanning.scan_blob(blob.pk) == "infected"

    def test_readyz_names_it(self, client: Client, clamd: Clamd) -> None:
        assert client.get("/readyz").json()["checks"]["scanner"] == "ok"
        clamd.stop()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["scanner"].startswith("failed: ScannerDown: no answer")


@contextmanager
def scanner(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A socket behind which something else than a scanner answers; the address for CLAMAV_URL."""

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def says(text: bytes) -> Callable[[socket.socket], None]:
    """It hears everything and then says that."""

    def answer(connection: socket.socket) -> None:
        connection.settimeout(5)
        heard = b""
        while not heard.endswith(b"\0\0\0\0"):
            if not (chunk := connection.recv(65536)):
                return
            heard += chunk
        connection.sendall(text)

    return answer


class TestNonsense:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"stream: OK or so\n",
            b"OK\n",
            b"stream: FOUND OK maybe\n",
            b"stream: read failed ERROR\n",
            b"\xff\xfe\xfd\n",
            b"x" * 100_000,
        ],
    )
    def test_what_is_no_verdict_lets_nothing_go(self, settings: Any, text: bytes) -> None:
        with scanner(says(text)) as settings.CLAMAV_URL:
            blob = stored(b"Haus", None)
            with pytest.raises(scanning.ScannerDown):
                scanning.scan_blob(blob.pk)
            assert is_held(blob)

    def test_the_verdict_of_a_real_answer_is_taken(self, settings: Any) -> None:
        """The socket of these tests would be heard, if it spoke."""
        with scanner(says(b"stream: OK\n")) as settings.CLAMAV_URL:
            assert scanning.scan_blob(stored(b"Haus", None).pk) == "clean"

    @pytest.mark.parametrize("ends", ["MaxFileSize", "MaxScanSize"])
    def test_a_file_that_was_not_read_to_its_end_is_too_large(self, settings: Any, ends: str) -> None:
        reply = f"stream: Heuristics.Limits.Exceeded.{ends} FOUND\n".encode()
        with scanner(says(reply)) as settings.CLAMAV_URL:
            assert scanning.scan_blob(stored(b"Haus", None).pk) == "too_large"

    def test_silence_is_borne_for_a_while_only(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scanning, "PATIENCE", 0.5)
        hang = threading.Event()
        with scanner(lambda connection: hang.wait(10) and None) as settings.CLAMAV_URL:
            blob = stored(b"Haus", None)
            before = time.monotonic()
            with pytest.raises(scanning.ScannerDown):
                scanning.scan_blob(blob.pk)
            assert time.monotonic() - before < 5
            assert is_held(blob)
            hang.set()

    def test_a_line_that_is_not_taken_is_given_up(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A socket whose queue is full: connecting would wait for ever."""
        monkeypatch.setattr(scanning, "CONNECT", 0.3)
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(0)
            waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(str(path))
            settings.CLAMAV_URL = f"unix://{path}"
            with pytest.raises(scanning.ScannerDown):
                scanning.ping()
            for one in waiting:
                one.close()


# --- The operator -----------------------------------------------------------------------------------------


class TestCommand:
    def test_old_files_are_scanned_on_demand(self, settings: Any, clamd: Clamd, capsys: Any) -> None:
        url, settings.CLAMAV_URL = settings.CLAMAV_URL, ""
        good, bad = stored(pdf(), None), stored(EICAR, None)
        settings.CLAMAV_URL = url
        call_command("scan_blobs", "--skipped")
        assert capsys.readouterr().out == "2 files wait for the scanner\n"
        assert is_held(good) and is_held(bad)
        for blob in (good, bad):
            scanning.scan_blob(blob.pk)
        assert (state_of(good), state_of(bad)) == ("clean", "infected")

    def test_without_a_scanner_nothing_is_held(self, settings: Any) -> None:
        blob = stored(pdf(), None)
        with pytest.raises(CommandError, match="CLAMAV_URL: no scanner is named"):
            call_command("scan_blobs", "--skipped")
        assert not is_held(blob)

    @pytest.mark.parametrize(("content", "word"), [(EICAR, "infected"), (b"Haus", "clean")])
    def test_only_what_waits_or_is_too_large_is_released(self, clamd: Clamd, content: bytes, word: str) -> None:
        blob = stored(content, None)
        scanning.scan_blob(blob.pk)
        with pytest.raises(CommandError, match=word):
            call_command("scan_blobs", "--release", str(blob.pk))
        assert state_of(blob) == word

    def test_an_unknown_one_is_named(self) -> None:
        with pytest.raises(CommandError, match="blob 4711"):
            call_command("scan_blobs", "--release", "4711")


# --- The gate ---------------------------------------------------------------------------------------------


def test_nothing_reads_stored_bytes_past_the_gate() -> None:
    """Where objects are opened by name: the gate itself, the scanner, and what has asked before."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal", "config")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bblob_name\(|\bpreview_name\(|\.storage_key\b", path.read_text(encoding="utf-8"))
    }
    assert readers == {
        "core/storage.py",
        "core/services/blobs.py",
        "core/services/delivery.py",  # deliver() and deliver_preview() ask first
        "core/services/previews.py",  # leaves alone what is held
        "core/services/scanning.py",
        "core/services/sweeps.py",  # removes only
        "docms/services/archive.py",  # asks open_for_archive() first
        "orgs/services/avatars.py",  # an address; open_blob() answers it
        "docms/services/opening.py",  # finds nothing that is held; what it finds goes through deliver()
    }


def test_every_state_is_either_held_or_free() -> None:
    free = {"clean", "skipped"}
    assert {state.value for state in Blob.HELD} == set(Blob.Scan.values) - free
    for state in Blob.Scan.values:
        blob = blobs.store(io.BytesIO(state.encode()), tenant_id=None, limit=100)
        Blob.objects.filter(pk=blob.pk).update(scan=state)
        assert is_held(blob) == (state not in free)
        assert bool(blobs.held_because(Blob.objects.get(pk=blob.pk))) == (state not in free)
