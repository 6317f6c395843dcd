"""An SMS gateway: a real HTTPS server on this machine, with a certificate of its own, that keeps what it is asked."""

from __future__ import annotations

import contextlib
import datetime
import json
import ssl
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"


@dataclass(frozen=True)
class Request:
    """What one request said."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the next request is answered; ``delay`` seconds lie before it, ``trickle`` between the bytes of its body."""

    status: int = 200
    body: bytes = b'{"id": "gw-1"}'
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    trickle: float = 0.0


class Gateway:
    """Start it, name `url` and trust `ca_file`; ``replies`` are used up one by one, then each request is taken."""

    def __init__(self, folder: Path, *, name: str = HOST) -> None:
        self.requests: list[Request] = []
        self.replies: list[Reply] = []
        self.ca_file = folder / "gateway.pem"
        certify(self.ca_file, folder / "gateway.key", name)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, folder / "gateway.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/v1/sms"

    @property
    def texts(self) -> list[str]:
        """The text messages that were handed over, oldest first."""
        return [str(request.body["text"]) for request in self.requests]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                gateway.requests.append(
                    Request(self.command, self.path, dict(self.headers.items()), json.loads(content or b"{}"))
                )
                with contextlib.suppress(OSError):  # the caller has hung up
                    self._answer(gateway.replies.pop(0) if gateway.replies else Reply())

            def _answer(self, reply: Reply) -> None:
                time.sleep(reply.delay)
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                for start in range(0, len(reply.body), 1 if reply.trickle else len(reply.body) or 1):
                    self.wfile.write(reply.body[start : start + 1] if reply.trickle else reply.body)
                    time.sleep(reply.trickle)

            def do_POST(self) -> None:
                self._any()

            def do_GET(self) -> None:
                self._any()

            def log_message(self, *_words: Any) -> None:
                """Quiet."""

        return Handler


def certify(certificate: Path, key_file: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
