"""A caller of the support door, who holds every answer against the contract."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from orgs.services import tokens

if TYPE_CHECKING:
    from orgs.models import Organization
    from tests.cast import Cast

TICKETS, ATTACHMENTS = "/support/tickets/v1", "/support/attachments/v1"
NETWORK = "spacebring-network-id"
_NUMBERS = itertools.count(1)
CONTRACT = Path(__file__).parents[1] / "contracts" / "tickets.yaml"


@functools.cache
def contract() -> dict[str, Any]:
    """The contract as it was handed over."""
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@functools.cache
def _validator(pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource("contract:tickets", DRAFT202012.create_resource(contract()))
    checker = FormatChecker(["uuid", "email"])
    return Draft202012Validator({"$ref": f"contract:tickets#{pointer}"}, registry=registry, format_checker=checker)


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths before those with parameters, as the routing has it."""
    paths = sorted(contract()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + r"\Z"), path) for path in paths]


def _hold_against_contract(method: str, path: str, status: int, body: Any) -> None:
    """Every body has the shape that the contract promises for that operation, and the status is one it lists."""
    if status >= 400:
        _validator("/components/schemas/ResponseError").validate(body)
        assert body["message"] and body["type"], body
    template = next((found for pattern, found in _templates() if pattern.match(path)), None)
    operation = contract()["paths"].get(template, {}).get(method.lower())
    if operation is None:
        return
    assert str(status) in operation["responses"], f"{method} {path}: {status} is not listed"
    content = operation["responses"][str(status)].get("content", {})
    if status >= 400 or "application/json" not in content:
        return
    escaped = str(template).replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    _validator(f"/paths/{escaped}/{method.lower()}/responses/{status}/content/application~1json/schema").validate(body)


class Caller:
    """Speaks with basic credentials, or with none."""

    def __init__(self, client_id: str = "", secret: str = "", **headers: str) -> None:
        self.headers = dict(headers)
        if client_id:
            pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
            self.headers["Authorization"] = f"Basic {pair}"
        self.client = Client(raise_request_exception=False)

    def ask(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, kind: str = "application/json",
        **headers: str,
    ) -> Any:  # fmt: skip
        """The answer, held against the contract; ``.body`` is its JSON, None where there is none."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body, default=str).encode()
        answer: Any = self.client.generic(
            method, path, data, content_type=kind if data else "", headers={**self.headers, **headers}
        )
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        answer.body = json.loads(answer.content) if is_json and answer.content else None
        _hold_against_contract(method, path.partition("?")[0], answer.status_code, answer.body)
        return answer

    def ok(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        """The body of a success."""
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == status, (method, path, answer.status_code, answer.content[:400])
        return answer.body

    def refused(self, method: str, path: str, status: int, body: Any = None, **options: Any) -> dict[str, Any]:
        """The body of a refusal."""
        answer = self.ask(method, path, body, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.content[:400])
        found: dict[str, Any] = answer.body
        return found

    # --- The operations --------------------------------------------------------------------------------

    def create(self, cast: Cast, text: str = "Es tropft.", **values: Any) -> dict[str, Any]:
        """A new ticket of house A: the whole answer."""
        ticket = {"locationRef": str(cast.house_a.uuid), "text": text} | values
        made: dict[str, Any] = self.ok("POST", TICKETS, {"ticket": ticket}, status=201)
        return made

    def read(self, ticket: Any) -> dict[str, Any]:
        """A ticket with its stream."""
        found: dict[str, Any] = self.ok("GET", f"{TICKETS}/{getattr(ticket, 'uuid', ticket)}")
        return found

    def page(self, cast: Cast, query: str = "") -> dict[str, Any]:
        """A page of house A's tickets."""
        found: dict[str, Any] = self.ok("GET", f"{TICKETS}?locationRef={cast.house_a.uuid}{query}")
        return found

    def comment(self, ticket: Any, text: str = "Und?", **values: Any) -> dict[str, Any]:
        """A new comment: the recorded activity."""
        activity = {"ticketRef": str(getattr(ticket, "uuid", ticket)), "text": text} | values
        made: dict[str, Any] = self.ok("POST", f"{TICKETS}/comment", {"activity": activity}, status=201)["activity"]
        return made

    def send(self, cast: Cast, content: bytes, name: str = "notiz.txt", location: Any = None) -> Any:
        """The answer to an upload."""
        form = {"file": SimpleUploadedFile(name, content), "locationRef": str(location or cast.house_a.uuid)}
        return self.ask("POST", ATTACHMENTS, raw=encode_multipart(BOUNDARY, form), kind=MULTIPART_CONTENT)

    def upload(self, cast: Cast, content: bytes = b"Notiz", name: str = "notiz.txt") -> dict[str, Any]:
        """A finished upload."""
        answer = self.send(cast, content, name)
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.body["attachment"]
        return found

    def cost(self, path: str) -> int:
        """How many statements a reading costs, after a first one."""
        self.ok("GET", path)
        with CaptureQueriesContext(connection) as captured:
            self.ok("GET", path)
        return len(captured)


def basic(cast: Cast, who: str = "admin", *, network: Organization | None = None, **values: Any) -> Caller:
    """A caller with credentials that act as a persona."""
    place = network or (cast.other_tenant if who in ("stranger", "foreigner") else cast.tenant)
    values = {"scopes": ["support"], "expires_in": None} | values
    secret, row = tokens.issue(
        kind="basic", user=getattr(cast, who), organization=place, public_id=f"support-{who}-{next(_NUMBERS)}", **values
    )
    return Caller(row.public_id or "", secret)
