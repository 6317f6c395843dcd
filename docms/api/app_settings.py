"""The settings of the installation, for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.response import Response

from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import MASK, LineField, MaskField, NullableLineField, SecretField, TextField, masked, text
from docms.services import app_settings
from messaging.services import settings_texts
from orgs.services.installation import installation

if TYPE_CHECKING:
    from rest_framework.request import Request

BODY_LIMIT = 6 * 1024 * 1024  # bytes: every text at its longest, in letters of four bytes
_BOOLEANS = ("mail_ssl", "mail_starttls")
_NULLABLE = {"mail_server": 255, "mail_sender": 254, "mail_user": 254}  # the longest
_NAMES = ("app_name", "app_owner")


class AppSettings(serializers.Serializer):
    """Installation-wide settings, as stored."""

    app_url = serializers.CharField(help_text="Public base URL; used to build links in mails and text messages.")
    app_name = serializers.CharField(help_text="Product name shown to users.")
    app_owner = serializers.CharField(help_text="Organisation operating the installation.")
    mail_password = MaskField(help_text="SMTP password: a mask when one is stored.")

    def get_fields(self) -> dict[str, Any]:
        """Those that are all alike."""
        return (
            super().get_fields()
            | {name: serializers.CharField() for name in settings_texts.APP_TEXTS}
            | {name: serializers.IntegerField() for name in app_settings.LIMITS}
            | {name: serializers.BooleanField() for name in _BOOLEANS}
            | {name: serializers.CharField(allow_null=True) for name in _NULLABLE}
        )


class AppSettingsUpdate(serializers.Serializer):
    """Installation-wide settings to change; omitted fields keep their value."""

    app_url = LineField(required=False, max_length=500)
    app_name = LineField(required=False, max_length=100, allow_blank=True)
    app_owner = LineField(required=False, max_length=200, allow_blank=True)
    mail_password = SecretField(required=False, help_text="The mask keeps the stored one, null clears it.")

    def get_fields(self) -> dict[str, Any]:
        """Those that are all alike."""
        texts = {
            name: LineField(required=False, max_length=250, allow_blank=True)
            if column == "subject"
            else TextField(required=False, max_length=100_000)
            for name, (_kind, _language, column) in settings_texts.APP_TEXTS.items()
        }
        return (
            super().get_fields()
            | texts
            | {
                name: serializers.IntegerField(required=False, min_value=least, max_value=most)
                for name, (least, most) in app_settings.LIMITS.items()
            }
            | {name: serializers.BooleanField(required=False) for name in _BOOLEANS}
            | {name: NullableLineField(required=False, max_length=most) for name, most in _NULLABLE.items()}
        )


class App(DocmsView):
    """`/app-settings`."""

    json_body_limit = BODY_LIMIT

    @operation(
        "getAppSettings", tag="App settings", summary="Read installation settings",
        description="All installation-wide settings; the mail password is masked.",
        gives=AppSettings, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The operator only (DOCMS-041)."""
        self.require_operator()
        chosen = installation()
        return Response(
            {
                "app_url": chosen.app_url or settings.PUBLIC_URL,
                **{name: getattr(chosen, name) for name in (*_NAMES, *app_settings.LIMITS, *_BOOLEANS)},
                **{name: text(getattr(chosen, name)) for name in _NULLABLE},
                "mail_password": masked(chosen.mail_password),
                **settings_texts.read(None),
            }
        )

    @operation(
        "updateAppSettings", tag="App settings", summary="Change installation settings",
        description="Stores the given fields. Texts are checked for unknown placeholders.",
        takes=AppSettingsUpdate, refusals=(400, 401, 403, 413),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """The operator only (DOCMS-041)."""
        self.require_operator()
        values = self.body(AppSettingsUpdate)
        if values.get("mail_password") == MASK:
            del values["mail_password"]
        app_settings.change(values)
        return Response()
