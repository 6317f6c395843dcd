"""The statement that opens a document at once, against the rules and the contract's sentences, in random companies."""

from __future__ import annotations

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import given

from core.querysets import any_of
from docms import querysets
from docms.models import FolderPermission
from orgs.actor import Actor
from tests.rights.test_oracle_mutants import _claimed_ones_too, _period_without_end, is_found
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


def _text(name: str, right: str, wrong: str) -> tuple[object, str, object]:
    """A text of the rules, of which a part says something else."""
    whole: str = getattr(querysets, name)
    assert right in whole
    return querysets, name, whole.replace(right, wrong)


def _period_for_all_alike(actor: Actor) -> Q:
    now = timezone.now()
    begun, ended = Q(active_from=None) | Q(active_from__lte=now), Q(active_until__lte=now)
    return begun & ~ended | Q(tenant__in=actor.admin_tenants)


def _by_permission_alone(actor: Actor, flag: str) -> Q:
    mine = FolderPermission.objects.filter(membership__in=actor.membership_ids, active=True, **{flag: True})
    return any_of("folder", mine.values("folder_id"))


_papers = querysets.DocumentQuerySet
# What is broken, and where. Documents before their time are too rare in these worlds:
# tests/docms/test_services_delivery.py has one.
BROKEN: dict[str, tuple[object, str, object]] = {
    "a claimed document": (_papers, "visible_to", _claimed_ones_too),
    "a hidden folder": _text("SEEN", "f.hidden_from IS NULL OR", "true OR"),
    "a document after its time": (querysets, "in_period", _period_without_end),
    "nothing for its uploader": (querysets, "in_period", _period_for_all_alike),
    "any folder of the tenant": _text("SEEN", "f.id = ANY(ARRAY(", "true OR f.id = ANY(ARRAY("),
    "any group of the folder": _text("SEEN", "(g.audience_key = ANY(%s)", "(true OR g.audience_key = ANY(%s)"),
    "listed in a derived group": _text("SEEN", "g.kind = 'manual' AND", ""),
    "nothing for members of manual groups": _text("SEEN", "m.membership_id = ANY(%s)", "m.membership_id < ALL(%s)"),
    "a permission that is not active": _text("DECIDED", "AND p.active", ""),
    "no flag at all": (querysets, "may", lambda actor, flag: Q(tenant__in=actor.tenants)),
    "nothing by the membership's flag": (querysets, "may", _by_permission_alone),
    "administrators like anybody": (Actor, "admin_tenants", property(lambda actor: frozenset())),
    "a locked document": (
        _papers,
        "downloadable_by",
        lambda self, actor: self.filter(querysets.may(actor, "download")),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_condition_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, broken = BROKEN[what]
    monkeypatch.setattr(place, name, broken)
    assert is_found(lambda world, report: compare_papers(world, report, bound=False, aspects=[openings]))
