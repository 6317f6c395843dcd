"""Erasing entries of a register, and outsiders who are known by an address alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from config.erasure import people as erasure
from core import scope
from core.errors import Conflict
from core.models import DestructionRecord
from core.services import rows
from docms.models import DocumentShare, Group
from docms.services import groups, shares
from messaging.models import Message
from messaging.services.outbox import queue
from messaging.services.split import Recipient
from orgs.models import (
    AccessRequest,
    Contact,
    Hold,
    Responsibility,
)
from orgs.services import (
    contacts,
    occupancies,
)
from processes.models import WorkOrder
from tests.config.erasing import OUTSIDER, a_case, an_entry, run
from tests.everyword import tables_that_say
from tests.factories import TicketFactory, UserFactory, folder, publish
from tickets.models import InboundMail, Ticket
from tickets.services import filing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast


def test_of_an_entry_that_nobody_needs_no_word_is_left(cast: Cast) -> None:
    entry = an_entry(cast)
    group = groups.derived_group(tenant=cast.tenant, contact=entry)
    paper = publish(cast, folder(cast))
    share = DocumentShare.objects.create(
        tenant=cast.tenant, document=paper, name="Zacharias Wunderlich", email=OUTSIDER, mobile_number="+49170999888",
        expires_at=timezone.now() + datetime.timedelta(days=1), token_hash=b"t" * 32, code_hash=b"c" * 32,
        created_by=cast.admin,
    )  # fmt: skip
    InboundMail.objects.create(
        tenant=cast.tenant, message_id="<1@x>", sender=OUTSIDER, subject="Wunderlich fragt", outcome="ignored"
    )
    AccessRequest.objects.create(tenant=cast.tenant, first_name="Z", last_name="Wunderlich", email=OUTSIDER.title())
    queue(kind="welcome", tenant=cast.tenant, to=Recipient(OUTSIDER), context={}, dedupe_key="draußen")
    erasure.erase_contact(contact=entry)
    assert tables_that_say("Zacharias", "Wunderlich", OUTSIDER, "+49170999888") == set()
    share.refresh_from_db()
    assert share.revoked_at is not None
    assert Group.objects.get(pk=group.pk).name == f"Ehemaliger Kontakt ({entry.number}, {group.pk})"
    assert Contact.objects.get(pk=entry.pk).number == entry.number


def test_entries_merged_into_it_are_the_same_person(cast: Cast) -> None:
    entry, twin = an_entry(cast), an_entry(cast, first_name="Zach")
    Contact.objects.filter(pk=twin.pk).update(merged_into=entry)
    erasure.erase_contact(contact=entry)
    assert Contact.objects.get(pk=twin.pk).erased_at is not None
    assert tables_that_say("Zach") == set()


def test_an_address_that_others_have_too_is_kept_for_them(cast: Cast) -> None:
    entry = an_entry(cast)
    an_entry(cast, first_name="Zenzi", mobile="0170 99/98-88")
    queue(kind="welcome", tenant=cast.tenant, to=Recipient(OUTSIDER), context={}, dedupe_key="paar")
    kept = erasure.erase_contact(contact=entry)
    assert Message.objects.get(dedupe_key__startswith="paar").to_emails == [OUTSIDER]
    assert str(kept) == f"+49170999888, {OUTSIDER}"


def a_share(cast: Cast, **values: Any) -> DocumentShare:
    """Through the service, with its mail and its text message."""
    rows.change(
        cast.tenant.settings, {"sms_send_url": "https://sms.example/", "sms_api_key": "k", "sms_sender_id": "Haus"}
    )
    known = {"name": "Zacharias Wunderlich", "email": OUTSIDER, "mobile_number": "0170 999888"} | values
    return shares.share(
        actor=cast.actor("admin"), document=publish(cast, folder(cast, f"Für {known['mobile_number']}")), language="de", **known,
        expires_at=timezone.now() + datetime.timedelta(days=1),
    )  # fmt: skip


@pytest.mark.parametrize("email", [OUTSIDER, ""])
def test_a_share_ends_with_its_mails_and_its_text_message(cast: Cast, email: str) -> None:
    """By the number alone, too; and what was to be sent is not sent."""
    entry = an_entry(cast)
    share = a_share(cast, email=email)
    assert Message.objects.filter(state="queued").count() == 2
    erasure.erase_contact(contact=entry)
    assert tables_that_say("Zacharias", "Wunderlich", OUTSIDER, "170999888") == set()
    assert not Message.objects.filter(state="queued").exists()
    share.refresh_from_db()
    assert share.revoked_at is not None


def test_an_outsider_is_forgotten_by_the_address(cast: Cast) -> None:
    a_share(cast)
    other = a_share(cast, name="Anders", email="anders@woanders.test", mobile_number="0170 111222")
    run(OUTSIDER, "--yes")
    assert tables_that_say(OUTSIDER, "Wunderlich") == set()
    other.refresh_from_db()
    assert (other.name, other.revoked_at) == ("Anders", None)


def test_a_ticket_that_came_by_mail_is_open_business_and_forgets_the_sender_once_closed(cast: Cast) -> None:
    entry = an_entry(cast)
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        filed = filing.file_ticket(
            actor=cast.actor("staff"), community=cast.house_a, title="Hahn", text="tropft", source="mail", stranger=OUTSIDER,
        ).ticket  # fmt: skip
    with pytest.raises(Conflict) as refusal:
        erasure.erase_contact(contact=entry)
    assert filed.identifier in str(refusal.value.message)
    Ticket.objects.filter(pk=filed.pk).update(status="closed", closed_at=timezone.now())
    erasure.erase_contact(contact=entry)
    assert tables_that_say(OUTSIDER, "woanders") == set()
    assert Ticket.objects.get(pk=filed.pk).stranger == "Ehemaliger Kontakt"


def test_titles_of_records_about_papers_of_a_person_go_with_it(cast: Cast) -> None:
    entry = an_entry(cast)
    own = folder(cast, "Akte", contact=entry)
    records = [
        DestructionRecord.objects.create(
            tenant=cast.tenant, kind="document", object_id=number, folder_id=where.pk, title="Brief", filename="b.pdf",
            reason="manual",
        )
        for number, where in enumerate((own, folder(cast, "Andere")))
    ]  # fmt: skip
    erasure.erase_contact(contact=entry)
    assert [DestructionRecord.objects.get(pk=row.pk).title for row in records] == ["", "Brief"]


def lives(cast: Cast, entry: Contact) -> None:
    occupancies.move_in(contact=entry, unit=cast.unit_a3, role="renter", first=cast.tenant.today())


def will_live(cast: Cast, entry: Contact) -> None:
    first = cast.tenant.today() + datetime.timedelta(days=30)
    occupancies.move_in(contact=entry, unit=cast.unit_a3, role="renter", first=first)


def is_responsible(cast: Cast, entry: Contact) -> None:
    Responsibility.objects.create(
        tenant=cast.tenant, contact=entry, community=cast.house_a, type="CARETAKER",
        period=DateRange(datetime.date(2020, 1, 1), None),
    )  # fmt: skip


def has_account(cast: Cast, entry: Contact) -> None:
    contacts.link_account(entry, UserFactory())


def is_the_company(cast: Cast, entry: Contact) -> None:
    Contact.objects.filter(tenant=cast.tenant, kind="self").delete()
    Contact.objects.filter(pk=entry.pk).update(kind="self")


def is_merged(cast: Cast, entry: Contact) -> None:
    Contact.objects.filter(pk=entry.pk).update(merged_into=cast.contact("renter"))


def reports(cast: Cast, entry: Contact) -> None:
    TicketFactory(community=cast.house_a, created_by=cast.staff, contact=entry, status="new")


def has_a_case(cast: Cast, entry: Contact) -> None:
    a_case(cast, contact=entry)


def has_an_order(cast: Cast, entry: Contact) -> None:
    order = WorkOrder(tenant=cast.tenant, process=a_case(cast), contact=entry)
    order.save()


def is_held(cast: Cast, entry: Contact) -> None:
    Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin, contact=entry)


NEEDS = {
    lives: "in_use", will_live: "in_use", is_responsible: "in_use", has_account: "account", is_the_company: "in_use",
    is_merged: "in_use", reports: "in_use", has_a_case: "in_use", has_an_order: "in_use", is_held: "held",
}  # fmt: skip


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.__name__)
def test_an_entry_that_somebody_needs_stays(cast: Cast, need: Callable[[Cast, Contact], None]) -> None:
    entry = an_entry(cast)
    need(cast, entry)
    with pytest.raises(Conflict) as refusal:
        erasure.erase_contact(contact=entry)
    assert refusal.value.code == NEEDS[need]
    left = Contact.objects.get(pk=entry.pk)
    assert (left.erased_at, left.last_name) == (None, "Wunderlich")


def test_who_has_moved_out_can_be_erased(cast: Cast) -> None:
    entry = an_entry(cast)
    day = cast.tenant.today()
    occupancies.move_in(
        contact=entry, unit=cast.unit_a3, role="renter", first=day - datetime.timedelta(days=90),
        last=day - datetime.timedelta(days=1),
    )  # fmt: skip
    erasure.erase_contact(contact=entry)
    assert Contact.objects.get(pk=entry.pk).erased_at is not None
