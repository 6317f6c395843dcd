"""Papers uploaded in the portal by somebody whose folder allows it: over a line that breaks, after a reload, by keyboard."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from docms.models import Document, FolderPermission
from tests.cast import Cast, load
from tests.factories import pdf
from tests.journeys.test_portal_look import sign_in
from tests.portal.pages import documents_url, house_folder, paper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, CDPSession, Page

    from docms.models import Folder

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 12_000_000  # bytes
SLOW = 3_000_000  # bytes per second


@pytest.fixture
def where(live_server: Any) -> tuple[Cast, Folder]:
    """A folder in house A into which the renter may upload."""
    cast = load()
    where = house_folder(cast)
    paper(cast, where, "Schon da")
    FolderPermission.objects.create(
        tenant=cast.tenant, membership=cast.membership("renter"), folder=where, read=True, download=True, upload=True
    )
    return cast, where


@pytest.fixture
def big(tmp_path: Path) -> Path:
    file = tmp_path / "Grundriss_Keller.bin"
    file.write_bytes(os.urandom(SIZE))
    return file


def line(page: Page, *, offline: bool = False, speed: int = SLOW) -> CDPSession:
    """The line of the browser: broken, or so many bytes a second."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed},
    )
    return session


def offsets(page: Page) -> list[int]:
    """Where each piece that is sent begins."""
    found: list[int] = []
    page.on("request", lambda r: found.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None)
    return found


def open_form(page: Page, cast: Cast, where: Folder) -> None:
    sign_in(page)
    page.goto(documents_url(cast, f"?folder={where.pk}"))
    page.click("#upload")
    page.wait_for_url("**/documents/upload?folder=*")


def percent(page: Page) -> int:
    return int(page.locator("[data-part=bar]").evaluate("bar => bar.value"))


def arrived(where: Folder) -> str:
    """The checksum of what the folder's newest paper holds."""
    made = Document.objects.select_related("current__blob").filter(folder=where).latest("id")
    return bytes(made.current.blob.sha256).hex()  # type: ignore[union-attr]


def test_a_broken_line_is_no_harm(page: Page, where: tuple[Cast, Folder], big: Path, console: list[str]) -> None:
    cast, folder = where
    sent = offsets(page)
    open_form(page, cast, folder)
    first = line(page)
    page.locator("#files").set_input_files(big)
    page.wait_for_function("document.querySelector('[data-part=bar]')?.value >= 30")
    expect(page.locator("#publish")).to_be_disabled()
    first.detach()
    broken = line(page, offline=True)
    expect(page.locator("[data-part=text]")).to_contain_text("Verbindung")
    broken.detach()
    line(page, speed=-1)
    expect(page.locator("input[name=upload]")).to_have_count(1, timeout=30_000)
    assert sent[0] == 0 and 0 < sent[-1] < SIZE, sent  # it went on and did not begin anew
    page.locator("[data-title]").fill("Keller")
    page.locator("#publish").click()
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    expect(page.locator(".rows").first).to_contain_text("Keller")
    assert arrived(folder) == hashlib.sha256(big.read_bytes()).hexdigest()
    console.clear()  # the browser logs what the line has cut


def test_a_pause_and_a_reload_lose_nothing(page: Page, where: tuple[Cast, Folder], big: Path) -> None:
    cast, folder = where
    sent = offsets(page)
    open_form(page, cast, folder)
    line(page)
    page.locator("#files").set_input_files(big)
    page.wait_for_function("document.querySelector('[data-part=bar]')?.value >= 30")
    page.locator("[data-part=pause]").click()
    expect(page.locator("[data-part=text]")).to_contain_text("Angehalten")
    assert page.evaluate("document.activeElement.dataset.part") == "resume"
    stood = percent(page)
    page.wait_for_timeout(500)
    assert percent(page) == stood
    expect(page.locator("#publish")).to_be_disabled()
    page.reload()
    expect(page.locator("[data-upload-status]")).to_contain_text(big.name)
    line(page, speed=-1)
    page.locator("#files").set_input_files(big)
    expect(page.locator("input[name=upload]")).to_have_count(1, timeout=30_000)
    assert sent[0] == 0 and 0 < sent[-1] < SIZE, sent
    page.locator("#publish").click()
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    assert arrived(folder) == hashlib.sha256(big.read_bytes()).hexdigest()
    page.goto(documents_url(cast, f"/upload?folder={folder.pk}"))
    expect(page.locator("[data-upload-status]")).to_be_empty()  # nothing is left to be finished


def test_a_pause_goes_on_by_keyboard(page: Page, where: tuple[Cast, Folder], big: Path) -> None:
    cast, folder = where
    open_form(page, cast, folder)
    slow = line(page)
    page.locator("#files").set_input_files(big)
    page.wait_for_function("document.querySelector('[data-part=bar]')?.value >= 20")
    page.locator("[data-part=pause]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=resume]")).to_be_focused()
    slow.detach()
    line(page, speed=-1)
    page.keyboard.press("Enter")
    expect(page.locator("input[name=upload]")).to_have_count(1, timeout=30_000)
    page.locator("#publish").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    assert arrived(folder) == hashlib.sha256(big.read_bytes()).hexdigest()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_form_with_files_is_accessible_and_fits(
    chromium: Browser, live_server: Any, where: tuple[Cast, Folder], axe: Callable[..., None], tmp_path: Path,
    theme: str, width: int,
) -> None:  # fmt: skip
    cast, folder = where
    files = [
        tmp_path / "Ein_sehr_langer_Name_ohne_Leerzeichen_der_nicht_umbrochen_wird_2026.pdf",
        tmp_path / "leer.txt",
    ]
    files[0].write_bytes(pdf("Plan"))
    files[1].write_bytes(b"")
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 800}, color_scheme=theme, locale="de-DE"
    )
    page = context.new_page()
    open_form(page, cast, folder)
    axe(page)
    page.locator("#files").set_input_files(files)
    expect(page.locator("input[name=upload]")).to_have_count(1)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_without_scripts_the_form_sends_the_files(
    chromium: Browser, live_server: Any, where: tuple[Cast, Folder], tmp_path: Path
) -> None:
    cast, folder = where
    file = tmp_path / "plan.pdf"
    file.write_bytes(pdf("Plan"))
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    open_form(page, cast, folder)
    page.locator("#files").set_input_files(file)
    page.fill("#title", "Ohne Skript")
    page.click("#publish")
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    assert Document.objects.filter(folder=folder, title="Ohne Skript").exists()
    context.close()
