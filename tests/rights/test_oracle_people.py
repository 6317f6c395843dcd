"""Whose entries, places and homes somebody sees: the product against the contract's sentences, in random companies."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.rights.worlds.compare import Report, compare_circles, compare_register
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("bound", [False, True], ids=["by the rules alone", "under the row policies"])
def test_people_and_places_are_seen_as_the_contract_says(bound: bool) -> None:
    @examples(6)
    @given(worlds(documents=1))
    def check(world: World) -> None:
        report = Report()
        with standing(world):
            compare_register(world, report, bound=bound)
        assert not report.differences, "\n".join(report.differences)

    check()


@examples(6)
@given(worlds(documents=1))
def test_a_circle_is_the_same_from_whichever_side_it_is_asked(world: World) -> None:
    report = Report()
    with standing(world):
        compare_circles(world, report)
    assert not report.differences, "\n".join(report.differences)
