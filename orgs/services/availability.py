"""Who of an organization's owners and staff is there: now, and over the last 14 days.

A person counts once in a subtree, as on assignment before available before not available (ORGS-056, 057). Being on
assignment holds in the whole tree: whoever is tied up at a branch is not free at the head office.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.aggregates import BoolOr
from django.db import connection, transaction
from django.db.models import Case, Exists, OuterRef, Value, When
from django.utils import timezone

from core import scope
from core.services import audit, rows
from orgs.models import AvailabilitySample, Engagement, Membership, Organization

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from orgs.actor import Actor
    from orgs.models import User

WINDOW = datetime.timedelta(days=14)  # of the history (ORGS-059)
AVAILABLE, UNAVAILABLE, ENGAGED = "available", "unavailable", "engaged"
PRESENCES = (AVAILABLE, UNAVAILABLE, ENGAGED)
BATCH = 500  # organizations that one statement samples
WORKING = (Membership.Role.OWNER, Membership.Role.STAFF, Membership.Role.AFFILIATE)


@dataclass(frozen=True)
class Counts:
    """Heads of one organization, or of its subtree; the three are disjoint."""

    available: int = 0
    in_event: int = 0
    not_available: int = 0


@dataclass(frozen=True)
class Presence:
    """The organization alone, and with everything below it (ORGS-055)."""

    root: Counts = Counts()
    total: Counts = Counts()


# Members of each asked organization and of what lies below it, each person once.
_COUNTED = """
WITH asked AS (SELECT id, coalesce(ancestors[1], id) AS top FROM orgs_organization WHERE id = ANY(%(ids)s)),
     places AS (
       SELECT a.id, a.top, m.user_id, bool_or(m.is_available) AS free, bool_or(o.id = a.id) AS is_root,
              bool_or(m.is_available) FILTER (WHERE o.id = a.id) AS free_in_root
         FROM orgs_organization o
        CROSS JOIN LATERAL unnest(o.ancestors || o.id) AS above(id)
         JOIN asked a ON a.id = above.id
         JOIN orgs_membership m ON m.organization_id = o.id AND m.role IN ('owner', 'staff')
          AND (m.deactivated_at IS NULL OR m.deactivated_at > %(now)s)
         JOIN orgs_user u ON u.id = m.user_id AND u.erased_at IS NULL
        WHERE o.id = ANY(%(ids)s) OR o.ancestors && %(ids)s::int[]
        GROUP BY a.id, a.top, m.user_id),
     engaged AS (
       SELECT DISTINCT e.user_id, coalesce(o.ancestors[1], o.id) AS top
         FROM orgs_engagement e JOIN orgs_organization o ON o.id = e.organization_id WHERE e.ended_at IS NULL)
SELECT p.id,
       count(*) FILTER (WHERE p.is_root AND e.user_id IS NULL AND p.free_in_root),
       count(*) FILTER (WHERE p.is_root AND e.user_id IS NOT NULL),
       count(*) FILTER (WHERE p.is_root AND e.user_id IS NULL AND NOT p.free_in_root),
       count(*) FILTER (WHERE e.user_id IS NULL AND p.free),
       count(*) FILTER (WHERE e.user_id IS NOT NULL),
       count(*) FILTER (WHERE e.user_id IS NULL AND NOT p.free)
  FROM places p LEFT JOIN engaged e ON e.user_id = p.user_id AND e.top = p.top
 GROUP BY p.id
"""


def counts(organization_ids: Collection[int]) -> dict[int, Presence]:
    """Who is there now in each of these organizations, in one statement; an organization without members has none.

    Members in tenants of the running unit of work are counted, and those outside of tenants.
    """
    if not organization_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"ids": list(organization_ids), "now": timezone.now()})
        found = {row[0]: Presence(Counts(*row[1:4]), Counts(*row[4:7])) for row in cursor.fetchall()}
    return {pk: found.get(pk, Presence()) for pk in organization_ids}


def people(organization: Organization, *, total: bool) -> QuerySet[Any, Any]:
    """Owners and staff of an organization, or of its subtree, each once: ``user_id``, names and ``presence``.

    In event before available before not available (ORGS-056, 057), then by name. The counts of `counts` by name.
    """
    where = {"organization__in": Organization.objects.below(organization.pk).order_by().values("id")}
    found = Membership.objects.active().filter(
        **(where if total else {"organization": organization}), role__in=(Membership.Role.OWNER, Membership.Role.STAFF)
    )
    busy = Engagement.objects.filter(user=OuterRef("user"), ended_at=None, organization__in=_tree(organization))
    each = found.order_by().values("user_id", "user__first_name", "user__last_name", "user__email")
    return (
        each.annotate(free=BoolOr("is_available"), busy=Exists(busy))
        .annotate(
            presence=Case(
                When(busy=True, then=Value(ENGAGED)), When(free=True, then=Value(AVAILABLE)), default=Value(UNAVAILABLE)
            ),
            place=Case(When(busy=True, then=Value(0)), When(free=True, then=Value(1)), default=Value(2)),
        )
        .order_by("place", "user__last_name", "user__first_name", "user_id")
    )


# --- One person -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """What a person is in one tree: ``organization`` is the highest of those in which the person works there."""

    organization: Organization
    presence: str
    on_work_order: bool = False


def standings(actor: Actor) -> list[Standing]:
    """What a person is in each tree in which the person works, by name. One query."""
    places: dict[int, list[Membership]] = {}
    for membership in actor.memberships_list:
        if membership.role in WORKING:
            places.setdefault(_top(membership.organization), []).append(membership)
    if not places:
        return []
    engaged: dict[int, set[str]] = {}
    for engagement in Engagement.objects.filter(user=actor.user_id, ended_at=None).select_related("organization"):
        engaged.setdefault(_top(engagement.organization), set()).add(engagement.source)
    found = []
    for top, mine in places.items():
        free = AVAILABLE if any(m.is_available for m in mine) else UNAVAILABLE
        found.append(
            Standing(
                min((m.organization for m in mine), key=lambda o: (len(o.ancestors), o.pk)),
                ENGAGED if top in engaged else free,
                on_work_order=Engagement.Source.WORK_ORDER in engaged.get(top, ()),
            )
        )
    return sorted(found, key=lambda one: (one.organization.name.lower(), one.organization.pk))


def _top(organization: Organization) -> int:
    top: int = organization.ancestors[0] if organization.ancestors else organization.pk
    return top


def presence_of(user: User, organization: Organization) -> str:
    """What a person is in the tree of an organization: one of `PRESENCES`."""
    if _open_in_tree(user, organization).exists():
        return ENGAGED
    mine = Membership.objects.active().filter(user=user, role__in=WORKING, organization__in=_tree(organization))
    return AVAILABLE if mine.filter(is_available=True).exists() else UNAVAILABLE


@transaction.atomic
def set_presence(*, user: User, organization: Organization, presence: str) -> None:
    """Set oneself available, unavailable or on assignment, wherever one works in the tree of an organization.

    Work orders of other people's making stay as they are: whoever is on one is engaged until it ends. Side effect: audit.
    """
    if presence not in PRESENCES:
        raise ValueError(presence)
    if presence == ENGAGED:
        begin_engagement(user=user, organization=organization, source=Engagement.Source.MANUAL)
        return
    end_engagement(user=user, source=Engagement.Source.MANUAL, organization=organization)
    for membership in Membership.objects.active().filter(
        user=user, role__in=WORKING, organization__in=_tree(organization)
    ):
        rows.change(membership, {"is_available": presence == AVAILABLE})


def _tree(organization: Organization) -> Any:
    return Organization.objects.below(_top(organization)).order_by().values("id")


def _open_in_tree(user: User, organization: Organization) -> Any:
    return Engagement.objects.filter(user=user, ended_at=None, organization__in=_tree(organization))


def begin_engagement(*, user: User, organization: Organization, source: str, source_id: int = 0) -> None:
    """Tie a person up, by hand or by a work order (``source_id``); twice is once. Side effect: audit."""
    _row, made = Engagement.objects.get_or_create(
        user=user, source=source, source_id=source_id or organization.pk, ended_at=None,
        defaults={"organization": organization},
    )  # fmt: skip
    if made:
        audit.record("engagement_begun", user, {"source": [None, source], "source_id": [None, source_id]})


def end_engagement(
    *, user: User, source: str, organization: Organization | None = None, source_id: int | None = None
) -> None:
    """Let a person go again; nothing happens to who is not tied up. Side effect: audit."""
    found = Engagement.objects.filter(user=user, source=source, ended_at=None)
    if organization is not None:
        found = found.filter(organization__in=_tree(organization))
    if source_id is not None:
        found = found.filter(source_id=source_id)
    if found.update(ended_at=timezone.now()):
        audit.record("engagement_ended", user, {"source": [source, None]})


# --- Over time ------------------------------------------------------------------------------------------


def history(organization: Organization, *, until: datetime.datetime) -> Any:
    """The samples of the 14 days before a moment, newest first (ORGS-059, 060)."""
    taken = AvailabilitySample.objects.filter(organization=organization)
    return taken.filter(sampled_at__gt=until - WINDOW, sampled_at__lte=until).order_by("-sampled_at", "-id")


def sample() -> dict[str, int]:
    """Job, hourly: write down who is there in every organization; a second run in the same hour adds nothing."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    taken, last = 0, 0
    while True:
        with scope.unit_of_work(door="job"), scope.all_tenants():
            known = Organization.objects.filter(pk__gt=last, closed_at=None).order_by("pk")
            ids = list(known.values_list("pk", flat=True)[:BATCH])
            if not ids:
                return {"sampled": taken}
            AvailabilitySample.objects.bulk_create(
                (_sample_of(pk, found, hour) for pk, found in counts(ids).items()), ignore_conflicts=True
            )
        taken, last = taken + len(ids), ids[-1]


def _sample_of(organization_id: int, found: Presence, hour: datetime.datetime) -> AvailabilitySample:
    return AvailabilitySample(
        organization_id=organization_id,
        sampled_at=hour,
        root_available=found.root.available,
        root_in_event=found.root.in_event,
        root_not_available=found.root.not_available,
        total_available=found.total.available,
        total_in_event=found.total.in_event,
        total_not_available=found.total.not_available,
    )


def trim_samples() -> dict[str, int]:
    """Job, daily: delete samples older than the window (ORGS-061)."""
    with scope.unit_of_work(door="job"):
        old = AvailabilitySample.objects.filter(sampled_at__lt=timezone.now() - WINDOW)
        return {"deleted": old.delete()[0]}
