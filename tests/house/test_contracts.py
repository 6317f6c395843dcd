"""Each served OpenAPI document against its contract.

`tests/contracts/holds.txt` lists the operations that hold; it may only grow. Every operation of a contract that is
served at all must be in it, so nothing is opened that falls short.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.drainage import reset_generator_stats

from config import openapi
from config.openapi import DOORS, document

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "contracts"
HOLDS = FOLDER / "holds.txt"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
Node = dict[str, Any]
Operation = tuple[Node, list[Node]]


def contract(name: str) -> Node:
    """The contract as it was handed over."""
    loaded: Node = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


def resolve(node: Any, whole: Node) -> Node:
    """Follow ``$ref`` to the node it names."""
    seen = set()
    while isinstance(node, dict) and "$ref" in node and node["$ref"] not in seen:
        seen.add(node["$ref"])
        target: Any = whole
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = (target or {}).get(part.replace("~1", "/").replace("~0", "~"))
        node = target
    return node if isinstance(node, dict) else {}


def operations(whole: Node) -> Iterator[tuple[str, Operation]]:
    """``GET /docms/api/v1/files/{}`` with the operation and its parameters."""
    server = (whole.get("servers") or [{"url": ""}])[0].get("url", "")
    base = re.sub(r"^[a-z]+://[^/]*", "", server).rstrip("/")
    for path, item in (whole.get("paths") or {}).items():
        key = re.sub(r"\{[^}]*\}", "{}", (base + path).rstrip("/")) or "/"
        for method in METHODS:
            if method in (item or {}):
                listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield f"{method.upper()} {key}", (item[method], [resolve(p, whole) for p in listed])


def types_of(schema: Any, whole: Node, depth: int = 0) -> set[str]:
    """The JSON types a schema admits, null left out; empty when it admits any."""
    schema = resolve(schema, whole)
    if depth > 8:
        return set()
    if schema.get("type"):
        kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        return {"number" if kind == "integer" else kind for kind in kinds} - {"null"}
    found = {"object"} if schema.get("properties") else set()
    found |= {"string" for value in schema.get("enum", []) if isinstance(value, str)}
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, []):
            found |= types_of(part, whole, depth + 1)
    return found


def shape(schema: Any, whole: Node, prefix: str = "", trail: tuple[int, ...] = ()) -> dict[str, set[str]]:
    """Each dotted field below a schema with the types it admits."""
    schema = resolve(schema, whole)
    fields: dict[str, set[str]] = {}
    if len(trail) > 6 or id(schema) in trail:
        return fields
    trail = (*trail, id(schema))
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, []):
            fields |= shape(part, whole, prefix, trail)
    if "items" in schema:
        fields |= shape(schema["items"], whole, prefix + "[]", trail)
    for name, part in (schema.get("properties") or {}).items():
        dotted = f"{prefix}.{name}" if prefix else name
        fields[dotted] = types_of(part, whole)
        fields |= shape(part, whole, dotted, trail)
    return fields


def body_of(holder: Any, whole: Node) -> Any:
    """The schema of the first kind of content."""
    for media in (resolve(holder or {}, whole).get("content") or {}).values():
        if media.get("schema"):
            return media["schema"]
    return {}


def success_of(operation: Node, whole: Node) -> tuple[str, Any]:
    """The first 2xx status with its body."""
    for status, response in sorted((operation.get("responses") or {}).items(), key=lambda pair: str(pair[0])):
        if str(status).startswith("2"):
            return str(status), body_of(response, whole)
    return "", {}


def fields_missing(wanted: dict[str, set[str]], offered: dict[str, set[str]], where: str) -> list[str]:
    """What the offered fields fall short of."""
    misses = [f"{where}: {name} is missing" for name in wanted if name not in offered]
    for name in wanted.keys() & offered.keys():
        if wanted[name] and offered[name] and not wanted[name] & offered[name]:
            misses.append(f"{where}: {name} is {sorted(offered[name])}, not {sorted(wanted[name])}")
    return misses


def shortfalls(wanted: Operation, given: Operation, promised: Node, served: Node) -> list[str]:
    """Parameters, request fields, status and response fields that are not as promised."""
    names = {(p.get("in"), str(p.get("name")).lower()) for p in given[1]}
    misses = [
        f"parameter {p['name']} is missing"
        for p in wanted[1]
        if p.get("in") in ("query", "header") and (p["in"], str(p["name"]).lower()) not in names
    ]
    misses += fields_missing(
        shape(body_of(wanted[0].get("requestBody"), promised), promised),
        shape(body_of(given[0].get("requestBody"), served), served),
        "request",
    )
    needs = [bool(resolve(body, whole).get("required")) for body, whole in
             ((wanted[0].get("requestBody") or {}, promised), (given[0].get("requestBody") or {}, served))]  # fmt: skip
    if needs[0] != needs[1]:
        misses.append(f"the body is {'needed' if needs[0] else 'optional'} in the contract only")
    status, body = success_of(wanted[0], promised)
    given_status, given_body = success_of(given[0], served)
    if status and status not in map(str, given[0].get("responses") or {}):
        misses.append(f"answers {given_status}, not {status}")
    return misses + fields_missing(shape(body, promised), shape(given_body, served), "response")


def listed() -> set[str]:
    """The committed list: ``name METHOD path`` a line."""
    return {line for line in HOLDS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_served_operations_keep_their_contract(name: str) -> None:
    """Everything that is served holds, and stands in the list; what stands in the list is served."""
    promised, served = contract(name), document(name)
    offered = dict(operations(served))
    wanted = dict(operations(promised))
    misses = {
        key: found
        for key in wanted.keys() & offered.keys()
        if (found := shortfalls(wanted[key], offered[key], promised, served))
    }
    assert not misses
    holding = {f"{name} {key}" for key in wanted.keys() & offered.keys()}
    committed = {line for line in listed() if line.startswith(f"{name} ")}
    assert committed <= holding, "an operation that held is gone"
    assert holding <= committed, "add these to tests/contracts/holds.txt"


@pytest.mark.parametrize("name", sorted(DOORS))
def test_documents_say_where_they_are_served(name: str) -> None:
    """Title, version and server of the contract, in OpenAPI 3.1."""
    promised, served = contract(name), document(name)
    assert served["openapi"].startswith("3.1")
    assert served["info"]["title"] == promised["info"]["title"]
    assert served["info"]["version"] == promised["info"]["version"]
    assert served["servers"][0]["url"] == promised["servers"][0]["url"]


@pytest.mark.parametrize("name", sorted(DOORS))
def test_operations_and_components_are_named_as_in_the_contract(name: str) -> None:
    """Generated clients of both documents have the same method and class names."""
    promised, served = contract(name), document(name)
    wanted = dict(operations(promised))
    for key, (operation, _parameters) in operations(served):
        if key in wanted:
            assert operation["operationId"] == wanted[key][0]["operationId"], key
    unknown = served.get("components", {}).get("schemas", {}).keys() - promised["components"]["schemas"].keys()
    assert not unknown


def test_documents_are_plain_openapi_3_1() -> None:
    """No word of 3.0 is left, every reference leads somewhere, and no operation id occurs twice."""
    for name in DOORS:
        served = document(name)
        text = str(served)
        assert "'nullable'" not in text
        for reference in set(re.findall(r"'\$ref': '([^']+)'", text)):
            assert resolve({"$ref": reference}, served), reference
        ids = [operation["operationId"] for _key, (operation, _parameters) in operations(served)]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(DOORS))
def test_documents_are_made_without_a_warning(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the maker of the document warns of, makers of clients stumble over."""
    monkeypatch.setattr(openapi, "_documents", {})
    reset_generator_stats()  # else it says everything once only
    document(name)
    assert "Warning" not in capfd.readouterr().err


def test_the_command_prints_what_is_served(client: Any, db: None) -> None:
    """`export_schema` and `/api/schema/` are one document, as YAML and as JSON."""
    out = io.StringIO()
    call_command("export_schema", "docms", stdout=out)
    response = client.get("/api/schema/docms/")
    assert response.status_code == 200
    assert response.content.decode() == out.getvalue()
    assert client.get("/api/schema/docms/?format=json").json() == yaml.safe_load(out.getvalue())
    assert client.get("/api/schema/nothing/").status_code == 404


@pytest.mark.parametrize("page", ["/api/docs/docms/", "/api/docs/docms/redoc/"])
def test_documents_can_be_looked_at(client: Any, page: str) -> None:
    """Both viewers come from this server, and no script that is not ours runs in them."""
    response = client.get(page)
    assert response.status_code == 200
    assert b"/api/schema/docms/" in response.content
    assert b"https://" not in response.content
    policy = response["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in scripts


def test_the_viewers_draw_the_document(page: Any, console: list[str]) -> None:
    """In a browser, under the policy of the page: every operation is there."""
    page.goto("/api/docs/docms/")
    page.locator(".opblock-summary-path", has_text="/get-tenants").wait_for()
    page.goto("/api/docs/docms/redoc/")
    page.locator("h1", has_text="Document management API").wait_for()
    page.locator("h2", has_text="Bind the token to a tenant").wait_for()
    # ReDoc wants its own logo from the network; the policy says no.
    console[:] = [text for text in console if "cdn.redoc.ly" not in text]
