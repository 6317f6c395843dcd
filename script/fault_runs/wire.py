"""HTTP as a client speaks it, and what answers are worth."""

from __future__ import annotations

import base64
import http.client
import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from script.fault_runs.people import ADMIN, PASSWORD

PATIENCE = 30.0  # seconds for one answer
DIALECT = {"timestamp", "status", "error", "message", "path"}
LATER = (502, 503, 507)  # answers that say: not now


class NoAnswer(Exception):
    """The connection broke or was refused: nobody knows what became of the request."""


@dataclass
class Answer:
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


@dataclass
class Answers:
    """What all clients were told."""

    count: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    unclear: list[str] = field(default_factory=list)

    def told(self, method: str, path: str, answer: Answer) -> None:
        """Count it; an error of ours that says neither what nor when to come back is unclear."""
        self.count[answer.status] += 1
        if answer.status < 500:
            return
        problem = ""
        if answer.status not in LATER:
            problem = "does not say that it is not now"
        elif not answer.headers.get("retry-after", "").isdigit():
            problem = "has no Retry-After"
        elif path.startswith("/docms/") and not self._in_dialect(answer):
            problem = "is not in the dialect"
        if problem:
            self.unclear.append(f"{method} {path}: {answer.status} {problem}: {answer.body[:200]!r}")

    @staticmethod
    def _in_dialect(answer: Answer) -> bool:
        try:
            return bool(answer.json.keys() >= DIALECT)
        except (ValueError, AttributeError):
            return False

    @property
    def errors(self) -> str:
        """Errors by status, for the table."""
        parts = [f"{count}×{status}" for status, count in sorted(self.count.items()) if status >= 500]
        return ", ".join(parts + ([f"{self.broken}×none"] if self.broken else [])) or "–"


class Wire:
    """Requests of one client, each on a connection of its own."""

    def __init__(self, port: int, answers: Answers) -> None:
        self.port, self.answers = port, answers

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """One request. Raises `NoAnswer`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
            answer.headers["set-cookie"] = "\n".join(response.headers.get_all("Set-Cookie") or ())
        except (OSError, http.client.HTTPException) as error:
            self.answers.broken += 1
            raise NoAnswer(str(error)) from error
        finally:
            connection.close()
        self.answers.told(method, path, answer)
        return answer


class Api(Wire):
    """The docms door, signed in as the administrator."""

    def __init__(self, port: int, answers: Answers, tenant: int) -> None:
        super().__init__(port, answers)
        self.tenant, self.token = tenant, ""

    def call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """One request with a token. Raises `NoAnswer`."""
        if not self.token:
            self._sign_in()
        answer = self.ask(method, f"/docms/api/v1{path}", body, self._headers(headers))
        if answer.status == 401:
            self.token = ""
        return answer

    def upload(self, folder: int, name: str, content: bytes) -> Answer:
        """A document in Base64."""
        fields = {"folder_id": folder, "filename": name, "file_data": base64.b64encode(content).decode()}
        return self.call("POST", "/files", json.dumps(fields).encode(), {"Content-Type": "application/json"})

    def upload_parts(self, folder: int, name: str, content: bytes) -> Answer:
        """A document as a multipart form."""
        edge = uuid.uuid4().hex
        fields = json.dumps({"folder_id": folder, "filename": name})
        body = (
            f'--{edge}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{fields}\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        ).encode()
        body += content + f"\r\n--{edge}--\r\n".encode()
        return self.call("POST", "/files", body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def _sign_in(self) -> None:
        basic = base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
        answer = self.ask("GET", "/docms/api/v1/login", headers={"Authorization": f"Basic {basic}"})
        if answer.status != 200:
            raise NoAnswer(f"sign-in: {answer.status}")
        token = answer.json["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.ask("GET", f"/docms/api/v1/select-tenant/{self.tenant}", headers=headers)
        if answer.status != 200:
            raise NoAnswer(f"choice of the tenant: {answer.status}")
        self.token = token

    def _headers(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **(more or {})}


class Browser(Wire):
    """The back office, signed in as the administrator."""

    def __init__(self, port: int, answers: Answers) -> None:
        super().__init__(port, answers)
        self.cookies: dict[str, str] = {}

    def visit(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """One request with the cookies. Raises `NoAnswer`."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        mine = {"Cookie": cookie, "X-CSRFToken": self.cookies.get("csrftoken", ""), "Connection": "close"}
        answer = self.ask(method, path, body, {**mine, **(headers or {})})
        for line in answer.headers["set-cookie"].splitlines():
            name, _is, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def form(self, path: str, fields: dict[str, str], file: tuple[str, bytes] | None = None) -> Answer:
        """A form that is sent. Raises `NoAnswer`."""
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        if file is not None:
            head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"\r\n'
            parts.append(f"{head}Content-Type: text/csv\r\n\r\n".encode() + file[1] + b"\r\n")
        parts.append(f"--{edge}--\r\n".encode())
        return self.visit("POST", path, b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def sign_in(self) -> None:
        """Raises `NoAnswer` while that is not possible."""
        self.cookies.clear()
        page = self.visit("GET", "/app/login")
        if page.status != 200:
            raise NoAnswer(f"sign-in page: {page.status}")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
        if token is None:
            raise NoAnswer("sign-in page without a form")
        fields = {"username": ADMIN, "password": PASSWORD, "csrfmiddlewaretoken": token[1].decode()}
        answer = self.form("/app/login", fields)
        if answer.status != 302:
            raise NoAnswer(f"sign-in: {answer.status}")
