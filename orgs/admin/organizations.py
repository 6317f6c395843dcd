"""The tree of organizations. Read only for now: its own contract brings the writing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.base import ReadOnlyAdmin, count_of
from core.admin.forms import Refusable
from core.admin.pages import change_url, form_page
from core.errors import Denied
from orgs.models import Membership, Organization
from orgs.services import tenants


class TenantForm(Refusable, forms.Form):
    """A new company."""

    name = forms.CharField(label=_("name"), max_length=255, widget=UnfoldAdminTextInputWidget)


class OrganizationAdmin(ReadOnlyAdmin):
    """Companies, branches, teams."""

    list_display = ("indented", "is_tenant", "language", "timezone", "staff_total")
    list_filter = ("is_tenant",)
    search_fields = ("name",)
    tenant_lookup = "tenant"
    ordering = ("name", "id")
    fields = (
        "name",
        "description",
        "parent",
        "is_tenant",
        "language",
        "timezone",
        "retention_months",
        "enforces_second_factor",
    )
    actions_list = ("admit",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of staff."""
        staff = Membership.objects.active().staff().exclude(role=Membership.Role.AFFILIATE)
        return super().get_queryset(request).annotate(members=count_of(staff.filter(organization=OuterRef("pk"))))

    @display(description=_("name"), ordering="name")
    def indented(self, organization: Organization) -> str:
        """With a mark for each level."""
        return "› " * len(organization.ancestors) + organization.name

    @display(description=_("staff"), ordering="members")
    def staff_total(self, organization: Any) -> int:
        """Owners and staff."""
        return int(organization.members)

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
            tenants.add_member(
                user=actor.user, organization=tenant, role=Membership.Role.STAFF, admin_perm=True, super_admin_perm=True
            )
            made.append(tenant)

        if request.method == "POST" and form.is_valid() and form.attempt(work):
            messages.success(request, gettext("%(name)s was admitted.") % {"name": made[0].name})
            return redirect(change_url(made[0].settings))
        return form_page(
            self, request, form, title=_("Add a tenant"), button=_("Add"),
            text=_("A company that manages houses for itself: with its own people, houses, papers and settings."),
        )  # fmt: skip
