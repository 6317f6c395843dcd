"""Bodies on their way from the line: whole or not at all, and straight from gunicorn's socket."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator

import pytest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from core.wire import CutOff, WholeBody


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a line: the client's, the server's."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def gunicorns(sock: socket.socket, length: int, *, read_ahead: bytes = b"") -> Body:
    """gunicorn's reader of a body, which may have come by the headers."""
    unreader = SocketUnreader(sock)
    unreader.unread(read_ahead)
    return Body(LengthReader(unreader, length))


def test_a_body_from_the_socket_is_read_piece_by_piece(line: tuple[socket.socket, socket.socket]) -> None:
    client, server = line
    source = gunicorns(server, 10, read_ahead=b"abc")
    client.sendall(b"defghij")
    body = WholeBody(source, 10)
    assert [body.read(2), body.read(4), body.read(), body.read(5)] == [b"ab", b"cdef", b"ghij", b""]
    assert source.reader.length == 0  # nothing is left to be thrown away before the next request


def test_what_follows_on_the_line_is_the_next_request(line: tuple[socket.socket, socket.socket]) -> None:
    client, server = line
    source = gunicorns(server, 4, read_ahead=b"bodyGET / HTTP/1.1")
    client.sendall(b"\r\n\r\n")
    assert WholeBody(source, 4).read(100) == b"body"
    assert source.reader.unreader.read(18) == b"GET / HTTP/1.1\r\n\r\n"


def test_lines_and_pieces_of_one_body(line: tuple[socket.socket, socket.socket]) -> None:
    client, server = line
    client.sendall(b"first\nsecond\nrest")
    body = WholeBody(gunicorns(server, 17), 17)
    assert [body.readline(), body.read(3), body.readline(), body.read()] == [b"first\n", b"sec", b"ond\n", b"rest"]


def test_a_line_that_breaks_tells_what_arrived(line: tuple[socket.socket, socket.socket]) -> None:
    client, server = line
    client.sendall(b"half")
    client.close()
    with pytest.raises(CutOff) as caught:
        WholeBody(gunicorns(server, 8), 8).read()
    assert caught.value.arrived == b"half"


def test_a_connection_that_failed_is_not_used_again(line: tuple[socket.socket, socket.socket]) -> None:
    _client, server = line
    server.settimeout(0.01)
    source = gunicorns(server, 8)
    with pytest.raises(TimeoutError):
        WholeBody(source, 8).read()
    assert source.failed


def test_another_server_is_read_as_it_wants() -> None:
    body = WholeBody(io.BytesIO(b"elsewhere"), 9)
    assert body.read(4) + body.read() == b"elsewhere"
    with pytest.raises(CutOff):
        WholeBody(io.BytesIO(b"half"), 8).read()
