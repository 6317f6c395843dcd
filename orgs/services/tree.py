"""The tree of organizations: nodes made, changed and deleted; moving one is `orgs.services.moves`.

Whoever makes a node shares the lock of the tree with others who do; whoever moves or deletes one has it alone, so that
nobody derives a path from a parent that moves at the same time. Readers never wait.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Conflict, Invalid, NotFound
from core.services import rows
from core.text import is_blank
from orgs import rules
from orgs.languages import is_tag, zone_names
from orgs.models import Contact, Membership, Organization, Trial, User
from orgs.services import moves, tenants

if TYPE_CHECKING:
    from orgs.actor import Actor

_LOCK = 5  # the class of advisory locks; jobs take 1, folders 2, the sealer 3, holds 4
TRIAL = datetime.timedelta(days=14)
RETENTION_MAX = 1200  # months
COLUMNS = frozenset(
    {
        "name", "description", "language", "timezone", "retention_months", "enforces_second_factor",
        "location_address", "latitude", "longitude", "tags",
    }
)  # fmt: skip


def lock(*, shared: bool = False) -> None:
    """Hold the tree still until the transaction ends."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, 0)", [_LOCK])


def enforces(organization: Organization) -> bool:
    """Whether it or an ancestor demands a second factor (ORGS-053)."""
    line = (organization.pk, *organization.ancestors)
    return Organization.objects.filter(pk__in=line, enforces_second_factor=True).exists()


# --- Made and changed -----------------------------------------------------------------------------------


@transaction.atomic
def create(*, actor: Actor, parent: Organization | None, values: Mapping[str, Any]) -> Organization:
    """Add a node; whoever makes it owns it (ORGS-010 … 018), and it shares the maker's running trial (ORGS-080).

    ``values`` are columns of `COLUMNS`; language and zone default to the parent's. Side effects: audit, and the maker's
    place on the node of the tenant it lies in. Raises `Denied` without owner rights in the parent (ORGS-014), without an
    account at the top, `Invalid` for wrong values, `NotFound` when the parent is gone.
    """
    above = _fresh_parent(parent)
    require(rules.may_add_organization(actor, above))
    stored = checked(values, actor=actor)
    organization = tenants.create_organization(
        name=stored.pop("name", ""),
        parent=above,
        language=stored.pop("language", ""),
        timezone_name=stored.pop("timezone", ""),
        created_by=actor.user,
        trial_ends_at=_trial_end(actor.user),
        **stored,
    )
    if actor.user is not None:
        _let_own(actor.user, organization)
    return organization


def _fresh_parent(parent: Organization | None) -> Organization | None:
    lock(shared=True)
    if parent is None:
        return None
    found = Organization.objects.filter(pk=parent.pk).first()
    if found is None:
        raise NotFound
    return found


def _trial_end(user: User | None) -> datetime.datetime | None:
    trial = Trial.objects.filter(user=user).first() if user is not None else None
    if trial is None:
        return None
    end = trial.started_at + TRIAL
    return end if end > timezone.now() else None


def _let_own(user: User, organization: Organization) -> None:
    """The first owner, with a place on the node of the tenant that it lies in."""
    with scope.all_tenants():
        tenants.add_member(user=user, organization=organization, role=Membership.Role.OWNER)
        join_tenant(user, organization.tenant_id)


def join_tenant(user: User, tenant_id: int | None) -> None:
    """Whoever stands anywhere in a tenant has a row on its own node, for document flags (one-model, Membership).

    Raises `Conflict` (``deactivated``) for somebody whose place there was ended: every door of the tenant is closed then.
    """
    if tenant_id is None:
        return
    tenant = Organization.objects.get(pk=tenant_id)
    place = tenants.ensure_member(user=user, organization=tenant, role=Membership.Role.AFFILIATE)
    if place.is_deactivated:
        raise Conflict(_("This person's place in the company was ended."), code="deactivated")


@transaction.atomic
def change(
    *, actor: Actor, organization: Organization, values: Mapping[str, Any], expected: int | None = None
) -> Organization:
    """Write columns of `COLUMNS`, and with ``parent`` (None = the top level) move the node with all below it.

    What is left out stays (ORGS-020); ``tags`` of anybody but the operator are passed over (ORGS-023). Raises `Denied`
    (ORGS-022, 033), `Invalid` for wrong values, `Conflict` for a move below itself (ORGS-031) or out of a tenant that
    things of it stand in (one-model, conflict 55), `NotFound` when it is gone, `Changed`.
    """
    values = dict(values)
    is_moved = "parent" in values
    parent = values.pop("parent", None)
    lock(shared=not is_moved)
    fresh = Organization.objects.select_for_update(no_key=True, of=("self",)).filter(pk=organization.pk).first()
    if fresh is None:
        raise NotFound
    if is_moved and (parent.pk if parent else None) == fresh.parent_id:
        is_moved = False
    require(rules.may_change_organization(actor, fresh))
    if fresh.is_tenant and not rules.may_own(actor, fresh):
        require(rules.may_change_settings(actor, fresh.pk))  # while they are locked, super administrators (DOCMS-043)
    before = fresh.name
    rows.change(fresh, checked(values, actor=actor, organization=fresh), expected=expected)
    if fresh.is_tenant and fresh.name != before:
        with scope.all_tenants():
            rename_party(fresh, before)
    if is_moved:
        moves.move(actor, fresh, parent)
    return fresh


def rename_party(tenant: Organization, before: str) -> None:
    """The company's own party goes by the company's name, unless somebody gave it another. Side effect: audit."""
    for party in Contact.objects.filter(tenant=tenant, kind=Contact.Kind.SELF, company=before):
        rows.change(party, {"company": tenant.name})


def checked(values: Mapping[str, Any], *, actor: Actor, organization: Organization | None = None) -> dict[str, Any]:
    """Columns as they are stored. Raises `Invalid` naming the fields, `TypeError` for an unknown column."""
    unknown = values.keys() - COLUMNS
    if unknown:
        raise TypeError(f"unknown columns of an organization: {', '.join(sorted(unknown))}")
    stored = {name: value for name, value in values.items() if name != "tags" or actor.is_operator}
    wrong: dict[str, list[str]] = {}
    if "name" in stored or organization is None:
        stored["name"] = str(stored.get("name", "")).strip()
        if is_blank(stored["name"]):
            wrong["name"] = [_("A name is needed.")]
    if stored.get("language") and not is_tag(stored["language"]):
        wrong["language"] = [_("Must be a language tag such as de or en-GB.")]
    if stored.get("timezone") and stored["timezone"] not in zone_names():
        wrong["timezone"] = [_("Must be a time zone such as Europe/Berlin.")]
    if not 0 <= stored.get("retention_months", 0) <= RETENTION_MAX:
        wrong["retention_months"] = [_("The retention period lies between 0 and 1200 months.")]
    wrong |= _wrong_place(stored, organization)
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)
    if organization is not None:  # what is empty here means "as it is" only for a new one
        for name in ("language", "timezone"):
            if not stored.get(name, "x"):
                stored.pop(name)
    return stored


def _wrong_place(stored: Mapping[str, Any], organization: Organization | None) -> dict[str, list[str]]:
    """Coordinates that do not go together or lie outside the earth (ORGS-069)."""
    found: dict[str, list[str]] = {}
    both = {name: stored.get(name, getattr(organization, name, None)) for name in ("latitude", "longitude")}
    if (both["latitude"] is None) != (both["longitude"] is None):
        missing = "latitude" if both["latitude"] is None else "longitude"
        found[missing] = [_("Latitude and longitude go together.")]
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = both[name]
        if value is not None and not -most <= value <= most:  # a comparison with NaN is false, too
            found[name] = [_("Must be a number from %(least)d to %(most)d.") % {"least": -most, "most": most}]
    return found


# --- Deleted --------------------------------------------------------------------------------------------


@transaction.atomic
def delete(*, actor: Actor, organization: Organization) -> None:
    """Delete a node with its picture, place, quick actions, invitations and history; accounts stay (ORGS-037).

    Raises `Denied` without owner rights, `Conflict` while others lie below (ORGS-035) or a tenant's data hang on it
    (ORGS-036; a tenant itself is emptied first), `NotFound` when it is gone.
    """
    lock()
    fresh = Organization.objects.select_for_update(of=("self",)).filter(pk=organization.pk).first()
    if fresh is None:
        raise NotFound
    require(rules.may_own(actor, fresh))
    if Organization.objects.filter(parent=fresh).exists():
        raise Conflict(_("Other organizations lie below this one."), code="has_children")
    kept = Conflict(_("Data of a tenant still hang on this organization."), code="has_data")
    if fresh.is_tenant:
        raise kept
    with scope.all_tenants():
        if fresh.tenant_id is not None:
            people = set(Membership.objects.filter(organization=fresh).values_list("user_id", flat=True))
            moves.end_places([fresh.pk], people, fresh.tenant_id, kept)
        try:
            rows.delete(fresh)
        except (ProtectedError, RestrictedError) as error:
            raise kept from error
