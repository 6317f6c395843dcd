"""Owners and their invitations. Tokens travel by mail only (ORGS-047)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from core.errors import Invalid, NotFound
from core.services import throttle
from orgs.api.base import ORGANIZATION_ID, USER_ID, OrgsView, positive
from orgs.api.errors import StatusMessage, done, operation
from orgs.api.shapes import Organization, shape_of
from orgs.services import owners

if TYPE_CHECKING:
    from rest_framework.request import Request

    from orgs.models import OwnerInvitation as Row

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
INVITATION_ID = OpenApiParameter(
    "invitation_id", {"type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[A-Za-z0-9_-]+$"}, "path",
    required=True, description="Secret token from the invitation e-mail.",
)  # fmt: skip


class OwnerInvitationRequest(serializers.Serializer):
    """Whom to invite."""

    email = serializers.EmailField(max_length=254)


class OwnerInvitation(serializers.Serializer):
    """An open invitation."""

    email = serializers.EmailField()
    organizationID = serializers.IntegerField()
    userID = serializers.IntegerField()


def _shape(invitation: Row) -> dict[str, Any]:
    return {
        "email": invitation.email,
        "organizationID": invitation.organization_id,
        "userID": invitation.user_id,
    }


class OwnerInvitations(OrgsView):
    """`/organization/{organizationID}/owner/invitation`."""

    keeps_refusals = True  # unknown addresses are counted

    @operation(
        "ListOwnerInvitations", tag="owner", summary="Open owner invitations", gives=OwnerInvitation(many=True),
        parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str) -> Response:
        """For whoever has owner rights."""
        found = owners.open_invitations(actor=self.actor, organization=self.organization(organization_id))
        return Response([_shape(invitation) for invitation in found])

    @operation(
        "InviteOwner", tag="owner", summary="Invite a registered user as owner",
        description="The acceptance token leaves the system by e-mail only; no response carries it.",
        takes=OwnerInvitationRequest, gives=OwnerInvitation, parameters=(ORGANIZATION_ID,),
        refusals=(400, 401, 403, 404, 409, 413, 500),
    )  # fmt: skip
    def post(self, request: Request, organization_id: str) -> Response:
        """See `owners.invite`. Who asks for addresses that have no account, or for the same person again and again, waits
        longer and longer."""
        organization = self.organization(organization_id)
        email = self.body(OwnerInvitationRequest)["email"]
        counter, mails = owners.counters(actor=self.actor, email=email)
        throttle.check(counter, mails)
        try:
            invitation = owners.invite(actor=self.actor, organization=organization, email=email)
        except NotFound:
            throttle.fail(counter)
            raise
        throttle.fail(mails)  # each is a mail to somebody who did not ask for it
        return Response(_shape(invitation))


class AcceptOwnerInvitation(OrgsView):
    """`/organization/{organizationID}/owner/invitation/{invitationID}/accept`."""

    @operation(
        "AcceptOwnerInvitation", tag="owner", summary="Become an owner",
        description="Only the invited user can accept; an organization token cannot.", gives=StatusMessage,
        parameters=(ORGANIZATION_ID, INVITATION_ID), refusals=(400, 401, 403, 404, 409, 500),
    )  # fmt: skip
    def post(self, request: Request, organization_id: str, invitation_id: str) -> Response:
        """See `owners.accept` (ORGS-048 … 052)."""
        person = self.person
        if not _TOKEN.fullmatch(invitation_id):
            raise Invalid(_("This is no token of an invitation."), fields={"invitationID": [_("Wrong form.")]})
        owners.accept(user=person, organization_id=positive(organization_id, "organizationID"), token=invitation_id)
        return done(_("You are an owner now."))


class OneOwnerInvitation(OrgsView):
    """`/organization/{organizationID}/owner/invitation/{userID}`."""

    @operation(
        "RemoveOwnerInvitation", tag="owner", summary="Withdraw an open owner invitation",
        description="Addressed by the invited user, not by the token.", gives=StatusMessage,
        parameters=(ORGANIZATION_ID, USER_ID), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def delete(self, request: Request, organization_id: str, user_id: str) -> Response:
        """See `owners.withdraw` (ORGS-051)."""
        organization = self.organization(organization_id)
        owners.withdraw(actor=self.actor, organization=organization, user_id=positive(user_id, "userID"))
        return done(_("The invitation was withdrawn."))


class OneOwner(OrgsView):
    """`/organization/{organizationID}/owner/{userID}`."""

    @operation(
        "GetOwnerInParentOrganization", tag="owner", summary="Highest organization on the path that the user owns",
        description="Looks at the organization and all its ancestors and answers with the one closest to the top of the "
        "tree that lists the user as owner.",
        gives=Organization, parameters=(ORGANIZATION_ID, USER_ID), refusals=(400, 401, 403, 404, 500),
    )  # fmt: skip
    def get(self, request: Request, organization_id: str, user_id: str) -> Response:
        """See `owners.topmost` (ORGS-039, 040)."""
        organization = self.organization(organization_id)
        return Response(
            shape_of(owners.topmost(actor=self.actor, organization=organization, user_id=positive(user_id, "userID")))
        )

    @operation(
        "RemoveOwner", tag="owner", summary="Take ownership away from a user", gives=StatusMessage,
        parameters=(ORGANIZATION_ID, USER_ID), refusals=(400, 401, 403, 404, 409, 500),
    )  # fmt: skip
    def delete(self, request: Request, organization_id: str, user_id: str) -> Response:
        """See `owners.remove` (ORGS-041 … 043, 084)."""
        organization = self.organization(organization_id)
        owners.remove(actor=self.actor, organization=organization, user_id=positive(user_id, "userID"))
        return done(_("The person is no owner any more."))
