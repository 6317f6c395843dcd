"""Giving a paper to somebody outside, and taking it back: link by mail, code by text message."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from core.answers import require
from core.errors import DomainError, NotFound
from docms import rules
from docms.models import Document, DocumentShare
from docms.services import shares
from docms.services.names import check_one_line
from orgs.languages import USER_LANGUAGES, user_language
from portal.web.documents import paper_in_reach
from portal.web.forms import PortalForm
from portal.web.pages import page
from portal.web.shell import enter

SHOWN = 100
LOCAL = "%Y-%m-%dT%H:%M"  # as browsers write a moment


class ShareForm(PortalForm):
    """Who gets the paper, how link and code reach them, and until when."""

    name = forms.CharField(
        label=gettext_lazy("Name of the recipient"), max_length=200, validators=[check_one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    mobile_number = forms.RegexField(
        shares.NUMBER, label=gettext_lazy("Mobile number"), max_length=31,
        help_text=gettext_lazy("The code goes there by text message."),
        error_messages={"invalid": gettext_lazy("This is no mobile number.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"), required=False, max_length=254,
        help_text=gettext_lazy("The link goes there. Empty = you get the link and pass it on."),
        error_messages={"invalid": gettext_lazy("This is not an e-mail address. Example: name@example.org")},
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=USER_LANGUAGES)
    expires = forms.DateTimeField(
        label=gettext_lazy("Until"), input_formats=[LOCAL],
        help_text=gettext_lazy("After that nobody gets the paper with this link."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def share(request: HttpRequest, document_id: int) -> HttpResponse:
    """The form and one's own shares of the paper. What keeps everybody from sharing stands in the place of the form.

    Raises `Denied` for who sends no mails from the folder.
    """
    paper = paper_in_reach(request, document_id)
    shell = enter(request, None, "paper")
    actor = shell.actor
    require(rules.may_notify(actor, paper.folder))
    timezone.activate(paper.tenant.zone)
    problem = _problem(actor, paper)
    initial = {
        "language": user_language(paper.tenant.language),
        "expires": timezone.localtime() + datetime.timedelta(days=shares.DAYS),
    }
    form = ShareForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and problem is None and form.is_valid():
        values = form.cleaned_data
        try:
            row = shares.share(
                actor=actor,
                document=paper,
                name=values["name"],
                mobile_number=values["mobile_number"],
                email=values["email"],
                language=values["language"],
                expires_at=values["expires"],
            )
        except DomainError as error:
            form.take(error)
        else:
            messages.success(request, shares.sent_text(row))
            return redirect("portal:share-paper", paper.pk)
    context = {"paper": paper, "form": form, "problem": problem, "shares": _own(actor, paper)}
    status = problem.status if problem and form.is_bound else 422 if form.errors else 200
    return render(request, "portal/share_paper.html", context, status=status)


def _problem(actor: Any, paper: Document) -> DomainError | None:
    try:
        shares.require_sharing(actor, paper)
    except DomainError as error:
        return error
    return None


def _own(actor: Any, paper: Document) -> list[dict[str, Any]]:
    """What the actor shared, newest first, at most `SHOWN`."""
    found = []
    for row in _shares(actor, paper).with_state().order_by("-id")[:SHOWN]:
        found.append(
            {
                "row": row,
                "number": shares.masked(row.mobile_number),
                "word": DocumentShare.State(row.state).label,
                "ends": shares.is_open(row.state),
            }
        )
    return found


def _shares(actor: Any, paper: Document) -> Any:
    return DocumentShare.objects.visible_to(actor).filter(document=paper, created_by=actor.user_id)


@require_POST
@page
def withdraw(request: HttpRequest, document_id: int, share_id: int) -> HttpResponse:
    """End one of one's own shares at once."""
    paper = paper_in_reach(request, document_id)
    actor = request.actor  # type: ignore[attr-defined]
    row = _shares(actor, paper).filter(pk=share_id).first()
    if row is None:
        raise NotFound
    shares.withdraw(actor=actor, row=row)
    messages.success(request, _("The share is withdrawn."))
    return redirect("portal:share-paper" if rules.may_notify(actor, paper.folder) else "portal:document", paper.pk)
