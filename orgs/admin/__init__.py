"""People and places, and members in the back office: one module per noun."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from orgs.admin.access_requests import AccessRequestAdmin
from orgs.admin.contacts import ContactAdmin
from orgs.admin.imports import ImportRunAdmin
from orgs.admin.invites import InviteAdmin
from orgs.admin.members import MembershipAdmin
from orgs.admin.occupancies import OccupancyAdmin
from orgs.admin.organizations import OrganizationAdmin
from orgs.admin.places import BuildingAdmin, CommunityAdmin, UnitAdmin
from orgs.admin.sign_ins import SignInLogAdmin
from orgs.models import (
    AccessRequest,
    Building,
    Community,
    Contact,
    ImportRun,
    Invite,
    Membership,
    Occupancy,
    Organization,
    SignInLog,
    Unit,
)


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    for model, admin in (
        (Community, CommunityAdmin),
        (Building, BuildingAdmin),
        (Unit, UnitAdmin),
        (Contact, ContactAdmin),
        (Occupancy, OccupancyAdmin),
        (Invite, InviteAdmin),
        (AccessRequest, AccessRequestAdmin),
        (ImportRun, ImportRunAdmin),
        (Membership, MembershipAdmin),
        (Organization, OrganizationAdmin),
        (SignInLog, SignInLogAdmin),
    ):
        site.register(model, admin)
