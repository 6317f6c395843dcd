"""A resident reports damage with photos, talks with the staff, rates and opens again: by keyboard, without scripts, over
a line that breaks."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from core import scope
from core.services import blobs
from core.services.previews import make_preview
from portal.models import FaqItem
from tests.cast import Cast, load
from tests.journeys.test_portal_look import CUT_OFF, SMALL, sign_in
from tests.journeys.test_portal_upload import SLOW, Line, far, line  # noqa: F401 - fixtures
from tests.servers import eventually
from tests.tickets.test_services_answers import a_type
from tests.tickets.test_services_photos import GPS, exif
from tickets.models import Ticket, TicketAttachment, TicketType, TicketTypeGroup
from tickets.services import changes, comments, filing, sharing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return load()


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    group = TicketTypeGroup.objects.create(tenant=cast.tenant, name="Etwas ist kaputt")
    return a_type(
        cast.tenant, "Wasser",
        {"field_type": "TEXTBOX", "name": "Was ist passiert?", "required": True},
        {"field_type": "DROPDOWN", "name": "Raum", "options": ["Bad", "Küche"], "required": True},
        {"field_type": "NUMBER", "name": "Liter", "decimals": 1}, {"field_type": "DATE", "name": "Seit wann?"},
        {"field_type": "CHECKBOX", "name": "Läuft noch"}, {"field_type": "FILE", "name": "Fotos"},
        group=group, icon="drop", description="Leck, Fleck, Abfluss",
    )  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """As a phone takes it: turned, and with the place."""
    file = tmp_path / "IMG_2041.jpg"
    noise = Image.frombytes("RGB", (1200, 900), os.urandom(1200 * 900 * 3))
    noise.save(file, "JPEG", quality=95, exif=exif())
    return file


def press(page: Page, where: Locator | str, key: str = "Enter") -> None:
    """Reach something by Tab and press a key there: nothing is clicked."""
    target = page.locator(where) if isinstance(where, str) else where
    for _ in range(60):
        if target.evaluate("e => e === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(target).to_be_focused()
    if key:
        page.keyboard.press(key)


def staff(work: Callable[..., Any], cast: Cast, ticket: Ticket, **values: Any) -> None:
    with scope.unit_of_work(door="test"):
        work(actor=cast.actor("staff"), ticket=Ticket.objects.get(pk=ticket.pk), source="back_office", **values)


def look_again(page: Page) -> None:
    """As when one comes back to the page: it asks for news at once."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_from_the_report_to_the_reopening_by_keyboard_alone(
    page: Page, cast: Cast, kind: TicketType, photo: Path, console: list[str]
) -> None:
    sign_in(page)
    press(page, "#nav-side a[href$='/tickets']")
    page.wait_for_url("**/tickets")
    press(page, page.locator("main a.button.primary").first)
    page.wait_for_url("**/tickets/new")
    press(page, page.get_by_role("link", name="Wasser"))
    page.wait_for_url(f"**/new/{kind.pk}")
    text, room, number, _day, _box, files = (f"#id_f{field.pk}" for field in kind.fields.all())
    press(page, "#send")  # too early: the page says what is missing
    expect(page.locator("[role=alert] li")).to_have_count(2)
    expect(page.locator("[role=alert]")).to_be_focused()
    console.clear()  # the browser logs the answer of 422
    press(page, text, "")
    page.keyboard.type("Es tropft von der Decke.")
    press(page, room, "B")
    press(page, number, "")
    page.keyboard.type("1,5")
    page.locator(files).set_input_files(photo)  # the window of the system is not the page's
    expect(page.locator(f"input[type=hidden][name=f{files.removeprefix('#id_f')}]")).to_have_count(1, timeout=20_000)
    press(page, "#send")
    page.wait_for_url("**/app/tickets/*")
    ticket = Ticket.objects.get()
    assert [a["value"] for a in ticket.answers] == ["Es tropft von der Decke.", "Bad", 1.5, False]
    kept = TicketAttachment.objects.select_related("blob").get(ticket=ticket)
    with blobs.open_blob(kept.blob) as file:
        assert not Image.open(io.BytesIO(file.read())).getexif().get_ifd(GPS)
    make_preview(kept.blob_id)
    staff(comments.add_comment, cast, ticket, text="Wir kommen morgen.")
    look_again(page)
    expect(page.locator(".bubble").nth(1)).to_contain_text("Wir kommen morgen.")
    expect(page.locator(".photos img")).to_be_visible()
    press(page, "#text", "")
    page.keyboard.type("Danke, ich bin da.")
    press(page, "#send")
    expect(page.locator(".bubble.mine").last).to_contain_text("Danke, ich bin da.")
    staff(changes.set_status, cast, ticket, status="closed")
    look_again(page)
    expect(page.locator("#rate")).to_be_visible()
    expect(page.locator("#hint")).to_contain_text("öffnet Ihre Nachricht es wieder")
    press(page, "#s5", "Space")
    expect(page.locator("#s5")).to_be_checked()
    press(page, "#rate")
    expect(page.locator("main [role=status]").filter(has_text="Bewertung")).to_be_visible()
    assert Ticket.objects.get().rating == 5
    press(page, "#text", "")
    page.keyboard.type("Es tropft wieder.")
    press(page, "#send")
    expect(page.locator(".event").last).to_contain_text("Wieder geöffnet")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.rating) == ("reopened", None)
    expect(page.locator("#rate")).to_have_count(0)


def test_everything_works_without_scripts(
    chromium: Browser, live_server: Any, cast: Cast, kind: TicketType, photo: Path
) -> None:
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    sign_in(page)
    page.goto(f"/app/c/{cast.house_a.pk}/tickets/new/{kind.pk}")
    fields = [f"#id_f{field.pk}" for field in kind.fields.all()]
    page.fill(fields[0], "Ohne Skript")
    page.select_option(fields[1], "Küche")
    page.set_input_files(fields[5], [photo])
    page.click("#send")
    page.wait_for_url("**/app/tickets/*")
    ticket = Ticket.objects.get()
    assert TicketAttachment.objects.get().activity.kind == "ticketCreated"  # type: ignore[union-attr]
    page.fill("#text", "Noch ein Foto")
    page.set_input_files("#files", [photo])
    page.click("#send")
    page.wait_for_url("**#e*")
    assert TicketAttachment.objects.filter(ticket=ticket).count() == 2
    staff(changes.set_status, cast, ticket, status="solved")
    page.reload()
    page.click("label[for=s4]")
    page.click("#rate")
    page.locator("main [role=status] .notice").wait_for()
    assert Ticket.objects.get().rating == 4
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_answers_are_found_before_one_writes(
    chromium: Browser, live_server: Any, cast: Cast, kind: TicketType, scripts: bool
) -> None:
    with scope.unit_of_work(door="test"):
        for title in ("Wo stelle ich das Wasser ab?", "Wohin mit dem Müll?"):
            FaqItem.objects.create(tenant=cast.tenant, title=title, text="Im Keller.", ticket_type=kind)
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=scripts, locale="de-DE")
    page = context.new_page()
    sign_in(page)
    page.goto(f"/app/c/{cast.house_a.pk}/tickets/new")
    expect(page.locator("#answers details")).to_have_count(2)
    page.locator("#search-answers").press_sequentially("wass")
    if not scripts:
        page.keyboard.press("Enter")
    expect(page.locator("#answers details")).to_have_count(1)
    expect(page.locator("#search-answers")).to_have_value("wass")
    page.locator("#answers summary").click()
    page.get_by_role("link", name="Noch Hilfe nötig?").click()
    page.wait_for_url(f"**/new/{kind.pk}")
    expect(page.locator("main details")).to_have_count(2)  # those of this kind, once more
    context.close()


def test_a_shared_ticket_is_marked_and_read_only_until_it_is_shared_no_more(
    page: Page, cast: Cast, console: list[str]
) -> None:
    with scope.unit_of_work(door="test"):
        values = {"community": cast.house_a, "source": "web"}
        mine = filing.file_ticket(actor=cast.actor("renter"), text="Meins", title="Mein Anliegen", **values).ticket
        shared = filing.file_ticket(
            actor=cast.actor("owner"), text="Licht aus", title="Licht im Keller", **values
        ).ticket
        filing.file_ticket(actor=cast.actor("owner"), text="Geheim", title="Nicht geteilt", **values)
        sharing.share(actor=cast.actor("staff"), ticket=shared, keys=[f"c:{cast.house_a.pk}"])
    sign_in(page)
    page.goto(f"/app/c/{cast.house_a.pk}/tickets")
    rows = page.locator("main .rows > .row")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="Licht im Keller").locator(".tag", has_text="Geteilt")).to_be_visible()
    expect(rows.filter(has_text="Mein Anliegen").locator(".tag", has_text="Geteilt")).to_have_count(0)
    page.locator(".filters a", has_text="Mit mir geteilt").click()
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Licht im Keller").click()
    page.wait_for_url(f"**/app/tickets/{shared.uuid}")
    expect(page.locator(".bubble")).to_contain_text("Licht aus")
    expect(page.locator("#text")).to_have_count(0)  # whom it is shared with reads
    page.goto(f"/app/tickets/{mine.uuid}")
    expect(page.locator("#text")).to_have_count(1)
    with scope.unit_of_work(door="test"):
        sharing.share(actor=cast.actor("staff"), ticket=Ticket.objects.get(pk=shared.pk), keys=[])
    answer = page.goto(f"/app/tickets/{shared.uuid}")
    assert answer is not None and answer.status == 404
    console.clear()  # the browser logs that answer
    page.goto(f"/app/c/{cast.house_a.pk}/tickets")
    expect(rows).to_have_count(1)


def test_a_broken_line_is_no_harm_and_a_photo_can_be_taken_back(
    far: Page,  # noqa: F811
    line: Line,  # noqa: F811
    cast: Cast,
    kind: TicketType,
    photo: Path,
    tmp_path: Path,
) -> None:
    page, field = far, kind.fields.last()
    assert field is not None
    second = tmp_path / "zweites.jpg"
    Image.new("RGB", (60, 40), "red").save(second)
    sign_in(page)
    page.goto(f"/app/c/{cast.house_a.pk}/tickets/new/{kind.pk}")
    before, size = line.passed, photo.stat().st_size
    line.speed = SLOW // 4
    page.locator(f"#id_f{field.pk}").set_input_files(photo)
    assert eventually(lambda: line.passed - before >= size // 3)
    expect(page.locator("#send")).to_be_disabled()
    line.cut()
    expect(page.locator("[data-part=text]")).to_contain_text("Verbindung")
    line.mend()
    expect(page.locator(f"input[type=hidden][name=f{field.pk}]")).to_have_count(1, timeout=30_000)
    page.locator(f"#id_f{field.pk}").set_input_files(second)
    expect(page.locator(f"input[type=hidden][name=f{field.pk}]")).to_have_count(2)
    page.locator("[data-part=remove]").last.click()
    expect(page.locator(f"input[type=hidden][name=f{field.pk}]")).to_have_count(1)
    first, room = (f"#id_f{one.pk}" for one in kind.fields.all()[:2])
    page.fill(first, "Es tropft.")
    page.select_option(room, "Bad")
    page.click("#send")
    page.wait_for_url("**/app/tickets/*")
    assert list(TicketAttachment.objects.values_list("name", flat=True)) == [photo.name]


def test_more_than_ten_photos_are_not_taken_up(page: Page, cast: Cast, tmp_path: Path) -> None:
    sign_in(page)
    page.goto(f"/app/c/{cast.house_a.pk}/tickets/new/other")
    files = [tmp_path / f"{n}.jpg" for n in range(11)]
    for n, file in enumerate(files):
        Image.new("RGB", (20 + n, 20), "red").save(file)
    page.locator("#id_upload").set_input_files(files)
    expect(page.locator("input[type=hidden][name=upload]")).to_have_count(10, timeout=20_000)
    expect(page.locator("[data-upload-list] > li")).to_have_count(10)


def test_nothing_is_asked_while_nobody_looks(page: Page, cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        ticket = filing.file_ticket(
            actor=cast.actor("renter"), community=cast.house_a, text="Es tropft.", source="web"
        ).ticket
    sign_in(page)
    page.goto(f"/app/tickets/{ticket.uuid}")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "seen=" in r.url else None)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    look_again(page)
    page.wait_for_timeout(300)
    assert asked == []
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    with page.expect_response("**seen=*") as answer:
        look_again(page)
    assert answer.value.status == 204


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_tickets_is_accessible_and_fits(
    chromium: Browser, live_server: Any, cast: Cast, kind: TicketType, axe: Callable[..., None], theme: str, width: int
) -> None:
    word = "Wasserschaden" * 770  # ten thousand letters without a space
    with scope.unit_of_work(door="test"):
        actor, boss = cast.actor("renter"), cast.actor("staff")

        def filed(text: str, **values: Any) -> Ticket:
            return filing.file_ticket(actor=actor, community=cast.house_a, text=text, source="web", **values).ticket

        plain, endless, done = filed("Es tropft."), filed(word, title=word[:250]), filed("Fertig")
        comments.add_comment(actor=boss, ticket=endless, source="back_office", text=word)
        changes.assign(actor=boss, ticket=endless, assignee=cast.membership("staff"), source="back_office")
        changes.set_status(actor=boss, ticket=done, status="closed", source="back_office")
        a_type(cast.tenant, word[:200], description=word[:2000])
        for title in ("Wo stelle ich das Wasser ab?", word[:250]):
            FaqItem.objects.create(tenant=cast.tenant, title=title, text=word, ticket_type=kind)
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 800}, color_scheme=theme, locale="de-DE"
    )
    page = context.new_page()
    sign_in(page)
    base = f"/app/c/{cast.house_a.pk}/tickets"
    for url in (
        f"/app/c/{cast.house_a.pk}/", base, f"{base}?q=nichts", f"{base}?only=older", f"{base}/new", f"{base}/new/{kind.pk}",
        f"/app/tickets/{plain.uuid}", f"/app/tickets/{endless.uuid}", f"/app/tickets/{done.uuid}",
    ):  # fmt: skip
        page.goto(url)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
        assert page.evaluate(CUT_OFF) == [], url
        assert page.evaluate(SMALL) == [], url
    page.goto(f"{base}/new/{kind.pk}")
    page.click("#send")
    page.locator("[role=alert]").wait_for()
    axe(page)
    context.close()
