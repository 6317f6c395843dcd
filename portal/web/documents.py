"""The papers of a community: tree, list, preview; reading, downloading and the marks people set."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.paginator import EmptyPage, PageNotAnInteger
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from core.answers import require
from core.errors import NotFound
from docms.models import Document, Folder
from docms.rules import effective, may_check_off, may_notify, may_share, may_upload
from docms.services import delivery, marks
from orgs.models import Community
from portal.rules import community_of, may_use_documents, may_use_folder
from portal.web.context import brand_of
from portal.web.pages import is_fragment, next_page, page
from portal.web.papers import Cabinet, Filters, in_community, one_paper
from portal.web.shell import Shell, communities, enter, home_community, number_in

if TYPE_CHECKING:
    from orgs.actor import Actor

CHOICE = ("folder", "only", "year", "label", "q")  # what in the address says which papers
KEPT = (*CHOICE, "page")  # what the address of the list consists of


def filters_of(query: QueryDict) -> Filters:
    """What the address asks for; nonsense is ignored."""
    only, year = query.get("only", ""), number_in(query.get("year", ""))
    return Filters(
        folder=number_in(query.get("folder", "")),
        only=only if only in ("unread", "favourites") else "",
        year=year if year and year < datetime.MAXYEAR else None,
        label=query.get("label", "").replace("\x00", "")[:100],
        words=query.get("q", "").replace("\x00", "").strip()[:200],
    )


def cabinet_of(request: HttpRequest, shell: Shell) -> Cabinet:
    """The papers of a community, where documents are switched on. Raises `NotFound` for a folder out of reach."""
    assert shell.community is not None
    require(may_use_documents(shell.community))
    cabinet = Cabinet(shell.actor, shell.community, filters_of(request.GET))
    if cabinet.filters.folder and (cabinet.folder is None or cabinet.folder.pk not in cabinet.reached):
        raise NotFound
    return cabinet


@require_GET
@page
@vary_on_headers("HX-Request")
def documents(request: HttpRequest, community_id: int) -> HttpResponse:
    """The page, and with htmx its three panes alone. A folder or paper out of reach is not found."""
    shell = enter(request, community_id, "documents")
    assert shell.community is not None
    cabinet = cabinet_of(request, shell)
    filters = cabinet.filters
    wanted = request.GET.get("doc", "")
    paper = cabinet.paper(number_in(wanted) or 0) if wanted else None
    if wanted and paper is None:
        raise NotFound
    try:
        listed = cabinet.pages.page(request.GET.get("page", "1"))
    except (EmptyPage, PageNotAnInteger):
        listed = cabinet.pages.page(1)
    shell._unread = cabinet.unread_total
    context: dict[str, Any] = {
        "cabinet": cabinet,
        "filters": filters,
        "papers": listed,
        "marks": cabinet.marks(listed) if listed.object_list else None,
        "meant": [] if listed.paginator.count else cabinet.meant(),
        "summary": _summary(cabinet, listed.paginator.count),
        "paper": paper,
        "may_check_off": paper is not None and bool(may_check_off(shell.actor, paper.folder)),
        "may_share": paper is not None and bool(may_share(shell.actor, paper, cabinet.flags[paper.folder_id])),
        "may_notify": paper is not None and bool(may_notify(shell.actor, paper.folder, cabinet.flags[paper.folder_id])),
        "may_upload": cabinet.folder is not None and bool(may_upload(shell.actor, cabinet.folder)),
        "list_url": _list_url(request),
        "archive_url": f"{reverse('portal:archive', args=[community_id])}{query_of(request.GET)}",
    }
    context["is_fragment"] = is_fragment(request)
    template = "portal/documents.html#panes" if context["is_fragment"] else "portal/documents.html"
    return render(request, template, context)


def _summary(cabinet: Cabinet, count: int) -> str:
    text = ngettext("%d paper", "%d papers", count) % count
    if cabinet.filters.narrowed:
        return text
    folder = cabinet.folder
    unread = cabinet.unread.get(folder.pk, 0) if folder else cabinet.unread_total
    return ", ".join([text, ngettext("%d unread", "%d unread", unread) % unread]) if unread else text


def _list_url(request: HttpRequest) -> str:
    """The address of the list without the chosen paper."""
    return f"{request.path}{query_of(request.GET, KEPT)}"


def query_of(query: QueryDict, names: Sequence[str] = CHOICE) -> str:
    """These parameters as the end of an address: the choice of papers, unless others are meant."""
    kept = QueryDict(mutable=True)
    for name in names:
        if value := query.get(name):
            kept[name] = str(value)
    return f"?{kept.urlencode()}" if kept else ""


def paper_in_reach(request: HttpRequest, document_id: int) -> Document:
    """A paper within reach, where documents are switched on."""
    actor = request.actor  # type: ignore[attr-defined]
    found = Document.objects.visible_to(actor, all=True).filter(pk=document_id)
    paper = found.select_related("tenant__settings", "folder__community", "folder__unit__community").first()
    if paper is None:
        raise NotFound
    require(may_use_folder(paper.folder))
    return paper


@require_GET
@page
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """A short address for mails: leads to the paper in the community where it belongs.

    Who sees the paper and reaches no such community, or sees it there only as administrator, gets it on a page of its own.
    """
    actor = request.actor  # type: ignore[attr-defined]
    paper = paper_in_reach(request, document_id)
    community = community_of(paper.folder) or _nearest(request, paper)
    if community is None or not _shown_in(actor, community, paper):
        return _alone(request, paper)
    url = reverse("portal:documents", args=[community.pk])
    return redirect(f"{url}?folder={paper.folder_id}&doc={paper.pk}")


def _shown_in(actor: Actor, community: Community, paper: Document) -> bool:
    """Whether the documents page of a community lets the person in and lists the paper."""
    is_reached = community.pk in actor.communities | actor.managed
    return is_reached and in_community(actor, community).filter(pk=paper.pk).exists()


def _alone(request: HttpRequest, paper: Document) -> HttpResponse:
    """A paper without a cabinet around it: the preview, what it says of the paper, and what one may do with it."""
    actor = request.actor  # type: ignore[attr-defined]
    shell = enter(request, None, "paper")
    timezone.activate(paper.tenant.zone)
    if shell.community is None:
        request.brand = brand_of(paper.tenant)  # type: ignore[attr-defined]
    told = one_paper(Document.objects.visible_to(actor, all=True), actor, paper.tenant_id, paper.pk)
    if told is None:
        raise NotFound
    flags = effective(actor, told.folder)
    context = {
        "paper": told,
        "may_check_off": bool(may_check_off(actor, told.folder, flags)),
        "may_share": bool(may_share(actor, told, flags)),
        "may_notify": bool(may_notify(actor, told.folder, flags)),
        "company": paper.tenant,
    }
    return render(request, "portal/document.html", context)


def _nearest(request: HttpRequest, paper: Document) -> Community | None:
    """Where to show a paper of the whole company: in the house one comes from, else in another that shows papers."""
    home, actor = home_community(request), request.actor  # type: ignore[attr-defined]
    showing = communities(actor).filter(
        pk__in=actor.communities | actor.managed, tenant=paper.tenant_id, has_documents=True
    )
    return (showing.filter(pk=home.pk).first() if home else None) or showing.first()


@require_GET
@page
def download(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """The file as attachment; the first download is recorded (PORTAL-089, 090)."""
    paper_in_reach(request, document_id)
    return delivery.download(document_id=document_id, actor=request.actor, request=request)  # type: ignore[attr-defined]


@require_GET
@page
def read(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """The file for the browser's own viewer."""
    paper_in_reach(request, document_id)
    return delivery.read(document_id=document_id, actor=request.actor, request=request)  # type: ignore[attr-defined]


@require_GET
@page
def preview(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """The picture of the first page that the worker made."""
    paper_in_reach(request, document_id)
    return delivery.preview(document_id=document_id, actor=request.actor, request=request)  # type: ignore[attr-defined]


@require_POST
@page
def mark_read(request: HttpRequest, document_id: int) -> HttpResponse:
    """Mark one paper as read, for whoever may read it."""
    paper_in_reach(request, document_id)
    marks.mark_read(document_id=document_id, actor=request.actor)  # type: ignore[attr-defined]
    return redirect(next_page(request))


@require_POST
@page
def set_done(request: HttpRequest, document_id: int) -> HttpResponse:
    """Check a paper off, or take the mark back."""
    paper_in_reach(request, document_id)
    done = request.POST.get("done") == "1"
    marks.set_done(document_id=document_id, actor=request.actor, done=done)  # type: ignore[attr-defined]
    return redirect(next_page(request))


@require_POST
@page
def set_favourite(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Put a star on a folder, or take it off."""
    actor = request.actor  # type: ignore[attr-defined]
    found = Folder.objects.visible_to(actor, all=True).filter(pk=folder_id)
    folder = found.select_related("community", "unit__community").first()
    if folder is None:
        raise NotFound
    require(may_use_folder(folder))
    on = request.POST.get("on") == "1"
    marks.set_favourite(folder_id=folder_id, actor=actor, on=on)
    return redirect(next_page(request))
