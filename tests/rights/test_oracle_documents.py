"""Which folders and papers somebody sees: the product against the contract's sentences, in random companies."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.rights.worlds.compare import Report, compare_holds, compare_papers
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("bound", [False, True], ids=["by the rules alone", "under the row policies"])
def test_list_detail_search_count_and_flags_agree(bound: bool) -> None:
    @examples(5)
    @given(worlds())
    def check(world: World) -> None:
        report = Report()
        with standing(world):
            compare_papers(world, report, bound=bound)
            compare_holds(world, report)
        assert not report.differences, "\n".join(report.differences)

    check()
