"""Every route of the orgs contract. One place, so that a correction of a reconstructed path is a one-line change."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from orgs.api import availability, avatar, organizations, owners, quick_actions, trial
from orgs.api.base import UnknownPath


def _route(address: str, view: Any, **options: Any) -> Any:
    return path(address, view.as_view(**options))


ONE = "organization/<str:organization_id>"
urlpatterns = [
    _route("organization", organizations.Organizations),
    _route(ONE, organizations.OneOrganization),
    _route(f"{ONE}/availability", availability.Availability),
    _route(f"{ONE}/avatar", avatar.Avatar),
    _route(f"{ONE}/children", organizations.Children),
    _route(f"{ONE}/history/availability", availability.History),
    _route(f"{ONE}/location", organizations.Location),
    _route(f"{ONE}/owner/invitation", owners.OwnerInvitations),
    _route(f"{ONE}/owner/invitation/<str:invitation_id>/accept", owners.AcceptOwnerInvitation),
    _route(f"{ONE}/owner/invitation/<str:user_id>", owners.OneOwnerInvitation),
    _route(f"{ONE}/owner/<str:user_id>", owners.OneOwner),
    _route(f"{ONE}/quick-actions", quick_actions.QuickActions),
    _route("organizations", organizations.AllOrganizations),
    _route("organizations/", organizations.AllOrganizations, schema=None),  # ORGS-009
    _route("organizations/owner", organizations.OwnedOrganizations),
    _route("organizations/paginated", organizations.PagedOrganizations),
    _route("trial", trial.OwnTrial),
    _route("organizations/avatars/<uuid:key>", avatar.AvatarPicture),
    # Whatever else begins like this door is unknown in its dialect; the portal's lies beside it.
    re_path(r"^organization.*", UnknownPath.as_view(schema=None)),
    re_path(r"^trial/.*", UnknownPath.as_view(schema=None)),
]
