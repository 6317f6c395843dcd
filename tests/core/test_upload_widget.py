"""The upload widget in a real browser, on the real protocol."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import translation
from playwright.sync_api import expect

from core import sizes
from core.errors import TooLarge
from core.models import Upload
from core.services import blobs
from tests.core.material import pdf, person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.core.material")]


@pytest.fixture
def widget(page: Page, live_server: Any, settings: Any, tmp_path: Path) -> Page:
    settings.STORAGE_URL = f"file://{tmp_path}/stored"
    client = Client()
    client.force_login(person())
    name = django_settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page.goto("/widget")
    return page


def file(tmp_path: Path, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


def test_several_files_arrive_and_their_handles_go_with_the_form(widget: Page, tmp_path: Path) -> None:
    files = [file(tmp_path, "Plan Ä.pdf", pdf()), file(tmp_path, "Zahlen.bin", os.urandom(3_000_000))]
    widget.set_input_files("#files", files)
    expect(widget.locator("[data-upload-status]")).to_have_text("2 Dateien hochgeladen.")
    expect(widget.locator("li").nth(1)).to_contain_text("Fertig, 3,0\u00a0MB")
    widget.click("#save")
    widget.wait_for_url("**/sent*")
    uploads = {upload.name: upload for upload in Upload.objects.all()}
    assert set(uploads) == {"Plan Ä.pdf", "Zahlen.bin"}
    for upload in uploads.values():
        assert upload.handle in widget.content()
    with blobs.open_blob(uploads["Plan Ä.pdf"].blob) as stored:  # type: ignore[arg-type]
        assert stored.read() == pdf() or uploads["Plan Ä.pdf"].blob.mime == "application/pdf"  # type: ignore[union-attr]


def test_a_dropped_file_arrives(widget: Page) -> None:
    widget.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["Hausordnung"], "Ordnung.txt", {type: "text/plain"}));
          const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true});
          document.querySelector("[data-upload-drop]").dispatchEvent(drop);
        }"""
    )
    expect(widget.locator("li")).to_contain_text("Fertig, 11\u00a0B")


def test_after_a_broken_line_it_goes_on_where_it_stood(widget: Page, tmp_path: Path, console: list[str]) -> None:
    content, patches = os.urandom(2_000_000), []

    def cut(route: Any) -> None:
        """Let the first piece pass as a half one, then break."""
        patches.append(route.request.headers["upload-offset"])
        if len(patches) == 1:
            body = route.request.post_data_buffer[:700_000]
            route.fetch(
                post_data=body, headers={k: v for k, v in route.request.headers.items() if k != "content-length"}
            )
            route.abort("connectionreset")
        else:
            route.continue_()

    widget.route("**/app/uploads/*", lambda route: cut(route) if route.request.method == "PATCH" else route.continue_())
    widget.set_input_files("#files", file(tmp_path, "Zahlen.bin", content))
    expect(widget.locator("li")).to_contain_text("Fertig")
    assert patches == ["0", "700000"]
    with blobs.open_blob(Upload.objects.get().blob) as stored:  # type: ignore[arg-type]
        assert stored.read() == content
    assert all("net::ERR_CONNECTION_RESET" in line for line in console)
    console.clear()


def test_after_a_reload_it_goes_on_where_it_stood(widget: Page, tmp_path: Path) -> None:
    chosen = file(tmp_path, "Zahlen.bin", os.urandom(2_000_000))
    held: list[Any] = []
    widget.route(
        "**/app/uploads/*", lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_()
    )
    with widget.expect_request(lambda request: request.method == "PATCH"):
        widget.set_input_files("#files", chosen)
    widget.unroute("**/app/uploads/*")
    widget.on("dialog", lambda dialog: dialog.accept())
    widget.reload()
    widget.set_input_files("#files", chosen)
    expect(widget.locator("li")).to_contain_text("Fertig")
    assert Upload.objects.count() == 1


def test_cancelling_removes_the_upload(widget: Page, tmp_path: Path) -> None:
    widget.set_input_files("#files", file(tmp_path, "Plan.pdf", pdf()))
    expect(widget.locator("li")).to_contain_text("Fertig")
    with widget.expect_response(lambda response: response.request.method == "DELETE"):
        widget.get_by_role("button", name="Entfernen Plan.pdf").click()
    expect(widget.locator("li")).to_have_count(0)
    assert not Upload.objects.exists()


def test_a_bad_file_says_why_and_the_others_arrive(widget: Page, tmp_path: Path) -> None:
    widget.set_input_files("#files", [file(tmp_path, "leer.pdf", b""), file(tmp_path, "Plan.pdf", pdf())])
    expect(widget.locator("li").nth(0)).to_contain_text("Die Datei ist leer.")
    expect(widget.locator("li").nth(1)).to_contain_text("Fertig")


def test_the_servers_reason_is_shown(widget: Page, tmp_path: Path, settings: Any, console: list[str]) -> None:
    settings.UPLOAD_LIMIT = 100
    widget.set_input_files("#files", file(tmp_path, "Plan.pdf", pdf()))
    with translation.override("de"):
        expect(widget.locator("li")).to_contain_text(str(TooLarge.message))
    console.clear()


def test_a_size_is_said_as_the_pages_say_it(widget: Page) -> None:
    bounds = [999, 1000, 411_600, 999_400, 999_600, 1_234_000, 9_940_000, 9_960_000, 999_400_000, 1_300_000_000]
    for most in bounds:
        widget.evaluate(
            """most => {
              const file = new File(["x"], "groß.bin"), data = new Event("drop", {bubbles: true});
              Object.defineProperty(file, "size", {value: most + 1});
              Object.defineProperty(data, "dataTransfer", {value: {files: [file]}});
              document.querySelector("[data-upload]").dataset.max = most;
              document.querySelector("[data-upload-drop]").dispatchEvent(data);
            }""",
            most,
        )
    with translation.override("de"):
        said = [f"Größer als {sizes.readable(most)}." for most in bounds]
    assert widget.locator("[data-part=text]").all_text_contents() == said


def test_the_widget_is_accessible(widget: Page, tmp_path: Path, axe: Callable[..., None]) -> None:
    widget.set_input_files("#files", file(tmp_path, "Plan.pdf", pdf()))
    expect(widget.locator("li")).to_contain_text("Fertig")
    axe(widget)
