"""One question of the matrix: a request as a role, about ids of a place, undone afterwards; and what came back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, ClientHandler, encode_multipart
from django.utils.html import escape

from tests.docms.door import b64

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from tests.rights.matrix.world import World

_handler = ClientHandler(enforce_csrf_checks=False)
_factory = RequestFactory(REMOTE_ADDR="203.0.113.9")
# What differs between two answers to the same question: nonces, tokens against forgery, moments.
_CHANGING = re.compile(
    rb'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": *"[^"]*"|"timestamp":"[^"]*"'
)
_NUMBER = re.compile(rb"(\d+)")
_NONCE = re.compile(r"'nonce-[^']*'")
_OF_ITS_OWN = {"x-request-id", "date", "content-length", "expires", "upload-expires"}
_SIGN_IN = ("/app/login", "/admin/login/")


@dataclass(frozen=True)
class Answer:
    """What came back, without what changes from one time to the next and without the address that was asked."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    leads_to_sign_in: bool  # a 401, or a redirect to the page for signing in
    named: tuple[object, ...] = ()  # the ids of the query or the body, which the answer may echo

    def differs(self, other: Answer) -> str:
        """In what first, or nothing."""
        if self.status != other.status:
            return f"status {self.status} and {other.status}"
        for mine, theirs in zip(self.headers, other.headers, strict=False):
            if mine != theirs:
                return f"header {mine} and {theirs}"
        if len(self.headers) != len(other.headers):
            return f"headers {self.headers} and {other.headers}"
        return self._first_difference(other)

    def _first_difference(self, other: Answer) -> str:
        """Of the bodies. Where one echoes an id that was asked for, the other echoes its own."""
        if self.body == other.body:
            return ""
        echoes = {
            (str(mine).encode(), str(theirs).encode()) for mine, theirs in zip(self.named, other.named, strict=True)
        }
        mine, theirs = _NUMBER.split(self.body), _NUMBER.split(other.body)
        for at, pair in enumerate(zip_longest(mine, theirs, fillvalue=b"")):
            if pair[0] != pair[1] and pair not in echoes:
                near = slice(max(0, at - 4), at + 5)
                return f"body {b''.join(mine[near])[:160]!r} and {b''.join(theirs[near])[:160]!r}"
        return ""


def ask(world: World, role: str, method: str, path: str, payload: Any, *, named: tuple[object, ...] = ()) -> Answer:
    """Ask, read the answer to its end and undo what it did. ``named`` are the ids of a query or a body."""
    environ = _environ(world, role, method, path, payload)
    with transaction.atomic():
        response: HttpResponseBase = _handler(environ)
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    length = response.headers.get("Content-Length")
    assert length is None or method == "HEAD" or int(length) == len(body), (
        f"{method} {path} says {length}, sends {len(body)}"
    )
    return _plain(response, body, path, named)


def _environ(world: World, role: str, method: str, path: str, payload: Any) -> dict[str, Any]:
    headers: dict[str, str] = {}
    if path.startswith("/docms/"):
        if role in world.tokens:
            headers["Authorization"] = f"Bearer {world.tokens[role]}"
    elif path.startswith(("/api/v1/organization", "/api/v1/trial")):
        if role in world.personal_tokens:
            headers["Personal-Access-Token"] = world.personal_tokens[role]
    elif path.startswith("/support/"):
        if role in world.credentials:
            headers["Authorization"] = world.credentials[role]
    elif role in world.cookies:
        headers["Cookie"] = f"user_session={world.cookies[role]}"
    if path.startswith(("/admin/uploads/", "/app/uploads/", "/app/ticket-uploads/")):
        metadata = {"filename": "x.pdf", **(payload or {})}
        told = ",".join(f"{key} {b64(str(value).encode())}" for key, value in metadata.items())
        headers |= {
            "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "5", "Upload-Metadata": told,
        }  # fmt: skip
        return _made(method, path, headers, b"12345" if method == "PATCH" else b"", "application/offset+octet-stream")
    if method in ("GET", "HEAD"):
        return _made(method, path, headers, b"", "")
    if path.startswith(("/docms/", "/api/", "/support/tickets/")):
        data = b"" if payload is None else json.dumps(payload).encode()
        return _made(method, path, headers, data, "application/json")
    form = payload or {}
    if path.startswith("/support/attachments/"):
        form = form | {"file": SimpleUploadedFile("notiz.txt", form["file"].encode())}
    return _made(method, path, headers, encode_multipart(BOUNDARY, form), MULTIPART_CONTENT)


def _made(method: str, path: str, headers: dict[str, str], data: bytes, kind: str) -> dict[str, Any]:
    return dict(_factory.generic(method, path, data, content_type=kind, headers=headers).environ)


def _plain(response: Any, body: bytes, path: str, named: tuple[object, ...]) -> Answer:
    page = path.partition("?")[0]
    asked = {path, page, unquote(path)}
    if above := page.rstrip("/").rpartition("/")[0]:
        asked.add(above)  # what is done to a thing leads back to its page
    forms = {form for one in asked for form in (one, escape(one), quote(one), quote(one, safe=""))}
    longest_first = sorted(forms, key=len, reverse=True)
    text = _CHANGING.sub(b"", body)
    for form in longest_first:
        text = text.replace(form.encode(), b"{path}")
    for word in (value for value in named if isinstance(value, str)):
        text = text.replace(word.encode(), b"{name}")
    headers = []
    for name, value in response.headers.items():
        if name.lower() in _OF_ITS_OWN:
            continue
        shown = _NONCE.sub("", value)
        for form in longest_first:
            shown = shown.replace(form, "{path}")
        headers.append((name.lower(), shown))
    cookies = [("set-cookie", name) for name in response.cookies]
    signs_in = response.status_code == 401 or (
        response.status_code == 302 and response.headers["Location"].startswith(_SIGN_IN)
    )
    return Answer(response.status_code, tuple(sorted([*headers, *cookies])), text, signs_in, named)
