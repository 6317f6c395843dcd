"""The tree of organizations, and the tokens with which programs act for one. The tree is written through its API."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin import pages
from core.admin.base import ReadOnlyAdmin, count_of
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object
from core.answers import require
from core.errors import Denied
from orgs import rules
from orgs.models import Membership, Organization
from orgs.services import api_tokens, tenants


class TenantForm(Refusable, forms.Form):
    """A new company."""

    name = forms.CharField(label=_("name"), max_length=255, widget=UnfoldAdminTextInputWidget)


class TokenForm(Refusable, forms.Form):
    """What for, what it may do, how long."""

    name = forms.CharField(label=_("what it is for"), max_length=api_tokens.NAME_MAX, widget=UnfoldAdminTextInputWidget)
    may_write = forms.TypedChoiceField(
        label=_("it may"), coerce=lambda value: value == "write", widget=UnfoldAdminSelectWidget,
        choices=(("read", _("read only")), ("write", _("read and change"))),
    )  # fmt: skip
    days = forms.TypedChoiceField(label=_("valid for"), coerce=int, initial=90, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lives = [
            (n, ngettext("%(n)d day", "%(n)d days", n) % {"n": n} if n else _("until it is revoked"))
            for n in api_tokens.DAYS
        ]
        self.fields["days"].choices = lives  # type: ignore[attr-defined]


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
    actions_detail = ("token",)

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

    # --- Tokens of the API ------------------------------------------------------------------------------

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Tokens are the owners'."""
        return ("token",) if rules.may_own(actor, obj) else ()

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The tokens that act for it, each with the way to revoke it."""
        actor = request.actor  # type: ignore[attr-defined]
        if not rules.may_own(actor, obj):
            return []
        revoke = reverse("admin:orgs_organization_revoke_token", args=[obj.pk])
        rows = [
            [
                Cell(token.name),
                Cell(_("read and change") if api_tokens.WRITE in token.scopes else _("read only")),
                Cell(_day(token.expires_at) or _("until it is revoked")),
                Cell(_day(token.last_used_at) or _("never")),
                Cell(_("Revoke"), f"{revoke}?token={token.pk}"),
            ]
            for token in api_tokens.of_organization(actor=actor, organization=obj)
        ]
        heads = [_("What for"), _("It may"), _("Valid until"), _("Last used"), ""]
        note = _("With a token a program acts for this organization and everything below it, through the API.")
        return [Section(_("Tokens"), heads, rows, _("There are no tokens."), note=note)]

    @action(description=_("Issue a token"), url_path="token", icon="key")
    def token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What for; the answer shows the token, this once."""
        obj: Organization = of_object(self, request, object_id)
        actor = request.actor  # type: ignore[attr-defined]
        require(rules.may_own(actor, obj))
        form = TokenForm(request.POST or None)
        made: list[str] = []
        if request.method == "POST" and form.is_valid():
            form.attempt(lambda: made.append(api_tokens.issue_for(actor=actor, organization=obj, **form.cleaned_data)))
        if made:
            response = pages.render(
                self.admin_site, request, "admin/house/key.html", title=_("The new token"), key=made[0], opts=self.opts,
                original=obj, back=change_url(obj), person=obj,
            )  # fmt: skip
            response["Cache-Control"] = "no-store"
            return response
        return form_page(
            self, request, form, title=_("Issue a token"), button=_("Issue a token"), obj=obj,
            text=_("A program that has it acts for this organization and everything below it. It is shown on the next page, "
                   "and never again."),
        )  # fmt: skip

    def get_urls(self) -> list[Any]:
        """With the page that revokes a token."""
        view = self.admin_site.admin_view(self.revoke_token)
        name = "orgs_organization_revoke_token"
        return [path("<path:object_id>/revoke-token/", view, name=name), *super().get_urls()]

    def revoke_token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first."""
        obj: Organization = of_object(self, request, object_id)
        actor = request.actor  # type: ignore[attr-defined]
        found = api_tokens.of_organization(actor=actor, organization=obj)
        row = found.filter(pk=id_in(request.GET.get("token")) or 0).first()
        if row is None:
            raise Http404
        return confirm(
            self, request, obj, title=_("Revoke the token"), button=_("Revoke"), danger=True, done=_("The token is revoked."),
            text=_("“%(name)s” works no longer from this moment on.") % {"name": row.name},
            work=lambda: api_tokens.revoke_of(actor=actor, organization=obj, token_id=row.pk),
        )  # fmt: skip


def _day(moment: Any) -> str:
    return formats.date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT") if moment else ""
