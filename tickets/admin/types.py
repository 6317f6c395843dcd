"""Ticket types: what can be reported, where and by whom, its questions, its targets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin import pages
from core.admin.base import count_of
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section, change_url, of_object
from core.admin.pickers import picker
from orgs.models import Community
from tickets.admin import type_fields
from tickets.admin.base import SetUpAdmin
from tickets.admin.icons import NAMES, IconChooser
from tickets.models import ResidentRole, TicketType, TicketTypeCommunity, TicketTypeField
from tickets.services import types


class TicketTypeForm(HouseForm):
    """A type without its questions, which have a page of their own."""

    communities = forms.ModelMultipleChoiceField(
        label=_("communities"),
        queryset=Community.objects.none(),
        required=False,
        help_text=_("Empty: offered in all communities."),
    )
    roles = forms.MultipleChoiceField(
        label=_("only for these roles"),
        choices=ResidentRole.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: offered to everybody."),
    )
    icon = forms.ChoiceField(
        label=_("icon"),
        choices=[("", _("none")), *((name, NAMES[name]) for name in types.ICONS)],
        required=False,
        widget=IconChooser,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new and "communities" in self.fields:
            offers = TicketTypeCommunity.objects.filter(ticket_type=self.instance)
            self.initial["communities"] = list(offers.values_list("community_id", flat=True))

    class Meta:
        model = TicketType
        fields = (
            "name", "description", "group", "icon", "position", "is_active", "support_type", "is_support_default", "roles",
            "priority", "first_response_hours", "resolution_hours",
        )  # fmt: skip
        help_texts = {
            "is_support_default": _(
                "Tickets that arrive through the interface with this word become tickets of this type."
            ),
            "first_response_hours": _(
                "Working hours until somebody answers. Empty = as the community says, else no target."
            ),
            "resolution_hours": _("Working hours until it is solved. Empty = no target."),
            "description": _("Shown to residents below the name."),
        }


class TicketTypeAdmin(SetUpAdmin):
    """Types of tickets."""

    form = TicketTypeForm
    list_display = ("name", "group", "support_type", "priority", "questions", "is_active", "position")
    list_filter = ("is_active", "support_type")
    list_select_related = ("group",)
    search_fields = ("name", "description")
    autocomplete_fields = ("group",)
    ordering = ("position", "id")
    actions_detail = ("questions_page", "preview")
    fieldsets = (
        (None, {"fields": ("name", "description", "group", "icon", "position", "is_active")}),
        (_("Who is offered it"), {"fields": ("roles",)}),
        (_("Support interface"), {"fields": ("support_type", "is_support_default")}),
        (_("Priority and targets"), {"fields": ("priority", "first_response_hours", "resolution_hours")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of questions."""
        asked = TicketTypeField.objects.filter(ticket_type=OuterRef("pk"), is_active=True)
        return super().get_queryset(request).annotate(question_total=count_of(asked))

    def offered(self, request: HttpRequest) -> Any:
        """Without that number."""
        return super().offered(request).filter(is_active=True)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the communities, which Django's checks want no field for: their table has rows of its own."""
        return [
            (name, {**options, "fields": ("communities", "roles")} if options["fields"] == ("roles",) else options)
            for name, options in super().get_fieldsets(request, obj)
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With the communities of the tenant."""
        form = super().get_form(request, obj, change=change, **kwargs)
        fields = dict(form.base_fields)
        if "communities" in fields:
            field = picker(self, request, fields["communities"], TicketTypeCommunity._meta.get_field("community"))
            tenant_id = obj.tenant_id if obj else request.actor.tenant_id  # type: ignore[attr-defined]
            field.queryset = field.queryset.filter(tenant=tenant_id)
            fields["communities"] = field
        form.base_fields = fields
        return form

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `types.create`."""
        actor: Any = request.actor  # type: ignore[attr-defined]
        communities = values.pop("communities", ())
        return types.create(actor=actor, tenant_id=actor.tenant_id, values=values, communities=communities)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `types.change`."""
        communities = values.pop("communities", None)
        types.change(obj, actor=request.actor, changes=values, communities=communities, expected=expected)  # type: ignore[attr-defined]

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `types.delete`."""
        types.delete(obj, actor=request.actor)  # type: ignore[attr-defined]

    @display(description=_("questions"), ordering="question_total")
    def questions(self, ticket_type: Any) -> int:
        """How many are asked."""
        return int(ticket_type.question_total)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Its questions."""
        links = [
            (_("Edit the questions"), reverse("admin:tickets_tickettype_questions_page", args=[obj.pk])),
            (_("Preview"), reverse("admin:tickets_tickettype_preview", args=[obj.pk])),
        ]
        lines = [
            [
                Cell(f.name),
                Cell(f.get_field_type_display()),
                Cell(_("required") if f.required else ""),
                Cell("" if f.is_active else _("not asked"), tone="none"),
            ]
            for f in types.fields_of(obj)
        ]
        heads = [_("Question"), _("Kind"), "", ""]
        return [Section(_("Questions"), heads, lines, _("Only a text is asked for."), links=links)]

    @action(description=_("Edit the questions"), url_path="questions", icon="list_alt")
    def questions_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All of them in one form."""
        return type_fields.editor_page(self, request, object_id)

    @action(description=_("Preview"), url_path="preview", icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form as residents will see it."""
        obj: TicketType = of_object(self, request, object_id)
        return pages.render(
            self.admin_site,
            request,
            "admin/tickets/type_preview.html",
            title=_("Preview"),
            opts=self.opts,
            original=obj,
            ticket_type=obj,
            fields=[f for f in types.fields_of(obj) if f.is_active],
            back=change_url(obj),
        )
