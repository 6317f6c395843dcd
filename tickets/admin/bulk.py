"""The same change for many tickets: first what it would do, then doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core.admin import pages
from core.admin.pages import id_in, list_url, problem
from core.errors import Conflict, DomainError
from orgs.models import Membership
from tickets.admin.worklist import forms_query
from tickets.models import Priority, SupportType, Ticket, TicketStatus
from tickets.services import bulk, worklist

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from tickets.admin.tickets import TicketAdmin


def preview(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """What a change would do to the chosen tickets, or to all of the list; with ``do=apply`` it is done."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    wish = worklist.read(forms_query(request))
    here = f"{list_url(Ticket)}?{wish.query}"
    try:
        wanted = bulk.wanted_of(request.POST, actor)
        ids = _chosen(request, actor, wish)
        if request.POST.get("do") == "apply":
            return _apply(request, actor, ids, wanted, here)
        plan = bulk.plan(actor, ids, wanted)
    except DomainError as error:
        problem(request, error)
        return redirect(here)
    everything = bool(request.POST.get("all"))
    return pages.render(
        admin.admin_site,
        request,
        "admin/tickets/bulk.html",
        title=_("Change several tickets"),
        opts=admin.opts,
        plan=plan,
        words=_words(wanted),
        ids=[] if everything else ids,
        everything=everything,
        query=wish.query,
        wanted=wanted,
        in_background=len(ids) > bulk.AT_ONCE,
        back=here,
    )


def _chosen(request: HttpRequest, actor: Any, wish: worklist.Wish) -> list[int]:
    """Ids of the chosen lines, or of the whole list. Raises `Conflict` for none, and for more than a run takes."""
    if request.POST.get("all"):
        ids = list(worklist.matching(actor, wish).values_list("pk", flat=True)[: bulk.MOST + 1])
    else:
        ids = list(dict.fromkeys(n for n in map(id_in, request.POST.getlist("ids")) if n is not None))
    if not ids:
        raise Conflict(_("Choose some tickets first."))
    if len(ids) > bulk.MOST:
        raise Conflict(_("At most %(count)d tickets at once; narrow the list down.") % {"count": bulk.MOST})
    return ids


def _apply(request: HttpRequest, actor: Any, ids: list[int], wanted: dict[str, Any], here: str) -> HttpResponse:
    if len(ids) > bulk.AT_ONCE:
        run = bulk.start(actor=actor, ids=ids, wanted=wanted, language=get_language() or "de")
        return redirect(reverse("admin:tickets_ticket_run", args=[run.pk]))
    result = bulk.apply(actor, ids, wanted)
    messages.success(request, told(result))
    for name, reason in result.refusals:
        messages.warning(request, f"{name}: {reason}")
    return redirect(here)


def told(result: bulk.Plan) -> str:
    """What came of it, in a sentence."""
    changed = ngettext("%(count)d ticket was changed.", "%(count)d tickets were changed.", result.changing)
    text = changed % {"count": result.changing}
    if result.unchanged:
        same = ngettext("%(count)d was so already.", "%(count)d were so already.", result.unchanged)
        text += " " + same % {"count": result.unchanged}
    if result.refused:
        refused = ngettext("%(count)d was refused.", "%(count)d were refused.", result.refused)
        text += " " + refused % {"count": result.refused}
    return text


def _words(wanted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The change in words."""
    found = []
    if "status" in wanted:
        found.append((_("Status"), str(TicketStatus(wanted["status"]).label)))
    if "assignee" in wanted:
        person = Membership.objects.select_related("user").get(pk=wanted["assignee"]) if wanted["assignee"] else None
        found.append((_("Assignee"), str(person.user) if person else _("nobody")))
    if "priority" in wanted:
        found.append((_("Priority"), str(Priority(wanted["priority"]).label)))
    if "support_type" in wanted:
        found.append((_("Support type"), str(SupportType(wanted["support_type"]).label)))
    return found


def run_page(admin: TicketAdmin, request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a run is, and what came of it; for a poll only the bar. POST: go on with one that stands still. One that is
    not known any more is told on the list.
    """
    actor: Any = request.actor  # type: ignore[attr-defined]
    run = bulk.find(actor, run_id)
    if run is None:
        return _lost(request)
    url = reverse("admin:tickets_ticket_run", args=[run.pk])
    if request.method == "POST":
        if run.is_lost:
            _go_on(request, run)
        return redirect(url)
    stands = run.is_over or run.is_lost
    context = {"run": run, "result": told(run.result) if stands else "", "url": url}
    if request.headers.get("HX-Request"):
        if stands:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "admin/tickets/bulk_progress.html", context)
    return pages.render(
        admin.admin_site, request, "admin/tickets/bulk_run.html", title=_("Change several tickets"), opts=admin.opts,
        words=_words(run.wanted), back=list_url(Ticket), **context,
    )  # fmt: skip


def _go_on(request: HttpRequest, run: bulk.Run) -> None:
    try:
        bulk.go_on(actor=request.actor, run=run)  # type: ignore[attr-defined]
    except DomainError as error:
        problem(request, error)


def _lost(request: HttpRequest) -> HttpResponse:
    """Somebody else's run is answered the same."""
    messages.warning(
        request,
        _(
            "Nothing is known of this change any more; it may have been done in part. Look at the list, and change again "
            "what is missing: what is done already is left alone."
        ),
    )
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": list_url(Ticket)})
    return redirect(list_url(Ticket))
