"""External applications: records, keys, and signing in as one."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core import scope
from core.answers import require
from core.errors import Denied, NotFound
from docms.api import auth
from docms.api.base import DocmsView
from docms.api.errors import Unauthorized, operation
from docms.api.fields import IdField, IdsField, LineField, MomentField, moment
from docms.api.sign_in import PasswordCredentials, basic
from orgs.models import AccessToken, Application, ApplicationUser, SignInLog, User
from orgs.services import applications, licences, tokens
from orgs.services.sign_in import find_user

if TYPE_CHECKING:
    from rest_framework.request import Request


class App(serializers.Serializer):
    """External application allowed to use the API on behalf of named users."""

    app_id = serializers.IntegerField(help_text="Application id.")
    name = serializers.CharField(help_text="Application name, unique in the tenant.")
    deactivated = MomentField(allow_null=True, help_text="Moment from which the application is switched off.")
    user_ids = IdsField(help_text="Users the application may act for.")


class AppUpdate(serializers.Serializer):
    """Fields to change; omitted ones keep their value."""

    name = LineField(required=False, max_length=100)
    deactivated = MomentField(required=False, allow_null=True, days=True)
    user_ids = IdsField(required=False)


class AppCreate(AppUpdate):
    """New application."""

    name = LineField(max_length=100)


class AppKeyRequest(serializers.Serializer):
    """Whom the key is for."""

    user_id = IdField(help_text="User the key is for; must be listed in the application.")


class AppKey(serializers.Serializer):
    """Secret an application uses together with a user name."""

    app_id = serializers.IntegerField(help_text="Application.")
    user_id = serializers.IntegerField(help_text="User.")
    key = serializers.CharField(help_text="Key, shown in this response only.")
    created = MomentField(help_text="Moment of issue.")


class AppLoginResponse(serializers.Serializer):
    """Result of an application login."""

    user_id = serializers.IntegerField(help_text="Id of the account the application acts for.")
    token = serializers.CharField(help_text="Opaque token, active right away for the tenant of the application.")
    token_expire = MomentField(help_text="Moment the token stops working.")


class _AppView(DocmsView):
    """What the operations on applications share."""

    def application(self, app_id: int) -> Application:
        """One that the caller sees. Raises `NotFound`."""
        found = Application.objects.visible_to(self.actor).filter(pk=app_id, tenant=self.tenant.pk).first()
        if found is None:
            raise NotFound
        return found

    def written(self, **which: Any) -> list[dict[str, Any]]:
        """Applications of the tenant as the contract writes them, in one query."""
        users = ApplicationUser.objects.filter(application=OuterRef("pk")).order_by("user_id").values("user_id")
        found = Application.objects.visible_to(self.actor).filter(tenant=self.tenant.pk, **which).order_by("name", "pk")
        return [
            {
                "app_id": row["pk"],
                "name": row["name"],
                "deactivated": moment(row["deactivated_at"], self.tenant.zone),
                "user_ids": row["users"],
            }
            for row in found.annotate(users=ArraySubquery(users)).values("pk", "name", "deactivated_at", "users")
        ]

    def values(self, serializer: type[AppUpdate]) -> tuple[dict[str, Any], list[int] | None]:
        """Columns and people of the body."""
        body = self.body(serializer)
        users = body.pop("user_ids", None)
        if "deactivated" in body:
            body["deactivated_at"] = body.pop("deactivated")
        return body, users


class Apps(_AppView):
    """`/apps`."""

    @operation(
        "listApps", tag="Apps", summary="List external applications", description="All applications of the tenant.",
        gives=App(many=True), refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Super administrators only."""
        self.require_super_admin()
        return Response(self.written())

    @operation(
        "createApp", tag="Apps", summary="Create an external application",
        description="Registers an application and the users it may act for.",
        takes=AppCreate, gives=App, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Super administrators only, where the add-on is licensed."""
        self.require_super_admin()
        values, users = self.values(AppCreate)
        made = applications.create(tenant=self.tenant, values=values, user_ids=users or ())
        return Response(self.written(pk=made.pk)[0])


class OneApp(_AppView):
    """`/apps/{appId}`."""

    @operation(
        "getApp", tag="Apps", summary="Read an external application", description="One application.",
        gives=App, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, app_id: int) -> Response:
        """Super administrators only."""
        self.require_super_admin()
        return Response(self.written(pk=self.application(app_id).pk)[0])

    @operation(
        "updateApp", tag="Apps", summary="Change an external application",
        description="Removing a user or deactivating the application revokes keys and tokens concerned.",
        takes=AppUpdate, gives=App, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, app_id: int) -> Response:
        """Super administrators only (DOCMS-176)."""
        self.require_super_admin()
        application = self.application(app_id)
        values, users = self.values(AppUpdate)
        applications.change(application=application, values=values, user_ids=users)
        return Response(self.written(pk=app_id)[0])

    @operation(
        "deleteApp", tag="Apps", summary="Delete an external application",
        description="Revokes all its keys and tokens; log entries keep the id.", refusals=(401, 403, 404),
    )  # fmt: skip
    def delete(self, request: Request, app_id: int) -> Response:
        """Super administrators only."""
        self.require_super_admin()
        applications.delete(application=self.application(app_id))
        return Response()


class AppKeys(_AppView):
    """`/apps/{appId}/keys`."""

    @operation(
        "createAppKey", tag="Apps", summary="Issue an application key",
        description="Creates the key for one user, replacing an earlier one; it is shown once.",
        takes=AppKeyRequest, gives=AppKey, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def post(self, request: Request, app_id: int) -> Response:
        """For anybody as super administrator, else for oneself; never by an application (one-model, section 3)."""
        token = request.auth
        if isinstance(token, AccessToken) and token.application_id is not None:
            raise Denied(_("An application cannot issue keys."))
        user_id = self.body(AppKeyRequest)["user_id"]
        if user_id != self.actor.user_id:
            self.require_super_admin()
        application = self.application(app_id)
        assert self.actor.user is not None  # who has a token
        key, row = applications.issue_key(application=application, user_id=user_id, created_by=self.actor.user)
        return Response(
            {"app_id": app_id, "user_id": user_id, "key": key, "created": moment(row.created_at, self.tenant.zone)}
        )


class AppLogin(DocmsView):
    """`/login/app`."""

    authentication_classes = (PasswordCredentials,)
    keeps_refusals = True  # a revoked key stays revoked
    challenge = "Basic"

    @operation(
        "loginApplication", tag="Authentication", summary="Sign in as an external application",
        description="HTTP Basic with the user name and an application key. Yields a token that is active at once for "
        "the application's tenant; TFA does not apply.",
        gives=AppLoginResponse, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """An unknown key, another person's and one of an application that is switched off are answered alike."""
        username, secret = basic(request)
        key = tokens.find(secret, kinds=("app_key",))
        user = find_user(username)
        if key is None or user is None or key.user_id != user.pk or key.organization_id is None:
            raise Unauthorized
        scope.identify(user.pk)
        scope.enter_tenants([key.organization_id])
        assert key.application_id is not None  # the database demands one for this kind
        if not applications.is_usable(key.application_id, user.pk):
            applications.revoke_for(key)
            self._log(SignInLog.Type.LOGIN_FAILED, user, key)
            raise Unauthorized
        membership = auth.membership_of(user.pk, key.organization_id)
        if membership is None:
            raise Unauthorized
        if membership.is_deactivated:
            raise Denied(_("Your access to this company has ended."), code="user_deactivated")
        auth.check_network(request, key.organization_id)
        require(licences.may_use(key.organization_id, licences.APPLICATIONS))
        lifetime = datetime.timedelta(seconds=membership.token_sec)
        token, row = tokens.issue(
            kind=AccessToken.Kind.DOCMS_SESSION,
            user=user,
            expires_in=lifetime,
            organization_id=key.organization_id,
            application_id=key.application_id,
            state=AccessToken.State.ACTIVE,
            activated_at=timezone.now(),
            ip=request.client_ip,  # type: ignore[attr-defined]
            user_agent=request.headers.get("User-Agent", "")[:300],
        )
        tokens.note_use(key)
        self._log(SignInLog.Type.APP_LOGIN, user, key)
        expires = moment(row.expires_at, membership.organization.zone)
        return Response({"user_id": user.pk, "token": token, "token_expire": expires})

    def _log(self, kind: str, user: User, key: AccessToken) -> None:
        """An entry of the login log, with the application (DOCMS-177)."""
        SignInLog.objects.create(
            user=user,
            tenant_id=key.organization_id,
            app_id=key.application_id,
            type=kind,
            door="docms",
            ip=self.request.client_ip,  # type: ignore[attr-defined]
        )
