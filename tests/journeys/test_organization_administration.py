"""An owner keeps the tree of organizations in order, by keyboard and without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from core import scope
from orgs.models import Organization, OwnerInvitation, QuickAction
from orgs.services import tree
from orgs.services.tenants import add_member
from tests.cast import Cast, load
from tests.journeys.test_admin_look import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.django_db(transaction=True)
TREE = "/admin/orgs/organization/"


@pytest.fixture
def company(live_server: Any) -> tuple[Cast, Organization, Organization]:
    """Two branches; somebody else owns the second."""
    cast = load()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        top = Organization.objects.get(pk=cast.tenant.pk)
        made = [
            tree.create(actor=cast.actor("admin"), parent=top, values={"name": f"Filiale {n}"}) for n in ("Nord", "Süd")
        ]
        add_member(user=cast.neighbour, organization=made[1], role="owner")
    return cast, made[0], made[1]


def line(page: Page, name: str) -> Locator:
    """The line of an organization in the tree."""
    return page.locator("[data-tree] tr").filter(has=page.locator("[data-name]", has_text=name)).first


def parent_of(name: str) -> str:
    """The name of the organization above, as it is stored."""
    return str(Organization.objects.select_related("parent").get(name=name).parent or "")


def test_made_moved_and_handed_on_by_keyboard(page: Page, company: tuple[Cast, Organization, Organization]) -> None:
    cast, north, _south = company
    sign_in(page, "admin")
    page.goto(TREE)

    # Made below a branch, from its line.
    line(page, "Filiale Nord").get_by_role("link", name="Darunter anlegen").focus()
    page.keyboard.press("Enter")
    page.locator("#id_name").focus()
    page.keyboard.type("Team Heizung")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{TREE}?open=*#organization-*")
    expect(line(page, "Team Heizung").locator("a[data-name]")).to_be_focused()

    # A branch closes and opens.
    toggle = line(page, "Filiale Nord").locator(".q-toggle")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(line(page, "Team Heizung")).to_have_count(0)
    line(page, "Filiale Nord").locator(".q-toggle").focus()
    page.keyboard.press("Enter")

    # Moved: taken up, put down elsewhere, and only after a word on what that changes.
    line(page, "Team Heizung").locator("[data-move]").focus()
    page.keyboard.press("Enter")
    for _press in range(4):
        if line(page, "Filiale Süd").locator("[data-drop]").evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Was der Umzug ändert")).to_be_visible()
    expect(page.locator("main, #content").last).to_contain_text("Erhalten Inhaberrechte: Neighbour Muster")
    assert parent_of("Team Heizung") == "Filiale Nord"
    page.get_by_role("button", name="Verschieben").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("„Team Heizung“ liegt jetzt unter „Filiale Süd“.")).to_be_visible()
    assert parent_of("Team Heizung") == "Filiale Süd"
    expect(line(page, "Team Heizung").locator("a[data-name]")).to_be_focused()

    # An owner is asked.
    page.goto(f"{TREE}{north.pk}/invite-owner/")
    page.locator("#id_email").focus()
    page.keyboard.type(cast.renter.email)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{cast.renter.email} erhält eine E-Mail")).to_be_visible()
    assert OwnerInvitation.objects.get().user == cast.renter


def test_one_is_dragged_to_the_confirmation(page: Page, company: tuple[Cast, Organization, Organization]) -> None:
    sign_in(page, "admin")
    page.goto(TREE)
    line(page, "Filiale Nord").locator("[data-name]").drag_to(line(page, "Filiale Süd"))
    expect(page.get_by_role("heading", name="Was der Umzug ändert")).to_be_visible()
    assert parent_of("Filiale Nord") == "Brandt & Keller"
    page.get_by_role("button", name="Verschieben").click()
    expect(line(page, "Filiale Nord")).to_be_visible()
    assert parent_of("Filiale Nord") == "Filiale Süd"


def test_quick_actions_and_a_move_without_scripts(
    chromium: Browser, live_server: Any, company: tuple[Cast, Organization, Organization]
) -> None:
    _cast, north, south = company
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "admin")
    page.goto(f"{TREE}{north.pk}/quick-actions/")
    for n, name in enumerate(("Notdienst", "Schlüssel")):
        page.get_by_role("button", name="Knopf hinzufügen").press("Enter")
        page.locator(f"#a{n}-name").fill(name)
        page.locator(f"#a{n}-resource").fill("page")
    page.get_by_role("button", name="Nach oben 2").press("Enter")
    expect(page.locator("#a0-name")).to_have_value("Schlüssel")
    page.locator("#a1-resource").fill("")
    page.locator("#a1-resource").press("Enter")  # the key stores, it moves no row
    expect(page.locator("#a1-resource-error")).to_be_visible()
    assert not QuickAction.objects.exists()
    page.locator("#a1-resource").fill("ticket")
    page.locator("#a1-resource").press("Enter")
    page.wait_for_url(f"**{TREE}{north.pk}/change/")
    stored = QuickAction.objects.filter(organization=north).order_by("position")
    assert list(stored.values_list("name", "resource")) == [("Schlüssel", "page"), ("Notdienst", "ticket")]

    page.goto(TREE)
    line(page, "Filiale Nord").get_by_role("link", name="Verschieben").press("Enter")
    page.wait_for_url(f"**{TREE}{north.pk}/move/*")  # the tree has a link of the name that follows, too
    page.get_by_role("link", name="Filiale Süd").press("Enter")
    page.get_by_role("button", name="Verschieben").press("Enter")
    page.wait_for_url(f"**{TREE}?open=*")
    assert parent_of("Filiale Nord") == south.name
    context.close()
