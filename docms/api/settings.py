"""Settings that everybody may read: of the tenant for its members, of the installation for sign-in forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.response import Response

from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdsField, LocaleField, locale_of, text
from docms.services.pictures import as_base64
from orgs.models import OrganizationSettings
from orgs.services import licences
from orgs.services.installation import installation

if TYPE_CHECKING:
    from rest_framework.request import Request

SWITCHES = (
    "groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit", "groupadmin_user_reset_password",
    "groupadmin_user_reset_tfa", "groupadmin_user_reset_attempts", "groupadmin_perm_read", "groupadmin_perm_download",
    "groupadmin_perm_upload", "groupadmin_perm_edit_file", "groupadmin_perm_edit_own_file", "groupadmin_perm_log",
    "groupadmin_perm_mail", "groupadmin_delete_files",
)  # fmt: skip
TEXTS = ("privacy_text", "privacy_text_en", "gdpr_info", "gdpr_info_en")
PLAIN = (
    "mark_read", "token_min_sec", "token_max_sec", "wizard_tenant_check", "wizard_mail_perm",
    "wizard_folder_inactive_after_days", "additional_groups", "additional_child_folders_group", *SWITCHES,
    "delete_big_file_after_hours",
)  # fmt: skip


class TenantPublic(serializers.Serializer):
    """Part of the tenant settings every signed-in member may read."""

    tenant_id = serializers.IntegerField(help_text="Tenant id.")
    company_name = serializers.CharField(help_text="Name of the tenant.")
    locale = LocaleField()
    logo = serializers.CharField(allow_null=True, help_text="Logo as Base64.")
    privacy_text = serializers.CharField(allow_null=True)
    privacy_text_en = serializers.CharField(allow_null=True)
    gdpr_info = serializers.CharField(allow_null=True)
    gdpr_info_en = serializers.CharField(allow_null=True)
    mark_read = serializers.BooleanField()
    token_min_sec = serializers.IntegerField()
    token_max_sec = serializers.IntegerField()
    wizard_tenant_check = serializers.BooleanField()
    wizard_mail_perm = serializers.BooleanField()
    wizard_folder_inactive_after_days = serializers.IntegerField()
    additional_groups = IdsField(help_text="Groups preselected when a folder is created.")
    additional_child_folders = serializers.ListField(child=serializers.CharField(), help_text="Names only.")
    additional_child_folders_group = serializers.BooleanField()
    delete_big_file_after_hours = serializers.IntegerField()
    valid_sms_settings = serializers.BooleanField(help_text="Gateway address, key and sender are all set.")
    license_features = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="1 big files, 2 text-message sharing, 3 group administrators, 4 external applications.",
    )

    def get_fields(self) -> dict[str, Any]:
        """The switches of group administration are all alike."""
        return super().get_fields() | {name: serializers.BooleanField() for name in SWITCHES}


class PublicAppSettings(serializers.Serializer):
    """Settings a sign-in or password form needs before anyone is authenticated."""

    app_url = serializers.CharField(help_text="Public base URL.")
    app_name = serializers.CharField(help_text="Product name shown to users.")
    app_owner = serializers.CharField(help_text="Organisation operating the installation.")
    pw_min_length = serializers.IntegerField(help_text="Least number of characters in a password.")
    pw_min_lower_case = serializers.IntegerField()
    pw_min_upper_case = serializers.IntegerField()
    pw_min_numbers = serializers.IntegerField()
    pw_min_special = serializers.IntegerField()


class PublicTenant(DocmsView):
    """`/tenants/current/public`."""

    @operation(
        "getPublicTenantSettings", tag="Tenants", summary="Read the member view of the current tenant",
        description="Settings ordinary members need, without server data and secrets.",
        gives=TenantPublic, refusals=(401,),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Open to every member (DOCMS-045)."""
        chosen = OrganizationSettings.objects.select_related("logo").get(organization=self.tenant.pk)
        return Response(
            {
                "tenant_id": self.tenant.pk,
                "company_name": self.tenant.name,
                "locale": locale_of(self.tenant.language),
                "logo": as_base64(chosen.logo),
                **{name: text(getattr(chosen, name)) for name in TEXTS},
                **{name: getattr(chosen, name) for name in PLAIN},
                "additional_child_folders": [child["name"] for child in chosen.additional_child_folders],
                "valid_sms_settings": bool(chosen.sms_send_url and chosen.sms_api_key and chosen.sms_sender_id),
                "license_features": licences.features_of(self.tenant.pk),
            }
        )


class PublicApp(DocmsView):
    """`/app-settings/public`."""

    authentication_classes = ()

    @operation(
        "getPublicAppSettings", tag="App settings", summary="Read public installation settings",
        description="Name, owner, address and password policy for the sign-in and password forms.",
        gives=PublicAppSettings,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Open to anybody."""
        chosen = installation()
        names = (
            "app_name", "app_owner", "pw_min_length", "pw_min_lower_case", "pw_min_upper_case", "pw_min_numbers",
            "pw_min_special",
        )  # fmt: skip
        return Response(
            {"app_url": chosen.app_url or settings.PUBLIC_URL, **{name: getattr(chosen, name) for name in names}}
        )
