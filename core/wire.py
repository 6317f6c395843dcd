"""What comes in over the line, before Django reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CutOff(OSError):
    """The line broke before the announced length; ``arrived`` is what the last read still got."""

    def __init__(self, arrived: bytes) -> None:
        super().__init__("the body ended before its announced length")
        self.arrived = arrived


class WholeBody:
    """The input of a request, which a lost connection must not end quietly.

    Servers give fewer bytes then, and whoever reads them takes half a form, or half a file, for the whole.
    Django turns `CutOff` into its `UnreadablePostError`.
    """

    def __init__(self, source: Any, length: int) -> None:
        self._source, self._left = source, length

    def read(self, size: int = -1) -> bytes:
        """That many bytes, else all that are left. Raises `CutOff`."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data: bytes = self._source.read(wanted) if wanted else b""
        self._left -= len(data)
        if len(data) < wanted:
            raise CutOff(data)
        return data

    def readline(self, size: int = -1) -> bytes:
        """One line, or a part of it. Raises `CutOff`."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data: bytes = self._source.readline(wanted) if wanted else b""
        self._left -= len(data)
        if self._left and len(data) < wanted and not data.endswith(b"\n"):
            raise CutOff(data)
        return data


def whole_bodies(application: Application) -> Application:
    """The application, whose requests are read whole or not at all."""

    def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and len(length) < 19:
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return inner
