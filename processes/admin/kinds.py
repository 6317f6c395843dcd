"""Kinds of cases, and the stages they go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section, change_url, list_url
from processes import rules
from processes.models import Process, ProcessStage, ProcessType
from processes.services import kinds

if TYPE_CHECKING:
    from django.http import HttpRequest

_NAME = {
    "de": gettext_lazy("name in German"), "en": gettext_lazy("name in English"), "fr": gettext_lazy("name in French"),
    "pl": gettext_lazy("name in Polish"),
}  # fmt: skip
NAMES = tuple(f"name_{code}" for code in _NAME)


class NamedForm(HouseForm):
    """A noun with a name in each language, instead of the column that holds them all."""

    refused_at: ClassVar = {"names": "name_de"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code in _NAME:
            if f"name_{code}" in self.fields:
                self.initial[f"name_{code}"] = self.instance.names.get(code, "")

    @property
    def values(self) -> dict[str, Any]:
        """With the names in one."""
        found = super().values
        return {
            **{name: value for name, value in found.items() if name not in NAMES},
            "names": {code: found[f"name_{code}"] for code in _NAME},
        }


def _name(code: str) -> forms.CharField:
    return forms.CharField(
        label=_NAME[code], required=False, max_length=kinds.NAME_MAX, widget=UnfoldAdminTextInputWidget
    )


class ProcessTypeForm(NamedForm):
    """A kind of case."""

    name_de, name_en, name_fr, name_pl = (_name(code) for code in _NAME)

    class Meta:
        model = ProcessType
        fields = ("position", "is_active", "shared_with_residents")
        help_texts = {
            "is_active": gettext_lazy("Switched off, it stays on the cases that have it."),
            "shared_with_residents": gettext_lazy("Others see a case only as its main contact or its contractor."),
        }


class ProcessStageForm(NamedForm):
    """A stage of a kind."""

    name_de, name_en, name_fr, name_pl = (_name(code) for code in _NAME)

    class Meta:
        model = ProcessStage
        fields = ("type", "position")


class _KindAdmin(HouseAdmin):
    """What both share: who may do what, and that the services of kinds write."""

    search_fields = ("names",)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_make_kinds(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """See `rules.may_change_kinds`."""
        return obj is None or bool(rules.may_change_kinds(actor, obj.tenant_id))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """See `rules.may_delete_kinds`; whether cases use it, the service says."""
        return obj is None or bool(rules.may_delete_kinds(actor, obj.tenant_id))

    def seen_by(self, actor: Any) -> Any:
        """Those of companies in which somebody works: here nobody needs the names of another's."""
        return self.model._default_manager.worked_on_by(actor)  # type: ignore[attr-defined]

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `kinds.change`."""
        kinds.change(obj, actor=request.actor, changes=values, expected=expected)  # type: ignore[attr-defined]

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `kinds.delete`."""
        kinds.delete(obj, actor=request.actor)  # type: ignore[attr-defined]

    @display(description=gettext_lazy("name"), ordering="names__de")
    def name(self, kind: Any) -> str:
        """In the language of whoever looks."""
        return str(kind)


class ProcessTypeAdmin(_KindAdmin):
    """Kinds of cases."""

    form = ProcessTypeForm
    list_display = ("name", "is_active", "shared_with_residents", "position")
    list_filter = ("is_active", "shared_with_residents")
    ordering = ("position", "id")
    fields = (*NAMES, "position", "is_active", "shared_with_residents")

    def offered(self, request: HttpRequest) -> Any:
        """Those for new cases."""
        return super().offered(request).filter(is_active=True)

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `kinds.create_type`."""
        actor: Any = request.actor  # type: ignore[attr-defined]
        return kinds.create_type(actor=actor, tenant_id=actor.tenant_id, values=values)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Its stages, and how many cases there are."""
        lines = [[Cell(str(stage), change_url(stage)), Cell(stage.position)] for stage in kinds.stages_of(obj)]
        count = Process.objects.visible_to(request.actor).filter(type=obj).count()  # type: ignore[attr-defined]
        stages = Section(
            _("Stages"), [_("Stage"), _("Order")], lines, _("There are none."),
            links=self.add_link(request, ProcessStage, _("Add a stage"), type=obj.pk),
        )  # fmt: skip
        cases = Section(
            _("Cases"), rows=[[Cell(ngettext("%(count)d case", "%(count)d cases", count) % {"count": count},
            list_url(Process, type__id__exact=obj.pk))]] if count else [], empty=_("There are none."),
            links=self.add_link(request, Process, _("Open a case"), type=obj.pk) if obj.is_active else [],
        )  # fmt: skip
        return [stages, cases]


class ProcessStageAdmin(_KindAdmin):
    """Stages."""

    form = ProcessStageForm
    list_display = ("name", "type", "position")
    list_select_related = ("type",)
    ordering = ("type__position", "type_id", "position", "id")
    autocomplete_fields = ("type",)
    fields = ("type", *NAMES, "position")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A stage stays with its kind."""
        return ("type",) if obj is not None else ()

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `kinds.create_stage`."""
        return kinds.create_stage(actor=request.actor, process_type=values.pop("type"), values=values)  # type: ignore[attr-defined]
