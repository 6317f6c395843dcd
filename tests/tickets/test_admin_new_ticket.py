"""A ticket that staff file for somebody who has called: the form, and what its type asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from orgs.services import quick_actions
from tests.portal.pages import signed_in
from tests.tickets.test_admin_desk import LIST
from tickets.admin import questions
from tickets.models import Ticket, TicketAttachment, TicketType, TicketTypeCommunity, TicketTypeField

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_a_ticket_for_somebody_who_called(cast: Cast) -> None:
    sent = {
        "community": cast.house_a.pk, "unit": cast.unit_a2.pk, "requester": cast.contact("renter").pk, "text": "Es tropft.",
        "priority": "4",
    }  # fmt: skip
    assert signed_in(cast.staff).post(f"{LIST}add/", sent).status_code == 302
    made = Ticket.objects.get()
    assert (made.contact, made.created_by, made.priority) == (cast.contact("renter"), cast.staff, 4)
    wrong = signed_in(cast.staff).post(f"{LIST}add/", sent | {"community": cast.house_b.pk})
    assert wrong.context["form"].errors
    assert Ticket.objects.count() == 1


# --- A ticket of a type -------------------------------------------------------------------------------------


@pytest.fixture
def water(cast: Cast) -> TicketType:
    """A type that asks where, how many and what is seen."""
    made = TicketType.objects.create(tenant=cast.tenant, name="Wasserschaden", priority=3)
    for position, (kind, name, required) in enumerate(
        (("DROPDOWN", "Wo?", True), ("NUMBER", "Wie viele Liter?", False), ("FILE", "Foto", False)), 1
    ):
        TicketTypeField.objects.create(
            tenant=cast.tenant, ticket_type=made, field_type=kind, name=name, position=position, required=required,
            options=["Bad", "Küche"] if kind == "DROPDOWN" else [], decimals=1 if kind == "NUMBER" else None,
        )  # fmt: skip
    return made


def names_of(kind: TicketType) -> list[str]:
    return [questions.name_of(field) for field in questions.of(kind)]


def test_a_quick_action_starts_a_ticket_of_its_type(cast: Cast, water: TicketType) -> None:
    gone = TicketType.objects.create(tenant=cast.tenant, name="Alt", is_active=False)
    foreign = TicketType.objects.create(tenant=cast.other_tenant, name="Fremd")
    quick_actions.replace(
        actor=cast.actor("operator"), organization=cast.tenant,
        actions=[
            {"name": one.name, "resource": "ticket-type", "resource_id": one.pk} for one in (water, gone, foreign)
        ],
    )  # fmt: skip
    client = signed_in(cast.staff)
    [board] = client.get("/admin/").context["desk"].boards
    url = f"{LIST}add/?ticket_type={water.pk}"
    assert [(offer.url, bool(offer.reason)) for offer in board.offers] == [(url, False), ("", True), ("", True)]
    form = client.get(url).context["form"]
    assert form["ticket_type"].value() == water.pk
    where, litres, photo = names_of(water)
    picture = SimpleUploadedFile("fleck.txt", b"Notiz", "text/plain")
    sent = {
        "community": cast.house_a.pk,
        "ticket_type": water.pk,
        "asked": water.pk,
        where: "Bad",
        litres: "2,5",
        photo: picture,
    }
    assert client.post(url, sent).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.ticket_type, ticket.priority) == ("Wasserschaden", water, 3)
    assert [answer["value"] for answer in ticket.answers] == ["Bad", 2.5]
    assert TicketAttachment.objects.get(ticket=ticket).name == "fleck.txt"


def test_answers_that_do_not_fit_are_told_at_their_question_and_nothing_is_filed(cast: Cast, water: TicketType) -> None:
    where, litres, _photo = names_of(water)
    sent = {
        "community": cast.house_a.pk,
        "ticket_type": water.pk,
        "asked": water.pk,
        litres: "viele",
        "text": "Es tropft.",
    }
    form = signed_in(cast.staff).post(f"{LIST}add/", sent).context["form"]
    assert set(form.errors) == {where, litres}
    assert form[litres].value() == "viele"
    assert not Ticket.objects.exists()


def test_who_chooses_a_type_in_the_form_is_asked_what_it_asks(cast: Cast, water: TicketType) -> None:
    client, (where, _litres, _photo) = signed_in(cast.staff), names_of(water)
    sent = {"community": cast.house_a.pk, "ticket_type": water.pk, "asked": "", "text": "Es tropft."}
    form = client.post(f"{LIST}add/", sent).context["form"]
    assert not form.is_bound
    assert (form["text"].value(), form["asked"].value(), where in form.fields) == ("Es tropft.", water.pk, True)
    assert not Ticket.objects.exists()
    assert client.post(f"{LIST}add/", sent | {"asked": water.pk, where: "Bad"}).status_code == 302
    assert Ticket.objects.get().description == "Es tropft.\n\nWo? Bad"


def test_a_type_of_another_house_is_refused(cast: Cast, water: TicketType) -> None:
    TicketTypeCommunity.objects.create(tenant=cast.tenant, ticket_type=water, community=cast.house_b)
    where = names_of(water)[0]
    sent = {"community": cast.house_a.pk, "ticket_type": water.pk, "asked": water.pk, where: "Bad"}
    form = signed_in(cast.staff).post(f"{LIST}add/", sent).context["form"]
    assert set(form.errors) == {"ticket_type"}
    assert not Ticket.objects.exists()
