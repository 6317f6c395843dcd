"""Where a picture was taken is nobody's business: positions leave it before it becomes the file of a ticket (PORTAL-079).

The place is blanked where it stands, so that the picture, its orientation and its length stay as they are. What makers
of cameras write in formats of their own (maker notes) is not looked into.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from core.services import blobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.models import Blob

# Whose metadata is Exif or XMP.
KINDS = frozenset({
    "image/jpeg", "image/png", "image/webp", "image/tiff", "image/heic", "image/heif", "image/avif",
})  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"
_GPS, _EXIF = 0x8825, 0x8769  # tags whose value is the offset of a directory
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes of a value, by type
_ORDERS = ((b"II*\x00", "<"), (b"MM\x00*", ">"))
_JPEG_METADATA = 65_535  # bytes of a segment: its Exif refers to nothing beyond
_DIRECTORIES = 8  # of one Exif block; files of cameras have three
# A property of XMP: as an attribute, or as an element with its text.
_ATTRIBUTE = re.compile(rb""":GPS\w{1,40}\s{0,9}=\s{0,9}(?:"([^"]{0,999})"|'([^']{0,999})')""")
_ELEMENT = re.compile(rb":GPS\w{1,40}(?:\s[^<>]{0,999})?>([^<]{1,999})</")
# Chunks of PNG in which programs keep Exif or XMP as text; compressed, nothing in them can be blanked.
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILES = (b"Raw profile type exif\x00", b"Raw profile type APP1\x00", b"Raw profile type xmp\x00")
_XMP_CHUNK = b"XML:com.adobe.xmp\x00"


def without_position(blob: Blob) -> Blob:
    """Stored bytes that say nothing of a place: the same ones where they never did, else others of this tenant.

    Side effects: those of `blobs.store`; what was stored before stays, for whoever else refers to it.
    """
    if blob.mime not in KINDS:
        return blob
    return blobs.rewritten(blob, lambda data: remove_position(data, blob.mime))


def remove_position(data: bytes, mime: str) -> bytes:
    """The same picture without its position. Damaged metadata are left as they are: no program reads a place in them."""
    if mime == "image/png" and data.startswith(_PNG):
        return _png(data)
    found = bytearray(data)
    _blank_exif(found, _JPEG_METADATA if mime == "image/jpeg" else len(found))
    _blank_xmp(found)
    return bytes(found)


def _png(data: bytes) -> bytes:
    """Chunks carry checksums, so each one is looked into by itself."""
    out, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], bytearray(data[at + 8 : at + 8 + length])
        whole, at = data[at : at + 12 + length], at + 12 + length
        if kind in _TEXT_CHUNKS and (bytes(body).startswith(_PROFILES) or _is_packed_xmp(kind, body)):
            continue
        if kind == b"eXIf":
            _blank_exif(body, len(body))
        elif kind in _TEXT_CHUNKS:
            _blank_xmp(body)
        if body != whole[8 : 8 + length]:
            whole = whole[:8] + bytes(body) + zlib.crc32(kind + body).to_bytes(4, "big")
        out.append(whole)
    return b"".join([*out, data[at:]])


def _is_packed_xmp(kind: bytes, body: bytearray) -> bool:
    start = len(_XMP_CHUNK)
    return kind == b"iTXt" and body.startswith(_XMP_CHUNK) and body[start : start + 1] == b"\x01"


def _blank_xmp(data: bytearray) -> None:
    """Spaces take the place of every coordinate; the packet keeps its length and stays XML."""
    at = data.find(b":GPS")
    while at >= 0:
        for pattern in (_ATTRIBUTE, _ELEMENT):
            found = pattern.match(data, at)
            group = found.lastindex if found else None
            if found and group:
                start, end = found.span(group)
                data[start:end] = b" " * (end - start)
        at = data.find(b":GPS", at + 1)


def _blank_exif(data: bytearray, reach: int) -> None:
    """Exif is a small TIFF file within the picture; in HEIC it lies anywhere. ``reach`` bytes from its start at most."""
    for magic, order in _ORDERS:
        at = data.find(magic)
        while at >= 0:
            _Tiff(data, at, min(len(data), at + reach), order).blank_position()
            at = data.find(magic, at + 1)


class _Tiff:
    """The directories of one Exif block."""

    def __init__(self, data: bytearray, start: int, end: int, order: str) -> None:
        self._data, self._start, self._end, self._order = data, start, end, order

    def blank_position(self) -> None:
        """Take the reference to the directory of the position away, and what it says."""
        waiting, seen = [self._number(4)], set[int]()
        while waiting and len(seen) < _DIRECTORIES:
            directory = waiting.pop(0)
            if not directory or directory in seen:
                continue
            seen.add(directory)
            entries = list(self._entries(directory))
            for at, tag, kind, count in entries:
                if tag == _EXIF and count == 1:
                    waiting.append(self._number(at + 8))
                elif tag == _GPS and count == 1 and kind in (4, 13):
                    self._blank_directory(self._number(at + 8) or 0)
                    self._remove(directory, at)
                    break
            if entries:
                waiting.append(self._number(directory + 2 + 12 * (self._number(directory, "H") or 0)))

    def _number(self, at: int | None, size: str = "I") -> int | None:
        """A number of the file; none where it ends before."""
        if at is None or self._start + at + struct.calcsize(size) > self._end:
            return None
        return int(struct.unpack_from(self._order + size, self._data, self._start + at)[0])

    def _entries(self, directory: int) -> Iterator[tuple[int, int, int, int]]:
        """Place, tag, type and count of each."""
        for number in range(self._number(directory, "H") or 0):
            at = directory + 2 + 12 * number
            if self._number(at + 8) is None:
                return
            yield at, self._number(at, "H") or 0, self._number(at + 2, "H") or 0, self._number(at + 4) or 0

    def _blank_directory(self, directory: int) -> None:
        entries = list(self._entries(directory))
        for at, _tag, kind, count in entries:
            size = _SIZES.get(kind, 1) * count
            if size > 4:
                self._blank(self._number(at + 8) or 0, size)
        if entries:
            self._blank(directory, 2 + 12 * len(entries) + 4)

    def _blank(self, at: int, size: int) -> None:
        start, end = self._start + at, min(self._start + at + size, self._end)
        if at >= 8 and start < end:
            self._data[start:end] = bytes(end - start)

    def _remove(self, directory: int, entry: int) -> None:
        """One entry less: those behind it and the offset of the next directory move up."""
        count = self._number(directory, "H") or 0
        start, end = self._start + entry, self._start + directory + 2 + 12 * count + 4
        end = min(end, self._end)
        self._data[start:end] = self._data[start + 12 : end] + bytes(12)
        struct.pack_into(self._order + "H", self._data, self._start + directory, count - 1)
