"""Putting papers into a folder, for those whose rights there allow it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from core.answers import require
from core.errors import Invalid, NotFound
from docms import rules
from docms.models import Folder
from docms.services import intake, marks
from orgs.actor import enter as enter_as
from orgs.services.second_factor import require_none_owed
from portal.rules import may_use_folder
from portal.web.documents import cabinet_of
from portal.web.pages import page
from portal.web.shell import enter, number_in

DOOR = "web"


def tenant_of(request: HttpRequest, metadata: dict[str, str]) -> int:
    """For `core.tus`: bytes lie with the folder they are meant for. Raises `NotFound`, `Denied` for who may not upload."""
    actor = enter_as(request.user, door=DOOR)  # type: ignore[arg-type]
    require_none_owed(actor)
    folder_id = number_in(metadata.get("folder", ""))
    found = Folder.objects.visible_to(actor, all=True).select_related("community", "unit__community")
    folder = found.filter(pk=folder_id).first() if folder_id else None
    if folder is None:
        raise NotFound
    require(may_use_folder(folder))
    require(rules.may_upload(actor, folder))
    return folder.tenant_id


@require_http_methods(["GET", "POST"])
@page
def upload(request: HttpRequest, community_id: int) -> HttpResponse:
    """GET: the form for one folder. POST: each handle, and each file of a browser without scripts, becomes a paper."""
    shell = enter(request, community_id, "documents")
    cabinet = cabinet_of(request, shell)
    folder = cabinet.folder
    if folder is None:  # papers lie in folders: choose one
        return redirect("portal:documents", community_id)
    require(rules.may_upload(cabinet.actor, folder))
    back = f"{reverse('portal:documents', args=[community_id])}?folder={folder.pk}"
    context: dict[str, Any] = {
        "folder": folder,
        "back": back,
        "endpoint": reverse("portal:uploads"),
        "limit": settings.UPLOAD_LIMIT,
    }
    if request.method == "POST":
        try:
            made = intake.publish_all(
                actor=cabinet.actor,
                folder=folder,
                door=DOOR,
                handles=request.POST.getlist("upload"),
                files=request.FILES.getlist("files"),
                titles=intake.titles_in(request.POST),  # type: ignore[arg-type]
                single_title=request.POST.get("title", ""),
            )
        except (Invalid, ValidationError) as error:
            context["problem"] = error.message if isinstance(error, Invalid) else " ".join(error.messages)
            return render(request, "portal/upload.html", context, status=422)
        if cabinet.membership_id is not None:
            for document in made:  # nobody is told of an own paper as unread
                marks.write_read_mark(document, cabinet.membership_id, 1)
        text = ngettext("%(count)d paper is in “%(folder)s”.", "%(count)d papers are in “%(folder)s”.", len(made))
        messages.success(request, text % {"count": len(made), "folder": folder.name})
        return redirect(back)
    return render(request, "portal/upload.html", context)
