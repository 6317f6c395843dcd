"""Labels in the back office: those of a folder, reached from its page, and those the tenant suggests."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import OuterRef
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminColorInputWidget

from core.admin.base import HouseAdmin, count_of
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section, change_url
from docms.admin.base import AdministratorsAdmin
from docms.models import Document, Folder, FolderLabel, LabelSuggestion
from docms.services import labels

COLORED: dict[str, Any] = {"color": UnfoldAdminColorInputWidget}


class FolderLabelForm(HouseForm):
    """Name and colour; a new one says for which folder."""

    refused_at: ClassVar = {"exists": "name"}

    class Meta:
        model = FolderLabel
        fields = ("folder", "name", "color")
        widgets = COLORED


class LabelSuggestionForm(HouseForm):
    """Name and colour."""

    refused_at: ClassVar = {"exists": "name"}

    class Meta:
        model = LabelSuggestion
        fields = ("name", "color")
        widgets = COLORED


class _LabelAdmin(AdministratorsAdmin):
    """What both kinds share: administrators see and write, the colour is shown as one."""

    search_fields: tuple[str, ...] = ("name",)
    ordering: tuple[str, ...] = ("name", "id")

    @display(description=_("colour"), ordering="color")
    def swatch(self, label: Any) -> str:
        """The colour and how it is written."""
        return format_html('<span class="q-swatch" style="--q-swatch: {}">{}</span>', label.color, label.color)


class FolderLabelAdmin(_LabelAdmin):
    """Labels that documents of one folder may carry (DOCMS-139, 140)."""

    form = FolderLabelForm
    list_display = ("name", "folder", "swatch", "carriers")
    list_select_related = ("folder",)
    search_fields = ("name", "folder__full_path_name")
    ordering = ("folder__sort_key", "name", "id")
    autocomplete_fields = ("folder",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of papers."""
        carried = Document.objects.filter(label=OuterRef("pk"))
        return super().get_queryset(request).annotate(carrier_total=count_of(carried))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A label stays in its folder."""
        return () if obj is None else ("folder",)

    @display(description=_("papers"))
    def carriers(self, label: Any) -> int:
        """How many carry it."""
        return int(label.carrier_total)

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `labels.create_label`."""
        return labels.create_label(actor=request.actor, **values)  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `labels.change_label`."""
        return labels.change_label(actor=request.actor, label=obj, changes=values, expected=expected)  # type: ignore[attr-defined]

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Papers stay."""
        labels.delete_label(actor=request.actor, label=obj)  # type: ignore[attr-defined]


class LabelSuggestionAdmin(_LabelAdmin):
    """Labels the tenant suggests for its folders."""

    form = LabelSuggestionForm
    list_display = ("name", "swatch")

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `labels.create_suggestion`."""
        actor = request.actor  # type: ignore[attr-defined]
        return labels.create_suggestion(actor=actor, tenant_id=actor.tenant_id, **values)

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `labels.change_suggestion`."""
        return labels.change_suggestion(actor=request.actor, suggestion=obj, changes=values, expected=expected)  # type: ignore[attr-defined]

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """Labels made from it stay."""
        labels.delete_suggestion(actor=request.actor, suggestion=obj)  # type: ignore[attr-defined]


def label_section(admin: HouseAdmin, request: HttpRequest, folder: Folder) -> Section:
    """The labels of a folder on its page, with a link for a new one and for every suggestion it has not."""
    found = labels.labels_of(folder)
    links = admin.add_link(request, FolderLabel, _("Add a label"), folder=folder.pk)
    if links:
        seen = LabelSuggestion.objects.visible_to(request.actor)  # type: ignore[attr-defined]
        for suggested in labels.by_name(seen.filter(tenant=folder.tenant_id)):
            if labels.named(found, suggested.name) is None:
                links += admin.add_link(
                    request, FolderLabel, f"+ {suggested.name}",
                    folder=folder.pk, name=suggested.name, color=suggested.color,
                )  # fmt: skip
    return Section(
        _("Labels"),
        [_("Name"), _("Colour")],
        [[Cell(label.name, change_url(label)), Cell(label.color)] for label in found],
        _("Papers here carry no labels yet."),
        links=links,
    )
