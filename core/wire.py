"""What comes in over the line, before Django reads it."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

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
        self._read = _from_socket(source) or source.read

    def read(self, size: int = -1) -> bytes:
        """That many bytes, else all that are left. Raises `CutOff`."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._read(wanted) if wanted else b""
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


def _from_socket(body: Any) -> Callable[[int], bytes] | None:
    """Reading a body of known length straight from its socket; none where it comes by another way.

    gunicorn's reader copies all that it holds at every read: of a megabyte in pieces of 64 kB that takes longer than its
    checksum and its writing together. What it has read ahead is taken from it, and it knows afterwards what is left.
    """
    reader: Any = getattr(body, "reader", None)
    if type(reader) is not LengthReader or type(reader.unreader) is not SocketUnreader:
        return None
    unreader = reader.unreader

    def read(size: int) -> bytes:
        if body.buf.tell():  # left of a line
            return bytes(body.read(size))
        held = unreader.read() if unreader.buf.seek(0, io.SEEK_END) else b""
        if len(held) > size:
            unreader.unread(held[size:])
            held = held[:size]
        parts, left = [held], size - len(held)
        try:
            # Waits for all of it in the kernel: each piece by itself would wake this thread, which then waits its turn.
            while left and (piece := unreader.sock.recv(left, socket.MSG_WAITALL)):
                parts.append(piece)
                left -= len(piece)
        except Exception:
            body.failed = True  # where the next request begins is not known
            raise
        finally:
            reader.length -= size - left
        return b"".join(parts)

    return read


def whole_bodies(application: Application) -> Application:
    """The application, whose requests are read whole or not at all."""

    def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and len(length) < 19:
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return inner
