"""Names and addresses that a caller only claims, and requests that no client sends: the real server, by hand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from messaging.models import Message
from orgs.models import OneTimeLink, SignInLog, User
from tests.cast import PASSWORD, load
from tests.ops.conftest import HOST, Process, Serve
from tests.ops.raw import Browser, ask, exchange, lasting_password
from tests.servers import owner

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
TLS = {"X-Forwarded-Proto": "https"}
EVIL = "evil.test"
LIAR, CLIENT = "198.51.100.66", "203.0.113.5"


@pytest.fixture(autouse=True)
def _patience(people: Cast) -> None:
    """Wrong passwords of one test do not lock out the next: committed, for the server is another process."""
    with owner() as connection:
        connection.execute("DELETE FROM core_throttle")


@pytest.fixture(scope="module")
def people(committed: None) -> Cast:
    cast = load()
    lasting_password(cast.renter)
    lasting_password(cast.admin)
    return cast


@pytest.fixture(scope="module")
def alone(people: Cast, serve: Serve) -> Process:
    """The server without a proxy that it trusts."""
    return serve()


@pytest.fixture(scope="module")
def behind(people: Cast, serve: Serve) -> Process:
    """The server behind a proxy on this machine, which is the only one here that can speak for others."""
    return serve(TRUSTED_PROXIES="127.0.0.1/32")


def _sign_in_with(server: Process, cast: Cast, headers: list[tuple[str, str]]) -> str:
    """The address under which a failed sign-in is remembered."""
    browser = Browser(server.port)
    browser.get("/app/login")
    body = f"csrfmiddlewaretoken={browser.cookies['csrftoken']}&username={cast.renter.email}&password=falsch"
    form = [
        ("Cookie", f"csrftoken={browser.cookies['csrftoken']}"), ("Origin", f"https://{HOST}"),
        ("Content-Type", "application/x-www-form-urlencoded"), *TLS.items(), *headers,
    ]  # fmt: skip
    before = SignInLog.objects.count()
    assert ask(server.port, "POST", "/app/login", form, body.encode()).status == 422
    assert SignInLog.objects.count() == before + 1
    return str(SignInLog.objects.latest("pk").ip)


# --- Whose name ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", [EVIL, f"{HOST}.{EVIL}", f"{HOST}@{EVIL}", f"{EVIL}:443", f"{HOST}, {EVIL}", "", "127.0.0.1", None]
)
@pytest.mark.parametrize("secure", [True, False])
def test_a_name_that_is_not_served_is_refused_and_led_nowhere(alone: Process, host: str | None, secure: bool) -> None:
    reply = ask(alone.port, "GET", "/app/login", TLS if secure else {}, host=host)
    assert reply.status == 400
    assert "location" not in reply.headers
    assert EVIL not in reply.text


def test_two_names_are_none(alone: Process) -> None:
    for second in (EVIL, HOST):
        assert ask(alone.port, "GET", "/app/login", [("Host", second), *TLS.items()]).status == 400


def test_another_name_beside_the_served_one_is_not_heard(alone: Process) -> None:
    claims = {
        "X-Forwarded-Host": EVIL, "X-Host": EVIL, "X-Original-Host": EVIL, "X-Forwarded-Server": EVIL, "X-Original-URL": "/admin/",
        "X-Rewrite-URL": "/admin/", "X-Forwarded-Prefix": f"//{EVIL}", "Script-Name": f"//{EVIL}", "SCRIPT_NAME": f"//{EVIL}",
        "Forwarded": f"host={EVIL}",
    }  # fmt: skip
    page = ask(alone.port, "GET", "/app/login", TLS | claims)
    assert page.status == 200 and EVIL not in page.text
    assert 'name="password"' in page.text, "it is the sign-in and no other page"
    redirect = ask(alone.port, "GET", "/", TLS | claims)
    assert redirect.status == 302 and EVIL not in redirect.head
    assert ask(alone.port, "GET", "/app/login", claims).headers["location"] == f"https://{HOST}/app/login"


def test_links_in_mails_lead_to_the_public_address(alone: Process, people: Cast) -> None:
    """Whatever names the request claims; a claimed Host itself leads to no mail at all."""
    browser = Browser(alone.port)
    browser.get("/app/password/forgot")
    body = f"csrfmiddlewaretoken={browser.cookies['csrftoken']}&email={people.renter.email}".encode()
    form = {
        "Cookie": f"csrftoken={browser.cookies['csrftoken']}", "Content-Type": "application/x-www-form-urlencoded", **TLS,
        "Origin": f"https://{HOST}", "X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}",
    }  # fmt: skip
    assert ask(alone.port, "POST", "/app/password/forgot", form, body, host=EVIL).status == 400
    assert not OneTimeLink.objects.filter(user=people.renter).exists()
    assert ask(alone.port, "POST", "/app/password/forgot", form, body).status == 200
    mail = Message.objects.latest("pk")
    links = re.findall(r"https?://[^\s\"<>]+", mail.body_text + mail.body_html)
    assert links and all(link.startswith(f"https://{HOST}/") for link in links if "/app/" in link)
    assert any("/app/password/" in link for link in links)
    assert EVIL not in mail.body_text + mail.body_html


def test_so_does_the_link_that_the_api_sends(alone: Process, people: Cast) -> None:
    before = Message.objects.count()
    for host, status in ((EVIL, 400), (HOST, 200)):
        path = f"/docms/api/v1/password/mail/{people.admin.email}"
        reply = ask(alone.port, "POST", path, TLS | {"X-Forwarded-Host": EVIL, "Content-Length": "0"}, host=host)
        assert reply.status == status, reply.text
    assert Message.objects.count() == before + 1
    mail = Message.objects.latest("pk")
    assert f"https://{HOST}/app/password/" in mail.body_text
    assert EVIL not in mail.body_text + mail.body_html


# --- Whose address ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "X_Forwarded_For"]
)
def test_a_stranger_speaks_for_nobody(alone: Process, people: Cast, name: str) -> None:
    assert _sign_in_with(alone, people, [(name, f"for={LIAR}" if name == "Forwarded" else LIAR)]) == "127.0.0.1"


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-For", CLIENT)],
        [("X-Forwarded-For", f"{LIAR}, {CLIENT}")],  # what the client had claimed stands on the left
        [("X-Forwarded-For", LIAR), ("X-Forwarded-For", CLIENT)],
        [("X-Forwarded-For", f"{LIAR},127.0.0.1, {CLIENT} , 127.0.0.1")],
        [("X_Forwarded_For", LIAR), ("X-Forwarded-For", CLIENT)],
        [("X-Forwarded-For", CLIENT), ("X-Real-IP", LIAR), ("Forwarded", f"for={LIAR}")],
    ],
)
def test_the_proxy_is_believed_about_its_own_peer(
    behind: Process, people: Cast, headers: list[tuple[str, str]]
) -> None:
    assert _sign_in_with(behind, people, headers) == CLIENT


@pytest.mark.parametrize("value", ["unknown", "", f"{CLIENT}x", "' OR 1=1", f"{LIAR}, nonsense"])
def test_what_is_no_address_leaves_the_proxy_s(behind: Process, people: Cast, value: str) -> None:
    assert _sign_in_with(behind, people, [("X-Forwarded-For", value)]) == "127.0.0.1"


def test_the_inside_is_not_opened_by_a_claim(alone: Process, behind: Process) -> None:
    for server in (alone, behind):
        for claim in (LIAR, f"127.0.0.1, {LIAR}", f"::1,{LIAR}"):
            assert ask(server.port, "GET", "/metrics", TLS | {"X-Forwarded-For": claim}).status == 404
    assert ask(alone.port, "GET", "/metrics", {"X-Forwarded-For": "127.0.0.1"}).status == 404
    assert ask(alone.port, "GET", "/metrics").status == 200


# --- What kind of request -----------------------------------------------------------------------------------


def test_claimed_encryption_gives_nothing_but_the_page(alone: Process) -> None:
    """Plain HTTP is led to HTTPS. Who claims it himself gets cookies that his browser will not send back in the clear."""
    assert ask(alone.port, "GET", "/app/login").status == 301
    for claim in (
        {"X-Forwarded-Proto": "http"},
        {"X-Forwarded-Proto": "http, https"},
        {"X-Forwarded-Ssl": "on"},
        {"X-Url-Scheme": "https"},
    ):
        assert ask(alone.port, "GET", "/app/login", claim).status == 301, claim
    claimed = ask(alone.port, "GET", "/app/login", TLS)
    assert claimed.status == 200
    assert "secure" in claimed.headers["set-cookie"].lower()


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_the_one_that_is_sent(alone: Process, people: Cast, header: str) -> None:
    browser = Browser(alone.port)
    browser.sign_in(people.renter)
    for method in ("GET", "HEAD"):
        assert browser.ask(method, "/app/logout?_method=POST", {header: "POST"}).status == 405
    assert browser.get("/app/profile").status == 200, "still signed in"
    reply = ask(alone.port, "POST", "/docms/api/v1/users/1", {**TLS, header: "DELETE", "Content-Length": "0"})
    assert reply.status in (401, 405)
    assert User.objects.filter(pk=people.operator.pk).exists()


@pytest.mark.parametrize("target", [f"http://{EVIL}/app/login", f"https://{EVIL}/app/login", f"//{EVIL}/app/login"])
def test_a_target_with_a_name_in_it_leads_nowhere_else(alone: Process, target: str) -> None:
    for headers in (TLS, {}):
        reply = ask(alone.port, "GET", target, headers)
        assert urlsplit(reply.headers.get("location", "")).hostname in (None, HOST)
        assert EVIL not in reply.text or reply.status >= 400


@pytest.mark.parametrize(
    "target",
    [
        "/app/login?next=//evil.test", "/app/login?next=https://evil.test/", "/app/login?next=%5C%5Cevil.test",
        "/app/login?next=/%5Cevil.test", "/app/login?next=javascript:alert(1)", "/app/login?next=/%09/evil.test",
        "/app/login?next=https:evil.test", "/app/login?next=%20//evil.test", "/app/login?next=/app/%0d%0aX-Evil:%20yes",
        "/admin/login/?next=//evil.test", "/admin%2f%2fevil.test", "//evil.test/..%2f", "/admin//evil.test/%2e%2e",
        "/admin%0d%0aX-Evil:%20yes", "/admin/orgs%0d%0aX-Evil:%20yes", "/app/invite/?code=%0d%0aX-Evil:%20yes",
    ],
)  # fmt: skip
def test_nobody_is_led_away_and_no_header_is_slipped_in(alone: Process, people: Cast, target: str) -> None:
    browser = Browser(alone.port)
    browser.sign_in(people.admin)
    reply = browser.get(target)
    where = reply.headers.get("location", "")
    assert not re.match(r"(?i)\s*(https?:|javascript:|[/\\]{2}|/\\|/\s)", where), where
    assert "x-evil" not in reply.headers
    assert reply.status < 500


def test_after_the_sign_in_one_is_here(alone: Process, people: Cast) -> None:
    for target in ("//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"):
        browser = Browser(alone.port)
        reply = browser.post("/app/login", username=people.renter.email, password=PASSWORD, next=target)
        assert (reply.status, reply.headers["location"]) == (302, "/app/")


@pytest.mark.parametrize(
    "value",
    [
        "abcdefgh\r\nX-Evil: yes",
        "abcdefgh\nX-Evil: yes",
        "abcdefgh\rX-Evil: yes",
        "abcdefgh%0d%0aX-Evil: yes",
        "é" * 20,
    ],
)
def test_an_id_of_a_request_is_not_passed_on_as_it_comes(alone: Process, value: str) -> None:
    reply = ask(alone.port, "GET", "/healthz", {"X-Request-Id": value})
    assert "x-evil" not in reply.headers
    if reply.status == 200:
        assert re.fullmatch(r"[\w.-]{8,64}", reply.headers["x-request-id"])
        assert "evil" not in reply.headers["x-request-id"].lower()


SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: quartier.example\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 50\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: +0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"X: y\r\n folded: z\r\n\r\n",
        b"X\x00Y: z\r\n\r\n",
    ],
)
def test_a_request_that_two_readers_would_cut_differently_is_refused(alone: Process, head: bytes) -> None:
    reply = exchange(alone.port, b"POST /healthz HTTP/1.1\r\nHost: quartier.example\r\n" + head + SMUGGLED)
    assert reply.status in (400, 501)
    assert b"quartier_requests" not in reply.body


def test_a_name_in_the_answer_s_body_is_none_of_the_caller_s(alone: Process) -> None:
    """JSON of the API quotes the path, never the name."""
    reply = ask(alone.port, "GET", "/docms/api/v1/folders", TLS | {"X-Forwarded-Host": EVIL})
    assert reply.status == 401
    found: dict[str, Any] = json.loads(reply.text)
    assert found["path"] == "/docms/api/v1/folders"
    assert EVIL not in reply.text
