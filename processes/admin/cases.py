"""Cases: the list, the form for a new one, the case with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from core import richtext
from core.admin.base import HouseAdmin
from core.admin.forms import HouseForm
from core.admin.pages import Cell, Section
from core.admin.pickers import PickedFilter
from processes import rules
from processes.models import Process, ProcessActivity, ProcessStage
from processes.services import cases, kinds

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

HISTORY = 50  # entries on the page of a case


class ProcessForm(HouseForm):
    """A case, as staff fill it in."""

    report = forms.CharField(
        label=gettext_lazy("report"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
        help_text=gettext_lazy("Blank lines part paragraphs. Simple HTML is kept: lists, emphasis, links."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "report" in self.fields and not self.is_new:
            self.initial["report"] = richtext.for_form(self.instance.report)
        for name in {"type", "unit", "contact"} & set(self.fields):
            field: Any = self.fields[name]
            if self.is_new or self.initial[name] is not None:
                field.required = True
            if not self.is_new:  # what the case has may stay, also where it is no longer offered for others
                field.queryset = field.queryset | field.queryset.model.objects.filter(pk=self.initial[name])
        if "stage" in self.fields:
            stage: Any = self.fields["stage"]
            stage.queryset = ProcessStage.objects.filter(type=self.instance.type_id, deleted_at=None)

    @property
    def values(self) -> dict[str, Any]:
        """With the report as HTML; and as it is stored, where nobody has touched it."""
        found = super().values
        if "report" in found:
            typed = found["report"].replace("\r\n", "\n")
            is_same = not self.is_new and typed.strip() == richtext.for_form(self.instance.report).strip()
            found["report"] = self.instance.report if is_same else richtext.from_form(typed)
        return found

    class Meta:
        model = Process
        fields = ("type", "stage", "unit", "contact", "subject", "report", "is_finished", "finish_date", "external_id")
        help_texts = {
            "subject": gettext_lazy("Who reads it besides the company, the tenant's settings say."),
            "finish_date": gettext_lazy("Empty: the moment in which you mark it as finished."),
            "external_id": gettext_lazy("Its key in another system that cases are exchanged with."),
        }


class ProcessAdmin(HouseAdmin):
    """Cases of the company."""

    form = ProcessForm
    list_display = ("numbered", "subject_or_type", "stage_name", "unit", "contact", "state", "changed_at")
    list_filter = ("is_finished", ("type", PickedFilter), ("unit__community", PickedFilter), ("contact", PickedFilter))
    list_filter_submit = True
    list_select_related = ("type", "stage", "unit__community", "contact")
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, subject and report")
    ordering = ("-id",)
    autocomplete_fields = ("type", "unit", "contact")
    NEW = ("type", "unit", "contact", "subject", "report", "external_id")

    def may_see(self, actor: Any) -> bool:
        """Staff, and the operator."""
        return bool(actor.is_operator or actor.staff_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view, with the permission to open cases."""
        return actor.tenant_id is not None and bool(actor.managed) and bool(rules.may_open(actor, actor.tenant_id))

    def may_change(self, actor: Any, obj: Any) -> bool:
        """See `rules.may_change`."""
        return obj is None or bool(rules.may_change(actor, obj))

    def may_delete(self, actor: Any, obj: Any) -> bool:
        """See `rules.may_delete`; a hold, the service keeps."""
        return obj is None or bool(rules.may_delete(actor, obj))

    def seen_by(self, actor: Any) -> QuerySet[Any]:
        """Those of companies in which somebody works; what residents see of theirs, the portal shows."""
        found: QuerySet[Any] = Process.objects.worked_on_by(actor)
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the index: words of number, subject and report."""
        if not search_term.strip():
            return queryset, False
        found = Process.objects.search(request.actor, search_term)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.order_by().values("pk")), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new case begins in the first stage of its kind, and goes on."""
        return self.NEW if obj is None else ProcessForm.Meta.fields

    def insert(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """See `cases.open_case`."""
        kind = values.pop("type")
        stages = kinds.stages_of(kind)
        return cases.open_case(
            actor=request.actor,  # type: ignore[attr-defined]
            process_type=kind,
            stage=stages[0] if stages else None,
            **values,
        )

    def update(self, request: HttpRequest, obj: Any, values: dict[str, Any], expected: int | None) -> Any:
        """See `cases.change_case`. The date of a case that was finished without one is now: the form fills it in, the
        services never do (open point 5 of the contract)."""
        if values["type"] != obj.type and values["stage"] == obj.stage:
            del values["stage"]
        if values["is_finished"] and not obj.is_finished and values["finish_date"] is None:
            values["finish_date"] = timezone.now()
        cases.change_case(actor=request.actor, process=obj, changes=values, expected=expected)  # type: ignore[attr-defined]
        obj.refresh_from_db()

    def erase(self, request: HttpRequest, obj: Any) -> None:
        """See `cases.delete_case`."""
        cases.delete_case(actor=request.actor, process=obj)  # type: ignore[attr-defined]

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Where it stands among the stages of its kind, and what was changed."""
        stages = [
            [Cell(str(stage)), Cell(_("now") if stage.pk == obj.stage_id else "", tone="good")]
            for stage in kinds.stages_of(obj.type)
        ]
        changes = ProcessActivity.objects.filter(process=obj).history(request.actor)  # type: ignore[attr-defined]
        shown = list(changes.select_related("user")[: HISTORY + 1])
        lines = [
            [
                Cell(formats.date_format(timezone.localtime(one.created_at), "SHORT_DATETIME_FORMAT")),
                Cell(str(one.user or "")),
                Cell(capfirst(Process._meta.get_field(one.property).verbose_name)),  # type: ignore[union-attr]
            ]
            for one in shown[:HISTORY]
        ]
        return [
            Section(_("Stages"), [_("Stage"), ""], stages, _("Its kind has no stages.")),
            Section(
                _("Changes"), [_("When"), _("Who"), _("What")], lines, _("Nothing was changed yet."),
                note=_("Older ones are in its history.") if len(shown) > HISTORY else "",
            ),
        ]  # fmt: skip

    @display(description=gettext_lazy("number"), ordering="number")
    def numbered(self, process: Any) -> str:
        """Leads to the case."""
        return str(process.number)

    @display(description=gettext_lazy("subject"), ordering="subject")
    def subject_or_type(self, process: Any) -> str:
        """The name of its kind stands for a subject it has not."""
        return process.subject or str(process.type)

    @display(description=gettext_lazy("stage"))
    def stage_name(self, process: Any) -> str:
        """In the language of whoever looks."""
        return str(process.stage or "")

    @display(description=gettext_lazy("state"), label={"finished": "info", "open": "success"}, ordering="is_finished")
    def state(self, process: Any) -> tuple[str, Any]:
        """Whether it goes on."""
        return ("finished", _("finished")) if process.is_finished else ("open", _("in progress"))
