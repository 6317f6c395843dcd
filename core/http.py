"""JSON in and out of the APIs."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson
from django.conf import settings
from django.utils.functional import Promise
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer

from core.arriving import ArrivingFiles
from core.errors import Invalid, TooLarge

DEPTH_MAX = 64  # levels of nesting in a request
AROUND = 1024 * 1024  # bytes of a body that are not content
_NAME_MAX = 200  # characters of the way to a field that an answer repeats
_TAIL = 4096  # bytes at the end of a body, in which its last boundary is


def _other(value: Any) -> Any:
    """What orjson does not know: translated texts, decimals, querysets, binary columns."""
    if isinstance(value, Promise | decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dumps(data: Any) -> bytes:
    """JSON as bytes: moments in UTC with Z, ids as text, decimals as text."""
    return orjson.dumps(data, default=_other, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class ORJSONRenderer(BaseRenderer):
    """The renderer of all APIs. An answer without data has an empty body."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Bytes of the answer."""
        return b"" if data is None else dumps(data)


def loads(body: bytes) -> Any:
    """Parse a request's JSON.

    Raises `Invalid` (``malformed_json``) for wrong JSON or UTF-8, more than 64 levels, or NUL characters, which
    the database cannot hold.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid(_("The body is not valid JSON."), code="malformed_json") from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX or b"\\u0000" in body:
        _inspect(data)
    return data


def _inspect(data: Any) -> None:
    """Walk without recursion. Each value goes with the way to it, which is put into words for the wrong one only."""
    level: list[tuple[Any, Any]] = [(None, data)]
    depth = 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise Invalid(_("The body is nested too deeply."), code="malformed_json")
        below: list[tuple[Any, Any]] = []
        for way, value in level:
            if isinstance(value, dict):
                below.extend((way, key) for key in value)
                below.extend(((way, key), inner) for key, inner in value.items())
            elif isinstance(value, list):
                below.extend(((way, index), inner) for index, inner in enumerate(value))
            elif isinstance(value, str) and "\x00" in value:
                problem, name = str(_("The text contains characters that are not allowed.")), _named(way)
                raise Invalid(problem, code="malformed_json", fields={name: [problem]} if name else None)
        level = below


def _named(way: Any) -> str:
    """Where a value stands: ``children[0].name``. Nothing where a name would itself be wrong, or no name."""
    parts: list[str] = []
    while way is not None:
        way, part = way
        parts.append(f"[{part}]" if isinstance(part, int) else f".{part}")
    name = "".join(reversed(parts)).removeprefix(".")
    return name if len(name) <= _NAME_MAX and name.isprintable() else ""


def limited_body(stream: Any, length: str | None, limit: int) -> bytes:
    """The body, at most ``limit`` bytes. Raises `TooLarge`, by the announced length before a byte is read."""
    if length and length.isdigit() and int(length) > limit:
        raise TooLarge(_("The request is too large."))
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(_("The request is too large."))
    return body


class LimitedJSONParser(BaseParser):
    """JSON up to ``settings.JSON_BODY_LIMIT`` bytes, or ``json_body_limit`` of the view.

    Raises `TooLarge` and `Invalid`; each door's error handler puts them into its dialect. No child of the framework's
    `JSONParser`, to which requests give their body only after they have read it whole, whatever its size.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed body."""
        context = parser_context or {}
        limit = getattr(context.get("view"), "json_body_limit", None) or settings.JSON_BODY_LIMIT
        request = context.get("request")
        length = request.META.get("CONTENT_LENGTH") if request is not None else None
        return loads(limited_body(stream, length, limit))


class _Tailed:
    """A stream that remembers its end."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.tail = stream, b""

    def read(self, size: int = -1) -> bytes:
        """As the stream."""
        data: bytes = self._stream.read(size)
        self.tail = data[-_TAIL:] if len(data) >= _TAIL else (self.tail + data)[-_TAIL:]
        return data


class BoundedMultiPart(MultiPartParser):
    """Multipart up to the size of an upload, or ``file_limit`` of the view; files are `ArrivedFile`s."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises `TooLarge` by the announced length, before a byte is read, and `Invalid` for what is no form and for a body
        without the closing boundary, whose last part may be half of one.
        """
        context = parser_context or {}
        length = str(context["request"].META.get("CONTENT_LENGTH") or "0")
        limit = getattr(context.get("view"), "file_limit", None) or settings.UPLOAD_LIMIT
        if length.isdigit() and int(length) > limit + AROUND:
            raise TooLarge
        files = ArrivingFiles()
        context["request"]._request.upload_handlers = [files]
        tailed = _Tailed(stream)
        try:
            with files.forgotten_when_it_fails():
                parsed = super().parse(cast("Any", tailed), media_type, parser_context)
        except ParseError:  # the framework's words are Django's, in English
            raise Invalid(
                _("The parts of the body cannot be told apart: the boundary is missing or wrong."),
                code="malformed_multipart",
            ) from None
        boundary = parse_header_parameters(media_type or "")[1].get("boundary", "")
        if f"--{boundary}--".encode() not in tailed.tail:
            raise Invalid(_("The body ends before its last part does."), code="malformed_multipart")
        return parsed
