"""People and places, and members in the back office: one module per noun."""

from __future__ import annotations

from functools import partial

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from orgs.admin import licence, updates
from orgs.admin.access_requests import AccessRequestAdmin
from orgs.admin.applications import ApplicationAdmin
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
    Application,
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
        (Application, ApplicationAdmin),
    ):
        site.register(model, admin)


def urls(site: AdminSite) -> list[URLPattern]:
    """Own pages. Updates ask the updater between their own transactions, so that page guards itself."""
    return [
        path("licence/", site.admin_view(partial(licence.page, site)), name="licence"),
        path("updates/", updates.view(site), name="updates"),
    ]
