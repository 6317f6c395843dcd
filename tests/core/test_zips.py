"""The streamed ZIP: names, failures on the way, and sizes above 4 GiB."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator

import pytest

from core.services import zips

NOW = datetime.datetime(2026, 3, 4, 5, 6, 8, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("Plan.pdf", "Plan.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "_"),
        ("a\\b", "a_b"),
        ("NUL", "_NUL"),
        ("com1.txt", "_com1.txt"),
        ("Comic.txt", "Comic.txt"),
        ("  Punkt. . ", "Punkt"),
        ("rechnung\u202efdp.exe", "rechnungfdp.exe"),
        ("zeile\nzwei", "zeilezwei"),
        ("u\u0308ber", "über"),
        ("x" * 200 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 200, "x" * 120),
    ],
)
def test_names_are_safe_everywhere(given: str, safe: str) -> None:
    assert zips.safe_name(given) == safe


def test_a_name_is_given_once_whatever_its_case() -> None:
    names = zips.Names("manifest.csv")
    given = [names.give(n) for n in ("a.txt", "A.txt", "a (2).txt", "a.txt", "Manifest.csv", "b", "b")]
    assert given == ["a.txt", "A (2).txt", "a (2) (2).txt", "a (3).txt", "Manifest (2).csv", "b", "b (2)"]


def test_a_content_that_fails_ends_there_and_the_archive_is_whole() -> None:
    def failing() -> Iterator[bytes]:
        yield b"halb"
        raise OSError("gone")

    packed = zips.Zip()
    out = b"".join(packed.add("a.txt", iter([b"ganz"]), moment=NOW))
    sent = packed.add("b.txt", failing(), moment=NOW)
    pieces = []
    with pytest.raises(OSError, match="gone"):
        for piece in sent:
            pieces.append(piece)  # noqa: PERF402 - what came before the failure counts
    out += b"".join(pieces) + b"".join(packed.add("c.txt", iter([b"auch"]), moment=NOW)) + b"".join(packed.close())
    archive = zipfile.ZipFile(io.BytesIO(out))
    assert archive.testzip() is None
    assert {n: archive.read(n) for n in archive.namelist()} == {"a.txt": b"ganz", "b.txt": b"halb", "c.txt": b"auch"}
    assert archive.getinfo("a.txt").date_time == (2026, 3, 4, 5, 6, 8)


def test_entries_and_archives_above_four_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held against small limits: a real one would take minutes."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(zips, "_BIG", 500)
    packed, out = zips.Zip(), b""
    for n in range(3):
        out += b"".join(packed.add(f"{n}", iter([b"x" * 2000]), moment=NOW, size=2000))
    out += b"".join(packed.close())
    assert b"PK\x06\x06" in out  # the end record of ZIP64
    archive = zipfile.ZipFile(io.BytesIO(out))
    assert archive.testzip() is None and [i.file_size for i in archive.infolist()] == [2000] * 3
