"""Tickets are filed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError

from core import scope
from core.errors import Denied, Invalid
from core.models import AuditEntry, NumberCounter
from orgs.models import Community, Contact
from tests.factories import at_once
from tests.tickets.material import upload
from tickets.models import Ticket, TicketActivity, TicketAttachment, TicketType
from tickets.services import attachments, filing
from tickets.signals import ticket_filed

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


def test_a_ticket_says_what_was_sent_and_who_filed_it(cast: Cast, file: File) -> None:
    ticket = file("renter", "Es tropft.\nSeit gestern.", support_type="repairAndMaintenance", unit=cast.unit_a2)
    ticket.refresh_from_db()
    assert (ticket.description, ticket.support_type, ticket.unit) == (
        "Es tropft.\nSeit gestern.", "repairAndMaintenance", cast.unit_a2,
    )  # fmt: skip
    assert (ticket.created_by, ticket.contact) == (cast.renter, cast.contact("renter"))
    assert (ticket.status, ticket.assignee, ticket.status_changed_at, ticket.closed_at) == ("new", None, None, None)


def test_the_first_entry_tells_of_it(cast: Cast, file: File) -> None:
    ticket = file("renter", "Es tropft.")
    (entry,) = TicketActivity.objects.filter(ticket=ticket)
    assert (entry.kind, entry.user, entry.from_staff, entry.text, entry.source) == (
        "ticketCreated", cast.renter, False, "Es tropft.", "web",
    )  # fmt: skip
    assert entry.created_at == ticket.created_at == ticket.updated_at


def test_without_type_it_is_other_and_bears_its_name(cast: Cast, file: File) -> None:
    ticket = file()
    assert (ticket.support_type, ticket.ticket_type, ticket.title) == ("other", None, "Sonstiges")


def test_a_title_that_nobody_sees_is_none(cast: Cast, file: File) -> None:
    assert file(title=" \u200b\u3164").title == "Sonstiges"


def test_a_title_reads_in_one_direction(cast: Cast, file: File) -> None:
    assert file(title="Rechnung \u202ecba.exe\u202c \u2067x\u2069 שלום").title == "Rechnung cba.exe x שלום"


def test_the_tenants_default_type_of_a_word_is_taken(cast: Cast, file: File) -> None:
    values: dict[str, Any] = {"support_type": "cleaning", "is_support_default": True, "name": "Putzplan"}
    TicketType.objects.create(tenant=cast.other_tenant, **values)
    assert file(support_type="cleaning").ticket_type is None
    ours = TicketType.objects.create(tenant=cast.tenant, **values)
    ticket = file(support_type="cleaning")
    assert (ticket.ticket_type, ticket.title) == (ours, "Putzplan")


def test_a_chosen_type_brings_its_word(cast: Cast, file: File) -> None:
    chosen = TicketType.objects.create(tenant=cast.tenant, name="Heizung", support_type="temperatureAndVentilation")
    ticket = file(ticket_type=chosen)
    assert (ticket.ticket_type, ticket.support_type, ticket.title) == (chosen, "temperatureAndVentilation", "Heizung")


def test_the_management_files_for_somebody(cast: Cast, file: File) -> None:
    ticket = file("staff", requester=cast.contact("renter"))
    entry = TicketActivity.objects.get(ticket=ticket)
    assert (ticket.contact, ticket.created_by, entry.user, entry.from_staff) == (
        cast.contact("renter"), cast.staff, cast.staff, True,
    )  # fmt: skip


def test_staff_who_file_for_themselves_enter_the_register(cast: Cast, file: File) -> None:
    assert not Contact.objects.filter(user=cast.staff).exists()
    ticket = file("staff")
    assert ticket.contact is not None
    assert ticket.contact.user == cast.staff


def test_residents_file_for_nobody_else(cast: Cast, file: File) -> None:
    with pytest.raises(Denied):
        file("renter", requester=cast.contact("owner"))
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("who", ["neighbour", "former", "guest", "stranger", "foreigner"])
def test_nobody_files_where_they_have_no_place(cast: Cast, file: File, who: str) -> None:
    with pytest.raises(Denied):
        file(who)
    assert not Ticket.objects.exists()
    assert not NumberCounter.objects.filter(kind__startswith="ticket").exists()


def test_where_tickets_are_switched_off_only_the_management_files(cast: Cast, file: File) -> None:
    Community.objects.filter(pk=cast.house_a.pk).update(has_tickets=False)
    cast.house_a.refresh_from_db()
    with pytest.raises(Denied) as refused:
        file("renter")
    assert refused.value.code == "tickets_disabled"
    assert file("staff").number == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": " \n "}, "text"),
        ({"text": "\u200b\u3164"}, "text"),
        ({"unit": "unit_b1"}, "unit"),
        ({"support_type": "pizza"}, "support_type"),
        ({"ticket_type": "foreign"}, "ticket_type"),
    ],
)
def test_wrong_values_are_named_and_nothing_is_written(
    cast: Cast, file: File, values: dict[str, Any], field: str
) -> None:
    if "unit" in values:
        values = {"unit": cast.unit_b1}
    if "ticket_type" in values:
        values = {"ticket_type": TicketType.objects.create(tenant=cast.other_tenant, name="Fremd")}
    with pytest.raises(Invalid) as refused:
        file(**values)
    assert field in refused.value.fields
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("values", "error"), [({"text": "x" * 20_001}, Invalid), ({"external_ref": "x" * 101}, ValidationError)]
)
def test_what_is_too_long_gives_its_number_back(
    cast: Cast, file: File, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error), scope.unit_of_work(door="test"):
        file(**values)
    assert file(text="x" * 20_000).number == 1


def test_numbers_count_in_each_community_and_identifiers_in_the_tenant(cast: Cast, file: File) -> None:
    made = [
        file("admin", community=house)
        for house in (cast.house_a, cast.house_b, cast.house_a, cast.house_b, cast.house_a)
    ]
    assert [ticket.number for ticket in made] == [1, 1, 2, 2, 3]
    assert [ticket.identifier for ticket in made] == ["1", "2", "3", "4", "5"]
    other = file("stranger", community=cast.foreign_house)
    assert (other.number, other.identifier) == (1, "1")


@pytest.mark.django_db(transaction=True)
def test_simultaneous_tickets_get_numbers_without_gap(cast: Cast) -> None:
    def one(who: str) -> Ticket:
        scope.enter_tenants([cast.tenant.pk])
        return filing.file_ticket(actor=cast.actor(who), community=cast.house_a, text="Eins", source="web").ticket

    def broken() -> Ticket:
        scope.enter_tenants([cast.tenant.pk])
        filing.file_ticket(actor=cast.actor("admin"), community=cast.house_a, text="Zwei", source="web")
        raise Invalid("undone")

    people = ("owner", "renter", "staff", "admin")
    outcomes = at_once(*[lambda who=who: one(who) for who in people * 3], broken, broken)  # type: ignore[misc]
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 2
    found = Ticket.objects.order_by("number").values_list("number", "identifier")
    assert sorted(number for number, _ in found) == list(range(1, 13))
    assert sorted(int(identifier) for _, identifier in found) == list(range(1, 13))
    # Whoever walks the list by its moments meets the numbers in their order.
    assert list(Ticket.objects.order_by("created_at").values_list("number", flat=True)) == list(range(1, 13))


def test_files_belong_to_the_first_entry(cast: Cast, file: File) -> None:
    handles = [upload(cast, "renter", text) for text in (b"eins", b"zwei")]
    ticket = file(files=attachments.Files(handles, "web"))
    found = TicketAttachment.objects.filter(ticket=ticket).order_by("position")
    assert [(f.key, f.name, f.activity.kind if f.activity else "") for f in found] == [
        (handle, "notiz.txt", "ticketCreated") for handle in handles
    ]


@pytest.mark.parametrize("case", ["unknown", "used", "of others", "another door", "another company"])
def test_uploads_that_are_none_of_the_callers_are_refused(cast: Cast, file: File, case: str) -> None:
    handle = {
        "unknown": lambda: "x" * 40,
        "used": lambda: upload(cast, "renter"),
        "of others": lambda: upload(cast, "owner"),
        "another door": lambda: upload(cast, "renter", door="support"),
        "another company": lambda: upload(cast, "renter", tenant_id=cast.other_tenant.pk),
    }[case]()
    files = attachments.Files([handle], "web")
    if case == "used":
        file(files=files)
    before = Ticket.objects.count()
    with pytest.raises(Invalid) as refused, scope.unit_of_work(door="test"):
        file(files=files)
    assert refused.value.code == "invalid_upload"
    assert Ticket.objects.count() == before


def test_it_is_found_by_its_words_and_number(cast: Cast, file: File) -> None:
    ticket = file("renter", "Der Wasserhahn tropft.")
    file("renter", "Die Klingel klemmt.")
    for words in ("Wasserhähne", "wasserhaehne", "tropft", f"{ticket.identifier} tropf"):
        assert list(Ticket.objects.search(cast.actor("renter"), words)) == [ticket]
    for who in ("owner", "neighbour", "stranger"):
        assert not Ticket.objects.search(cast.actor(who), "tropft").exists()


def test_it_is_announced_and_audited(cast: Cast, file: File) -> None:
    told: list[Any] = []

    def listen(**values: Any) -> None:
        told.append((values["ticket"].pk, values["activity"].kind))

    ticket_filed.connect(listen)
    try:
        ticket = file()
    finally:
        ticket_filed.disconnect(listen)
    assert told == [(ticket.pk, "ticketCreated")]
    assert AuditEntry.objects.filter(verb="filed", object_type="tickets.ticket", object_id=ticket.pk).count() == 1
