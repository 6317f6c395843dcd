"""The statement that opens a document at once, against the rules and the contract's sentences, in random companies."""

from __future__ import annotations

import pytest
from hypothesis import given

from docms.services import opening
from tests.rights.test_oracle_mutants import is_found
from tests.rights.worlds.compare import Report, compare_papers, openings
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("bound", [False, True], ids=["by the rules alone", "under the row policies"])
def test_what_is_opened_at_once_is_what_may_be_opened(bound: bool) -> None:
    @examples(20)
    @given(worlds())
    def check(world: World) -> None:
        report = Report()
        with standing(world):
            compare_papers(world, report, bound=bound, aspects=[openings])
        assert not report.differences, "\n".join(report.differences)

    check()


# A condition of the statement, and what stands in its place. Documents before their time are too rare in these worlds:
# tests/docms/test_services_delivery.py has one.
BROKEN = {
    "a claimed document": ("AND d.claimed_at IS NULL", ""),
    "a hidden folder": ("(f.hidden_from IS NULL OR f.hidden_from > %(now)s)", "true"),
    "a document after its time": ("d.active_until IS NULL OR d.active_until > %(now)s", "true"),
    "nothing for its uploader": ("OR d.uploaded_by_id = %(user)s", ""),
    "any folder of the tenant": ("a.folder_id = f.id", "true"),
    "any group of the folder": ("g.audience_key = ANY(%(keys)s::text[])", "true"),
    "listed in a derived group": ("g.kind = 'manual' AND", ""),
    "nothing for members of manual groups": ("l.membership_id = ANY(%(places)s::bigint[])", "false"),
    "a permission that is not active": ("AND p.active", ""),
    "no flag at all": ("m.flag)", "true)"),
    "nothing by the membership's flag": ("m.flag)", "false)"),
    "administrators like anybody": ("d.tenant_id = ANY(%(administered)s::bigint[])", "false"),
    "a locked document": ("AND d.allow_download", ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_condition_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = BROKEN[what]
    broken = {action: text.replace(right, wrong) for action, text in opening.STATEMENTS.items()}
    assert broken != opening.STATEMENTS
    monkeypatch.setattr(opening, "STATEMENTS", broken)
    assert is_found(lambda world, report: compare_papers(world, report, bound=False, aspects=[openings]))
