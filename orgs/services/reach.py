"""Whether somebody may look into an organization: asked by every request of its door, so by one statement written out.

The rule is that of `OrganizationQuerySet.visible_to` and `open_to`, which lists go through; a test holds both together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from core.errors import Denied, NotFound
from core.planned import ModelRows

if TYPE_CHECKING:
    from orgs.actor import Actor
    from orgs.models import Organization

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


def organization(actor: Actor, organization_id: int) -> Organization:
    """The organization with this id, for somebody who has access to it.

    Raises `NotFound` where there is none, `Denied` for whoever has no access (ORGS-008), and with the code
    ``second_factor_required`` for a member without one where it or an ancestor demands it (ORGS-053, 054).
    """
    found = _ONE.fetch({"id": organization_id})
    if not found:
        raise NotFound(_("There is no such organization."))
    ((one, demanding),) = found
    if not actor.is_operator:
        if one.pk not in actor.organizations and actor.owned_organizations.isdisjoint(one.ancestors):
            raise Denied(_("You have no access to this organization."))
        if demanding is not None and actor.user is not None and not actor.has_second_factor:
            problem = _("This organization demands a second factor. Please set one up in your profile.")
            raise Denied(problem, code="second_factor_required")
    organization: Organization = one
    return organization
