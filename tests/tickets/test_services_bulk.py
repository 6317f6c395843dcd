"""The same change for many tickets by a worker: through the task, over a kill, a refusal and a lost run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from core.models import AuditEntry
from tests.portal.pages import signed_in
from tickets.models import Ticket
from tickets.services import bulk
from tickets.tasks import change_many

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

pytestmark = pytest.mark.django_db
BULK = "/admin/tickets/ticket/bulk/"
MANY = 60  # more than a batch
URGENT = {"priority": 4}


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to the broker."""
    found: list[tuple[Any, ...]] = []

    def wake(*args: Any) -> bool:
        found.append(args)
        return True

    monkeypatch.setattr(bulk, "wake", wake)
    return found


@pytest.fixture
def many(file: File) -> list[int]:
    return [file(text=f"Fall {number}").pk for number in range(MANY)]


def started(cast: Cast, ids: list[int], **wanted: Any) -> bulk.Run:
    return bulk.start(actor=cast.actor("staff", tenant=cast.tenant), ids=ids, wanted=wanted or URGENT, language="de")


def changes_of(ids: list[int]) -> int:
    entries = AuditEntry.objects.filter(object_type="tickets.ticket", verb="priority_changed")
    return entries.filter(object_id__in=[str(pk) for pk in ids]).count()


def urgent(ids: list[int]) -> int:
    return Ticket.objects.filter(pk__in=ids, priority=4).count()


def test_a_worker_changes_what_was_chosen_on_the_page(cast: Cast, many: list[int], sent: list[tuple[Any, ...]]) -> None:
    client = signed_in(cast.staff)
    answer = client.post(BULK, {"ids": many, "priority": "4", "do": "apply", "query": ""})
    [(task, pk)] = sent
    assert (answer.status_code, answer["Location"], task) == (302, f"{BULK}{pk}/", change_many.name)
    assert urgent(many) == 0
    assert client.get(f"{BULK}{pk}/").context["result"] == ""
    change_many(pk)
    assert urgent(many) == MANY
    assert str(MANY) in client.get(f"{BULK}{pk}/").context["result"]


def test_a_run_that_is_sent_twice_changes_once(cast: Cast, many: list[int]) -> None:
    run = started(cast, many)
    change_many(run.pk)
    change_many(run.pk)
    assert changes_of(many) == MANY


def test_a_worker_that_was_killed_goes_on_where_it_stopped(
    cast: Cast, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, apply = started(cast, many), bulk.apply
    batches: list[int] = []

    def killed(actor: Any, ids: Any, *args: Any) -> Any:
        batches.append(len(ids))
        if len(batches) == 2:
            raise SystemExit
        return apply(actor, ids, *args)

    monkeypatch.setattr(bulk, "apply", killed)
    with pytest.raises(SystemExit):
        change_many(run.pk)
    left = bulk.find(cast.actor("staff"), run.pk)
    assert left is not None
    assert (left.done, left.is_over) == (bulk.BATCH, False)
    change_many(run.pk)
    over = bulk.find(cast.actor("staff"), run.pk)
    assert over is not None
    assert (over.is_over, over.result.changing) == (True, MANY)
    assert batches == [bulk.BATCH, MANY - bulk.BATCH, MANY - bulk.BATCH]
    assert changes_of(many) == MANY


def test_a_batch_that_was_done_but_not_noted_is_not_done_again(cast: Cast, many: list[int]) -> None:
    run = started(cast, many)
    before = cache.get(bulk._key(run.pk))
    change_many(run.pk)
    cache.set(bulk._key(run.pk), before)
    change_many(run.pk)
    over = bulk.find(cast.actor("staff"), run.pk)
    assert over is not None
    assert (over.result.changing, over.result.unchanged) == (0, MANY)
    assert changes_of(many) == MANY


def test_a_refusal_stops_nothing(cast: Cast, many: list[int], file: File) -> None:
    foreign = file("neighbour", community=cast.house_b)
    run = started(cast, [foreign.pk, *many])
    change_many(run.pk)
    over = bulk.find(cast.actor("staff"), run.pk)
    assert over is not None
    assert (over.result.changing, over.result.refused) == (MANY, 1)
    assert urgent([foreign.pk]) == 0


def test_a_run_that_was_lost_is_told_and_does_nothing(cast: Cast, many: list[int]) -> None:
    run, client = started(cast, many), signed_in(cast.staff)
    cache.delete(bulk._key(run.pk))
    change_many(run.pk)
    assert urgent(many) == 0
    page = client.get(f"{BULK}{run.pk}/", follow=True)
    assert [str(m.level_tag) for m in page.context["messages"]] == ["warning"]
    assert client.get(f"{BULK}{run.pk}/", headers={"HX-Request": "true"})["HX-Redirect"] == "/admin/tickets/ticket/"


def test_somebody_elses_run_is_not_told_from_one_that_was_lost(cast: Cast, many: list[int]) -> None:
    run, client = started(cast, many), signed_in(cast.admin)
    answers = [client.get(f"{BULK}{pk}/") for pk in (run.pk, run.pk + 1)]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, "/admin/tickets/ticket/")] * 2


def test_a_run_that_stands_still_says_what_is_done_and_goes_on_when_it_is_told_to(
    cast: Cast, many: list[int], monkeypatch: pytest.MonkeyPatch, sent: list[tuple[Any, ...]]
) -> None:
    run, client, apply = started(cast, many), signed_in(cast.staff), bulk.apply
    page = f"{BULK}{run.pk}/"

    def killed(actor: Any, ids: Any, *args: Any) -> Any:
        monkeypatch.setattr(bulk, "apply", broken)
        return apply(actor, ids, *args)

    def broken(*args: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(bulk, "apply", killed)
    with pytest.raises(SystemExit):
        change_many(run.pk)
    monkeypatch.setattr(bulk, "apply", apply)
    assert "Weiter" not in client.get(page).content.decode()
    client.post(page)  # it may still be in work: nobody takes it up a second time
    assert len(sent) == 1
    later = time.time() + bulk.PATIENCE + 1
    monkeypatch.setattr(bulk.time, "time", lambda: later)
    shown = client.get(page)
    assert (shown.context["run"].done, shown.context["run"].left) == (bulk.BATCH, MANY - bulk.BATCH)
    assert f"{bulk.BATCH} von {MANY}" in shown.content.decode()
    assert str(bulk.BATCH) in shown.context["result"]
    assert client.get(page, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert client.post(page)["Location"] == page
    assert sent == [(change_many.name, run.pk)] * 2
    assert not client.get(page).context["run"].is_lost
    change_many(run.pk)
    assert (urgent(many), changes_of(many)) == (MANY, MANY)
    assert str(MANY) in client.get(page).context["result"]


def test_a_run_that_cannot_be_taken_up_again_says_so(
    cast: Cast, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, client = started(cast, many), signed_in(cast.staff)
    later = time.time() + bulk.PATIENCE + 1
    monkeypatch.setattr(bulk.time, "time", lambda: later)
    monkeypatch.setattr(bulk, "wake", lambda *args: False)
    page = client.post(f"{BULK}{run.pk}/", follow=True)
    assert [str(m.level_tag) for m in page.context["messages"]] == ["error"]
    assert page.context["run"].is_lost


def test_nobody_goes_on_with_somebody_elses_run(
    cast: Cast, many: list[int], monkeypatch: pytest.MonkeyPatch, sent: list[tuple[Any, ...]]
) -> None:
    run = started(cast, many)
    later = time.time() + bulk.PATIENCE + 1
    monkeypatch.setattr(bulk.time, "time", lambda: later)
    signed_in(cast.admin).post(f"{BULK}{run.pk}/")
    assert len(sent) == 1
