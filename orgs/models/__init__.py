"""Who and where: organizations, people, places, sign-in, settings, holds."""

from orgs.models.holds import Hold
from orgs.models.imports import ImportRun
from orgs.models.membership import CommunityAssignment, Membership
from orgs.models.oauth import OAuthClient, OAuthGrant, OAuthIdToken, OAuthRefreshToken, OAuthToken
from orgs.models.organization import (
    AvailabilitySample,
    Engagement,
    License,
    Organization,
    OwnerInvitation,
    QuickAction,
    Trial,
)
from orgs.models.people import AccessRequest, Contact, ContactIndex, Invite, Occupancy, Responsibility
from orgs.models.places import Building, Community, Unit
from orgs.models.settings import InstallationSettings, OrganizationSettings
from orgs.models.sign_in import (
    AccessToken,
    Application,
    ApplicationUser,
    OneTimeLink,
    RecoveryCode,
    SecondFactor,
    Session,
    SignInLog,
)
from orgs.models.users import IdentityProvider, User, UserIdentity

__all__ = [
    "AccessRequest",
    "AccessToken",
    "Application",
    "ApplicationUser",
    "AvailabilitySample",
    "Building",
    "Community",
    "CommunityAssignment",
    "Contact",
    "ContactIndex",
    "Engagement",
    "Hold",
    "IdentityProvider",
    "ImportRun",
    "InstallationSettings",
    "Invite",
    "License",
    "Membership",
    "OAuthClient",
    "OAuthGrant",
    "OAuthIdToken",
    "OAuthRefreshToken",
    "OAuthToken",
    "Occupancy",
    "OneTimeLink",
    "Organization",
    "OrganizationSettings",
    "OwnerInvitation",
    "QuickAction",
    "RecoveryCode",
    "Responsibility",
    "SecondFactor",
    "Session",
    "SignInLog",
    "Trial",
    "Unit",
    "User",
    "UserIdentity",
]
