"""The rights matrix: every route of the URL configuration, as everybody, with own, foreign and unknown ids.

The tables are in `tests/rights/matrix/table_*.py`; `matrix/lines.py` says how to read them. Each line is one test. Nothing
answers 5xx, and what one may not see is answered byte for byte like what does not exist.
"""

from __future__ import annotations

import logging
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path, resolve

from core import scope
from core.services import sealing
from docms.models import Folder
from docms.querysets import FolderQuerySet
from orgs.models import Organization
from tests import cast as people
from tests.everywhere import everywhere
from tests.rights.matrix import expectations, routes, world
from tests.rights.matrix.lines import measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = expectations.lines()
MAIL = b"Subject: Hallo\nTo: a@quartier.test\nContent-Type: text/html\n\n<p>Hallo</p>"


@pytest.fixture(scope="module")
def asked(
    _session_cast: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[world.World]:
    """The world, built once: each question is undone, and so is the world after the last one."""
    mails: Path = tmp_path_factory.mktemp("mails")
    for place in world.PLACES:
        (mails / f"mail-{place}.eml").write_bytes(MAIL)
    quiet = logging.getLogger("django.request")
    before = quiet.level
    quiet.setLevel(logging.CRITICAL)
    with django_db_blocker.unblock(), override_settings(TRYOUT_MAILS=str(mails)), transaction.atomic():
        with everywhere():
            scope.enter_tenants(Organization.objects.filter(is_tenant=True).values_list("id", flat=True))
            built = world.build(people.load())
            sealing.seal()  # however long the suite has run: what waits for the sealer makes the house unready
        yield built
        transaction.set_rollback(True)
    quiet.setLevel(before)
    shutil.rmtree(mails)


@pytest.mark.parametrize("name", LINES, ids=[name.replace("api/v1/", "") for name in LINES])
def test_every_answer_is_the_expected_one(asked: world.World, name: str) -> None:
    line = LINES[name]
    got = {role: measure(asked, line, role) for role in world.ROLES}
    wrong = [f"{role}: {problem}" for role, found in got.items() for problem in found.wrong]
    cells = {role: found.cell for role, found in got.items()}
    if cells != dict(line.cells):
        wrong.append(f"\nexpected {line.written(line.cells)}\nmeasured {line.written(cells)}")
    assert not wrong, "\n".join(wrong)


# --- The tables are complete, and agree with each other -----------------------------------------------------


def test_every_route_has_its_line(asked: world.World) -> None:
    lines = expectations.missing(routes.collect())
    shown = [line.written({role: measure(asked, line, role).cell for role in world.ROLES}) for line in lines]
    assert not lines, "these routes have no expectation; check what was measured and add it to a table\n" + "\n".join(
        shown
    )


def test_no_line_is_left_of_a_route_that_is_gone() -> None:
    assert expectations.left_over(routes.collect()) == []


def test_every_address_leads_to_its_route(asked: world.World) -> None:
    for line in LINES.values():
        for place in (*world.PLACES, "0"):
            address = routes.address(line.pattern, asked.values(line.pattern, "renter", place))
            assert "/" + resolve(address).route == "/" + line.pattern.lstrip("/").replace("^", ""), address


def test_whoever_is_refused_something_sees_it() -> None:
    """Else the refusal tells that it exists. What a contract wants otherwise stands in one table, with its rule."""
    unexplained = [
        found
        for found in expectations.told()
        if found.rpartition(" ")[0].rpartition(" ")[0] not in expectations.EXCEPTIONS
    ]
    assert unexplained == []
    for name, reason in expectations.EXCEPTIONS.items():
        assert any(found.startswith(name) for found in expectations.told()), f"{name} is no exception (any more)"
        assert re.match(r"(DOCMS|ORGS)-\d{3}: ", reason)


# --- The matrix can fail --------------------------------------------------------------------------------------


def page(request: Any, **ids: int) -> HttpResponse:
    """A view that nobody has written an expectation for."""
    return HttpResponse()


def test_a_route_without_a_line_is_reported() -> None:
    added = [*routes.collect([path("app/secrets/<int:secret_id>", page)]), *routes.collect()]
    assert [line.name for line in expectations.missing(added)] == [
        "GET app/secrets/<int:secret_id>", "POST app/secrets/<int:secret_id>",
    ]  # fmt: skip


@pytest.fixture
def leaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders whose read rule is gone, and whose tenants are all entered, so that no row policy holds them back."""

    def everything(self: Any, actor: Any, **_options: Any) -> Any:
        scope.enter_tenants(Organization.objects.filter(is_tenant=True).values_list("id", flat=True))
        return self.all()

    monkeypatch.setattr(FolderQuerySet, "visible_to", everything)


FOLDER = LINES["GET docms/api/v1/folders/<int:folder_id>/labels"]


def test_a_read_rule_that_leaks_is_found(asked: world.World, leaking: None) -> None:
    found = measure(asked, FOLDER, "renter")
    assert FOLDER.cells["renter"] == "A"
    assert found.cell == "ABX"


def test_a_refusal_that_differs_by_a_word_is_found(asked: world.World, monkeypatch: pytest.MonkeyPatch) -> None:
    from docms.api.base import DocmsView, NotFound

    def told(self: Any, folder_id: int) -> Folder:
        mine = Folder.objects.visible_to(self.actor, all=True).filter(pk=folder_id).first()
        if mine is None:
            raise NotFound("Nothing here." if folder_id == world.NOWHERE else "Not yours.")
        return mine

    monkeypatch.setattr(DocmsView, "folder", told)
    found = measure(asked, FOLDER, "renter")
    assert found.cell == "A"
    assert [problem.partition(":")[0] for problem in found.wrong] == [
        "B is told from what does not exist",
        "X is told from what does not exist",
    ]


def test_an_error_of_ours_is_found(asked: world.World, monkeypatch: pytest.MonkeyPatch) -> None:
    from docms.api.base import DocmsView

    monkeypatch.setattr(DocmsView, "folder", lambda self, folder_id: 1 // 0)
    assert "A: status 500" in measure(asked, FOLDER, "admin").wrong


def test_a_page_that_loses_its_guard_is_found(asked: world.World, monkeypatch: pytest.MonkeyPatch) -> None:
    from orgs.admin.members import MembershipAdmin

    monkeypatch.setattr(MembershipAdmin, "may_see", lambda self, actor: True)
    line = LINES["GET admin/orgs/membership/"]
    assert line.cells["staff"] == "no"
    assert measure(asked, line, "staff").cell == "+"
