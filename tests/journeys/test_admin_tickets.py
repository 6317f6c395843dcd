"""The help desk as staff see it: accessible in both themes, wide and narrow; a ticket worked on by keyboard."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core import scope
from tests.cast import Cast, load
from tests.journeys.test_admin_look import SCREENS, look_at, sign_in
from tickets.models import (
    AssignmentRule,
    CannedReply,
    Ticket,
    TicketFilter,
    TicketType,
    TicketTypeField,
    TicketTypeGroup,
)
from tickets.services import changes, comments, filing

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Wasserfleck_an_der_Decke_im_Kinderzimmer_oben_links_neben_dem_Fenster_seit_gestern_Abend_2026"


@pytest.fixture
def desk(live_server: Any) -> tuple[Cast, list[Ticket], list[str]]:
    """Three tickets with a talk, types, replies, rules; the tickets, the oldest first, and all pages."""
    cast = load()
    with scope.unit_of_work(door="test"):
        tenant = cast.tenant
        group = TicketTypeGroup.objects.create(tenant=tenant, name="Wohnung")
        kind = TicketType.objects.create(
            tenant=tenant, name="Wasser", group=group, icon="drop", resolution_hours=48, priority=3
        )
        TicketTypeField.objects.create(
            tenant=tenant, ticket_type=kind, field_type="DROPDOWN", name="Wo?", position=1, options=["Bad", "Küche"]
        )
        reply = CannedReply.objects.create(
            tenant=tenant, name="Eingang", text="Guten Tag {{requester_name}}, wir kümmern uns um {{ticket_number}}."
        )
        rule = AssignmentRule.objects.create(tenant=tenant, community=cast.house_a, is_active=False)
        TicketFilter.objects.create(tenant=tenant, user=cast.admin, name="Dringend", query="priority=4", is_shared=True)
        tickets = [
            filing.file_ticket(
                actor=cast.actor(who), community=cast.house_a, text=text, source="web", ticket_type=kind, title=title
            ).ticket
            for who, title, text in (
                ("renter", "Der Hahn tropft", "Es tropft seit gestern."),
                ("owner", LONG, LONG),
                ("renter", "Das Licht flackert", "Im Flur."),
            )
        ]
        admin = cast.actor("admin")
        comments.add_comment(actor=admin, ticket=tickets[1], text="Wir kommen morgen.", source="back_office")
        comments.add_note(actor=admin, ticket=tickets[1], text="Schlüssel beim Hausmeister.")
        changes.set_status(actor=admin, ticket=tickets[1], status="waiting", source="back_office")
        Ticket.objects.filter(pk=tickets[0].pk).update(response_due_at=timezone.now() - datetime.timedelta(hours=3))
    at = f"tickets/ticket/{tickets[1].pk}"
    pages = [
        "", "tickets/ticket/", "tickets/ticket/?view=overdue", f"tickets/ticket/add/?ticket_type={kind.pk}",
        "tickets/ticket/?q=tropft", "tickets/ticket/?q=nirgends", "tickets/ticket/add/",
        "tickets/ticket/reports/", f"{at}/change/", f"{at}/history/", f"{at}/share/", f"{at}/merge/", f"{at}/parent/",
        f"{at}/delete/", f"tickets/ticket/{tickets[0].pk}/change/", "tickets/tickettype/", "tickets/tickettype/add/",
        f"tickets/tickettype/{kind.pk}/change/", f"tickets/tickettype/{kind.pk}/questions/",
        f"tickets/tickettype/{kind.pk}/preview/", "tickets/tickettypegroup/",
        f"tickets/tickettypegroup/{group.pk}/change/", "tickets/cannedreply/", f"tickets/cannedreply/{reply.pk}/change/",
        "tickets/assignmentrule/", f"tickets/assignmentrule/{rule.pk}/change/",
    ]  # fmt: skip
    return cast, tickets, [f"/admin/{path}" for path in pages]


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_every_page_of_the_desk_is_accessible_and_fits(
    chromium: Browser,
    live_server: Any,
    desk: tuple[Cast, list[Ticket], list[str]],
    axe: Callable[..., None],
    theme: str,
    width: int,
) -> None:
    look_at(desk[2], "admin", chromium, live_server.url, axe, theme, width)


def test_a_ticket_is_worked_on_by_keyboard(page: Page, desk: tuple[Cast, list[Ticket], list[str]]) -> None:
    cast, tickets, _pages = desk
    sign_in(page, "admin")
    page.goto("/admin/tickets/ticket/?q=tropft")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/tickets/ticket/{tickets[0].pk}/change/*")
    page.keyboard.press("a")
    expect(page.locator("select[name=assignee]")).to_have_value(str(cast.membership("admin").pk))
    page.keyboard.press("r")
    page.keyboard.type("Wir kommen jetzt.")
    page.locator("#send").press("Enter")
    expect(page.get_by_text("Wir kommen jetzt.").first).to_be_visible()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        ticket = Ticket.objects.get(pk=tickets[0].pk)
        assert (ticket.assignee_id, ticket.first_response_at is not None) == (cast.membership("admin").pk, True)
