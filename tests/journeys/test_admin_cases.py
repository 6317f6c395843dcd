"""Cases in the back office as people see them: from the quick action to the next stage, accessible, wide and narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from core import scope
from core.services import rows
from orgs.services import quick_actions
from processes.models import Process
from processes.services import cases, kinds
from tests.cast import CASE_FLAGS, Cast, load
from tests.journeys.test_admin_look import SCREENS, look_at, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Instandsetzung der Wärmedämmverbundsystemfassade einschließlich Dachrinnenanschlüsse"


@pytest.fixture
def office() -> tuple[Cast, list[str]]:
    """A kind with stages, a case with a history and a long one, and the clerks' quick action; the pages of all that."""
    cast = load()
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        for who in ("admin", "staff"):
            rows.change(cast.membership(who), dict.fromkeys(CASE_FLAGS, True))
        actor = cast.actor("admin")
        kind = kinds.create_type(
            actor=actor, tenant_id=cast.tenant.pk, values={"names": {"de": "Umbau", "fr": "Travaux"}}
        )
        stages = [
            kinds.create_stage(actor=actor, process_type=kind, values={"names": {"de": name}, "position": place})
            for place, name in enumerate(("Antrag", "Beschluss", LONG))
        ]
        made = [
            cases.open_case(
                actor=actor, unit=cast.unit_a2, contact=cast.contact("renter"), process_type=kind, stage=stages[0],
                subject=subject, report="<p>Eine Markise.</p><ul><li>Ton in Ton</li></ul>",
            )
            for subject in ("Markise", LONG)
        ]  # fmt: skip
        cases.change_case(
            actor=actor, process=made[0], changes={"stage": stages[1], "subject": "Markise an der Loggia"}
        )
        quick_actions.replace(
            actor=actor, organization=cast.tenant,
            actions=[{"name": "Umbau beantragen", "resource": "process-type", "resource_id": kind.pk}],
        )  # fmt: skip
    at = "processes/process"
    pages = [
        f"{at}/", f"{at}/?q=markise", f"{at}/?q=nirgends", f"{at}/add/?type={kind.pk}", f"{at}/{made[0].pk}/change/",
        f"{at}/{made[1].pk}/change/", f"{at}/{made[0].pk}/history/", f"{at}/{made[0].pk}/delete/", "processes/processtype/",
        "processes/processtype/add/", f"processes/processtype/{kind.pk}/change/", "processes/processstage/",
        f"processes/processstage/{stages[2].pk}/change/",
    ]  # fmt: skip
    return cast, [f"/admin/{path}" for path in pages]


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_every_page_of_cases_is_accessible_and_fits(
    chromium: Browser,
    live_server: Any,
    office: tuple[Cast, list[str]],
    axe: Callable[..., None],
    theme: str,
    width: int,
) -> None:
    look_at(office[1], "admin", chromium, live_server.url, axe, theme, width)


def test_a_case_is_opened_from_the_start_page_and_moved_on_by_keyboard(
    page: Page, live_server: Any, office: tuple[Cast, list[str]]
) -> None:
    sign_in(page, "staff")
    page.get_by_role("link", name="Umbau beantragen").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/processes/process/add/**")
    for field, typed in (("unit", "A2"), ("contact", "Renter")):
        page.locator(f".field-{field} .select2-selection").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".select2-container--open .select2-search__field")).to_be_focused()
        page.keyboard.type(typed)
        expect(page.locator(".select2-results__option--highlighted")).to_contain_text(typed)
        page.keyboard.press("Enter")
    page.get_by_label("Betreff").fill("Wanddurchbruch")
    page.get_by_label("Schilderung").fill("Zwischen Küche und Flur.\n\nTragend?")
    page.locator("button[name=_save]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/processes/process/")
    case = Process.objects.get(subject="Wanddurchbruch")
    assert (str(case.stage), case.account.email) == ("Antrag", "staff@quartier.test")
    page.get_by_role("link", name=str(case.number), exact=True).click()
    page.get_by_label("Stufe", exact=True).select_option("Beschluss")
    page.locator("button[name=_continue]").click()
    expect(page.get_by_role("row", name="Beschluss jetzt")).to_be_visible()
    case.refresh_from_db()
    assert str(case.stage) == "Beschluss"
    assert case.report == "<p>Zwischen Küche und Flur.</p>\n\n<p>Tragend?</p>"
