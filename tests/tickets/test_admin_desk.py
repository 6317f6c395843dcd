"""The help desk's pages: the work list, a ticket, changes of many, reports and exports."""

from __future__ import annotations

import csv
import datetime
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook
from PIL import Image

from core import scope
from core.models import AuditEntry
from core.services.previews import make_preview
from orgs.models import CommunityAssignment
from tests.portal.pages import queries_of, signed_in
from tests.tickets.material import upload
from tickets.models import (
    CannedReply,
    Ticket,
    TicketActivity,
    TicketFilter,
    TicketType,
    TicketTypeField,
)
from tickets.services import answers, attention, desk, merging, presence, rating, sharing
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def page_of(ticket: Ticket, name: str = "change") -> str:
    return f"{LIST}{ticket.pk}/{name}/"


def shown(client: Any, query: str = "") -> list[str]:
    page = client.get(f"{LIST}?{query}")
    assert page.status_code == 200
    return [line.ticket.identifier for line in page.context["lines"]]


# --- The list -----------------------------------------------------------------------------------------------


def test_staff_see_the_tickets_of_their_houses_only(cast: Cast, file: File) -> None:
    here, there = file(), file("neighbour", community=cast.house_b)
    file("foreigner", community=cast.foreign_house)
    assert shown(signed_in(cast.staff)) == [here.identifier]
    assert shown(signed_in(cast.admin)) == [there.identifier, here.identifier]
    client = signed_in(cast.staff)
    for name in ("change", "share", "merge", "parent", "history", "delete"):
        assert client.get(page_of(there, name)).status_code == 404, name
    for name in ("reply", "draft", "presence", "watch", "withdraw", "take"):
        assert client.post(page_of(there, name), {"text": "x"}).status_code == 404, name


def test_filters_of_the_address(cast: Cast, file: File) -> None:
    mine, other, done = file(text="Heizung kalt"), file(text="Licht aus"), file()
    actor = cast.actor("staff")
    desk.save(actor=actor, ticket=mine, wanted={"assignee": cast.membership("staff"), "priority": 4})
    desk.save(actor=actor, ticket=done, wanted={"status": "solved"})
    client = signed_in(cast.staff)
    assert shown(client) == [other.identifier, mine.identifier]
    assert shown(client, "view=mine") == [mine.identifier]
    assert shown(client, "view=unassigned") == [other.identifier]
    assert shown(client, "priority=4") == [mine.identifier]
    assert shown(client, "q=heizung") == [mine.identifier]
    assert shown(client, "state=solved") == [done.identifier]
    assert len(shown(client, "state=all")) == 3
    assert shown(client, f"community={cast.house_b.pk}") == []


@pytest.mark.parametrize(
    "query",
    ["view=x", "priority=²", "since=99999-01-01", "age=99", "p=x", "community=999999999", "order=;drop", "type=1e9"],
)
def test_nonsense_in_the_address_is_no_error(cast: Cast, file: File, query: str) -> None:
    file()
    assert signed_in(cast.staff).get(f"{LIST}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("since=9999-12-31", "Gemeldet ab"), ("community=abc", "Objekt"), ("assignee=zzz", "Zuständige Person"),
        ("state=broken", "Status"),
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_told_and_exports_nothing(
    cast: Cast, file: File, query: str, name: str
) -> None:
    file()
    client = signed_in(cast.staff)
    page = client.get(f"{LIST}?q=wasserhahn&{query}")
    assert f"Weggelassen, weil nicht zu lesen: {name}" in page.content.decode()
    assert "Weggelassen" not in client.get(f"{LIST}?q=wasserhahn&since=&state=all").content.decode()
    export = client.get(f"{LIST}export/?q=wasserhahn&{query}")
    assert (export.status_code, export["Location"]) == (302, f"{LIST}?q=wasserhahn&{query}")
    assert not AuditEntry.objects.filter(verb="exported").exists()


def test_the_history_speaks_of_people_and_answers_in_words(cast: Cast) -> None:
    kind = TicketType.objects.create(tenant=cast.tenant, name="Heizung")
    field = TicketTypeField.objects.create(
        tenant=cast.tenant, ticket_type=kind, field_type="TEXTFIELD", name="Raum", position=1
    )
    second = TicketTypeField.objects.create(
        tenant=cast.tenant, ticket_type=kind, field_type="NUMBER", name="Grad", position=2
    )
    with scope.unit_of_work(door="test"):
        ticket = answers.file_answers(
            actor=cast.actor("renter"), community=cast.house_a, ticket_type=kind, unit=cast.unit_a2, source="web",
            door="web", given={str(field.pk): "Bad", str(second.pk): 17},
        ).ticket  # fmt: skip
        key, name = sharing.choices(cast.house_a)[0]
        sharing.share(actor=cast.actor("staff"), ticket=ticket, keys=[key])
    text = signed_in(cast.staff).get(page_of(ticket, "history")).content.decode()
    assert "Raum: Bad; Grad: 17" in text
    assert str(name) in text
    assert key not in text


def test_the_list_costs_the_same_for_one_row_and_three(cast: Cast, file: File) -> None:
    file(unit=cast.unit_a2)
    client = signed_in(cast.staff)
    filtered = f"{LIST}?q=wasserhahn&state=all&priority=2&community={cast.house_a.pk}&order=target"
    one, one_filtered = queries_of(client, LIST), queries_of(client, filtered)
    for who in ("owner", "renter"):
        desk.save(actor=cast.actor("staff"), ticket=file(who), wanted={"assignee": cast.membership("staff")})
    assert len(shown(client, filtered.partition("?")[2])) == 3
    assert (queries_of(client, LIST), queries_of(client, filtered)) == (one, one_filtered)
    frame = queries_of(client, f"{LIST}add/") - 1  # who looks, what they may, navigation; without the name of the house
    assert one - frame <= 8
    assert one_filtered - frame <= 8


def test_tickets_of_one_type_are_told_apart_by_what_was_said(cast: Cast, file: File) -> None:
    file("renter", "Im Keller\nsteht Wasser. " + "Viel. " * 100)
    last = file("renter", "Das Licht flackert.")
    with timezone.override("Europe/Berlin"):
        today = f"heute, {timezone.localtime(last.created_at):%H:%M} Uhr"
    client = signed_in(cast.staff)
    text = client.get(LIST).content.decode()
    assert "Im Keller steht Wasser. Viel." in text
    assert text.count("Viel. ") < 30
    assert today in text
    beside = client.get(page_of(last)).content.decode()
    assert "Im Keller steht Wasser. Viel." in beside


def test_the_number_stands_once_where_community_and_company_count_alike(cast: Cast, file: File) -> None:
    first = file("renter")
    file("neighbour", community=cast.house_b)
    other = file("renter")
    page = signed_in(cast.admin).get(LIST)
    numbers = {line.ticket.pk: line.number for line in page.context["lines"]}
    assert numbers[first.pk] == "A-1"
    assert numbers[other.pk] == "A-2 · 3"


def test_a_filter_is_saved_and_removed_by_its_owner(cast: Cast) -> None:
    client = signed_in(cast.staff)
    client.post(f"{LIST}filters/", {"query": "view=mine&x=1", "name": "Meine"})
    saved = TicketFilter.objects.get()
    assert (saved.query, saved.user) == ("view=mine", cast.staff)
    assert signed_in(cast.admin).post(f"{LIST}filters/", {"remove": saved.pk}).status_code == 404
    client.post(f"{LIST}filters/", {"remove": saved.pk})
    assert not TicketFilter.objects.exists()


# --- The ticket ---------------------------------------------------------------------------------------------


def test_a_reply_with_a_status_and_a_note(cast: Cast, file: File) -> None:
    ticket, client = file(), signed_in(cast.staff)
    version = Ticket.objects.get(pk=ticket.pk).row_version
    sent = {"text": "Es kommt jemand.", "mode": "reply", "status": "waiting", "expected": version, "do": "send"}
    assert client.post(page_of(ticket, "reply"), sent).status_code == 302
    client.post(page_of(ticket, "reply"), {"text": "Kennen wir.", "mode": "note", "do": "send"})
    said = TicketActivity.objects.filter(ticket=ticket, kind__in=("comment", "note")).order_by("id")
    assert [(a.kind, a.text) for a in said] == [("comment", "Es kommt jemand."), ("note", "Kennen wir.")]
    assert Ticket.objects.get(pk=ticket.pk).status == "waiting"


def test_answers_stand_once_and_as_people_write_them(cast: Cast) -> None:
    kind = TicketType.objects.create(tenant=cast.tenant, name="Heizung")
    names = [("TEXTBOX", "Was ist passiert?"), ("DATE", "Seit wann?")]
    fields = [
        TicketTypeField.objects.create(tenant=cast.tenant, ticket_type=kind, field_type=word, name=name, position=place)
        for place, (word, name) in enumerate(names)
    ]
    with scope.unit_of_work(door="test"):
        ticket = answers.file_answers(
            actor=cast.actor("renter"), community=cast.house_a, ticket_type=kind, unit=cast.unit_a2, source="web",
            door="web", given={str(fields[0].pk): "Bleibt kalt.\nImmer.", str(fields[1].pk): "2026-11-22"},
        ).ticket  # fmt: skip
    text = signed_in(cast.staff).get(page_of(ticket)).content.decode()
    for once in ("Was ist passiert?", "22. November 2026", "Bleibt kalt.<br>Immer."):
        assert text.count(once) == 1, once
    assert "2026-11-22" not in text


@pytest.mark.parametrize("text", ["", "x" * 20_001])
def test_what_cannot_be_sent_stays_in_the_box(cast: Cast, file: File, text: str) -> None:
    ticket = file()
    page = signed_in(cast.staff).post(page_of(ticket, "reply"), {"text": text, "mode": "reply", "do": "send"})
    assert page.status_code == 200
    assert page.context["box"].errors
    assert page.context["box"].text == text
    assert not TicketActivity.objects.filter(ticket=ticket, kind="comment").exists()


def test_markup_of_a_ready_made_reply_is_shown_as_text(cast: Cast, file: File) -> None:
    ticket = file()
    reply = CannedReply.objects.create(tenant=cast.tenant, name="<b>", text="<script>x</script> {{ticket_number}}")
    client = signed_in(cast.staff)
    page = client.post(page_of(ticket, "reply"), {"do": "insert", "canned": reply.pk, "text": "Hallo"})
    assert page.context["box"].text == f"Hallo\n<script>x</script> {ticket.identifier}"
    assert b"<script>x" not in page.content


def test_a_draft_comes_back(cast: Cast, file: File) -> None:
    ticket, client = file(), signed_in(cast.staff)
    assert client.post(page_of(ticket, "draft"), {"text": "Guten", "mode": "note"}).status_code == 204
    box = client.get(page_of(ticket)).context["box"]
    assert (box.text, box.is_note) == ("Guten", True)
    assert signed_in(cast.admin).get(page_of(ticket)).context["box"].text == ""


def test_a_colleagues_change_is_told_and_the_own_choice_stays(cast: Cast, file: File) -> None:
    ticket, client = file(), signed_in(cast.staff)
    version = client.get(page_of(ticket)).context["ticket"].row_version
    desk.save(actor=cast.actor("admin"), ticket=ticket, wanted={"status": "waiting"})
    page = client.post(page_of(ticket), {"status": "solved", "priority": "3", "assignee": "0", "expected": version})
    assert page.status_code == 409
    assert page.context["controls"]["status"] == "solved"
    assert Ticket.objects.get(pk=ticket.pk).status == "waiting"


def test_photos_are_shown_small_and_other_files_by_name(cast: Cast, file: File) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(picture, "PNG")
    handles = [upload(cast, "renter", picture.getvalue(), name="decke.png"), upload(cast, "renter", name="brief.txt")]
    ticket = file("renter", files=Files(handles, "web"))
    client = signed_in(cast.staff)
    small = f'<img src="{page_of(ticket, "files")}{ticket.attachments.get(name="decke.png").key}/?preview"'
    assert small not in client.get(page_of(ticket)).content.decode()  # not drawn yet
    make_preview(ticket.attachments.get(name="decke.png").blob_id)
    text = client.get(page_of(ticket)).content.decode()
    assert small in text
    assert text.count("<img") == text.count(small) == 1
    assert ">brief.txt</a>" in text
    answer = client.get(f"{page_of(ticket, 'files')}{ticket.attachments.get(name='decke.png').key}/?preview")
    assert answer["Content-Type"] == "image/webp"
    assert b"".join(answer.streaming_content).startswith(b"RIFF")
    assert signed_in(cast.renter).get(f"{small.split(chr(34))[1]}").status_code == 403
    letter = ticket.attachments.get(name="brief.txt").key
    assert client.get(f"{page_of(ticket, 'files')}{letter}/?preview").status_code == 404


def test_what_residents_thought_of_it_is_read_at_the_ticket_and_in_the_reports(cast: Cast, file: File) -> None:
    for stars in (4, 5):
        ticket = file("renter")
        desk.save(actor=cast.actor("staff"), ticket=ticket, wanted={"status": "solved"})
        rating.rate(actor=cast.actor("renter"), ticket=ticket, rating=stars, comment=f"Schnell geholfen, {stars}.")
    client = signed_in(cast.staff)
    text = client.get(page_of(ticket)).content.decode()
    assert "5 von 5" in text
    assert "Schnell geholfen, 5." in text
    assert "Schnell geholfen" not in client.get(page_of(file("renter"))).content.decode()
    reports = client.get(f"{LIST}reports/")
    (line,) = next(group for key, _name, group in reports.context["groups"] if key == "community").lines
    assert (line.rating, line.rated) == (4.5, 2)
    assert "4,5" in reports.content.decode()


def test_a_merged_ticket_leads_to_the_other(cast: Cast, file: File) -> None:
    one, other = file(), file("owner")
    client = signed_in(cast.staff)
    assert client.post(page_of(one, "merge"), {"number": other.identifier}).status_code == 302
    assert client.get(page_of(one))["Location"].startswith(page_of(other))
    assert merging.target_of(Ticket.objects.get(pk=one.pk)) == other


def test_a_ticket_of_another_house_is_no_target(cast: Cast, file: File) -> None:
    one, there = file(), file("neighbour", community=cast.house_b)
    for name in ("merge", "parent"):
        page = signed_in(cast.staff).post(page_of(one, name), {"number": there.identifier})
        assert page.status_code == 200
        assert page.context["form"].errors


def test_two_people_on_one_ticket_see_each_other(cast: Cast, file: File) -> None:
    ticket = file()
    anna, bert = signed_in(cast.staff), signed_in(cast.admin)
    assert anna.post(page_of(ticket, "presence"), {"writing": "1"}).json()["text"] == ""
    assert "Staff Muster" in bert.post(page_of(ticket, "presence"), {"writing": "0"}).json()["text"]
    anna.post(page_of(ticket, "presence"), {"left": "1"})
    assert presence.note(cast.actor("admin"), ticket) == []


# --- Many at once, reports, exports -------------------------------------------------------------------------


def test_many_are_changed_after_a_preview(cast: Cast, file: File) -> None:
    here, there = file(), file("neighbour", community=cast.house_b)
    client = signed_in(cast.staff)
    sent = {"ids": [here.pk, there.pk], "priority": "4", "query": ""}
    plan = client.post(f"{LIST}bulk/", sent).context["plan"]
    assert (plan.changing, plan.refused) == (1, 1)
    assert plan.names == [str(here)]
    assert Ticket.objects.get(pk=here.pk).priority == 2
    assert client.post(f"{LIST}bulk/", sent | {"do": "apply"}).status_code == 302
    assert [Ticket.objects.get(pk=t.pk).priority for t in (here, there)] == [4, 2]


def test_each_number_of_the_reports_is_as_long_as_its_list(cast: Cast, file: File) -> None:
    for who in ("renter", "owner"):
        file(who)
    desk.save(
        actor=cast.actor("staff"), ticket=file(), wanted={"status": "solved", "assignee": cast.membership("staff")}
    )
    file("neighbour", community=cast.house_b)
    client = signed_in(cast.staff)
    context = client.get(f"{LIST}reports/").context
    bars = list(context["ages"])
    for _key, _name, group in context["groups"]:
        for line in group.lines:
            bars += [line.total, *line.response.values(), *line.resolution.values()]
    assert sum(bar.count for bar in context["ages"]) == 2
    for bar in bars:
        assert len(shown(client, bar.query)) == bar.count, bar


def test_the_export_is_the_list_and_no_cell_is_a_formula(cast: Cast, file: File) -> None:
    ticket = file(title="=1+1")
    file("neighbour", community=cast.house_b, title="Geheim")
    client = signed_in(cast.staff)
    sent = b"".join(client.get(f"{LIST}export/?state=all").streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(sent), delimiter=";"))
    assert [line[3] for line in lines[1:]] == ["'=1+1"]
    book = client.get(f"{LIST}export/?state=all&form=xlsx")
    sheet = load_workbook(io.BytesIO(book.getvalue())).active
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [ticket.identifier]
    assert AuditEntry.objects.filter(verb="exported", user_id=cast.staff.pk).count() == 2


@pytest.mark.parametrize("page", ["reply", "add"])
def test_a_kind_of_file_that_tickets_do_not_take_is_refused_and_nothing_is_written(
    cast: Cast, file: File, page: str
) -> None:
    ticket, program = file(), SimpleUploadedFile("plan.exe", b"MZ" + bytes(200), "application/x-msdownload")
    before = (TicketActivity.objects.count(), Ticket.objects.count())
    client = signed_in(cast.admin)
    if page == "reply":
        answer = client.post(page_of(ticket, "reply"), {"text": "Anbei", "mode": "reply", "files": program})
    else:
        answer = client.post(f"{LIST}add/", {"community": cast.house_a.pk, "text": "Anbei", "file": program})
    assert answer.status_code == 200
    assert (TicketActivity.objects.count(), Ticket.objects.count()) == before
    assert "Anbei" in answer.content.decode()


# --- What needs attention -----------------------------------------------------------------------------------


def badges(client: Any) -> dict[str, Any]:
    """The lines of the navigation that lead into a view of the work list: by address, what they count."""
    groups = client.get("/admin/orgs/community/").context["sidebar_navigation"]
    return {item["link"]: item["badge"] for group in groups for item in group["items"] if "badge" in item}


def test_the_start_page_and_the_navigation_count_what_waits_and_lead_to_it(cast: Cast, file: File) -> None:
    late, free, mine = file(), file(), file()
    file("neighbour", community=cast.house_b)
    Ticket.objects.filter(pk=late.pk).update(response_due_at=timezone.now() - datetime.timedelta(hours=1))
    done = file()
    desk.save(actor=cast.actor("staff"), ticket=done, wanted={"status": "solved"})
    desk.save(actor=cast.actor("staff"), ticket=mine, wanted={"assignee": cast.membership("staff")})
    client = signed_in(cast.staff)
    assert badges(client) == {f"{LIST}?view=unassigned": "2", f"{LIST}?view=overdue": "1"}
    page = client.get("/admin/")
    cards = {card.url: card.value for card in page.context["cards"]["attention"] if card.url.startswith(LIST)}
    assert cards == badges(client)
    assert shown(client, "view=unassigned") == [free.identifier, late.identifier]
    assert shown(client, "view=overdue") == [late.identifier]
    assert badges(signed_in(cast.admin))[f"{LIST}?view=unassigned"] == "3"


def test_the_bars_of_the_start_page_are_as_long_as_their_lists(cast: Cast, file: File) -> None:
    for days in (0, 2, 2, 5, 40):
        at = timezone.now() - datetime.timedelta(days=days)
        Ticket.objects.filter(pk=file().pk).update(created_at=at)
    file("neighbour", community=cast.house_b)
    client = signed_in(cast.staff)
    bars = client.get("/admin/").context["chart"]["bars"]
    assert [bar.count for bar in bars] == [1, 2, 1, 0, 1]
    assert [len(shown(client, bar.query)) for bar in bars] == [1, 2, 1, 0, 1]


def test_who_has_no_help_desk_is_shown_no_counts(cast: Cast, file: File) -> None:
    file()
    CommunityAssignment.objects.filter(membership=cast.membership("staff")).delete()
    page = signed_in(cast.staff).get("/admin/")
    assert (page.context["chart"], badges(signed_in(cast.staff))) == (None, {})


def test_of_very_many_the_newest_are_counted_and_the_number_says_so(
    cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(3):
        file()
    monkeypatch.setattr(attention, "MOST", 2)
    client = signed_in(cast.staff)
    assert badges(client)[f"{LIST}?view=unassigned"] == "3+"
    page = client.get("/admin/")
    assert page.context["chart"]["is_partial"]
    assert "q-bar" not in page.content.decode()
    with CaptureQueriesContext(connection) as captured:
        attention.attention(cast.actor("staff", tenant=cast.tenant))
    [sql] = [query["sql"] for query in captured if "COUNT" in (query["sql"] or "")]
    assert "LIMIT 3" in sql


def test_the_counts_cost_one_query(cast: Cast, file: File, django_assert_num_queries: Any) -> None:
    actor = cast.actor("staff", tenant=cast.tenant)
    for who in ("renter", "owner", "renter"):
        file(who)
        with django_assert_num_queries(1):
            attention.attention(actor)


def test_of_the_list_and_its_views_the_navigation_marks_the_one_that_is_open(cast: Cast, file: File) -> None:
    file()
    client = signed_in(cast.staff)

    def marked(url: str) -> list[str]:
        groups = client.get(url).context["sidebar_navigation"]
        return [item["link"] for group in groups for item in group["items"] if item.get("active")]

    overdue = next(link for link in badges(client) if "overdue" in link)
    assert marked(overdue) == [overdue]
    assert marked(LIST) == [LIST]
