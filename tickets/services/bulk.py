"""The same change for many tickets: what it would do, then doing it, at once or by a worker with progress.

A run lives in the cache: it holds numbers and a wish, nothing that is not in the database or in the audit anyway. It works
through its tickets in batches and notes how far it is, so that a worker that was killed goes on where it stopped; a ticket
that is changed twice to the same is changed once. Rights are asked for each ticket when its turn comes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from core import scope
from core.errors import Conflict, DomainError, Invalid
from core.services import jobs
from core.services.wake import wake
from orgs.actor import actor_for
from orgs.models import Membership, User
from tickets import rules
from tickets.models import DONE, Priority, SupportType, Ticket, TicketStatus
from tickets.services import desk

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orgs.actor import Actor

TASK = "tickets.change_many"
MOST = 10_000  # tickets of one run
AT_ONCE = 25  # up to so many, nobody waits for a worker
BATCH = 50
KEPT = 24 * 3600  # seconds
SHOWN = 20  # tickets by name
PATIENCE = 15 * 60  # seconds without a batch, after which nobody works on a run any more


@dataclass
class Plan:
    """What a change would do."""

    total: int = 0
    changing: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)  # which ticket, why; the first of them
    names: list[str] = field(default_factory=list)  # what would be changed; the first of them

    def refuse(self, name: str, reason: object) -> None:
        """Count one, and name the first."""
        self.refused += 1
        if len(self.refusals) < SHOWN:
            self.refusals.append((name, str(reason)))


@dataclass
class Run:
    """A run, as the page of its progress shows it."""

    pk: int
    user_id: int
    tenant_id: int
    ids: list[int]
    wanted: dict[str, Any]
    language: str
    done: int = 0
    result: Plan = field(default_factory=Plan)
    moved_at: float = field(default_factory=time.time)  # when it began to wait, or the last batch was through

    @property
    def is_over(self) -> bool:
        """Nothing is left to do."""
        return self.done >= len(self.ids)

    @property
    def left(self) -> int:
        """How many no worker has come to; of a batch that was cut off, some may be done all the same."""
        return len(self.ids) - self.done

    @property
    def is_lost(self) -> bool:
        """No worker has done anything for it in a long time."""
        return not self.is_over and time.time() - self.moved_at > PATIENCE


def wanted_of(data: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    """What a form wants changed, by columns; what is empty stays. The assignee is an id, 0 for nobody.

    Raises `Invalid` where nothing is to be changed, or to something that does not exist.
    """
    found: dict[str, Any] = {}
    if status := data.get("status", ""):
        if status not in TicketStatus.values:
            raise Invalid.of("status", _("There is no such status."))
        found["status"] = status
    if kind := data.get("support_type", ""):
        if kind not in SupportType.values:
            raise Invalid.of("support_type", _("There is no such type."))
        found["support_type"] = kind
    if priority := data.get("priority", ""):
        if priority not in {str(value) for value in Priority.values}:
            raise Invalid.of("priority", _("There is no such priority."))
        found["priority"] = int(priority)
    if assignee := data.get("assignee", ""):
        number = int(assignee) if assignee.isascii() and assignee.isdigit() and len(assignee) < 10 else -1
        if number and not Membership.objects.visible_to(actor).living().filter(pk=number).exists():
            raise Invalid.of("assignee", _("There is no such person."))
        found["assignee"] = number
    if not found:
        raise Invalid(_("Choose what is to be changed."))
    return found


def plan(actor: Actor, ids: Sequence[int], wanted: Mapping[str, Any]) -> Plan:
    """What would be changed, and what is refused and why. The number of queries grows with the communities only."""
    result = Plan(total=len(ids))
    found = {t.pk: t for t in _seen(actor, ids).select_related("community__tenant")}
    assignee = _person(wanted)
    may_get: dict[int, Any] = {}
    for ticket in found.values():
        if assignee is not None and ticket.community_id not in may_get:
            may_get[ticket.community_id] = rules.may_be_assigned(assignee, ticket.community)
    closing, chosen = wanted.get("status") in DONE, set(ids)
    children: set[int] = set()
    if closing:
        below = Ticket.objects.filter(parent__in=found, deleted_at=None).exclude(status__in=DONE).exclude(pk__in=chosen)
        children = set(below.values_list("parent_id", flat=True))
    for pk in ids:
        ticket = found.get(pk)
        if ticket is None:
            result.refuse(f"#{pk}", _("It does not exist any more, or you do not look after its community."))
        elif assignee is not None and not may_get[ticket.community_id]:
            result.refuse(str(ticket), may_get[ticket.community_id].reason)
        elif pk in children and ticket.status not in DONE:
            result.refuse(str(ticket), _("Parts of it are still open."))
        elif _differs(ticket, wanted):
            result.changing += 1
            if len(result.names) < SHOWN:
                result.names.append(str(ticket))
        else:
            result.unchanged += 1
    return result


def _seen(actor: Actor, ids: Collection[int]) -> Any:
    found = Ticket.objects.worked_on_by(actor).filter(pk__in=ids)
    return found if actor.tenant_id is None else found.filter(tenant=actor.tenant_id)


def _person(wanted: Mapping[str, Any]) -> Membership | None:
    return Membership.objects.select_related("user").get(pk=wanted["assignee"]) if wanted.get("assignee") else None


def _differs(ticket: Ticket, wanted: Mapping[str, Any]) -> bool:
    stored = {
        "status": ticket.status,
        "support_type": ticket.support_type,
        "priority": ticket.priority,
        "assignee": ticket.assignee_id or 0,
    }
    return any(stored[name] != value for name, value in wanted.items())


def apply(actor: Actor, ids: Sequence[int], wanted: Mapping[str, Any], result: Plan | None = None) -> Plan:
    """Change them one after the other, parts before the whole; what is refused is noted and the rest goes on.

    Side effects: those of `desk.save` for each.
    """
    result = Plan(total=len(ids)) if result is None else result
    found = {ticket.pk: ticket for ticket in _seen(actor, ids)}
    assignee = _person(wanted)
    values = dict(wanted) | ({"assignee": assignee} if "assignee" in wanted else {})
    for pk in sorted(ids, key=lambda pk: (pk in found and found[pk].parent_id is None, pk)):
        ticket = found.get(pk)
        if ticket is None:
            result.refuse(f"#{pk}", _("It does not exist any more, or you do not look after its community."))
            continue
        if not _differs(ticket, wanted):
            result.unchanged += 1
            continue
        try:
            with transaction.atomic():
                desk.save(actor=actor, ticket=ticket, wanted=values)
            result.changing += 1
        except DomainError as error:
            result.refuse(str(ticket), error.message)
    return result


# --- Runs ---------------------------------------------------------------------------------------------------


def _key(pk: int) -> str:
    return f"tickets:bulk:{pk}"


def find(actor: Actor, pk: int) -> Run | None:
    """A run of the actor's own; none where it is over for a day, or somebody else's."""
    run: Run | None = cache.get(_key(pk))
    return run if run is not None and run.user_id == actor.user_id else None


def start(*, actor: Actor, ids: Sequence[int], wanted: Mapping[str, Any], language: str) -> Run:
    """Have a worker do it. Raises `Conflict` above `MOST`, without a tenant in view, and while no worker can be told."""
    if len(ids) > MOST:
        raise Conflict(_("At most %(count)d tickets at once; narrow the list down.") % {"count": MOST})
    if actor.tenant_id is None or actor.user_id is None:
        raise Conflict(_("Choose a tenant first."))
    parts = set(_seen(actor, ids).exclude(parent=None).values_list("pk", flat=True))
    run = Run(
        pk=secrets.randbelow(2**53),
        user_id=actor.user_id,
        tenant_id=actor.tenant_id,
        ids=sorted(ids, key=lambda pk: (pk not in parts, pk)),
        wanted=dict(wanted),
        language=language,
        result=Plan(total=len(ids)),
    )
    cache.set(_key(run.pk), run, KEPT)
    if not wake(TASK, run.pk):
        cache.delete(_key(run.pk))
        raise Conflict(_("The work cannot be handed over at this moment. Please try again in a minute."))
    return run


def go_on(*, actor: Actor, run: Run) -> None:
    """Have a worker take up a run that stands still. Raises `Conflict` while no worker can be told."""
    assert run.user_id == actor.user_id, "runs are people's own"
    stood_since, run.moved_at = run.moved_at, time.time()
    cache.set(_key(run.pk), run, KEPT)
    if not wake(TASK, run.pk):
        run.moved_at = stood_since
        cache.set(_key(run.pk), run, KEPT)
        raise Conflict(_("The work cannot be handed over at this moment. Please try again in a minute."))


def work(run_id: int) -> None:
    """Work through a run, batch by batch; one that is over, forgotten or in work elsewhere is left alone."""
    with jobs.alone(f"{TASK}:{run_id}") as mine:
        run: Run | None = cache.get(_key(run_id)) if mine else None
        while run is not None and not run.is_over:
            batch = run.ids[run.done : run.done + BATCH]
            with (
                scope.unit_of_work(door="back_office", user_id=run.user_id, tenants=[run.tenant_id]),
                override(run.language),
            ):
                user = User.objects.filter(pk=run.user_id).first()
                actor = actor_for(user, door="back_office", tenant_id=run.tenant_id)
                apply(actor, batch, run.wanted, run.result)
            run.done += len(batch)
            run.moved_at = time.time()
            cache.set(_key(run_id), run, KEPT)
