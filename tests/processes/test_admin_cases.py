"""Cases in the back office: opened from a quick action, worked on, found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.models import Membership
from orgs.services import quick_actions
from processes.models import Process, ProcessActivity, ProcessStage, ProcessType
from processes.services import cases, kinds
from tests.factories import ProcessTypeFactory
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

    Open = Callable[..., Process]

LIST = "/admin/processes/process/"
KINDS = "/admin/processes/processtype/"
STAGES = "/admin/processes/processstage/"


def filled(cast: Cast, kind: ProcessType, **values: Any) -> dict[str, Any]:
    """The form of a new case."""
    return {
        "type": kind.pk, "unit": cast.unit_a2.pk, "contact": cast.contact("renter").pk, "subject": "Markise",
        "report": "Eine Markise.\n\nTon in Ton.", "external_id": "",
    } | values  # fmt: skip


def edited(case: Process, **values: Any) -> dict[str, Any]:
    """The form of a case as its page shows it, with other values."""
    return {
        "type": case.type_id, "stage": case.stage_id or "", "unit": case.unit_id, "contact": case.contact_id,
        "subject": case.subject, "report": "Umbau.", "external_id": case.external_id, "finish_date_0": "",
        "finish_date_1": "", "expected_version": case.row_version,
    } | values  # fmt: skip


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


# --- Opening ----------------------------------------------------------------------------------------------------


def test_a_quick_action_starts_a_case_of_its_kind(clerks: Cast, kind: ProcessType, stages: list[ProcessStage]) -> None:
    gone = ProcessTypeFactory(tenant=clerks.tenant, is_active=False)
    foreign = ProcessTypeFactory(tenant=clerks.other_tenant)
    with scope.unit_of_work(door="test"):
        quick_actions.replace(
            actor=clerks.actor("operator"), organization=clerks.tenant,
            actions=[{"name": f"Start {one.pk}", "resource": "process-type", "resource_id": one.pk} for one in (kind, gone, foreign)],
        )  # fmt: skip
    client = signed_in(clerks.staff)
    [board] = client.get("/admin/").context["desk"].boards
    assert [bool(one.url) for one in board.offers] == [True, False, False]
    page = client.get(board.offers[0].url)
    assert page.context["adminform"].form.initial["type"] == str(kind.pk)
    response = client.post(board.offers[0].url, filled(clerks, kind))
    made = Process.objects.get()
    assert response.status_code == 302
    assert (made.type, made.stage, made.account) == (kind, stages[0], clerks.staff)
    assert made.report == "<p>Eine Markise.</p>\n\n<p>Ton in Ton.</p>"


def test_whoever_may_open_none_is_offered_none(clerks: Cast, kind: ProcessType) -> None:
    with scope.unit_of_work(door="test"):
        quick_actions.replace(
            actor=clerks.actor("operator"), organization=clerks.tenant,
            actions=[{"name": "Start", "resource": "process-type", "resource_id": kind.pk}],
        )  # fmt: skip
        rows.change(clerks.membership("staff"), {"process_create_perm": False})
    client = signed_in(clerks.staff)
    [board] = client.get("/admin/").context["desk"].boards
    assert board.offers[0].url == ""
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}add/", filled(clerks, kind)).status_code == 403
    assert not Process.objects.exists()


def test_several_kinds_cost_one_query(clerks: Cast, kind: ProcessType) -> None:
    client = signed_in(clerks.staff)

    def put(*ids: int) -> None:
        actions = [{"name": f"Start {pk}", "resource": "process-type", "resource_id": pk} for pk in ids]
        with scope.unit_of_work(door="test"):
            quick_actions.replace(actor=clerks.actor("operator"), organization=clerks.tenant, actions=actions)

    put(kind.pk)
    one = queries_of(client, "/admin/")
    put(kind.pk, *(ProcessTypeFactory(tenant=clerks.tenant).pk for _again in range(2)))
    assert queries_of(client, "/admin/") == one


@pytest.mark.parametrize("missing", ["type", "unit", "contact", "report"])
def test_what_is_missing_is_named(clerks: Cast, kind: ProcessType, missing: str) -> None:
    response = signed_in(clerks.staff).post(f"{LIST}add/", filled(clerks, kind, **{missing: ""}))
    assert set(errors(response)) == {missing}
    assert not Process.objects.exists()


def test_what_the_service_refuses_stands_at_its_field(clerks: Cast, kind: ProcessType) -> None:
    response = signed_in(clerks.staff).post(f"{LIST}add/", filled(clerks, kind, report="<b></b>"))
    assert set(errors(response)) == {"report"}


@pytest.mark.parametrize("field", ["unit", "contact", "type"])
def test_nothing_of_another_company_can_be_chosen(clerks: Cast, kind: ProcessType, field: str) -> None:
    foreign = {
        "unit": clerks.foreign_unit.pk, "contact": clerks.contact("foreigner").pk,
        "type": ProcessTypeFactory(tenant=clerks.other_tenant).pk,
    }  # fmt: skip
    response = signed_in(clerks.staff).post(f"{LIST}add/", filled(clerks, kind, **{field: foreign[field]}))
    assert set(errors(response)) == {field}


# --- The case ---------------------------------------------------------------------------------------------------


def test_a_case_moves_on_and_its_page_tells_who_did_it(clerks: Cast, stages: list[ProcessStage], opened: Open) -> None:
    case = opened(stage=stages[0])
    client = signed_in(clerks.staff)
    assert client.post(f"{LIST}{case.pk}/change/", edited(case, stage=stages[1].pk)).status_code == 302
    case.refresh_from_db()
    assert (case.stage, case.report) == (stages[1], "<p>Umbau.</p>")
    assert ProcessActivity.objects.get().property == "stage"
    sections = client.get(f"{LIST}{case.pk}/change/").context["sections"]
    assert [[cell.text for cell in row] for row in sections[0].rows] == [["Antrag", ""], ["Beschluss", "jetzt"]]
    assert [cell.text for cell in sections[1].rows[0]][1:] == [str(clerks.staff), "Stufe"]


def test_finishing_fills_the_date_in_and_a_date_that_was_given_stays(clerks: Cast, opened: Open) -> None:
    case, dated = opened(), opened()
    client = signed_in(clerks.staff)
    before = timezone.now()
    client.post(f"{LIST}{case.pk}/change/", edited(case, is_finished="on"))
    given = {"is_finished": "on", "finish_date_0": "02.01.2026", "finish_date_1": "10:00:00"}
    client.post(f"{LIST}{dated.pk}/change/", edited(dated, **given))
    case.refresh_from_db()
    dated.refresh_from_db()
    assert case.finish_date
    assert before <= case.finish_date <= timezone.now()
    assert dated.finish_date
    assert timezone.localtime(dated.finish_date).isoformat().startswith("2026-01-02T10:00")


def test_another_kind_leaves_the_stage_behind(clerks: Cast, stages: list[ProcessStage], opened: Open) -> None:
    case, other = opened(stage=stages[0]), ProcessTypeFactory(tenant=clerks.tenant)
    assert signed_in(clerks.staff).post(f"{LIST}{case.pk}/change/", edited(case, type=other.pk)).status_code == 302
    case.refresh_from_db()
    assert (case.type, case.stage) == (other, None)


def test_a_kind_that_is_not_offered_any_more_stays_where_it_is(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    case = opened()
    with scope.unit_of_work(door="test"):
        kinds.change(kind, actor=clerks.actor("admin"), changes={"is_active": False})
    client = signed_in(clerks.staff)
    assert client.post(f"{LIST}{case.pk}/change/", edited(case, subject="Neu")).status_code == 302
    assert set(errors(client.post(f"{LIST}add/", filled(clerks, kind)))) == {"type"}


def test_a_case_in_a_house_one_does_not_look_after_can_be_worked_on(clerks: Cast, opened: Open) -> None:
    case = opened("admin", unit=clerks.unit_b1)
    assert signed_in(clerks.staff).post(f"{LIST}{case.pk}/change/", edited(case, subject="Neu")).status_code == 302
    case.refresh_from_db()
    assert (case.subject, case.unit) == ("Neu", clerks.unit_b1)


def test_a_report_that_nobody_touched_stays_as_it_is(clerks: Cast, opened: Open) -> None:
    rich = "<p>Eins<br>zwei</p><ul><li>drei</li></ul>"
    case = opened(report=rich)
    client = signed_in(clerks.staff)
    shown = client.get(f"{LIST}{case.pk}/change/").context["adminform"].form.initial["report"]
    client.post(f"{LIST}{case.pk}/change/", edited(case, subject="Neu", report=shown.replace("\n", "\r\n")))
    case.refresh_from_db()
    assert (case.subject, case.report) == ("Neu", rich)


def test_two_people_on_one_case_do_not_overwrite_each_other(clerks: Cast, opened: Open) -> None:
    case = opened()
    seen = edited(case, subject="Meiner")
    signed_in(clerks.admin).post(f"{LIST}{case.pk}/change/", edited(case, subject="Ihrer"))
    assert errors(signed_in(clerks.staff).post(f"{LIST}{case.pk}/change/", seen))
    case.refresh_from_db()
    assert case.subject == "Ihrer"


def test_a_stage_of_another_kind_cannot_be_chosen(clerks: Cast, stages: list[ProcessStage], opened: Open) -> None:
    case = opened(process_type=ProcessTypeFactory(tenant=clerks.tenant))
    response = signed_in(clerks.staff).post(f"{LIST}{case.pk}/change/", edited(case, stage=stages[0].pk))
    assert set(errors(response)) == {"stage"}


def test_a_case_is_deleted_after_a_question(clerks: Cast, opened: Open) -> None:
    case = opened()
    client = signed_in(clerks.staff)
    assert client.get(f"{LIST}{case.pk}/delete/").status_code == 200
    client.post(f"{LIST}{case.pk}/delete/", {"post": "yes"})
    case.refresh_from_db()
    assert case.deleted_at
    assert client.get(f"{LIST}{case.pk}/change/").status_code == 404


# --- The list ---------------------------------------------------------------------------------------------------


def test_the_list_finds_by_words_of_subject_and_report(clerks: Cast, opened: Open) -> None:
    opened(subject="Markise", report="<p>An der Loggia.</p>")
    opened(subject="Dachrinne")
    client = signed_in(clerks.staff)
    for words in ("markise", "loggia"):
        found = client.get(LIST, {"q": words}).context["cl"].result_list
        assert [case.subject for case in found] == ["Markise"], words


def test_the_list_shows_the_cases_of_ones_own_company(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    opened(subject="Meiner")
    with scope.unit_of_work(door="test"):
        rows.change(Membership.objects.get(user=clerks.stranger), {"process_create_perm": True})
        cases.open_case(
            actor=clerks.actor("stranger"), unit=clerks.foreign_unit, contact=clerks.contact("foreigner"),
            process_type=ProcessTypeFactory(tenant=clerks.other_tenant), report="Umbau", subject="Fremder",
        )  # fmt: skip
    page = signed_in(clerks.staff).get(LIST)
    assert [case.subject for case in page.context["cl"].result_list] == ["Meiner"]


def test_a_longer_list_costs_no_more_queries(clerks: Cast, stages: list[ProcessStage], opened: Open) -> None:
    client = signed_in(clerks.staff)
    opened(stage=stages[0])
    one = queries_of(client, LIST)
    opened("admin", unit=clerks.unit_b1, stage=stages[1])
    opened(process_type=ProcessTypeFactory(tenant=clerks.tenant), contact=clerks.contact("owner"))
    assert queries_of(client, LIST) == one


# --- Kinds ------------------------------------------------------------------------------------------------------


def test_a_kind_is_made_with_names_and_stages(cast: Cast) -> None:
    client = signed_in(cast.admin)
    sent = {
        "name_de": "Wechsel",
        "name_en": "",
        "name_fr": "Changement",
        "name_pl": "",
        "position": "2",
        "is_active": "on",
    }
    assert client.post(f"{KINDS}add/", sent).status_code == 302
    kind = ProcessType.objects.get()
    assert (kind.names, kind.position) == ({"de": "Wechsel", "fr": "Changement"}, 2)
    assert client.post(f"{STAGES}add/", {"type": kind.pk, "name_de": "Antrag", "position": "0"}).status_code == 302
    assert ProcessStage.objects.get().type == kind


def test_a_kind_without_a_name_is_refused_at_the_first(cast: Cast) -> None:
    response = signed_in(cast.admin).post(f"{KINDS}add/", {"position": "0"})
    assert set(errors(response)) == {"name_de"}


def test_a_kind_is_renamed_and_its_stage_too(clerks: Cast, kind: ProcessType, stages: list[ProcessStage]) -> None:
    client = signed_in(clerks.admin)
    shown = client.get(f"{KINDS}{kind.pk}/change/").context["adminform"].form.initial
    assert (shown["name_de"], shown["name_en"], shown["name_fr"]) == ("Umbau", "Alteration", "")
    sent = {"name_de": "Anbau", "position": "0", "is_active": "on", "expected_version": kind.row_version}
    assert client.post(f"{KINDS}{kind.pk}/change/", sent).status_code == 302
    sent = {"name_de": "Eingang", "position": "3", "expected_version": stages[0].row_version}
    assert client.post(f"{STAGES}{stages[0].pk}/change/", sent).status_code == 302
    kind.refresh_from_db()
    stages[0].refresh_from_db()
    assert (kind.names, stages[0].names, stages[0].position) == ({"de": "Anbau"}, {"de": "Eingang"}, 3)


def test_kinds_are_found_by_name(clerks: Cast, kind: ProcessType) -> None:
    ProcessTypeFactory(tenant=clerks.tenant, names={"de": "Schaden"})
    found = signed_in(clerks.admin).get(KINDS, {"q": "umb"}).context["cl"].result_list
    assert list(found) == [kind]


def test_a_kind_in_use_says_so_instead_of_going(clerks: Cast, kind: ProcessType, opened: Open) -> None:
    opened()
    client = signed_in(clerks.admin)
    page = client.post(f"{KINDS}{kind.pk}/delete/", {"post": "yes"}, follow=True)
    assert "kann nicht gelöscht werden" in page.content.decode()
    kind.refresh_from_db()
    assert kind.deleted_at is None
