"""The SMS gateway of a tenant: one request per text message, to an address that was looked at just before.

Another provider's form is a second class beside `Gateway`, not a switch in it (docms.md, open point 48).
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from core.errors import Invalid
from core.services.outside import require_public
from messaging.services.render import one_line
from messaging.services.transport import Permanent, Temporary, Unreachable

if TYPE_CHECKING:
    from orgs.models import OrganizationSettings

TIMEOUT = 10.0  # seconds for the whole request, from connecting to the last byte of the answer
_ANSWER_MAX = 64 * 1024  # bytes of an answer that are read
_ID_MAX = 100  # characters


@dataclass(frozen=True)
class Gateway:
    """``POST`` of JSON ``{to, from, text, type}`` with the key as ``Authorization: Bearer`` (DOCMS-162, 190)."""

    url: str
    key: str = field(repr=False)
    sender: str
    kind: str = ""  # delivery class, `sms_send_type`

    @classmethod
    def of(cls, chosen: OrganizationSettings | None) -> Gateway | None:
        """The tenant's; none while address, key or sender is missing (DOCMS-048)."""
        if chosen is None or not (chosen.sms_send_url and chosen.sms_api_key and chosen.sms_sender_id):
            return None
        return cls(chosen.sms_send_url, chosen.sms_api_key, chosen.sms_sender_id, chosen.sms_send_type)

    def send(self, to: str, text: str) -> str:
        """Hand over one text message; returns the gateway's id for it, '' when it names none.

        Redirects are not followed. Raises `Unreachable` when no answer comes, `Temporary` for 429 and 5xx,
        `Permanent` for every other refusal, a wrong address (DOCMS-162) included. No error holds key or text.
        """
        try:
            addresses = require_public(self.url)
        except Invalid as error:
            kind = Unreachable if error.code == "unresolved" else Permanent
            raise kind(f"SMS gateway: {error.message}") from None
        body = json.dumps({"to": to, "from": self.sender, "text": text, "type": self.kind or None}).encode()
        with _Deadline() as deadline:
            try:
                status, answer = self._ask(addresses, body, deadline)
            except (OSError, HTTPError, HTTPException) as error:
                waited = "no answer within 10 seconds" if deadline.is_over else f"{type(error).__name__}: {error}"
                raise Unreachable(f"SMS gateway: {one_line(waited)[:500]}") from None
            except ValueError:  # its text may hold the key
                raise Permanent("SMS gateway: address or key hold what no request can carry.") from None
        if 200 <= status < 300:
            return _id_in(answer)
        refusal = f"SMS gateway answered {status}."
        if status == 429 or status >= 500:
            raise Temporary(refusal, status=status)
        raise Permanent(refusal, status=status)

    def _ask(self, addresses: list[str], body: bytes, deadline: _Deadline) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        connection = self._connect(addresses, deadline)
        headers = {
            "Host": parts.netloc,
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "Quartier",
            "Connection": "close",
        }
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body=body, headers=headers, preload_content=False)
            response = connection.getresponse()
            try:
                return response.status, response.read(_ANSWER_MAX)
            except (OSError, HTTPError, HTTPException):
                return response.status, b""  # it has said what became of the message; asking again would send it twice
        finally:
            connection.close()

    def _connect(self, addresses: list[str], deadline: _Deadline) -> HTTPConnection:
        """A connection to the first address that takes one. They were found to be allowed; the name is not looked up
        again, it is only what the certificate must say.
        """
        parts = urlsplit(self.url)
        host, failure = str(parts.hostname), OSError("no address")
        for address in addresses:
            connection: HTTPConnection
            if parts.scheme == "https":
                context = ssl.create_default_context(cafile=settings.SMS_CA_FILE or None)
                connection = HTTPSConnection(
                    address, parts.port or 443, timeout=deadline.left, ssl_context=context, server_hostname=host
                )
            else:
                connection = HTTPConnection(address, parts.port or 80, timeout=deadline.left)
            deadline.guard(connection)
            try:
                connection.connect()
                deadline.guard(connection, connection.sock)
                return connection
            except (OSError, HTTPError) as error:
                connection.close()
                failure = failure if deadline.is_over else OSError(f"{type(error).__name__}: {error}")
        raise failure


class _Deadline:
    """Ends a request that takes too long as a whole: the timeout of a socket begins anew with each byte."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TIMEOUT
        self._connection: HTTPConnection | None = None
        self._sock: socket.socket | None = None
        self._timer = threading.Timer(TIMEOUT, self._cut)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    @property
    def left(self) -> float:
        """Seconds, never 0, which would mean not to wait at all."""
        return max(self._end - time.monotonic(), 0.01)

    @property
    def is_over(self) -> bool:
        """Whether the time is up, or as good as."""
        return self.left < 0.1

    def guard(self, connection: HTTPConnection, sock: socket.socket | None = None) -> None:
        """Cut this one when the time is up. With its socket, once there is one: the connection lets go of it while the
        answer is still being read.
        """
        self._connection, self._sock = connection, sock

    def _cut(self) -> None:
        sock = self._sock or getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which would say goodbye first


def _id_in(answer: bytes) -> str:
    """The ``id`` of a JSON object, as text."""
    try:
        found = json.loads(answer)
    except ValueError:
        return ""
    value = found.get("id") if isinstance(found, dict) else None
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return one_line(str(value))[:_ID_MAX] if is_plain else ""
