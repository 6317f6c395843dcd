"""The basic credentials with which help desks speak to the support API: issued, listed, revoked. Of companies only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core import once
from core.admin import pages
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object, sent_again
from core.answers import require
from orgs import rules
from orgs.admin.organization_tokens import TokenForm, day
from orgs.services import api_tokens

if TYPE_CHECKING:
    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import Organization


def sections(request: HttpRequest, obj: Organization) -> list[Section]:
    """The pairs of a company, each with the person it acts as and the way to revoke it; nothing for whom they are not."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if not obj.is_tenant or not rules.may_administer(actor, obj.pk):
        return []
    revoke = reverse("admin:orgs_organization_revoke_credentials", args=[obj.pk])
    rows = [
        [
            Cell(token.name),
            Cell(token.public_id or ""),
            Cell(str(token.user)),
            Cell(_("read and change") if api_tokens.SUPPORT in token.scopes else _("read only")),
            Cell(day(token.expires_at) or _("until it is revoked")),
            Cell(day(token.last_used_at) or _("never")),
            Cell(_("Revoke"), f"{revoke}?token={token.pk}"),
        ]
        for token in api_tokens.credentials_of(actor=actor, tenant=obj)
    ]
    heads = [_("What for"), _("Client id"), _("Acts as"), _("It may"), _("Valid until"), _("Last used"), ""]
    note = _("With such a pair a help desk reads and files tickets of this company, as the person it acts as.")
    issue = reverse("admin:orgs_organization_credentials", args=[obj.pk])
    links: list[tuple[Any, str]] = [(_("Issue credentials"), issue)] if rules.may_issue_credentials(actor, obj) else []
    return [Section(_("Credentials of the support API"), heads, rows, _("There are none."), note=note, links=links)]


def issue_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """What for; the answer shows the pair, this once."""
    obj: Organization = of_object(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    if not obj.is_tenant:
        raise Http404
    require(rules.may_issue_credentials(actor, obj))
    if sent_again(request):
        return redirect(change_url(obj))
    form = TokenForm(request.POST or None)
    made: list[api_tokens.Credentials] = []
    if request.method == "POST" and form.is_valid():
        form.attempt(lambda: made.append(api_tokens.issue_credentials(actor=actor, tenant=obj, **form.cleaned_data)))
    if made:
        response = pages.render(
            admin.admin_site, request, "admin/house/credentials.html", title=_("The new credentials"), pair=made[0],
            opts=admin.opts, original=obj, back=change_url(obj), network=obj.uuid,
        )  # fmt: skip
        response["Cache-Control"] = "no-store"
        return response
    return form_page(
        admin, request, form, title=_("Issue credentials"), button=_("Issue credentials"), obj=obj, mark=once.mark(),
        text=_("A program that has them acts as you in this company, through the support API. They are shown on the next "
               "page, and never again."),
    )  # fmt: skip


def revoke_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask first."""
    obj: Organization = of_object(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    found = api_tokens.credentials_of(actor=actor, tenant=obj)
    row = found.filter(pk=id_in(request.GET.get("token")) or 0).first()
    if row is None:
        raise Http404
    return confirm(
        admin, request, obj, title=_("Revoke the credentials"), button=_("Revoke"), danger=True,
        done=_("The credentials are revoked."),
        text=_("“%(name)s” works no longer from this moment on.") % {"name": row.name},
        work=lambda: api_tokens.revoke_credentials(actor=actor, tenant=obj, token_id=row.pk),
    )  # fmt: skip
