"""HTTP by hand, for requests that no client would send."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from tests.ops.conftest import HOST


@dataclass
class Reply:
    """An answer: status, headers in lower case (the last of equal ones), and the body."""

    status: int
    headers: dict[str, str]
    body: bytes
    head: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def exchange(port: int, request: bytes, *, tls: bool = False) -> Reply:
    """Send these bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        line: socket.socket = plain
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            line = context.wrap_socket(plain, server_hostname=HOST)
        line.sendall(request)
        received = b""
        while chunk := line.recv(65536):
            received += chunk
    head, _empty, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _joined(body)
    return Reply(int(first.split()[1]) if first else 0, headers, body, head.decode("latin-1"))


def ask(
    port: int,
    method: str,
    target: str,
    headers: dict[str, str] | list[tuple[str, str]] = {},  # noqa: B006 - only read
    body: bytes = b"",
    *,
    host: str | None = HOST,
    tls: bool = False,
) -> Reply:
    """One request on a connection of its own; headers as given, also twice."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    lines = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), "Connection: close"]
    lines += [f"{name}: {value}" for name, value in pairs]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return exchange(port, "\r\n".join([*lines, "", ""]).encode("latin-1") + body, tls=tls)


def _joined(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _line, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        whole, body = whole + rest[:length], rest[length + 2 :]
        if not length:
            break
    return whole
