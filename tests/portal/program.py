"""A program of others that walks the code flow of OAuth step by step."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.test import Client

from orgs.services import oauth_clients

if TYPE_CHECKING:
    from tests.cast import Cast

BACK = "https://desk.example/back"


def registered(cast: Cast, **values: Any) -> oauth_clients.Registered:
    """A program of the company with a secret, unless ``values`` say otherwise."""
    given = {"tenant": cast.tenant, "name": "Helpdesk", "is_public": False, "addresses": [BACK], "may_write": True}
    return oauth_clients.create(**{**given, **values})


@dataclass
class Program:
    """A program that walks the flow, as one that nobody of us wrote would."""

    made: oauth_clients.Registered
    back: str = BACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    http: Client = field(default_factory=Client)

    def question(self, **values: Any) -> str:
        """The address to which it sends people; None leaves a value out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        given = {
            "response_type": "code", "client_id": self.made.client.client_id, "redirect_uri": self.back,
            "scope": "support", "state": "xyz", "code_challenge": challenge, "code_challenge_method": "S256", **values,
        }  # fmt: skip
        return "/oauth2/authorize?" + urlencode({name: value for name, value in given.items() if value is not None})

    def allowed(self, browser: Client, **values: Any) -> dict[str, str]:
        """What comes back to it when a person allows it."""
        answer = browser.post(self.question(**values), {"allow": "1"})
        assert answer.status_code == 302, answer.content
        assert answer.url.startswith(self.back), answer.url
        return dict(parse_qsl(urlsplit(answer.url).query))

    def exchange(self, code: str, **values: Any) -> Any:
        """The answer to a code."""
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back}
        return self.post("token", {**given, "code_verifier": self.verifier, **values})

    def refresh(self, token: str, **values: Any) -> Any:
        """The answer to a refresh token."""
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **values})

    def post(self, path: str, values: dict[str, Any]) -> Any:
        """A question to one of the two addresses."""
        given = {"client_id": self.made.client.client_id, **values}
        if self.made.secret:
            given.setdefault("client_secret", self.made.secret)
        sent = urlencode({name: value for name, value in given.items() if value is not None})
        return self.http.post(f"/oauth2/{path}", sent, content_type="application/x-www-form-urlencoded")

    def tokens(self, browser: Client, **values: Any) -> dict[str, Any]:
        """The pair that the whole flow ends in."""
        answer = self.exchange(self.allowed(browser, **values)["code"])
        assert answer.status_code == 200, answer.content
        pair: dict[str, Any] = answer.json()
        return pair


def reads(token: str, cast: Cast) -> int:
    """The status with which the support API answers to a token."""
    headers = {"Authorization": f"Bearer {token}", "spacebring-network-id": str(cast.tenant.uuid)}
    return Client().get(f"/support/tickets/v1?locationRef={cast.house_a.uuid}", headers=headers).status_code
