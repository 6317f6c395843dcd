"""Imports of a property register: the file, how far it is, what came of it, and every wrong cell."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models import F, Func, IntegerField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.admin.base import ReadOnlyAdmin
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, list_url, of_object
from core.errors import Denied
from orgs import rules
from orgs.models import Contact, ImportRun, Organization
from orgs.services.register import runs

SHOWN = 50
TONES = {
    "waiting": "default", "running": "info", "done": "success", "refused": "danger", "failed": "danger",
    "cancelled": "default",
}  # fmt: skip


class RegisterForm(Refusable, forms.Form):
    """A CSV file."""

    file = forms.FileField(
        label=_("file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
        help_text=_(
            "CSV with one row per contact and unit; separated by ; or , in UTF-8 or Windows-1252. "
            "All rows or none; importing a file again changes what differs and doubles nothing."
        ),
    )

    def clean_file(self) -> Any:
        """A register is a text of at most 20 MB."""
        file = self.cleaned_data["file"]
        if file.size > runs.MAX_BYTES:
            raise forms.ValidationError(_("The file is too large; a register has at most 20 MB."))
        return file


class OfImportFilter(admin.SimpleListFilter):
    """For the list of people: those whom one import created or changed. Offered only by links from its page."""

    title = _("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The one that is chosen."""
        chosen = request.GET.get(self.parameter_name, "")
        what, _dash, number = chosen.partition("-")
        words = {"created": _("created by import %(number)s"), "changed": _("changed by import %(number)s")}
        return [(chosen, words[what] % {"number": number})] if what in words and id_in(number) is not None else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Asked of the database, so that 20,000 numbers need not travel."""
        if not self.value():
            return queryset
        what, _dash, number = str(self.value()).partition("-")
        found = ImportRun.objects.visible_to(request.actor).filter(pk=number)  # type: ignore[attr-defined]
        return queryset.filter(pk__in=found.values(person=_Each(F(f"contacts_{what}"))))


class _Each(Func):
    """The elements of an array, a row each."""

    function = "unnest"
    set_returning = True
    output_field = IntegerField()


class ImportRunAdmin(ReadOnlyAdmin):
    """What is imported, what was imported when, and why not."""

    list_display = ("created_at", "filename", "created_by", "result", "summary")
    list_filter = ("state",)
    list_select_related = ("created_by",)
    ordering = ("-id",)
    fields = ("filename", "created_by", "created_at", "result_text", "summary", "ended_at")
    change_form_template = "admin/house/import_run.html"
    actions_detail = ("cancel",)

    def may_see(self, actor: Any) -> bool:
        """Staff for all communities."""
        return bool(actor.is_operator or actor.wide_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_import_register(actor, actor.tenant_id))

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """The queryset's own rule; the numbers of people are only looked up in the database."""
        return super().seen_by(actor).defer("contacts_created", "contacts_changed")

    @display(description=_("result"), label=TONES)
    def result(self, run: ImportRun) -> tuple[str, Any]:
        """In one word."""
        return run.state, run.get_state_display()

    @display(description=_("result"))
    def result_text(self, obj: Any) -> Any:
        """The word, and why it failed."""
        return f"{obj.get_state_display()}: {obj.get_failure_display()}" if obj.failure else obj.get_state_display()

    @display(description=_("rows"))
    def summary(self, run: ImportRun) -> str:
        """How far, created, changed, or how many errors."""
        if run.state == ImportRun.State.REFUSED:
            total = run.counts.get("errors", len(run.report))
            return ngettext("%d error; nothing was imported.", "%d errors; nothing was imported.", total) % total
        if run.is_open:
            return progress_text(run)
        if run.state != ImportRun.State.DONE:
            return gettext("nothing was imported")
        created, changed = run.counts.get("created", {}), run.counts.get("changed", {})
        return gettext("%(created)s created, %(changed)s changed") % {
            "created": _number(sum(created.values())),
            "changed": _number(sum(changed.values())),
        }

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The wrong cells; or counts by noun, and which people."""
        if obj.state == ImportRun.State.REFUSED:
            total, lines = obj.counts.get("errors", 0), obj.report
            note = (
                gettext("The first %(shown)d of %(total)d errors.") % {"shown": len(lines), "total": total}
                if total > len(lines)
                else ""
            )
            cells = [[Cell(row), Cell(column or "–"), Cell(text)] for row, column, text in lines]
            again = (
                [(_("Import the corrected file"), reverse("admin:orgs_importrun_add"))]
                if self.may_add(request.actor)  # type: ignore[attr-defined]
                else []
            )
            return [Section(_("Errors"), [_("Row"), _("Column"), _("What is wrong")], cells, note=note, links=again)]
        if obj.state != ImportRun.State.DONE:
            return []
        created, changed = obj.counts.get("created", {}), obj.counts.get("changed", {})
        lines = [
            [
                Cell(apps.get_model("orgs", noun)._meta.verbose_name_plural),
                Cell(_number(created[noun])),
                Cell(_number(changed.get(noun, 0))),
            ]
            for noun in created
        ]
        found = [Section(_("What came of it"), ["", _("Created"), _("Changed")], lines)]
        for what, title, count in (
            ("created", _("People who were created"), created.get("contact", 0)),
            ("changed", _("People who were changed"), changed.get("contact", 0)),
        ):
            if count:
                found.append(_people(request.actor, obj, what, title, count))  # type: ignore[attr-defined]
        return found

    # --- Pages -----------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Upload a file and go to the page that shows how its import goes."""
        actor = request.actor  # type: ignore[attr-defined]
        if actor.tenant_id is None:
            messages.warning(request, gettext("Choose a tenant first."))
            return redirect(reverse("admin:orgs_importrun_changelist"))
        answer = rules.may_import_register(actor, actor.tenant_id)
        if not answer:
            raise Denied(answer.reason)
        form = RegisterForm(request.POST or None, request.FILES or None)
        made: list[ImportRun] = []

        def start() -> None:
            file = form.cleaned_data["file"]
            tenant = Organization.objects.get(pk=actor.tenant_id)
            made.append(runs.start(tenant=tenant, file=file, filename=file.name, user=actor.user))

        if request.method == "POST" and form.is_valid() and form.attempt(start):
            return redirect(change_url(made[0]))
        return form_page(
            self, request, form, title=_("Import a register"), button=_("Import"), multipart=True,
            text=_("Communities, units, people and who lives where, from a file of your old software."),
        )  # fmt: skip

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the bar, while there is something to wait for."""
        run = self.get_object(request, unquote(object_id))
        shown = progress_of(run) if run is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def get_custom_urls(self) -> Any:
        """The fragment that the page asks for every second."""
        return (("<int:object_id>/progress/", "orgs_importrun_progress", self.progress),)

    def progress(self, request: HttpRequest, object_id: int, **_url: Any) -> HttpResponse:
        """The bar alone; once the run is over, the word to load the page anew."""
        run = of_object(self, request, object_id)
        if not run.is_open:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "admin/house/import_progress.html", progress_of(run))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """While it is open the bar says how far it is, and renews itself."""
        fields = super().get_fields(request, obj)
        return [f for f in fields if f not in ("summary", "result_text", "ended_at") or not (obj and obj.is_open)]

    def buttons(self, actor: Any, obj: Any) -> tuple[str, ...]:
        """What is over cannot be cancelled."""
        return ("cancel",) if obj.is_open and rules.may_import_register(actor, obj.tenant_id) else ()

    @action(description=_("Cancel the import"), url_path="cancel", icon="cancel", variant=ActionVariant.DANGER)
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Nothing of it stays."""
        run: ImportRun = of_object(self, request, object_id)
        answer = rules.may_import_register(request.actor, run.tenant_id)  # type: ignore[attr-defined]
        if not answer:
            raise Denied(answer.reason)
        return confirm(
            self, request, run,
            title=_("Cancel the import"),
            text=_("The import stops, and nothing of this file is imported."),
            button=_("Cancel the import"),
            danger=True,
            work=lambda: runs.cancel(run=run),
            done=_("The import was cancelled."),
        )  # fmt: skip


def _number(count: int) -> str:
    return formats.number_format(count, force_grouping=True)


def progress_text(run: ImportRun) -> str:
    """In words, as the list says it."""
    if run.state == ImportRun.State.WAITING:
        return gettext("waits for its turn")
    if not run.rows_total:
        return gettext("starting")
    return gettext("%(stage)s: %(done)s of %(total)s") % {
        "stage": run.stage,
        "done": _number(run.rows_done),
        "total": _number(run.rows_total),
    }


def progress_of(run: ImportRun) -> dict[str, Any]:
    """What the page and its fragment are written from."""
    return {
        "run": run,
        "progress_text": progress_text(run),
        "progress_url": reverse("admin:orgs_importrun_progress", args=[run.pk]),
        "run_url": change_url(run),
    }


def _people(actor: Any, run: ImportRun, what: str, title: Any, count: int) -> Section:
    """The first of them, and the way to all."""
    ids = ImportRun.objects.visible_to(actor).filter(pk=run.pk).values(person=_Each(F(f"contacts_{what}")))
    people = Contact.objects.visible_to(actor).living().filter(pk__in=ids).order_by("sort_key", "id")[:SHOWN]
    return Section(
        title,
        [_("Person"), _("Reference"), _("E-mail address")],
        [[Cell(c, change_url(c)), Cell(c.reference_id), Cell(c.email or "–")] for c in people],
        links=[
            (
                ngettext("%s person", "All %s people", count) % _number(count),
                list_url(Contact, **{"import": f"{what}-{run.pk}"}),
            )
        ],
    )
