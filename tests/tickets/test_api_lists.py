"""Lists of tickets: pages, orders, filters."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgs.services.erase import erase_account
from tests.tickets.door import TICKETS, Caller, basic
from tickets.models import Ticket, TicketActivity
from tickets.services import changes, comments

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


def ids(page: dict[str, Any]) -> list[str]:
    return [ticket["id"] for ticket in page["tickets"]]


def many(file: File, count: int, **values: Any) -> list[str]:
    """So many tickets, the oldest first, a minute between two."""
    made = [file(**values) for _number in range(count)]
    for age, ticket in enumerate(reversed(made)):
        at = timezone.now() - datetime.timedelta(minutes=age)
        Ticket.objects.filter(pk=ticket.pk).update(created_at=at, updated_at=at)
    return [str(ticket.uuid) for ticket in made]


def walk(caller: Caller, cast: Cast, query: str = "") -> list[list[str]]:
    """The pages until the last."""
    pages, page = [], caller.page(cast, query)
    while True:
        pages.append(ids(page))
        if "nextPageToken" not in page:
            return pages
        page = caller.ok("GET", f"{TICKETS}?{page['searchQueryNext']}")


@pytest.mark.rule("TICKETS-028")
def test_a_list_names_its_location(cast: Cast) -> None:
    body = basic(cast).refused("GET", TICKETS, 400)
    assert body["issues"][0]["path"] == ["locationRef"]
    basic(cast).refused("GET", f"{TICKETS}?locationRef=x", 400)


def test_a_location_of_others_is_not_found(cast: Cast) -> None:
    for caller, house in ((basic(cast), cast.foreign_house), (basic(cast, "neighbour"), cast.house_a)):
        caller.refused("GET", f"{TICKETS}?locationRef={house.uuid}", 404)


@pytest.mark.rule("TICKETS-029")
def test_a_page_has_25_tickets_unless_it_says_otherwise(cast: Cast, file: File) -> None:
    many(file, 27)
    caller = basic(cast)
    assert [len(page) for page in walk(caller, cast)] == [25, 2]
    assert [len(page) for page in walk(caller, cast, "&limit=1")] == [1] * 27
    assert [len(page) for page in walk(caller, cast, "&limit=100")] == [27]
    for limit in ("0", "101", "-1", "x", "1.5", ""):
        body = caller.refused("GET", f"{TICKETS}?locationRef={cast.house_a.uuid}&limit={limit}", 400)
        assert body["issues"][0]["path"] == ["limit"]


@pytest.mark.rule("TICKETS-030")
def test_the_last_page_has_no_token_and_none_repeats(cast: Cast, file: File) -> None:
    many(file, 5)
    caller, tokens = basic(cast), []
    page = caller.page(cast, "&limit=2&order=createDate:asc&status=new")
    while "nextPageToken" in page:
        tokens.append(page["nextPageToken"])
        query = parse_qs(page["searchQueryNext"])
        assert not page["searchQueryNext"].startswith("?")
        assert query == {
            "locationRef": [str(cast.house_a.uuid)], "limit": ["2"], "order": ["createDate:asc"], "status": ["new"],
            "nextPageToken": [tokens[-1]],
        }  # fmt: skip
        page = caller.ok("GET", f"{TICKETS}?{page['searchQueryNext']}")
    assert "searchQueryNext" not in page
    assert len(tokens) == len(set(tokens)) == 2


@pytest.mark.rule("TICKETS-031")
@pytest.mark.parametrize("order", ["createDate:asc", "createDate:desc", "updateDate:asc", "updateDate:desc"])
def test_walking_finds_each_ticket_once_while_others_are_created(cast: Cast, file: File, order: str) -> None:
    there = many(file, 7)
    caller, found = basic(cast), []
    page = caller.page(cast, f"&limit=2&order={order}")
    for _turn in range(20):
        found += ids(page)
        if "nextPageToken" not in page:
            break
        if len(found) < 7:
            file("staff")
        page = caller.ok("GET", f"{TICKETS}?{page['searchQueryNext']}")
    assert len(found) == len(set(found))
    assert set(there) <= set(found)


def test_equal_moments_are_walked_once(cast: Cast, file: File) -> None:
    there = many(file, 5)
    Ticket.objects.update(created_at=timezone.now())
    assert sorted(one for page in walk(basic(cast), cast, "&limit=2") for one in page) == sorted(there)


@pytest.mark.rule("TICKETS-032")
def test_the_newest_comes_first_unless_another_order_is_named(cast: Cast, file: File) -> None:
    made = many(file, 3)
    changes.set_status(
        actor=cast.actor("staff"), ticket=Ticket.objects.get(uuid=made[0]), status="waiting", source="web"
    )
    caller = basic(cast)
    expected = {
        "": made[::-1],
        "&order=createDate:desc": made[::-1],
        "&order=createDate:asc": made,
        "&order=updateDate:desc": [made[0], made[2], made[1]],
        "&order=updateDate:asc": [made[1], made[2], made[0]],
    }
    for query, order in expected.items():
        assert ids(caller.page(cast, query)) == order, query
    for other in ("createDate", "number:asc", "createDate:up", ""):
        caller.refused("GET", f"{TICKETS}?locationRef={cast.house_a.uuid}&order={other}", 400)


@pytest.mark.rule("TICKETS-033")
def test_members_see_their_own_and_ask_for_nobody_else(cast: Cast, file: File) -> None:
    mine, other = file("renter"), file("owner")
    about_me = file("staff", requester=cast.contact("renter"))
    renter, admin = basic(cast, "renter"), basic(cast)
    assert set(ids(renter.page(cast))) == {str(mine.uuid), str(about_me.uuid)}
    assert set(ids(admin.page(cast))) == {str(mine.uuid), str(about_me.uuid), str(other.uuid)}
    me, owner = cast.membership("renter").uuid, cast.membership("owner").uuid
    assert len(ids(renter.page(cast, f"&membershipRefRequester={me}"))) == 2
    path = f"{TICKETS}?locationRef={cast.house_a.uuid}"
    for query in (f"membershipRefRequester={owner}", f"membershipRefRequester={me},{owner}",
                  f"userRefAssignee={cast.staff.uuid}", f"userRefAssignee={cast.renter.uuid}"):  # fmt: skip
        renter.refused("GET", f"{path}&{query}", 403)


def test_administrators_filter_by_requester_and_assignee(cast: Cast, file: File) -> None:
    mine, other = file("renter"), file("owner")
    changes.assign(actor=cast.actor("admin"), ticket=other, assignee=cast.membership("staff"), source="web")
    caller = basic(cast)
    renter, owner = cast.membership("renter").uuid, cast.membership("owner").uuid
    assert ids(caller.page(cast, f"&membershipRefRequester={renter}")) == [str(mine.uuid)]
    assert len(ids(caller.page(cast, f"&membershipRefRequester={renter},{owner}"))) == 2
    assert ids(caller.page(cast, f"&userRefAssignee={cast.staff.uuid}")) == [str(other.uuid)]
    assert ids(caller.page(cast, f"&userRefAssignee={cast.admin.uuid},{cast.staff.uuid}")) == [str(other.uuid)]
    assert ids(caller.page(cast, f"&userRefAssignee={uuid.uuid4()}")) == []
    caller.refused("GET", f"{TICKETS}?locationRef={cast.house_a.uuid}&membershipRefRequester={uuid.uuid4()}", 400)


def test_the_place_of_an_erased_account_is_unknown_to_the_filter(cast: Cast, file: File) -> None:
    file("renter")
    path = f"{TICKETS}?locationRef={cast.house_a.uuid}&membershipRefRequester={cast.membership('renter').uuid}"
    erase_account(user=cast.renter)
    basic(cast).refused("GET", path, 400)


@pytest.mark.rule("TICKETS-034")
@pytest.mark.parametrize("name", ["membershipRefRequester", "userRefAssignee"])
def test_ids_of_a_filter_stand_once_without_blanks_and_not_too_many(cast: Cast, name: str) -> None:
    one, other = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    hundred = ",".join(str(uuid.UUID(int=n)) for n in range(1, 102))
    for value in (f"{one},{one}", f"{one},%20{other}", f"{one}%20,{other}", f"{one},", "", "x", hundred):
        path = f"{TICKETS}?locationRef={cast.house_a.uuid}&{name}={value}"
        assert basic(cast).refused("GET", path, 400)["issues"][0]["path"] == [name], value


def test_filters_by_status_type_and_change(cast: Cast, file: File) -> None:
    made = {status: file(support_type=kind) for status, kind in (
        ("new", "other"), ("reopened", "cleaning"), ("in_progress", "other"), ("waiting", "printing"),
        ("solved", "other"), ("closed", "other"),
    )}  # fmt: skip
    for status, ticket in made.items():
        changes.set_status(actor=cast.actor("staff"), ticket=ticket, status=status, source="web")
    caller = basic(cast)

    def found(query: str) -> set[str]:
        shown = set(ids(caller.page(cast, query)))
        return {status for status, ticket in made.items() if str(ticket.uuid) in shown}

    assert found("&status=inProgress") == {"reopened", "in_progress", "waiting"}
    assert found("&status=new,closed") == {"new", "closed"}
    assert found("&type=cleaning,printing") == {"reopened", "waiting"}
    assert found("&status=inProgress&type=cleaning") == {"reopened"}
    moment = made["in_progress"].__class__.objects.get(pk=made["in_progress"].pk).updated_at.isoformat()
    later = found(f"&updateDate[gte]={moment.replace('+', '%2B')}")
    assert later == {"in_progress", "waiting", "solved", "closed"}
    assert found(f"&updateDate[lte]={moment.replace('+', '%2B')}") == {"new", "reopened", "in_progress"}
    path = f"{TICKETS}?locationRef={cast.house_a.uuid}"
    for wrong in (
        "status=open",
        "status=",
        "type=pizza",
        "updateDate[gte]=gestern",
        "updateDate[lte]=2026-13-01T00:00Z",
    ):
        caller.refused("GET", f"{path}&{wrong}", 400)


@pytest.mark.parametrize("token", ["x", "", "a:b:c", "x" * 2000])
def test_a_token_that_is_none_is_400(cast: Cast, token: str) -> None:
    path = f"{TICKETS}?locationRef={cast.house_a.uuid}&nextPageToken={token}"
    assert basic(cast).refused("GET", path, 400)["issues"][0]["path"] == ["nextPageToken"]


def test_a_token_belongs_to_its_order(cast: Cast, file: File) -> None:
    many(file, 3)
    caller = basic(cast)
    token = caller.page(cast, "&limit=1")["nextPageToken"]
    caller.refused("GET", f"{TICKETS}?locationRef={cast.house_a.uuid}&order=createDate:asc&nextPageToken={token}", 400)


def test_a_list_costs_the_same_for_one_and_three(cast: Cast, file: File) -> None:
    caller, path = basic(cast), f"{TICKETS}?locationRef={cast.house_a.uuid}"
    ticket = file("renter")
    changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")
    one = caller.cost(path)
    for who in ("owner", "staff"):
        other = file(who)
        changes.assign(actor=cast.actor("admin"), ticket=other, assignee=cast.membership("admin"), source="web")
    assert caller.cost(path) == one
    assert one <= 12  # five of them frame the test's transaction


def test_a_filtered_list_costs_eight_queries_at_most(cast: Cast, file: File) -> None:
    caller, me = basic(cast), cast.membership("renter").uuid
    here = f"{TICKETS}?locationRef={cast.house_a.uuid}"
    path = (
        f"{here}&status=new,inProgress&type=other&membershipRefRequester={me}&userRefAssignee={cast.staff.uuid}"
        "&updateDate[gte]=2020-01-01T00:00:00Z&order=updateDate:asc&limit=50"
    )
    costs = []
    for _number in range(3):
        ticket = file("renter")
        changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")
        costs.append(caller.cost(path))
    assert costs == [costs[0]] * 3
    with CaptureQueriesContext(connection) as captured:
        assert len(caller.ok("GET", path)["tickets"]) == 3
    frame = ("SAVEPOINT", "RELEASE", "SELECT set_config")  # the transaction, and in which tenants it works
    asked = [str(query["sql"]) for query in captured]  # "None" where it is prepared by then
    asked = [sql for sql in asked if not sql.startswith(frame)]
    assert len(asked) <= 8, asked  # who calls and what they may are four of them


@pytest.mark.rule("TICKETS-061")
@pytest.mark.parametrize("status", ["solved", "closed"])
def test_what_has_rested_for_a_month_is_still_listed_and_read(cast: Cast, file: File, status: str) -> None:
    """Only the portal's list leaves it out."""
    ticket, long_ago = file("renter"), timezone.now() - datetime.timedelta(days=40)
    Ticket.objects.filter(pk=ticket.pk).update(status=status, closed_at=long_ago, updated_at=long_ago)
    for who in ("renter", "admin"):
        caller = basic(cast, who)
        assert [found["id"] for found in caller.page(cast)["tickets"]] == [str(ticket.uuid)]
        assert caller.read(ticket)["ticket"]["status"] == status


@pytest.mark.parametrize("who", ["admin", "staff", "renter", "owner", "additional", "neighbour", "former", "stranger"])
def test_one_location_shows_what_the_rule_for_all_of_them_shows_there(cast: Cast, file: File, who: str) -> None:
    for by in ("renter", "admin", "owner"):
        ticket = file(by)
    changes.delete(actor=cast.actor("admin"), ticket=ticket)
    actor = cast.actor(who)
    for house in (cast.house_a, cast.house_b):
        if house.pk not in actor.communities | actor.managed:
            continue  # the door has refused it by then
        here = Ticket.objects.of_participants_in(actor, house)
        everywhere = Ticket.objects.of_participants(actor).filter(community=house)
        assert set(here.values_list("pk", flat=True)) == set(everywhere.values_list("pk", flat=True))


@pytest.mark.parametrize("who", ["admin", "renter"])
def test_the_stream_of_one_ticket_is_what_the_rule_shows_of_it(cast: Cast, file: File, who: str) -> None:
    ticket = file("renter")
    staff = cast.actor("admin")
    comments.add_comment(actor=staff, ticket=ticket, text="Wir kommen.", source="support")
    gone = comments.add_comment(actor=staff, ticket=ticket, text="Falsch.", source="support").activity
    comments.delete_comment(actor=staff, comment=gone)
    comments.add_note(actor=staff, ticket=ticket, text="Teuer.")
    file("renter")
    shown = TicketActivity.objects.to_participants(ticket.pk)
    visible = TicketActivity.objects.visible_to(cast.actor(who)).without_notes().filter(ticket=ticket)
    assert sorted(shown.values_list("pk", flat=True)) == sorted(visible.values_list("pk", flat=True))
    assert len(shown) == 2
