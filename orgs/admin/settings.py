"""The settings of a tenant: one form, in sections, with what each switch means."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminFileFieldWidget

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm
from core.admin.pages import Section, change_url
from core.answers import require
from core.errors import Invalid
from core.services import rows
from core.services.outside import require_public
from core.services.pictures import LOGO_MAX, LOGO_TYPES, store_logo
from orgs import rules
from orgs.models import OrganizationSettings

HELP = {
    "accent_color": _("The one colour of your portal, as #RRGGBB. Contrast is taken care of."),
    "imprint": _("Shown at the foot of every page and mail."),
    "terms": _("Empty = nobody has to accept terms when registering."),
    "invite_days": _("How many days an invitation to residents works."),
    "has_request_access_page": _("People without an invitation may ask for one."),
    "mail_server": _("Empty = mails leave through the server of the installation."),
    "mail_sender": _("The address your residents see."),
    "mail_split_on": _("Where many people share one message in BCC: at most that many. 0 = no limit."),
    "token_min_sec": _("Of programs and apps that use the documents API."),
    "api_external_access": _("Without it, the documents API takes sign-ins from local networks only."),
    "lock_settings": _("Then only super administrators change this page."),
    "lock_perm": _("Then only super administrators change permissions of members."),
    "lock_folder_perm": _("Then only super administrators change permissions in folders."),
    "mark_read": _("People see which papers they have not opened yet."),
    "file_delete_days": _("Days after the first access. 0 = papers stay."),
    "delete_big_file_after_hours": _("0 = big files stay."),
    "groupadmin_active": _(
        "Members who administer a group get the rights ticked below, for the people of their group."
    ),
    "random_password_min_length": _("Of passwords that the documents API makes up."),
    "default_first_response_hours": _("Unless the community says otherwise."),
    "hide_process_subject": _("Residents see the type of a case instead of its subject."),
    "sms_api_key": _("For text messages with share codes."),
}
GROUP_ADMIN = (
    "groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit", "groupadmin_user_reset_password",
    "groupadmin_user_reset_tfa", "groupadmin_user_reset_attempts", "groupadmin_perm_read", "groupadmin_perm_download",
    "groupadmin_perm_upload", "groupadmin_perm_edit_file", "groupadmin_perm_edit_own_file", "groupadmin_perm_log",
    "groupadmin_perm_mail", "groupadmin_delete_files",
)  # fmt: skip


class SettingsForm(HouseForm):
    """The settings with a word on what each switch means."""

    new_logo = forms.FileField(
        label=_("logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(LOGO_TYPES)}),
        help_text=_("PNG or JPEG of at most 512 kB, best 432 × 88 pixels. Residents see it in the head of the portal."),
    )
    drop_logo = forms.BooleanField(label=_("show the name instead of the logo"), required=False)

    def clean_new_logo(self) -> Any:
        """The size, before anything is stored; what it is shows when it is."""
        file = self.cleaned_data["new_logo"]
        if file is not None and file.size > LOGO_MAX:
            raise forms.ValidationError(_("The picture is too large; at most 512 kB."))
        return file

    def clean_sms_send_url(self) -> str:
        """A new address leads outside (DOCMS-162); a stored one is asked again when it is called."""
        url: str = self.cleaned_data["sms_send_url"]
        if url and url != self.initial.get("sms_send_url"):
            try:
                require_public(url)
            except Invalid as error:
                raise forms.ValidationError(str(error.message)) from None
        return url

    class Meta:
        model = OrganizationSettings
        fields = "__all__"
        widgets = {"accent_color": UnfoldAdminColorInputWidget}
        help_texts = HELP


class OrganizationSettingsAdmin(HouseAdmin):
    """One row per tenant; with a tenant in view the list is its form."""

    form = SettingsForm
    list_display = ("__str__", "mail_server", "accent_color")
    list_select_related = ("organization",)
    ordering = ("organization__name",)
    fieldsets = (
        (_("Appearance"), {"fields": ("new_logo", "drop_logo", "accent_color", "imprint")}),
        (_("Texts"), {"fields": ("terms", "privacy_text", "privacy_text_en", "authority_info", "gdpr_info", "gdpr_info_en"), "classes": ("tab",)}),
        (
            _("Mail server"),
            {
                "fields": (
                    "mail_server", "mail_port", "mail_ssl", "mail_starttls", "mail_sender", "mail_user", "mail_password",
                    "mail_split_on",
                ),
                "classes": ("tab",),
            },
        ),
        (_("Text messages"), {"fields": ("sms_send_url", "sms_api_key", "sms_sender_id", "sms_send_type"), "classes": ("tab",)}),
        (_("Portal"), {"fields": ("invite_days", "has_request_access_page", "mark_read", "default_first_response_hours", "hide_process_subject")}),
        (_("Retention"), {"fields": ("file_delete_days", "delete_big_file_after_hours"), "classes": ("tab",)}),
        (
            _("Sign-in"),
            {
                "fields": (
                    "token_min_sec", "default_token_sec", "token_max_sec", "api_external_access", "api_internal_access",
                    "random_password_min_length", "lock_settings", "lock_perm", "lock_folder_perm",
                ),
                "classes": ("tab",),
            },
        ),
        (_("Group administrators"), {"fields": GROUP_ADMIN, "classes": ("tab",)}),
    )  # fmt: skip

    def may_see(self, actor: Any) -> bool:
        """Administrators and the operator."""
        return bool(actor.is_operator or actor.admin_tenants)

    def seen_by(self, actor: Any) -> Any:
        """The queryset's own rule, with the tenant they are named by."""
        return super().seen_by(actor).select_related("organization")

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Administrators; super administrators while the page is locked."""
        if obj is not None and obj.lock_settings:
            return bool(rules.may_change_security(actor, obj.tenant_id))
        return obj is None or bool(rules.may_administer(actor, obj.tenant_id))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """There is a logo to take away only where there is one."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and obj.logo_id is None:
            form.base_fields = {name: field for name, field in form.base_fields.items() if name != "drop_logo"}
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Locks that are on stay on, for whoever may not lift them."""
        if obj is None or rules.may_change_security(request.actor, obj.tenant_id):  # type: ignore[attr-defined]
            return ()
        return tuple(lock for lock in rules.LOCKS if getattr(obj, lock))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """See `get_form`."""
        found = super().get_fieldsets(request, obj)
        if obj is None or obj.logo_id is not None:
            return found
        return [(n, {**o, "fields": tuple(f for f in o["fields"] if f != "drop_logo")}) for n, o in found]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """With the logo, which arrives as a file."""
        require(rules.may_lift_locks(request.actor, obj, values))  # type: ignore[attr-defined]
        file, dropped = values.pop("new_logo", None), values.pop("drop_logo", False)
        if file is not None:
            values["logo"] = store_logo(file, tenant_id=obj.tenant_id, field="new_logo")
        elif dropped:
            values["logo"] = None
        rows.change(obj, values, expected=expected)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the form when there is only one."""
        found = list(self.get_queryset(request)[:2])
        if len(found) == 1:
            return redirect(change_url(found[0]))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The test mail is messaging's page, reached by name."""
        return [
            Section(
                _("Test mail"),
                note=_("Saves nothing: sends a mail to your own address with the stored settings."),
                links=[(_("Send a test mail"), reverse("admin:test-mail") + f"?tenant={obj.tenant_id}")],
            )
        ]
