"""A day at the help desk: drafts, two people on one ticket, many at once, reports, exports; and all of it without scripts."""

from __future__ import annotations

import csv
import datetime
import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import expect

from core import scope
from tests.cast import Cast, load
from tests.journeys.test_admin_look import SCREENS, leave_unfinished, look_at, sign_in
from tickets.models import Ticket, TicketActivity
from tickets.services import bulk, filing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/tickets/ticket/"
BEGUN = "Guten Tag, wir haben den Installateur"


@pytest.fixture
def house(live_server: Any) -> tuple[Cast, list[Ticket]]:
    """Three open tickets of house A, the oldest first."""
    cast = load()
    return cast, filed(cast, "Der Hahn tropft", "Das Licht flackert", "Die Haustür klemmt")


def filed(cast: Cast, *texts: str) -> list[Ticket]:
    with scope.unit_of_work(door="test"):
        return [
            filing.file_ticket(
                actor=cast.actor("renter"), community=cast.house_a, text=text, title=text, source="web"
            ).ticket
            for text in texts
        ]


def stored(ticket: Ticket) -> Ticket:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return Ticket.objects.get(pk=ticket.pk)


def page_of(ticket: Ticket) -> str:
    return f"{LIST}{ticket.pk}/change/"


@contextmanager
def browser_of(chromium: Browser, live_server: Any, name: str, **options: Any) -> Iterator[Page]:
    """A browser of its own, in which this person is signed in."""
    context: BrowserContext = chromium.new_context(
        base_url=live_server.url, locale="de-DE", timezone_id="Europe/Berlin", **options
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    sign_in(page, name)
    yield page
    context.close()


# --- Drafts ---------------------------------------------------------------------------------------------------


def test_a_draft_is_there_again_everywhere_until_it_is_sent(
    page: Page, chromium: Browser, live_server: Any, house: tuple[Cast, list[Ticket]]
) -> None:
    ticket = house[1][0]
    sign_in(page, "staff")
    page.goto(page_of(ticket))
    page.locator("#text").press_sequentially(BEGUN)
    expect(page.locator("[data-draft-text]")).to_have_text("Entwurf gespeichert")
    page.reload()
    expect(page.locator("#text")).to_have_value(BEGUN)
    with browser_of(chromium, live_server, "staff") as second:
        second.goto(page_of(ticket))
        expect(second.locator("#text")).to_have_value(BEGUN)
        second.locator("#send").click()
        expect(second.locator(".q-said-text", has_text=BEGUN)).to_be_visible()
        expect(second.locator("#text")).to_have_value("")
    page.reload()
    expect(page.locator("#text")).to_have_value("")


def test_what_was_just_typed_is_kept_when_the_page_is_left(page: Page, house: tuple[Cast, list[Ticket]]) -> None:
    ticket = house[1][0]
    sign_in(page, "staff")
    page.goto(page_of(ticket))
    page.locator("input[name=mode][value=note]").check(force=True)
    page.locator("#text").fill(BEGUN)
    page.goto(LIST)
    page.goto(page_of(ticket))
    expect(page.locator("#text")).to_have_value(BEGUN)
    expect(page.locator("input[name=mode][value=note]")).to_be_checked()


def test_a_file_that_is_not_finished_is_named_on_its_own_ticket(
    page: Page, house: tuple[Cast, list[Ticket]], tmp_path: Path
) -> None:
    first, second, _third = house[1]
    status = page.locator("[data-upload-status]")
    sign_in(page, "staff")
    page.goto(page_of(first))
    leave_unfinished(page, "#files", tmp_path / "Rechnung.bin")
    expect(status).to_contain_text("Nicht fertig: Rechnung.bin.")
    page.goto(page_of(second))
    expect(status).to_be_empty()
    page.goto(page_of(first))
    expect(status).to_contain_text("Nicht fertig: Rechnung.bin.")


# --- Two people -----------------------------------------------------------------------------------------------


def test_two_people_on_one_ticket_see_each_other(
    page: Page, chromium: Browser, live_server: Any, house: tuple[Cast, list[Ticket]]
) -> None:
    ticket = house[1][0]
    sign_in(page, "staff")
    page.clock.install()
    page.goto(page_of(ticket))
    with browser_of(chromium, live_server, "admin") as other:
        other.goto(page_of(ticket))
        expect(other.locator("[data-presence-text]")).to_contain_text("Staff Muster sieht sich")
        told(page, "Admin Muster sieht sich")
        other.locator("#text").press_sequentially("Ich mache das.")
        told(page, "Admin Muster schreibt gerade")
        other.locator("#send").click()
        expect(other.locator(".q-said-text", has_text="Ich mache das.")).to_be_visible()
        told(page, "Inzwischen hat jemand dieses Anliegen geändert")
        other.goto(LIST)
        told(page, "Admin Muster", is_gone=True)


def told(page: Page, text: str, *, is_gone: bool = False) -> None:
    """What the page says about others after its next sign, or the one after: a sign takes ten seconds, and two at the same
    moment can swallow each other.
    """
    shown = page.locator("[data-presence-text]")
    for left in range(2, -1, -1):
        with page.expect_response("**/presence/"):
            page.clock.run_for(10_000)
        try:
            expect(shown).not_to_contain_text(text) if is_gone else expect(shown).to_contain_text(text)
        except AssertionError:
            if not left:
                raise
        else:
            return


# --- Many at once ---------------------------------------------------------------------------------------------


def test_chosen_tickets_are_changed_after_a_preview(page: Page, house: tuple[Cast, list[Ticket]]) -> None:
    cast, (first, second, third) = house
    sign_in(page, "staff")
    page.goto(LIST)
    for ticket in (first, third):
        page.get_by_label(f"Anliegen {ticket.identifier} auswählen").check()
    page.locator("#b-assignee").select_option(str(cast.membership("staff").pk))
    page.locator("#b-kind").select_option("cleaning")
    page.get_by_role("button", name="Vorschau der Änderung").click()
    expect(page.locator(".q-counts li").first).to_have_text("2 zu ändern")
    expect(page.locator(".q-facts")).to_contain_text("Staff Muster")
    assert stored(first).assignee_id is None
    page.get_by_role("button", name="2 Anliegen ändern").click()
    expect(page.get_by_text("2 Anliegen wurden geändert.")).to_be_visible()
    mine = cast.membership("staff").pk
    assert [(stored(t).assignee_id, stored(t).support_type) for t in (first, second, third)] == [
        (mine, "cleaning"), (None, second.support_type), (mine, "cleaning"),
    ]  # fmt: skip


def test_all_that_fit_are_changed_by_a_worker_while_one_sees_how_far_it_is(
    page: Page, worker: None, house: tuple[Cast, list[Ticket]]
) -> None:
    cast, before = house
    many = filed(cast, *(f"Heizung kalt {n}" for n in range(60)))
    sign_in(page, "staff")
    page.goto(f"{LIST}?q=heizung")
    page.get_by_label("Alle 60 dieser Liste").check()
    page.locator("#b-priority").select_option("4")
    page.get_by_role("button", name="Vorschau der Änderung").click()
    page.get_by_role("button", name="60 Anliegen ändern").click()
    page.wait_for_url(f"**{LIST}bulk/*/")
    expect(page.get_by_text("60 Anliegen wurden geändert.")).to_be_visible(timeout=30_000)
    with scope.unit_of_work(door="test"), scope.all_tenants():
        urgent = set(Ticket.objects.filter(priority=4).values_list("pk", flat=True))
    assert urgent == {ticket.pk for ticket in many}
    assert not urgent & {ticket.pk for ticket in before}


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_pages_of_a_change_of_many_are_accessible_and_fit(
    chromium: Browser,
    live_server: Any,
    house: tuple[Cast, list[Ticket]],
    axe: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    theme: str,
    width: int,
) -> None:
    cast, tickets = house
    monkeypatch.setattr(bulk, "wake", lambda *args: True)  # no worker: the run stays as far as it is
    with scope.unit_of_work(door="test"):
        actor = cast.actor("admin", tenant=cast.tenant)
        ids = [ticket.pk for ticket in tickets]
        waits = bulk.start(actor=actor, ids=ids, wanted={"priority": 4}, language="de")
        over = bulk.start(actor=actor, ids=[*ids, 10**9], wanted={"priority": 3}, language="de")
        stands = bulk.start(actor=actor, ids=ids, wanted={"support_type": "cleaning"}, language="de")
    bulk.work(over.pk)
    stands.moved_at -= bulk.PATIENCE + 1
    cache.set(bulk._key(stands.pk), stands, bulk.KEPT)

    def preview(page: Page) -> None:
        page.goto(LIST)
        page.get_by_label("Alle 3 dieser Liste").check()
        page.locator("#b-status").select_option("solved")
        page.get_by_role("button", name="Vorschau der Änderung").click()
        expect(page.get_by_role("button", name="3 Anliegen ändern")).to_be_visible()

    runs = [f"{LIST}bulk/{run.pk}/" for run in (waits, over, stands)]
    look_at([*runs, preview], "admin", chromium, live_server.url, axe, theme, width)


# --- Reports and exports --------------------------------------------------------------------------------------


def test_a_bar_opens_the_list_behind_it(page: Page, house: tuple[Cast, list[Ticket]]) -> None:
    old, _young, newest = house[1]
    with scope.unit_of_work(door="test"), scope.all_tenants():
        ago = timezone.now() - datetime.timedelta(days=5)
        Ticket.objects.filter(pk__in=[old.pk, newest.pk]).update(created_at=ago)
    sign_in(page, "staff")
    page.goto(LIST)
    page.get_by_role("link", name="Auswertungen").click()
    bar = page.locator("#ages ~ .q-two .q-bar", has_text="3 bis 7 Tage")
    expect(bar.locator(".q-bar-count")).to_have_text("2")
    bar.click()
    expect(page.locator("a[data-ticket]")).to_have_text(["Die Haustür klemmt", "Der Hahn tropft"])


@pytest.mark.parametrize("form", ["CSV", "Excel"])
def test_the_export_holds_exactly_the_list(page: Page, house: tuple[Cast, list[Ticket]], form: str) -> None:
    _cast, (first, second, _third) = house
    with scope.unit_of_work(door="test"), scope.all_tenants():
        Ticket.objects.filter(pk__in=[first.pk, second.pk]).update(priority=3)
    sign_in(page, "staff")
    page.goto(LIST)
    page.get_by_text("Weitere Filter").click()
    page.locator("#priority").select_option("3")
    page.locator("#order").select_option("oldest")
    page.get_by_role("button", name="Anzeigen").click()
    shown = ["Der Hahn tropft", "Das Licht flackert"]
    expect(page.locator("a[data-ticket]")).to_have_text(shown)
    with page.expect_download() as started:
        page.get_by_role("link", name=form).click()
    assert exported(started.value.path()) == shown


def exported(file: Path) -> list[str]:
    """The titles in a file, in its order."""
    content = file.read_bytes()
    if content.startswith(b"PK"):
        sheet: Any = load_workbook(io.BytesIO(content)).active
        return [row[3] for row in sheet.iter_rows(min_row=2, values_only=True)]
    return [row[3] for row in csv.reader(content.decode("utf-8-sig").splitlines()[1:], delimiter=";")]


# --- Keys -----------------------------------------------------------------------------------------------------


def test_the_help_names_the_keys_and_they_do_so(page: Page, house: tuple[Cast, list[Ticket]]) -> None:
    _first, second, third = house[1]
    sign_in(page, "staff")
    page.goto(LIST)
    page.keyboard.press("?")
    help_box = page.get_by_role("dialog", name="Tastenkürzel")
    expect(help_box).to_contain_text("nächste und vorherige Zeile")
    page.keyboard.press("Escape")
    expect(help_box).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_label(f"Anliegen {second.identifier} auswählen")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{page_of(third)}*")
    page.keyboard.press("j")
    page.wait_for_url(f"**{page_of(second)}*")
    page.keyboard.press("k")
    page.wait_for_url(f"**{page_of(third)}*")
    page.keyboard.press("s")
    expect(page.locator("select#status")).to_be_focused()
    page.locator("select#status").blur()
    page.keyboard.press("n")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("jk?")
    expect(page.locator("#text")).to_have_value("jk?")
    expect(page.locator("input[name=mode][value=note]")).to_be_checked()
    page.locator("#text").blur()
    page.keyboard.press("?")
    expect(help_box).to_contain_text("zum Status")


# --- Without scripts ------------------------------------------------------------------------------------------


def test_list_and_ticket_work_without_scripts(
    chromium: Browser, live_server: Any, house: tuple[Cast, list[Ticket]]
) -> None:
    first, second, _third = house[1]
    with browser_of(chromium, live_server, "staff", java_script_enabled=False) as page:
        page.goto(LIST)
        page.locator("#q").fill("hahn")
        page.get_by_role("button", name="Anzeigen").click()
        expect(page.locator("a[data-ticket]")).to_have_text(["Der Hahn tropft"])
        page.get_by_role("link", name="Der Hahn tropft").click()
        page.get_by_label("Interne Notiz").check(force=True)
        page.locator("#text").fill("Schlüssel beim Hausmeister.")
        with page.expect_navigation():  # what is asked for next stood on the page before, too
            page.get_by_role("button", name="Als Entwurf speichern").click()
        expect(page.locator("#text")).to_have_value("Schlüssel beim Hausmeister.")
        page.locator("#send").click()
        expect(page.locator(".q-said-text", has_text="Schlüssel")).to_be_visible()
        page.locator("#priority").select_option("4")
        with page.expect_navigation():
            page.get_by_role("button", name="Sichern").click()
        expect(page.locator("#priority")).to_have_value("4")
        page.get_by_role("button", name="Mir zuweisen").click()
        expect(page.get_by_role("button", name="Mir zuweisen")).to_have_count(0)
        page.get_by_role("link", name="Arbeitsliste").first.click()
        page.wait_for_url(f"**{LIST}*")
        page.goto(LIST)
        page.get_by_label(f"Anliegen {second.identifier} auswählen").check()
        page.locator("#b-status").select_option("solved")
        page.get_by_role("button", name="Vorschau der Änderung").click()
        page.get_by_role("button", name="1 Anliegen ändern").click()
        expect(page.get_by_text("1 Anliegen wurde geändert.")).to_be_visible()
        assert urlsplit(page.url).path == LIST
    with scope.unit_of_work(door="test"), scope.all_tenants():
        note = TicketActivity.objects.get(ticket=first, kind="note")
    assert (note.text, stored(first).priority, stored(second).status) == ("Schlüssel beim Hausmeister.", 4, "solved")
