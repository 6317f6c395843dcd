"""The own password, and links that set one."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from core import scope
from core.errors import Denied, Invalid
from core.services import throttle
from docms.api.auth import PendingToken
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.sign_in import _TokenView
from orgs.services import passwords
from orgs.services.installation import installation

if TYPE_CHECKING:
    from rest_framework.request import Request


ADDRESS_MAX = 254  # characters of an e-mail address


class PasswordChange(serializers.Serializer):
    """The present and the new password."""

    current_password = serializers.CharField(max_length=256, trim_whitespace=False, help_text="In use until now.")
    new_password = serializers.CharField(
        max_length=256, trim_whitespace=False, help_text="Must satisfy the installation policy."
    )


class PasswordReset(serializers.Serializer):
    """The new password."""

    new_password = serializers.CharField(
        max_length=256, trim_whitespace=False, help_text="Must satisfy the installation policy."
    )


class ChangePassword(_TokenView):
    """`/password`."""

    authentication_classes = (PendingToken,)

    @operation(
        "changePassword", tag="Password", summary="Change own password",
        description="Replaces the caller's password after checking the current one. Also usable with an inactive "
        "token. All other tokens of the account are revoked.",
        takes=PasswordChange, refusals=(400, 401, 413),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Guessing the current one is counted apart from sign-ins, and locks this call alone."""
        values = self.body(PasswordChange)
        counter = throttle.Counter("docms_password", f"account:{self.user.pk}", policy="lock")
        if throttle.remaining(counter):
            raise passwords.wrong_password()
        try:
            passwords.change_password(
                self.user,
                current=values["current_password"],
                new=values["new_password"],
                keep_token=self.token.pk,
            )
        except Invalid as error:
            if error.code == "wrong_password":
                throttle.fail(counter)
            raise
        throttle.clear(counter)
        return Response()


class SetPasswordByToken(DocmsView):
    """`/password/token/{token}`."""

    authentication_classes = ()

    @operation(
        "setPasswordByToken", tag="Password", summary="Set a password with a mailed link",
        description="Redeems an init or reset link once, sets the password, clears the failed-login counter and "
        "revokes all tokens of the account.",
        takes=PasswordReset, refusals=(400, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, token: str) -> Response:
        """Unknown, used and expired links are answered alike (DOCMS-033)."""
        values = self.body(PasswordReset)
        with scope.all_tenants():
            passwords.set_by_link(token, values["new_password"])
        return Response()


class RequestPasswordMail(DocmsView):
    """`/password/mail/{mail}`."""

    authentication_classes = ()

    @operation(
        "requestPasswordMail", tag="Password", summary="Ask for a reset link by mail",
        description="Queues a reset mail when an account with this address exists. The answer is the same whether or "
        "not it does.",
        refusals=(400, 403),
    )  # fmt: skip
    def post(self, request: Request, mail: str) -> Response:
        """Silent about accounts (DOCMS-034), refused for everybody while no mail can leave (DOCMS-194)."""
        chosen = installation()
        if not (settings.EMAIL_URL or chosen.mail_server):
            raise Denied(_("This installation cannot send mail."))
        try:
            if len(mail) > ADDRESS_MAX:
                raise ValidationError("")
            validate_email(mail)
        except ValidationError:
            raise Invalid.of("mail", _("This is no e-mail address.")) from None
        with scope.all_tenants():
            passwords.request_reset(
                mail,
                ip=getattr(request, "client_ip", None),
                lifetime=datetime.timedelta(hours=chosen.pw_link_reset_hours),
            )
        return Response()
