"""The main job from end to end, as its people do it: a register goes in, residents join, a paper reaches exactly those
it is meant for, the manager sees who has read it, and with the tenancy the access ends.

Real parts only: browser, web server, worker, broker, database and mail server.
"""

from __future__ import annotations

import base64
import datetime
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from core import scope
from docms.models import Document
from docms.services import groups
from messaging.models import Message
from orgs.models import Community, Occupancy, Unit
from tests.cast import PASSWORD, load
from tests.factories import folder, pdf
from tests.servers import MailSink, eventually

if TYPE_CHECKING:
    from email.message import EmailMessage

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

REGISTER = """\
community_ref;community;street;house_number;postal_code;city;unit_ref;unit;contact_ref;last_name;first_name;email;role;from;until;language
900;Lindenhof;Lindenweg;9;50733;Köln;01;Wohnung 01;L1;Nowak;Paulina;paulina@post.test;renter;01.05.2020;;pl
900;Lindenhof;Lindenweg;9;50733;Köln;02;Wohnung 02;L2;Groß;Hugo;hugo@post.test;owner;01.06.2021;;de
900;Lindenhof;Lindenweg;9;50733;Köln;03;Wohnung 03;L3;Still;Olga;;renter;01.06.2021;;de
"""
PAPER = "Abrechnung 2025"


class Api:
    """The docms door, spoken over HTTP."""

    def __init__(self, base: str, address: str) -> None:
        self.base = f"{base}/docms/api/v1"
        basic = base64.b64encode(f"{address}:{PASSWORD}".encode()).decode()
        self.headers = {"Accept": "application/json", "Authorization": f"Basic {basic}"}
        self.headers["Authorization"] = f"Bearer {self.ok('GET', '/login')['token']}"
        tenant = self.ok("GET", "/get-tenants")[0]["tenant_id"]
        self.ok("GET", f"/select-tenant/{tenant}")

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of one request."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the live server's
            self.base + path, data, {**self.headers, "Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                raw, status = answer.read(), answer.status
        except urllib.error.HTTPError as refused:
            raw, status = refused.read(), refused.code
        return status, json.loads(raw) if raw else None

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The body of a success."""
        status, answer = self.call(method, path, body)
        assert status == 200, f"{method} {path}: {status} {answer}"
        return answer

    def status(self, path: str) -> int:
        """Of a GET."""
        return self.call("GET", path)[0]


def sign_in(page: Page, address: str) -> None:
    page.goto("/app/login")
    page.fill("[name=username]", address)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)


def link_in(mail: EmailMessage, part: str) -> str:
    """The first address in a mail's text that holds a part."""
    text = mail.get_body(("plain",))
    assert text is not None
    found = re.search(rf"http\S*{part}\S*", text.get_content())
    assert found, text.get_content()
    return found.group()


def join(page: Page, smtp: MailSink, address: str, axe: Callable[..., None]) -> None:
    """From the mail of the invitation to the first page inside."""
    page.goto(link_in(smtp.to(address)[0], "/app/invite/"))
    axe(page)
    expect(page.locator("[name=email]")).to_have_value(address)
    page.fill("[name=password]", PASSWORD)
    if page.locator("[name=terms]").count():
        page.check("[name=terms]")
    page.click("main form.form button[type=submit]")
    page.wait_for_url("**/app/c/**")


@pytest.fixture
def office(page: Page) -> Page:
    """The manager's browser, signed in."""
    load()
    sign_in(page, "admin@quartier.test")
    return page


@pytest.fixture
def phone(chromium: Browser, live_server: Any) -> Any:
    """A resident's telephone."""
    context = chromium.new_context(
        base_url=live_server.url, locale="pl-PL", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


def test_the_main_job(
    office: Page,
    phone: BrowserContext,
    chromium: Browser,
    live_server: Any,
    smtp: MailSink,
    axe: Callable[..., None],
    tmp_path: Path,
    console: list[str],
) -> None:
    cast = load()
    # A property register goes in.
    register = tmp_path / "register.csv"
    register.write_text(REGISTER, encoding="cp1252")
    call_command("import_register", str(register), tenant=cast.tenant.pk)
    house = Community.objects.get(identifier="900")
    flat = Unit.objects.get(community=house, identifier="01")

    # The whole house is invited; who has no address is listed.
    office.goto(f"/admin/orgs/community/{house.pk}/invite/")
    expect(office.locator("main")).to_contain_text("paulina@post.test")
    axe(office)
    office.locator("main form button[type=submit]").last.click()
    expect(office.locator("main")).to_contain_text("Still")
    assert eventually(lambda: smtp.to("paulina@post.test") and smtp.to("hugo@post.test"))
    assert len(smtp.messages) == 2

    # Both register in the browser; a code is used up with that.
    mine = phone.new_page()
    join(mine, smtp, "paulina@post.test", axe)
    used = mine.request.get(link_in(smtp.to("paulina@post.test")[0], "/app/invite/"))
    assert used.status == 410
    other = chromium.new_context(base_url=live_server.url, locale="de-DE")
    hugo = other.new_page()
    join(hugo, smtp, "hugo@post.test", axe)

    # The manager drops a real PDF into the folder of flat 01.
    with scope.unit_of_work(door="test"):
        circle = groups.derived_group(tenant=cast.tenant, unit=flat)
        where = folder(cast, "Wohnung 01", circle, community=house, unit=flat, mail_after_upload_enable=True)
    file = tmp_path / f"{PAPER.replace(' ', '_')}.pdf"
    file.write_bytes(pdf("Heizkosten und Hausgeld"))
    smtp.messages.clear()
    smtp.envelopes.clear()
    office.goto(f"/admin/docms/document/upload/?folder={where.pk}")
    expect(office.locator("#recipients")).to_contain_text("Paulina Nowak")
    expect(office.locator("#recipients")).not_to_contain_text("Hugo")
    office.locator("#files").set_input_files(file)
    expect(office.locator("input[name=upload]")).to_have_count(1)
    axe(office)
    office.locator("#publish").click()
    office.wait_for_url("**/admin/docms/document/?folder__id__exact=*")
    paper = Document.objects.get(title=PAPER)
    assert eventually(lambda: smtp.messages)

    # Exactly the entitled person has a mail, in her language, that leads to the paper.
    assert [e.rcpt_tos for e in smtp.envelopes] == [["paulina@post.test"]]
    mail = smtp.messages[0]
    text = mail.get_body(("plain",))
    assert text is not None
    assert PAPER in mail["Subject"] + text.get_content()
    assert re.search(r"[ąćęłńóśźż]", text.get_content()), "the mail is not Polish"

    # She finds it under "new", on a phone, in Polish; looks at it and takes it home.
    mine.goto(f"/app/c/{house.pk}/")
    assert mine.locator("html").get_attribute("lang") == "pl"
    expect(mine.locator("main")).to_contain_text(PAPER)
    axe(mine)
    led = mine.goto(link_in(mail, "/app/"))
    assert led is not None
    assert led.status == 200
    mine.goto(f"/app/c/{house.pk}/info/documents?only=unread")
    mine.get_by_role("link", name=PAPER).first.click()
    expect(mine.locator("#preview-title")).to_have_text(PAPER)
    preview = mine.locator("img.paper-image")
    for _attempt in range(20):  # the worker draws it, the page says "in a moment"
        if preview.count():
            break
        mine.wait_for_timeout(500)
        mine.reload()
    assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert mine.evaluate("document.documentElement.scrollWidth") <= 390
    axe(mine)
    with mine.expect_download() as download:
        mine.locator("#preview a.button.primary").click()
    assert Path(download.value.path()).read_bytes() == file.read_bytes()

    # Hugo, of the flat next door, finds nothing.
    hugo.goto(f"/app/c/{house.pk}/info/documents")
    expect(hugo.locator("main")).not_to_contain_text(PAPER)
    assert hugo.request.get(f"/app/documents/{paper.pk}").status == 404
    neighbour = Api(live_server.url, "hugo@post.test")
    assert neighbour.status(f"/files/{paper.pk}") == 404

    # The manager sees at the next request who has read it.
    office.goto(f"/admin/docms/document/{paper.pk}/change/")
    expect(office.locator("main")).to_contain_text("Gelesen von 1")
    readers = office.locator("section", has_text="Gelesen von 1")
    expect(readers.first).to_contain_text("Paulina Nowak")
    expect(office.locator("section", has_text="Protokoll").last).to_contain_text("Paulina Nowak")
    axe(office)

    # The same through the API.
    api = Api(live_server.url, "paulina@post.test")
    assert api.ok("GET", f"/files/{paper.pk}")["read_by_user"] is True
    assert paper.pk in api.ok("POST", "/files/search", {"search": "Abrechnung", "preFilteredIds": None})
    assert paper.pk in api.ok("POST", "/files/search", {"search": "Heizkosten", "preFilteredIds": None})

    # The tenancy ends with yesterday.
    stay = Occupancy.objects.get(contact__reference_id="L1")
    office.goto(f"/admin/orgs/occupancy/{stay.pk}/end/")
    yesterday = cast.tenant.today() - datetime.timedelta(days=1)
    office.fill("[name=last]", f"{yesterday:%d.%m.%Y}")
    axe(office)
    office.locator("main form button[type=submit]").last.click()
    office.wait_for_url(f"**/occupancy/{stay.pk}/change/")

    # From the next request on the paper is unknown in portal, API, search and counts.
    for path in (
        f"/app/documents/{paper.pk}", f"/app/documents/{paper.pk}/download", f"/app/documents/{paper.pk}/preview",
        f"/app/c/{house.pk}/", f"/app/c/{house.pk}/info/documents?folder={where.pk}",
    ):  # fmt: skip
        assert mine.request.get(path).status == 404, path
    for path in (f"/files/{paper.pk}", f"/files/{paper.pk}/download", f"/folders/{where.pk}/files"):
        assert api.status(path) == 404, path
    assert api.ok("POST", "/files/search", {"search": "Abrechnung", "preFilteredIds": None}) == []
    assert api.ok("GET", "/files/unread") == api.ok("GET", "/files") == []
    assert api.ok("GET", "/folders") == []
    # Nothing about it was written to anybody else, not later either.
    assert list(Message.objects.filter(kind="document_published").values_list("to_emails", flat=True)) == [
        ["paulina@post.test"]
    ]
    assert [e.rcpt_tos for e in smtp.envelopes] == [["paulina@post.test"]]
    other.close()
    assert not console


def test_a_revocation_ends_the_access_with_the_next_click(
    office: Page, phone: BrowserContext, axe: Callable[..., None]
) -> None:
    cast = load()
    with scope.unit_of_work(door="test"):
        circle = groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2)
        where = folder(cast, "Wohnung A2", circle, community=cast.house_a, unit=cast.unit_a2)
    mine = phone.new_page()
    sign_in(mine, "renter@quartier.test")
    documents = f"/app/c/{cast.house_a.pk}/info/documents?folder={where.pk}"
    assert mine.request.get(documents).status == 200
    stay = cast.occupancy("renter")
    office.goto(f"/admin/orgs/occupancy/{stay.pk}/revoke/")
    axe(office)
    office.locator("main form button[type=submit]").last.click()
    office.wait_for_url(f"**/occupancy/{stay.pk}/change/")
    assert mine.request.get(documents).status == 404
