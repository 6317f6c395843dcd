"""The portal as people see it: every page in both themes at three widths, by keyboard and without scripts."""

from __future__ import annotations

import datetime
import re
import time
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core import scope
from core.models import Blob, Throttle
from core.services.previews import make_preview
from docms.models import FolderPermission
from docms.services import group_admins, groups
from orgs.models import OAuthToken, OrganizationSettings, Responsibility
from orgs.services import contacts, invites, oauth_clients, occupancies, owners
from tests.cast import PASSWORD, Cast, load
from tests.docms.test_admin_shares import gateway, shared
from tests.factories import folder, manual_group
from tests.orgs.test_api_owners import mailed_token
from tests.portal.pages import house_folder, paper

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db(transaction=True)

# Elements that may be smaller than 24 px: links within a sentence, hidden ones, and titles whose row is the target.
SMALL = """() => [...document.querySelectorAll('a, button, input, select, summary')].filter((e) => {
  const r = e.getBoundingClientRect();
  const small = r.width && r.height && (r.height < 24 || r.width < 24);
  return small && !e.closest('.vh, .skip, p') && !e.matches('.row-link');
}).map((e) => e.outerHTML.slice(0, 100))"""


# Texts that reach beyond the edge of the page, where a box hides what it cannot show.
CUT_OFF = """() => [...document.querySelectorAll('main *')].filter((e) => {
  const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const r = e.getBoundingClientRect();
  return text && r.width && !e.closest('.vh, .skip') && r.right > innerWidth + 1;
}).map((e) => e.outerHTML.slice(0, 100))"""


@pytest.fixture
def house(live_server: Any) -> dict[str, Any]:
    """A house with papers, contacts and an invitation, committed for the server's threads."""
    cast: Cast = load()
    where = house_folder(cast)
    first = paper(cast, where, "Einladung zur Eigentümerversammlung mit einem ausgesprochen langen Titel")
    make_preview(first.current.blob_id)
    for n, state in enumerate(("encrypted", "none")):
        other = paper(cast, where, f"Beschlusssammlung {n}", content=f"Text {n}".encode(), filename=f"b{n}.txt")
        Blob.objects.filter(pk=other.current.blob_id).update(preview_state=state)
    with scope.unit_of_work(door="test"):
        person = contacts.create_contact(tenant=cast.tenant, last_name="Notdienst", telephone="0221 4710-112")
        Responsibility.objects.create(
            tenant=cast.tenant, contact=person, community=cast.house_a, type="EMERGENCY", show_on_dashboard=True,
            publish_telephone=True, period=(datetime.date(2020, 1, 1), None), title="Notruf, rund um die Uhr",
        )  # fmt: skip
        nele = contacts.create_contact(
            tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test"
        )
        occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1))
        invite = invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
        owners.invite(actor=cast.actor("admin"), organization=cast.tenant, email=cast.renter.email)
        owner = f"/app/owner/{cast.tenant.pk}/{mailed_token(cast.renter)}"
        circle = groups.create_group(
            actor=cast.actor("admin"), tenant=cast.tenant, name="Beirat der Wohnungseigentümergemeinschaft",
            user_ids=[cast.renter.pk, cast.owner.pk], groupadmin_ids=[cast.renter.pk],
        )  # fmt: skip
        groups.create_group(
            actor=cast.actor("admin"), tenant=cast.tenant, name="Garten",
            user_ids=[cast.renter.pk, cast.neighbour.pk], groupadmin_ids=[cast.renter.pk],
        )  # fmt: skip
        switches = {"groupadmin_active", *group_admins.SWITCHES.values(), *group_admins.FLAG_SWITCHES.values()}
        OrganizationSettings.objects.filter(organization=cast.tenant).update(**dict.fromkeys(switches, True))
    board = f"/app/groups/{circle.pk}"
    documents = f"/app/c/{cast.house_a.pk}/info/documents"
    elsewhere = folder(cast, "Gutachten", manual_group(cast, "Gutachter", "renter"), community=cast.house_b)
    alone = paper(cast, elsewhere, "Gutachten zum Dach von Haus B")
    gateway(cast)
    FolderPermission.objects.create(
        tenant=cast.tenant, membership=cast.membership("renter"), folder=elsewhere, read=True, download=True, mail=True
    )
    shared(cast, alone, "renter")
    make_preview(alone.current.blob_id)
    program = oauth_clients.create(
        tenant=cast.tenant, name="Helpdesk", is_public=True, addresses=["https://desk.example/back"], may_write=True
    ).client
    asked = f"response_type=code&scope=support&code_challenge_method=S256&code_challenge={'a' * 43}"
    consent = f"/oauth2/authorize?{asked}&client_id={program.client_id}"
    OAuthToken.objects.create(
        user=cast.renter, application=program, scope="support", token_checksum="0" * 64,
        expires=timezone.now() + datetime.timedelta(hours=1),
    )  # fmt: skip
    return {
        "cast": cast,
        "documents": documents,
        "paper": first,
        "outside": ["/app/login", "/app/password/forgot", "/app/invite/", owner, f"/app/invite/{invite.code}"],
        "dead": ["/app/password/xyz", "/app/nowhere", f"/app/owner/{cast.tenant.pk}/xyz"],
        "inside": [
            f"/app/c/{cast.house_a.pk}/",
            documents,
            f"{documents}?folder={where.pk}&doc={first.pk}",
            f"{documents}?folder={where.pk}&doc={other.pk}",
            f"{documents}?q=nichts",
            f"/app/documents/{alone.pk}",
            f"/app/documents/{alone.pk}/share",
            f"/app/documents/{alone.pk}/notify",
            f"{documents}/archive?folder={where.pk}&only=unread",
            f"/app/c/{cast.house_a.pk}/tickets",
            f"/app/c/{cast.house_a.pk}/tickets/new",
            f"/app/c/{cast.house_a.pk}/tickets/new/other",
            "/app/profile",
            "/app/profile/second-factor",
            "/app/profile/tokens",
            "/app/groups",
            board,
            f"{board}/new",
            f"{board}/people/{cast.owner.pk}",
            f"{board}/people/{cast.owner.pk}/remove",
            consent,
            "/oauth2/authorize?client_id=unbekannt",
            "/app/places",
            owner,
        ],
    }


def sign_in(page: Page, name: str = "renter@quartier.test") -> None:
    page.goto("/app/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/app/c/**")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_people_who_only_work_for_a_company_is_accessible(
    chromium: Browser, live_server: Any, axe: Callable[..., None], theme: str
) -> None:
    cast: Cast = load()
    with scope.unit_of_work(door="test"):
        cast.membership("staff").assignments.all().delete()
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": 320, "height": 800}, color_scheme=theme, locale="de-DE"
    )
    page = context.new_page()
    page.goto("/app/login")
    page.fill("[name=username]", "staff@quartier.test")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.get_by_role("button", name="Nicht verfügbar").click()
    expect(page.get_by_role("button", name="Nicht verfügbar")).to_have_attribute("aria-pressed", "true")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(SMALL) == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_page_is_accessible_and_fits(
    chromium: Browser, live_server: Any, house: dict[str, Any], axe: Callable[..., None], theme: str, width: int
) -> None:
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 800}, color_scheme=theme, locale="de-DE"
    )
    page = context.new_page()
    troubles: list[str] = []
    refused = ("status of 404", "status of 400")  # pages that are meant to say no
    page.on(
        "console",
        lambda m: troubles.append(m.text) if m.type == "error" and not any(no in m.text for no in refused) else None,
    )
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def look(url: str) -> None:
        page.goto(url)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{url} scrolls sideways"
        assert page.evaluate(SMALL) == [], url

    for url in house["outside"] + house["dead"]:
        look(url)
    sign_in(page)
    for url in house["inside"]:
        look(url)
    for name in ("switch-place", "my-account"):
        page.goto(house["documents"])
        page.locator(f"[popovertarget={name}]:visible").click()
        axe(page)
    context.close()
    assert not troubles


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_names_without_a_space_do_not_widen_a_page(chromium: Browser, live_server: Any, width: int) -> None:
    cast: Cast = load()
    scan = "Scan_2026-11-26_Rechnungseingang_Hausverwaltung_Wohnpark_Niehl_Mercatorstrasse_12_Seite_001_von_004"
    where = house_folder(cast, f"Ordner_{scan}"[:100])
    below = house_folder(cast, f"Darunter_{scan}"[:100], parent=where)
    document = paper(cast, below, scan, filename=f"{scan}.pdf")
    context = chromium.new_context(base_url=live_server.url, viewport={"width": width, "height": 800}, locale="de-DE")
    page = context.new_page()
    sign_in(page)
    documents = f"/app/c/{cast.house_a.pk}/info/documents"
    for url in (
        f"/app/c/{cast.house_a.pk}/", documents, f"{documents}?folder={where.pk}", f"{documents}?folder={below.pk}",
        f"{documents}?folder={below.pk}&doc={document.pk}", f"{documents}?q=Scan", f"{documents}/archive?folder={below.pk}",
    ):  # fmt: skip
        page.goto(url)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.get_by_text("_Rechnungseingang_").first.count(), url
        assert page.evaluate(CUT_OFF) == [], url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
    context.close()


def test_a_paper_is_found_and_opened_by_keyboard_alone(page: Page, house: dict[str, Any]) -> None:
    sign_in(page)
    page.keyboard.press("/")
    page.keyboard.type("einladung")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=einladung")
    page.keyboard.press("Tab")
    link = page.locator(f"#d{house['paper'].pk}")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**doc=*")
    page.locator("#mark-read").focus()
    page.keyboard.press("Enter")
    page.locator("#mark-read").wait_for(state="detached")
    expect(page.locator("#nav-side .count")).to_have_text(re.compile(r"^\s*2"))
    page.locator("a[data-viewer] >> nth=1").focus()
    page.keyboard.press("Enter")
    page.locator("#viewer[open]").wait_for()
    with page.expect_response("**/info/documents?**"):  # the list is looked at anew
        page.keyboard.press("Escape")
    page.locator("#viewer[open]").wait_for(state="detached")


def test_a_folder_is_taken_away_as_zip(page: Page, house: dict[str, Any]) -> None:
    sign_in(page)
    page.goto(f"{house['documents']}?folder={house['paper'].folder_id}")
    page.click("#take")
    page.wait_for_url("**/documents/archive?folder=*")
    for _twice in range(2):  # the button stays in use
        with page.expect_download() as download:
            page.locator("form[data-saves] button").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == 5  # three papers, manifest and checksums
        page.evaluate("dispatchEvent(new Event('pageshow'))")  # as after ten seconds
    assert page.locator("button[aria-busy]").count() == 0


def test_on_a_phone_a_paper_takes_the_place_of_the_list(page: Page, house: dict[str, Any]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page)
    page.click("#nav-tabs a >> nth=1")
    row = page.locator(f"#d{house['paper'].pk}")
    row.click()
    page.locator("#preview").wait_for()
    expect(row).to_be_hidden()
    expect(page.locator("#preview-title")).to_be_focused()
    with page.expect_download() as download, page.expect_response("**/info/documents?**"):
        page.click("#preview a[download]")
    assert download.value.suggested_filename.endswith(".pdf")
    page.click(".preview-back")
    row.wait_for()
    page.go_back()
    page.locator("#preview").wait_for()


def test_everything_works_without_scripts(chromium: Browser, live_server: Any, house: dict[str, Any]) -> None:
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    sign_in(page)
    page.goto(house["documents"])
    page.click(f"#d{house['paper'].pk}")
    with page.expect_navigation():
        page.click("#mark-read")
    expect(page.locator("#preview-title")).to_be_visible()
    expect(page.locator("#mark-read")).to_have_count(0)
    page.goto(house["documents"] + f"?folder={house['paper'].folder_id}")
    page.click("#favourite")
    expect(page.locator("#favourite")).to_have_attribute("aria-pressed", "true")
    context.close()


def test_a_wait_counts_down(page: Page, house: dict[str, Any], console: list[str]) -> None:
    for _ in range(8):  # a slow machine may sit out the first, short waits
        page.goto("/app/login")
        page.fill("[name=username]", "niemand@quartier.test")
        page.fill("[name=password]", "falsch")
        page.click("main button[type=submit]")
        page.locator("[role=alert]").wait_for()
        if page.locator("[data-waits]").count():
            break
    button = page.locator("[data-waits]")
    assert button.is_disabled()
    expect(button).to_be_enabled()
    console.clear()  # the browser logs answers of 422 and 429


def test_light_and_dark_switch_at_once_and_stay(page: Page, house: dict[str, Any]) -> None:
    sign_in(page)
    page.click("[popovertarget=my-account]")
    with page.expect_response("**/app/theme"):
        page.click("[data-theme-form] button")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


BROKEN = """() => [...document.querySelectorAll('.tree a > span, .tree-name > span, .row-title, .preview h2')].flatMap((e) => {
  const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(/[^\\s–-]+/g)) {
    const range = document.createRange();
    range.setStart(walker.currentNode, word.index);
    range.setEnd(walker.currentNode, word.index + word[0].length);
    const tops = new Set([...range.getClientRects()].filter((r) => r.width > 1).map((r) => Math.round(r.top)));
    if (tops.size > 1) found.push(word[0]);
  }
  return found;
})"""


@pytest.mark.parametrize("width", [390, 1280, 1440])
def test_words_and_counts_stay_whole_beside_a_paper(page: Page, house: dict[str, Any], width: int) -> None:
    cast = house["cast"]
    top = house_folder(cast, "Ahornstraße 12–16")
    units = house_folder(cast, "Einheiten", parent=top)
    home = house_folder(cast, "Wohnung 12", parent=units)
    bill = paper(cast, home, "Nebenkostenabrechnung 2025")
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page)
    for query in ("", f"?folder={home.pk}", f"?folder={home.pk}&doc={bill.pk}"):
        page.goto(house["documents"] + query)
        heights = page.evaluate(
            """() => [...document.querySelectorAll('.tree .count')].map((e) => {
              e.textContent = '299';
              return e.offsetHeight;
            })"""
        )
        assert max(heights, default=0) <= 24, query  # one line
        assert page.evaluate(BROKEN) == [], query


def test_a_double_click_registers_once_and_counts_no_failure(page: Page, house: dict[str, Any]) -> None:
    page.goto(house["outside"][-1])
    posts = twice(page, "form .button.primary[type=submit]", {"[name=password]": "Noch-ein-Satz-3"})
    page.wait_for_url("**/app/c/**")
    assert len(posts) == 1
    assert not Throttle.objects.exists()


def twice(page: Page, button: str, values: dict[str, str]) -> list[str]:
    """Fill a form and click its button twice while a slow line carries the first answer; which POSTs went out."""
    posts: list[str] = []

    def slowly(route: Any) -> None:
        if route.request.method == "POST":
            posts.append(route.request.url)
            time.sleep(0.5)
        route.continue_()

    page.route("**/*", slowly)
    for field, value in values.items():
        page.fill(field, value)
    page.evaluate(
        """async (button) => {
          document.querySelector(button).click();
          await new Promise((done) => setTimeout(done, 100));
          document.querySelector(button).click();
        }""",
        button,
    )
    return posts
