"""A tenant administrator keeps the folders in order: makes, moves, opens to a group, looks through others' eyes, dates."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core import scope
from docms.models import Folder
from tests.cast import Cast, load
from tests.factories import folder, manual_group
from tests.journeys.test_admin_look import sign_in
from tests.portal.pages import house_folder, paper

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.django_db(transaction=True)
TREE = "/admin/docms/folder/"


@pytest.fixture
def house(live_server: Any) -> tuple[Cast, Folder]:
    """A folder of house A, with a paper, and a circle of people."""
    cast = load()
    where = house_folder(cast, "Versammlungen")
    paper(cast, where)
    with scope.unit_of_work(door="test"):
        manual_group(cast, "Beirat", "owner")
    return cast, where


def parent_of(name: str) -> str:
    """The path of the folder above, as it is stored."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return str(Folder.objects.select_related("parent").get(name=name).parent or "")


def line(page: Page, name: str) -> Locator:
    """The line of a folder in the tree."""
    return page.locator("[data-tree] tr").filter(has=page.locator("[data-name]", has_text=name)).first


def save(page: Page) -> None:
    page.locator("button[name=_save]").click()
    page.wait_for_url(f"**{TREE}")


def test_a_year_of_a_folder(page: Page, house: tuple[Cast, Folder]) -> None:
    cast, _where = house
    sign_in(page, "admin")

    # Made, and opened to a circle.
    page.goto(f"{TREE}add/")
    page.locator("#id_name").fill("Jahresabrechnung")
    page.locator(".field-groups .select2-search__field").fill("Beirat")
    page.locator(".select2-results__option", has_text="Beirat").click()
    save(page)
    expect(line(page, "Jahresabrechnung")).to_contain_text("Beirat")

    # Moved by keyboard alone: Enter takes it up, arrows and Enter choose; Escape leaves everything as it was.
    mover = line(page, "Jahresabrechnung").locator("[data-move]")
    mover.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("„Jahresabrechnung“ zieht um")).to_have_count(2)  # seen, and told to a screen reader
    expect(page.locator("[data-drop]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(mover).to_be_focused()
    expect(page.locator("[data-drop]")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    expect(line(page, "Versammlungen").locator("[data-drop]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("„Jahresabrechnung“ liegt jetzt in „Versammlungen“.")).to_be_visible()
    assert parent_of("Jahresabrechnung") == "Versammlungen"
    expect(line(page, "Jahresabrechnung").locator("a[data-name]")).to_be_focused()

    # Seen with the eyes of two residents: one belongs to the circle.
    page.get_by_role("link", name="Aus der Sicht von …").click()
    for who, seen in ((cast.owner, True), (cast.renter, False)):
        page.locator("#q").fill(who.email)
        page.keyboard.press("Enter")
        page.get_by_role("link", name=str(who)).click()
        expect(page.get_by_role("heading", name=f"Aus der Sicht von {who}")).to_be_visible()
        expect(line(page, "Versammlungen")).to_contain_text("Lesen, Herunterladen")
        expect(page.locator("[data-tree] [data-name]", has_text="Jahresabrechnung")).to_have_count(1 if seen else 0)

    # A date: from then on only administrators find it.
    page.goto(TREE)
    line(page, "Jahresabrechnung").locator("a[data-name]").click()
    page.get_by_role("heading", name="Regeln").click()
    tomorrow = timezone.localtime() + datetime.timedelta(days=1)
    page.locator("#id_inactive_at_0").fill(f"{tomorrow:%d.%m.%Y}")
    page.locator("#id_inactive_at_1").fill("08:00")
    save(page)
    expect(line(page, "Jahresabrechnung")).to_contain_text(f"ausgeblendet ab {tomorrow:%d.%m.%Y} 08:00")


def test_a_folder_is_dragged_into_another_and_on_top(page: Page, house: tuple[Cast, Folder]) -> None:
    cast, where = house
    with scope.unit_of_work(door="test"):
        below = folder(cast, "Alt", parent=where)
        folder(cast, "Archiv")
    sign_in(page, "admin")
    page.goto(TREE)
    line(page, "Archiv").locator("[data-name]").drag_to(line(page, "Alt"))
    expect(page.get_by_text("„Archiv“ liegt jetzt in „Alt“.")).to_be_visible()
    assert parent_of("Archiv") == "Versammlungen/Alt"
    line(page, "Versammlungen").locator("[data-name]").drag_to(line(page, "Archiv"))  # below itself: nothing happens
    assert parent_of("Versammlungen") == ""
    line(page, "Archiv").locator("th").drag_to(page.locator("[data-tree] thead"))
    expect(page.get_by_text("„Archiv“ liegt jetzt ganz oben.")).to_be_visible()
    assert parent_of("Archiv") == ""
    assert parent_of("Alt") == below.full_path_name.partition("/")[0]


def test_branches_fold_and_stay_folded(page: Page, house: tuple[Cast, Folder]) -> None:
    cast, where = house
    with scope.unit_of_work(door="test"):
        folder(cast, "Darunter", parent=folder(cast, "Mitte", parent=where))
    sign_in(page, "admin")
    page.goto(TREE)
    toggle = line(page, "Versammlungen").locator("[data-toggle]")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    for name in ("Mitte", "Darunter"):
        expect(line(page, name)).to_be_hidden()
    page.reload()
    expect(line(page, "Mitte")).to_be_hidden()
    page.get_by_role("button", name="Alle aufklappen").click()
    expect(line(page, "Darunter")).to_be_visible()


def test_two_people_move_the_same_folder(page: Page, house: tuple[Cast, Folder]) -> None:
    from docms.services import folders

    cast, where = house
    with scope.unit_of_work(door="test"):
        moved, other = folder(cast, "Wandert"), folder(cast, "Anderswo")
    sign_in(page, "admin")
    page.goto(TREE)
    with scope.unit_of_work(door="test"):
        folders.change_folder(actor=cast.actor("admin"), folder=moved, changes={"parent": other})
    line(page, "Wandert").locator("[data-move]").click()
    line(page, where.name).locator("[data-drop]").click()
    expect(page.get_by_role("alert")).to_contain_text("Inzwischen hat jemand anderes etwas geändert")
    assert parent_of("Wandert") == "Anderswo"


def test_without_scripts_everything_is_open_and_moves_by_a_form(
    chromium: Any, live_server: Any, house: tuple[Cast, Folder]
) -> None:
    cast, where = house
    with scope.unit_of_work(door="test"):
        moved = folder(cast, "Wandert", parent=folder(cast, "Mitte"))
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "admin")
    page.goto(TREE)
    expect(page.locator(f"#folder-{moved.pk}")).to_be_visible()
    expect(page.locator("[data-toggle]").first).to_be_hidden()
    page.locator(f"#folder-{moved.pk} [data-move]").click()
    page.locator("#id_parent").select_option(where.full_path_name)
    page.locator("form.q-form button").click()
    expect(page.get_by_text("„Wandert“ liegt jetzt in „Versammlungen“.")).to_be_visible()
    context.close()
