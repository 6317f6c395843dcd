"""Tickets in the browser: whose list shows what, what a page shows to whom, what both cost."""

from __future__ import annotations

import datetime
import io
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from PIL import Image

from core import scope
from core.models import Blob
from core.services.previews import make_preview
from orgs.models import Community, Responsibility
from orgs.services import contacts
from tests.cast import Cast
from tests.portal.pages import queries_of, signed_in, status_of
from tests.tickets.material import upload
from tickets.models import DONE, Ticket, TicketActivity, TicketAttachment
from tickets.services import changes, comments, desk, filing, merging, overdue
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

pytestmark = pytest.mark.django_db
DOOR = "web_tickets"


def tickets_url(cast: Cast, query: str = "") -> str:
    """The tickets of house A."""
    return f"/app/c/{cast.house_a.pk}/tickets{query}"


def file(cast: Cast, who: str = "renter", text: str = "Der Wasserhahn tropft.", **values: Any) -> Ticket:
    values = {"community": cast.house_a, "source": "web"} | values
    return filing.file_ticket(actor=cast.actor(who), text=text, **values).ticket


@contextmanager
def ago(days: float) -> Iterator[None]:
    """What services do now, they did so many days ago; the rows of the stream cannot be dated back afterwards."""
    moment = timezone.now() - datetime.timedelta(days=days)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment)
        yield


def close(cast: Cast, ticket: Ticket, status: str = "closed") -> Ticket:
    changes.set_status(actor=cast.actor("admin"), ticket=ticket, status=status, source="back_office")
    return Ticket.objects.get(pk=ticket.pk)


def closed_ago(cast: Cast, days: float, status: str = "closed", **values: Any) -> Ticket:
    """Filed and closed so many days ago, and nothing since."""
    with ago(days):
        return close(cast, file(cast, **values), status)


def share(cast: Cast, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(shared_with=[f"c:{cast.house_a.pk}"])


def page_of(ticket: Ticket, rest: str = "") -> str:
    return f"/app/tickets/{ticket.uuid}{rest}"


def shown(client: Client, url: str) -> list[int]:
    """Which tickets a list shows, in its order."""
    response = client.get(url)
    assert response.status_code == 200
    return [line.ticket.pk for line in response.context["lines"]]


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG")
    return out.getvalue()


def with_photo(cast: Cast, ticket: Ticket, who: str = "renter", **values: Any) -> TicketAttachment:
    handle = upload(cast, who, picture(), door=DOOR, name="fleck.jpg")
    said = comments.add_comment(
        actor=cast.actor(who), ticket=ticket, source="web", text="Foto", files=Files([handle], DOOR), **values
    )
    return TicketAttachment.objects.get(activity=said.activity)


def test_the_list_has_ones_own_and_shared_ones_with_open_ones_first(cast: Cast) -> None:
    done = close(cast, file(cast))
    mine = file(cast)
    shared = file(cast, "owner", "Licht im Keller")
    share(cast, shared)
    file(cast, "owner", "Nur der Eigentümer")
    file(cast, "neighbour", "Haus B", community=cast.house_b)
    gone = file(cast)
    changes.delete(actor=cast.actor("staff"), ticket=gone)
    for_me = file(cast, "staff", "Für den Mieter gemeldet", requester=cast.contact("renter"))
    client = signed_in(cast.renter)
    assert shown(client, tickets_url(cast)) == [for_me.pk, shared.pk, mine.pk, done.pk]
    assert shown(client, tickets_url(cast, "?only=open")) == [for_me.pk, shared.pk, mine.pk]
    assert shown(client, tickets_url(cast, "?only=done")) == [done.pk]
    assert shown(client, tickets_url(cast, "?only=shared")) == [shared.pk]
    assert client.get(tickets_url(cast)).context["board"].counts == {"open": 3, "done": 1, "shared": 1, "older": 0}


def test_nobody_sees_tickets_of_others_in_the_household(cast: Cast) -> None:
    ticket = file(cast, unit=cast.unit_a2)
    for who in ("additional", "owner", "former", "neighbour", "foreigner", "stranger"):
        client = signed_in(getattr(cast, who))
        assert client.get(page_of(ticket)).status_code == 404, who
    assert shown(signed_in(cast.additional), tickets_url(cast)) == []
    assert signed_in(cast.neighbour).get(tickets_url(cast)).status_code == 404


@pytest.mark.rule("TICKETS-061")
@pytest.mark.parametrize("status", ["solved", "closed"])
def test_what_is_done_and_rested_for_30_days_leaves_the_list_and_stays_readable(cast: Cast, status: str) -> None:
    old, fresh = closed_ago(cast, 31, status, text="Alt"), closed_ago(cast, 29, status, text="Frisch")
    with ago(90):
        open_one = file(cast, text="Offen seit langem")
    client = signed_in(cast.renter)
    for query in ("", "?only=done", "?q=Alt", "?only=open", "?only=shared"):
        assert old.pk not in shown(client, tickets_url(cast, query)), query
    assert shown(client, tickets_url(cast)) == [open_one.pk, fresh.pk]
    assert shown(client, tickets_url(cast, "?only=older")) == [old.pk]
    assert shown(client, tickets_url(cast, "?only=older&q=alt")) == [old.pk]
    assert "Alt" in text_of(client, page_of(old))
    assert client.get(f"/app/tickets/{old.pk}").url == page_of(old)


def test_a_comment_of_the_staff_brings_an_old_one_back_to_the_list(cast: Cast) -> None:
    old = closed_ago(cast, 31)
    comments.add_comment(actor=cast.actor("staff"), ticket=old, source="back_office", text="Noch etwas.")
    assert shown(signed_in(cast.renter), tickets_url(cast)) == [old.pk]


@pytest.mark.rule("TICKETS-061")
def test_what_a_job_closes_and_a_note_says_bring_nothing_back_to_the_list(cast: Cast) -> None:
    old, noted, client = closed_ago(cast, 31, "solved"), closed_ago(cast, 32), signed_in(cast.renter)
    comments.add_note(actor=cast.actor("staff"), ticket=noted, text="Nur intern.")
    assert overdue.close_solved() == {"closed": 1, "failed": 0}
    old.refresh_from_db()
    assert old.status == "closed"
    assert old.updated_at > timezone.now() - datetime.timedelta(days=1)
    assert shown(client, tickets_url(cast)) == []
    assert set(shown(client, tickets_url(cast, "?only=older"))) == {old.pk, noted.pk}


@pytest.mark.parametrize("query", ["?page=99", "?page=x", "?only=nichts", "?q=%00", "?q=" + "x" * 5000, "?only=%00"])
def test_nonsense_in_the_address_is_ignored(cast: Cast, query: str) -> None:
    file(cast)
    assert signed_in(cast.renter).get(tickets_url(cast, query)).status_code == 200


def test_the_search_finds_what_was_said_and_answered(cast: Cast) -> None:
    ticket, other = file(cast, text="Wasserfleck im Bad"), file(cast, text="Klingel")
    comments.add_comment(actor=cast.actor("staff"), ticket=other, source="back_office", text="Der Elektriker kommt.")
    comments.add_note(actor=cast.actor("staff"), ticket=other, text="Geheimnis")
    client = signed_in(cast.renter)
    assert shown(client, tickets_url(cast, "?q=wasserfl")) == [ticket.pk]
    assert shown(client, tickets_url(cast, "?q=elektriker")) == [other.pk]
    assert shown(client, tickets_url(cast, "?q=Geheimnis")) == []


def test_the_list_has_pages(cast: Cast) -> None:
    for _ in range(21):
        file(cast)
    client = signed_in(cast.renter)
    first, second = shown(client, tickets_url(cast)), shown(client, tickets_url(cast, "?page=2"))
    assert (len(first), len(second)) == (20, 1) and not set(first) & set(second)


def test_an_empty_list_says_what_to_do(cast: Cast) -> None:
    file(cast, "owner")
    assert f'href="{tickets_url(cast)}/new"' in text_of(signed_in(cast.renter), tickets_url(cast))


def test_the_navigation_counts_ones_own_that_wait_for_one(cast: Cast) -> None:
    file(cast)
    close(cast, file(cast))
    others = file(cast, "owner")
    share(cast, others)
    for ticket in (file(cast), others):
        Ticket.objects.filter(pk=ticket.pk).update(status="waiting")
    for url in (tickets_url(cast), f"/app/c/{cast.house_a.pk}/info/documents"):
        nav = signed_in(cast.renter).get(url).wsgi_request.shell.nav  # type: ignore[attr-defined]
        assert next(item.count for item in nav if item.key == "tickets") == 1


def test_the_time_of_day_is_written_as_people_read_it(cast: Cast) -> None:
    ticket = file(cast)
    page = signed_in(cast.renter).get(f"/app/tickets/{ticket.uuid}").content.decode()
    assert f">{timezone.localtime(ticket.created_at, cast.tenant.zone):%H:%M} Uhr</time>" in page


def test_without_a_number_for_emergencies_no_place_is_kept_for_it(cast: Cast) -> None:
    client = signed_in(cast.renter)
    assert 'class="dado"' not in client.get(tickets_url(cast)).content.decode()
    with scope.unit_of_work(door="test"):
        service = contacts.create_contact(tenant=cast.tenant, last_name="Notdienst", telephone="0221 112233")
        Responsibility.objects.create(
            tenant=cast.tenant, contact=service, community=cast.house_a, type="EMERGENCY", show_on_dashboard=True,
            publish_telephone=True, period=(datetime.date(2020, 1, 1), None),
        )  # fmt: skip
    for url in (tickets_url(cast), tickets_url(cast, "/new")):
        page = client.get(url).content.decode()
        assert page.index('class="dado"') < page.index("0221 112233")
        assert page.count("0221 112233") == 2, url  # in the navigation, and in the page


def test_the_start_page_has_ones_own_open_ones(cast: Cast) -> None:
    mine = file(cast)
    close(cast, file(cast))
    share(cast, file(cast, "owner"))
    client = signed_in(cast.renter)
    response = client.get(f"/app/c/{cast.house_a.pk}/")
    assert [line.ticket.pk for line in response.context["my_tickets"]] == [mine.pk]


def test_where_tickets_are_off_there_are_none(cast: Cast) -> None:
    ticket = file(cast)
    attachment = with_photo(cast, ticket)
    Community.objects.filter(pk=cast.house_a.pk).update(has_tickets=False)
    client = signed_in(cast.renter)
    for url in (
        tickets_url(cast), tickets_url(cast, "/new"), tickets_url(cast, "/new/other"), page_of(ticket),
        f"/app/tickets/files/{attachment.key}",
    ):  # fmt: skip
        assert client.get(url).status_code == 403, url
    start = client.get(f"/app/c/{cast.house_a.pk}/")
    assert tickets_url(cast) not in start.content.decode()


def test_lists_and_pages_cost_the_same_for_one_and_for_three(cast: Cast) -> None:
    client = signed_in(cast.renter)
    start = f"/app/c/{cast.house_a.pk}/"
    ticket = file(cast, unit=cast.unit_a2)
    staff = cast.actor("staff")
    changes.assign(actor=staff, ticket=ticket, assignee=cast.membership("staff"), source="back_office")
    with_photo(cast, ticket)
    urls = [tickets_url(cast), start, page_of(ticket), tickets_url(cast, "?q=tropft")]
    before = [queries_of(client, url) for url in urls]
    for _ in range(2):
        share(cast, file(cast, "owner"))
        file(cast, unit=cast.unit_a2)
        with_photo(cast, ticket)
        comments.add_comment(actor=staff, ticket=ticket, source="back_office", text="Und?")
        changes.assign(actor=staff, ticket=ticket, assignee=None, source="back_office")
        changes.assign(actor=staff, ticket=ticket, assignee=cast.membership("admin"), source="back_office")
    assert [queries_of(client, url) for url in urls] == before


def test_types_cost_the_same_for_one_and_for_three(cast: Cast) -> None:
    from tests.tickets.test_services_answers import a_type

    client = signed_in(cast.renter)
    a_type(cast.tenant)
    before = queries_of(client, tickets_url(cast, "/new"))
    for name in ("Heizung", "Licht"):
        a_type(cast.tenant, name)
    assert queries_of(client, tickets_url(cast, "/new")) == before


def test_the_page_tells_the_way_and_what_was_said_but_no_note(cast: Cast) -> None:
    ticket, staff = file(cast), cast.actor("staff")
    comments.add_note(actor=staff, ticket=ticket, text="Streng intern")
    changes.assign(actor=staff, ticket=ticket, assignee=cast.membership("staff"), source="back_office")
    changes.set_status(actor=staff, ticket=ticket, status="in_progress", source="back_office")
    comments.add_comment(actor=staff, ticket=ticket, source="back_office", text="Wir kommen morgen.")
    for who in ("renter", "staff"):
        text = text_of(signed_in(getattr(cast, who)), page_of(ticket))
        assert "Wir kommen morgen." in text and "Der Wasserhahn tropft." in text
        assert "Streng intern" not in text
    steps = signed_in(cast.renter).get(page_of(ticket)).context["steps"]
    assert [step.state for step in steps] == ["done", "done", "now", "todo"]
    assert steps[1].detail == "Staff Muster"


def test_a_change_between_words_that_are_one_to_residents_is_no_event(cast: Cast) -> None:
    ticket, staff = file(cast), cast.actor("staff")
    for status in ("solved", "closed"):
        changes.set_status(actor=staff, ticket=ticket, status=status, source="back_office")
    entries = signed_in(cast.renter).get(page_of(ticket)).context["stream"].entries
    assert [entry.row.data.get("status") for entry in entries if entry.icon] == ["solved"]


def test_a_company_names_the_states_as_it_likes(cast: Cast) -> None:
    type(cast.tenant.settings).objects.filter(organization=cast.tenant).update(
        ticket_status_texts={"OPEN": "Liegt vor", "IN_PROGRESS": "Wird erledigt", "CLOSED": 5}
    )
    text = text_of(signed_in(cast.renter), page_of(file(cast)))
    assert "Liegt vor" in text and "Wird erledigt" in text and "Erledigt" in text


def test_a_reader_by_sharing_sees_what_staff_said_and_no_form(cast: Cast) -> None:
    ticket = file(cast, "owner", "Licht im Keller")
    own = with_photo(cast, ticket, "owner")
    comments.add_comment(actor=cast.actor("owner"), ticket=ticket, source="web", text="Privates dazu")
    said = comments.add_comment(actor=cast.actor("staff"), ticket=ticket, source="back_office", text="Bestellt.")
    client = signed_in(cast.renter)
    assert client.get(page_of(ticket)).status_code == 404
    share(cast, ticket)
    response = client.get(page_of(ticket))
    text = response.content.decode()
    assert "Bestellt." in text and "Licht im Keller" in text
    assert "Privates dazu" not in text and own.key not in text
    assert [e.row.pk for e in response.context["stream"].entries][-1] == said.activity.pk
    assert page_of(ticket, "/comment") not in text and page_of(ticket, "/rating") not in text
    assert client.post(page_of(ticket, "/comment"), {"text": "Ich auch"}).status_code == 403
    assert client.get(f"/app/tickets/files/{own.key}").status_code == 404
    Ticket.objects.update(shared_with=[])
    assert client.get(page_of(ticket)).status_code == 404


def test_a_merged_ticket_leads_to_the_other_for_who_sees_it(cast: Cast) -> None:
    left, target, hidden = file(cast), file(cast), file(cast, "owner")
    Ticket.objects.filter(pk=left.pk).update(merged_into=target)
    client = signed_in(cast.renter)
    assert client.get(page_of(left)).url == page_of(target)
    assert client.get(page_of(left), headers={"HX-Request": "true"})["HX-Redirect"] == page_of(target)
    Ticket.objects.filter(pk=left.pk).update(merged_into=hidden)
    assert client.get(page_of(left)).status_code == 200
    Ticket.objects.filter(pk=left.pk).update(merged_into=target)
    Ticket.objects.filter(pk=target.pk).update(merged_into=left)  # no ring is endless
    assert client.get(page_of(left)).url == page_of(target)


def test_what_was_said_in_a_merged_ticket_is_read_where_it_leads(cast: Cast) -> None:
    handle = upload(cast, "renter", door=DOOR)
    left, target = file(cast, text="Im Keller ist es nass.", files=Files([handle], DOOR)), file(cast)
    other = file(cast, "owner", text="Bei mir auch.")
    comments.add_comment(actor=cast.actor("renter"), ticket=left, text="Immer noch.", source="web")
    for merged in (left, other):
        merging.merge(actor=cast.actor("admin"), ticket=merged, into=target)
    desk.answer(actor=cast.actor("admin"), ticket=target, text="Wir kommen.", is_note=False, files=Files([], DOOR))
    stream = signed_in(cast.renter).get(page_of(target)).context["stream"]
    told = [(e.text, e.number) for e in stream.entries if e.row.kind in ("ticketCreated", "comment")]
    assert sorted(told) == [
        ("Der Wasserhahn tropft.", ""), ("Im Keller ist es nass.", left.identifier),
        ("Immer noch.", left.identifier), ("Wir kommen.", ""),
    ]  # fmt: skip
    assert [len(e.files) for e in stream.entries if e.text == "Im Keller ist es nass."] == [1]


def test_who_does_not_see_where_a_ticket_went_is_told_that_it_goes_on(cast: Cast) -> None:
    mine, hidden = file(cast, "owner"), file(cast)
    merging.merge(actor=cast.actor("admin"), ticket=mine, into=hidden)
    desk.answer(actor=cast.actor("admin"), ticket=hidden, text="Wir kommen.", is_note=False, files=Files([], DOOR))
    page = signed_in(cast.owner).get(page_of(mine))
    text = page.content.decode()
    assert "zusammen mit einer anderen" in text
    assert "Wie zufrieden sind Sie?" not in text
    assert "öffnet Ihre Nachricht es wieder" not in text
    assert "Stand: Erledigt" not in text
    assert [step.state for step in page.context["steps"]] == ["now", "todo", "todo", "todo"]
    assert [e.text for e in page.context["stream"].entries if e.row.kind == "comment"] == ["Wir kommen."]


def test_the_thread_answers_with_nothing_until_there_is_something_new(cast: Cast) -> None:
    ticket = file(cast)
    client, htmx = signed_in(cast.renter), {"HX-Request": "true"}
    version = client.get(page_of(ticket)).context["stream"].version
    url = page_of(ticket, f"?seen={version}")
    assert client.get(url, headers=htmx).status_code == 204
    comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Intern")
    assert client.get(url, headers=htmx).status_code == 204
    comments.add_comment(actor=cast.actor("staff"), ticket=ticket, source="back_office", text="Neues")
    answer = client.get(url, headers=htmx).content.decode()
    assert "Neues" in answer and "<html" not in answer


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>fett</b>', "https://x.test/<b>fett</b>"]
)
def test_markup_is_text_and_an_address_is_a_link(cast: Cast, text: str) -> None:
    ticket = file(cast, text=f"{text} https://example.org/a?b=1&c=2")
    page = text_of(signed_in(cast.renter), page_of(ticket))
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>fett" not in page
    assert 'href="https://example.org/a?b=1&amp;c=2" rel="nofollow"' in page
    assert "<b>fett" not in text_of(signed_in(cast.renter), tickets_url(cast))


def test_a_javascript_address_is_no_link(cast: Cast) -> None:
    page = text_of(signed_in(cast.renter), page_of(file(cast, text="javascript:alert(1)")))
    assert not re.search(r'href="javascript', page)


def test_a_photo_is_for_those_who_see_its_entry(cast: Cast) -> None:
    ticket = file(cast)
    photo = with_photo(cast, ticket)
    make_preview(photo.blob_id)
    url = f"/app/tickets/files/{photo.key}"
    renter = signed_in(cast.renter)
    assert f'src="{url}/preview"' in text_of(renter, page_of(ticket))
    answer = renter.get(url)
    assert b"".join(answer.streaming_content) == picture()
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["Content-Disposition"].startswith("inline")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert status_of(renter, f"{url}/preview") == 200
    for who in ("additional", "owner", "neighbour", "former", "foreigner", "stranger"):
        client = signed_in(getattr(cast, who))
        assert client.get(url).status_code == client.get(f"{url}/preview").status_code == 404, who
    changes.delete(actor=cast.actor("staff"), ticket=ticket)
    assert renter.get(url).status_code == 404


def test_what_a_browser_may_run_is_saved_and_what_the_scanner_holds_stays(cast: Cast) -> None:
    ticket = file(cast)
    photo = with_photo(cast, ticket)
    Blob.objects.filter(pk=photo.blob_id).update(mime="text/html")
    client, url = signed_in(cast.renter), f"/app/tickets/files/{photo.key}"
    answer = client.get(url)
    answer.getvalue()
    assert answer["Content-Disposition"].startswith("attachment")
    Blob.objects.filter(pk=photo.blob_id).update(scan="infected")
    assert client.get(url).status_code == 409
    assert url not in text_of(client, page_of(ticket))


def test_the_file_of_a_note_is_shown_nowhere(cast: Cast) -> None:
    ticket = file(cast)
    note = comments.add_note(actor=cast.actor("staff"), ticket=ticket, text="Intern")
    photo = with_photo(cast, ticket)
    hidden = TicketAttachment.objects.create(
        tenant=cast.tenant, ticket=ticket, activity=note, blob=photo.blob, name="intern.jpg"
    )
    for who in ("renter", "staff"):
        client = signed_in(getattr(cast, who))
        assert client.get(f"/app/tickets/files/{hidden.key}").status_code == 404
        assert hidden.key not in text_of(client, page_of(ticket))


def test_a_deleted_comment_and_a_deleted_ticket_are_gone(cast: Cast) -> None:
    ticket = file(cast)
    said = comments.add_comment(
        actor=cast.actor("staff"), ticket=ticket, source="back_office", text="Versehen"
    ).activity
    comments.delete_comment(actor=cast.actor("staff"), comment=said)
    client = signed_in(cast.renter)
    page = client.get(page_of(ticket))
    assert said.pk not in [entry.row.pk for entry in page.context["stream"].entries]
    changes.delete(actor=cast.actor("staff"), ticket=ticket)
    assert client.get(page_of(ticket)).status_code == client.get(f"/app/tickets/{ticket.pk}").status_code == 404
    assert client.post(page_of(ticket, "/comment"), {"text": "Hallo"}).status_code == 404
    assert client.post(page_of(ticket, "/rating"), {"rating": "5"}).status_code == 404


def bare(content: bytes) -> bytes:
    return re.sub(
        rb'name="csrfmiddlewaretoken" value="[^"]+"|name="next" value="/app/[^"]*"|nonce="[^"]+"', b"", content
    )


def test_a_ticket_out_of_sight_looks_like_none(cast: Cast) -> None:
    ticket = file(cast)
    client = signed_in(cast.neighbour)
    there, nowhere = client.get(page_of(ticket)), client.get(f"/app/tickets/{uuid.uuid4()}")
    assert there.status_code == nowhere.status_code == 404
    assert bare(there.content) == bare(nowhere.content)
    assert client.get(f"/app/tickets/{ticket.pk}").status_code == client.get("/app/tickets/999999").status_code == 404


def comment(client: Client, ticket: Ticket, text: str = "Und jetzt?", **values: Any) -> Any:
    return client.post(page_of(ticket, "/comment"), {"text": text} | values)


def test_a_comment_stands_in_the_thread_and_is_sent_once(cast: Cast) -> None:
    ticket, client = file(cast), signed_in(cast.renter)
    first, second = (comment(client, ticket, form="a" * 32) for _ in range(2))
    (said,) = TicketActivity.objects.filter(ticket=ticket, kind="comment")
    assert (said.text, said.source, said.from_staff) == ("Und jetzt?", "web", False)
    assert first.url == second.url == page_of(ticket, f"#e{said.pk}")
    comment(client, ticket, "Noch etwas", form="a" * 32)
    assert TicketActivity.objects.filter(ticket=ticket, kind="comment").count() == 2


@pytest.mark.parametrize("text", ["", " \n ", "a\x00b", "x" * 20_001])
def test_a_comment_that_says_nothing_or_too_much_is_kept_for_mending(cast: Cast, text: str) -> None:
    ticket, client = file(cast), signed_in(cast.renter)
    answer = comment(client, ticket, text)
    assert answer.status_code == 422
    assert answer.context["said"] == text and answer.context["problem"]
    assert not TicketActivity.objects.filter(ticket=ticket, kind="comment").exists()


@pytest.mark.parametrize("status", DONE)
def test_a_comment_opens_what_was_closed_lately_and_the_page_says_so_before(cast: Cast, status: str) -> None:
    ticket = closed_ago(cast, 29, status)
    client = signed_in(cast.renter)
    assert client.get(page_of(ticket)).context["reopens"] is True
    assert comment(client, ticket).status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == "reopened"
    assert client.get(page_of(ticket)).context["reopens"] is False


def test_what_was_closed_long_ago_takes_no_word_and_leads_to_a_new_one(cast: Cast) -> None:
    ticket = closed_ago(cast, 31)
    client = signed_in(cast.renter)
    page = text_of(client, page_of(ticket))
    assert page_of(ticket, "/comment") not in page and tickets_url(cast, "/new") in page
    answer = comment(client, ticket)
    assert answer.status_code == 409 and tickets_url(cast, "/new") in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.status == "closed"
    assert not TicketActivity.objects.filter(ticket=ticket, kind="comment").exists()


def test_a_rating_is_given_changed_and_cleared(cast: Cast) -> None:
    ticket, client = file(cast), signed_in(cast.renter)
    assert page_of(ticket, "/rating") not in text_of(client, page_of(ticket))
    assert client.post(page_of(ticket, "/rating"), {"rating": "5"}).status_code == 409
    ticket = close(cast, ticket)
    for rating in ("", "0", "6", "x", "²", "5" * 400):
        assert client.post(page_of(ticket, "/rating"), {"rating": rating}).status_code == 422, rating
    for rating in (2, 4):
        client.post(page_of(ticket, "/rating"), {"rating": str(rating), "comment": "Danke <b>sehr</b>"})
        ticket.refresh_from_db()
        assert (ticket.rating, ticket.rating_comment) == (rating, "Danke <b>sehr</b>")
    assert "<b>sehr" not in text_of(client, page_of(ticket))
    assert signed_in(cast.staff).post(page_of(ticket, "/rating"), {"rating": "1"}).status_code == 403
    comment(client, ticket)
    ticket.refresh_from_db()
    assert ticket.rating is None


@pytest.mark.parametrize("way", ["handles", "files"])
def test_eleven_files_are_too_many_for_a_message(cast: Cast, way: str) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    ticket, client = file(cast), signed_in(cast.renter)
    values: dict[str, Any]
    if way == "handles":
        values = {"upload": [upload(cast, "renter", b"%d" % n, door=DOOR) for n in range(11)]}
    else:
        values = {"upload-files": [SimpleUploadedFile(f"{n}.txt", b"%d" % n) for n in range(11)]}
    assert comment(client, ticket, **values).status_code == 422
    assert not TicketAttachment.objects.exists()
    if way == "handles":
        assert comment(client, ticket, upload=values["upload"][:10]).status_code == 302
        assert TicketAttachment.objects.count() == 10


def test_files_that_arrived_are_kept_over_a_refusal(cast: Cast) -> None:
    ticket, client = file(cast), signed_in(cast.renter)
    handle, foreign = upload(cast, "renter", door=DOOR), upload(cast, "owner", b"fremd", door=DOOR)
    answer = comment(client, ticket, "x" * 20_001, upload=[handle, foreign])
    assert [kept.handle for kept in answer.context["files"]["kept"]] == [handle]
    assert f'value="{handle}"' in answer.content.decode()
    assert comment(client, ticket, upload=[foreign]).status_code == 422
    assert comment(client, ticket, upload=[handle]).status_code == 302


def test_without_scripts_files_come_with_the_form_and_other_kinds_are_refused(cast: Cast) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    ticket, client = file(cast), signed_in(cast.renter)
    good, bad = SimpleUploadedFile("f.jpg", picture()), SimpleUploadedFile("f.jpg", b"<html><script></script></html>")
    assert comment(client, ticket, **{"upload-files": bad}).status_code == 422
    assert comment(client, ticket, "", **{"upload-files": good}).status_code == 302
    assert TicketAttachment.objects.get().name == "f.jpg"
