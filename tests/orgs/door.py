"""A caller of the organizations door, who holds every answer against the contract."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from orgs.services import tokens
from tests.docms.door import Answer

if TYPE_CHECKING:
    from orgs.models import Organization, User

PREFIX = "/api/v1"
CONTRACT = Path(__file__).parents[1] / "contracts" / "orgs.yaml"
PERSONAL, OF_ORGANIZATION = "Personal-Access-Token", "API-TOKEN"


@functools.cache
def contract() -> dict[str, Any]:
    """The contract as it was handed over."""
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@functools.cache
def _validator(pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource("contract:orgs", DRAFT202012.create_resource(contract()))
    return Draft202012Validator({"$ref": f"contract:orgs#{pointer}"}, registry=registry)


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths before those with parameters, as the routing has it."""
    paths = sorted(contract()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + r"/?\Z"), path) for path in paths]


def _hold_against_contract(method: str, path: str, status: int, body: Any) -> None:
    """Every body has the shape that the contract promises for that operation, and the status is one it lists."""
    if status >= 400:
        _validator("/components/schemas/ErrorMessage").validate(body)
        assert body["message"], body
    template = next((found for pattern, found in _templates() if pattern.match(path)), None)
    operation = contract()["paths"].get(template, {}).get(method.lower())
    if operation is None or status == 405:
        return
    assert str(status) in operation["responses"], f"{method} {path}: {status} is not listed"
    if status >= 400:
        return
    schema = operation["responses"][str(status)]
    if "$ref" in schema:
        _validator("/components/schemas/StatusMessage").validate(body)
        return
    escaped = str(template).replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    _validator(f"/paths/{escaped}/{method.lower()}/responses/{status}/content/application~1json/schema").validate(body)


def operations() -> list[tuple[str, str, str]]:
    """Every operation of the contract: method, path below the prefix, name."""
    return [
        (method.upper(), path.removeprefix(PREFIX), operation["operationId"])
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


class Caller:
    """Speaks with a token of a person or of an organization, or with none."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self.headers = headers or {}
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **extra: Any) -> Answer:
        """One request; the answer has been held against the contract."""
        headers = {"Accept": "application/json", **self.headers, **extra.pop("headers", {})}
        if body is not None:
            extra = {"data": json.dumps(body).encode(), "content_type": "application/json", **extra}
        answer = Answer(self.client.generic(method, PREFIX + path, headers=headers, **extra))
        if answer.is_json:
            _hold_against_contract(method, PREFIX + path.partition("?")[0], answer.status, answer.body)
        return answer

    def ok(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """The body of a success."""
        answer = self.call(method, path, body, **extra)
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {answer.raw[:300]!r}"
        return answer.body

    def refused(self, method: str, path: str, status: int, body: Any = None, **extra: Any) -> Any:
        """The body of a refusal with that status."""
        answer = self.call(method, path, body, **extra)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.raw[:300]!r}"
        return answer.body

    def make(self, name: str, **fields: Any) -> dict[str, Any]:
        """A new organization."""
        made: dict[str, Any] = self.ok("POST", "/organization", {"name": name, **fields})
        return made

    def get(self, organization: dict[str, Any] | int) -> dict[str, Any]:
        """An organization as it is now."""
        pk = organization if isinstance(organization, int) else organization["id"]
        found: dict[str, Any] = self.ok("GET", f"/organization/{pk}")
        return found

    def put(self, organization: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A changed organization."""
        values = {"id": organization["id"], "name": organization["name"], **fields}
        changed: dict[str, Any] = self.ok("PUT", "/organization", values)
        return changed

    def cost(self, path: str) -> int:
        """How many statements a reading costs, after a first one."""
        self.ok("GET", path)
        with CaptureQueriesContext(connection) as captured:
            self.ok("GET", path)
        return len(captured)


def person(user: User, **values: Any) -> Caller:
    """A caller with a personal token."""
    token, _row = tokens.issue(kind="personal", user=user, expires_in=None, **values)
    return Caller({PERSONAL: token})


def of_organization(organization: Organization | dict[str, Any], **values: Any) -> Caller:
    """A caller with the token of an organization."""
    pk = organization["id"] if isinstance(organization, dict) else organization.pk
    token, _row = tokens.issue(kind="organization", user=None, expires_in=None, organization_id=pk, **values)
    return Caller({OF_ORGANIZATION: token})
