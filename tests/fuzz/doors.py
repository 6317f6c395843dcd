"""Each served write operation with a body, and a caller that holds refusals against the served document."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import resolve
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from config.openapi import DOORS, document
from tests.fuzz.cases import FITTING, IN_PATHS, KINDS, operators_own
from tests.fuzz.world import PERSONAL, World

JSON = "application/json"
# Values of required fields that neither the world nor `FITTING` knows.
_PLAIN: dict[str, Any] = {"string": "Neu", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True)
class Operation:
    """One operation of a served document."""

    contract: str
    method: str
    path: str  # with {parameters}, behind the prefix
    entry: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.contract} {self.method} {self.path}"

    @property
    def schema(self) -> dict[str, Any]:
        """Of the body in JSON; empty when it takes none."""
        content = self.entry.get("requestBody", {}).get("content", {})
        return self.resolved(content[JSON]["schema"]) if JSON in content else {}

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields of the body, without those that it only passes over."""
        found = {name: self.resolved(schema) for name, schema in self.schema.get("properties", {}).items()}
        return {name: schema for name, schema in found.items() if not schema.get("x-ignored")}

    @property
    def limit(self) -> int:
        """Bytes of JSON that its view takes."""
        from django.conf import settings

        view = resolve(self.prefix + re.sub(r"\{\w+\}", "1", self.path)).func.cls
        return int(getattr(view, "json_body_limit", 0) or settings.JSON_BODY_LIMIT)

    @property
    def prefix(self) -> str:
        """Where the door is."""
        return DOORS[self.contract].server.rstrip("/")

    def url(self, world: World, **values: object) -> str:
        """The address, of rows that exist unless told otherwise."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in values:
                return str(values[name])
            if self.contract == "tickets":
                kind = "attachment" if name == "key" else "activity" if "/comment/" in self.path else "ticket"
                return str(world.values[kind].own[0])
            if self.path.startswith("/groupadmin/"):
                return str(world.led[name])
            return str(world.values[IN_PATHS[name]].own[0]) if IN_PATHS.get(name) in world.values else "1"

        return self.prefix + re.sub(r"\{(\w+)\}", value, self.path)

    def body(self, world: World, **values: Any) -> dict[str, Any]:
        """What it needs, and these values."""
        needed = {name: self._plain(world, name) for name in self.schema.get("required", ()) if name not in values}
        return {**needed, **values}

    def _plain(self, world: World, name: str) -> Any:
        schema = self.fields[name]
        kind = schema.get("type")
        if name in FITTING:
            return FITTING[name][0]
        if name in KINDS and kind == "integer":
            return world.values[KINDS[name]].own[0]
        if name in KINDS and kind == "array" and schema.get("minItems"):
            return [world.values[KINDS[name]].own[0]]
        if "enum" in schema:
            return schema["enum"][0]
        return "#aabbcc" if name == "color" else _PLAIN[kind if isinstance(kind, str) else kind[0]]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Behind its reference."""
        whole = document(self.contract)
        while "$ref" in schema:
            for part in schema["$ref"].removeprefix("#/").split("/"):
                whole = whole[part]
            schema, whole = whole, document(self.contract)
        return schema


@functools.cache
def everything() -> tuple[Operation, ...]:
    """Whatever is served, of all contracts."""
    found = [
        Operation(name, method.upper(), path, entry)
        for name, door in sorted(DOORS.items())
        if door.urls
        for path, item in document(name)["paths"].items()
        for method, entry in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert found
    return tuple(found)


def writes() -> list[Operation]:
    """Those that take an object in JSON."""
    return [operation for operation in everything() if operation.schema.get("type") == "object"]


@functools.cache
def _registry(contract: str) -> Registry[Any]:
    return Registry().with_resource(contract, DRAFT202012.create_resource(document(contract)))


def hold(operation: Operation, status: int, body: Any) -> None:
    """An error has the shape of the document: that of its status, or where it names none that of another error."""
    responses = operation.entry["responses"]
    entry = responses.get(str(status)) or next(entry for code, entry in responses.items() if code.startswith("4"))
    schema = entry["content"][JSON]["schema"]
    if "$ref" in schema:
        schema = {"$ref": operation.contract + schema["$ref"]}
    Draft202012Validator(schema, registry=_registry(operation.contract)).validate(body)


class Door:
    """Calls operations as one role, and those of the operator as the operator."""

    def __init__(self, world: World, role: str = "admin") -> None:
        self.world, self.role = world, role
        self.client = Client(raise_request_exception=False)

    def send(
        self,
        operation: Operation,
        raw: bytes,
        *,
        kind: str = JSON,
        url: str = "",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The answer."""
        role = "operator" if f"{operation.method} {operation.path}" in operators_own() else self.role
        sent = {**self.world.signed_in(operation.path, role), **(headers or {})}
        if operation.contract == "orgs" and "Authorization" in sent:  # a test sends another one
            sent[PERSONAL] = sent.pop("Authorization")
        return self.client.generic(
            operation.method,
            url or operation.url(self.world),
            raw,
            content_type=kind,
            headers=sent,
        )

    def refused(
        self, operation: Operation, raw: bytes, status: int, *, names: str = "", **extra: Any
    ) -> dict[str, Any]:
        """The body of a refusal in the dialect of the door, which names the field."""
        answer = self.send(operation, raw, **extra)
        assert answer.status_code == status, (str(operation), raw[:100], answer.status_code, answer.content[:300])
        assert answer.headers["Content-Type"].startswith(JSON), str(operation)
        body: dict[str, Any] = json.loads(answer.content)
        hold(operation, status, body)
        assert names in answer.content.decode(), (str(operation), names, body)
        return body


def texts(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its fields that take text."""
    for name, schema in operation.fields.items():
        kinds = schema.get("type")
        if "string" in ([kinds] if isinstance(kinds, str) else kinds or []):
            yield name, schema


def dumped(value: Any) -> bytes:
    """JSON."""
    return json.dumps(value).encode()
