"""Cases are opened, changed and deleted: who may, what is refused, what is told."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import scope
from core.errors import Changed, Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry
from core.services import rows
from core.services.rows import Taken
from orgs.models import Contact, Hold
from orgs.services import holds
from processes.models import Process, ProcessActivity, ProcessClerk, ProcessDefinition, ProcessHold
from processes.services import cases, kinds
from processes.signals import process_changed, process_deleted, process_opened
from tests.factories import ProcessStageFactory, ProcessTypeFactory, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from processes.models import ProcessStage, ProcessType
    from tests.cast import Cast

    Open = Callable[..., Process]

UTC = datetime.UTC


def change(cast: Cast, process: Process, who: str = "staff", *, expected: int | None = None, **changes: Any) -> Any:
    with scope.unit_of_work(door="test"):
        done = cases.change_case(actor=cast.actor(who), process=process, changes=changes, expected=expected)
    process.refresh_from_db()
    return done


def delete(cast: Cast, process: Process, who: str = "staff") -> None:
    with scope.unit_of_work(door="test"):
        cases.delete_case(actor=cast.actor(who), process=process)
    process.refresh_from_db()


# --- Opening ----------------------------------------------------------------------------------------------------


def test_a_case_belongs_to_the_company_of_its_unit(clerks: Cast, opened: Open) -> None:
    case = opened(subject="Markise")
    assert (case.tenant, case.subject, case.report) == (clerks.tenant, "Markise", "<p>Umbau.</p>")
    assert (case.stage, case.is_finished, case.finish_date, case.external_id) == (None, False, None, "")


def test_without_an_account_it_is_the_callers(clerks: Cast, opened: Open) -> None:
    assert opened("staff").account == clerks.staff


def test_its_creator_is_the_company_also_where_the_account_is_somebody_else(clerks: Cast, opened: Open) -> None:
    case = opened("staff", account=clerks.admin)
    assert case.account == clerks.admin
    assert case.created_by_party == Contact.objects.get(tenant=clerks.tenant, kind="self")


def test_the_operator_opens_for_the_company_that_manages_the_unit(
    clerks: Cast, kind: ProcessType, opened: Open
) -> None:
    case = opened("operator", account=clerks.staff)
    assert (case.tenant, case.created_by_party.tenant) == (clerks.tenant, clerks.tenant)


def test_numbers_follow_each_other_and_are_never_used_again(clerks: Cast, opened: Open) -> None:
    first = opened()
    delete(clerks, first)
    assert [first.number, opened().number, opened().number] == [1, 2, 3]


def test_each_company_counts_for_itself(clerks: Cast, opened: Open) -> None:
    opened()
    with scope.unit_of_work(door="test"):
        rows.change(clerks.membership("stranger", clerks.other_tenant), {"process_create_perm": True})
        theirs = cases.open_case(
            actor=clerks.actor("stranger"), unit=clerks.foreign_unit, contact=clerks.contact("foreigner"),
            process_type=ProcessTypeFactory(tenant=clerks.other_tenant), report="Umbau",
        )  # fmt: skip
    assert theirs.number == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_cases_never_share_a_number(clerks: Cast, opened: Open) -> None:
    at_once(*[opened] * 8)
    numbers = sorted(Process.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 9))


def test_a_refused_case_takes_no_number(clerks: Cast, opened: Open) -> None:
    with pytest.raises(Invalid), transaction.atomic():
        opened(report="")
    assert opened().number == 1


def test_the_report_is_stored_without_what_could_do_harm(opened: Open) -> None:
    assert opened(report="<p>a</p><script>alert(1)</script><img src=x>").report == "<p>a</p>"


def test_the_subject_is_plain_text_and_stays_as_it_was_sent(opened: Open) -> None:
    assert opened(subject="<b>Dach</b> & Rinne").subject == "<b>Dach</b> & Rinne"


@pytest.mark.parametrize("report", ["", "   ", "<p></p>", "<p>&nbsp;</p>", "<script>alert(1)</script>"])
def test_an_empty_report_is_refused(opened: Open, report: str) -> None:
    with pytest.raises(Invalid) as refused:
        opened(report=report)
    assert set(refused.value.fields) == {"report"}
    assert not Process.objects.exists()


def test_a_report_that_grows_too_long_is_refused(opened: Open) -> None:
    with pytest.raises(Invalid) as refused:
        opened(report="<p>" + "&" * 60_000 + "</p>")  # each becomes &amp;
    assert set(refused.value.fields) == {"report"}


def test_a_subject_that_is_too_long_is_refused(opened: Open) -> None:
    with pytest.raises(ValidationError, match="255"):
        opened(subject="x" * 256)


def test_it_is_found_at_once_by_number_subject_and_report(clerks: Cast, opened: Open) -> None:
    case = opened(subject="Markise", report="<p>An der <b>Loggia</b>.</p>")
    opened(subject="Dachrinne")
    for words in ("markisen", "loggia", "1"):
        assert list(Process.objects.search(clerks.actor("staff"), words)) == [case], words
    assert not Process.objects.search(clerks.actor("stranger"), "markise").exists()


def test_it_keeps_the_latest_published_rules_of_its_kind(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    now = timezone.now()
    with scope.unit_of_work(door="test"):
        for version, published in ((1, now), (2, now), (3, None)):
            rows.create(ProcessDefinition, tenant=clerks.tenant, type=kind, version=version, published_at=published)
    definition = opened().definition
    assert definition is not None
    assert definition.version == 2


def test_a_finished_one_has_the_moment_that_retention_counts_from(opened: Open) -> None:
    case = opened(is_finished=True)
    assert (case.finish_date, case.finished_at) == (None, case.created_at)


def test_a_finish_date_finishes_nothing(opened: Open) -> None:
    case = opened(finish_date=datetime.datetime(2026, 1, 2, tzinfo=UTC))
    assert (case.is_finished, case.finished_at) == (False, None)


def test_who_listens_hears_of_it(opened: Open) -> None:
    heard: list[Process] = []

    def listen(process: Process, **_more: Any) -> None:
        heard.append(process)

    process_opened.connect(listen)
    try:
        case = opened()
    finally:
        process_opened.disconnect(listen)
    assert heard == [case]


# --- Who opens, and for what ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "renter", "guest", "stranger", "neighbour"])
def test_nobody_but_staff_opens_a_case(clerks: Cast, opened: Open, who: str) -> None:
    with pytest.raises(Denied):
        opened(who)


def test_a_contractor_opens_none_whatever_the_membership_says(clerks: Cast, opened: Open) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(clerks.membership("staff"), {"role": "contractor"})
    with pytest.raises(Denied):
        opened("staff")


def test_staff_without_the_permission_open_none(clerks: Cast, opened: Open) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(clerks.membership("staff"), {"process_create_perm": False})
    with pytest.raises(Denied):
        opened("staff")


def test_a_unit_that_one_does_not_look_after_is_refused(clerks: Cast, opened: Open) -> None:
    assert opened("admin", unit=clerks.unit_b1).unit == clerks.unit_b1
    with pytest.raises(Invalid) as refused:
        opened("staff", unit=clerks.unit_b1)
    assert set(refused.value.fields) == {"unit"}


def test_what_belongs_to_another_company_is_refused_by_name(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    theirs = ProcessTypeFactory(tenant=clerks.other_tenant)
    with pytest.raises(Invalid) as refused:
        opened(
            contact=clerks.contact("foreigner"), process_type=theirs, stage=ProcessStageFactory(type=kind),
            account=clerks.stranger,
        )  # fmt: skip
    assert set(refused.value.fields) == {"contact", "type", "stage", "account"}


def test_an_account_that_is_no_staff_is_refused(clerks: Cast, opened: Open) -> None:
    with pytest.raises(Invalid) as refused:
        opened(account=clerks.renter)
    assert set(refused.value.fields) == {"account"}


def test_a_contact_that_was_erased_is_refused(clerks: Cast, opened: Open) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(clerks.contact("renter"), {"erased_at": timezone.now()})
    with pytest.raises(Invalid) as refused:
        opened()
    assert set(refused.value.fields) == {"contact"}


@pytest.mark.parametrize("gone", [{"is_active": False}, {"deleted_at": timezone.now()}])
def test_a_kind_that_is_not_for_new_cases_is_refused(kind: ProcessType, opened: Open, gone: dict[str, Any]) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(kind, gone, check=False)
    with pytest.raises(Invalid) as refused:
        opened()
    assert set(refused.value.fields) == {"type"}


def test_a_stage_of_another_kind_is_refused(clerks: Cast, stages: list[ProcessStage], opened: Open) -> None:
    assert opened(stage=stages[1]).stage == stages[1]
    with pytest.raises(Invalid) as refused:
        opened(stage=ProcessStageFactory(type=ProcessTypeFactory(tenant=clerks.tenant)))
    assert set(refused.value.fields) == {"stage"}


def test_an_external_id_is_used_once_in_a_company(clerks: Cast, opened: Open) -> None:
    first = opened(external_id="K-1")
    with pytest.raises(Taken), transaction.atomic():
        opened(external_id="K-1")
    assert opened(external_id="k-1").pk  # compared exactly
    delete(clerks, first)
    assert opened(external_id="K-1").pk


# --- Changing ---------------------------------------------------------------------------------------------------


def test_each_changed_property_has_an_entry_in_the_history(
    clerks: Cast, stages: list[ProcessStage], opened: Open
) -> None:
    case = opened(subject="Alt", stage=stages[0])
    done = change(clerks, case, subject="Neu", stage=stages[1], report=case.report, is_finished=False)
    assert set(done) == {"subject", "stage"}
    entries = ProcessActivity.objects.history(clerks.actor("staff"))
    assert sorted((e.property, e.old_value, e.new_value, e.user) for e in entries) == [
        ("stage", str(stages[0].pk), str(stages[1].pk), clerks.staff), ("subject", "Alt", "Neu", clerks.staff),
    ]  # fmt: skip


def test_nobody_but_staff_reads_the_history(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    case = opened()
    change(clerks, case, subject="Neu")
    assert Process.objects.visible_to(clerks.actor("renter")).filter(pk=case.pk).exists()
    assert not ProcessActivity.objects.history(clerks.actor("renter")).exists()
    assert not ProcessActivity.objects.visible_to(clerks.actor("renter")).exists()
    assert ProcessActivity.objects.history(clerks.actor("staff")).count() == 1


def test_what_changes_nothing_leaves_the_moment_of_the_latest_change(clerks: Cast, opened: Open) -> None:
    case = opened(subject="Alt")
    before = (case.changed_at, case.row_version)
    assert change(clerks, case, subject="Alt", report="<p onclick='x'>Umbau.</p>") == {}
    assert (case.changed_at, case.row_version) == before
    change(clerks, case, subject="Neu")
    assert case.changed_at > before[0]


def test_it_is_found_by_what_it_says_now(clerks: Cast, opened: Open) -> None:
    case = opened(subject="Markise")
    change(clerks, case, subject="Dachrinne")
    found = [list(Process.objects.search(clerks.actor("staff"), word)) for word in ("markise", "dachrinne")]
    assert found == [[], [case]]


def test_finishing_leaves_the_finish_date_alone_and_so_does_its_opposite(clerks: Cast, opened: Open) -> None:
    case = opened()
    change(clerks, case, is_finished=True)
    assert (case.finish_date, case.finished_at) == (None, case.changed_at)
    day = datetime.datetime(2026, 1, 2, tzinfo=UTC)
    change(clerks, case, finish_date=day)
    change(clerks, case, is_finished=False)
    assert (case.is_finished, case.finish_date, case.finished_at) == (False, day, None)


def test_another_kind_clears_a_stage_that_is_not_its_own(
    clerks: Cast, stages: list[ProcessStage], opened: Open
) -> None:
    other = ProcessTypeFactory(tenant=clerks.tenant)
    case = opened(stage=stages[0])
    done = change(clerks, case, type=other)
    assert (case.type, case.stage, set(done)) == (other, None, {"type", "stage"})


def test_another_kind_with_a_stage_of_the_old_one_is_refused(
    clerks: Cast, stages: list[ProcessStage], opened: Open
) -> None:
    case = opened(stage=stages[0])
    with pytest.raises(Invalid) as refused:
        change(clerks, case, type=ProcessTypeFactory(tenant=clerks.tenant), stage=stages[0])
    assert set(refused.value.fields) == {"stage"}
    case.refresh_from_db()
    assert case.stage == stages[0]


def test_a_kind_that_is_no_longer_for_new_cases_stays_on_those_that_have_it(
    clerks: Cast, kind: ProcessType, stages: list[ProcessStage], opened: Open
) -> None:
    case = opened()
    with scope.unit_of_work(door="test"):
        kinds.change(kind, actor=clerks.actor("admin"), changes={"is_active": False})
    change(clerks, case, subject="Neu", stage=stages[1])
    assert (case.subject, case.type, case.stage) == ("Neu", kind, stages[1])


@pytest.mark.parametrize("name", ["account", "contact", "report", "type", "unit"])
def test_what_a_case_needs_cannot_be_taken_away(clerks: Cast, opened: Open, name: str) -> None:
    case = opened()
    with pytest.raises(Invalid) as refused:
        change(clerks, case, **{name: None})
    assert set(refused.value.fields) == {name}


@pytest.mark.parametrize("who", ["renter", "owner", "stranger"])
def test_nobody_but_staff_changes_or_deletes_a_case(clerks: Cast, opened: Open, who: str) -> None:
    case = opened()
    with pytest.raises(Denied):
        change(clerks, case, who, subject="Neu")
    with pytest.raises(Denied):
        delete(clerks, case, who)


@pytest.mark.parametrize("permission", ["process_update_perm", "process_delete_perm"])
def test_changing_and_deleting_are_permissions_of_their_own(clerks: Cast, opened: Open, permission: str) -> None:
    case = opened()
    with scope.unit_of_work(door="test"):
        rows.change(clerks.membership("staff"), {permission: False})
    refused = []
    for name, work in (("process_update_perm", lambda: change(clerks, case, subject="Neu")), ("process_delete_perm", lambda: delete(clerks, case))):  # fmt: skip
        try:
            work()
        except Denied:
            refused.append(name)
    assert refused == [permission]


def test_who_only_watches_a_case_does_not_change_it(clerks: Cast, opened: Open) -> None:
    case = opened()
    clerk = ProcessClerk.objects.create(
        tenant=clerks.tenant, process=case, membership=clerks.membership("staff"), role="spectator"
    )
    with pytest.raises(Denied):
        change(clerks, case, "staff", subject="Neu")
    change(clerks, case, "admin", subject="Neu")
    clerk.role = "editor"
    clerk.save()
    change(clerks, case, "staff", subject="Neuer")
    assert case.subject == "Neuer"


def test_two_writers_do_not_overwrite_each_other_unseen(clerks: Cast, opened: Open) -> None:
    case = opened()
    seen = case.row_version
    change(clerks, case, "admin", subject="Ihrer")
    with pytest.raises(Changed):
        change(clerks, case, subject="Meiner", expected=seen)
    case.refresh_from_db()
    assert case.subject == "Ihrer"


def test_who_listens_hears_what_was_changed(clerks: Cast, opened: Open) -> None:
    heard: list[Any] = []

    def listen(changes: Any, activities: Any, **_more: Any) -> None:
        heard.append((changes, [one.property for one in activities]))

    process_changed.connect(listen)
    try:
        case = opened(subject="Alt")
        change(clerks, case, subject="Alt")
        change(clerks, case, subject="Neu")
    finally:
        process_changed.disconnect(listen)
    assert heard == [({"subject": ("Alt", "Neu")}, ["subject"])]


# --- Deleting ---------------------------------------------------------------------------------------------------


def test_a_deleted_case_is_found_by_staff_who_ask_for_it_and_by_nobody_else(clerks: Cast, opened: Open) -> None:
    case = opened()
    assert Process.objects.visible_to(clerks.actor("renter")).exists()
    delete(clerks, case)
    assert case.deleted_at == case.changed_at
    assert not Process.objects.visible_to(clerks.actor("staff")).exists()
    assert list(Process.objects.visible_to(clerks.actor("staff"), include_deleted=True)) == [case]
    assert not Process.objects.visible_to(clerks.actor("renter"), include_deleted=True).exists()


def test_what_is_deleted_is_gone_for_who_changes_or_deletes_it(clerks: Cast, opened: Open) -> None:
    case = opened()
    delete(clerks, case)
    with pytest.raises(NotFound):
        change(clerks, case, subject="Neu")
    with pytest.raises(NotFound):
        delete(clerks, case)


def test_a_legal_hold_keeps_a_case(clerks: Cast, opened: Open) -> None:
    case = opened()
    with scope.unit_of_work(door="test"):
        hold: Hold = holds.open_hold(
            actor=clerks.actor("admin"), tenant_id=clerks.tenant.pk, title="Streit", reason="Klage", unit=clerks.unit_a2
        )
    with pytest.raises(Conflict) as refused:
        delete(clerks, case)
    assert refused.value.code == "held"
    with scope.unit_of_work(door="test"):
        holds.release(actor=clerks.actor("admin"), hold=hold, reason="Vergleich")
    delete(clerks, case)
    assert case.deleted_at
    assert not ProcessHold.objects.exists()


def test_who_listens_hears_of_its_end(clerks: Cast, opened: Open) -> None:
    heard: list[Process] = []

    def listen(process: Process, **_more: Any) -> None:
        heard.append(process)

    process_deleted.connect(listen)
    try:
        case = opened()
        delete(clerks, case)
    finally:
        process_deleted.disconnect(listen)
    assert heard == [case]


def test_all_of_it_stands_in_the_audit(clerks: Cast, opened: Open) -> None:
    case = opened(subject="Alt")
    change(clerks, case, subject="Neu")
    delete(clerks, case)
    found = AuditEntry.objects.filter(object_type="processes.process", object_id=str(case.pk)).order_by("id")
    assert [(e.verb, e.changes.get("subject")) for e in found] == [
        ("opened", [None, "Alt"]), ("changed", ["Alt", "Neu"]), ("deleted", None),
    ]  # fmt: skip
