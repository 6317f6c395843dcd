"""HTTP by hand, for requests that no client would send."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.test import override_settings

from tests.cast import PASSWORD
from tests.ops.conftest import HOST

if TYPE_CHECKING:
    from orgs.models import User


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
    line = socket.create_connection(("127.0.0.1", port), timeout=30)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = context.wrap_socket(line, server_hostname=HOST)
    received = b""
    with line:
        line.sendall(request)
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


class Browser:
    """Keeps cookies, and answers forms with their token. Through TLS, or as if a proxy had ended it."""

    def __init__(self, port: int, *, tls: bool = False) -> None:
        self.port, self.tls = port, tls
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        """One request with the cookies so far."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        if not self.tls:
            sent["X-Forwarded-Proto"] = "https"
        reply = ask(self.port, method, target, sent, body, tls=self.tls)
        for line in reply.head.split("\r\n"):
            if line.lower().startswith("set-cookie:"):
                name, _equals, value = line.partition(":")[2].strip().partition(";")[0].partition("=")
                self.cookies[name] = value
        return reply

    def get(self, target: str, **headers: str) -> Reply:
        """A page."""
        return self.ask("GET", target, headers)

    def post(self, target: str, **fields: str) -> Reply:
        """The form of that page."""
        if "csrftoken" not in self.cookies:
            self.get(target)
        body = urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}
        return self.ask("POST", target, headers, body)

    def sign_in(self, user: User) -> Reply:
        """With the password of the cast."""
        reply = self.post("/app/login", username=user.email, password=PASSWORD)
        assert reply.status == 302, reply.text
        return reply


def lasting_password(user: User) -> None:
    """Hashed as production hashes; the tests' quick hash is none to it."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.ScryptPasswordHasher"]):
        user.set_password(PASSWORD)
    user.save(update_fields=["password"])
