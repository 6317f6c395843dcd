"""A caller of the docms door, who holds every answer against the contract."""

from __future__ import annotations

import base64
import datetime
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from core.tokens import token_hash
from docms.api.base import UnknownPath
from messaging.models import Message
from orgs.models import AccessToken, Organization, OrganizationSettings, User
from orgs.services import tokens
from tests.cast import PASSWORD, Cast

OCTETS = "application/octet-stream"
NO_FLAGS = dict.fromkeys(("read", "download", "upload", "edit", "edit_own", "mail", "log"), False)
PREFIX = "/docms/api/v1"
CONTRACT = Path(__file__).parents[1] / "contracts" / "docms.yaml"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
ERROR_FIELDS = {"timestamp", "status", "error", "message", "path"}


@functools.cache
def contract() -> dict[str, Any]:
    """The contract as it was handed over."""
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@functools.cache
def _registry() -> Registry[Any]:
    return Registry().with_resource("contract:docms", DRAFT202012.create_resource(contract()))


@functools.cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"contract:docms#{pointer}"}, registry=_registry())


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths before those with parameters, as the routing has it."""
    paths = sorted(contract()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + r"\Z"), path) for path in paths]


@dataclass(frozen=True)
class Operation:
    """An operation of the contract that is served."""

    method: str
    path: str  # with {parameters}
    entry: dict[str, Any]

    @property
    def takes(self) -> set[str]:
        """The kinds of sign-in it accepts; empty for everybody's."""
        return {name for kind in self.entry.get("security", ()) for name in kind}

    def at(self, **values: object) -> str:
        """The path with these values, and 1 for what is left out."""
        return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], 1)), self.path)


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the contract that a view answers, so that a test of all of them grows with the door."""
    found = []
    for path, item in contract()["paths"].items():
        view = resolve(PREFIX + re.sub(r"\{\w+\}", "1", path)).func.cls
        found += [
            Operation(method.upper(), path, item[method])
            for method in ("get", "post", "put", "delete")
            if method in item and view is not UnknownPath and hasattr(view, method)
        ]
    assert len(found) > 60
    return tuple(found)


def _hold_against_contract(method: str, path: str, status: int, body: Any) -> None:
    """Every body has the shape that the contract promises for that operation."""
    if status >= 400:
        assert isinstance(body, dict), body
        assert body.keys() >= ERROR_FIELDS, body
        assert body["status"] == status
        _validator("/components/schemas/Error").validate(body)
        return
    template = next((found for pattern, found in _templates() if pattern.match(path)), None)
    operation = contract()["paths"].get(template, {}).get(method.lower())
    if operation is None:
        return
    content = operation["responses"]["200"].get("content", {})
    if "application/json" not in content:
        assert body is None, f"{method} {path} promises an empty body"
        return
    escaped = str(template).replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    pointer = f"/paths/{escaped}/{method.lower()}/responses/200/content/application~1json/schema"
    _validator(pointer).validate(body)


class Answer:
    """Status, parsed body and headers of one answer."""

    def __init__(self, response: Any) -> None:
        self.response, self.status = response, response.status_code
        self.raw = b"".join(response.streaming_content) if response.streaming else response.content
        self.is_json = response.headers.get("Content-Type", "").startswith("application/json")
        self.body: Any = json.loads(self.raw) if self.raw and self.is_json else None

    def __getitem__(self, header: str) -> str:
        return str(self.response.headers[header])


class Caller:
    """Speaks as one person, in one tenant, or as nobody."""

    def __init__(self, token: str = "", *, address: str = "203.0.113.9") -> None:
        self.token, self.address = token, address
        self.client = Client(raise_request_exception=False)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        basic: str = "",
        accept: str = "application/json",
        **extra: Any,
    ) -> Answer:
        """One request; the answer has been held against the contract."""
        headers = {"Accept": accept}
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(basic.encode()).decode()
        elif self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            extra = {"data": json.dumps(body), "content_type": "application/json", **extra}
        response = self.client.generic(
            method, PREFIX + path, headers=headers, REMOTE_ADDR=self.address, **_bytes(extra)
        )
        answer = Answer(response)
        assert answer["Cache-Control"] == "no-store"
        if answer.is_json or not answer.raw:
            _hold_against_contract(method, path.partition("?")[0], answer.status, answer.body)
        return answer

    def ok(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """The body of a success."""
        answer = self.call(method, path, body, **extra)
        assert answer.status == 200, f"{method} {path}: {answer.status} {answer.raw[:300]!r}"
        return answer.body

    def refused(self, method: str, path: str, status: int, body: Any = None, **extra: Any) -> Any:
        """The body of a refusal with that status."""
        answer = self.call(method, path, body, **extra)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.raw[:300]!r}"
        return answer.body

    def upload(self, folder_id: int, content: bytes = PDF, **fields: Any) -> dict[str, Any]:
        """A document in a folder."""
        made: dict[str, Any] = self.ok(
            "POST",
            "/files",
            {"folder_id": folder_id, "filename": "brief.pdf", "file_data": b64(content), **fields},
        )
        return made


def _bytes(extra: dict[str, Any]) -> dict[str, Any]:
    if isinstance(extra.get("data"), str):
        extra["data"] = extra["data"].encode()
    return extra


def b64(content: bytes) -> str:
    """Plain Base64."""
    return base64.b64encode(content).decode()


def signed_in(user: User, tenant: Organization, **extra: Any) -> Caller:
    """A caller with a token that is active for a tenant."""
    token, _row = tokens.issue(
        kind="docms_session",
        user=user,
        expires_in=datetime.timedelta(hours=1),
        organization=tenant,
        state=AccessToken.State.ACTIVE,
    )
    return Caller(token, **extra)


def login(who: str, password: str = PASSWORD, **extra: Any) -> Caller:
    """A caller whose token is not activated."""
    caller = Caller(**extra)
    caller.token = caller.ok("GET", "/login", basic=f"{who}@quartier.test:{password}")["token"]
    return caller


def age(caller: Caller, **values: Any) -> None:
    """Change the row of the caller's token."""
    AccessToken.objects.filter(token_hash=token_hash(caller.token)).update(**values)


def settings_of(cast: Cast, **values: Any) -> None:
    """Change settings of the tenant."""
    OrganizationSettings.objects.filter(organization=cast.tenant).update(**values)


def cost_of(caller: Caller, path: str, method: str = "GET", body: Any = None) -> int:
    """The number of queries of a request that succeeds; asked twice, because the first use of a token is noted."""
    caller.ok(method, path, body)
    with CaptureQueriesContext(connection) as queries:
        caller.ok(method, path, body)
    return len(queries)


def make_group(admin: Caller, name: str, *user_ids: int, **fields: Any) -> int:
    """A group by hand."""
    made: int = admin.ok("POST", "/groups", {"name": name, "user_ids": list(user_ids), **fields})["group_id"]
    return made


def make_folder(admin: Caller, name: str, *group_ids: int, **fields: Any) -> int:
    """A folder."""
    made: int = admin.ok("POST", "/folders", {"name": name, "group_ids": list(group_ids), **fields})["folder_id"]
    return made


def names(folders: list[dict[str, Any]]) -> list[Any]:
    """Names with those of their children."""
    return [(f["name"], names(f["subfolders"])) if f["subfolders"] else f["name"] for f in folders]


def soon(**delta: float) -> str:
    """A moment from now, as the contract writes it."""
    return f"{timezone.now() + datetime.timedelta(**delta):%Y-%m-%dT%H:%M:%S.000%z}"


def permit(admin: Caller, folder: int, user_id: int, **flags: bool) -> None:
    """Replace the global flags of one user in a folder."""
    admin.ok("PUT", f"/folders/{folder}/permissions/{user_id}", {"active": True, **NO_FLAGS, **flags})


def multipart(caller: Caller, method: str, path: str, fields: Any, content: bytes, name: str = "plan.pdf") -> Answer:
    """A request whose content is a part of its own."""
    data = {"metadata": json.dumps(fields), "content": SimpleUploadedFile(name, content, "application/pdf")}
    return caller.call(method, path, data=encode_multipart(BOUNDARY, data), content_type=MULTIPART_CONTENT)


def row_of(caller: Caller, file: int) -> dict[str, Any]:
    """One document."""
    found: dict[str, Any] = caller.ok("GET", f"/files/{file}")
    return found


def link_and_code(share_id: int) -> tuple[str, str]:
    """The secret of a share's link and its code, as mail and text message say them before they are sent."""
    mail = Message.objects.get(dedupe_key__startswith=f"share:{share_id}:")
    text = Message.objects.get(dedupe_key=f"share_sms:{share_id}")
    link = re.search(r"/app/shares/([\w-]+)", mail.body_text)
    code = re.search(r"\b([2-9A-HJKMNP-Z]{6,})$", text.body_text)
    assert link and code, (mail.body_text, text.body_text)
    return link[1], code[1]
