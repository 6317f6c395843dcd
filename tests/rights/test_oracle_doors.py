"""What docms and the portal answer to somebody, against the contract's sentences, in random companies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.rights.worlds.compare import Report
from tests.rights.worlds.doors import callers, compare_docms, compare_portal, visitors
from tests.rights.worlds.generate import worlds
from tests.rights.worlds.profiles import examples
from tests.rights.worlds.store import standing
from tests.rights.worlds.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Half of the answers are refusals, each a line of the log with its traceback."""
    logger = logging.getLogger("django.request")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@examples(3)
@given(worlds())
def test_docms_answers_as_the_contract_says(world: World) -> None:
    report = Report()
    with standing(world, real_bytes=True):
        for person in callers(world, 2):
            compare_docms(world, report, person)
    assert not report.differences, "\n".join(report.differences)


@examples(3)
@given(worlds())
def test_the_portal_answers_as_the_contract_says(world: World) -> None:
    report = Report()
    with standing(world, real_bytes=True):
        for person in visitors(world, 2):
            compare_portal(world, report, person)
    assert not report.differences, "\n".join(report.differences)
