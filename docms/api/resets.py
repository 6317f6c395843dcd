"""What administrators reset for people who cannot sign in: second factor, failed attempts, password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.response import Response

from core.answers import require
from core.errors import Denied, NotFound
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.services import members
from orgs import rules
from orgs.models import AccessToken, User
from orgs.services import members as org_members

if TYPE_CHECKING:
    from rest_framework.request import Request


class ResetTfa(DocmsView):
    """`/users/{userId}/tfa`."""

    @operation(
        "resetUserTfa", tag="TFA", summary="Reset a user's TFA key in the current tenant",
        description="Removes the key. A user for whom TFA is enforced has to enrol again at the next sign-in.",
        refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, user_id: int) -> Response:
        """One's own, or for administrators anybody's; the personal key of the account stays."""
        membership = self.self_or_admin(user_id)
        if membership.pk == self.membership.pk:
            token = self.request.auth
            assert isinstance(token, AccessToken)
            passed_at = None if token.application_id else token.activated_at
            require(rules.may_drop_own_key(membership, passed_at=passed_at))
        org_members.reset_tenant_key(membership=membership)
        return Response()


class ResetTfaEverywhere(DocmsView):
    """`/users/{userId}/tfa/all-tenants`."""

    @operation(
        "resetUserTfaEverywhere", tag="TFA", summary="Reset a user's TFA keys in every tenant",
        description="Removes the keys of all tenants of the account, and its personal one.", refusals=(401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, user_id: int) -> Response:
        """The operator only, for any account of the installation (DOCMS-028)."""
        if not self.actor.is_operator:
            if self.is_admin:
                self.member(user_id)  # who is not seen does not exist
            raise Denied(_("Only the operator may do this."))
        user = User.objects.filter(pk=user_id, erased_at=None).first()
        if user is None:
            raise NotFound
        org_members.reset_keys_everywhere(user=user)
        return Response()


class ResetLoginAttempts(DocmsView):
    """`/users/{userId}/login-attempts`."""

    @operation(
        "resetLoginAttempts", tag="Users", summary="Clear failed sign-ins of a user",
        description="Sets the counter to zero and lifts a lock. Counterpart for administrators of the "
        "group-administrator operation.",
        refusals=(401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, user_id: int) -> Response:
        """Administrators only (DOCMS-040)."""
        self.require_admin()
        org_members.reset_attempts(actor=self.actor, membership=self.member(user_id))
        return Response()


class SendPasswordMail(DocmsView):
    """`/password/user/{userId}`."""

    @operation(
        "sendPasswordMailToUser", tag="Password", summary="Send a password link to a user",
        description="Queues an init mail for a user who never set a password, otherwise a reset mail.",
        refusals=(401, 403, 404),
    )  # fmt: skip
    def post(self, request: Request, user_id: int) -> Response:
        """Administrators only (DOCMS-035, 036)."""
        self.require_admin()
        members.send_link(actor=self.actor, membership=self.member(user_id))
        return Response()
