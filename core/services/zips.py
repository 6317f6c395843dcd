"""A ZIP that is sent while it is written: flat memory, no file of the whole, as large as it gets (ZIP64)."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

SEGMENT_MAX = 120  # characters of one name within a path: Windows allows 260 in all
# What Windows, the strictest of those who unpack, allows in no name, and the devices it takes for no file.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"^(CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(\.|$)", re.IGNORECASE)
# Direction and zero-width marks, in which a name can lie about its extension.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_BIG = 2**30  # bytes; well below 4 GiB: from here on an entry says that it is ZIP64, before its size is known


def safe_name(name: str) -> str:
    """A name that every system can unpack, and that leads nowhere else than below the folder it is unpacked in."""
    text = unicodedata.normalize("NFC", name)
    text = "".join(letter for letter in text if unicodedata.category(letter) not in _UNSEEN)
    text = _FORBIDDEN.sub("_", text).strip().rstrip(". ")
    if not text.strip("."):
        return "_"
    if _DEVICES.match(text):
        text = f"_{text}"
    if len(text) <= SEGMENT_MAX:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension) > 20:
        return text[:SEGMENT_MAX].rstrip(". ")
    return stem[: SEGMENT_MAX - len(extension) - 1].rstrip(". ") + dot + extension


class Names:
    """The names of one folder: each is given once, whatever case the systems tell apart."""

    def __init__(self, *taken: str) -> None:
        self._taken = {name.casefold() for name in taken}
        self._last: dict[str, int] = {}  # so that a thousand equal names do not try a thousand numbers each

    def give(self, wanted: str) -> str:
        """The name, made safe, with a number in brackets when it is taken."""
        name = safe_name(wanted)
        key = name.casefold()
        stem, dot, extension = name.rpartition(".")
        if not stem:
            stem, dot, extension = name, "", ""
        number = self._last.get(key, 1)
        free = name
        while free.casefold() in self._taken:
            number += 1
            free = f"{stem} ({number}){dot}{extension}"
        self._last[key] = number
        self._taken.add(free.casefold())
        return free


class _Sent(io.RawIOBase):
    """What `zipfile` writes to and nobody can go back in: it then puts checksum and sizes behind each content."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


class Zip:
    """The archive as the pieces to send: `add` entries one after the other, then `close`; each yields bytes.

    Contents are stored as they are: papers are compressed already. What stays in memory is the directory, some hundred
    bytes for each entry.
    """

    def __init__(self) -> None:
        self._sent = _Sent()
        self._zip = zipfile.ZipFile(self._sent, "w", zipfile.ZIP_STORED)

    def add(
        self, name: str, content: Iterable[bytes], *, moment: datetime.datetime, size: int | None = None
    ) -> Iterator[bytes]:
        """One entry. ``size`` in bytes is at least that of the content; it may be left out for small ones.

        When the content fails, the entry ends there, the archive stays whole, and the failure is raised.
        """
        year = min(max(moment.year, 1980), 2107)  # what the format can say
        entry = zipfile.ZipInfo(name, (year, *moment.timetuple()[1:6]))
        entry.external_attr = 0o644 << 16
        with self._zip.open(entry, "w", force_zip64=(size or 0) >= _BIG) as file:
            for chunk in content:
                file.write(chunk)
                yield self._sent.take()
        yield self._sent.take()

    def close(self) -> Iterator[bytes]:
        """The directory, which makes it an archive."""
        self._zip.close()
        yield self._sent.take()
