"""Files of a form: written and hashed while they come, and gone with a request that stores nothing."""

from __future__ import annotations

import gc
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.http.multipartparser import MultiPartParser

from core import disk, storage
from core.arriving import ArrivedFile, ArrivingFiles
from core.errors import TooLarge
from core.services import blobs

CONTENT = b"%PDF-1.4 " + b"x" * 600_000


def parsed(body: bytes) -> ArrivedFile:
    meta = {"CONTENT_TYPE": "multipart/form-data; boundary=haus", "CONTENT_LENGTH": str(len(body))}
    _fields, files = MultiPartParser(meta, io.BytesIO(body), [ArrivingFiles()]).parse()
    found: Any = files["content"]
    assert isinstance(found, ArrivedFile)
    return found


def form(content: bytes) -> bytes:
    head = b'--haus\r\nContent-Disposition: form-data; name="content"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    return head + content + b"\r\n--haus--\r\n"


@pytest.fixture
def waiting(settings: Any, tmp_path: Path) -> Path:
    """Where files lie that have no name yet."""
    settings.STORAGE_URL = f"file://{tmp_path}"
    return tmp_path / "tmp"


def test_a_file_is_hashed_and_lies_where_bytes_lie(waiting: Path) -> None:
    arrived = parsed(form(CONTENT))
    assert (arrived.name, arrived.size, arrived.content_type) == ("a.pdf", len(CONTENT), "application/pdf")
    assert arrived.sha256 == hashlib.sha256(CONTENT).digest()
    assert [path.stat().st_size for path in waiting.iterdir()] == [len(CONTENT)]
    assert b"".join(arrived.chunks()) == CONTENT


def test_it_is_stored_without_being_copied(waiting: Path, db: None) -> None:
    arrived = parsed(form(CONTENT))
    (path,) = waiting.iterdir()
    inode = path.stat().st_ino
    blob = blobs.store(arrived, tenant_id=None, limit=10**6)
    arrived.close()
    (stored,) = (found for found in (waiting.parent / "blobs").rglob("*") if found.is_file())
    assert (stored.stat().st_ino, stored.read_bytes()) == (inode, CONTENT)
    assert (bytes(blob.sha256), blob.size, blob.mime) == (
        hashlib.sha256(CONTENT).digest(),
        len(CONTENT),
        "application/pdf",
    )
    assert not list(waiting.iterdir())


def test_what_is_too_large_is_not_stored(waiting: Path, db: None) -> None:
    with pytest.raises(TooLarge):
        blobs.store(parsed(form(CONTENT)), tenant_id=None, limit=len(CONTENT) - 1)
    assert not list(waiting.iterdir())


def test_what_nobody_stores_goes(waiting: Path) -> None:
    parsed(form(CONTENT)).close()
    assert not list(waiting.iterdir())


def test_half_a_file_goes(waiting: Path) -> None:
    handler = ArrivingFiles()
    handler.new_file("content", "a.pdf", "application/pdf", None)
    handler.receive_data_chunk(b"half", 0)
    assert len(list(waiting.iterdir())) == 1
    del handler
    gc.collect()
    assert not list(waiting.iterdir())


def test_the_disk_begins_to_write_while_more_comes(waiting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def fdatasync(opened: int) -> None:
        written.append(os.fstat(opened).st_size)
        raise OSError(5, "Input/output error")  # which the writer hears of when it waits for the disk itself

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(disk, "EARLY", 300_000)
    temp = storage.storage().begin()
    temp.write(b"x" * 200_000)
    assert temp._hurrying is None
    temp.write(b"x" * 200_000)
    assert temp._hurrying is not None
    temp._hurrying.join()
    temp.write(b"x" * 50_000)
    storage.storage().commit(temp, "blobs/aa/bb/name")
    assert written == [400_000]
    assert storage.storage().size("blobs/aa/bb/name") == 450_000
