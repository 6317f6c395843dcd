"""The tokens with which programs act for an organization: issued, listed, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core import once
from core.admin import pages
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object, sent_again
from core.answers import require
from orgs import rules
from orgs.services import api_tokens

if TYPE_CHECKING:
    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import Organization


class TokenForm(Refusable, forms.Form):
    """What for, what it may do, how long."""

    name = forms.CharField(label=_("what it is for"), max_length=api_tokens.NAME_MAX, widget=UnfoldAdminTextInputWidget)
    may_write = forms.TypedChoiceField(
        label=_("it may"), coerce=lambda value: value == "write", widget=UnfoldAdminSelectWidget,
        choices=(("read", _("read only")), ("write", _("read and change"))),
    )  # fmt: skip
    days = forms.TypedChoiceField(label=_("valid for"), coerce=int, initial=90, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lives = [
            (n, ngettext("%(n)d day", "%(n)d days", n) % {"n": n} if n else _("until it is revoked"))
            for n in api_tokens.DAYS
        ]
        self.fields["days"].choices = lives  # type: ignore[attr-defined]


def sections(request: HttpRequest, obj: Organization) -> list[Section]:
    """The tokens that act for it, each with the way to revoke it; nothing for whom they are not."""
    actor = request.actor  # type: ignore[attr-defined]
    if not rules.may_own(actor, obj):
        return []
    revoke = reverse("admin:orgs_organization_revoke_token", args=[obj.pk])
    rows = [
        [
            Cell(token.name),
            Cell(_("read and change") if api_tokens.WRITE in token.scopes else _("read only")),
            Cell(day(token.expires_at) or _("until it is revoked")),
            Cell(day(token.last_used_at) or _("never")),
            Cell(_("Revoke"), f"{revoke}?token={token.pk}"),
        ]
        for token in api_tokens.of_organization(actor=actor, organization=obj)
    ]
    heads = [_("What for"), _("It may"), _("Valid until"), _("Last used"), ""]
    note = _("With a token a program acts for this organization and everything below it, through the API.")
    return [Section(_("Tokens"), heads, rows, _("There are no tokens."), note=note)]


def issue_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """What for; the answer shows the token, this once."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    require(rules.may_own(actor, obj))
    if sent_again(request):
        return redirect(change_url(obj))
    form = TokenForm(request.POST or None)
    made: list[str] = []
    if request.method == "POST" and form.is_valid():
        form.attempt(lambda: made.append(api_tokens.issue_for(actor=actor, organization=obj, **form.cleaned_data)))
    if made:
        response = pages.render(
            admin.admin_site, request, "admin/house/key.html", title=_("The new token"), key=made[0], opts=admin.opts,
            original=obj, back=change_url(obj), person=obj,
        )  # fmt: skip
        response["Cache-Control"] = "no-store"
        return response
    return form_page(
        admin, request, form, title=_("Issue a token"), button=_("Issue a token"), obj=obj, mark=once.mark(),
        text=_("A program that has it acts for this organization and everything below it. It is shown on the next page, "
               "and never again."),
    )  # fmt: skip


def revoke_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask first."""
    obj: Organization = of_object(admin, request, object_id)
    actor = request.actor  # type: ignore[attr-defined]
    found = api_tokens.of_organization(actor=actor, organization=obj)
    row = found.filter(pk=id_in(request.GET.get("token")) or 0).first()
    if row is None:
        raise Http404
    return confirm(
        admin, request, obj, title=_("Revoke the token"), button=_("Revoke"), danger=True, done=_("The token is revoked."),
        text=_("“%(name)s” works no longer from this moment on.") % {"name": row.name},
        work=lambda: api_tokens.revoke_of(actor=actor, organization=obj, token_id=row.pk),
    )  # fmt: skip


def day(moment: Any) -> str:
    """As people read it; nothing for none."""
    return formats.date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT") if moment else ""
