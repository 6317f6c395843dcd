"""What a request is about, an organization or a community: read by every request, so by one statement written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.answers import require
from core.errors import NotFound
from core.planned import ModelRows
from orgs import rules

if TYPE_CHECKING:
    import uuid

    from orgs.actor import Actor
    from orgs.models import Community, Organization

# The organization, and the nearest one from it upwards that demands a second factor of its members.
_ONE = ModelRows(
    """
    SELECT {o}, {d} FROM orgs_organization o
      LEFT JOIN LATERAL (
        SELECT * FROM orgs_organization d WHERE d.enforces_second_factor AND d.id = ANY(o.ancestors || o.id)
         ORDER BY cardinality(d.ancestors) DESC LIMIT 1) d ON true
     WHERE o.id = %(id)s AND o.closed_at IS NULL
    """,
    o="orgs.Organization",
    d="orgs.Organization",
)


_COMMUNITY = ModelRows(
    """
    SELECT {c}, {o}, {t} FROM orgs_community c JOIN orgs_organization o ON o.id = c.organization_id
      JOIN orgs_organization t ON t.id = c.tenant_id
     WHERE c.uuid = %(ref)s AND c.id = ANY(%(reached)s::int[])
    """,
    c="orgs.Community",
    o="orgs.Organization",
    t="orgs.Organization",
)


def community(actor: Actor, ref: uuid.UUID) -> Community | None:
    """The community of this id, with organization and tenant, that somebody lives in or looks after; else none."""
    for one, node, tenant in _COMMUNITY.fetch({"ref": ref, "reached": sorted(actor.communities | actor.managed)}):
        found: Community = one
        found.organization, found.tenant = node, tenant
        return found
    return None


def organization(actor: Actor, organization_id: int) -> Organization:
    """The organization with this id, for somebody who has access to it.

    Raises `NotFound` where there is none, `Denied` for whoever has no access (ORGS-008), and with the code
    ``second_factor_required`` for a member without one where it or an ancestor demands it (ORGS-053, 054).
    """
    found = _ONE.fetch({"id": organization_id})
    if not found:
        raise NotFound(_("There is no such organization."))
    ((one, demanding),) = found
    require(rules.may_look_into(actor, one, demanding))
    organization: Organization = one
    return organization
