"""The daily purge of closed tickets."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db.models import ProtectedError
from django.utils import timezone

from core import scope
from core.models import AuditEntry, Blob, DestructionRecord, JobRun, SystemLog
from core.services import batches, rows
from orgs.models import Community, Hold, Organization
from orgs.services import erase, holds
from tests.factories import ProcessFactory, TicketFactory, at_once, stored
from tickets import tasks
from tickets.models import InboundMail, Ticket, TicketActivity, TicketAttachment, TicketHold, TicketIndex
from tickets.services import retention
from tickets.signals import tickets_destroyed

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

NOW = timezone.now
DAY = datetime.timedelta(days=1)
LONG = datetime.timedelta(days=100)


@pytest.fixture
def keeping(cast: Cast) -> Cast:
    """Brandt & Keller keep closed tickets for three months, Nordhaus for ever."""
    rows.change(cast.tenant, {"retention_months": 3})
    return cast


def closed(cast: Cast, title: str, ago: datetime.timedelta, **values: Any) -> Ticket:
    """A ticket of house A, closed that long ago."""
    values = {"community": cast.house_a, "created_by": cast.renter, "contact": cast.contact("renter")} | values
    values |= {"status": values.get("status", "closed"), "closed_at": NOW() - ago}
    ticket: Ticket = TicketFactory(title=title, **values)
    return ticket


def left() -> set[str]:
    with scope.all_tenants():
        return set(Ticket.objects.values_list("title", flat=True))


def purge() -> dict[str, int]:
    return retention.purge_closed()


@pytest.mark.rule("ORGS-062")
@pytest.mark.parametrize("status", ["solved", "closed"])
def test_closed_tickets_go_when_their_months_are_over(keeping: Cast, status: str) -> None:
    closed(keeping, "alt", LONG, status=status)
    closed(keeping, "jung", LONG - 20 * DAY, status=status)
    assert purge() == {"deleted": 1, "failed": 0}
    assert left() == {"jung"}


@pytest.mark.rule("ORGS-062", "ORGS-064")
def test_the_last_day_is_kept_and_the_day_before_goes(keeping: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime(2026, 5, 31, 12, tzinfo=datetime.UTC)
    monkeypatch.setattr(retention.timezone, "now", lambda: now)
    # Three months before 31 May is the last day of February; in Berlin it begins at 23:00 UTC on the 27th.
    for title, moment in (("davor", "2026-02-27T22:59:59+00:00"), ("dabei", "2026-02-27T23:00:00+00:00")):
        ticket = closed(keeping, title, DAY)
        Ticket.objects.filter(pk=ticket.pk).update(closed_at=moment)
    purge()
    assert left() == {"dabei"}


@pytest.mark.rule("ORGS-065")
@pytest.mark.parametrize("status", ["new", "reopened", "in_progress", "waiting"])
def test_open_tickets_stay_however_old(keeping: Cast, status: str) -> None:
    old = TicketFactory(community=keeping.house_a, created_by=keeping.renter, title="offen", status=status)
    Ticket.objects.filter(pk=old.pk).update(created_at=NOW() - 50 * LONG, updated_at=NOW() - 50 * LONG)
    closed(keeping, "zu", LONG)
    assert purge()["deleted"] == 1
    assert left() == {"offen"}


@pytest.mark.rule("ORGS-065")
def test_a_second_run_removes_nothing(keeping: Cast) -> None:
    for title in ("eins", "zwei"):
        closed(keeping, title, LONG)
    closed(keeping, "knapp", LONG - 12 * DAY)
    assert purge()["deleted"] == 2
    assert purge() == {"deleted": 0, "failed": 0}
    assert left() == {"knapp"}


@pytest.mark.rule("ORGS-063")
def test_without_a_period_everything_stays(cast: Cast) -> None:
    assert cast.tenant.retention_months == 0
    closed(cast, "ewig", 200 * LONG)
    assert purge()["deleted"] == 0
    assert left() == {"ewig"}


@pytest.mark.rule("ORGS-063")
def test_without_a_period_tickets_of_erased_people_go_after_36_months(cast: Cast) -> None:
    years = datetime.timedelta(days=3 * 366 + 1)
    closed(cast, "alt", years)
    closed(cast, "jung", years - 10 * DAY)
    closed(cast, "von anderen", years, contact=cast.contact("owner"), created_by=cast.owner)
    closed(cast, "ohne Person", years, contact=None)
    assert purge()["deleted"] == 0
    erase.erase_account(user=cast.renter)
    assert purge()["deleted"] == 2
    assert left() == {"jung", "von anderen"}


def test_records_of_tickets_of_erased_people_bear_no_title(keeping: Cast) -> None:
    closed(keeping, "Frau Muster beschwert sich", LONG)
    closed(keeping, "Licht", LONG, contact=keeping.contact("owner"), created_by=keeping.owner)
    erase.erase_account(user=keeping.renter)
    assert purge()["deleted"] == 2
    assert set(DestructionRecord.objects.values_list("title", flat=True)) == {"", "Licht"}


@pytest.mark.rule("ORGS-063")
def test_a_period_holds_for_erased_people_too(keeping: Cast) -> None:
    closed(keeping, "jung", LONG - 20 * DAY)
    erase.erase_account(user=keeping.renter)
    assert purge()["deleted"] == 0


@pytest.mark.rule("ORGS-062")
def test_the_period_is_that_of_the_organization_of_the_community_without_inheritance(keeping: Cast) -> None:
    branch = Organization.objects.create(
        name="Filiale", parent=keeping.tenant, ancestors=[keeping.tenant.pk], tenant=keeping.tenant,
        created_by=keeping.admin, timezone="Europe/Berlin", retention_months=0,
    )  # fmt: skip
    Community.objects.filter(pk=keeping.house_b.pk).update(organization=branch)
    closed(keeping, "Stammhaus", LONG)
    closed(keeping, "Filiale", LONG, community=keeping.house_b)
    closed(keeping, "Nordhaus", LONG, community=keeping.foreign_house, contact=None)
    assert purge()["deleted"] == 1
    assert left() == {"Filiale", "Nordhaus"}
    Organization.objects.filter(pk=branch.pk).update(retention_months=1)
    purge()
    assert left() == {"Nordhaus"}


@pytest.mark.rule("ORGS-065")
@pytest.mark.parametrize("covers", ["ticket", "contact", "filer", "unit", "community"])
def test_what_a_hold_covers_stays_until_it_is_released(keeping: Cast, covers: str) -> None:
    filed = {"created_by": keeping.owner} if covers == "filer" else {}
    held = closed(keeping, "gehalten", LONG, unit=keeping.unit_a2, **filed)
    closed(
        keeping, "frei", LONG, unit=keeping.unit_b1, community=keeping.house_b, contact=keeping.contact("neighbour"),
        created_by=keeping.neighbour,
    )  # fmt: skip
    what: dict[str, Any] = {
        "contact": {"contact": keeping.contact("renter")},
        "filer": {"contact": keeping.contact("owner")},
        "unit": {"unit": keeping.unit_a2},
        "community": {"community": keeping.house_a},
    }
    hold = Hold.objects.create(
        tenant=keeping.tenant, title="Klage", reason="Gericht", placed_by=keeping.admin, **what.get(covers, {})
    )
    if covers == "ticket":
        TicketHold.objects.create(tenant=keeping.tenant, hold=hold, ticket=held)
    assert purge()["deleted"] == 1
    assert left() == {"gehalten"}
    holds.release(actor=keeping.actor("admin"), hold=hold, reason="Vergleich")
    assert purge() == {"deleted": 1, "failed": 0}
    assert left() == set()


@pytest.mark.rule("ORGS-065")
def test_the_database_refuses_to_delete_a_ticket_held_by_name(keeping: Cast) -> None:
    held = closed(keeping, "gehalten", LONG)
    hold = Hold.objects.create(tenant=keeping.tenant, title="Klage", reason="Gericht", placed_by=keeping.admin)
    TicketHold.objects.create(tenant=keeping.tenant, hold=hold, ticket=held)
    with pytest.raises(ProtectedError):
        held.delete()


@pytest.mark.rule("ORGS-065")
@pytest.mark.django_db(transaction=True)
def test_a_hold_placed_while_the_purge_runs_is_kept_or_finds_the_ticket_gone(keeping: Cast) -> None:
    held = closed(keeping, "strittig", LONG, unit=keeping.unit_a2)
    actor = keeping.actor("admin")
    outcomes = at_once(
        lambda: holds.place(
            actor=actor, tenant_id=keeping.tenant.pk, title="Klage", reason="Gericht", unit=keeping.unit_a2
        ),
        purge,
    )
    assert [type(o) for o in outcomes if isinstance(o, Exception)] == []
    hold = Hold.objects.get()
    gone = DestructionRecord.objects.filter(object_id=held.pk, kind="ticket").first()
    assert gone is None or gone.created_at <= hold.updated_at
    assert (gone is None) == (left() == {"strittig"})


def test_deleted_tickets_go_by_their_deletion(keeping: Cast) -> None:
    for title, ago in (("alt", LONG), ("jung", DAY)):
        TicketFactory(community=keeping.house_a, created_by=keeping.renter, title=title, deleted_at=NOW() - ago)
    closed(keeping, "vor langem geschlossen", LONG, deleted_at=NOW())
    assert purge()["deleted"] == 2
    assert left() == {"jung"}


def filed(cast: Cast, title: str) -> tuple[Ticket, TicketAttachment]:
    """A closed ticket with all that hangs on one."""
    ticket = closed(cast, title, LONG)
    activity = TicketActivity.objects.create(
        tenant=cast.tenant, ticket=ticket, kind="ticketCreated", user=cast.renter, text="Es tropft.", source="web"
    )
    blob = stored(cast.tenant, f"Bild von {title}".encode())
    Blob.objects.filter(pk=blob.pk).update(created_at=NOW() - 2 * DAY)
    file = TicketAttachment.objects.create(
        tenant=cast.tenant, ticket=ticket, activity=activity, blob=blob, name="bild.txt", title="Der Hahn"
    )
    TicketIndex.objects.create(ticket=ticket, community=ticket.community)
    return ticket, file


@pytest.mark.rule("ORGS-062")
@pytest.mark.django_db(transaction=True)
def test_stream_files_and_index_go_with_a_ticket_and_the_bytes_after_it(
    keeping: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr("core.services.destruction.wake", lambda *what: told.append(what))
    _ticket, file = filed(keeping, "Hahn")
    assert purge() == {"deleted": 1, "failed": 0}
    for table in (Ticket, TicketActivity, TicketAttachment, TicketIndex):
        assert not table.objects.exists(), table
    assert told == [("docms.remove_content", file.blob_id)]


@pytest.mark.rule("ORGS-062")
def test_records_of_ticket_and_file_outlive_them(keeping: Cast) -> None:
    ticket, file = filed(keeping, "Hahn")
    purge()
    about, of_file = DestructionRecord.objects.order_by("pk")
    assert (about.kind, about.object_id, about.title, about.reason, about.user) == (
        "ticket", ticket.pk, "Hahn", "retention", None,
    )  # fmt: skip
    assert about.rule["months"] == 3
    assert about.rule["ticket"] == ticket.identifier
    assert about.rule["organization"] == keeping.tenant.pk
    assert about.rule["ended_at"] < about.rule["cut_off"]
    assert (of_file.kind, of_file.object_id, of_file.filename) == ("ticketattachment", file.pk, "bild.txt")
    assert (bytes(of_file.sha256 or b""), of_file.size) == (bytes(file.blob.sha256), file.blob.size)
    verbs = AuditEntry.objects.filter(verb="deleted").values_list("object_type", "object_id")
    assert set(verbs) == {("tickets.ticket", str(ticket.pk)), ("tickets.ticketattachment", str(file.pk))}


def test_what_referred_to_a_ticket_lets_go(keeping: Cast) -> None:
    ticket = closed(keeping, "Ziel", LONG)
    merged = closed(keeping, "zusammengeführt", DAY, merged_into=ticket)
    child = TicketFactory(community=keeping.house_a, created_by=keeping.renter, title="Kind", parent=ticket)
    closed(keeping, "altes Kind", LONG, parent=ticket)
    case = ProcessFactory(
        unit=keeping.unit_a2, account=keeping.admin, created_by_party=keeping.contact("renter"),
        contact=keeping.contact("renter"), ticket=ticket,
    )  # fmt: skip
    assert purge() == {"deleted": 2, "failed": 0}
    for row in (merged, child, case):
        row.refresh_from_db()
    assert (merged.merged_into, child.parent, case.ticket) == (None, None, None)


def test_it_is_announced_by_tenant(keeping: Cast) -> None:
    rows.change(keeping.other_tenant, {"retention_months": 3})
    ours = closed(keeping, "unseres", LONG)
    theirs = closed(keeping, "ihres", LONG, community=keeping.foreign_house, contact=None)
    told: dict[int, list[int]] = {}

    def listen(tenant_id: int, ticket_ids: list[int], **_kwargs: Any) -> None:
        told[tenant_id] = ticket_ids

    tickets_destroyed.connect(listen)
    try:
        purge()
    finally:
        tickets_destroyed.disconnect(listen)
    assert told == {keeping.tenant.pk: [ours.pk], keeping.other_tenant.pk: [theirs.pk]}


def test_one_that_cannot_go_holds_up_no_other(keeping: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for title in ("eins", "kaputt", "drei"):
        closed(keeping, title, LONG)
    destroy = retention.destroy

    def fail(doomed: list[Ticket], **why: Any) -> None:
        if any(ticket.title == "kaputt" for ticket in doomed):
            raise RuntimeError("no")
        destroy(doomed, **why)

    monkeypatch.setattr(retention, "destroy", fail)
    assert purge() == {"deleted": 2, "failed": 1}
    assert left() == {"kaputt"}
    entry = SystemLog.objects.get()
    assert (entry.category, entry.tenant) == ("tickets.purge_closed", keeping.tenant)
    assert "RuntimeError: no" in entry.stacktrace


def test_more_than_a_batch_goes_in_one_run(keeping: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(batches, "FOUND", 3)
    for number in range(8):
        closed(keeping, f"Nr. {number}", LONG)
    assert purge() == {"deleted": 8, "failed": 0}


@pytest.mark.rule("ORGS-062")
def test_the_job_runs_daily_under_its_name(keeping: Cast) -> None:
    closed(keeping, "alt", LONG)
    tasks.purge_closed()
    run = JobRun.objects.get(name="tickets.purge_closed")
    assert (run.counts, run.error) == ({"deleted": 1, "failed": 0}, "")
    schedule = settings.CELERY_BEAT_SCHEDULE["tickets.purge_closed"]["schedule"]
    assert (len(schedule.hour), len(schedule.minute), len(schedule.day_of_week)) == (1, 1, 7)


# --- What is told of mails ----------------------------------------------------------------------------------


def test_the_log_of_mails_ends_and_what_is_held_stays(cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    held, free = file("owner"), file("renter")
    holds.place(
        actor=cast.actor("admin"),
        tenant_id=cast.tenant.pk,
        title="Klage",
        reason="Klage",
        contact=cast.contact("owner"),
    )
    old = timezone.now() - datetime.timedelta(days=11)
    for name, ticket, at in (
        ("held", held, old), ("free", free, old), ("none", None, old), ("young", free, timezone.now()),
    ):  # fmt: skip
        InboundMail.objects.create(
            tenant=cast.tenant, message_id=f"<{name}>", outcome="ignored", ticket=ticket, created_at=at
        )
    monkeypatch.setattr(settings, "INBOUND_MAIL_DAYS", 0)
    assert retention.forget_mails() == {"deleted": 0, "failed": 0}
    monkeypatch.setattr(settings, "INBOUND_MAIL_DAYS", 10)
    assert retention.forget_mails() == {"deleted": 2, "failed": 0}
    assert set(InboundMail.objects.values_list("message_id", flat=True)) == {"<held>", "<young>"}
