"""Filing a ticket in the browser: which kinds are offered, what is kept over a mistake, that it is filed once."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import Upload
from orgs.models import Community
from orgs.services import occupancies
from tests.cast import Cast
from tests.portal.pages import signed_in
from tests.portal.test_web_tickets import picture, tickets_url
from tests.tickets.material import upload
from tests.tickets.test_services_answers import a_type, ids
from tickets.models import Ticket, TicketAttachment, TicketType, TicketTypeCommunity, TicketTypeGroup

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
DOOR, TUS = "web_tickets", {"Tus-Resumable": "1.0.0"}


def form_url(cast: Cast, kind: TicketType | None = None) -> str:
    return tickets_url(cast, f"/new/{kind.pk if kind else 'other'}")


def send(cast: Cast, kind: TicketType | None, client: Client | None = None, **values: Any) -> Any:
    """The form of a type, sent with answers by place: ``q0``, ``q1``."""
    names = {f"q{n}": f"f{pk}" for n, pk in enumerate(ids(kind))} if kind else {}
    posted = {names.get(name, name): value for name, value in values.items()}
    return (client or signed_in(cast.renter)).post(form_url(cast, kind), posted)


def test_types_stand_under_their_groups_for_whom_they_are_offered(cast: Cast) -> None:
    group = TicketTypeGroup.objects.create(tenant=cast.tenant, name="Kaputt", position=1)
    a_type(cast.tenant, "Wasser", group=group, icon="drop")
    a_type(cast.tenant, "Ohne Gruppe", icon="<b>kein Icon</b>")
    a_type(cast.tenant, "Nur Eigentümer", roles=["owner"])
    a_type(cast.tenant, "Abgeschafft", is_active=False)
    a_type(cast.other_tenant, "Fremd")
    page = signed_in(cast.renter).get(tickets_url(cast, "/new"))
    found = {group.name: [kind.name for kind in group.types] for group in page.context["groups"]}
    assert found == {"Kaputt": ["Wasser"], "": ["Ohne Gruppe"]}
    assert "kein Icon" not in page.content.decode()


@pytest.mark.parametrize("which", ["role", "community", "tenant", "inactive", "unknown"])
def test_a_type_that_is_not_offered_does_not_exist(cast: Cast, which: str) -> None:
    tenant = cast.other_tenant if which == "tenant" else cast.tenant
    kind = a_type(tenant, "Fremd", roles=["owner"] if which == "role" else [], is_active=which != "inactive")
    if which == "community":
        TicketTypeCommunity.objects.create(tenant=tenant, ticket_type=kind, community=cast.house_b)
    url = tickets_url(cast, "/new/999999") if which == "unknown" else form_url(cast, kind)
    client = signed_in(cast.renter)
    assert client.get(url).status_code == client.post(url, {"text": "x"}).status_code == 404
    assert not Ticket.objects.exists()


def test_where_a_company_has_no_types_one_writes_freely(cast: Cast) -> None:
    answer = send(cast, None, title="Lärm", text="Seit gestern.", unit=cast.unit_a2.pk)
    ticket = Ticket.objects.get()
    assert answer.url == f"/app/tickets/{ticket.uuid}"
    assert (ticket.title, ticket.description, ticket.unit) == ("Lärm", "Seit gestern.", cast.unit_a2)
    a_type(cast.tenant)
    assert signed_in(cast.renter).get(form_url(cast)).url == tickets_url(cast, "/new")
    send(cast, None, text="Trotzdem")
    assert Ticket.objects.count() == 1


def test_a_type_that_asks_for_nothing_is_written_freely(cast: Cast) -> None:
    kind = a_type(cast.tenant, "Frage")
    assert send(cast, kind, text=" ").status_code == 422
    send(cast, kind, text="Warum?", **{"upload-files": SimpleUploadedFile("f.jpg", picture())})
    ticket = Ticket.objects.get()
    assert (ticket.ticket_type, ticket.title, ticket.description) == (kind, "Frage", "Warum?")
    assert TicketAttachment.objects.get().ticket == ticket


def test_answers_arrive_in_their_types(cast: Cast) -> None:
    kind = a_type(
        cast.tenant, "Wasser", {"field_type": "TEXTFIELD"}, {"field_type": "TEXTBOX"}, {"field_type": "NUMBER"},
        {"field_type": "CHECKBOX"}, {"field_type": "DROPDOWN", "options": ["Bad"]}, {"field_type": "DATE"}, {"field_type": "FILE"},
    )  # fmt: skip
    handle = upload(cast, "renter", door=DOOR)
    answer = send(cast, kind, q0="Hahn", q1="Es\r\ntropft", q2="12,5", q3="on", q4="Bad", q5="2026-11-17", q6=[handle])
    assert answer.status_code == 302
    ticket = Ticket.objects.get()
    assert [a["value"] for a in ticket.answers] == ["Hahn", "Es\r\ntropft", 12.5, True, "Bad", "2026-11-17"]
    assert TicketAttachment.objects.get().key == handle


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ({"field_type": "TEXTFIELD"}, "x" * 501),
        ({"field_type": "TEXTFIELD"}, "a\x00b"),
        ({"field_type": "TEXTBOX"}, "x" * 10_001),
        ({"field_type": "NUMBER"}, "viel"),
        ({"field_type": "NUMBER"}, "1e5"),
        ({"field_type": "NUMBER"}, "²"),
        ({"field_type": "NUMBER", "decimals": 0}, "1,5"),
        ({"field_type": "DROPDOWN", "options": ["Bad"]}, "Keller"),
        ({"field_type": "DATE"}, "17.11.2026"),
        ({"field_type": "DATE"}, "2026-13-01"),
        ({"field_type": "FILE"}, "unbekannt-und-x" * 9),
    ],
)
def test_a_wrong_answer_is_told_at_its_field_and_on_top_and_what_was_typed_is_kept(
    cast: Cast, field: dict[str, Any], wrong: str
) -> None:
    kind = a_type(cast.tenant, "Wasser", field | {"name": "Frage <b>"}, {"field_type": "TEXTFIELD", "name": "Gut"})
    answer = send(cast, kind, q0=wrong, q1="bleibt <stehen>")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="bleibt &lt;stehen&gt;"' in page and "Frage <b>" not in page
    if field["field_type"] != "FILE":  # a handle that is none is refused without saying which
        assert list(answer.context["form"].errors) == [f"f{ids(kind)[0]}"]
        assert f'href="#id_f{ids(kind)[0]}"' in page and f'id="id_f{ids(kind)[0]}_error"' in page
    assert not Ticket.objects.exists()


def test_what_must_be_answered_is_named_field_by_field(cast: Cast) -> None:
    kind = a_type(
        cast.tenant, "W", {"field_type": "TEXTFIELD", "required": True}, {"field_type": "CHECKBOX", "required": True},
        {"field_type": "FILE", "required": True}, {"field_type": "TEXTBOX"},
    )  # fmt: skip
    answer = send(cast, kind)
    assert set(answer.context["form"].errors) == {f"f{pk}" for pk in ids(kind)[:3]}
    assert answer.status_code == 422


@pytest.mark.parametrize("unit", ["unit_a1", "unit_b1", "foreign_unit", None, "²"])
def test_a_unit_of_others_is_refused(cast: Cast, unit: str | None) -> None:
    value = 999999 if unit is None else unit if unit == "²" else getattr(cast, unit).pk
    answer = send(cast, a_type(cast.tenant, "W", {"field_type": "TEXTFIELD"}), unit=value)
    assert answer.status_code == 422 and "unit" in answer.context["form"].errors
    assert not Ticket.objects.exists()


def test_who_has_several_units_chooses_among_those_of_the_house(cast: Cast) -> None:
    occupancies.move_in(contact=cast.contact("renter"), unit=cast.unit_a3, role="renter", first=cast.tenant.today())
    occupancies.move_in(contact=cast.contact("renter"), unit=cast.unit_b1, role="renter", first=cast.tenant.today())
    kind = a_type(cast.tenant, "W", {"field_type": "TEXTFIELD"})
    page = signed_in(cast.renter).get(form_url(cast, kind))
    choices = [value for value, _label in page.context["form"].fields["unit"].widget.choices]
    assert choices == [str(cast.unit_a2.pk), str(cast.unit_a3.pk), ""]
    send(cast, kind, unit=cast.unit_a3.pk)
    assert Ticket.objects.get().unit == cast.unit_a3


def test_the_same_form_sent_twice_files_one_ticket(cast: Cast) -> None:
    kind, client = a_type(cast.tenant, "W", {"field_type": "TEXTFIELD"}, {"field_type": "FILE"}), signed_in(cast.renter)
    token = client.get(form_url(cast, kind)).context["token"]
    handle = upload(cast, "renter", door=DOOR)
    first, second = (send(cast, kind, client, form=token, q0="Bad", q1=handle) for _ in range(2))
    assert first.url == second.url and Ticket.objects.count() == 1
    for _ in range(2):
        files = {f"f{ids(kind)[1]}-files": SimpleUploadedFile("f.jpg", picture())}
        send(cast, kind, client, form="e" * 32, q0="Ohne Skript", **files)
    assert Ticket.objects.count() == 2
    send(cast, kind, client, form=token, q0="Anderes")
    send(cast, kind, signed_in(cast.owner), form=token, q0="Bad")
    assert Ticket.objects.count() == 4


def test_a_form_that_was_refused_can_be_mended(cast: Cast) -> None:
    kind, client = a_type(cast.tenant, "W", {"field_type": "NUMBER"}, {"field_type": "FILE"}), signed_in(cast.renter)
    handle = upload(cast, "renter", door=DOOR)
    refused = send(cast, kind, client, form="f" * 32, q0="x", q1=handle)
    assert refused.context["token"] == "f" * 32 and f'value="{handle}"' in refused.content.decode()
    assert send(cast, kind, client, form="f" * 32, q0="1", q1=handle).status_code == 302


@pytest.mark.parametrize("whose", ["owner", "other door", "used"])
def test_a_handle_of_others_is_refused(cast: Cast, whose: str) -> None:
    kind = a_type(cast.tenant, "W", {"field_type": "FILE"})
    who, door = ("owner" if whose == "owner" else "renter"), ("web" if whose == "other door" else DOOR)
    handle = upload(cast, who, door=door)
    if whose == "used":
        send(cast, kind, q0=handle)
    before = Ticket.objects.count()
    assert send(cast, kind, q0=handle).status_code == 422
    assert Ticket.objects.count() == before


def test_eleven_photos_are_too_many(cast: Cast) -> None:
    kind = a_type(cast.tenant, "W", {"field_type": "FILE"})
    handles = [upload(cast, "renter", b"%d" % n, door=DOOR) for n in range(11)]
    assert send(cast, kind, q0=handles).status_code == 422
    assert send(cast, kind, q0=handles[1:]).status_code == 302
    assert TicketAttachment.objects.count() == 10


def announce(client: Client, community: Community | int, size: int = 5, name: str = "f.txt") -> Any:
    values = {"filename": name, "community": str(getattr(community, "pk", community))}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata}
    return client.post("/app/ticket-uploads/", headers=headers, content_type="text/plain")


def deliver(client: Client, url: str, content: bytes) -> Any:
    headers = TUS | {"Upload-Offset": "0"}
    return client.patch(url, content, headers=headers, content_type="application/offset+octet-stream")


def test_a_photo_arrives_through_the_door_of_tickets(cast: Cast) -> None:
    client, content = signed_in(cast.renter), picture()
    url = announce(client, cast.house_a, len(content))["Location"]
    assert deliver(client, url, content).status_code == 204
    assert send(cast, None, client, text="Da", upload=url.rsplit("/", 1)[1]).status_code == 302
    assert TicketAttachment.objects.get().blob.mime == "image/jpeg"


@pytest.mark.parametrize("content", [b"<html><script>1</script></html>", b"<svg xmlns='x'></svg>", b"MZ\x90\x00" * 20])
def test_other_kinds_are_refused_and_leave_nothing(cast: Cast, content: bytes) -> None:
    client = signed_in(cast.renter)
    url = announce(client, cast.house_a, len(content), "foto.jpg")["Location"]
    assert deliver(client, url, content).status_code == 415
    assert not Upload.objects.exists()


def test_more_than_the_door_takes_is_refused_before_it_is_sent(cast: Cast) -> None:
    client = signed_in(cast.renter)
    assert announce(client, cast.house_a, 25 * 1024 * 1024).status_code == 201
    assert announce(client, cast.house_a, 25 * 1024 * 1024 + 1).status_code == 413


def test_bytes_come_only_into_a_community_that_one_reaches(cast: Cast) -> None:
    client = signed_in(cast.renter)
    for place in (cast.house_b, cast.foreign_house, 999999):
        assert announce(client, place).status_code == 404
    Community.objects.filter(pk=cast.house_a.pk).update(has_tickets=False)
    assert announce(client, cast.house_a).status_code == 403
    assert not Upload.objects.exists()
