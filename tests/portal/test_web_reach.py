"""What is out of reach looks like what does not exist, and what one leaves is out of reach the day after."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest

from core import scope
from orgs.models import Session
from orgs.services import occupancies
from tests.cast import Cast
from tests.portal.pages import documents_url, house_folder, paper, signed_in, status_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from docms.models import Folder

UNKNOWN = 999999


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast, show_check_mark=True)


def bare(response: HttpResponse) -> bytes:
    """The body without what differs from answer to answer: the form token, the nonce, the address one came to."""
    changing = rb'name="csrfmiddlewaretoken" value="[^"]+"|name="next" value="/app/[^"]*"|nonce="[^"]+"'
    return re.sub(changing, b"", response.content)


@pytest.mark.parametrize("unit", ["²", "１", "-1", "x", "9" * 5000, "%00"])
def test_a_unit_that_is_no_number_is_no_unit(cast: Cast, unit: str) -> None:
    assert signed_in(cast.renter).get(f"/app/c/{cast.house_a.pk}/?unit={unit}").status_code == 200


@pytest.mark.rule("PORTAL-014")
@pytest.mark.parametrize(
    "page",
    [
        "c/{community}/",
        "c/{community}/info/documents",
        "c/{home}/info/documents?folder={folder}",
        "c/{home}/info/documents?doc={document}",
        "documents/{document}",
        "documents/{document}/read",
        "documents/{document}/download",
        "documents/{document}/preview",
    ],
)
def test_a_page_out_of_reach_looks_like_one_that_does_not_exist(cast: Cast, where: Folder, page: str) -> None:
    foreign = {"community": cast.house_a.pk, "folder": where.pk, "document": paper(cast, where).pk}
    client = signed_in(cast.neighbour)
    there, nowhere = (
        client.get("/app/" + page.format(home=cast.house_b.pk, **ids))
        for ids in (foreign, dict.fromkeys(foreign, UNKNOWN))
    )
    assert [there.status_code, nowhere.status_code] == [404, 404]
    assert bare(there) == bare(nowhere) == bare(client.get(f"/app/c/{UNKNOWN}/"))


@pytest.mark.rule("PORTAL-014")
@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("documents/{document}/mark-read", {}),
        ("documents/{document}/done", {"done": "1"}),
        ("folders/{folder}/favourite", {"on": "1"}),
        ("profile/devices/{device}/end", {}),
    ],
)
def test_an_act_out_of_reach_is_answered_as_if_there_were_nothing(
    cast: Cast, where: Folder, act: str, data: dict[str, str]
) -> None:
    signed_in(cast.renter)
    device = Session.objects.get(user=cast.renter)
    foreign = {"folder": where.pk, "document": paper(cast, where).pk, "device": device.pk}
    client = signed_in(cast.neighbour)
    there, nowhere = (
        client.post("/app/" + act.format(**ids), data) for ids in (foreign, dict.fromkeys(foreign, UNKNOWN))
    )
    assert [there.status_code, nowhere.status_code] == [404, 404]
    assert bare(there) == bare(nowhere)


def test_the_day_after_moving_out_nothing_is_left(cast: Cast, where: Folder) -> None:
    document = paper(cast, where)
    client = signed_in(cast.renter)
    assert client.get(documents_url(cast, f"?folder={where.pk}&doc={document.pk}")).status_code == 200
    with scope.unit_of_work(door="test"):
        occupancies.end(cast.occupancy("renter"), last=cast.tenant.today() - datetime.timedelta(days=1))
    for url in (documents_url(cast), f"/app/c/{cast.house_a.pk}/", f"/app/documents/{document.pk}/download"):
        assert client.get(url).status_code == 404
    assert "/app/invite/" in client.get("/app/").content.decode()


@pytest.mark.rule("PORTAL-018")
@pytest.mark.parametrize(("last", "there"), [(0, True), (-1, False)])
def test_from_the_day_after_a_membership_its_community_is_gone_and_the_other_stays(
    cast: Cast, where: Folder, last: int, there: bool
) -> None:
    document = paper(cast, where)
    with scope.unit_of_work(door="test"):
        second = occupancies.move_in(
            contact=cast.contact("neighbour"), unit=cast.unit_a3, role="renter", first=datetime.date(2024, 1, 1)
        )
    client = signed_in(cast.neighbour)
    client.get(f"/app/c/{cast.house_a.pk}/")  # the place one comes back to
    with scope.unit_of_work(door="test"):
        occupancies.end(second, last=cast.tenant.today() + datetime.timedelta(days=last))

    home = f"/app/c/{cast.house_b.pk}/"
    assert client.get("/app/").url == (f"/app/c/{cast.house_a.pk}/" if there else home)
    response = client.get(home)
    switcher = {place.community.pk for place in response.context["house"].shell.places}
    places = {community.pk for community in client.get("/app/places").context["found"]}
    assert switcher == places == ({cast.house_a.pk, cast.house_b.pk} if there else {cast.house_b.pk})
    assert ("Haus A" in response.content.decode()) is there
    for query in ("", "?q=Einladung"):
        listed = client.get(f"{home}info/documents{query}").context["papers"]
        assert document.pk not in [row.pk for row in listed]
    own = [
        f"/app/c/{cast.house_a.pk}/",
        documents_url(cast),
        documents_url(cast, f"?folder={where.pk}&doc={document.pk}"),
        documents_url(cast, "?q=Einladung"),
        f"/app/documents/{document.pk}/read",
        f"/app/documents/{document.pk}/download",
    ]
    assert {status_of(client, url) for url in own} == {200 if there else 404}
    assert client.get(f"/app/documents/{document.pk}").status_code == (302 if there else 404)
