"""What residents decide about their own tickets: whether neighbours read along, and that one has become needless."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, Denied
from orgs import audience
from orgs.services import occupancies
from tests.portal.pages import signed_in
from tests.portal.test_web_ticket_new import form_url
from tests.portal.test_web_tickets import close, file
from tests.tickets.test_services_answers import a_type, ids
from tickets.models import Ticket, TicketActivity
from tickets.services import changes, comments, merging, sharing

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def url(ticket: Ticket, name: str = "") -> str:
    return f"/app/tickets/{ticket.uuid}{name}"


def events(ticket: Ticket) -> list[tuple[str, str]]:
    found = TicketActivity.objects.filter(ticket=ticket).exclude(kind="ticketCreated").order_by("id")
    return [(entry.kind, entry.data.get("event") or entry.data.get("status", "")) for entry in found]


# --- Sharing ----------------------------------------------------------------------------------------------------


def test_neighbours_read_along_as_long_as_its_requester_wants(cast: Cast) -> None:
    ticket, client, neighbour = file(cast), signed_in(cast.renter), signed_in(cast.owner)
    assert neighbour.get(url(ticket)).status_code == 404
    assert client.post(url(ticket, "/sharing"), {"neighbours": "1"}).status_code == 302
    assert neighbour.get(url(ticket)).status_code == 200
    assert signed_in(cast.neighbour).get(url(ticket)).status_code == 404  # of another house
    page = client.get(url(ticket)).content.decode()
    assert "Nicht mehr teilen" in page
    client.post(url(ticket, "/sharing"), {"neighbours": "0"})
    assert neighbour.get(url(ticket)).status_code == 404
    assert events(ticket) == [("event", "shared"), ("event", "unshared")]


def test_whoever_reads_along_neither_shares_nor_withdraws(cast: Cast) -> None:
    ticket = file(cast)
    sharing.share(actor=cast.actor("admin"), ticket=ticket, keys=[audience.community(cast.house_a.pk)])
    client = signed_in(cast.owner)
    page = client.get(url(ticket)).content.decode()
    assert "/sharing" not in page
    assert "/withdraw" not in page
    for name in ("/sharing", "/withdraw"):
        assert client.post(url(ticket, name), {"neighbours": "0"}).status_code == 403
    ticket.refresh_from_db()
    assert (ticket.status, bool(ticket.shared_with)) == ("new", True)


def test_a_requester_shares_with_the_whole_house_or_with_nobody(cast: Cast) -> None:
    ticket = file(cast)
    for keys in ([audience.unit(cast.unit_a1.pk)], [audience.community(cast.house_a.pk, "owner")]):
        with pytest.raises(Denied):
            sharing.share(actor=cast.actor("renter"), ticket=ticket, keys=keys)
    sharing.share(actor=cast.actor("renter"), ticket=ticket, keys=[audience.community(cast.house_a.pk)])
    ticket.refresh_from_db()
    assert ticket.shared_with == [audience.community(cast.house_a.pk)]


def test_a_new_ticket_is_shared_where_its_form_says_so(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "TEXTBOX"})
    [text] = (f"f{pk}" for pk in ids(kind))
    client, where = signed_in(cast.renter), form_url(cast, kind)
    for values, expected in (({}, []), ({"neighbours": "on"}, [audience.community(cast.house_a.pk)])):
        assert client.post(where, {text: f"Es tropft {expected}", "unit": "", **values}).status_code == 302
        assert Ticket.objects.latest("id").shared_with == expected


def test_whoever_has_moved_out_decides_nothing_any_more(cast: Cast) -> None:
    ticket = file(cast)
    occupancies.revoke(cast.occupancy("renter"))
    client = signed_in(cast.renter)
    for name in ("/sharing", "/withdraw"):
        assert client.post(url(ticket, name), {"neighbours": "1"}).status_code == 404


# --- Withdrawing ------------------------------------------------------------------------------------------------


def test_a_withdrawn_ticket_is_closed_and_a_message_opens_it_again(cast: Cast) -> None:
    ticket, client = file(cast), signed_in(cast.renter)
    assert "/withdraw" in client.get(url(ticket)).content.decode()
    page = client.post(url(ticket, "/withdraw"), follow=True).content.decode()
    assert "zurückgezogen" in page
    assert "/withdraw" not in page
    ticket.refresh_from_db()
    assert (ticket.status, events(ticket)) == ("closed", [("statusUpdated", "closed")])
    comments.add_comment(actor=cast.actor("renter"), ticket=ticket, text="Doch noch.", source="web")
    ticket.refresh_from_db()
    assert ticket.status == "reopened"


def test_what_is_done_is_not_withdrawn(cast: Cast) -> None:
    ticket = file(cast)
    close(cast, ticket, "solved")
    with pytest.raises(Conflict):
        changes.withdraw(actor=cast.actor("renter"), ticket=ticket, source="web")
    signed_in(cast.renter).post(url(ticket, "/withdraw"))
    ticket.refresh_from_db()
    assert ticket.status == "solved"


def test_nobody_withdraws_for_others_not_even_the_management(cast: Cast) -> None:
    ticket = file(cast)
    for who in ("admin", "staff", "owner"):
        with pytest.raises(Denied):
            changes.withdraw(actor=cast.actor(who), ticket=ticket, source="web")


def test_a_merged_ticket_offers_neither(cast: Cast) -> None:
    ticket, other = file(cast), file(cast, "owner")
    merging.merge(actor=cast.actor("admin"), ticket=ticket, into=other)
    page = signed_in(cast.renter).get(url(ticket)).content.decode()
    assert "/sharing" not in page
    assert "/withdraw" not in page
