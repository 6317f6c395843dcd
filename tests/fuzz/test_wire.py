"""What only a socket can send, to the web server as the image starts it: lengths that lie, bodies in pieces."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docms.door import PREFIX, signed_in
from tests.fuzz.untouched import untouched
from tests.portal.pages import house_folder
from tests.servers import ROOT, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = b'{"name": "Neu"}'


class Wire:
    """One connection for each request, and what came back on it."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def send(
        self, *lines: str, body: bytes = b"", path: str = "/groups", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """Status (0 when the server hung up) and body of the first answer."""
        head = [f"POST {PREFIX}{path} HTTP/1.1", "Host: testserver", f"Authorization: Bearer {self.token}"]
        head += [f"Content-Type: {kind}", "Connection: close", *lines, "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall("\r\n".join(head).encode() + body)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
        found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
        return (int(found[1]) if found else 0), answer.partition(b"\r\n\r\n")[2]


@pytest.fixture
def wire(cast: Cast, tmp_path: Path) -> Iterator[Wire]:
    """The web server with the command of the image."""
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nCMD ")[2].replace("\\\n", "")
    command = json.loads(image)
    for argument in ("--worker-tmp-dir", "--bind"):  # what belongs to the container
        at = command.index(argument)
        del command[at : at + 2]
    port, log = free_port(), tmp_path / "web.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *command, "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT, env={**os.environ}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        assert eventually(lambda: b"Listening at" in log.read_bytes(), seconds=60), log.read_text()
        yield Wire(port, signed_in(cast.admin, cast.tenant).token)
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text()


def test_lengths_that_lie_change_nothing(wire: Wire) -> None:
    """Each is answered with 400, or by hanging up, and the server goes on."""
    with untouched():
        for length in (len(GOOD) + 10, 10**6, len(GOOD) - 1, 1, 0):
            assert wire.send(f"Content-Length: {length}", body=GOOD)[0] in (400, 0), length
        for text in ("-1", "abc", "+15", "1_5", "0x0f", "١٥", "", "15, 15", "9" * 5000):
            assert wire.send(f"Content-Length: {text}", body=GOOD)[0] in (400, 413, 0), text
        assert wire.send("Content-Length: 2000000", body=b"")[0] == 413  # by the length alone, before a byte is read
    assert wire.send(f"Content-Length: {len(GOOD)}", body=GOOD)[0] == 200


def test_an_upload_whose_line_breaks_is_no_document(cast: Cast, wire: Wire) -> None:
    """Half a file would be published, and people told of it."""
    where = house_folder(cast)
    part = b"--x\r\nContent-Disposition: form-data; name="
    raw = part + b'"metadata"\r\n\r\n{"folder_id": %d}\r\n' % where.pk
    raw += part + b'"content"; filename="a.pdf"\r\n\r\n%PDF-1.4 ' + b"x" * 300_000
    kind, end = "multipart/form-data; boundary=x", b"\r\n--x--\r\n"
    with untouched():
        for length in (len(raw) + len(end), len(raw) + 10**6):
            status, _body = wire.send(f"Content-Length: {length}", body=raw, path="/files", kind=kind)
            assert status in (400, 0)
    status, _body = wire.send(f"Content-Length: {len(raw + end)}", body=raw + end, path="/files", kind=kind)
    assert status == 200


def test_a_body_in_pieces_is_refused_in_words(wire: Wire) -> None:
    """Its length is not known before it is there, and Django reads none of it."""
    chunked = b"f\r\n" + GOOD + b"\r\n0\r\n\r\n"
    with untouched():
        status, body = wire.send("Transfer-Encoding: chunked", body=chunked)
        assert (status, json.loads(body)["status"]) == (400, 400)
        assert "Content-Length" in json.loads(body)["message"]
        for broken in (b"zz\r\n", b"f\r\n{", b"-1\r\n\r\n", b"f" * 5000 + b"\r\n", b"", b"f\r\n" + GOOD + b"\r\n"):
            assert wire.send("Transfer-Encoding: chunked", body=broken)[0] in (400, 0), broken[:20]


def test_what_is_no_http_breaks_nothing(wire: Wire) -> None:
    with untouched():
        for lines in (["X-Long: " + "x" * 100_000], ["No colon"], [f"X-{n}: 1" for n in range(500)], ["X: \x00"]):
            assert wire.send(*lines, "Content-Length: 15", body=GOOD)[0] in (400, 431, 0), lines[0][:20]
    assert wire.send(f"Content-Length: {len(GOOD)}", body=GOOD)[0] == 200
