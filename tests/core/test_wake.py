"""Waking workers: after the commit, in one go, and never for what was undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery import current_app
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


def test_a_message_is_celerys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written without `send_task`, but for the id as it would be."""
    name, args = "docms.index_document", (7,)
    monkeypatch.setattr(wake._broker, "silent_until", 0.0)  # a test before this one may have stopped the broker
    with current_app.connection_for_write() as line, line.channel() as channel:
        channel.client.delete(QUEUE)
        assert wake.wake(name, *args)
        current_app.send_task(name, args=args, ignore_result=True)
        mine, theirs = (_plain(channel.client.rpop(QUEUE)) for _one in range(2))
    assert mine == theirs


QUEUE = "celery"


def _plain(text: bytes) -> dict[str, Any]:
    """A message without what is each one's own, and without limits of time, which the worker knows of its tasks itself."""
    found: dict[str, Any] = json.loads(text)
    for own in ("id", "root_id", "timelimit"):
        found["headers"].pop(own)
    for own in ("correlation_id", "delivery_tag", "reply_to"):
        found["properties"].pop(own)
    return found
