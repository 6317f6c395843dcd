"""What bytes are, told from the bytes. Neither the name nor the caller's word decides."""

from __future__ import annotations

import re
import warnings
from typing import IO

import puremagic
from PIL import Image

HEAD = 64 * 1024  # bytes that are looked at
_DIRECTORY_MAX = 4 * 1024 * 1024  # bytes of a ZIP directory that are read
OCTETS = "application/octet-stream"
_OOXML = "application/vnd.openxmlformats-officedocument."

# Pictures of more than 89 million pixels are refused instead of being announced in a log.
warnings.simplefilter("error", Image.DecompressionBombWarning)

PICTURES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
}
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"\x7fELF", "application/x-executable"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
)
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"msf1": "image/heif", b"avif": "image/avif",
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4",
}  # fmt: skip
_TEXT_STARTS = (
    (re.compile(rb"<(!doctype html|html|head|body|script|iframe)\b", re.IGNORECASE), "text/html"),
    (
        re.compile(rb"(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*<svg\b", re.IGNORECASE | re.DOTALL),
        "image/svg+xml",
    ),
    (re.compile(rb"<\?xml\b", re.IGNORECASE), "text/xml"),
    (re.compile(rb"BEGIN:VCALENDAR\b", re.IGNORECASE), "text/calendar"),
    (re.compile(rb"BEGIN:VCARD\b", re.IGNORECASE), "text/vcard"),
)
# Text has no mark of its kind: among these harmless ones the caller may say which it is.
_TEXT_KINDS = frozenset(
    {"text/csv", "text/markdown", "text/tab-separated-values", "application/json", "message/rfc822"}
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(file: IO[bytes], declared: str = "") -> str:
    """The media type of a seekable file, ``application/octet-stream`` when nothing tells.

    ``declared`` only names the kind of what is plain text anyway.
    """
    file.seek(0)
    head = file.read(HEAD)
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    for start, mime in _STARTS:
        if head.startswith(start):
            return mime
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(file, head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(file, head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    text = _text(head)
    if text:
        return declared if text == "text/plain" and declared in _TEXT_KINDS else text
    if head.startswith(b"MZ"):
        return "application/x-msdownload"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "image/bmp"
    return _by_table(head)


def dimensions(file: IO[bytes], mime: str) -> tuple[int | None, int | None]:
    """Width and height in pixels as shown (orientation applied); none for what is no picture or is damaged.

    Reads headers only: a decompression bomb is not unpacked.
    """
    if mime not in PICTURES:
        return None, None
    file.seek(0)
    try:
        with Image.open(file, formats=[PICTURES[mime]]) as picture:
            width, height = picture.size
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except Exception:
        return None, None
    return (height, width) if turned else (width, height)


def _zip(file: IO[bytes], head: bytes) -> str:
    """Office documents are ZIP files: OpenDocument says so at the start, Microsoft's by the names inside."""
    if head[30:38] == b"mimetype":
        size = int.from_bytes(head[22:26], "little")
        found = head[38 : 38 + min(size, 100)]
        if re.fullmatch(rb"application/(vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip)", found):
            return found.decode()
    end = file.seek(0, 2)
    file.seek(max(0, end - 66_000))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 20:
        return "application/zip"
    size, start = (int.from_bytes(tail[at + i : at + i + 4], "little") for i in (12, 16))
    if size > _DIRECTORY_MAX or start + size > end:
        return "application/zip"
    file.seek(start)
    names = file.read(size)
    if b"[Content_Types].xml" in names:
        macros = b"vbaProject.bin" in names
        for name, plain, macro in (
            (b"word/document.xml", "wordprocessingml.document", "application/vnd.ms-word.document.macroEnabled.12"),
            (b"xl/workbook.", "spreadsheetml.sheet", "application/vnd.ms-excel.sheet.macroEnabled.12"),
            (b"ppt/presentation.xml", "presentationml.presentation",
             "application/vnd.ms-powerpoint.presentation.macroEnabled.12"),
        ):  # fmt: skip
            if name in names:
                return macro if macros else _OOXML + plain
    return "application/zip"


def _ole(file: IO[bytes], head: bytes) -> str:
    """The older Office formats, told by the directory of the container."""
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
    directory = file.read(4096)
    for name, mime in (
        ("WordDocument", "application/msword"),
        ("Workbook", "application/vnd.ms-excel"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint"),
        ("__properties_version1.0", "application/vnd.ms-outlook"),
    ):
        if name.encode("utf-16-le") in directory:
            return mime
    return "application/x-ole-storage"


def _text(head: bytes) -> str:
    """The kind of text, or nothing when these bytes are no text in UTF-8, UTF-16 with mark or Windows-1252."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text/plain"
    if _CONTROLS.search(head):
        return ""
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, mime in _TEXT_STARTS:
        if pattern.match(plain):
            return mime
    if plain and _is_utf8(head):
        return "text/plain"
    foreign = sum(byte >= 0x80 for byte in head)
    return "text/plain" if foreign * 3 < len(head) else ""


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == HEAD  # a letter that the sample cut in two
    return True


def _by_table(head: bytes) -> str:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError, IndexError):
        return OCTETS
    mime = next((match.mime_type for match in found if match.mime_type), "")
    return mime if re.fullmatch(r"[a-z]+/[\w.+-]{1,100}", mime) else OCTETS
