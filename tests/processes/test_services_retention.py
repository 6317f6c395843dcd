"""The daily purge of finished cases."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db.models import ProtectedError
from django.utils import timezone

from core import scope
from core.models import AuditEntry, Blob, DestructionRecord, JobRun
from core.services import rows
from docms.models import Document
from orgs.models import Community, Hold, Organization
from orgs.services import erase, holds
from processes import tasks
from processes.models import (
    Process,
    ProcessActivity,
    ProcessClerk,
    ProcessDocument,
    ProcessHold,
    ProcessIndex,
    WorkOrder,
)
from processes.services import retention
from processes.signals import processes_destroyed
from tests.factories import ProcessFactory, at_once, folder, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

NOW = timezone.now
DAY = datetime.timedelta(days=1)
LONG = datetime.timedelta(days=100)


@pytest.fixture
def keeping(cast: Cast) -> Cast:
    """Brandt & Keller keep finished cases for three months, Nordhaus for ever."""
    rows.change(cast.tenant, {"retention_months": 3})
    return cast


def case(cast: Cast, subject: str, ago: datetime.timedelta | None, **values: Any) -> Process:
    """A case of the renter's flat, finished that long ago; None: it goes on."""
    values = {
        "unit": cast.unit_a2, "account": cast.admin, "created_by_party": cast.contact("renter"),
        "contact": cast.contact("renter"),
    } | values  # fmt: skip
    if ago is not None:
        values |= {"is_finished": True, "finished_at": NOW() - ago}
    made: Process = ProcessFactory(subject=subject, **values)
    return made


def left() -> set[str]:
    with scope.all_tenants():
        return set(Process.objects.values_list("subject", flat=True))


purge = retention.purge_finished


@pytest.mark.rule("ORGS-062")
def test_finished_cases_go_when_their_months_are_over(keeping: Cast) -> None:
    case(keeping, "alt", LONG)
    case(keeping, "jung", LONG - 20 * DAY)
    assert purge() == {"deleted": 1, "failed": 0}
    assert left() == {"jung"}


@pytest.mark.rule("ORGS-062")
def test_the_finishing_counts_and_not_the_date_that_was_sent(keeping: Cast) -> None:
    case(keeping, "alt geschickt", DAY, finish_date=NOW() - LONG)
    case(keeping, "ohne Datum", LONG, finish_date=None)
    case(keeping, "offen mit Datum", None, finish_date=NOW() - LONG)
    purge()
    assert left() == {"alt geschickt", "offen mit Datum"}


@pytest.mark.rule("ORGS-065")
def test_unfinished_cases_stay_however_old(keeping: Cast) -> None:
    old = case(keeping, "läuft", None)
    Process.objects.filter(pk=old.pk).update(created_at=NOW() - 50 * LONG, changed_at=NOW() - 50 * LONG)
    case(keeping, "fertig", LONG)
    assert purge()["deleted"] == 1
    assert left() == {"läuft"}


@pytest.mark.rule("ORGS-065")
def test_a_second_run_removes_nothing(keeping: Cast) -> None:
    case(keeping, "alt", LONG)
    case(keeping, "knapp", LONG - 12 * DAY)
    assert purge()["deleted"] == 1
    assert purge() == {"deleted": 0, "failed": 0}
    assert left() == {"knapp"}


@pytest.mark.rule("ORGS-063")
def test_without_a_period_everything_stays_of_erased_people_too(cast: Cast) -> None:
    assert cast.tenant.retention_months == 0
    case(cast, "ewig", 200 * LONG)
    erase.erase_account(user=cast.renter)
    assert purge()["deleted"] == 0
    assert left() == {"ewig"}


@pytest.mark.rule("ORGS-062")
def test_the_period_is_that_of_the_units_organization_without_inheritance(keeping: Cast) -> None:
    branch = Organization.objects.create(
        name="Filiale", parent=keeping.tenant, ancestors=[keeping.tenant.pk], tenant=keeping.tenant,
        created_by=keeping.admin, timezone="Europe/Berlin", retention_months=0,
    )  # fmt: skip
    Community.objects.filter(pk=keeping.house_b.pk).update(organization=branch)
    case(keeping, "Stammhaus", LONG)
    case(keeping, "Filiale", LONG, unit=keeping.unit_b1)
    case(keeping, "Import", LONG, unit=None, contact=None, imported=True, tenant=keeping.tenant)
    case(keeping, "jüngerer Import", DAY, unit=None, contact=None, imported=True, tenant=keeping.tenant)
    assert purge()["deleted"] == 2
    assert left() == {"Filiale", "jüngerer Import"}
    Organization.objects.filter(pk=branch.pk).update(retention_months=1)
    purge()
    assert left() == {"jüngerer Import"}


@pytest.mark.rule("ORGS-065")
@pytest.mark.parametrize("covers", ["case", "contact", "party", "account", "unit", "community"])
def test_what_a_hold_covers_stays_until_it_is_released(keeping: Cast, covers: str) -> None:
    named: dict[str, dict[str, Any]] = {
        "party": {"created_by_party": keeping.contact("owner")},
        "account": {"account": keeping.owner},
    }
    held = case(keeping, "gehalten", LONG, **named.get(covers, {}))
    neighbour = keeping.contact("neighbour")
    case(
        keeping, "frei", LONG, unit=keeping.unit_b1, contact=neighbour, created_by_party=neighbour,
        account=keeping.neighbour,
    )  # fmt: skip
    what: dict[str, Any] = {
        "contact": {"contact": keeping.contact("renter")},
        "party": {"contact": keeping.contact("owner")},
        "account": {"contact": keeping.contact("owner")},
        "unit": {"unit": keeping.unit_a2},
        "community": {"community": keeping.house_a},
    }
    hold = Hold.objects.create(
        tenant=keeping.tenant, title="Klage", reason="Gericht", placed_by=keeping.admin, **what.get(covers, {})
    )
    if covers == "case":
        ProcessHold.objects.create(tenant=keeping.tenant, hold=hold, process=held)
    assert purge()["deleted"] == 1
    assert left() == {"gehalten"}
    holds.release(actor=keeping.actor("admin"), hold=hold, reason="Vergleich")
    assert purge() == {"deleted": 1, "failed": 0}
    assert left() == set()


@pytest.mark.rule("ORGS-065")
def test_the_database_refuses_to_delete_a_case_held_by_name(keeping: Cast) -> None:
    held = case(keeping, "gehalten", LONG)
    hold = Hold.objects.create(tenant=keeping.tenant, title="Klage", reason="Gericht", placed_by=keeping.admin)
    ProcessHold.objects.create(tenant=keeping.tenant, hold=hold, process=held)
    with pytest.raises(ProtectedError):
        held.delete()


@pytest.mark.rule("ORGS-065")
@pytest.mark.django_db(transaction=True)
def test_a_hold_placed_while_the_purge_runs_is_kept_or_finds_the_case_gone(keeping: Cast) -> None:
    held = case(keeping, "strittig", LONG)
    actor = keeping.actor("admin")
    outcomes = at_once(
        lambda: holds.place(
            actor=actor, tenant_id=keeping.tenant.pk, title="Klage", reason="Gericht", unit=keeping.unit_a2
        ),
        purge,
    )
    assert [o for o in outcomes if isinstance(o, Exception)] == []
    gone = DestructionRecord.objects.filter(object_id=held.pk, kind="process").first()
    assert gone is None or gone.created_at <= Hold.objects.get().updated_at
    assert (gone is None) == (left() == {"strittig"})


def test_deleted_cases_go_by_their_deletion(keeping: Cast) -> None:
    case(keeping, "alt", None, deleted_at=NOW() - LONG)
    case(keeping, "jung", None, deleted_at=NOW() - DAY)
    case(keeping, "vor langem fertig", LONG, deleted_at=NOW())
    assert purge()["deleted"] == 2
    assert left() == {"jung"}


def full(cast: Cast) -> tuple[Process, ProcessDocument, Document]:
    """A finished case with all that hangs on one; one of its files is a paper of docms."""
    done = case(cast, "Umbau", LONG)
    paper = publish(cast, folder(cast), content=b"Papier")
    values: dict[str, Any] = {"tenant": cast.tenant, "process": done}
    blob = stored(cast.tenant, b"Plan")
    file = ProcessDocument.objects.create(blob=blob, name="plan.txt", user=cast.admin, **values)
    ProcessDocument.objects.create(blob=paper.current.blob, document=paper, name="papier.txt", **values)  # type: ignore[union-attr]
    ProcessActivity.objects.create(kind="document", document=file, user=cast.admin, **values)
    ProcessClerk.objects.create(membership=cast.membership("staff"), role="editor", **values)
    WorkOrder.objects.create(contact=cast.contact("owner"), state="done", **values)
    ProcessIndex.objects.create(process=done)
    return done, file, paper


@pytest.mark.rule("ORGS-062")
@pytest.mark.django_db(transaction=True)
def test_everything_of_a_case_goes_with_it_but_linked_papers(keeping: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr("core.services.destruction.wake", lambda *what: told.append(what))
    with scope.unit_of_work(door="test", tenants=[keeping.tenant.pk]):
        _done, file, paper = full(keeping)
    told.clear()
    assert purge() == {"deleted": 1, "failed": 0}
    for table in (Process, ProcessActivity, ProcessDocument, ProcessClerk, WorkOrder, ProcessIndex):
        assert not table._default_manager.exists(), table
    paper.refresh_from_db()
    assert paper.current is not None
    assert told == [("docms.remove_content", *sorted([file.blob_id, paper.current.blob_id]))]
    assert Blob.objects.filter(pk=paper.current.blob_id).exists()


@pytest.mark.rule("ORGS-062")
def test_records_of_case_and_files_outlive_them(keeping: Cast) -> None:
    done, file, _paper = full(keeping)
    purge()
    about = DestructionRecord.objects.get(kind="process")
    assert (about.object_id, about.title, about.reason, about.user) == (done.pk, "Umbau", "retention", None)
    assert (about.rule["months"], about.rule["process"]) == (3, done.number)
    assert about.rule["ended_at"] < about.rule["cut_off"]
    of_file = DestructionRecord.objects.get(kind="processdocument", object_id=file.pk)
    assert (of_file.filename, of_file.size) == ("plan.txt", 4)
    assert bytes(of_file.sha256 or b"") == bytes(file.blob.sha256)
    assert AuditEntry.objects.filter(verb="deleted", object_type="processes.process", object_id=done.pk).exists()


def test_it_is_announced_by_tenant(keeping: Cast) -> None:
    done = case(keeping, "unseres", LONG)
    told: dict[int, list[int]] = {}

    def listen(tenant_id: int, process_ids: list[int], **_kwargs: Any) -> None:
        told[tenant_id] = process_ids

    processes_destroyed.connect(listen)
    try:
        purge()
    finally:
        processes_destroyed.disconnect(listen)
    assert told == {keeping.tenant.pk: [done.pk]}


@pytest.mark.rule("ORGS-062")
def test_the_job_runs_daily_under_its_name(keeping: Cast) -> None:
    case(keeping, "alt", LONG)
    tasks.purge_finished()
    run = JobRun.objects.get(name="processes.purge_finished")
    assert (run.counts, run.error) == ({"deleted": 1, "failed": 0}, "")
    schedule = settings.CELERY_BEAT_SCHEDULE["processes.purge_finished"]["schedule"]
    assert (len(schedule.hour), len(schedule.minute), len(schedule.day_of_week)) == (1, 1, 7)
