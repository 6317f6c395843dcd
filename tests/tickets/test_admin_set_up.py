"""Types, questions, ready-made replies and rules of assignment in the back office, by an administrator without more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Conflict, Denied, Invalid
from core.models import AuditEntry
from tests.portal.pages import queries_of, signed_in
from tickets.models import AssignmentRule, CannedReply, Ticket, TicketType, TicketTypeField, TicketTypeGroup
from tickets.services import setup, types

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

pytestmark = pytest.mark.django_db
TYPE = "/admin/tickets/tickettype/"
VALUES = {
    "name": "Heizung", "description": "Wird es nicht warm?", "icon": "flame", "position": "1", "is_active": "on",
    "support_type": "temperatureAndVentilation", "roles": ["owner", "renter"], "priority": "3",
    "first_response_hours": "4", "resolution_hours": "24",
}  # fmt: skip


def heating(cast: Cast, **values: Any) -> TicketType:
    return types.create(actor=cast.actor("admin"), tenant_id=cast.tenant.pk, values={"name": "Heizung"} | values)


def question(name: str = "Seit wann?", **values: Any) -> dict[str, Any]:
    return {"name": name, "field_type": "TEXTFIELD"} | values


@pytest.mark.rule("PORTAL-074")
def test_a_type_is_made_with_targets_roles_and_communities(cast: Cast) -> None:
    group = setup.create(
        TicketTypeGroup, actor=cast.actor("admin"), tenant_id=cast.tenant.pk, values={"name": "Technik"}
    )
    values = VALUES | {"group": group.pk, "communities": [cast.house_a.pk]}
    response = signed_in(cast.admin).post(f"{TYPE}add/", values)
    assert response.status_code == 302, response.context["adminform"].form.errors
    made = TicketType.objects.get()
    assert (made.group, made.icon, made.roles, made.priority) == (group, "flame", ["owner", "renter"], 3)
    assert (made.first_response_hours, made.resolution_hours) == (4, 24)
    assert list(made.communities.all()) == [cast.house_a]
    assert AuditEntry.objects.filter(object_type="tickets.tickettype", user_id=cast.admin.pk).exists()


def test_staff_without_administration_set_nothing_up(cast: Cast) -> None:
    made = heating(cast)
    client = signed_in(cast.staff)
    for noun in ("tickettype", "tickettypegroup", "cannedreply", "assignmentrule"):
        assert client.get(f"/admin/tickets/{noun}/").status_code == 403
    assert client.post(f"{TYPE}{made.pk}/questions/", {"count": "0", "seen": ""}).status_code in (403, 404)
    with pytest.raises(Denied):
        types.change(made, actor=cast.actor("staff"), changes={"name": "Nein"})
    with pytest.raises(Denied):
        types.set_fields(actor=cast.actor("staff"), ticket_type=made, fields=[question()])


@pytest.mark.rule("PORTAL-074")
def test_another_company_does_not_find_a_type(cast: Cast) -> None:
    made = heating(cast)
    client = signed_in(cast.stranger)
    assert client.get(f"{TYPE}{made.pk}/change/").status_code == 404
    assert client.get(f"{TYPE}{made.pk}/questions/").status_code == 404
    assert b"Heizung" not in client.get(TYPE).content


def test_a_foreign_community_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        types.create(
            actor=cast.actor("admin"), tenant_id=cast.tenant.pk, values={"name": "Heizung"},
            communities=[cast.foreign_house],
        )  # fmt: skip
    assert "communities" in refused.value.fields
    page = signed_in(cast.admin).post(f"{TYPE}add/", VALUES | {"communities": [cast.foreign_house.pk]})
    assert page.status_code == 200
    assert not TicketType.objects.exists()


@pytest.mark.parametrize("icon", ["scene-door", "<script>", "flame\x00"])
def test_an_icon_is_one_of_the_sprite(cast: Cast, icon: str) -> None:
    assert signed_in(cast.admin).post(f"{TYPE}add/", VALUES | {"icon": icon}).status_code == 200
    assert not TicketType.objects.exists()


def test_a_second_default_of_a_support_type_is_refused(cast: Cast) -> None:
    heating(cast, support_type="cleaning", is_support_default=True)
    values = VALUES | {"support_type": "cleaning", "is_support_default": "on"}
    page = signed_in(cast.admin).post(f"{TYPE}add/", values)
    assert page.status_code == 200
    assert page.context["adminform"].form.errors
    assert TicketType.objects.count() == 1


@pytest.mark.rule("PORTAL-074")
def test_questions_are_stored_in_their_order(cast: Cast) -> None:
    made = heating(cast)
    client = signed_in(cast.admin)
    seen = client.get(f"{TYPE}{made.pk}/questions/").context["seen"]
    values = {
        "count": "2", "seen": seen, "do": "save",
        "0-name": "Welcher Raum?", "0-field_type": "DROPDOWN", "0-options": "Bad\nKüche\n", "0-is_active": "on",
        "0-required": "on", "1-name": "Grad", "1-field_type": "NUMBER", "1-decimals": "1", "1-is_active": "on",
    }  # fmt: skip
    assert client.post(f"{TYPE}{made.pk}/questions/", values).status_code == 302
    found = [(f.name, f.field_type, f.required, f.options, f.decimals) for f in types.fields_of(made)]
    assert found == [
        ("Welcher Raum?", "DROPDOWN", True, ["Bad", "Küche"], None),
        ("Grad", "NUMBER", False, [], 1),
    ]
    preview = client.get(f"{TYPE}{made.pk}/preview/").content.decode()
    assert preview.index("Welcher Raum?") < preview.index("Grad")


def test_questions_changed_meanwhile_are_not_overwritten(cast: Cast) -> None:
    made = heating(cast)
    client = signed_in(cast.admin)
    seen = client.get(f"{TYPE}{made.pk}/questions/").context["seen"]
    types.set_fields(actor=cast.actor("admin"), ticket_type=made, fields=[question()])
    page = client.post(f"{TYPE}{made.pk}/questions/", {"count": "0", "seen": seen, "do": "save"})
    assert page.status_code == 200
    assert page.context["refusal"]
    assert [f.name for f in types.fields_of(made)] == ["Seit wann?"]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (question(""), "name"),
        (question("x" * 201), "name"),
        (question("\x00"), "name"),
        (question(field_type="OTHER"), "field_type"),
        (question(field_type="DROPDOWN", options=[]), "options"),
        (question(field_type="DROPDOWN", options=["Bad", "Bad"]), "options"),
        (question(decimals=7), "decimals"),
        (question(id=10**9), "id"),
    ],
)
def test_a_wrong_question_is_refused_where_it_stands(cast: Cast, sent: dict[str, Any], name: str) -> None:
    made = heating(cast)
    with pytest.raises(Invalid) as refused:
        types.set_fields(actor=cast.actor("admin"), ticket_type=made, fields=[question(), sent])
    assert f"[1].{name}" in refused.value.fields
    assert not TicketTypeField.objects.exists()


@pytest.mark.rule("PORTAL-074")
def test_filed_tickets_keep_their_answers_when_questions_go(cast: Cast, file: File) -> None:
    made = heating(cast)
    (asked,) = types.set_fields(actor=cast.actor("admin"), ticket_type=made, fields=[question()])
    answers = [{"field_id": asked.pk, "name": asked.name, "fieldType": "TEXTFIELD", "value": "gestern"}]
    ticket = file(ticket_type=made, answers=answers)
    version = Ticket.objects.get(pk=ticket.pk).row_version
    types.set_fields(actor=cast.actor("admin"), ticket_type=made, fields=[question("Neu?")])
    types.change(made, actor=cast.actor("admin"), changes={"name": "Kälte", "support_type": "cleaning"})
    ticket.refresh_from_db()
    assert (ticket.answers, ticket.title, ticket.support_type, ticket.row_version) == (
        answers, "Heizung", "other", version,
    )  # fmt: skip


def test_a_type_with_tickets_stays(cast: Cast, file: File) -> None:
    made, unused = heating(cast), heating(cast, name="Nie")
    file(ticket_type=made)
    with pytest.raises(Conflict):
        types.delete(made, actor=cast.actor("admin"))
    types.delete(unused, actor=cast.actor("admin"))
    assert list(TicketType.objects.all()) == [made]


@pytest.mark.parametrize("text", ["Hallo {{name}}", "{{ }}", "{{requester_name", "{{ticket_number}} }}", "{{a.b}}"])
def test_unknown_placeholders_are_refused(cast: Cast, text: str) -> None:
    values = {"name": "Gruß", "text": text, "position": "0", "is_active": "on"}
    page = signed_in(cast.admin).post("/admin/tickets/cannedreply/add/", values)
    assert page.status_code == 200
    assert "text" in page.context["adminform"].form.errors
    assert not CannedReply.objects.exists()


@pytest.mark.parametrize("text", ["x" * 20_001, "a\x00b"])
def test_a_reply_that_cannot_be_sent_is_refused(cast: Cast, text: str) -> None:
    values = {"name": "Gruß", "text": text, "position": "0", "is_active": "on"}
    assert signed_in(cast.admin).post("/admin/tickets/cannedreply/add/", values).status_code == 200
    assert not CannedReply.objects.exists()


def test_a_reply_with_known_placeholders_is_stored(cast: Cast) -> None:
    text = "Guten Tag {{ requester_name }}, {{ticket_number}} in {{community}}. {{staff_name}}, {{company_name}}"
    values = {"name": "Gruß", "text": text, "position": "0", "is_active": "on"}
    assert signed_in(cast.admin).post("/admin/tickets/cannedreply/add/", values).status_code == 302
    assert CannedReply.objects.get().text == text


def test_a_rule_names_only_who_looks_after_the_community(cast: Cast) -> None:
    client = signed_in(cast.admin)
    values = {"assignee": cast.membership("staff").pk, "position": "0", "is_active": "on", "only_available": "on"}
    wrong = client.post("/admin/tickets/assignmentrule/add/", values | {"community": cast.house_b.pk})
    assert wrong.status_code == 200
    assert client.post("/admin/tickets/assignmentrule/add/", values | {"community": cast.house_a.pk}).status_code == 302
    assert AssignmentRule.objects.get().community == cast.house_a


def test_the_lists_cost_the_same_for_one_row_and_three(cast: Cast) -> None:
    heating(cast)
    client = signed_in(cast.admin)
    one = queries_of(client, TYPE)
    for number in range(2):
        types.set_fields(actor=cast.actor("admin"), ticket_type=heating(cast, name=f"T{number}"), fields=[question()])
    assert queries_of(client, TYPE) == one


@pytest.mark.parametrize("who", ["renter", "guest"])
def test_a_rule_of_assignment_takes_staff_alone(cast: Cast, who: str) -> None:
    client, person = signed_in(cast.admin), cast.membership(who)
    query = {"app_label": "tickets", "model_name": "assignmentrule", "field_name": "assignee", "term": "muster"}
    offered = {found["id"] for found in client.get("/admin/autocomplete/", query).json()["results"]}
    assert str(cast.membership("staff").pk) in offered
    assert str(person.pk) not in offered
    response = client.post("/admin/tickets/assignmentrule/add/", {"assignee": person.pk, "position": "0"})
    assert response.context["adminform"].form.errors
    with pytest.raises(Invalid) as refused:
        values = {"assignee": person}
        setup.create(AssignmentRule, actor=cast.actor("admin"), tenant_id=cast.tenant.pk, values=values)
    assert set(refused.value.fields) == {"assignee"}
    assert not AssignmentRule.objects.exists()
