"""A document for somebody outside: shared by a clerk, sent by a real worker, fetched on a telephone.

Also how the page looks: both themes, three widths, by keyboard, and without scripts. And people of its folder are told of a
document by a resident who may.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from core import scope
from docms.models import DocumentLog, DocumentShare
from messaging.models import Message
from orgs.models import OrganizationSettings
from tests.cast import PASSWORD, Cast, load
from tests.docms.door import PDF, Caller, make_folder, make_group, permit, signed_in
from tests.gateway import HOST
from tests.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from tests.gateway import Gateway
    from tests.servers import MailSink

pytestmark = pytest.mark.django_db(transaction=True)
NINA = {"name": "Nina Notar", "email": "nina@kanzlei.test", "mobile_number": "0170 1234567", "locale": "de_DE"}


@pytest.fixture
def shared(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> tuple[Cast, Caller, int]:
    """A company with a gateway, its administrator, and a document."""
    monkeypatch.setenv("SMS_CA_FILE", str(gateway.ca_file))  # for the worker, which is another process
    monkeypatch.setenv("INSIDE_HOSTS", HOST)
    cast = load()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        row = OrganizationSettings.objects.get(organization=cast.tenant)
        row.sms_send_url, row.sms_api_key, row.sms_sender_id = gateway.url, "geheim", "Brandt"
        row.save()
        admin = signed_in(cast.admin, cast.tenant)
    file = admin.upload(make_folder(admin, "Verträge"), title="Kaufvertrag", filename="kauf.pdf")["file_id"]
    return cast, admin, file


@pytest.fixture
def open_share(shared: tuple[Cast, Caller, int], live_server: Any, settings: Any) -> tuple[str, str]:
    """The address of a page, and its code, without a worker."""
    from tests.docms.door import link_and_code

    _cast, admin, file = shared
    share_id = admin.ok("POST", f"/files/{file}/shares", NINA)["share_id"]
    with scope.unit_of_work(door="test"), scope.all_tenants():
        token, code = link_and_code(share_id)
    return f"/app/shares/{token}", code


def share_in_back_office(page: Page, file: int) -> int:
    """A clerk shares the paper from its page; the share that came of it, as the list there shows it."""
    page.goto(f"/app/login?next=/admin/docms/document/{file}/change/")
    page.fill("[name=username]", "admin@quartier.test")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("^(Freigeben|Share)$")).first.click()
    page.fill("[name=name]", NINA["name"])
    page.fill("[name=mobile_number]", NINA["mobile_number"])
    page.fill("[name=email]", NINA["email"])
    page.locator(".q-form button[type=submit]").click()
    page.wait_for_url("**/change/")
    expect(page.get_by_role("cell", name="**********567")).to_have_count(1)
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return int(DocumentShare.objects.get().pk)


@pytest.mark.rule("DOCMS-160", "DOCMS-190")
def test_from_sharing_to_the_file_on_the_recipients_disk(
    shared: tuple[Cast, Caller, int],
    worker: None,
    smtp: MailSink,
    gateway: Gateway,
    page: Page,
    console: list[str],
) -> None:
    _cast, _admin, file = shared
    share_id = share_in_back_office(page, file)
    assert eventually(lambda: gateway.texts and smtp.to("nina@kanzlei.test"), seconds=15)  # at once, not by the sweep
    (mail,) = smtp.to("nina@kanzlei.test")
    link = re.search(r"http://\S+/app/shares/[\w-]+", mail.get_body(("plain",)).get_content())
    assert link is not None
    code = gateway.texts[0].split()[-1]
    assert code not in mail.as_string() and "/app/shares/" not in gateway.texts[0]
    page.goto(link[0])
    page.get_by_label("Code").fill("FALSCH")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("Dokument|document")).click()
    page.get_by_text("4").first.wait_for()  # attempts left
    page.get_by_label("Code").fill(code.lower())
    with page.expect_download() as download:
        page.get_by_label("Code").press("Enter")
    assert download.value.suggested_filename == "kauf.pdf"
    assert download.value.path().read_bytes() == PDF
    page.wait_for_timeout(400)
    assert page.locator("[aria-busy]").count() == 0  # the page is as it was, and says so
    with scope.unit_of_work(door="test"), scope.all_tenants():
        row = DocumentShare.objects.get(pk=share_id)
        assert (row.access_count, row.failures) == (1, 1)
        assert DocumentLog.objects.filter(action="share_access").count() == 1
        text = Message.objects.get(channel="sms")
        assert (text.state, text.gateway_id, text.body_text) == ("sent", "gw-1", "")
    # The fifth wrong code, and the link is dead.
    for _number in range(4):
        page.goto(link[0])
        page.get_by_label("Code").fill("FALSCH")
        with page.expect_navigation():
            page.get_by_label("Code").press("Enter")
    expect(page.get_by_label("Code")).to_have_count(0)
    assert all("status of 4" in line for line in console)
    console.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_is_legible_for_everybody(
    open_share: tuple[str, str], page: Page, axe: Callable[..., None], console: list[str], theme: Any, width: int
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    url, _code = open_share
    page.goto(url)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("textbox").fill("FALSCH")
    page.keyboard.press("Enter")
    page.locator(".error").first.wait_for()
    axe(page)
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/app/shares/" + "x" * 43)
    axe(page)
    # The browser notes the statuses 422 and 404; anything else would fail the test.
    assert all("Failed to load resource" in line for line in console)
    console.clear()


def test_the_page_works_by_keyboard_and_without_scripts(
    open_share: tuple[str, str], chromium: Browser, live_server: Any
) -> None:
    url, code = open_share
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    for _number in range(20):
        page.keyboard.press("Tab")
        if page.locator("input[name=code]:focus").count():
            break
    page.keyboard.type(code)
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.path().read_bytes() == PDF
    context.close()


def test_a_paper_is_shared_and_taken_back_in_the_portal_by_keyboard_without_scripts(
    shared: tuple[Cast, Caller, int], chromium: Browser, live_server: Any
) -> None:
    _cast, _admin, file = shared
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/app/login?next=/app/documents/{file}")
    page.fill("[name=username]", "admin@quartier.test")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    tab_to(page, f"a[href='/app/documents/{file}/share']")
    page.keyboard.press("Enter")
    for name in ("name", "mobile_number", "email"):
        tab_to(page, f"input[name={name}]")
        page.keyboard.type(NINA[name])
    page.keyboard.press("Enter")
    page.get_by_text("**********567").first.wait_for()
    tab_to(page, "form[action$='/withdraw'] button")
    page.keyboard.press("Enter")
    page.get_by_text("Die Freigabe ist zurückgezogen.").wait_for()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        row = DocumentShare.objects.get()
        assert (row.name, row.email, row.mobile_number) == ("Nina Notar", "nina@kanzlei.test", "+491701234567")
        assert row.revoked_at is not None
    context.close()


def test_people_are_told_of_a_paper_in_the_portal_by_keyboard_without_scripts(
    shared: tuple[Cast, Caller, int], worker: None, smtp: MailSink, chromium: Browser, live_server: Any
) -> None:
    cast, admin, file = shared
    folder = admin.ok("GET", f"/files/{file}")["folder_id"]
    make_group(admin, "Alle", cast.renter.pk, cast.owner.pk, cast.additional.pk, folder_ids=[folder])
    permit(admin, folder, cast.renter.pk, read=True, mail=True)
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/app/login?next=/app/documents/{file}")
    page.fill("[name=username]", "renter@quartier.test")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    tab_to(page, f"a[href='/app/documents/{file}/notify']")
    page.keyboard.press("Enter")
    for person in (cast.owner, cast.additional):
        tab_to(page, f"input[name=user_ids][value='{person.pk}']")
        page.keyboard.press("Space")
    tab_to(page, "main button[type=submit]")
    page.keyboard.press("Enter")
    page.get_by_text("2 Personen werden per E-Mail benachrichtigt.").wait_for()
    assert eventually(lambda: smtp.to(cast.owner.email) and smtp.to(cast.additional.email), seconds=15)
    assert not smtp.to(cast.renter.email)
    (mail,) = smtp.to(cast.owner.email)
    assert f"/app/documents/{file}" in mail.get_body(("plain",)).get_content()
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press the key until the focus is there."""
    page.locator(selector).first.wait_for()
    for _number in range(60):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"the keyboard does not reach {selector}")
