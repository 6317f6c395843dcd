"""Papers uploaded in the portal by somebody whose folder allows it: over a line that breaks, after a reload, by keyboard."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from docms.models import Document, FolderPermission
from tests.cast import Cast, load
from tests.factories import pdf
from tests.journeys.test_portal_look import sign_in
from tests.portal.pages import documents_url, house_folder, paper
from tests.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

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


class Line:
    """A line to the server that can be slow and that can break: bytes are passed on until it is cut."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        self.speed: int | None = None  # bytes a second, from the browser to the server
        self.passed = 0  # bytes from the browser that have gone on to the server
        self.is_cut = False
        self._browsers: set[socket.socket] = set()
        self._connections: list[threading.Thread] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        """Break what is open, and take nothing new. The server has read what had passed when this returns."""
        self.is_cut = True
        for end in list(self._browsers):
            with contextlib.suppress(OSError):
                # A reset: browsers look for an end of the line only when they have sent everything.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)
                end.close()
        for connection in self._connections:
            connection.join(timeout=10)

    def mend(self) -> None:
        """Whole again, and as fast as the machine."""
        self.is_cut, self.speed = False, None

    def close(self) -> None:
        """The end of it."""
        self.cut()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                browser, _address = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                browser.close()
                continue
            server = socket.create_connection(self._target)
            self._browsers.add(browser)
            connection = threading.Thread(target=self._serve, args=(browser, server), daemon=True)
            self._connections.append(connection)
            connection.start()

    def _serve(self, browser: socket.socket, server: socket.socket) -> None:
        with browser, server:
            up = threading.Thread(target=self._pass_on, args=(browser, server, True), daemon=True)
            up.start()
            self._pass_on(server, browser, False)
            up.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_upstream: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(64 * 1024):
                if is_upstream and self.speed:
                    time.sleep(len(data) / self.speed)
                target.sendall(data)
                self.passed += len(data) if is_upstream else 0
        # An end, not a reset: what is on its way is still read, and an answer may come.
        for end, way in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
            with contextlib.suppress(OSError):
                end.shutdown(way)


@pytest.fixture
def line(live_server: Any) -> Iterator[Line]:
    made = Line(live_server.url)
    yield made
    made.close()


@pytest.fixture
def far(chromium: Browser, line: Line) -> Iterator[Page]:
    """A page behind that line."""
    context = chromium.new_context(base_url=line.url, locale="de-DE")
    yield context.new_page()
    context.close()


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


def until(page: Page, line: Line, least: int) -> None:
    """Wait until so many percent of the file are with the server: buffers hold megabytes that a page calls sent."""
    page.locator("[data-part=bar]").wait_for()
    assert eventually(lambda: line.passed >= SIZE * least // 100)


def arrived(where: Folder) -> str:
    """The checksum of what the folder's newest paper holds."""
    made = Document.objects.select_related("current__blob").filter(folder=where).latest("id")
    return bytes(made.current.blob.sha256).hex()  # type: ignore[union-attr]


def test_a_broken_line_is_no_harm(far: Page, line: Line, where: tuple[Cast, Folder], big: Path) -> None:
    (cast, folder), page = where, far
    sent = offsets(page)
    open_form(page, cast, folder)
    line.speed = SLOW
    page.locator("#files").set_input_files(big)
    until(page, line, 30)
    expect(page.locator("#publish")).to_be_disabled()
    line.cut()
    expect(page.locator("[data-part=text]")).to_contain_text("Verbindung")
    line.mend()
    expect(page.locator("input[name=upload]")).to_have_count(1, timeout=30_000)
    assert sent[0] == 0 and 0 < sent[-1] < SIZE, sent  # it went on and did not begin anew
    page.locator("[data-title]").fill("Keller")
    page.locator("#publish").click()
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    expect(page.locator(".rows").first).to_contain_text("Keller")
    assert arrived(folder) == hashlib.sha256(big.read_bytes()).hexdigest()


def test_a_pause_and_a_reload_lose_nothing(far: Page, line: Line, where: tuple[Cast, Folder], big: Path) -> None:
    (cast, folder), page = where, far
    sent = offsets(page)
    open_form(page, cast, folder)
    line.speed = SLOW
    page.locator("#files").set_input_files(big)
    until(page, line, 30)
    page.locator("[data-part=pause]").click()
    expect(page.locator("[data-part=text]")).to_contain_text("Angehalten")
    expect(page.locator("[data-part=resume]")).to_be_focused()
    stood = percent(page)
    page.wait_for_timeout(500)
    assert percent(page) == stood
    expect(page.locator("#publish")).to_be_disabled()
    page.reload()
    expect(page.locator("[data-upload-status]")).to_contain_text(big.name)
    line.mend()
    page.locator("#files").set_input_files(big)
    expect(page.locator("input[name=upload]")).to_have_count(1, timeout=30_000)
    assert sent[0] == 0 and 0 < sent[-1] < SIZE, sent
    page.locator("#publish").click()
    page.wait_for_url(f"**/documents?folder={folder.pk}")
    assert arrived(folder) == hashlib.sha256(big.read_bytes()).hexdigest()
    page.goto(documents_url(cast, f"/upload?folder={folder.pk}"))
    expect(page.locator("[data-upload-status]")).to_be_empty()  # nothing is left to be finished


def test_a_pause_goes_on_by_keyboard(far: Page, line: Line, where: tuple[Cast, Folder], big: Path) -> None:
    (cast, folder), page = where, far
    open_form(page, cast, folder)
    line.speed = SLOW
    page.locator("#files").set_input_files(big)
    until(page, line, 20)
    page.locator("[data-part=pause]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=resume]")).to_be_focused()
    line.mend()
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
