"""The settings of a tenant: one form, in sections, with what each switch means."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm
from core.admin.pages import Section, change_url, picture
from core.admin.pickers import picker
from core.services.pictures import LOGO_MAX, LOGO_TYPES, store_logo
from docms.models import FolderAccess, Group
from docms.models.folders import is_color
from docms.services import tenant_settings
from orgs import rules
from orgs.admin.working_time import BusinessHoursField, DaysOffField, RegionField
from orgs.languages import USER_LANGUAGES
from orgs.models import OrganizationSettings

HELP = {
    "accent_color": _(
        "The one colour of your portal, as #RRGGBB; empty = the house's green. Contrast is taken care of."
    ),
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
    "default_first_response_hours": _("Unless the type of the ticket or the community says otherwise. 0 = no target."),
    "default_resolution_hours": _("Unless the type of the ticket says otherwise. 0 = no target."),
    "sms_api_key": _("For text messages with share codes."),
    "sms_send_url": _("Must begin with https:// and lead outside of your own network."),
    "sms_sender_id": _("The name or number that telephones show, at most 16 characters."),
    "mail_port": _("587 with STARTTLS, 465 with TLS from the start."),
    "default_token_sec": _("How long who signs in stays signed in, unless a program asks for another length."),
    "api_internal_access": _("Without it, the documents API takes no sign-ins from local networks."),
    "hide_process_subject": _("Residents see the type of a case instead of its subject."),
    "privacy_text": _("HTML is allowed, scripts are not."),
    "gdpr_info": _("HTML is allowed, scripts are not."),
    "wizard_tenant_check": _("These four steer the assistants of programs that use the documents API."),
    "wizard_folder_inactive_after_days": _("0 or less = folders are not hidden."),
    "additional_child_folders_group": _("Besides the groups named above."),
}
WIZARD = ("wizard_tenant_check", "wizard_mail_perm", "wizard_folder_inactive_after_days", "wizard_folder_folder_group")
CHILDREN = ("additional_child_folders", "additional_child_folders_group", "additional_child_folders_labels")
GROUP_ADMIN = (
    "groupadmin_active", "groupadmin_user_create", "groupadmin_user_edit", "groupadmin_user_reset_password",
    "groupadmin_user_reset_tfa", "groupadmin_user_reset_attempts", "groupadmin_perm_read", "groupadmin_perm_download",
    "groupadmin_perm_upload", "groupadmin_perm_edit_file", "groupadmin_perm_edit_own_file", "groupadmin_perm_log",
    "groupadmin_perm_mail", "groupadmin_delete_files",
)  # fmt: skip


def written(name: str) -> str:
    """A name as it stands in a line of names."""
    return re.sub(r"([\\|])", r"\\\1", name)


def parts_of(line: str) -> list[str]:
    """The names of a line, whatever they hold; see `written`."""
    parts = [""]
    for sign in re.findall(r"\\[\\|]|.", line):
        if sign == "|":
            parts.append("")
        else:
            parts[-1] += sign[-1]
    return [part.strip() for part in parts]


class SettingsForm(HouseForm):
    """The settings with a word on what each switch means."""

    name = forms.CharField(label=_("name of the company"), max_length=255, widget=UnfoldAdminTextInputWidget)
    language = forms.ChoiceField(
        label=_("language"), widget=UnfoldAdminSelectWidget,
        help_text=_("Of letters, mails and pages, where a person has chosen none."),
    )  # fmt: skip
    new_logo = forms.FileField(
        label=_("logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(LOGO_TYPES)}),
        help_text=_("PNG or JPEG of at most 512 kB, best 432 × 88 pixels. Residents see it in the head of the portal."),
    )
    drop_logo = forms.BooleanField(
        label=_("show the name instead of the logo"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    sms_send_type = forms.ChoiceField(
        label=_("type of text messages"), required=False, widget=UnfoldAdminSelectWidget,
        help_text=_("How fast and at what price the gateway delivers."),
    )  # fmt: skip
    additional_groups = forms.ModelMultipleChoiceField(
        label=_("further groups of new folders"), queryset=Group.objects.none(), required=False,
        help_text=_("Proposed whenever a folder is made."),
    )  # fmt: skip
    additional_child_folders = forms.CharField(
        label=_("subfolders of new folders"), required=False, max_length=100_000, widget=UnfoldAdminTextareaWidget,
        help_text=_(
            "Each new folder on top gets these. A line for each: its name, and behind a | each group that reaches it, as in "
            "Minutes | Board | Owners. A | within a name is written \\|."
        ),
    )  # fmt: skip

    business_hours = BusinessHoursField(
        label=_("business hours"), required=False, max_length=1000,
        help_text=_(
            "Targets for tickets run in them. A line for each weekday, with its times: Monday: 08:00–12:00, 13:00–17:00. "
            "All empty = around the clock."
        ),
    )  # fmt: skip
    holiday_region = RegionField(
        label=_("public holidays of"), required=False, help_text=_("On them no target runs.")
    )  # fmt: skip
    extra_holidays = DaysOffField(
        label=_("further days off"), required=False, max_length=5000, help_text=_("A day in each line.")
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant = self.instance.organization
        self.initial |= {"name": tenant.name, "language": tenant.language}  # type: ignore[operator]
        if "additional_child_folders" in self.fields:
            self.initial["additional_child_folders"] = self._as_lines()
        for name, known in (
            ("language", [*USER_LANGUAGES]),
            ("sms_send_type", [("", "–"), ("direct", _("direct")), ("pro", _("pro")), ("economy", _("economy"))]),
        ):
            if name in self.fields:
                stored = self.initial.get(name, "")
                more = [] if stored in dict(known) else [(stored, stored)]
                self.fields[name].choices = known + more  # type: ignore[attr-defined]
        for name, (least, most) in tenant_settings.LIMITS.items():
            if name in self.fields:
                self.fields[name].widget.attrs |= {"min": least, "max": most}

    def clean_new_logo(self) -> Any:
        """The size, before anything is stored; what it is shows when it is."""
        file = self.cleaned_data["new_logo"]
        if file is not None and file.size > LOGO_MAX:
            raise forms.ValidationError(_("The picture is too large; at most 512 kB."))
        return file

    def clean_accent_color(self) -> str:
        """A colour, or none: the browser's own picker knows no "none", and would make every portal black."""
        color: str = self.cleaned_data["accent_color"]
        if color:
            is_color(color)
        return color

    def clean_additional_groups(self) -> list[int]:
        """As they are stored."""
        return sorted(group.pk for group in self.cleaned_data["additional_groups"])

    def clean_additional_child_folders(self) -> list[dict[str, Any]]:
        """Lines as they are stored; groups by their names, in any case. What nobody has touched stays as it is."""
        text = "\n".join(self.cleaned_data["additional_child_folders"].splitlines())
        if text == self.initial.get("additional_child_folders"):
            return list(self.instance.additional_child_folders)
        lines = [parts_of(line) for line in text.splitlines() if line.strip()]
        wanted = {name.strip().casefold() for _folder, *names in lines for name in names if name.strip()}
        found = self.groups.values_list("name", "pk") if wanted else ()
        known = {name.casefold(): pk for name, pk in found}
        if unknown := sorted(wanted - known.keys()):
            raise forms.ValidationError(_("There is no group of this name: %(name)s") % {"name": unknown[0]})
        return [
            {"name": folder.strip(), "group_ids": sorted({known[n.strip().casefold()] for n in names if n.strip()})}
            for folder, *names in lines
        ]

    @property
    def groups(self) -> Any:
        """Those of the tenant that may be chosen."""
        return self.fields["additional_groups"].queryset  # type: ignore[attr-defined]

    def _as_lines(self) -> str:
        """The automatic subfolders as people write them; groups that are gone by now are left out."""
        children = self.instance.additional_child_folders
        ids = {group for child in children for group in child.get("group_ids", ())}
        names = dict(self.groups.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
        return "\n".join(
            " | ".join(
                written(name)
                for name in (child["name"], *(names[group] for group in child.get("group_ids", ()) if group in names))
            )
            for child in children
        )

    class Meta:
        model = OrganizationSettings
        fields = "__all__"
        help_texts = HELP


class OrganizationSettingsAdmin(HouseAdmin):
    """One row per tenant; with a tenant in view the list is its form."""

    form = SettingsForm
    list_display = ("__str__", "mail_server", "accent_color")
    list_select_related = ("organization",)
    ordering = ("organization__name",)
    fieldsets = (
        (None, {"fields": ("name", "language")}),
        (_("Appearance"), {"fields": ("logo_now", "new_logo", "drop_logo", "accent_color", "imprint")}),
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
        (_("Portal"), {"fields": ("invite_days", "has_request_access_page", "mark_read", "hide_process_subject")}),
        (
            _("Help desk"),
            {
                "fields": (
                    "default_first_response_hours", "default_resolution_hours", "business_hours", "holiday_region",
                    "extra_holidays",
                ),
                "classes": ("tab",),
            },
        ),
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
        (_("New folders"), {"fields": ("additional_groups", *CHILDREN), "classes": ("tab",)}),
        (_("Assistants"), {"fields": WIZARD, "classes": ("tab",)}),
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
        """With the groups of the tenant. There is a logo to take away only where there is one."""
        form = super().get_form(request, obj, change=change, **kwargs)
        fields = dict(form.base_fields)
        if obj is not None and obj.logo_id is None:
            fields.pop("drop_logo", None)
        if obj is not None and "additional_groups" in fields:
            origin: Any = FolderAccess._meta.get_field("group")
            field: Any = picker(self, request, fields["additional_groups"], origin)
            field.queryset = field.queryset.filter(tenant=obj.tenant_id)
            fields["additional_groups"] = field
        form.base_fields = fields
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Locks that are on stay on, for whoever may not lift them."""
        if obj is None or rules.may_change_security(request.actor, obj.tenant_id):  # type: ignore[attr-defined]
            return ("logo_now",)
        return ("logo_now", *(lock for lock in rules.LOCKS if getattr(obj, lock)))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """See `get_form`."""
        found = super().get_fieldsets(request, obj)
        if obj is None or obj.logo_id is not None:
            return found
        without = {"logo_now", "drop_logo"}
        return [(n, {**o, "fields": tuple(f for f in o["fields"] if f not in without)}) for n, o in found]

    @display(description=_("logo now"))
    def logo_now(self, chosen: OrganizationSettings) -> Any:
        """The stored one, as the portal serves it."""
        return picture(chosen.logo, f"{reverse('portal:logo', args=[chosen.organization_id])}?v={chosen.logo_id}")

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `tenant_settings.change`; the logo arrives as a file."""
        file, dropped = values.pop("new_logo", None), values.pop("drop_logo", False)
        if file is not None:
            values["logo"] = store_logo(file, tenant_id=obj.tenant_id, field="new_logo")
        elif dropped:
            values["logo"] = None
        actor = request.actor  # type: ignore[attr-defined]
        tenant_settings.change(actor=actor, tenant=obj.organization, values=values, expected=expected)
        obj.refresh_from_db()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the form when there is only one."""
        found = list(self.get_queryset(request)[:2])
        if len(found) == 1:
            return redirect(change_url(found[0]))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """What is tried and written on pages of its own, reached by name."""
        query = f"?tenant={obj.tenant_id}"
        return [
            Section(
                _("Try it out"),
                note=_("Saves nothing: sends with the stored settings, and shows what the server answers."),
                links=[
                    (_("Send a test mail"), reverse("admin:test-mail") + query),
                    (_("Send a test message"), reverse("admin:test-message") + query),
                ],
            ),
            Section(
                _("Texts"),
                note=_("What mails and text messages say, with placeholders and preview."),
                links=[(_("Texts of mails and text messages"), reverse("admin:texts"))],
            ),
        ]
