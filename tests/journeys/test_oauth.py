"""A program of others gets access: a client library that nobody here wrote, a browser, and the person in between."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from playwright.sync_api import expect

from orgs.models import OAuthGrant
from orgs.services import oauth_clients
from tests.cast import PASSWORD, Cast, load
from tests.journeys.test_second_factor import enter, press, write
from tests.tickets.door import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return load()


@pytest.fixture
def back(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the program listens on this device."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(
                b'<!doctype html><link rel="icon" href="data:,"><title>Done</title>You may close this window.'
            )

        def log_message(self, *args: Any) -> None:
            """Not into the tests' output."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/back"
    server.shutdown()
    server.server_close()


def program(url: str, cast: Cast, back: str, *, is_public: bool) -> OAuth2Session:
    """Authlib's client, registered."""
    made = oauth_clients.create(
        tenant=cast.tenant, name="Helpdesk", is_public=is_public, addresses=["http://127.0.0.1/back"], may_write=True
    )
    return OAuth2Session(
        made.client.client_id, made.secret or None, redirect_uri=back, scope="support support.readonly",
        code_challenge_method="S256", token_endpoint_auth_method="none" if is_public else "client_secret_basic",
        token_endpoint=f"{url}/oauth2/token", revocation_endpoint_auth_method="none" if is_public else "client_secret_basic",
    )  # fmt: skip


@pytest.mark.parametrize("is_public", [False, True])
def test_a_library_of_others_walks_the_flow(
    live_server: Any, page: Page, cast: Cast, back: str, is_public: bool
) -> None:
    session = program(live_server.url, cast, back, is_public=is_public)
    verifier = "Ein Satz, den nur das Programm kennt, 43 lang!".replace(" ", "-").replace(",", "").replace("!", "")
    question, state = session.create_authorization_url(f"{live_server.url}/oauth2/authorize", code_verifier=verifier)

    page.goto(question)
    write(page, "[name=username]", "renter@quartier.test")
    write(page, "[name=password]", PASSWORD)
    enter(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Helpdesk")
    with page.expect_navigation(url=f"{back}?**"):
        press(page, "[name=allow]")

    token = session.fetch_token(authorization_response=page.url, state=state, code_verifier=verifier)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    headers, tickets = {NETWORK: str(cast.tenant.uuid)}, f"{live_server.url}/support/tickets/v1"
    new = {"ticket": {"locationRef": str(cast.house_a.uuid), "text": "Der Hahn tropft."}}
    filed = session.post(tickets, json=new, headers=headers)
    assert filed.status_code == 201, filed.text
    assert filed.json()["ticket"]["userRequester"]["id"] == str(cast.renter.uuid)

    first = dict(session.token)
    session.refresh_token(f"{live_server.url}/oauth2/token")
    assert session.token["access_token"] != first["access_token"]
    listed = session.get(f"{tickets}?locationRef={cast.house_a.uuid}", headers=headers).json()
    assert [t["description"] for t in listed["tickets"]] == ["Der Hahn tropft."]

    page.goto(f"{live_server.url}/app/profile")
    press(page, "form[action*='/profile/programs/'] button")
    expect(page.get_by_text("Helpdesk")).to_have_count(0)
    assert session.get(f"{tickets}?locationRef={cast.house_a.uuid}", headers=headers).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(f"{live_server.url}/oauth2/token")


def test_what_is_not_allowed_is_told_to_the_program(live_server: Any, page: Page, cast: Cast, back: str) -> None:
    session = program(live_server.url, cast, back, is_public=True)
    question, state = session.create_authorization_url(f"{live_server.url}/oauth2/authorize", code_verifier="x" * 43)
    page.goto(question)
    write(page, "[name=username]", "renter@quartier.test")
    write(page, "[name=password]", PASSWORD)
    enter(page)
    with page.expect_navigation(url=f"{back}?**"):
        press(page, "[name=deny]")
    assert "error=access_denied" in page.url
    assert f"state={state}" in page.url
    assert not OAuthGrant.objects.exists()


def test_without_scripts_it_is_allowed_as_well(chromium: Any, live_server: Any, cast: Cast, back: str) -> None:
    session = program(live_server.url, cast, back, is_public=True)
    question, _state = session.create_authorization_url(f"{live_server.url}/oauth2/authorize", code_verifier="x" * 43)
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url, locale="de-DE")
    page = context.new_page()
    page.goto(question)
    page.fill("[name=username]", "renter@quartier.test")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.click("[name=allow]")
    page.wait_for_url(f"{back}?**")
    assert "code=" in page.url
    context.close()
