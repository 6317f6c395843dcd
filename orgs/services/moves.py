"""Organizations hung elsewhere in the tree: what a move changes, and the move itself.

`orgs.services.tree.change` moves, under the lock of the tree; `effects` says beforehand what that would change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Exists, ManyToOneRel, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Conflict, DomainError, NotFound
from core.services import blobs, rows
from orgs import rules
from orgs.models import Community, CommunityAssignment, Membership, Organization, SecondFactor, User
from orgs.services import members, tenants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from orgs.actor import Actor

NAMED = 10  # people that are named; of more there is a number
WORKING = (Membership.Role.OWNER, Membership.Role.STAFF, Membership.Role.AFFILIATE)


# --- What a move changes --------------------------------------------------------------------------------


@dataclass(frozen=True)
class People:
    """Some people: how many, and the names of those that the asker may know."""

    total: int = 0
    names: tuple[str, ...] = ()

    @property
    def unnamed(self) -> int:
        """How many more there are than named."""
        return self.total - len(self.names)


@dataclass(frozen=True)
class Effects:
    """What a move would change. With a ``refusal`` it would change nothing, and nothing else is filled in but the paths.

    ``factor_before`` and ``factor_after`` are the organizations that demand a second factor of the people of the moved
    one: itself or those above it, from the top down.
    """

    refusal: DomainError | None = None
    before: tuple[Organization, ...] = ()
    after: tuple[Organization, ...] = ()
    organizations: int = 0
    people: int = 0
    communities: int = 0
    gain: People = field(default_factory=People)
    lose: People = field(default_factory=People)
    takes_from_actor: bool = False
    factor_before: tuple[Organization, ...] = ()
    factor_after: tuple[Organization, ...] = ()
    without_factor: int = 0
    tenant_before: Organization | None = None
    tenant_after: Organization | None = None
    leaving: int = 0

    @property
    def duty_begins(self) -> bool:
        """A second factor will be demanded that is not demanded now."""
        return bool(self.factor_after and not self.factor_before)

    @property
    def duty_ends(self) -> bool:
        """It is demanded now, and will not be."""
        return bool(self.factor_before and not self.factor_after)

    @property
    def changes_tenant(self) -> bool:
        """It leaves one company, or comes into one."""
        return self.tenant_before != self.tenant_after


def effects(*, actor: Actor, organization: Organization, parent: Organization | None) -> Effects:
    """What hanging an organization below another (None = on top) would change. Reads only, in a fixed number of queries.

    Paths and names hold what the asker has access to (ORGS-027); numbers count all. Raises nothing: a move that would be
    refused carries its ``refusal``.
    """
    with scope.all_tenants():
        return _effects(actor, organization, parent)


def _effects(actor: Actor, organization: Organization, parent: Organization | None) -> Effects:
    above = (*parent.ancestors, parent.pk) if parent else ()
    line = {one.pk: one for one in Organization.objects.filter(pk__in=(*organization.ancestors, *above))}
    seen = set(Organization.objects.open_to(actor).filter(pk__in=line).order_by().values_list("pk", flat=True))
    before, after = ((*(line[pk] for pk in ids if pk in seen), organization) for ids in (organization.ancestors, above))
    leaving: list[Membership] = []
    try:
        place = checked_place(actor, organization, parent)
        new_tenant = tenant_after(organization, place)
        if new_tenant != organization.tenant_id:
            leaving = checked_leaving(organization, organization.tenant_id)[1]
        if organization.parent_id == (place.pk if place else None):
            raise Conflict(_("It lies there already."), code="same_place")
    except DomainError as error:
        return Effects(refusal=error, before=before, after=after)
    gain, lose = _owners(organization, above, line, seen)
    below = Organization.objects.below(organization.pk).order_by()
    working = Membership.objects.active().filter(organization__in=below.values("id"), role__in=WORKING)
    factors = SecondFactor.objects.filter(user=OuterRef("user"), confirmed_at__isnull=False)
    demanding = [
        tuple(one for one in (*(line[pk] for pk in ids), organization) if one.enforces_second_factor)
        for ids in (organization.ancestors, above)
    ]
    people = working.order_by().values("user")
    begins = bool(demanding[1] and not demanding[0])
    companies = Organization.objects.in_bulk([pk for pk in (organization.tenant_id, new_tenant) if pk])
    return Effects(
        before=before,
        after=after,
        organizations=below.count(),
        people=people.distinct().count(),
        communities=Community.objects.filter(organization__in=below.values("id")).count(),
        gain=gain[0],
        lose=lose[0],
        takes_from_actor=actor.user_id in lose[1],
        factor_before=demanding[0],
        factor_after=demanding[1],
        without_factor=people.filter(~Exists(factors)).distinct().count() if begins else 0,
        tenant_before=companies.get(organization.tenant_id or 0),
        tenant_after=companies.get(new_tenant or 0),
        leaving=len(leaving),
    )


_Owners = tuple[People, set[int]]


def _owners(
    organization: Organization, above: Sequence[int], line: dict[int, Organization], seen: set[int]
) -> tuple[_Owners, _Owners]:
    """Who gains owner rights by new ancestors, and who loses those that came from old ones."""
    owned: dict[int, set[int]] = {}
    names: dict[int, str] = {}
    owning = Membership.objects.active().filter(organization__in=(*line, organization.pk), role=Membership.Role.OWNER)
    for membership in owning.select_related("user").order_by("user__last_name", "user__first_name", "user_id"):
        owned.setdefault(membership.organization_id, set()).add(membership.user_id)
        if membership.organization_id in seen:
            names[membership.user_id] = str(membership.user)
    own = owned.get(organization.pk, set())
    old = own.union(*(owned.get(pk, set()) for pk in organization.ancestors))
    new = own.union(*(owned.get(pk, set()) for pk in above))
    return (_people(new - old, names), new - old), (_people(old - new, names), old - new)


def _people(ids: set[int], names: dict[int, str]) -> People:
    return People(len(ids), tuple(name for pk, name in names.items() if pk in ids)[:NAMED])


# --- The move -------------------------------------------------------------------------------------------


def checked_place(actor: Actor, organization: Organization, parent: Organization | None) -> Organization | None:
    """The new parent as it is now; None for the top level. Raises `NotFound`, `Conflict` (``cycle``), `Denied`."""
    above = None
    if parent is not None:
        above = Organization.objects.filter(pk=parent.pk).first()
        if above is None:
            raise NotFound
        if organization.pk in (above.pk, *above.ancestors):
            raise Conflict(_("An organization cannot lie below itself."), code="cycle")
    require(rules.may_move_organization(actor, organization, above))
    return above


def move(actor: Actor, organization: Organization, parent: Organization | None) -> None:
    """Hang the node elsewhere; the caller has the lock of the tree, and the node as it is now."""
    above = checked_place(actor, organization, parent)
    old_tenant, new_tenant = organization.tenant_id, tenant_after(organization, above)
    ancestors = [*above.ancestors, above.pk] if above else []
    people: set[int] = set()
    if new_tenant != old_tenant:
        with scope.all_tenants():
            people = _leave_tenant(organization, old_tenant, new_tenant)
    rows.change(
        organization, {"parent": above, "ancestors": ancestors, "tenant_id": new_tenant}, verb="moved", check=False
    )
    _rewrite_below(organization, old_tenant)
    if new_tenant != old_tenant:
        with scope.all_tenants():
            _take_in(people, new_tenant)
            _take_pictures_along(organization)


def tenant_after(organization: Organization, parent: Organization | None) -> int | None:
    """The tenant of a node that hangs below another: a tenant stays its own."""
    if organization.is_tenant:
        return organization.pk
    return parent.tenant_id if parent else None


def _take_in(people: set[int], tenant_id: int | None) -> None:
    """Places on the node of the tenant, for those who stand below it now. Who left it with a branch comes back, without
    any right: whoever moves the branch owns the tenant.
    """
    if tenant_id is None:
        return
    tenant = Organization.objects.get(pk=tenant_id)
    for user in User.objects.filter(pk__in=people).order_by("pk"):
        place = tenants.ensure_member(user=user, organization=tenant, role=Membership.Role.AFFILIATE)
        if place.is_deactivated and place.role == Membership.Role.AFFILIATE:
            changes = {**members.NO_RIGHTS, "deactivated_at": None}
            members.change(membership=place, changes=changes, verb="reactivated")


def _take_pictures_along(organization: Organization) -> None:
    """Bytes lie in their tenant: pictures of what has moved to another are stored there once more."""
    moved = Organization.objects.below(organization.pk).filter(avatar__isnull=False).select_related("avatar")
    for node in moved:
        picture = node.avatar
        if picture is None or picture.tenant_id == node.tenant_id:
            continue
        with blobs.open_blob(picture) as file:
            copy = blobs.store(file, tenant_id=node.tenant_id, limit=picture.size)
        rows.change(node, {"avatar": copy}, check=False)


def _rewrite_below(organization: Organization, old_tenant: int | None) -> None:
    """Ancestors and tenant of everything below, in one statement; nodes of another tenant keep theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orgs_organization
               SET ancestors = %(prefix)s::int[] || ancestors[array_position(ancestors, %(id)s::int):],
                   tenant_id = CASE WHEN tenant_id IS NOT DISTINCT FROM %(old)s THEN %(new)s ELSE tenant_id END,
                   row_version = row_version + 1, updated_at = now()
             WHERE ancestors @> ARRAY[%(id)s]::int[]
            """,
            {
                "prefix": organization.ancestors, "id": organization.pk,
                "old": old_tenant, "new": organization.tenant_id,
            },
        )  # fmt: skip


def _leave_tenant(organization: Organization, old: int | None, new: int | None) -> set[int]:
    """Take the people below along; returns them. Raises `Conflict` where more than people stands below.

    Who then works nowhere in the old tenant loses the place there that was for its documents only.
    """
    people, leaving = checked_leaving(organization, old)
    _end(leaving)
    Membership.objects.filter(organization__in=_nodes(organization, old)).update(tenant_id=new)
    return people


def _nodes(organization: Organization, tenant_id: int | None) -> Any:
    return Organization.objects.below(organization.pk).filter(tenant=tenant_id).order_by().values("id")


def checked_leaving(organization: Organization, tenant_id: int | None) -> tuple[set[int], list[Membership]]:
    """Who leaves a tenant with a branch of it, and the places on the tenant's node that end with that.

    Raises `Conflict` (``tenant_bound``) where more than people stands below. Asked in all tenants.
    """
    nodes = _nodes(organization, tenant_id)
    below = Membership.objects.filter(organization__in=nodes)
    bound = Conflict(
        _("Communities, or people who work with documents, of one tenant cannot be moved to another."),
        code="tenant_bound",
    )
    if (
        Community.objects.filter(organization__in=nodes).exists()
        or CommunityAssignment.objects.filter(membership__in=below.values("id")).exists()
    ):
        raise bound
    people = set(below.values_list("user_id", flat=True))
    return people, _ending(nodes, people, tenant_id, bound)


def end_places(nodes: Any, people: set[int], tenant_id: int | None, bound: Conflict) -> None:
    """End the places on the tenant's node of those who will work nowhere else in it. Raises ``bound``, see `_ending`."""
    _end(_ending(nodes, people, tenant_id, bound))


def _ending(nodes: Any, people: set[int], tenant_id: int | None, bound: Conflict) -> list[Membership]:
    """The places on the tenant's node of those who will work nowhere else in it.

    Raises ``bound`` where one of them holds a right there, or higher floors have hung something on the place (a group, a
    permission of their own): that is for the tenant to take first.
    """
    at_home = Membership.objects.filter(organization=tenant_id, user__in=people, role=Membership.Role.AFFILIATE)
    staying = Membership.objects.filter(tenant=tenant_id, user__in=people).exclude(organization__in=nodes)
    elsewhere = set(staying.exclude(role=Membership.Role.AFFILIATE).values_list("user_id", flat=True))
    leaving = at_home.exclude(user__in=elsewhere)
    rights = Q(*((flag, True) for flag in members.NO_RIGHTS), _connector=Q.OR)
    if leaving.filter(rights).exists() or _is_used_upstairs(leaving):
        raise bound
    return [membership for membership in leaving if not membership.is_deactivated]


def _end(places: list[Membership]) -> None:
    for membership in places:
        members.change(membership=membership, changes={"deactivated_at": timezone.now()}, verb="deactivated")


def _is_used_upstairs(places: QuerySet[Membership]) -> bool:
    """Whether a row of a higher floor refers to one of these places; this floor names none of them."""
    for relation in Membership._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and relation.related_model._meta.app_label != "orgs":
            referring = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": places.values("pk")}
            )
            if referring.exists():
                return True
    return False
