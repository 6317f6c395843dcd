"""The test mail: does the configured server take mail?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from core.api import flag
from core.errors import Invalid
from docms.api.base import DocmsView
from docms.api.errors import operation
from messaging.services.deliver import send_test

if TYPE_CHECKING:
    from rest_framework.request import Request

APPCONFIG = OpenApiParameter(
    "appconfig",
    OpenApiTypes.BOOL,
    default=False,
    description="Use the application-level mail settings instead of the tenant's.",
)


class TestMail(DocmsView):
    """`/test-mail`."""

    @operation(
        "sendTestMail", tag="Mail", summary="Send a test mail",
        description="Sends a message to the caller with tenant or application settings and waits for the result; a "
        "failure is answered with 400 and logged as mail error.",
        refusals=(400, 401, 403), parameters=(APPCONFIG,),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators; the application's settings are the operator's to try (DOCMS-155).

        No transaction is open while the mail server is asked, and the log entry outlives the refusal.
        """
        self.require_admin()
        app_config = flag(request, "appconfig")
        if app_config:
            self.require_operator()
        user = self.actor.user
        assert user is not None  # who has a token
        with self.between_units():
            problem = send_test(
                to=user.email, tenant=self.tenant, app_config=app_config, language=user.language, caused_by=user
            )
        if problem:
            raise Invalid(problem, code="mail_failed")
        return Response()
