"""The type comes from the bytes, whatever the name and the caller say."""

from __future__ import annotations

import io

import pytest

from core.errors import Invalid
from core.services.blobs import clean_filename
from core.services.sniff import dimensions, sniff
from tests.core.material import archive, docx, pdf, picture


def kind(content: bytes, declared: str = "") -> str:
    return sniff(io.BytesIO(content), declared)


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (pdf(), "application/pdf"),
        (b"\n\n junk before\n" + pdf(), "application/pdf"),
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("GIF"), "image/gif"),
        (picture("WEBP"), "image/webp"),
        (picture("TIFF"), "image/tiff"),
        (picture("BMP"), "image/bmp"),
        (docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (archive(notes=b"plain"), "application/zip"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(20), "image/heic"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(20), "video/mp4"),
        ("Sehr geehrte Frau Müller".encode(), "text/plain"),
        ("Sehr geehrte Frau Müller".encode("cp1252"), "text/plain"),
        ("Grüße".encode("utf-16"), "text/plain"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        (b"\xef\xbb\xbf  <HTML><body>", "text/html"),
        (b'<?xml version="1.0"?>\n<svg onload="alert(1)"/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><rechnung/>', "text/xml"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0", "text/calendar"),
        (b"{\\rtf1 Text}", "application/rtf"),
        (b"MZ\x90\x00" + bytes(100), "application/x-msdownload"),
        (bytes(range(256)) * 4, "application/octet-stream"),
        (b"\x00", "application/octet-stream"),
    ],
)
def test_types_are_told_from_content(content: bytes, mime: str) -> None:
    assert kind(content) == mime


def test_opendocument_names_itself() -> None:
    content = archive(mimetype=b"application/vnd.oasis.opendocument.text", content_xml=b"<x/>")
    assert kind(content) == "application/vnd.oasis.opendocument.text"


def test_a_word_file_with_macros_is_told_apart() -> None:
    import zipfile

    out = io.BytesIO(docx())
    with zipfile.ZipFile(out, "a") as file:
        file.writestr("word/vbaProject.bin", b"\x00")
    assert kind(out.getvalue()) == "application/vnd.ms-word.document.macroEnabled.12"


def test_old_office_files_are_told_by_their_directory() -> None:
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[30:32] = (9).to_bytes(2, "little")
    directory = "Root Entry".encode("utf-16-le").ljust(128, b"\0") + "Workbook".encode("utf-16-le").ljust(128, b"\0")
    assert kind(bytes(header) + directory) == "application/vnd.ms-excel"


def test_the_caller_may_say_which_text_it_is() -> None:
    assert kind(b"a;b\n1;2\n", "text/csv") == "text/csv"


@pytest.mark.parametrize("declared", ["text/html", "application/pdf", "image/svg+xml", "application/javascript"])
def test_the_caller_cannot_turn_text_into_something_active(declared: str) -> None:
    assert kind(b"alert(1)", declared) == "text/plain"


def test_the_caller_cannot_hide_a_page_as_csv() -> None:
    assert kind(b"<html><script>alert(1)</script>", "text/csv") == "text/html"


def test_a_letter_cut_by_the_sample_is_still_text() -> None:
    assert kind(b"x" * (64 * 1024 - 1) + "ä".encode() + b"tail") == "text/plain"


def test_dimensions_follow_the_orientation() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    content = picture("JPEG", (40, 30), exif=exif)
    assert dimensions(io.BytesIO(content), "image/jpeg") == (30, 40)


def test_a_damaged_picture_has_no_dimensions() -> None:
    assert dimensions(io.BytesIO(picture("PNG")[:20]), "image/png") == (None, None)


def test_a_decompression_bomb_is_not_measured() -> None:
    content = bytearray(picture("BMP", (10, 10)))
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    assert dimensions(io.BytesIO(bytes(content)), "image/bmp") == (None, None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Plan.pdf", "Plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\Windows\\system.ini", "system.ini"),
        ("C:\\Users\\mira\\Plan.pdf", "Plan.pdf"),
        ("C:Plan.pdf", "C:Plan.pdf"),
        ("/abs/Plan.pdf", "Plan.pdf"),
        ("Pla\x1bn\r\n.pdf", "Plan.pdf"),
        ("Gru\u0308n.pdf", "Grün.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("  Plan.pdf. ", "Plan.pdf"),
        ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
        ("b" * 300, "b" * 255),
    ],
)
def test_names_are_cleaned(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


@pytest.mark.parametrize("given", ["", "..", "a/..", "folder/", "Plan\x00.pdf", "\udcff.pdf", "\x1b", " . "])
def test_impossible_names_are_refused_with_the_field(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_filename(given, field="title")
    assert refused.value.code == "invalid_filename"
    assert list(refused.value.fields) == ["title"]
