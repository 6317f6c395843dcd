"""Licences: setting a key, reading what is granted, and the first set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from core.errors import Denied, Invalid, NotFound
from core.http import limited_body
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import object_field
from orgs.models import Organization
from orgs.services import licences
from orgs.services.installation import installation

if TYPE_CHECKING:
    import datetime

    from rest_framework.request import Request

KEY_MIN, KEY_MAX = 16, 10_000  # characters
SECRET_MIN, SECRET_MAX = 16, 200
UNLIMITED = "unlimited"
SETUP_SECRET = OpenApiParameter(
    "X-Setup-Secret",
    {"type": "string", "minLength": SECRET_MIN, "maxLength": SECRET_MAX},
    OpenApiParameter.HEADER,
    required=True,
    description="One-time set-up secret from the environment.",
)


class TextParser(BaseParser):
    """A body that is plain text in UTF-8, of at most 40 kB. Raises `TooLarge` and `Invalid`."""

    media_type = "text/plain"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The text."""
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH") if request is not None else None
        try:
            return limited_body(stream, length, 4 * KEY_MAX).decode()
        except UnicodeDecodeError:
            raise Invalid(_("The text is not UTF-8.")) from None


_TEXT, _NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
_DAY = {"type": "string", "description": "Last day, ISO date, or 'unlimited'."}


class LicenseInfo(serializers.Serializer):
    """What the licence in force grants."""

    license = object_field(
        {
            "app_name": _TEXT,
            "license_type": _TEXT,
            "license_variant": _TEXT,
            "license_valid": {"type": "boolean", "description": "The licence is accepted at present."},
        }
    )
    dates = object_field({"app_duration": _DAY, "maintenance_duration": _DAY, "support_duration": _DAY})
    points = object_field(
        {
            "max_points": {**_NUMBER, "description": "Points granted; 0 means unlimited."},
            "used_points": {**_NUMBER, "description": "Points in use: one per user that is not deactivated."},
        }
    )


def _text_of(request: Request) -> str:
    """The body. Raises `Invalid` when there is none."""
    if not isinstance(request.data, str):
        raise Invalid(_("The body must be plain text."))
    return request.data.strip()


def _day(day: datetime.date | None) -> str:
    return day.isoformat() if day is not None else UNLIMITED


class TenantLicense(DocmsView):
    """`/tenants/{tenantId}/license`."""

    parser_classes = (TextParser,)

    @operation(
        "setTenantLicense", tag="License", summary="Set the licence key of a tenant",
        description="Stores and verifies the key given as text.",
        takes={("text/plain"): {"type": "string", "minLength": KEY_MIN, "maxLength": KEY_MAX}},
        refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, tenant_id: int) -> Response:
        """The operator only (DOCMS-172), for any tenant."""
        self.require_operator()
        tenant = Organization.objects.tenants().filter(pk=tenant_id).first()
        if tenant is None:
            raise NotFound
        key = _text_of(request)
        if not KEY_MIN <= len(key) <= KEY_MAX:
            raise Invalid(_("This licence key is not valid."), code="invalid_license")
        licences.set_key(tenant=tenant, key=key)
        return Response()


class CurrentLicense(DocmsView):
    """`/license`."""

    @operation(
        "getLicense", tag="License", summary="Read licence data of the current tenant",
        description="Kind, validity, periods and points.", gives=LicenseInfo, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only."""
        self.require_admin()
        licence = licences.in_force(self.tenant.pk)
        return Response(
            {
                "license": {
                    "app_name": installation().app_name,
                    "license_type": (licence.license_type if licence else "") or "community",
                    "license_variant": (licence.license_variant if licence else "") or "community",
                    "license_valid": licence is None or not licence.is_expired,
                },
                "dates": {
                    "app_duration": _day(licence.last_day if licence else None),
                    "maintenance_duration": _day(licence.maintenance_until if licence else None),
                    "support_duration": _day(licence.support_until if licence else None),
                },
                "points": {
                    "max_points": licence.max_points if licence else 0,
                    "used_points": licences.used_points(licence, self.tenant.pk),
                },
            }
        )


class Bootstrap(DocmsView):
    """`/bootstrap`."""

    authentication_classes = ()
    parser_classes = (TextParser,)

    @operation(
        "bootstrap", tag="License", summary="Complete the first set-up",
        description="Installs the licence code given as text on an installation whose environment marks it as "
        "bootstrapped, or switches to demo mode when the environment says so.",
        takes={"text/plain": {"type": "string", "pattern": r"^[A-Z0-9]{5}(-[A-Z0-9]{5}){4}$"}},
        refusals=(400, 403, 409, 413), parameters=(SETUP_SECRET,),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Whoever knows the secret, once (DOCMS-170, 171). A wrong code is told only to them."""
        secret = request.headers.get("X-Setup-Secret", "")
        if not SECRET_MIN <= len(secret) <= SECRET_MAX:
            raise Denied(_("This installation is not waiting for its set-up."))
        licences.bootstrap(secret=secret, code=_text_of(request))
        return Response()
