"""What the hot pages cost in statements, counted as production runs them: in a transaction of their own.

How long they take, the benches measure: `script/bench b1`, `docs/performance.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import scope
from tests.cast import load
from tests.docms.door import signed_in as door_signed_in
from tests.factories import publish
from tests.portal.pages import house_folder, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDS = ("BEGIN", "COMMIT")


def statements(ask: Callable[[], object]) -> list[str]:
    """Of a second request: the first one notes that a token is used."""
    ask()
    with CaptureQueriesContext(connection) as captured:
        ask()
    return [query["sql"] for query in captured if query["sql"] not in BOUNDS]


def papers(cast: Cast, number: int, *, note: str = "") -> int:
    """A folder of house A with that many papers."""
    where = house_folder(cast, f"Ordner {number}")
    with scope.unit_of_work(door="test"):
        for title in range(number):
            publish(cast, where, title=f"Papier {title}", internal_note=note)
    return where.pk


@pytest.mark.parametrize("note", ["", "Nur für uns"])
def test_a_folder_page_costs_a_resident_at_most_eight_queries(note: str) -> None:
    cast = load()
    with scope.unit_of_work(door="test"):
        caller = door_signed_in(cast.renter, cast.tenant)
    one, three = (papers(cast, number, note=note) for number in (1, 3))
    cost = {}
    for folder in (one, three):
        rows = caller.ok("GET", f"/folders/{folder}/files")
        assert [row["internal_note"] for row in rows] == [None] * len(rows)
        cost[len(rows)] = len(statements(lambda at=folder: caller.ok("GET", f"/folders/{at}/files")))
    assert cost.keys() == {1, 3}
    assert cost[1] == cost[3] <= 8 - (not note)


def test_the_start_page_finds_the_new_papers_and_their_number_in_one_query() -> None:
    cast = load()
    papers(cast, 3)
    browser = signed_in(cast.renter)
    asked = statements(lambda: browser.get(f"/app/c/{cast.house_a.pk}/"))
    assert len([sql for sql in asked if sql and "docms_document" in sql]) == 1
    assert len(asked) <= 15  # two of them are the open tickets and their number
    papers(cast, 1)
    assert len(statements(lambda: browser.get(f"/app/c/{cast.house_a.pk}/"))) == len(asked)


def test_the_number_of_unread_papers_is_that_of_all_not_of_those_shown() -> None:
    cast = load()
    papers(cast, 9)
    page = signed_in(cast.renter).get(f"/app/c/{cast.house_a.pk}/", headers={"Accept-Language": "de"}).content.decode()
    assert "9 ungelesen" in page
    assert page.count("Papier ") >= 6
    assert "Papier 0" not in page  # the oldest three are left out
