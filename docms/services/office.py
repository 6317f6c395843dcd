"""The text of Office files: Word, Excel, PowerPoint and OpenDocument, which are ZIP files of XML.

Written by strangers, so everything is bounded: the file, its directory, each part by the bytes that really come out,
the text. XML is read as a stream, entities and document types are refused.
"""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_external_ges

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.expatreader import create_parser  # type: ignore[import-untyped]

FILE_MAX = 100 * 1024 * 1024  # bytes of a file that is looked into
DIRECTORY_MAX = 4 * 1024 * 1024  # bytes of its directory
UNPACKED_MAX = 64 * 1024 * 1024  # bytes that are unpacked of one file, all parts together
PARTS_MAX = 500  # parts that are read: sheets, slides
_CHUNK = 64 * 1024
_END, _END_SIZE, _COMMENT_MAX = b"PK\x05\x06", 22, 65_535
_END_64 = b"PK\x06\x07"

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_WORD = (r"word/document\.xml", r"word/(?:header|footer)\d*\.xml", r"word/(?:footnotes|endnotes)\.xml")
_EXCEL = (r"xl/sharedStrings\.xml", r"xl/worksheets/sheet\d+\.xml")
_SLIDES = (r"ppt/slides/slide\d+\.xml", r"ppt/notesSlides/notesSlide\d+\.xml")
_CONTENT = (r"content\.xml",)
# Which parts hold the text, in the order in which they are read.
PARTS = {
    f"{_OOXML}wordprocessingml.document": _WORD,
    "application/vnd.ms-word.document.macroEnabled.12": _WORD,
    f"{_OOXML}spreadsheetml.sheet": _EXCEL,
    "application/vnd.ms-excel.sheet.macroEnabled.12": _EXCEL,
    f"{_OOXML}presentationml.presentation": _SLIDES,
    "application/vnd.ms-powerpoint.presentation.macroEnabled.12": _SLIDES,
    f"{_ODF}text": _CONTENT,
    f"{_ODF}spreadsheet": _CONTENT,
    f"{_ODF}presentation": _CONTENT,
}

# What a damaged, protected or hostile file is answered with by the libraries.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    SAXException,
    DefusedXmlException,
    RuntimeError,  # protected by a password
    NotImplementedError,  # packed in a way this Python does not know
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)


class UnreadableError(Exception):
    """A file that is damaged, protected, too big or hostile."""


def office_text(file: IO[bytes], mime: str, *, limit: int) -> str:
    """The text of a seekable Office file, at most about ``limit`` characters.

    Raises `UnreadableError` where nothing could be read; what came before a damaged part is kept.
    """
    reader = _Text(limit, whole_body=mime.startswith(_ODF))
    try:
        _require_small(file)
        with zipfile.ZipFile(file) as packed:
            _read(packed, PARTS[mime], reader)
    except _UNREADABLE as error:
        if not reader.length:
            raise UnreadableError(str(error)) from error
    return "".join(reader.pieces)


def _require_small(file: IO[bytes]) -> None:
    """Refuse before `zipfile` builds an object for each of a million entries."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - _COMMENT_MAX))
    tail = file.read()
    at = tail.rfind(_END)
    if tail[-_END_SIZE:].startswith(_END):
        at = len(tail) - _END_SIZE
    if size > FILE_MAX or at < 0 or len(tail) < at + _END_SIZE or _END_64 in tail[max(0, at - 20) : at]:
        raise zipfile.BadZipFile("too big, or no end of the directory")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > DIRECTORY_MAX:
        raise zipfile.BadZipFile("its directory is too big")


def _read(packed: zipfile.ZipFile, patterns: tuple[str, ...], reader: _Text) -> None:
    left = UNPACKED_MAX
    for name in _names(packed, patterns):
        parser = create_parser(forbid_dtd=True)
        parser.setFeature(feature_external_ges, False)
        parser.setContentHandler(reader)
        reader.begin()
        with packed.open(name) as part:
            while chunk := part.read(min(_CHUNK, left)):
                left -= len(chunk)
                parser.feed(chunk)
                if reader.full or not left:
                    return  # no `close()`, which insists on the end of the document
        parser.close()


def _names(packed: zipfile.ZipFile, patterns: tuple[str, ...]) -> list[str]:
    """The parts that hold text, pattern by pattern, sheet 2 before sheet 10."""
    names = set(packed.namelist())

    def of(pattern: str) -> Iterator[str]:
        found = (name for name in names if re.fullmatch(pattern, name, re.ASCII))
        yield from sorted(found, key=lambda name: (len(name), name))

    return [name for pattern in patterns for name in of(pattern)][:PARTS_MAX]


class _Text(ContentHandler):
    """Collects text. Names are compared without their prefix: the prefixes are the writer's choice.

    In Microsoft's formats text stands in ``t`` (and ``v``, a value of a sheet), in OpenDocument anywhere in the
    body. What a tracked change deleted is no text of the document.
    """

    _OWN = frozenset({"t", "v"})
    _BREAKS = frozenset({"p", "h", "si", "c", "br", "tab", "s", "line-break", "cr"})
    _DELETED = frozenset({"tracked-changes", "delText", "rPh", "annotation"})

    def __init__(self, limit: int, *, whole_body: bool) -> None:
        super().__init__()
        self.limit, self.whole_body = limit, whole_body
        self.pieces: list[str] = []
        self.length = 0
        self.begin()

    def begin(self) -> None:
        """Begin a new part."""
        self._inside = self._body = self._deleted = 0
        self._reference = False
        self._gap()

    @property
    def full(self) -> bool:
        """Whether there is as much text as was asked for."""
        return self.length >= self.limit

    def startElement(self, name: str, attrs: object) -> None:  # noqa: N802 - the library's name
        """An element opens."""
        local = name.rpartition(":")[2]
        self._inside += local in self._OWN and not (local == "v" and self._reference)
        self._body += self.whole_body and local == "body"
        self._deleted += local in self._DELETED
        if local == "c":  # a cell of the type "s" holds the number of a shared string
            self._reference = attrs.get("t") == "s"  # type: ignore[attr-defined]

    def endElement(self, name: str) -> None:  # noqa: N802 - the library's name
        """An element closes."""
        local = name.rpartition(":")[2]
        self._inside -= local in self._OWN and not (local == "v" and self._reference)
        self._body -= self.whole_body and local == "body"
        self._deleted -= local in self._DELETED
        if local in self._BREAKS:
            self._gap()

    def characters(self, content: str) -> None:
        """Text."""
        if (self._inside or self._body) and not self._deleted and not self.full:
            self.pieces.append(content)
            self.length += len(content)

    def _gap(self) -> None:
        if self.pieces and self.pieces[-1] != "\n":
            self.pieces.append("\n")
