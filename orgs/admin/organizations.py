"""The tree of organizations: one form for each; the list is the tree. Its pages are in the modules `organization_*`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm, Refusable
from core.admin.pages import Section, change_url, form_page, picture
from core.errors import Denied
from orgs import rules
from orgs.admin import (
    ids,
    organization_actions,
    organization_availability,
    organization_credentials,
    organization_moves,
    organization_origins,
    organization_owners,
    organization_programs,
    organization_tokens,
    organization_tree,
)
from orgs.languages import zone_names
from orgs.models import Organization
from orgs.services import avatars, tenants, tree

PLACE = ("location_address", "latitude", "longitude")
PICTURE = ("new_picture", "drop_picture")


class TenantForm(Refusable, forms.Form):
    """A new company."""

    name = forms.CharField(label=_("name"), max_length=255, widget=UnfoldAdminTextInputWidget)


class OrganizationForm(HouseForm):
    """What an organization is called, where it is, and its rules."""

    language = forms.CharField(
        label=_("language"), max_length=35, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("A language tag such as de or en-GB. Empty for a new one = as above it."),
    )  # fmt: skip
    timezone = forms.ChoiceField(label=_("time zone"), required=False, widget=UnfoldAdminSelectWidget)
    tags = forms.CharField(
        label=_("keywords"), required=False, max_length=2000, widget=UnfoldAdminTextInputWidget,
        help_text=_("Separated by commas. Only the operator sees and writes them here."),
    )  # fmt: skip
    new_picture = forms.FileField(
        label=_("picture"), required=False, help_text=_("PNG, JPEG, GIF or WebP of at most 5 MB."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(avatars.TYPES)}),
    )  # fmt: skip
    drop_picture = forms.BooleanField(
        label=_("take the picture away"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            first = [("", _("as above it"))] if self.is_new else []
            self.fields["timezone"].choices = first + [(z, z) for z in sorted(zone_names())]  # type: ignore[attr-defined]
        if self.is_new:
            for name in ("language", "timezone"):
                self.initial[name] = ""
        if "tags" in self.fields:
            self.initial["tags"] = ", ".join(self.instance.tags)

    def clean_tags(self) -> list[str]:
        """One by one."""
        return [tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()]

    def clean_new_picture(self) -> Any:
        """The size, before anything is stored; what it is shows when it is."""
        file = self.cleaned_data["new_picture"]
        if file is not None and file.size > avatars.LIMIT:
            raise forms.ValidationError(_("The picture is too large; at most 5 MB."))
        return file

    class Meta:
        model = Organization
        fields = (
            "name", "parent", "description", "language", "timezone", "retention_months", "enforces_second_factor", *PLACE,
        )  # fmt: skip
        help_texts = {
            "parent": _("Empty = on top, outside of every company. You own what you make."),
            "retention_months": _("Closed tickets and finished processes that are older are deleted. 0 = they stay."),
            "enforces_second_factor": _("Of everybody here and in all organizations below."),
            "latitude": _("Latitude and longitude go together."),
        }


class OrganizationAdmin(HouseAdmin):
    """Companies, branches, teams."""

    form = OrganizationForm
    search_fields = ("name",)
    ordering = ("name", "id")
    autocomplete_fields = ("parent",)
    list_select_related = ("avatar",)
    actions_list = ("admit",)
    actions_detail = ("move", "invite_owner", "availability", "quick_actions", "token")
    readonly_fields = ("picture_now",)

    # --- Who sees and does what ------------------------------------------------------------------------

    def seen_by(self, actor: Any) -> Any:
        """Without those that demand a second factor that the person has not (ORGS-054)."""
        return Organization.objects.open_to(actor).filter(closed_at=None)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Of the tenant in view; with what lies outside of every tenant, for those who have a place there."""
        return Organization.objects.in_view(request.actor).order_by(*self.ordering)  # type: ignore[attr-defined]

    def may_add(self, actor: Any) -> bool:
        """Whoever owns one, below it or on top; below which, the service says."""
        return bool(actor.is_operator or actor.owned_organizations)

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Owners and administrators (ORGS-022)."""
        if obj is None:
            administers = any(m.admin_perm or m.super_admin_perm for m in actor.memberships_list)
            return administers or self.may_add(actor)
        return bool(rules.may_change_organization(actor, obj))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Owners; what keeps it from going, the service says."""
        return self.may_add(actor) if obj is None else bool(rules.may_own(actor, obj))

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Availability is for everybody who sees it."""
        found = ["availability"]
        if rules.may_change_organization(actor, obj):
            found.append("quick_actions")
        if rules.may_own(actor, obj):
            found += ["move", "invite_owner", "token"]
        return tuple(found)

    # --- The form --------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one has a parent to choose, and no picture yet."""
        operator = request.actor.is_operator  # type: ignore[attr-defined]
        first = ["name", *(["parent"] if obj is None else []), "description"]  # it changes its place by moving
        found: list[Any] = [
            (None, {"fields": (*first, *(("tags",) if operator else ()))}),
            (_("Language and time"), {"fields": ("language", "timezone")}),
            (_("Rules"), {"fields": ("retention_months", "enforces_second_factor")}),
            (_("Place"), {"fields": PLACE}),
        ]
        if obj is not None:
            shown = ["picture_now"] if obj.avatar_id is not None else []
            if self.has_change_permission(request, obj):
                shown += [name for name in PICTURE if name == "new_picture" or obj.avatar_id is not None]
            if shown:
                found.append((_("Picture"), {"fields": tuple(shown)}))
        return found

    @display(description=_("picture now"))
    def picture_now(self, organization: Organization) -> Any:
        """The stored one."""
        return picture(organization.avatar, avatars.address(organization))

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `tree.create`."""
        parent = values.pop("parent", None)
        values = {name: value for name, value in values.items() if name not in PICTURE}
        return tree.create(actor=request.actor, parent=parent, values=values)  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `tree.change` and `avatars.store`."""
        actor = request.actor  # type: ignore[attr-defined]
        file, dropped = values.pop("new_picture", None), values.pop("drop_picture", False)
        changed = tree.change(actor=actor, organization=obj, values=values, expected=expected)
        if file is not None or dropped:
            avatars.store(actor=actor, organization=changed, file=file)
        return changed

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `tree.delete`."""
        tree.delete(actor=request.actor, organization=obj)  # type: ignore[attr-defined]

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """To its line in the tree."""
        return redirect(organization_tree.tree_url(obj))

    response_post_save_change = response_post_save_add

    # --- Pages -----------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The tree. Pickers and searches use `get_queryset`."""
        return organization_tree.tree_page(self, request)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Where its rules come from, who owns it, what hangs on it."""
        return [
            organization_origins.section(self, request, obj),
            *organization_owners.sections(self, request, obj),
            organization_actions.section(request, obj),
            *organization_tokens.sections(request, obj),
            *organization_credentials.sections(request, obj),
            *organization_programs.sections(request, obj),
            *ids.of_organization(obj),
        ]

    def get_urls(self) -> list[URLPattern]:
        """With the pages that a line of a section leads to."""

        def page(view: Callable[..., HttpResponse]) -> Any:
            return self.admin_site.admin_view(partial(view, self))

        prefix, name = "<path:object_id>", "orgs_organization"
        return [
            path(f"{prefix}/revoke-token/", page(organization_tokens.revoke_page), name=f"{name}_revoke_token"),
            path(f"{prefix}/credentials/", page(organization_credentials.issue_page), name=f"{name}_credentials"),
            path(
                f"{prefix}/revoke-credentials/",
                page(organization_credentials.revoke_page),
                name=f"{name}_revoke_credentials",
            ),
            path(f"{prefix}/programs/", page(organization_programs.register_page), name=f"{name}_programs"),
            path(f"{prefix}/change-program/", page(organization_programs.change_page), name=f"{name}_change_program"),
            path(f"{prefix}/program-secret/", page(organization_programs.secret_page), name=f"{name}_program_secret"),
            path(f"{prefix}/remove-program/", page(organization_programs.remove_page), name=f"{name}_remove_program"),
            path(f"{prefix}/remove-owner/", page(organization_owners.remove_page), name=f"{name}_remove_owner"),
            path(f"{prefix}/withdraw-owner/", page(organization_owners.withdraw_page), name=f"{name}_withdraw_owner"),
            *super().get_urls(),
        ]

    @action(description=_("Move"), url_path="move", icon="drive_file_move")
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Below another one, or on top."""
        return organization_moves.move_page(self, request, object_id)

    @action(description=_("Invite an owner"), url_path="invite-owner", icon="person_add")
    def invite_owner(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody with an account."""
        return organization_owners.invite_page(self, request, object_id)

    @action(description=_("Availability"), url_path="availability", icon="event_available")
    def availability(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Now, and over the last 14 days."""
        return organization_availability.availability_page(self, request, object_id)

    @action(description=_("Quick actions"), url_path="quick-actions", icon="bolt")
    def quick_actions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The buttons on the start page of its staff."""
        return organization_actions.editor_page(self, request, object_id)

    @action(description=_("Issue a token"), url_path="token", icon="key")
    def token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What for; the answer shows the token, this once."""
        return organization_tokens.issue_page(self, request, object_id)

    # --- Companies -------------------------------------------------------------------------------------

    def has_admit_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Only the operator admits companies (DOCMS-041)."""
        return bool(request.actor.is_operator)  # type: ignore[attr-defined]

    @action(description=_("Add a tenant"), url_path="admit", icon="add_business", permissions=["admit"])
    def admit(self, request: HttpRequest) -> HttpResponse:
        """A company with settings and its own party; the operator becomes its super administrator (DOCMS-041)."""
        actor = request.actor  # type: ignore[attr-defined]
        if not actor.is_operator:
            raise Denied
        form = TenantForm(request.POST or None)
        made: list[Organization] = []

        def work() -> None:
            tenant = tenants.create_tenant(name=form.cleaned_data["name"], created_by=actor.user)
            tenants.add_operator(operator=actor.user, tenant=tenant)
            made.append(tenant)

        if request.method == "POST" and form.is_valid() and form.attempt(work):
            messages.success(request, gettext("%(name)s was admitted.") % {"name": made[0].name})
            return redirect(change_url(made[0].settings))
        return form_page(
            self, request, form, title=_("Add a tenant"), button=_("Add"),
            text=_("A company that manages houses for itself: with its own people, houses, papers and settings."),
        )  # fmt: skip
