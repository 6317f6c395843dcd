"""Telling people of a paper by mail, by hand: whom one chooses of those who see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from core.answers import require
from core.errors import DomainError
from core.text import Plain, holding
from docms import rules
from docms.services import notices
from orgs.models import User
from portal.web.documents import paper_in_reach
from portal.web.forms import PortalForm
from portal.web.pages import page
from portal.web.shell import enter, number_in

if TYPE_CHECKING:
    from docms.models import Document
    from orgs.actor import Actor

LISTED = 50  # people who are offered at once; more are found by a search


class NotifyForm(PortalForm):
    """Who is told: everybody, or some of those who see the paper."""

    everybody = forms.BooleanField(required=False)
    user_ids = forms.Field(label=gettext_lazy("Who is told?"), required=False, widget=forms.SelectMultiple)

    def __init__(self, *args: Any, reaching: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reaching = reaching
        sent: Any = self.data
        self._ids = {number_in(text) for text in sent.getlist("user_ids")} if self.is_bound else set()

    @property
    def ticked(self) -> set[int]:
        """The people chosen so far, as far as they can be."""
        return {pk for pk in self._ids if pk in self.reaching}

    @property
    def everybody_ticked(self) -> bool:
        """Whether all are meant."""
        return self.is_bound and "everybody" in self.data

    def clean(self) -> None:
        """Say at the list what is wrong with the choice."""
        chosen = self.reaching if self.cleaned_data["everybody"] else self._ids
        if not chosen:
            self.add_error("user_ids", _("Please choose at least one person."))
        elif not chosen <= self.reaching:
            self.add_error("user_ids", _("Not all of these people have access to the folder; nobody was notified."))
        elif len(chosen) > notices.MOST:
            limit = {"count": notices.MOST}
            self.add_error("user_ids", _("At most %(count)d people can be told at once.") % limit)
        self.cleaned_data["people"] = chosen


@require_http_methods(["GET", "POST"])
@page
def notify(request: HttpRequest, document_id: int) -> HttpResponse:
    """Choose people, search for more of them, and write to them (DOCMS-146).

    What keeps everybody from being told stands in the place of the form. Raises `Denied` for who sends no mails from the
    folder.
    """
    paper = paper_in_reach(request, document_id)
    actor = enter(request, None, "paper").actor
    require(rules.may_notify(actor, paper.folder))
    timezone.activate(paper.tenant.zone)
    problem = _problem(actor, paper)
    form = NotifyForm(request.POST if request.method == "POST" else None, reaching=notices.reaching(paper))
    searches = "find" in request.POST
    if request.method == "POST" and problem is None and not searches and form.is_valid():
        people = form.cleaned_data["people"]
        try:
            notices.notify_by_hand(actor=actor, document=paper, user_ids=people)
        except DomainError as error:
            form.take(error)
        else:
            text = ngettext("%(count)d person is told by mail.", "%(count)d people are told by mail.", len(people))
            messages.success(request, text % {"count": len(people)})
            return redirect("portal:document", paper.pk)
    wrong = form.is_bound and not searches and bool(form.errors)
    words = request.POST.get("q", "")[:100]
    context = {
        "paper": paper,
        "form": form,
        "wrong": wrong,
        "problem": problem,
        "words": words,
        **_offered(form, words),
    }
    status = problem.status if problem and form.is_bound else 422 if wrong else 200
    return render(request, "portal/notify_paper.html", context, status=status)


def _problem(actor: Actor, paper: Document) -> DomainError | None:
    try:
        notices.require_notifying(actor, paper)
    except DomainError as error:
        return error
    return None


def _offered(form: NotifyForm, words: str) -> dict[str, Any]:
    """Whom the page names: who is ticked, and the first of the others whose names hold the words."""
    number = len(form.reaching)
    people = User.objects.filter(pk__in=form.reaching).order_by(Plain("last_name"), Plain("first_name"), "id")
    found = list(holding(people.exclude(pk__in=form.ticked), words, "first_name", "last_name")[: LISTED + 1])
    return {
        "ticked": list(people.filter(pk__in=form.ticked)[: notices.MOST]) if form.ticked else [],
        "found": found[:LISTED],
        "has_more": len(found) > LISTED,
        "may_search": number > LISTED,
        "number": number if 1 < number <= notices.MOST else 0,
    }
