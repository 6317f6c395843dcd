"""Tenants with all their settings, as administrators and the operator see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from core import scope
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import (
    MASK,
    IdsField,
    LineField,
    LocaleField,
    MaskField,
    NullableLineField,
    NullableTextField,
    SecretField,
    locale_of,
    masked,
    text,
)
from docms.api.settings import SWITCHES
from docms.services import tenant_settings
from docms.services.pictures import as_base64
from messaging.services import settings_texts
from orgs.models import Organization, OrganizationSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

BODY_LIMIT = 12 * 1024 * 1024  # bytes: a logo in Base64 and every text at its longest, in letters of four bytes
SECRETS = ("mail_password", "sms_api_key")
_BOOLEANS = (
    "mail_ssl", "mail_starttls", "mark_read", "wizard_tenant_check", "lock_perm", "lock_folder_perm", "lock_settings",
    "wizard_mail_perm", "wizard_folder_folder_group", "additional_child_folders_group",
    "additional_child_folders_labels", "api_external_access", "api_internal_access", *SWITCHES,
)  # fmt: skip
_LINES = {  # the longest
    "mail_server": 255,
    "mail_sender": 254,
    "mail_user": 254,
    "sms_send_url": 500,
    "sms_sender_id": 16,
    "welcome_text_subject": 250,
    "welcome_text_en_subject": 250,
    "mail_file_share_subject": 250,
    "mail_file_share_subject_en": 250,
}
_TEXTS = {
    "privacy_text": 200_000,
    "privacy_text_en": 200_000,
    "authority_info": 5000,
    "gdpr_info": 200_000,
    "gdpr_info_en": 200_000,
    "welcome_text": 100_000,
    "welcome_text_en": 100_000,
    "sms_file_share_template": 1000,
    "sms_file_share_template_en": 1000,
    "mail_file_share_body": 100_000,
    "mail_file_share_body_en": 100_000,
}
SEND_TYPES = ("direct", "pro", "economy")


class AdditionalChildFolder(serializers.Serializer):
    """A folder that is added to each new folder at the top."""

    name = serializers.CharField(max_length=200, trim_whitespace=False, help_text="Name of the child folder to add.")
    group_ids = IdsField(help_text="Groups assigned to the child folder.")


class Tenant(serializers.Serializer):
    """Full tenant record with its settings."""

    tenant_id = serializers.IntegerField(help_text="Tenant id.")
    company_name = serializers.CharField(help_text="Name of the tenant.")
    locale = LocaleField()
    logo = serializers.CharField(allow_null=True, help_text="Logo as Base64.")
    mail_password = MaskField(help_text="SMTP password of the tenant: a mask when one is stored.")
    sms_api_key = MaskField(help_text="Gateway key: a mask when one is stored.")
    sms_send_type = serializers.ChoiceField(SEND_TYPES, allow_null=True, help_text="Delivery class of text messages.")
    additional_groups = IdsField(help_text="Groups preselected when a folder is created.")
    additional_child_folders = AdditionalChildFolder(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Those that are all alike."""
        return (
            super().get_fields()
            | {name: serializers.BooleanField() for name in _BOOLEANS}
            | {name: serializers.IntegerField() for name in tenant_settings.LIMITS}
            | {name: serializers.CharField(allow_null=True) for name in (*_LINES, *_TEXTS)}
        )


class TenantUpdate(serializers.Serializer):
    """Tenant settings to change; omitted fields keep their value."""

    company_name = LineField(required=False, max_length=255)
    locale = LocaleField(required=False)
    logo = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=750_000
    )
    mail_password = SecretField(required=False, help_text="The mask keeps the stored one, null clears it.")
    sms_api_key = SecretField(required=False, help_text="The mask keeps the stored one, null clears it.")
    sms_send_type = serializers.ChoiceField(SEND_TYPES, required=False, allow_null=True)
    additional_groups = IdsField(required=False)
    additional_child_folders = serializers.ListField(child=AdditionalChildFolder(), required=False, max_length=1000)

    def get_fields(self) -> dict[str, Any]:
        """Those that are all alike."""
        return (
            super().get_fields()
            | {name: serializers.BooleanField(required=False) for name in _BOOLEANS}
            | {
                name: serializers.IntegerField(required=False, min_value=least, max_value=most)
                for name, (least, most) in tenant_settings.LIMITS.items()
            }
            | {name: NullableLineField(required=False, max_length=most) for name, most in _LINES.items()}
            | {name: NullableTextField(required=False, max_length=most) for name, most in _TEXTS.items()}
        )


class TenantCreate(TenantUpdate):
    """New tenant."""

    company_name = LineField(max_length=255)
    locale = LocaleField()


_COLUMNS = {"company_name": "name", "locale": "language"}


def columns_of(values: dict[str, Any]) -> dict[str, Any]:
    """A body's fields by the names that `tenant_settings` knows; a mask is no secret (DOCMS-046)."""
    named = {_COLUMNS.get(name, name): value for name, value in values.items()}
    for secret in SECRETS:
        if named.get(secret) == MASK:
            del named[secret]
    if "sms_send_type" in named:
        named["sms_send_type"] = named["sms_send_type"] or ""
    if "additional_child_folders" in named:
        named["additional_child_folders"] = [dict(child) for child in named["additional_child_folders"]]
    return named


def rows_of(found: Iterable[OrganizationSettings]) -> list[dict[str, Any]]:
    """Tenants as the contract writes them, at a constant number of queries."""
    rows = list(found)
    texts = settings_texts.read_many([row.organization for row in rows])
    return [_written(row, texts[row.organization_id]) for row in rows]


def _written(row: OrganizationSettings, texts: dict[str, str]) -> dict[str, Any]:
    nullable = [name for name in (*_LINES, *_TEXTS, "sms_send_type") if name not in texts]
    return {
        "tenant_id": row.organization_id,
        "company_name": row.organization.name,
        "locale": locale_of(row.organization.language),
        "logo": as_base64(row.logo),
        **{name: masked(getattr(row, name)) for name in SECRETS},
        **{
            name: getattr(row, name)
            for name in (*_BOOLEANS, *tenant_settings.LIMITS, "additional_groups", "additional_child_folders")
        },
        **{name: text(getattr(row, name)) for name in nullable},
        **{name: text(value) for name, value in texts.items()},
    }


def _settings() -> Any:
    return OrganizationSettings.objects.select_related("organization", "logo").order_by("organization__name", "pk")


class Tenants(DocmsView):
    """`/tenants`."""

    json_body_limit = BODY_LIMIT

    @operation(
        "listTenants", tag="Tenants", summary="List tenants with settings",
        description="The operator gets every tenant, an administrator only the current one.",
        gives=Tenant(many=True), refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Secrets are masked."""
        self.require_admin()
        if not self.actor.is_operator:
            return Response(rows_of(_settings().filter(organization=self.tenant.pk)))
        with scope.all_tenants():
            return Response(rows_of(_settings().filter(organization__in=Organization.objects.tenants())))

    @operation(
        "createTenant", tag="Tenants", summary="Create a tenant",
        description="Creates a tenant and copies the default welcome texts of its primary language and of English into "
        "it.",
        takes=TenantCreate, gives=Tenant, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """The operator only (DOCMS-041)."""
        self.require_operator()
        values = columns_of(self.body(TenantCreate))
        assert self.actor.user is not None  # who has a token
        tenant = tenant_settings.create(operator=self.actor.user, values=values)
        return Response(rows_of(_settings().filter(organization=tenant.pk))[0])


class CurrentTenant(DocmsView):
    """`/tenants/current`."""

    json_body_limit = BODY_LIMIT

    def _stored(self) -> Response:
        return Response(rows_of(_settings().filter(organization=self.tenant.pk))[0])

    @operation(
        "getCurrentTenant", tag="Tenants", summary="Read the current tenant",
        description="Full settings of the tenant the token is bound to; secrets are masked.",
        gives=Tenant, refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only."""
        self.require_admin()
        return self._stored()

    @operation(
        "updateCurrentTenant", tag="Tenants", summary="Change the current tenant",
        description="Stores the given settings; sending masked secrets keeps them.",
        takes=TenantUpdate, gives=Tenant, refusals=(400, 401, 403, 409, 413),
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Administrators; super administrators while the settings are locked (DOCMS-043)."""
        self.require_admin()
        tenant_settings.change(actor=self.actor, tenant=self.tenant, values=columns_of(self.body(TenantUpdate)))
        return self._stored()
