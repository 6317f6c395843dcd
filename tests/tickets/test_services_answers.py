"""What ticket types ask: who may use one, which answers fit, and what the ticket keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from core.errors import Denied, Invalid
from orgs.models import Community
from tests.cast import Cast
from tests.tickets.material import upload
from tickets.models import Ticket, TicketActivity, TicketAttachment, TicketType, TicketTypeCommunity, TicketTypeField
from tickets.services import answers

if TYPE_CHECKING:
    from orgs.models import Organization

DOOR = "web_tickets"


def a_type(tenant: Organization, name: str = "Wasser", *fields: dict[str, Any], **values: Any) -> TicketType:
    """A type with fields in the order they are named."""
    made = TicketType.objects.create(tenant=tenant, name=name, **values)
    for position, field in enumerate(fields):
        TicketTypeField.objects.create(
            tenant=tenant, ticket_type=made, **{"name": f"Frage {position}", "position": position} | field
        )
    return made


def ids(kind: TicketType) -> list[str]:
    return [str(field.pk) for field in kind.fields.all()]


def file(cast: Cast, kind: TicketType, given: dict[str, Any], who: str = "renter", **values: Any) -> Ticket:
    values = {"community": cast.house_a, "source": "web", "door": DOOR} | values
    return answers.file_answers(actor=cast.actor(who), ticket_type=kind, given=given, **values).ticket


def codes(kind: TicketType, given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(answers.WrongAnswers) as wrong:
        answers.check(kind.fields.all(), given, language="de")
    assert wrong.value.codes.keys() == wrong.value.fields.keys()
    return wrong.value.codes


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ({"field_type": "TEXTFIELD"}, " Bad ", "Bad"),
        ({"field_type": "TEXTFIELD"}, "x" * 500, "x" * 500),
        ({"field_type": "TEXTBOX"}, "Seit\ngestern", "Seit\ngestern"),
        ({"field_type": "NUMBER"}, 12.345, 12.345),
        ({"field_type": "NUMBER", "decimals": 2}, 12.34, 12.34),
        ({"field_type": "NUMBER", "decimals": 0}, 0, 0),
        ({"field_type": "CHECKBOX"}, False, False),
        ({"field_type": "DROPDOWN", "options": ["Bad", "Küche"]}, "Küche", "Küche"),
        ({"field_type": "DATE"}, "2026-11-17", "2026-11-17"),
    ],
)
def test_an_answer_that_fits_is_kept_with_its_question(
    cast: Cast, field: dict[str, Any], value: Any, kept: Any
) -> None:
    kind = a_type(cast.tenant, "Wasser", field)
    ticket = file(cast, kind, {ids(kind)[0]: value})
    ticket.refresh_from_db()
    assert ticket.answers == [
        {"field_id": int(ids(kind)[0]), "name": "Frage 0", "fieldType": field["field_type"], "value": kept}
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"field_type": "TEXTFIELD"}, "x" * 501),
        ({"field_type": "TEXTFIELD"}, "zwei\nZeilen"),
        ({"field_type": "TEXTFIELD"}, 5),
        ({"field_type": "TEXTFIELD"}, "a\x00b"),
        ({"field_type": "TEXTBOX"}, "x" * 10_001),
        ({"field_type": "TEXTBOX"}, "\ud800"),
        ({"field_type": "NUMBER"}, "12"),
        ({"field_type": "NUMBER"}, True),
        ({"field_type": "NUMBER"}, float("nan")),
        ({"field_type": "NUMBER"}, float("inf")),
        ({"field_type": "NUMBER"}, 10**400),
        ({"field_type": "NUMBER", "decimals": 2}, 1.234),
        ({"field_type": "NUMBER", "decimals": 0}, 1.5),
        ({"field_type": "CHECKBOX"}, "on"),
        ({"field_type": "DROPDOWN", "options": ["Bad"]}, "Keller"),
        ({"field_type": "DROPDOWN", "options": ["Bad"]}, ["Bad"]),
        ({"field_type": "DATE"}, "17.11.2026"),
        ({"field_type": "DATE"}, "2026-02-30"),
        ({"field_type": "DATE"}, "9999-12-31"),
        ({"field_type": "DATE"}, "0001-01-01"),
        ({"field_type": "DATE"}, 20261117),
        ({"field_type": "FILE"}, "handle"),
        ({"field_type": "FILE"}, [5]),
        ({"field_type": "FILE"}, ["gleich", "gleich"]),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_at_its_field(cast: Cast, field: dict[str, Any], value: Any) -> None:
    kind = a_type(cast.tenant, "Wasser", field, {"field_type": "TEXTFIELD"})
    assert codes(kind, {ids(kind)[0]: value, ids(kind)[1]: "gut"}) == {ids(kind)[0]: "invalid_value"}


@pytest.mark.parametrize(
    ("field", "empty"),
    [
        ({"field_type": "TEXTFIELD"}, None),
        ({"field_type": "TEXTBOX"}, " \n "),
        ({"field_type": "TEXTBOX"}, "\u200b\u3164"),
        ({"field_type": "NUMBER"}, None),
        ({"field_type": "CHECKBOX"}, False),
        ({"field_type": "DROPDOWN", "options": ["Bad"]}, ""),
        ({"field_type": "DATE"}, ""),
        ({"field_type": "FILE"}, []),
    ],
)
def test_what_must_be_answered_is_missed_and_what_may_be_is_not(cast: Cast, field: dict[str, Any], empty: Any) -> None:
    must = a_type(cast.tenant, "Muss", field | {"required": True})
    assert codes(must, {ids(must)[0]: empty}) == codes(must, {}) == {ids(must)[0]: "required"}
    may = a_type(cast.tenant, "Darf", field)
    assert answers.check(may.fields.all(), {}, language="de").snapshot == []


def test_every_wrong_field_is_named_at_once(cast: Cast) -> None:
    kind = a_type(cast.tenant, "W", {"field_type": "TEXTFIELD", "required": True}, {"field_type": "NUMBER"})
    first, second = ids(kind)
    assert codes(kind, {second: "viel", "99": "x", "hallo": "x"}) == {
        first: "required", second: "invalid_value", "99": "unknown_field", "hallo": "unknown_field",
    }  # fmt: skip
    assert not Ticket.objects.exists()


def test_a_field_that_is_not_asked_any_more_takes_no_answer(cast: Cast) -> None:
    kind = a_type(cast.tenant, "W", {"field_type": "TEXTFIELD", "is_active": False, "required": True})
    assert codes(kind, {ids(kind)[0]: "x"}) == {ids(kind)[0]: "unknown_field"}
    assert file(cast, kind, {}).description == "W"


def test_fields_of_another_type_are_unknown(cast: Cast) -> None:
    kind = a_type(cast.tenant, "W", {"field_type": "TEXTFIELD"})
    other = a_type(cast.tenant, "X", {"field_type": "TEXTFIELD"})
    assert codes(kind, {ids(other)[0]: "x"}) == {ids(other)[0]: "unknown_field"}


def test_a_change_of_the_type_alters_no_ticket_filed_before(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "DROPDOWN", "options": ["Bad"], "name": "Raum"})
    ticket = file(cast, kind, {ids(kind)[0]: "Bad"})
    kept = list(ticket.answers)
    kind.fields.update(name="Zimmer", options=["Küche"], required=True, is_active=False)
    TicketType.objects.filter(pk=kind.pk).update(name="Leck")
    ticket.refresh_from_db()
    assert (ticket.answers, ticket.title, ticket.description) == (kept, "Wasser", "Raum: Bad")
    kind.fields.all().delete()
    ticket.refresh_from_db()
    assert ticket.answers == kept


def test_title_and_description_come_from_type_and_answers(cast: Cast) -> None:
    kind = a_type(
        cast.tenant, "Wasser", {"field_type": "TEXTBOX", "name": "Was ist passiert?"},
        {"field_type": "DATE", "name": "Seit wann?"}, {"field_type": "NUMBER", "name": "Liter"},
        {"field_type": "CHECKBOX", "name": "Läuft es noch?"}, support_type="repairAndMaintenance",
    )  # fmt: skip
    text, day, number, box = ids(kind)
    ticket = file(cast, kind, {text: "Es tropft.", day: "2026-11-17", number: 1.5, box: True})
    assert (ticket.title, ticket.support_type, ticket.ticket_type) == ("Wasser", "repairAndMaintenance", kind)
    assert ticket.description.splitlines() == [
        "Was ist passiert?", "Es tropft.", "Seit wann? 17. November 2026", "Liter: 1,5", "Läuft es noch? ja",
    ]  # fmt: skip
    assert file(cast, kind, {text: "Nur das."}).description == "Nur das."


def test_files_become_attachments_of_the_first_entry_in_their_order(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "FILE"}, {"field_type": "FILE"})
    handles = [upload(cast, "renter", b"%d" % n, door=DOOR) for n in range(3)]
    ticket = file(cast, kind, {ids(kind)[0]: handles[:2], ids(kind)[1]: handles[2:]})
    assert list(TicketAttachment.objects.filter(ticket=ticket).values_list("key", flat=True)) == handles
    assert TicketActivity.objects.get(ticket=ticket).attachments.count() == 3
    assert ticket.answers == []


def test_eleven_files_are_too_many(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "FILE"}, {"field_type": "FILE"})
    first, second = ids(kind)
    assert codes(kind, {first: [str(n) for n in range(10)], second: ["10"]}).keys() == {first, second}


@pytest.mark.parametrize("whose", ["owner", "other door", "used", "unknown"])
def test_a_file_that_is_none_of_the_callers_is_refused(cast: Cast, whose: str) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "FILE"})
    who, door = ("owner" if whose == "owner" else "renter"), ("support" if whose == "other door" else DOOR)
    handle = "nirgends" if whose == "unknown" else upload(cast, who, door=door)
    if whose == "used":
        file(cast, kind, {ids(kind)[0]: [handle]})
    before = Ticket.objects.count()
    with pytest.raises(Invalid) as refused:
        file(cast, kind, {ids(kind)[0]: [handle]})
    assert refused.value.code == "invalid_upload"
    assert Ticket.objects.count() == before


def names(cast: Cast, who: str, community: Community) -> set[str]:
    return {kind.name for kind in answers.offered(cast.actor(who), community)}


def test_each_sees_the_types_for_community_and_role(cast: Cast) -> None:
    a_type(cast.tenant, "Alle")
    a_type(cast.tenant, "Eigentümer", roles=["owner"])
    a_type(cast.tenant, "Aus", is_active=False)
    a_type(cast.other_tenant, "Nordhaus")
    only_b = a_type(cast.tenant, "Nur B")
    TicketTypeCommunity.objects.create(tenant=cast.tenant, ticket_type=only_b, community=cast.house_b)
    assert names(cast, "renter", cast.house_a) == {"Alle"}
    assert names(cast, "owner", cast.house_a) == {"Alle", "Eigentümer"}
    assert names(cast, "neighbour", cast.house_b) == {"Alle", "Nur B"}
    assert names(cast, "staff", cast.house_a) == {"Alle", "Eigentümer"}


@pytest.mark.parametrize("which", ["role", "community", "tenant", "inactive"])
def test_a_type_that_is_not_offered_is_no_choice(cast: Cast, which: str) -> None:
    tenant = cast.other_tenant if which == "tenant" else cast.tenant
    kind = a_type(tenant, "Fremd", roles=["owner"] if which == "role" else [], is_active=which != "inactive")
    if which == "community":
        TicketTypeCommunity.objects.create(tenant=tenant, ticket_type=kind, community=cast.house_b)
    with pytest.raises(Invalid) as refused:
        file(cast, kind, {})
    assert refused.value.code == "invalid_choice"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("unit", ["unit_a1", "unit_b1", "foreign_unit"])
def test_a_resident_names_no_unit_of_others(cast: Cast, unit: str) -> None:
    kind = a_type(cast.tenant)
    with pytest.raises(Invalid) as refused:
        file(cast, kind, {}, unit=getattr(cast, unit))
    assert list(refused.value.fields) == ["unit"]
    assert file(cast, kind, {}, unit=cast.unit_a2).unit == cast.unit_a2
    assert file(cast, kind, {}, who="staff", unit=cast.unit_a1).unit == cast.unit_a1
    assert file(cast, kind, {}).unit is None


def test_who_has_no_place_there_files_nothing(cast: Cast) -> None:
    kind = a_type(cast.tenant)
    for who in ("neighbour", "former", "stranger"):
        with pytest.raises(Denied):
            file(cast, kind, {}, who=who)
    Community.objects.filter(pk=cast.house_a.pk).update(has_tickets=False)
    cast.house_a.refresh_from_db()
    with pytest.raises(Denied) as off:
        file(cast, kind, {})
    assert off.value.code == "tickets_disabled"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("before", ["", "Hat angerufen.\n\n"])
def test_a_description_is_read_apart_from_the_answers_it_is_made_of(cast: Cast, before: str) -> None:
    kind = a_type(
        cast.tenant, "Wasser", {"field_type": "TEXTBOX", "name": "Was ist passiert?"},
        {"field_type": "DATE", "name": "Seit wann?"},
    )  # fmt: skip
    text, day = ids(kind)
    ticket = file(cast, kind, {text: "Es tropft.", day: "2026-11-17"})
    with translation.override("de"):
        assert answers.apart(before + ticket.description, ticket.answers, "de") == (
            before.strip(), [("Was ist passiert?", "Es tropft."), ("Seit wann?", "17. November 2026")],
        )  # fmt: skip
        assert answers.apart("Ganz anders.", ticket.answers, "de") == ("Ganz anders.", [])
        assert answers.apart(ticket.description, ticket.answers, "en") == (ticket.description, [])


def test_a_single_text_is_the_description_and_no_answer_beside_it(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Wasser", {"field_type": "TEXTBOX", "name": "Was ist passiert?"})
    ticket = file(cast, kind, {ids(kind)[0]: "Es tropft."})
    assert answers.apart(ticket.description, ticket.answers, "de") == ("Es tropft.", [])
