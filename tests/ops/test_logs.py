"""Nothing that is secret is written down: not by web and worker at their most talkative, not into the logs in the database.

One module-wide story does what people and programs do, with secrets that are known here. Then every place that is written
to is searched for each of them: plain, URL-encoded, in Base64.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.test import override_settings
from django_otp.oath import TOTP

from core import scope
from core.models import AuditEntry, JobRun, SystemLog
from docms.models import DocumentLog
from messaging.models import Message
from orgs.models import Session, SignInLog
from orgs.services import contacts, invites, occupancies, second_factor
from tests.cast import PASSWORD, load
from tests.factories import pdf
from tests.house.test_settings import GOOD
from tests.ops.confine import give
from tests.ops.conftest import Serve
from tests.ops.raw import Browser, ask, lasting_password
from tests.portal.pages import house_folder
from tests.servers import MailSink, eventually, owner

if TYPE_CHECKING:
    from tests.cast import Cast

DOOR = "/docms/api/v1"
WRONG = "Falsches-Wort-77"
NEW = "Ganz-neues-Wort-78"
API_NEW = "Anderes-neues-Wort-79"
SMTP_PASSWORD = "Brieftaubenfutter-80"
QUERY = "Geheimfrage-81"
MARKER = "Inhalt-des-Vertrags-82-streng-vertraulich"


@dataclass
class Said:
    """What was written where, and what must not stand in it."""

    places: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)


class _Form(HTMLParser):
    """The fields of the form with a method, as a browser would send them back unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "")
        if tag == "input" and name and kind not in ("submit", "file", "button", "image"):
            if kind not in ("checkbox", "radio") or "checked" in given:
                self.fields[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data


def _fields(page: str) -> dict[str, str]:
    form = _Form()
    form.feed(page)
    return form.fields


@contextlib.contextmanager
def broken(table: str) -> Iterator[None]:
    """Writing a row of that table fails, and PostgreSQL prints the row."""
    with owner() as connection:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT refuse_all CHECK (false) NOT VALID")
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT refuse_all")


@pytest.fixture(scope="module")
def sink() -> Iterator[MailSink]:
    server = MailSink()
    server.start()
    yield server
    server.stop()


def _link(sink: MailSink, address: str, pattern: str) -> str:
    assert eventually(lambda: sink.to(address), seconds=60), f"no mail to {address}"
    body = sink.to(address)[-1].get_body(("plain",))
    assert body is not None
    found = re.search(pattern, body.get_content())
    assert found, body.get_content()
    return found[1]


@pytest.fixture(scope="module")
def said(committed: None, serve: Serve, run: Serve, sink: MailSink, writable: Path, compose: dict[str, Any]) -> Said:
    """The story."""
    said, cast = Said(), load()
    for who in (cast.renter, cast.staff, cast.admin, cast.owner):
        lasting_password(who)
    where = house_folder(cast, mail_after_upload_enable=True)
    talkative = {"LOG_LEVEL": "DEBUG", "EMAIL_URL": sink.url}
    worker = run(compose["services"]["worker"]["command"], **talkative)
    beat = run(["celery", "-A", "config", "beat", "--schedule", f"{writable / 'tmp'}/beat", "--pidfile="], **talkative)
    web = serve("--access-logfile", "-", "--log-level", "debug", **talkative)
    said.secrets |= {"password": PASSWORD, "wrong password": WRONG}

    _sign_in(said, cast, web.port)
    _second_factor(said, cast, web.port)
    _password_link(said, cast, web.port, sink)
    _invite(said, cast, web.port, sink)
    _documents(said, cast, web.port, where.pk)
    _settings(said, cast, web.port)
    for path in (writable / "files").rglob("*"):
        give(path)
    _upload(said, cast, web.port)
    _failures(said, cast, web.port)

    assert eventually(lambda: not Message.objects.filter(state__in=("queued", "sending")).exists(), seconds=60)
    assert eventually(JobRun.objects.filter(ended_at__isnull=False).exists, seconds=60)
    for process in (beat, worker, web):
        process.stop()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        said.places = {
            "web": web.text,
            "worker": worker.text,
            "beat": beat.text,
            "system log": "\n".join(f"{row.action}\n{row.stacktrace}" for row in SystemLog.objects.all()),
            "audit": "\n".join(
                f"{row.verb} {row.object_type} {row.object_id} {json.dumps(row.changes)}"
                for row in AuditEntry.objects.all()
            ),
            "log of sign-ins": json.dumps(list(SignInLog.objects.values()), default=str),
            "log of documents": json.dumps(list(DocumentLog.objects.values()), default=str),
            "jobs": json.dumps(list(JobRun.objects.values()), default=str),
            "errors of mails": json.dumps(list(Message.objects.values_list("error_msg", flat=True))),
            "sessions": json.dumps(list(Session.objects.values("session_key", "browser", "ip")), default=str),
        }
        # Mails carry links and codes, which is what they are for; nothing else that is secret.
        said.places["mails"] = "\n".join(f"{m.subject}\n{m.body_text}\n{m.body_html}" for m in Message.objects.all())
    return said


def _sign_in(said: Said, cast: Cast, port: int) -> None:
    browser = Browser(port)
    said.statuses["wrong"] = browser.post("/app/login", username=cast.renter.email, password=WRONG).status
    said.statuses["right"] = browser.post("/app/login", username=cast.renter.email, password=PASSWORD).status
    said.secrets |= {"session": browser.cookies["user_session"], "csrf cookie": browser.cookies["csrftoken"]}
    said.statuses["start"] = browser.get(f"/app/c/{cast.house_a.pk}/").status


def _second_factor(said: Said, cast: Cast, port: int) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        factor = second_factor.start(cast.staff)
        generator = TOTP(base64.b32decode(factor.secret), step=second_factor.STEP, t0=0, digits=6, drift=-1)
        assert second_factor.confirm(factor, f"{generator.token():06d}")
        said.secrets["recovery code"] = second_factor.new_recovery_codes(cast.staff)[0]
    browser = Browser(port)
    page = browser.post("/app/login", username=cast.staff.email, password=PASSWORD)
    held = _fields(page.text)["held"]
    said.secrets |= {"key of the second factor": factor.secret, "what the first step knew": held}
    wrong = "271828"
    said.secrets["wrong code"] = wrong
    said.statuses["wrong code"] = browser.post("/app/login", held=held, code=wrong).status
    generator.drift = 0
    code = f"{generator.token():06d}"
    said.secrets["code"] = code
    said.statuses["code"] = browser.post("/app/login", held=held, code=code).status


def _password_link(said: Said, cast: Cast, port: int, sink: MailSink) -> None:
    browser = Browser(port)
    said.statuses["forgot"] = browser.post("/app/password/forgot", email=cast.owner.email).status
    token = _link(sink, cast.owner.email, r"/app/password/([\w-]{20,})")
    said.secrets |= {"link": token, "new password": NEW}
    said.statuses["weak"] = browser.post(f"/app/password/{token}", password="kurz").status
    said.statuses["set"] = browser.post(f"/app/password/{token}", password=NEW).status
    said.statuses["dead"] = browser.get(f"/app/password/{token}").status


def _invite(said: Said, cast: Cast, port: int, sink: MailSink) -> None:
    key = override_settings(SECRET_KEY=GOOD["SECRET_KEY"])  # codes are kept as hashes with this key
    with key, scope.unit_of_work(door="test"), scope.all_tenants():
        nele = contacts.create_contact(
            tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test"
        )
        occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter")
        invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    code = _link(sink, "nele@quartier.test", r"/app/invite/([\w-]+)")
    said.secrets["invite code"] = code
    browser = Browser(port)
    said.statuses["typed"] = browser.get(f"/app/invite/?code={code}").status
    page = browser.get(f"/app/invite/{code}")
    fields = {**_fields(page.text), "password": NEW}
    fields.pop("csrfmiddlewaretoken", None)
    fields |= dict.fromkeys(re.findall(r'type="checkbox" name="(\w+)"', page.text), "on")
    said.statuses["asked to sign in"] = browser.get(f"/app/login?next=%2Fapp%2Finvite%2F{code}").status
    said.statuses["registered"] = browser.post(f"/app/invite/{code}", **fields).status


def _call(port: int, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {"X-Forwarded-Proto": "https", "Accept": "application/json", "Content-Type": "application/json", **headers}
    return ask(port, method, DOOR + path, sent, json.dumps(body).encode() if body is not None else b"")


def _documents(said: Said, cast: Cast, port: int, folder_id: int) -> None:
    basic = base64.b64encode(f"{cast.admin.email}:{PASSWORD}".encode()).decode()
    signed = json.loads(_call(port, "GET", "/login", Authorization=f"Basic {basic}").text)
    bearer = {"Authorization": f"Bearer {signed['token']}"}
    said.secrets |= {"basic": basic, "token": signed["token"]}
    selected = _call(port, "GET", f"/select-tenant/{cast.tenant.pk}", **bearer)
    said.statuses["selected"] = selected.status
    if "token" in (chosen := json.loads(selected.text)):
        bearer = {"Authorization": f"Bearer {chosen['token']}"}
        said.secrets["token of the tenant"] = chosen["token"]
    said.statuses["users"] = _call(port, "GET", "/users", **bearer).status
    content = pdf(MARKER) + MARKER.encode()
    said.secrets["content"] = MARKER
    made = _call(
        port, "POST", "/files",
        {"folder_id": folder_id, "filename": "vertrag.pdf", "file_data": base64.b64encode(content).decode()}, **bearer,
    )  # fmt: skip
    said.statuses["uploaded"] = made.status
    number = json.loads(made.text)["file_id"]
    got = _call(port, "GET", f"/files/{number}/download", **bearer, Accept="application/octet-stream")
    said.statuses["downloaded"] = got.status if MARKER.encode() in got.body else 0
    browser = Browser(port)
    browser.sign_in(cast.renter)
    said.statuses["downloaded here"] = browser.get(f"/app/documents/{number}/download").status
    said.statuses["password by API"] = _call(
        port, "PUT", "/password", {"old_password": WRONG, "new_password": API_NEW}, **bearer
    ).status
    said.secrets["password for the API"] = API_NEW
    said.statuses["unknown link"] = _call(port, "PUT", f"/password/token/{QUERY}", {"new_password": API_NEW}).status
    said.statuses["bad token"] = _call(port, "GET", f"/users?token={QUERY}", Authorization=f"Bearer {QUERY}").status
    said.secrets["what stands in a query"] = QUERY


def _settings(said: Said, cast: Cast, port: int) -> None:
    browser = Browser(port)
    browser.sign_in(cast.admin)
    url = f"/admin/orgs/organizationsettings/{cast.tenant.settings.pk}/change/"
    fields = {name: unescape(value) for name, value in _fields(browser.get(url).text).items()}
    fields.pop("csrfmiddlewaretoken")
    fields = {name: value for name, value in fields.items() if not name.startswith(("q", "action"))}
    reply = browser.post(
        url, **{**fields, "mail_user": "post", "mail_password": SMTP_PASSWORD, "sms_api_key": SMTP_PASSWORD}
    )
    said.secrets["password of the mail server"] = SMTP_PASSWORD
    said.statuses["settings"] = reply.status
    cast.tenant.settings.refresh_from_db()
    said.statuses["settings kept"] = int(cast.tenant.settings.mail_password == SMTP_PASSWORD)


def _upload(said: Said, cast: Cast, port: int) -> None:
    browser = Browser(port)
    browser.sign_in(cast.admin)
    content = (MARKER * 1000).encode()
    tenant = base64.b64encode(str(cast.tenant.pk).encode()).decode()
    tus = {"Tus-Resumable": "1.0.0", "X-CSRFToken": browser.cookies["csrftoken"], "Origin": "https://quartier.example"}
    made = browser.ask(
        "POST", "/admin/uploads/",
        {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": f"filename eC50eHQ=,tenant {tenant}", "Content-Length": "0"},
    )  # fmt: skip
    where = re.sub(r"^https://[^/]+", "", made.headers["location"])
    piece = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    said.statuses["piece"] = browser.ask("PATCH", where, piece, content).status
    said.statuses["piece twice"] = browser.ask("PATCH", where, piece, content).status


def _failures(said: Said, cast: Cast, port: int) -> None:
    """In the middle of requests that carry secrets; PostgreSQL prints what it refuses."""
    browser = Browser(port)
    with broken("orgs_signinlog"):
        said.statuses["failed sign-in"] = browser.post(
            f"/app/login?next=/app/%3Ftoken%3D{QUERY}", username=cast.renter.email, password=PASSWORD
        ).status
        basic = base64.b64encode(f"{cast.renter.email}:{PASSWORD}".encode()).decode()
        said.statuses["failed by API"] = _call(
            port, "GET", f"/login?password={QUERY}", Authorization=f"Basic {basic}"
        ).status
    with broken("messaging_message"):
        said.statuses["failed link"] = browser.post("/app/password/forgot", email=cast.renter.email).status
    with broken("orgs_accesstoken"):
        said.statuses["failed token"] = _call(port, "GET", "/login", Authorization=f"Basic {basic}").status


# --- What is found -------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db
SECRETS = (
    "password", "wrong password", "session", "csrf cookie", "key of the second factor", "what the first step knew",
    "recovery code", "wrong code", "code", "link", "new password", "invite code", "basic", "token", "content",
    "password for the API", "what stands in a query", "password of the mail server",
)  # fmt: skip
IN_MAILS = {"link", "invite code"}  # for this they are sent


def forms(secret: str) -> set[str]:
    """As it is, as a URL writes it, and as it looks inside of Base64, wherever it begins."""
    found = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).decode()
        # Without what the neighbours have a part in.
        inner = encoded[(offset * 8 + 5) // 6 : len(encoded) - 4]
        if len(inner) > 7:
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


def test_the_story_was_told(said: Said) -> None:
    assert said.statuses == {
        "wrong": 422, "right": 302, "start": 200, "wrong code": 422, "code": 302, "forgot": 200, "weak": 422, "set": 302,
        "dead": 404, "typed": 302, "asked to sign in": 200, "registered": 302, "selected": 200, "users": 200, "uploaded": 200, "downloaded": 200,
        "downloaded here": 200, "password by API": 400, "unknown link": 404, "bad token": 401, "settings": 302,
        "settings kept": 1, "piece": 204, "piece twice": 409, "failed sign-in": 500, "failed by API": 500,
        "failed link": 200, "failed token": 500,
    }  # fmt: skip
    assert set(SECRETS) <= said.secrets.keys()


def test_every_place_was_written_to(said: Said) -> None:
    """An empty place would prove nothing."""
    assert [name for name, text in said.places.items() if len(text) < 100 and name != "errors of mails"] == []
    levels = {json.loads(line)["level"] for line in said.places["web"].splitlines() if line.startswith("{")}
    assert {"WARNING", "ERROR"} <= levels
    assert "[DEBUG] POST /app/login" in said.places["web"], "gunicorn tells all it can"
    assert "POST /app/login" in said.places["web"], "the access log is on"
    assert "refuse_all" in said.places["system log"], "the failure itself is named"


def test_worker_and_beat_write_masked_lines_of_json(said: Said) -> None:
    for name, task in (("worker", "docms.send_mail"), ("beat", "messaging.sweep")):
        lines = [json.loads(line) for line in said.places[name].splitlines() if line.startswith("{")]
        assert any(task in line["message"] for line in lines), name
        assert any(line["level"] == "DEBUG" for line in lines), name


@pytest.mark.rule("DOCMS-167")
@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_secret_is_written_down(said: Said, secret: str) -> None:
    value = said.secrets[secret]
    found = []
    for place, text in said.places.items():
        if place == "mails" and secret in IN_MAILS:
            continue
        for form in forms(value):
            for hit in re.finditer(
                rf"(?<![0-9A-Za-z]){re.escape(form)}(?![0-9])" if value.isdigit() else re.escape(form), text
            ):
                found.append(f"{place}: …{text[max(0, hit.start() - 120) : hit.end() + 40]}…")
    assert found == []


def test_rows_that_postgresql_prints_are_not_passed_on(said: Said) -> None:
    """A refused row would come with everything in it: names, addresses, texts of mails, hashes."""
    for place in ("web", "system log"):
        assert "Failing row contains" not in said.places[place]


@pytest.mark.parametrize(
    "text",
    [PASSWORD, quote(PASSWORD + "&x"), base64.b64encode(b"name:" + PASSWORD.encode()).decode(),
     base64.b64encode(b"a:" + PASSWORD.encode() + b"\n").decode(), json.dumps({"password": PASSWORD})],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert any(form in text for form in forms(PASSWORD))
