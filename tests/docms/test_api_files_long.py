"""`GET /files` of very many documents: the same answer, sent in pieces, in flat memory."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import scope
from docms.api import file_rows
from docms.models import Document
from tests.cast import Cast
from tests.docms.door import Caller, signed_in
from tests.factories import publish
from tests.portal.pages import house_folder

if TYPE_CHECKING:
    from docms.models import Folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(cast: Cast) -> Caller:
    return signed_in(cast.admin, cast.tenant)


@pytest.fixture
def where(cast: Cast) -> Folder:
    return house_folder(cast)


def many(cast: Cast, where: Folder, number: int) -> Document:
    """So many documents that share one content; the first one is returned."""
    with scope.unit_of_work(door="test"):
        first = publish(cast, where, title="Papier", internal_note="Nur für uns")
    Document.objects.bulk_create(
        [
            Document(
                tenant=cast.tenant, folder=where, title=f"Papier {n % 7}", sort_key=f"papier {n % 7}", filename="p.pdf", current=first.current,
                uploaded_by=cast.admin, internal_note="Nur für uns",
            )
            for n in range(number - 1)
        ],
        batch_size=1000,
    )  # fmt: skip
    return first


def answer(caller: Caller) -> Any:
    return Client().get("/docms/api/v1/files?all=true", headers={"authorization": f"Bearer {caller.token}"})


@pytest.mark.rule("DOCMS-187")
def test_in_pieces_it_is_the_same_answer(
    cast: Cast, admin: Caller, where: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(cast, where, 23)
    whole = answer(admin)
    assert not whole.streaming
    monkeypatch.setattr(file_rows, "PIECE", 5)
    parts = answer(admin)
    assert parts.streaming
    assert b"".join(parts) == whole.content
    assert parts["Content-Type"] == whole["Content-Type"]
    assert parts["Cache-Control"] == "no-store"


def test_what_is_deleted_or_hidden_meanwhile_is_left_out(
    cast: Cast, admin: Caller, where: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(cast, where, 12)
    monkeypatch.setattr(file_rows, "PIECE", 5)
    pieces = iter(answer(admin))
    begun = next(pieces)
    Document.objects.filter(claimed_at=None).update(delete_after_next_download=True, claimed_at="2026-01-01T00:00Z")
    assert len(json.loads(begun + b"".join(pieces))) == 5


def test_each_piece_costs_the_same(cast: Cast, admin: Caller, where: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    many(cast, where, 15)
    monkeypatch.setattr(file_rows, "PIECE", 5)
    pieces = iter(answer(admin))
    cost = []
    for _piece in range(3):
        with CaptureQueriesContext(connection) as captured:
            next(pieces)
        cost.append(len(captured))
    assert cost[0] == cost[1] == cost[2] <= 7  # the rows, the flags for notes, and the unit of work around them


def test_memory_stays_flat(cast: Cast, admin: Caller, where: Folder) -> None:
    def peak() -> int:
        tracemalloc.start()
        sent = sum(len(piece) for piece in answer(admin))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sent > Document.objects.count() * 500
        return used

    many(cast, where, 2_000)
    answer(admin)
    peak()  # what is loaded once
    few = peak()
    many(cast, where, 18_000)
    assert peak() < few + 2_000_000  # the rows alone are ten times as many: 15 MB as JSON, far more as objects
