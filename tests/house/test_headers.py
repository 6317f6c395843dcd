"""Headers of every page, answer and refusal, and what a page may hold for them to mean something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.utils import timezone

from config.urls import urlpatterns as house_urls
from core import scope
from core.models import JobRun, SystemLog, Upload
from core.services import rows
from core.tus import VERSION
from docms.services import documents, groups, labels, marks, shares
from orgs.models import AccessRequest, ImportRun, InstallationSettings, OrganizationSettings
from orgs.services import applications, contacts, holds, invites, passwords
from tests.cast import PASSWORD
from tests.docms.door import link_and_code
from tests.docms.door import signed_in as called_by
from tests.factories import ProcessFactory, ProcessStageFactory, ProcessTypeFactory
from tests.house.test_settings import GOOD, _manage
from tests.portal.pages import house_folder, paper, signed_in
from tickets.models import AssignmentRule, CannedReply, InboundMail, Mailbox, TicketType, TicketTypeGroup
from tickets.services import filing

if TYPE_CHECKING:
    from docms.models import Document
    from tests.cast import Cast

STRICT = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'self'"},
    "connect-src": {"'self'"},
    "frame-src": {"'self'"},
    "object-src": {"'none'"},
    "manifest-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'self'"},
}
# Exactly this much more in the back office: Alpine compiles its attributes, the theme writes styles.
OFFICE = STRICT | {"script-src": {"'self'", "'unsafe-eval'"}, "style-src": {"'self'", "'unsafe-inline'"}}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def policy_of(answer: Any) -> dict[str, set[str]]:
    """The content security policy, without nonces: they differ each time."""
    found = {}
    for part in answer.headers.get("Content-Security-Policy", "").split(";"):
        name, *values = part.split()
        found[name] = {value for value in values if not value.startswith("'nonce-")}
    return found


def wrong_headers(answer: Any, policy: dict[str, set[str]] | None = None) -> list[str]:
    """What an answer lacks of what each one has."""
    found = [
        f"{name}: {answer.headers.get(name)}" for name, value in ALWAYS.items() if answer.headers.get(name) != value
    ]
    if "geolocation=()" not in answer.headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if not {"no-store", "private"} & set(answer.headers.get("Cache-Control", "").replace(" ", "").split(",")):
        found.append(f"Cache-Control: {answer.headers.get('Cache-Control')}")
    if policy is not None and policy_of(answer) != policy:
        found.append(f"Content-Security-Policy: {policy_of(answer)}")
    return found


class _Markup(HTMLParser):
    """Collects what a policy would have to let pass."""

    def __init__(self, *, styles: bool) -> None:
        super().__init__()
        self.styles, self.found = styles, []  # type: bool, list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        ours = given.get("nonce") or re.match(r"/[^/]", given.get("src") or "")
        if tag == "script" and given.get("type") != "application/json" and not ours:
            self.found.append(f"script without source or nonce: {attrs}")
        if tag == "style" and not given.get("nonce") and not self.styles:
            self.found.append(f"style without nonce: {attrs}")
        for name, value in attrs:
            if name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")
            if (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")
            if name == "style" and not self.styles:
                self.found.append(f"{tag} style={value}")


def wrong_markup(answer: Any, *, styles: bool = False) -> list[str]:
    """Inline scripts, handlers and addresses that run; inline styles unless they are allowed."""
    if answer.streaming or not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    markup = _Markup(styles=styles)
    markup.feed(answer.content.decode())
    return markup.found


def routes(prefix: str) -> Iterator[tuple[str, str]]:
    """Pattern and name of every route below a prefix."""

    def walk(patterns: list[Any], before: str) -> Iterator[tuple[str, str]]:
        for found in patterns:
            pattern = before + str(found.pattern)
            if isinstance(found, URLResolver):
                yield from walk(found.url_patterns, pattern)
            elif isinstance(found, URLPattern):
                yield pattern, found.name or ""

    return ((pattern, name) for pattern, name in walk(get_resolver().url_patterns, "") if pattern.startswith(prefix))


@pytest.fixture
def world(cast: Cast) -> dict[str, Any]:
    """At least one row of everything that has a page; what addresses of the portal name."""
    tenant = cast.tenant
    where = house_folder(cast, mail_after_upload_enable=True)
    document = paper(cast, where)
    with scope.unit_of_work(door="test", tenants=[tenant.pk]):
        Mailbox.objects.create(tenant=tenant, address="hilfe@haus.test")
        InboundMail.objects.create(tenant=tenant, message_id="<a@b>", outcome="ignored")
        nele = contacts.create_contact(tenant=tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test")
        invite = invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
        OrganizationSettings.objects.filter(organization=tenant).update(
            imprint="Impressum", privacy_text="Datenschutz", accent_color="#336699"
        )
        InstallationSettings.objects.get_or_create(pk=1)
        applications.create(tenant=tenant, values={"name": "Archiv"}, user_ids=[cast.renter.pk])
        AccessRequest.objects.create(tenant=tenant, first_name="A", last_name="B", email="a@quartier.test")
        ImportRun.objects.create(tenant=tenant, created_by=cast.admin, filename="x.csv")
        JobRun.objects.create(name="x", started_at=timezone.now(), ended_at=timezone.now())
        for create in (
            partial(labels.create_label, folder=where),
            partial(labels.create_suggestion, tenant_id=tenant.pk),
        ):
            create(actor=cast.actor("admin"), name="Vertrag", color="#123456")
        holds.place(
            actor=cast.actor("admin"),
            tenant_id=tenant.pk,
            title="Klage",
            reason="Klage",
            contact=cast.contact("renter"),
        )
        SystemLog.objects.create(category="backend", action="GET /")
        Upload.objects.create(
            tenant=tenant, user=cast.admin, expected_size=1, name="x", door="web", expires_at=timezone.now()
        )
        ticket = filing.file_ticket(
            actor=cast.actor("renter"), community=cast.house_a, text="Es tropft.", source="web"
        ).ticket
        kind = TicketType.objects.create(tenant=tenant, name="Wasser")
        TicketTypeGroup.objects.create(tenant=tenant, name="Haus")
        CannedReply.objects.create(tenant=tenant, name="Dank", text="Vielen Dank.")
        AssignmentRule.objects.create(tenant=tenant)
        ProcessFactory(
            unit=cast.unit_a2, contact=cast.contact("renter"), account=cast.admin, created_by_party=cast.contact("renter"),
            stage=None,
        )  # fmt: skip
        ProcessStageFactory(type=ProcessTypeFactory(tenant=tenant))
        token = passwords.first_or_reset_link(cast.renter, tenant=tenant)
        marks.mark_read(document_id=document.pk, actor=cast.actor("renter"))
        share_token = shared(cast, document)
        circle = groups.create_group(
            actor=cast.actor("admin"), tenant=tenant, name="Beirat", user_ids=[cast.renter.pk, cast.owner.pk],
            groupadmin_ids=[cast.renter.pk],
        )  # fmt: skip
        switches = dict.fromkeys(("groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit"), True)
        OrganizationSettings.objects.filter(organization=tenant).update(**switches)
        documents.delete_document(actor=cast.actor("admin"), document=paper(cast, where, title="Gelöscht"))
    Client().post("/app/login", {"username": cast.renter.email, "password": PASSWORD})
    return {
        "token": token,
        "share_token": share_token,
        "code": invite.code,
        "community_id": cast.house_a.pk,
        "document_id": document.pk,
        "ticket_id": ticket.pk,
        "ticket_ref": ticket.uuid,
        "type_id": kind.pk,
        "attachment_key": "0" * 40,
        "key": "0" * 40,
        "run_id": 1,
        "folder_id": where.pk,
        "group_id": circle.pk,
        "user_id": cast.owner.pk,
        "organization_id": tenant.pk,
        "token_id": 1,
        "share_id": 1,
        "client_id": 1,
        "tenant_id": tenant.pk,
        "session_id": 1,
        "name": "docms",
        "kind": "notification",
        "handle": "0" * 40,
    }


def shared(cast: Cast, document: Document) -> str:
    """The secret of a link for somebody outside."""
    chosen = OrganizationSettings.objects.get(organization=cast.tenant)
    changes = {"sms_send_url": "https://sms.example/", "sms_api_key": "geheim", "sms_sender_id": "Haus"}
    rows.change(chosen, changes)
    given = shares.share(
        actor=cast.actor("admin"), document=document, name="Nina", email="nina@example.org",
        mobile_number="+491701234567",
    )  # fmt: skip
    return link_and_code(given.pk)[0]


def filled(pattern: str, values: dict[str, Any]) -> str:
    """An address of a pattern."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), pattern)


# --- Pages --------------------------------------------------------------------------------------------------

# Not pages: bytes and styles with policies of their own.
_OTHER = {"download", "read", "preview", "brand", "logo", "ticket-file", "ticket-preview"}


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["renter", "nobody"])
def test_every_page_of_the_portal_is_strict(cast: Cast, world: dict[str, Any], who: str) -> None:
    found, statuses = [], {}
    for pattern, name in routes("app/"):
        if name in _OTHER:
            continue
        browser = signed_in(cast.renter) if who == "renter" else Client()
        answer = browser.get(filled(pattern, world), follow=name == "document")  # leads to its place in the cabinet
        statuses[name] = answer.status_code
        found += [f"{name}: {wrong}" for wrong in (*wrong_headers(answer, STRICT), *wrong_markup(answer))]
    assert found == []
    shown = {name for name, status in statuses.items() if status == 200}
    if who == "renter":
        assert shown >= {"start", "documents", "document", "profile", "second-factor", "imprint", "privacy", "places"}
        assert shown >= {"tickets", "ticket-new", "ticket-form", "ticket"}
        assert shown >= {"groups", "group", "group-new", "group-person", "group-remove"}
    else:
        assert shown >= {"login", "password-forgot", "password-link", "invite-code", "invite"}


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_every_page_of_the_back_office_adds_eval_and_inline_styles_alone(
    cast: Cast, world: dict[str, Any], who: str
) -> None:
    browser = signed_in(getattr(cast, who))
    found, shown = [], set()
    for pattern, name in routes("admin/"):
        if (
            "^" in pattern
            or pattern.endswith("$")
            or "tryout" in name
            or name.endswith("_export")
            or "<int:run_id>" in pattern  # bulk runs of tickets, which live in the cache
            or name in {"", "view_on_site"}
        ):
            continue
        values = dict(world)
        app, _slash, rest = pattern.removeprefix("admin/").partition("/")
        if "<path:object_id>" in pattern or "<int:object_id>" in pattern:
            model = apps.get_model(app, rest.partition("/")[0])
            row = model._base_manager.order_by("-pk").first()
            assert row is not None, f"the world has no {model._meta.label}"
            values["object_id"] = row.pk
        answer = browser.get(filled(pattern, values))
        # Refusals are pages of the portal; the sign-in, the upload door and redirects before the guard have no page.
        policy = OFFICE if answer.status_code == 200 else None if answer.status_code < 400 else STRICT
        found += [f"{pattern}: {answer.status_code} {wrong}" for wrong in wrong_headers(answer, policy)]
        found += [f"{pattern}: {wrong}" for wrong in wrong_markup(answer, styles=True)]
        if answer.status_code == 200:
            shown.add(name)
    assert found == []
    lists = {name for _pattern, name in routes("admin/") if name.endswith("_changelist")}
    operators = {"core_systemlog_changelist", "core_jobrun_changelist", "orgs_installationsettings_changelist"}
    assert len(lists - shown) <= (5 if who == "admin" else 1), lists - shown
    assert bool(operators & shown) == (who == "operator")
    assert len({name for name in shown if name.endswith("_change")}) > 10
    assert len({name for name in shown if name.endswith("_history")}) > 10


@pytest.mark.django_db
def test_descriptions_of_the_apis_run_scripts_of_this_house_alone(world: dict[str, Any]) -> None:
    for pattern, name in routes("api/docs/"):
        answer = Client().get(filled(pattern, world))
        assert answer.status_code == 200, name
        assert wrong_headers(answer) == []
        assert policy_of(answer)["script-src"] == {"'self'"}
        assert wrong_markup(answer, styles=True) == []


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<script src='https://elsewhere.test/x.js'></script>",
        "<button onclick='x()'>",
        "<a href=' JavaScript:x()'>",
        "<p style='color: red'>",
        "<style>p { color: red }</style>",
    ],
)
def test_what_the_policy_would_stop_is_found_in_markup(markup: str) -> None:
    assert wrong_markup(HttpResponse(markup)) != []


# --- Refusals -----------------------------------------------------------------------------------------------


def _breaks(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("app/breaks", _breaks), path("docms/api/v1/breaks", _breaks), *house_urls]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("method", "url", "status", "extra"),
    [
        ("GET", "/app/login", 400, {"HTTP_HOST": "evil.test"}),
        ("POST", "/app/login", 403, {}),  # no CSRF token
        ("GET", "/app/nowhere", 404, {}),
        ("GET", "/app/logout", 405, {}),
        ("GET", "/app/breaks", 500, {}),
        ("GET", "/admin/nowhere/", 403, {}),
        ("GET", "/docms/api/v1/breaks", 500, {}),
        ("GET", "/docms/api/v1/folders", 401, {}),
        ("GET", "/docms/api/v1/nowhere", 404, {}),
        ("GET", "/healthz", 200, {}),
        ("GET", "/metrics", 200, {}),
    ],
)
def test_refusals_and_answers_of_programs_have_them_too(
    cast: Cast, method: str, url: str, status: int, extra: dict[str, str]
) -> None:
    browser = Client(raise_request_exception=False, enforce_csrf_checks=True)
    browser.force_login(cast.renter, backend="orgs.auth.SessionBackend")
    answer = browser.generic(method, url, **extra)
    assert answer.status_code == status
    assert wrong_headers(answer, STRICT) == []
    assert wrong_markup(answer) == []


@pytest.mark.django_db
def test_the_back_office_refuses_a_resident_under_the_strict_policy(cast: Cast) -> None:
    answer = signed_in(cast.renter).get("/admin/")
    assert answer.status_code == 403
    assert wrong_headers(answer, STRICT) == []


@pytest.mark.django_db
def test_an_answer_of_the_api_is_never_kept(cast: Cast) -> None:
    caller = called_by(cast.admin, cast.tenant)
    for method, status in (("GET", 200), ("PATCH", 405)):
        answer = caller.call(method, "/users")
        assert answer.status == status
        assert answer["Cache-Control"] == "no-store"
        assert wrong_headers(answer.response, STRICT) == []


@pytest.mark.django_db
def test_the_upload_door_has_them_too(cast: Cast) -> None:
    answer = signed_in(cast.admin).options("/admin/uploads/", headers={"Tus-Resumable": VERSION})
    assert answer.status_code == 204
    assert wrong_headers(answer) == []


# --- Files --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "filename", "content", "sandboxed", "shown"),
    [
        ("download", "brief.pdf", b"", True, False),
        ("read", "brief.pdf", b"", False, True),  # Chromium shows no PDF in a sandbox
        ("download", "notiz.txt", b"Guten Tag", True, False),
        ("read", "notiz.txt", b"Guten Tag", True, True),
        ("download", "seite.html", b"<!doctype html><script>alert(1)</script>", True, False),
    ],
)
def test_a_file_never_runs_as_part_of_the_house(
    cast: Cast, how: str, filename: str, content: bytes, sandboxed: bool, shown: bool
) -> None:
    document = paper(cast, house_folder(cast), filename=filename, content=content)
    answer = signed_in(cast.renter).get(f"/app/documents/{document.pk}/{how}")
    answer.getvalue()
    assert answer.status_code == 200
    assert wrong_headers(answer) == []
    policy = policy_of(answer)
    assert policy["default-src"] == {"'none'"} and "script-src" not in policy
    assert ("sandbox" in policy) == sandboxed
    assert answer["Content-Disposition"].startswith("inline" if shown else "attachment")


# --- Cookies and production ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(cast: Cast, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    browser = Client()
    browser.get("/app/login", secure=True)
    answer = browser.post("/app/login", {"username": cast.renter.email, "password": PASSWORD}, secure=True)
    session, csrf = answer.cookies["user_session"], browser.cookies["csrftoken"]
    assert answer.status_code == 302
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
    assert (csrf["secure"], csrf["samesite"]) == (True, "Lax")
    assert not session["domain"] and not csrf["domain"]


def test_production_insists_on_https() -> None:
    program = (
        "from django.test import Client, RequestFactory\n"
        "from django.middleware.security import SecurityMiddleware\n"
        "from django.http import HttpResponse\n"
        "handle = SecurityMiddleware(lambda request: HttpResponse())\n"
        "ask = lambda **meta: handle(RequestFactory().get('/app/login', HTTP_HOST='quartier.example', **meta))\n"
        "plain, secure = ask(), ask(HTTP_X_FORWARDED_PROTO='https')\n"
        "print(plain.status_code, plain['Location'])\n"
        "print(secure.status_code, secure['Strict-Transport-Security'])"
    )
    done = _manage("shell", "--no-imports", "-c", program, **GOOD)
    assert done.stdout.splitlines() == [
        "301 https://quartier.example/app/login",
        "200 max-age=31536000",
    ], done.stderr
