"""JSON whose Base64 goes to a file while it arrives: a body of 70 MB is never in memory, nor is its content."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import tempfile
import weakref
from typing import TYPE_CHECKING, Any

import orjson
from django.utils.translation import gettext as _
from rest_framework import serializers

from core.disk import CHUNK
from core.errors import Invalid, TooLarge
from core.http import AROUND, LimitedJSONParser, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = "file_data"
_IN_MEMORY = 256 * 1024  # bytes of content below which no file is needed
_HEAD = 400  # bytes in which a data URI has said its type
_DATA_URI = re.compile(rb"data:([^,;]{0,127})[^,]{0,200};base64,", re.IGNORECASE)
_BETWEEN_STRINGS = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_ESCAPE_BEGINS = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?\Z")
_COLON = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")


class SpooledContent:
    """What `FIELD` held, decoded as it came. What is no Base64 is remembered, so that rights are asked before."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self._head: bytes | None = b""  # until it is known whether a data URI begins it
        self._left = b""  # fewer than four characters
        self._over = False  # padding ends it
        self.declared_mime = ""
        self.is_wrong = False
        self.is_empty = True

    def feed(self, characters: bytes) -> None:
        """More Base64, or the beginning of a data URI."""
        self.is_empty = self.is_empty and not characters
        if self._head is not None:
            self._head += characters
            if len(self._head) < _HEAD:
                return
            characters = self._start()
        self._decode(characters)

    def finish(self) -> None:
        """There is no more."""
        if self._head is not None:
            self._decode(self._start())
        self.is_wrong = self.is_wrong or bool(self._left)

    def chunks(self) -> Iterator[bytes]:
        """The content."""
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            yield chunk

    def _start(self) -> bytes:
        head, self._head = self._head or b"", None
        uri = _DATA_URI.match(head)
        if uri is None:
            return head
        self.declared_mime = uri[1].decode("latin-1")
        return head[uri.end() :]

    def _decode(self, characters: bytes) -> None:
        if self.is_wrong or not (characters := self._left + characters):
            return
        whole = len(characters) // 4 * 4
        self._left, ready = characters[whole:], characters[:whole]
        if self._over:
            self.is_wrong = True
            return
        try:
            self._file.write(base64.b64decode(ready, validate=True))
        except binascii.Error:
            self.is_wrong = True
        self._over = ready.endswith(b"=")


class Base64Field(serializers.CharField):
    """A text in the schema; a `SpooledContent` in here. Raises for what is neither null nor a text."""

    def to_internal_value(self, data: Any) -> Any:
        """Content that arrived as it should, or is looked at when it is stored."""
        if not isinstance(data, SpooledContent):
            self.fail("invalid")
        if data.is_empty:
            self.fail("blank")
        return data

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Not that of texts, which would turn it into one."""
        return serializers.Field.run_validation(self, data)


class SpoolingJSONParser(LimitedJSONParser):
    """As `LimitedJSONParser`, but a text in `FIELD` of the outermost object becomes a `SpooledContent`."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises `TooLarge` by the announced length, before a byte is read, or when it is passed; `Invalid`."""
        context = parser_context or {}
        limit = context["view"].json_body_limit
        length = context["request"].META.get("CONTENT_LENGTH") or ""
        if length.isdigit() and int(length) > limit:
            raise TooLarge(_("The request is too large."))
        body = _Body(limit)
        while chunk := stream.read(CHUNK):
            body.feed(chunk)
        return body.parsed()


class _Body:
    """A body on its way: what is not content is kept, with a mark where content was."""

    def __init__(self, limit: int) -> None:
        self._limit, self._received = limit, 0
        self._rest = bytearray()
        self._depth = 0
        self._key: bytes | None = None  # the string before the one that may begin
        self._begins = 0  # where in the rest the string began
        self._ended = 0  # where in the rest it ended
        self._mode = self._between
        self._mark = secrets.token_hex(16)
        self._content: SpooledContent | None = None
        self._waiting = b""  # the beginning of an escape that the next chunk ends

    def feed(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._received > self._limit:
            raise TooLarge(_("The request is too large."))
        chunk, at = self._waiting + chunk, 0
        self._waiting = b""
        while at < len(chunk):
            at = self._mode(chunk, at)
        if len(self._rest) > AROUND:
            raise TooLarge(_("The request is too large."))

    def parsed(self) -> Any:
        """The data. Raises `Invalid` for what is no JSON."""
        if self._mode != self._between:
            self._rest += b'"\x00'  # a string without end: never valid, whatever it held
        data = loads(bytes(self._rest))
        if isinstance(data, dict) and self._content is not None and data.get(FIELD) == self._mark:
            data[FIELD] = self._content
        return data

    def _between(self, chunk: bytes, at: int) -> int:
        found = _BETWEEN_STRINGS.search(chunk, at)
        if found is None:
            self._rest += chunk[at:]
            return len(chunk)
        self._rest += chunk[at : found.end()]
        if found[0] == b'"':
            if self._is_field():
                self._content, self._mode = SpooledContent(), self._in_content
            else:
                self._begins, self._mode = len(self._rest) - 1, self._in_string
        else:
            self._depth += 1 if found[0] in b"{[" else -1
        return found.end()

    def _is_field(self) -> bool:
        """Whether the string that begins is the value of `FIELD` in the outermost object."""
        if self._depth != 1 or self._key is None or not _COLON.fullmatch(self._rest, self._ended, len(self._rest) - 1):
            return False
        if b"\\" not in self._key:
            return self._key == b'"%s"' % FIELD.encode()
        try:
            return bool(orjson.loads(self._key) == FIELD)
        except orjson.JSONDecodeError:
            return False

    def _in_string(self, chunk: bytes, at: int) -> int:
        found = _IN_STRING.search(chunk, at)
        if found is None:
            self._rest += chunk[at:]
            return len(chunk)
        if found[0] == b"\\":
            if found.end() == len(chunk):
                self._rest += chunk[at : found.start()]
                self._waiting = b"\\"
                return len(chunk)
            self._rest += chunk[at : found.end() + 1]
            return found.end() + 1
        self._rest += chunk[at : found.end()]
        self._ended = len(self._rest)
        self._key = bytes(self._rest[self._begins : self._ended]) if self._ended - self._begins < 100 else None
        self._mode = self._between
        return found.end()

    def _in_content(self, chunk: bytes, at: int) -> int:
        """To the next quote: one that is escaped is none of Base64's characters, so the body is refused anyhow."""
        assert self._content is not None
        end = chunk.find(b'"', at)
        piece = chunk[at:] if end < 0 else chunk[at:end]
        if end < 0 and (escape := _ESCAPE_BEGINS.search(piece, max(0, len(piece) - 5))):
            piece, self._waiting = piece[: escape.start()], escape[0]
        self._content.feed(_unescaped(piece))
        if end < 0:
            return len(chunk)
        self._content.finish()
        self._rest += f'{self._mark}"'.encode()
        self._key, self._mode = None, self._between
        return end + 1


def _unescaped(piece: bytes) -> bytes:
    """Some programs write ``\\/`` for a stroke, or ``\\u003d``. Raises `Invalid`."""
    if b"\\" not in piece:
        return piece
    try:
        return orjson.loads(b'"' + piece + b'"').encode()  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        raise Invalid(_("The body is not valid JSON."), code="malformed_json") from None
