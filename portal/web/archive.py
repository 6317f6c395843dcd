"""Taking papers away together: which heap, how much it is, and the ZIP."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.services import rate
from core.services.zips import safe_name
from docms.querysets import DocumentQuerySet, may
from docms.services import archive as service
from portal.web.documents import cabinet_of, query_of
from portal.web.pages import page
from portal.web.papers import Cabinet
from portal.web.shell import enter

ALL, FOLDER, SELECTION = "all", "folder", "selection"
PER_MINUTE = 6  # archives of one person: each holds a thread of the server while it is sent


@dataclass(frozen=True)
class Heap:
    """One choice of the page: so many papers, of which so many may be taken away, with so many bytes."""

    what: str
    title: str
    count: int
    takeable: int
    size: int

    @property
    def left_out(self) -> int:
        """How many the person sees and may not take away so."""
        return self.count - self.takeable


def _papers(cabinet: Cabinet, what: str) -> DocumentQuerySet[Any]:
    """The papers of a heap; what is not offered is all papers."""
    if what == SELECTION and cabinet.filters.narrowed:
        return cabinet.narrowed
    if what == FOLDER and cabinet.folder is not None:
        return cabinet.papers.filter(folder__in=cabinet.branch)
    return cabinet.papers


def _heaps(cabinet: Cabinet) -> list[Heap]:
    """What can be taken, the narrowest first."""
    titles = [(ALL, _("All my papers"))]
    if cabinet.folder is not None:
        titles.insert(0, (FOLDER, _("The folder “%(name)s” with all below it") % {"name": cabinet.folder.name}))
    if cabinet.filters.narrowed:
        titles.insert(0, (SELECTION, _("The papers of my choice")))
    takeable = Q(may(cabinet.actor, "download"), allow_download=True, delete_after_next_download=False)
    heaps = []
    for what, title in titles:
        found = _papers(cabinet, what).order_by()
        sums = found.aggregate(n=Count("pk"), m=Count("pk", filter=takeable), size=Sum("size_bytes", filter=takeable))
        heaps.append(Heap(what, title, sums["n"], sums["m"], sums["size"] or 0))
    return heaps


@require_http_methods(["GET", "POST"])
@page
def archive(request: HttpRequest, community_id: int) -> HttpResponseBase:
    """GET: what there is to take. POST: ``what`` of it as a ZIP; each paper in it is an access, as by itself."""
    shell = enter(request, community_id, "documents")
    cabinet = cabinet_of(request, shell)
    if request.method == "POST":
        return _send(cabinet, request.POST.get("what", ALL))
    return _offer(request, cabinet)


def _offer(request: HttpRequest, cabinet: Cabinet) -> HttpResponse:
    heaps = _heaps(cabinet)
    back = f"{reverse('portal:documents', args=[cabinet.community.pk])}{query_of(request.GET)}"
    return render(request, "portal/archive.html", {"heaps": heaps, "back": back})


def _send(cabinet: Cabinet, what: str) -> StreamingHttpResponse:
    """The stream; what is in it is read and proven paper by paper while it is sent."""
    rate.check("archive", f"user:{cabinet.actor.user_id}", PER_MINUTE)
    found = _papers(cabinet, what).order_by("folder__full_path_name", "folder_id", "sort_key", "id")
    zone = cabinet.community.tenant.zone
    sent = service.archive(
        actor=cabinet.actor,
        document_ids=array("q", found.values_list("pk", flat=True).iterator(chunk_size=2000)),
        folders=cabinet.folders,
        zone=zone,
    )
    chosen = cabinet.folder.name if what == FOLDER and cabinet.folder else cabinet.community.name
    name = safe_name(f"{chosen} {timezone.now().astimezone(zone):%Y-%m-%d}") + ".zip"
    response = StreamingHttpResponse(sent, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Accel-Buffering"] = "no"  # nginx passes it on as it comes, and keeps no copy of the whole
    return response
