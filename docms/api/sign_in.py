"""Signing in: password, choice of tenant, second factor, sign-out."""

from __future__ import annotations

import base64
import binascii
import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response

from core import scope
from core.errors import Conflict, Denied, Invalid, NotFound
from core.services import throttle
from docms.api import auth
from docms.api.base import DocmsView
from docms.api.errors import Unauthorized, operation
from docms.api.fields import LocaleField, locale_of, moment
from docms.services.pictures import as_base64
from orgs.models import AccessToken, Membership, Organization, SecondFactor, SignInLog, User
from orgs.services import passwords, second_factor, tokens
from orgs.services.sign_in import sign_in_locking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rest_framework.request import Request

CODES_MAX = 5  # wrong codes that end a token (DOCMS-025)
KEY_LIFE = datetime.timedelta(minutes=10)  # of a key that nobody confirmed


class LoginResponse(serializers.Serializer):
    """The account and its token, which no tenant is chosen for yet."""

    user_id = serializers.IntegerField(help_text="Id of the authenticated account.")
    token = serializers.CharField(
        help_text="Opaque token, still inactive: usable only for tenant listing, tenant selection, TFA, "
        "password change and logout."
    )


class AssignedTenant(serializers.Serializer):
    """Tenant as listed for a user before selection."""

    tenant_id = serializers.IntegerField(help_text="Tenant id to pass to the selection call.")
    company_name = serializers.CharField(help_text="Display name of the tenant.")
    locale = LocaleField()
    logo = serializers.CharField(allow_null=True, help_text="Logo as Base64.")


class TenantSelection(serializers.Serializer):
    """What became of the choice."""

    token_expire = serializers.CharField(help_text="Moment the token stops working once active.")
    tfa_needed = serializers.BooleanField(
        help_text="True when a TFA code must be verified before the token becomes active."
    )
    tfa_setup = serializers.BooleanField(
        help_text="True when TFA is enforced for the user but no key is enrolled for this tenant yet."
    )


class TfaKey(serializers.Serializer):
    """A key, shown once."""

    tfa_key = serializers.CharField(help_text="Base32 TOTP secret to show once, normally as a QR code.")


class PasswordCredentials(BaseAuthentication):
    """HTTP Basic. The view itself checks the password, because a failure is counted."""

    def authenticate(self, request: Request) -> None:
        """Nobody yet."""


class _BasicScheme(OpenApiAuthenticationExtension):
    target_class = PasswordCredentials
    name = "basicAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """User name or address, and password."""
        return {"type": "http", "scheme": "basic", "description": "User name or mail address and password."}


def basic(request: Request) -> tuple[str, str]:
    """User name and password of the Authorization header. Raises `Unauthorized`."""
    kind, _blank, value = request.headers.get("Authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Unauthorized from None
    if kind.lower() != "basic" or not colon:
        raise Unauthorized
    return user, password


class Login(DocmsView):
    """`/login`."""

    authentication_classes = (PasswordCredentials,)
    keeps_refusals = True
    challenge = "Basic"

    @operation(
        "login", tag="Authentication", summary="Sign in with user name and password",
        description="Checks the credentials sent by HTTP Basic and issues an inactive token.",
        gives=LoginResponse, refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Unknown account, wrong password and locked account are answered alike (DOCMS-039)."""
        identifier, password = basic(request)
        outcome = sign_in_locking(identifier=identifier, password=password, ip=request.client_ip)  # type: ignore[attr-defined]
        if outcome.outcome != "ok" or outcome.user is None:
            raise Unauthorized
        token, _row = tokens.issue(
            kind=AccessToken.Kind.DOCMS_SESSION,
            user=outcome.user,
            expires_in=tokens.PENDING_LIFE,
            state=AccessToken.State.PENDING,
            ip=request.client_ip,  # type: ignore[attr-defined]
            user_agent=request.headers.get("User-Agent", "")[:300],
        )
        return Response({"user_id": outcome.user.pk, "token": token})


class GetTenants(DocmsView):
    """`/get-tenants`."""

    authentication_classes = (auth.PendingToken,)

    @operation(
        "listAssignedTenants", tag="Authentication", summary="List tenants the user may enter",
        description="Tenants in which the account is a member and not deactivated, sorted by name.",
        gives=AssignedTenant(many=True), refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Those of the actor, who was reduced without the ones the person is deactivated in."""
        rows = (
            Organization.objects.tenants()
            .filter(pk__in=self.actor.memberships)
            .select_related("settings__logo")
            .order_by("name", "id")
        )
        return Response(
            [
                {
                    "tenant_id": row.pk,
                    "company_name": row.name,
                    "locale": locale_of(row.language),
                    "logo": as_base64(row.settings.logo),
                }
                for row in rows
            ]
        )


class _TokenView(DocmsView):
    """Works on the presented token itself; what a refusal counted stays."""

    authentication_classes: Sequence[Any] = (auth.PendingToken,)
    keeps_refusals = True

    @property
    def token(self) -> AccessToken:
        """The presented one."""
        token = self.request.auth
        assert isinstance(token, AccessToken)
        return token

    @property
    def user(self) -> User:
        """Its account."""
        user = self.token.user
        assert user is not None
        return user

    def log(self, kind: str, tenant_id: int | None) -> None:
        """An entry of the login log."""
        SignInLog.objects.create(
            user=self.user,
            tenant_id=tenant_id,
            type=kind,
            door="docms",
            ip=self.request.client_ip,  # type: ignore[attr-defined]
        )

    def bound_tenant(self, *, unbound_status: int = 403) -> Organization:
        """The tenant the token was bound to, entered.

        Raises `Denied` when it bars the caller, and when none was selected, which is answered with ``unbound_status``:
        not every operation lists 403.
        """
        if self.token.organization_id is None:
            raise Denied(_("Please select a tenant first."), denied_status=unbound_status)
        return self.enter(self.token.organization_id).organization

    def enter(self, tenant_id: int) -> Membership:
        """The caller's place in a tenant, with its rules asked and the unit of work moved there.

        Raises `NotFound` for a tenant of others and for an unknown one alike (DOCMS-007), `Denied` for somebody
        deactivated (DOCMS-059) or a barred network (DOCMS-015, 016).
        """
        with scope.all_tenants():
            membership = auth.membership_of(self.user.pk, tenant_id)
        if membership is None:
            raise NotFound
        scope.enter_tenants([tenant_id])
        if membership.is_deactivated:
            raise Denied(_("Your access to this company has ended."), code="user_deactivated")
        auth.check_network(self.request, tenant_id)
        return membership

    @property
    def failures(self) -> throttle.Counter:
        """Failed sign-ins of the account at this door."""
        return passwords.account_counters(self.user)[1]

    def activate(self) -> None:
        """The token works from now on; its end was set when the tenant was selected. The sign-in was a success."""
        AccessToken.objects.filter(pk=self.token.pk).update(
            state=AccessToken.State.ACTIVE, activated_at=timezone.now(), failed_codes=0
        )
        throttle.clear(self.failures)

    def require_right(self, check: Callable[[], bool], tenant_id: int) -> None:
        """Raise `Unauthorized` unless a code is right; none is while the account is locked (DOCMS-039).

        The fifth wrong code ends the token and counts as one failed sign-in
        (DOCMS-025); choosing a tenant again between them does not begin anew.
        """
        wrong = Unauthorized(_("This code is not right."), code="code_wrong")
        if throttle.remaining(self.failures):
            self.log(SignInLog.Type.LOCKED, tenant_id)
            raise wrong
        if check():
            return
        self.log(SignInLog.Type.TFA_FAILED, tenant_id)
        AccessToken.objects.filter(pk=self.token.pk).update(failed_codes=F("failed_codes") + 1)
        self.token.refresh_from_db(fields=["failed_codes"])
        if self.token.failed_codes >= CODES_MAX:
            tokens.revoke(self.token)
            throttle.fail(self.failures)
        raise wrong


class SelectTenant(_TokenView):
    """`/select-tenant/{tenantId}`."""

    authentication_classes = (auth.LeavingToken,)

    @operation(
        "selectTenant", tag="Authentication", summary="Bind the token to a tenant",
        description="Binds the token to the tenant and fixes its expiry. The token becomes active at once unless TFA "
        "is outstanding. Refused with PASSWORD_CHANGE_REQUIRED while a password change is due and with "
        "NETWORK_NOT_ALLOWED when the tenant bars the caller's network.",
        gives=TenantSelection, refusals=(400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, tenant_id: int) -> Response:
        """The lifetime is set here, once: another choice never prolongs it (DOCMS-008, 012)."""
        if self.user.password_change_due:
            raise Denied(_("Please change your password first."), code="password_change_required")
        membership = self.enter(tenant_id)
        tenant = membership.organization
        needed = second_factor.confirmed(self.user, tenant) is not None
        setup = not needed and second_factor.obliged(self.user, tenant)
        now = timezone.now()
        expires = now + datetime.timedelta(seconds=membership.token_sec)
        if self.token.activated_at is not None and self.token.expires_at is not None:
            expires = min(expires, self.token.expires_at)
        values: dict[str, Any] = {"organization": tenant, "expires_at": expires}
        if needed or setup:
            values["state"] = AccessToken.State.PENDING
            if self.token.activated_at is not None:
                values["created_at"] = now  # it waits for a code again, so its ten minutes begin again
        else:
            values |= {"state": AccessToken.State.ACTIVE, "activated_at": self.token.activated_at or now}
        AccessToken.objects.filter(pk=self.token.pk, revoked_at=None).update(**values)
        self.log(SignInLog.Type.TENANT_SELECTED, tenant.pk)
        return Response({"token_expire": moment(expires, tenant.zone), "tfa_needed": needed, "tfa_setup": setup})


class Logout(_TokenView):
    """`/logout`."""

    authentication_classes = (auth.EndingToken,)

    @operation(
        "logout", tag="Authentication", summary="Sign out",
        description="Revokes the token presented and writes a login log entry.", refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The person's other tokens live on (DOCMS-013)."""
        tokens.revoke(self.token)
        self.log(SignInLog.Type.LOGOUT, self.token.organization_id)
        return Response()


class RequestTfaKey(_TokenView):
    """`GET /tfa`."""

    @operation(
        "requestTfaKey", tag="TFA", summary="Obtain a new TFA key",
        description="Creates a pending key for the user in the selected tenant, to be confirmed with the activation "
        "call. Refused with 409 when a confirmed key exists.",
        gives=TfaKey, refusals=(401, 403, 409),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """A confirmed personal key counts, too: otherwise the password alone could enrol past it."""
        tenant = self.bound_tenant()
        if second_factor.confirmed(self.user, tenant):
            raise Conflict(_("There is a confirmed key already."))
        return Response({"tfa_key": second_factor.start(self.user, tenant).secret})


class ActivateTfa(_TokenView):
    """`POST /tfa/{tfainput}`."""

    @operation(
        "activateTfa", tag="TFA", summary="Confirm the new TFA key",
        description="Confirms the pending key with a current code. The key is then required at every later sign-in to "
        "this tenant, and a token waiting for enrolment becomes active.",
        refusals=(400, 401, 409),
    )  # fmt: skip
    def post(self, request: Request, tfainput: str) -> Response:
        """A wrong code leaves the key pending (DOCMS-023)."""
        tenant = self.bound_tenant(unbound_status=400)
        if second_factor.confirmed(self.user, tenant):
            raise Conflict(_("There is a confirmed key already."))
        key = _fresh(second_factor.pending(self.user, tenant))
        self.require_right(lambda: second_factor.confirm(key, tfainput), tenant.pk)
        self.log(SignInLog.Type.TFA_OK, tenant.pk)
        self.activate()  # one that was active has passed the second factor from now on, too
        return Response()


def _fresh(key: SecondFactor | None) -> SecondFactor:
    if key is None or key.created_at + KEY_LIFE <= timezone.now():
        raise Invalid(_("There is no key to confirm. Please request one."))
    return key


class VerifyTfaCode(_TokenView):
    """`POST /tfa/{code}/verify`."""

    @operation(
        "verifyTfaCode", tag="TFA", summary="Pass the TFA check at sign-in",
        description="Verifies a code for the enrolled key and activates the token. A code can be used once; wrong "
        "codes count as failed attempts.",
        refusals=(400, 401),
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        """The tenant's key, else the personal one."""
        tenant = self.bound_tenant(unbound_status=400)
        key = second_factor.confirmed(self.user, tenant)
        if key is None:
            raise Invalid(_("No key is set up for this company."))
        if self.token.state == AccessToken.State.ACTIVE:
            raise Invalid(_("The token is active already."))
        self.require_right(lambda: second_factor.verify(factor=key, code=code), tenant.pk)
        self.activate()
        self.log(SignInLog.Type.TFA_OK, tenant.pk)
        return Response()
