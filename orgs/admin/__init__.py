"""People and places, members and settings in the back office: one module per noun."""

from __future__ import annotations

from django.contrib.admin import AdminSite

from orgs.admin.access_requests import AccessRequestAdmin
from orgs.admin.contacts import ContactAdmin
from orgs.admin.imports import ImportRunAdmin
from orgs.admin.installation import InstallationSettingsAdmin
from orgs.admin.invites import InviteAdmin
from orgs.admin.members import MembershipAdmin
from orgs.admin.occupancies import OccupancyAdmin
from orgs.admin.organizations import OrganizationAdmin
from orgs.admin.places import BuildingAdmin, CommunityAdmin, UnitAdmin
from orgs.admin.settings import OrganizationSettingsAdmin
from orgs.admin.sign_ins import SignInLogAdmin
from orgs.models import (
    AccessRequest,
    Building,
    Community,
    Contact,
    ImportRun,
    InstallationSettings,
    Invite,
    Membership,
    Occupancy,
    Organization,
    OrganizationSettings,
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
        (OrganizationSettings, OrganizationSettingsAdmin),
        (InstallationSettings, InstallationSettingsAdmin),
        (SignInLog, SignInLogAdmin),
    ):
        site.register(model, admin)
