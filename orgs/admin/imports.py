"""Imports of a property register: the file, what came of it, and every wrong cell."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.admin.base import ReadOnlyAdmin
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, form_page
from core.errors import Denied
from orgs import rules
from orgs.models import ImportRun, Organization
from orgs.services import register

MAX_BYTES = 20 * 1024 * 1024


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
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is too large; a register has at most 20 MB."))
        return file


class ImportRunAdmin(ReadOnlyAdmin):
    """What was imported when, and why not."""

    list_display = ("created_at", "result", "summary")
    list_filter = ("state",)
    ordering = ("-id",)
    fields = ("created_at", "result_text", "summary")

    def may_see(self, actor: Any) -> bool:
        """Staff for all communities."""
        return bool(actor.is_operator or actor.wide_tenants)

    def may_add(self, actor: Any) -> bool:
        """For the tenant in view."""
        return actor.tenant_id is not None and bool(rules.may_import_register(actor, actor.tenant_id))

    def seen_by(self, actor: Any) -> models.QuerySet[Any]:
        """Of tenants whose register one works with."""
        return ImportRun.objects.filter(tenant__in=actor.wide_tenants)

    @display(description=_("result"), label={"done": "success", "refused": "danger", "running": "info"})
    def result(self, run: ImportRun) -> tuple[str, Any]:
        """In one word."""
        return run.state, run.get_state_display()

    @display(description=_("result"))
    def result_text(self, obj: Any) -> Any:
        """The word alone, for the form."""
        return self.result(obj)[1]

    @display(description=_("rows"))
    def summary(self, run: ImportRun) -> str:
        """Created, changed, or how many errors."""
        if run.state == ImportRun.State.REFUSED:
            return gettext("%(count)s errors; nothing was imported") % {
                "count": run.counts.get("errors", len(run.report))
            }
        created, changed = run.counts.get("created", {}), run.counts.get("changed", {})
        return gettext("%(created)d created, %(changed)d changed") % {
            "created": sum(created.values()),
            "changed": sum(changed.values()),
        }

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Counts by noun, and the wrong cells."""
        if obj.state == ImportRun.State.REFUSED:
            lines = [[Cell(row), Cell(column or "–"), Cell(text)] for row, column, text in obj.report]
            return [Section(_("Errors"), [_("Row"), _("Column"), _("What is wrong")], lines)]
        created, changed = obj.counts.get("created", {}), obj.counts.get("changed", {})
        lines = [
            [
                Cell(apps.get_model("orgs", noun)._meta.verbose_name_plural),
                Cell(created[noun]),
                Cell(changed.get(noun, 0)),
            ]
            for noun in created
        ]
        return [Section(_("What came of it"), ["", _("Created"), _("Changed")], lines)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Upload a file, import it, and go to the report; a refused file wrote nothing but the report."""
        actor = request.actor  # type: ignore[attr-defined]
        if actor.tenant_id is None:
            messages.warning(request, gettext("Choose a tenant first."))
            return redirect(reverse("admin:orgs_importrun_changelist"))
        answer = rules.may_import_register(actor, actor.tenant_id)
        if not answer:
            raise Denied(answer.reason)
        form = RegisterForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            return redirect(change_url(_run(form.cleaned_data["file"].read(), actor.tenant_id, request)))
        return form_page(
            self, request, form, title=_("Import a register"), button=_("Import"), multipart=True,
            text=_("Communities, units, people and who lives where, from a file of your old software."),
        )  # fmt: skip


def _run(data: bytes, tenant_id: int, request: HttpRequest) -> ImportRun:
    tenant = Organization.objects.get(pk=tenant_id)
    try:
        with transaction.atomic():
            result = register.import_rows(register.read_csv(data), tenant=tenant)
    except register.Refused as refused:
        messages.error(request, str(refused.message))
        return ImportRun.objects.create(
            tenant=tenant,
            state=ImportRun.State.REFUSED,
            counts={"errors": refused.total},
            report=[[e.row, e.column, str(e.message)] for e in refused.errors],
        )
    messages.success(request, gettext("The register was imported."))
    return ImportRun.objects.create(
        tenant=tenant, state=ImportRun.State.DONE, counts={"created": result.created, "changed": result.changed}
    )
