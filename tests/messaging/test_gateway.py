"""The request to the SMS gateway: what it says, where it may go, and what becomes of an answer."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from messaging.services import gateway as product
from messaging.services.gateway import Gateway
from messaging.services.transport import Permanent, Temporary, Unreachable
from tests.gateway import Gateway as Server
from tests.gateway import Reply

KEY = "geheimer-Schluessel-1"
NUMBER = "+491701234567"


@pytest.fixture
def server(gateway: Server) -> Server:
    """The gateway, where `Gateway` is the product's."""
    return gateway


def of(server: Server, **values: Any) -> Gateway:
    return Gateway(**{"url": server.url, "key": KEY, "sender": "Brandt", "kind": "direct", **values})


def refusal(kind: type[Exception], gateway: Gateway) -> str:
    """The text of the error; never with the key or what the message says."""
    with pytest.raises(kind) as error:
        gateway.send(NUMBER, "Ihr Code: K7M4Q2")
    assert type(error.value) is kind
    text = str(error.value)
    assert KEY not in text and "K7M4Q2" not in text
    return text


@pytest.mark.rule("DOCMS-190")
def test_the_gateway_is_asked_with_key_sender_and_type(server: Server) -> None:
    assert of(server).send(NUMBER, "Grüße 🏠\nzweite Zeile") == "gw-1"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/sms")
    assert request.body == {"to": NUMBER, "from": "Brandt", "text": "Grüße 🏠\nzweite Zeile", "type": "direct"}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Host"] == f"localhost:{server.port}"
    of(server, kind="").send(NUMBER, "x")
    assert server.requests[1].body["type"] is None


@pytest.mark.rule("DOCMS-162")
def test_the_key_travels_in_a_header_and_never_in_the_address(server: Server) -> None:
    of(server, url=f"{server.url}?account=7").send(NUMBER, "x")
    (request,) = server.requests
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.path == "/v1/sms?account=7"
    assert KEY not in str(request.body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id": 42}', "42"), (b'{"id": "a\\nb"}', "a b"), (b'{"id": true}', ""), (b'{"id": {}}', ""), (b"[]", ""),
        (b"OK", ""), (b"", ""), (b'{"id": "' + b"x" * 300 + b'"}', "x" * 100), (b"\xff\xfe", ""), (b'{"id": null}', ""),
        (b'{"id": "' + b"x" * 100_000 + b'"}', ""),
    ],
)  # fmt: skip
def test_any_2xx_is_success_and_an_id_in_it_is_kept(server: Server, body: bytes, expected: str) -> None:
    for status in (200, 202):
        server.replies.append(Reply(status, body))
        assert of(server).send(NUMBER, "x") == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Temporary), (500, Temporary), (503, Temporary), (400, Permanent), (401, Permanent), (404, Permanent)],
)
def test_what_may_pass_is_told_from_what_will_not(server: Server, status: int, kind: type[Exception]) -> None:
    server.replies.append(Reply(status, b'{"error": "no credit"}'))
    assert str(status) in refusal(kind, of(server))


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(server: Server, status: int) -> None:
    server.replies.append(Reply(status, b"", (("Location", f"https://localhost:{server.port}/elsewhere"),)))
    refusal(Permanent, of(server))
    assert [request.path for request in server.requests] == ["/v1/sms"]


def test_a_gateway_that_does_not_answer_is_waited_for_ten_seconds(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert product.TIMEOUT == 10
    monkeypatch.setattr(product, "TIMEOUT", 1.0)
    server.replies.append(Reply(delay=3))
    began = time.monotonic()
    assert "no answer within" in refusal(Unreachable, of(server))
    assert 0.8 < time.monotonic() - began < 2.5


def test_the_time_is_for_the_whole_answer_and_what_was_taken_is_not_sent_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "TIMEOUT", 1.0)
    server.replies.append(Reply(200, b'{"id": "' + b"x" * 100, trickle=0.2))  # twenty seconds, byte by byte
    began = time.monotonic()
    assert of(server).send(NUMBER, "x") == ""
    assert 0.8 < time.monotonic() - began < 2.5


@pytest.mark.rule("DOCMS-162")
def test_a_gateway_inside_is_not_asked_unless_the_installation_names_it(server: Server, settings: Any) -> None:
    of(server).send(NUMBER, "x")
    settings.INSIDE_HOSTS = []
    assert "lokales Netz" in refusal(Permanent, of(server))
    refusal(Permanent, of(server, url=f"https://127.0.0.1:{server.port}/"))
    assert len(server.requests) == 1


@pytest.mark.rule("DOCMS-162")
def test_plain_http_is_refused(server: Server, settings: Any) -> None:
    settings.INSIDE_HOSTS = []
    assert "https" in refusal(Permanent, of(server, url="http://8.8.8.8/sms"))


@pytest.mark.rule("DOCMS-162")
def test_a_name_that_moves_between_look_up_and_call_is_not_followed_inside(
    server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: outside when it is looked at, this machine when it is connected to."""
    settings.INSIDE_HOSTS = []
    asked: list[str] = []
    connected: list[str] = []

    def look_up(host: str, port: Any, *_arguments: Any, **_more: Any) -> list[Any]:
        address = host
        if host == "localhost":
            address = "127.0.0.1" if "localhost" in asked else "8.8.8.8"
            asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    refusal(Unreachable, of(server))
    assert asked == ["localhost"]  # never looked up a second time
    assert connected == ["8.8.8.8"]
    assert server.requests == []


def test_the_next_address_is_tried_when_one_takes_no_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "require_public", lambda url: ["127.0.0.2", "127.0.0.1"])
    assert of(server).send(NUMBER, "x") == "gw-1"
    assert len(server.requests) == 1


@pytest.mark.rule("DOCMS-162")
def test_a_certificate_that_nobody_signed_is_refused(server: Server, settings: Any) -> None:
    settings.SMS_CA_FILE = ""
    assert "certificate" in refusal(Unreachable, of(server)).lower()
    assert server.requests == []


@pytest.mark.rule("DOCMS-162")
def test_a_certificate_for_another_name_is_refused(tmp_path: Path, settings: Any) -> None:
    server = Server(tmp_path, name="elsewhere.example")
    server.start()
    settings.SMS_CA_FILE, settings.INSIDE_HOSTS = str(server.ca_file), ["localhost"]
    try:
        assert "localhost" in refusal(Unreachable, of(server))
        assert server.requests == []
    finally:
        server.stop()


def test_a_gateway_that_is_down_is_unreachable(server: Server) -> None:
    gateway = of(server)
    server.stop()
    refusal(Unreachable, gateway)
    server._server = type("Stopped", (), {"shutdown": lambda _: None, "server_close": lambda _: None})()


@pytest.mark.parametrize("key", ["a\nb", "schlüssel-€", "a\r\nX: y"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_told(server: Server, key: str) -> None:
    with pytest.raises(Permanent) as error:
        of(server, key=key).send(NUMBER, "x")
    assert key not in str(error.value) and repr(key)[1:-1] not in str(error.value)
    assert server.requests == []


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Gateway("https://sms.example/", KEY, "Brandt"))
