"""External applications of a tenant, the people they act for, and their keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin import pages
from core.admin.base import HouseAdmin, count_of
from core.admin.forms import HouseForm, Refusable
from core.admin.pages import Cell, Section, of_object
from core.admin.pickers import picker
from core.answers import require
from orgs import rules
from orgs.models import AccessToken, Application, ApplicationUser, CommunityAssignment, Membership, Organization
from orgs.services import applications, licences


class ApplicationForm(HouseForm):
    """Name, end, and for whom it acts."""

    name = forms.CharField(label=_("name of the application"), max_length=100, widget=UnfoldAdminTextInputWidget)
    people = forms.ModelMultipleChoiceField(
        label=_("acts for"), queryset=Membership.objects.none(), required=False,
        help_text=_("It sees and does what they may, nothing else. Who is taken out loses the key at once."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new and "people" in self.fields:
            users = ApplicationUser.objects.filter(application=self.instance).values("user_id")
            members = Membership.objects.filter(organization=self.instance.tenant_id, user__in=users)
            self.initial["people"] = list(members.values_list("pk", flat=True))

    class Meta:
        model = Application
        fields = ("name", "deactivated_at")
        help_texts = {"deactivated_at": _("From then on its keys and sign-ins work no longer. Empty = it works.")}


class KeyForm(Refusable, forms.Form):
    """For whom."""

    user_id = forms.TypedChoiceField(label=_("person"), coerce=int, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user_id"].choices = people  # type: ignore[attr-defined]


class ApplicationAdmin(HouseAdmin):
    """Applications: for super administrators (DOCMS-176)."""

    form = ApplicationForm
    list_display = ("name", "state", "people_total", "key_total", "deactivated_at")
    search_fields = ("name",)
    ordering = ("name", "id")
    fields = ("name", "people", "deactivated_at")
    actions_detail = ("key",)

    def may_see(self, actor: Any) -> bool:
        """Super administrators and the operator."""
        return bool(actor.is_operator or actor.super_admin_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_change_security(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """Super administrators."""
        return obj is None or bool(rules.may_change_security(actor, obj.tenant_id))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """Super administrators; with its keys."""
        return self.may_change(actor, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With counts."""
        people = ApplicationUser.objects.filter(application=OuterRef("pk"))
        keys = AccessToken.objects.filter(application=OuterRef("pk"), kind=AccessToken.Kind.APP_KEY, revoked_at=None)
        return super().get_queryset(request).annotate(people_count=count_of(people), key_count=count_of(keys))

    @display(description=_("state"), label={"on": "success", "off": "danger"})
    def state(self, obj: Application) -> tuple[str, Any]:
        """In one word."""
        return ("off", _("switched off")) if licences.is_over(obj.deactivated_at) else ("on", _("works"))

    @display(description=_("people"), ordering="people_count")
    def people_total(self, obj: Any) -> int:
        """For how many it acts."""
        return int(obj.people_count)

    @display(description=_("keys"), ordering="key_count")
    def key_total(self, obj: Any) -> int:
        """How many are valid."""
        return int(obj.key_count)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With the people of the tenant."""
        form = super().get_form(request, obj, change=change, **kwargs)
        tenant_id = obj.tenant_id if obj else request.actor.tenant_id  # type: ignore[attr-defined]
        origin: Any = CommunityAssignment._meta.get_field("membership")
        fields = dict(form.base_fields)
        if "people" in fields:
            field: Any = picker(self, request, fields["people"], origin)
            field.queryset = field.queryset.filter(tenant=tenant_id)
            fields["people"] = field
        form.base_fields = fields
        return form

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `applications.create`."""
        tenant = Organization.objects.get(pk=request.actor.tenant_id)  # type: ignore[attr-defined]
        people = values.pop("people")
        return applications.create(tenant=tenant, values=values, user_ids=[m.user_id for m in people])

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `applications.change`."""
        ids = [m.user_id for m in values.pop("people")]
        return applications.change(application=obj, values=values, user_ids=ids, expected=expected)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `applications.delete`."""
        applications.delete(application=obj)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """For whom it acts, and with which key."""
        actor = request.actor  # type: ignore[attr-defined]
        found = AccessToken.objects.visible_to(actor).filter(
            application=obj, kind=AccessToken.Kind.APP_KEY, revoked_at=None
        )
        keys = {key.user_id: key for key in found}
        people = (
            ApplicationUser.objects.filter(application=obj).select_related("user").order_by("user__last_name", "id")
        )
        return [
            Section(
                _("Keys"),
                [_("Person"), _("Issued"), _("Last used")],
                [
                    [
                        Cell(listed.user),
                        Cell(_moment(keys[listed.user_id].created_at))
                        if listed.user_id in keys
                        else Cell(_("no key"), tone="none"),
                        Cell(_moment(keys[listed.user_id].last_used_at) if listed.user_id in keys else ""),
                    ]
                    for listed in people
                ],
                _("It acts for nobody yet."),
                note=_("A key is shown once, when it is issued. A new one ends the earlier one."),
            )
        ]

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """Keys are for applications that work."""
        return () if licences.is_over(obj.deactivated_at) else ("key",)

    @action(description=_("Issue a key"), url_path="key", icon="key")
    def key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose a person; the answer shows the key, this once."""
        obj: Application = of_object(self, request, object_id)
        actor = request.actor  # type: ignore[attr-defined]
        require(rules.may_change_security(actor, obj.tenant_id))
        listed = (
            ApplicationUser.objects.filter(application=obj).select_related("user").order_by("user__last_name", "id")
        )
        form = KeyForm(request.POST or None, people=[(row.user_id, str(row.user)) for row in listed])
        issued: list[str] = []
        if request.method == "POST" and form.is_valid():
            form.attempt(
                lambda: issued.append(
                    applications.issue_key(
                        application=obj, user_id=form.cleaned_data["user_id"], created_by=actor.user
                    )[0]
                )
            )
        if issued:
            response = pages.render(
                self.admin_site, request, "admin/house/key.html", title=_("The new key"), key=issued[0], opts=self.opts,
                original=obj, back=pages.change_url(obj), person=dict(form.fields["user_id"].choices)[form.cleaned_data["user_id"]],  # type: ignore[attr-defined]
            )  # fmt: skip
            response["Cache-Control"] = "no-store"
            return response
        return pages.form_page(
            self, request, form, title=_("Issue a key"), button=_("Issue a key"), obj=obj,
            text=gettext("The earlier key of this person ends at once. The new one is shown on the next page, and never again."),
        )  # fmt: skip


def _moment(value: Any) -> str:
    return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT") if value else "–"
