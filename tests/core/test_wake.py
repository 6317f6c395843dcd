"""Waking workers: after the commit, in one go, and never for what was undone."""

from __future__ import annotations

import pytest
from django.db import transaction

from core.services import wake

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, tuple[int, ...]]]]:
    """What went to the broker, by round trip."""
    found: list[list[tuple[str, tuple[int, ...]]]] = []
    monkeypatch.setattr(wake, "wake_all", lambda tasks: found.append(list(tasks)))
    return found


def test_one_change_wakes_all_at_once(sent: list[list[tuple[str, tuple[int, ...]]]]) -> None:
    with transaction.atomic():
        wake.wake_after_commit("one", 1)
        wake.wake_after_commit("two", 2)
        assert sent == []
    assert sent == [[("one", (1,)), ("two", (2,))]]


def test_what_was_undone_wakes_nobody(sent: list[list[tuple[str, tuple[int, ...]]]]) -> None:
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            wake.wake_after_commit("undone", 1)
            1 / 0  # noqa: B018
        wake.wake_after_commit("kept", 2)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            wake.wake_after_commit("undone too", 3)
            1 / 0  # noqa: B018
        wake.wake_after_commit("kept too", 4)
    assert sent == [[("kept", (2,)), ("kept too", (4,))]]


def test_without_a_transaction_it_is_sent_now(sent: list[list[tuple[str, tuple[int, ...]]]]) -> None:
    wake.wake_after_commit("now", 1)
    assert sent == [[("now", (1,))]]
