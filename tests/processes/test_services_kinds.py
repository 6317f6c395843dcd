"""Kinds of cases and their stages: who keeps them, what they are called, and that what is used stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from core import scope
from core.errors import Changed, Conflict, Denied, DomainError, Invalid, NotFound
from core.models import AuditEntry
from core.services import rows
from processes.models import Process, ProcessStage, ProcessType
from processes.services import cases, kinds
from tests.factories import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

    Open = Callable[..., Process]


def make(cast: Cast, who: str = "admin", **values: Any) -> ProcessType:
    values = {"names": {"de": "Wechsel"}} | values
    with scope.unit_of_work(door="test"):
        return kinds.create_type(actor=cast.actor(who), tenant_id=cast.tenant.pk, values=values)


def delete(cast: Cast, kind: ProcessType | ProcessStage, who: str = "admin") -> None:
    with scope.unit_of_work(door="test"):
        kinds.delete(kind, actor=cast.actor(who))


def test_it_is_called_as_the_language_of_the_reader_says(clerks: Cast) -> None:
    made = make(clerks, names={"de": "Wechsel", "fr": "Changement"})
    told = {}
    for language in ("de", "fr", "pl"):
        with translation.override(language):
            told[language] = str(made)
    assert told == {"de": "Wechsel", "fr": "Changement", "pl": "Wechsel"}


def test_without_a_german_name_any_stands_for_it(clerks: Cast) -> None:
    assert make(clerks, names={"pl": "Zmiana"}).name_in("de") == "Zmiana"


@pytest.mark.parametrize(
    "names", [{}, {"de": "  "}, {"de": "x" * 101}, {"xx": "Wechsel"}, {"de": "Wech\x00sel"}], ids=repr
)  # fmt: skip
def test_a_name_that_is_none_is_refused(clerks: Cast, names: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        make(clerks, names=names)
    assert set(refused.value.fields) == {"names"}
    assert not ProcessType.objects.exists()


def test_blanks_around_a_name_are_not_stored(clerks: Cast) -> None:
    assert make(clerks, names={"de": " Wechsel ", "en": " "}).names == {"de": "Wechsel"}


@pytest.mark.parametrize("who", ["renter", "owner", "guest", "stranger"])
def test_nobody_but_staff_keeps_kinds(clerks: Cast, kind: ProcessType, who: str) -> None:
    for work in (
        lambda: make(clerks, who),
        lambda: kinds.change(kind, actor=clerks.actor(who), changes={"position": 7}),
        lambda: kinds.delete(kind, actor=clerks.actor(who)),
        lambda: kinds.create_stage(actor=clerks.actor(who), process_type=kind, values={"names": {"de": "x"}}),
    ):
        with pytest.raises(Denied), scope.unit_of_work(door="test"):
            work()


def test_administrators_keep_them_also_without_the_permissions_of_cases(cast: Cast) -> None:
    made = make(cast)
    with scope.unit_of_work(door="test"):
        kinds.change(made, actor=cast.actor("admin"), changes={"position": 7})
    delete(cast, made)


@pytest.mark.parametrize("permission", ["process_create_perm", "process_update_perm", "process_delete_perm"])
def test_other_staff_need_the_permission_for_each(clerks: Cast, kind: ProcessType, permission: str) -> None:
    with scope.unit_of_work(door="test"):
        rows.change(clerks.membership("staff"), {permission: False})
    actor = clerks.actor("staff")
    works: dict[str, Callable[[], Any]] = {
        "process_create_perm": lambda: make(clerks, "staff"),
        "process_update_perm": lambda: kinds.change(kind, actor=actor, changes={"position": 7}),
        "process_delete_perm": lambda: kinds.delete(kind, actor=actor),
    }
    refused = []
    for name, work in works.items():
        try:
            with scope.unit_of_work(door="test"):
                work()
        except Denied:
            refused.append(name)
    assert refused == [permission]


def test_stages_stand_in_their_order_and_equal_places_in_that_of_their_making(clerks: Cast, kind: ProcessType) -> None:
    with scope.unit_of_work(door="test"):
        for name, position in (("Zuletzt", 9), ("Auch zuerst", 0)):
            kinds.create_stage(
                actor=clerks.actor("admin"), process_type=kind, values={"names": {"de": name}, "position": position}
            )
    assert [str(stage) for stage in kinds.stages_of(kind)] == ["Antrag", "Auch zuerst", "Beschluss", "Zuletzt"]


def test_what_cases_use_is_not_deleted(
    clerks: Cast, kind: ProcessType, stages: list[ProcessStage], opened: Open
) -> None:
    case = opened(stage=stages[0])
    for used in (kind, stages[0]):
        with pytest.raises(Conflict) as refused:
            delete(clerks, used)
        assert refused.value.code == "in_use"
    delete(clerks, stages[1])
    assert kinds.stages_of(kind) == [stages[0]]
    with scope.unit_of_work(door="test"):
        cases.delete_case(actor=clerks.actor("staff"), process=case)
    delete(clerks, stages[0])
    delete(clerks, kind)
    assert not ProcessType.objects.visible_to(clerks.actor("admin")).exists()


def test_a_kind_goes_with_its_stages(clerks: Cast, kind: ProcessType, stages: list[ProcessStage]) -> None:
    other = make(clerks)
    delete(clerks, kind)
    assert not ProcessStage.objects.visible_to(clerks.actor("admin")).exists()
    assert list(ProcessType.objects.visible_to(clerks.actor("admin"))) == [other]


def test_what_is_gone_is_not_found_any_more(clerks: Cast, kind: ProcessType) -> None:
    delete(clerks, kind)
    kind.refresh_from_db()
    for work in (
        lambda: kinds.delete(kind, actor=clerks.actor("admin")),
        lambda: kinds.change(kind, actor=clerks.actor("admin"), changes={"position": 7}),
        lambda: kinds.create_stage(actor=clerks.actor("admin"), process_type=kind, values={"names": {"de": "x"}}),
    ):
        with pytest.raises(NotFound), scope.unit_of_work(door="test"):
            work()


@pytest.mark.django_db(transaction=True)
def test_a_kind_that_is_deleted_while_a_case_is_opened_is_in_use_or_gone(
    clerks: Cast, kind: ProcessType, opened: Open
) -> None:
    for _again in range(5):
        outcomes = at_once(opened, lambda: kinds.delete(kind, actor=clerks.actor("admin")))
        kind.refresh_from_db()
        is_gone, is_used = kind.deleted_at is not None, Process.objects.filter(type=kind).exists()
        assert is_gone != is_used
        assert sum(isinstance(outcome, DomainError) for outcome in outcomes) == 1
        Process.objects.all().delete()
        ProcessType.objects.filter(pk=kind.pk).update(deleted_at=None)


def test_two_writers_do_not_overwrite_each_other_unseen(clerks: Cast, kind: ProcessType) -> None:
    seen = kind.row_version
    with scope.unit_of_work(door="test"):
        kinds.change(ProcessType.objects.get(pk=kind.pk), actor=clerks.actor("admin"), changes={"position": 7})
        with pytest.raises(Changed):
            kinds.change(
                ProcessType.objects.get(pk=kind.pk), actor=clerks.actor("admin"), changes={"position": 8}, expected=seen
            )


def test_the_audit_tells_of_them(clerks: Cast, kind: ProcessType) -> None:
    delete(clerks, kind)
    found = AuditEntry.objects.filter(object_type__in=("processes.processtype", "processes.processstage"))
    assert sorted((e.object_type, e.verb) for e in found) == [
        ("processes.processstage", "created"), ("processes.processstage", "created"), ("processes.processstage", "deleted"),
        ("processes.processstage", "deleted"), ("processes.processtype", "created"), ("processes.processtype", "deleted"),
    ]  # fmt: skip
