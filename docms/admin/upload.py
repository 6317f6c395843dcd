"""Upload papers: choose a folder, drop files, see who will get them, publish now or from a moment on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeVerticalWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin import pages
from core.admin.forms import Refusable
from core.admin.pages import id_in, list_url
from core.errors import Denied, NotFound
from docms import rules
from docms.models import Document, Folder
from docms.services import intake, notify
from orgs.admin.tenant_view import actor_of
from orgs.models import User

DOOR = "back_office"
NAMES = 12


def tenant_of(request: HttpRequest, metadata: dict[str, str]) -> int:
    """For `core.tus`: in which tenant bytes of the back office lie. Raises `Denied` for who uploads nothing there."""
    actor = actor_of(request.user)  # type: ignore[arg-type]
    tenant_id = id_in(metadata.get("tenant", ""))
    if tenant_id is None or tenant_id not in actor.staff_tenants:
        raise Denied
    return tenant_id


def folders_for(actor: Any) -> list[Folder]:
    """Folders of the tenant in view into which this person may upload, as a tree."""
    found = list(
        Folder.objects.visible_to(actor, all=True).filter(tenant=actor.tenant_id).order_by("full_path_name", "id")
    )
    flags = rules.effective_many(actor, found)
    return [folder for folder in found if flags[folder.pk].upload]


def moment_widget() -> UnfoldAdminSplitDateTimeVerticalWidget:
    """Day and time, each with a name of its own."""
    return UnfoldAdminSplitDateTimeVerticalWidget(
        date_attrs={"aria-label": gettext_lazy("day")}, time_attrs={"aria-label": gettext_lazy("time of day")}
    )


class PublishForm(Refusable, forms.Form):
    """Where to, from when, and what may be done with it."""

    folder = forms.TypedChoiceField(label=gettext_lazy("folder"), coerce=int, widget=UnfoldAdminSelectWidget)
    active_from = forms.SplitDateTimeField(
        label=gettext_lazy("visible from"), required=False, widget=moment_widget(),
        help_text=gettext_lazy("Empty = at once. People get their mail when the papers become visible."),
    )  # fmt: skip
    active_until = forms.SplitDateTimeField(
        label=gettext_lazy("visible until"), required=False, widget=moment_widget(),
        help_text=gettext_lazy("Empty = without end."),
    )  # fmt: skip
    allow_download = forms.BooleanField(
        label=gettext_lazy("may be downloaded"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    title = forms.CharField(
        label=gettext_lazy("title"), required=False, max_length=250, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For a single paper without a title of its own below; else the file name is used."),
    )  # fmt: skip

    def __init__(self, *args: Any, folders: list[Folder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.folders = {folder.pk: folder for folder in folders}
        shown = [(f.pk, "\u2003" * len(f.ancestors) + f.full_path_name) for f in folders]
        self.fields["folder"].choices = [("", gettext_lazy("Choose a folder")), *shown]  # type: ignore[attr-defined]

    def clean_folder(self) -> Folder:
        """The row."""
        return self.folders[self.cleaned_data["folder"]]


def page(admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: each handle (and each file of a browser without scripts) becomes a paper."""
    actor = request.actor  # type: ignore[attr-defined]
    if actor.tenant_id is None:
        messages.warning(request, _("Choose a tenant first."))
        return redirect(list_url(Document))
    folders = folders_for(actor)
    form = PublishForm(
        request.POST or None, folders=folders, initial={"folder": request.GET.get("folder", ""), "allow_download": True}
    )
    if request.method == "POST" and form.is_valid():
        made: list[Document] = []
        if form.attempt(lambda: made.extend(_publish(request, form.cleaned_data))):
            text = ngettext("%(count)d paper is in “%(folder)s”.", "%(count)d papers are in “%(folder)s”.", len(made))
            folder = form.cleaned_data["folder"]
            messages.success(request, text % {"count": len(made), "folder": folder})
            return redirect(list_url(Document, folder__id__exact=folder.pk))
    return pages.render(
        admin.admin_site,
        request,
        "admin/house/upload.html",
        title=_("Upload papers"),
        opts=admin.opts,
        form=form,
        media=form.media,
        folders=folders,
        endpoint=reverse("admin:index") + "uploads/",
        recipients_url=reverse("admin:docms_document_recipients"),
        tenant_id=actor.tenant_id,
        limit=settings.UPLOAD_LIMIT,
        back=list_url(Document),
    )


def _publish(request: HttpRequest, values: dict[str, Any]) -> list[Document]:
    """See `intake.publish_all`."""
    return intake.publish_all(
        actor=request.actor,  # type: ignore[attr-defined]
        folder=values["folder"],
        door=DOOR,
        handles=request.POST.getlist("upload"),
        files=request.FILES.getlist("files"),
        titles=intake.titles_in(request.POST),  # type: ignore[arg-type]
        single_title=values["title"],
        allow_download=values["allow_download"],
        active_from=values["active_from"],
        active_until=values["active_until"],
    )


def recipients(request: HttpRequest, model_admin: ModelAdmin[Any]) -> HttpResponse:
    """The fragment: who will see a paper in this folder, and who of them is told by mail."""
    actor = request.actor  # type: ignore[attr-defined]
    folder_id = id_in(request.GET.get("folder", ""))
    if folder_id is None:
        return TemplateResponse(request, "admin/house/recipients.html", {})
    folder = Folder.objects.visible_to(actor, all=True).select_related("tenant").filter(pk=folder_id).first()
    if folder is None:
        raise NotFound
    rules.require(rules.may_upload(actor, folder))
    paper = Document(folder=folder, tenant_id=folder.tenant_id, uploaded_by=actor.user)
    readers = notify.readers(paper)
    mailed = notify.recipients(paper, readers) if readers else set()
    people = User.objects.filter(pk__in=readers).order_by("last_name", "first_name", "id")[:NAMES]
    return TemplateResponse(
        request,
        "admin/house/recipients.html",
        {
            "folder": folder,
            "people": list(people),
            "more": max(len(readers) - NAMES, 0),
            "readers": len(readers),
            "mailed": len(mailed),
            "groups": list(folder.access.select_related("group").order_by("group__sort_key")),
        },
    )
