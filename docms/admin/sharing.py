"""A paper given to somebody outside: shared, listed, withdrawn; and people of its folder told of it by hand."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object, problem
from core.errors import DomainError
from docms import rules
from docms.admin.upload import moment_widget
from docms.models import Document, DocumentShare
from docms.services import notices, shares
from docms.services.names import check_one_line
from orgs.languages import USER_LANGUAGES, user_language
from orgs.models import User

SHOWN = 100

TONES = {"open": "good", "undelivered": "warn"}


class ShareForm(Refusable, forms.Form):
    """Who gets the paper, how link and code reach them, and until when."""

    name = forms.CharField(
        label=_("Name of the recipient"),
        max_length=200,
        validators=[check_one_line],
        widget=UnfoldAdminTextInputWidget,
    )
    mobile_number = forms.RegexField(
        shares.NUMBER, label=_("Mobile number"), max_length=31, widget=UnfoldAdminTextInputWidget(attrs={"type": "tel"}),
        help_text=_("The code goes there by text message."),
        error_messages={"invalid": _("This is no mobile number.")},
    )  # fmt: skip
    email = forms.EmailField(
        label=_("E-mail address"), required=False, max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("The link goes there. Empty = you get the link and pass it on."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language"), choices=USER_LANGUAGES, widget=UnfoldAdminSelectWidget)
    expires = forms.SplitDateTimeField(
        label=_("Until"), widget=moment_widget(), help_text=_("After that nobody gets the paper with this link.")
    )


class NotifyForm(Refusable, forms.Form):
    """Who is told."""

    user_ids = forms.TypedMultipleChoiceField(
        label=_("People"), coerce=int, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": _("Please choose at least one person.")},
    )  # fmt: skip


def share_page(admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET: the form. POST: link and code go out. What keeps everybody from sharing is said on the paper's page.

    Raises `Denied` for who sends no mails from this folder.
    """
    document: Document = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    rules.require(rules.may_notify(actor, document.folder))
    try:
        shares.require_sharing(actor, document)
    except DomainError as error:
        problem(request, error)
        return redirect(change_url(document))
    initial = {
        "language": user_language(document.folder.tenant.language),
        "expires": timezone.localtime() + datetime.timedelta(days=shares.DAYS),
    }
    form = ShareForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values, made = form.cleaned_data, []  # type: dict[str, Any], list[DocumentShare]
        if form.attempt(
            lambda: made.append(
                shares.share(
                    actor=actor,
                    document=document,
                    name=values["name"],
                    mobile_number=values["mobile_number"],
                    email=values["email"],
                    language=values["language"],
                    expires_at=values["expires"],
                )
            )
        ):
            messages.success(request, shares.sent_text(made[0]))
            return redirect(change_url(document))
    return form_page(
        admin, request, form, title=_("Share"), button=_("Share"), obj=document,
        text=_("Somebody outside gets this paper with a link and a code, which go different ways. Five wrong codes end it."),
    )  # fmt: skip


def withdraw_page(admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """End the share that the address names, after a question."""
    document: Document = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    wanted = id_in(request.GET.get("share", ""))
    found = DocumentShare.objects.visible_to(actor).filter(document=document, pk=wanted) if wanted else None
    row = found.first() if found is not None else None
    if row is None:
        raise Http404
    if row.created_by_id != actor.user_id:
        rules.require(rules.may_administer(actor, row.tenant_id))
    return confirm(
        admin,
        request,
        document,
        title=_("Withdraw the share"),
        text=gettext("The link of %(name)s stops working at once.") % {"name": row.name},
        button=_("Withdraw"),
        danger=True,
        work=lambda: shares.withdraw(actor=actor, row=row),
        done=_("The share is withdrawn."),
    )


def notify_page(admin: ModelAdmin[Any], request: HttpRequest, object_id: str) -> HttpResponse:
    """Choose people who reach the paper, and write to them (DOCMS-146).

    Raises `Denied` for who sends no mails from this folder.
    """
    document: Document = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    rules.require(rules.may_notify(actor, document.folder))
    people = User.objects.filter(pk__in=notices.reaching(document)).order_by("last_name", "first_name", "id")
    listed = list(people[: notices.MOST + 1])
    form = NotifyForm(request.POST or None)
    form.fields["user_ids"].choices = [(user.pk, str(user)) for user in listed[: notices.MOST]]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        chosen = set(form.cleaned_data["user_ids"])
        if form.attempt(lambda: notices.notify_by_hand(actor=actor, document=document, user_ids=chosen)):
            count = len(chosen)
            text = ngettext("%(count)d person is told by mail.", "%(count)d people are told by mail.", count)
            messages.success(request, text % {"count": count})
            return redirect(change_url(document))
    text = gettext("They get the mail that people of this folder get of a new paper.")
    if len(listed) > notices.MOST:
        first = gettext("Only the first %(count)d people are listed.") % {"count": notices.MOST}
        text = f"{text} {first}"
    return form_page(admin, request, form, title=_("Notify"), button=_("Send the mails"), obj=document, text=text)


def shares_section(actor: Any, document: Document) -> list[Section]:
    """Whom the paper was given to, as far as the actor may know; nothing for who sends no mails from the folder."""
    flags = rules.effective(actor, document.folder)
    if not rules.may_notify(actor, document.folder, flags):
        return []
    administers = bool(rules.may_administer(actor, document.tenant_id))
    found = DocumentShare.objects.visible_to(actor).with_state().filter(document=document).select_related("created_by")
    listed: list[Any] = list(found.order_by("-id")[: SHOWN + 1])
    rows = []
    for row in listed[:SHOWN]:
        ends = shares.is_open(row.state) and (administers or row.created_by_id == actor.user_id)
        rows.append(
            [
                Cell(row.name or "–"),
                Cell(row.email or "–"),
                Cell(shares.masked(row.mobile_number)),
                Cell(row.created_by),
                Cell(formats.date_format(timezone.localtime(row.expires_at), "SHORT_DATETIME_FORMAT")),
                Cell(row.access_count),
                Cell(DocumentShare.State(row.state).label, tone=TONES.get(row.state, "")),
                Cell(_("Withdraw"), f"../withdraw-share/?share={row.pk}") if ends else Cell(""),
            ]
        )
    heads = [
        _("Recipient"),
        _("E-mail address"),
        _("Mobile number"),
        _("Shared by"),
        _("Until"),
        _("Retrievals"),
        _("State"),
        "",
    ]
    return [
        Section(
            _("Shares"),
            heads,
            rows,
            _("Nobody outside was given this paper."),
            [(_("Share"), "../share/")] if rules.may_share(actor, document, flags) else [],
            note=_("Only the newest %(count)d are shown.") % {"count": SHOWN} if len(listed) > SHOWN else "",
        )
    ]
