"""The programs of a company that may ask people for access by OAuth: registered, changed, removed. Of companies only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core import once
from core.admin import pages
from core.admin.forms import Refusable
from core.admin.pages import Cell, Section, change_url, confirm, form_page, id_in, of_object, sent_again
from core.answers import require
from orgs import rules
from orgs.services import api_tokens, oauth_clients

if TYPE_CHECKING:
    from orgs.admin.organizations import OrganizationAdmin
    from orgs.models import OAuthClient, Organization


class ProgramForm(Refusable, forms.Form):
    """What it is called, where it runs, where answers go, what it may ask for."""

    name = forms.CharField(
        label=_("name of the program"), max_length=api_tokens.NAME_MAX, widget=UnfoldAdminTextInputWidget,
        help_text=_("People read it when they are asked for access."),
    )  # fmt: skip
    is_public = forms.TypedChoiceField(
        label=_("it runs"), coerce=lambda value: value == "device", widget=UnfoldAdminSelectWidget,
        choices=(("server", _("on a server, which keeps a secret")), ("device", _("on people's devices, without a secret"))),
    )  # fmt: skip
    addresses = forms.CharField(
        label=_("addresses for answers"), max_length=6000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("One on each line, exactly as the program names them (redirect URI). Answers go nowhere else."),
    )  # fmt: skip
    may_write = forms.TypedChoiceField(
        label=_("it may ask to"), coerce=lambda value: value == "write", widget=UnfoldAdminSelectWidget,
        choices=(("read", _("read tickets")), ("write", _("read and change tickets"))),
    )  # fmt: skip

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["is_public"]  # whether it has a secret is settled with its registration

    def clean_addresses(self) -> list[str]:
        """One of each line."""
        return str(self.cleaned_data["addresses"]).split()


class SecretForm(Refusable, forms.Form):
    """Nothing to fill in; what is refused stands on it."""


def sections(request: HttpRequest, obj: Organization) -> list[Section]:
    """The programs of a company, each with what can be done; nothing for whom they are not."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if not obj.is_tenant or not rules.may_administer(actor, obj.pk):
        return []
    change = reverse("admin:orgs_organization_change_program", args=[obj.pk])
    remove = reverse("admin:orgs_organization_remove_program", args=[obj.pk])
    secret = reverse("admin:orgs_organization_program_secret", args=[obj.pk])
    rows = [
        [
            Cell(client.name, f"{change}?program={client.pk}"),
            Cell(client.client_id),
            Cell(_("on people's devices") if client.client_type == oauth_clients.PUBLIC else _("on a server")),
            Cell(_("read and change tickets") if api_tokens.SUPPORT in client.scopes else _("read tickets")),
            Cell("")
            if client.client_type == oauth_clients.PUBLIC
            else Cell(_("New secret"), f"{secret}?program={client.pk}"),
            Cell(_("Remove"), f"{remove}?program={client.pk}"),
        ]
        for client in oauth_clients.of_company(actor=actor, tenant=obj)
    ]
    heads = [_("Program"), _("Client id"), _("It runs"), _("It may ask to"), "", ""]
    note = _(
        "Such a program asks people of this company whether it may act for them (OAuth), through the support API. Each of "
        "them can take that back."
    )
    links: list[tuple[Any, str]] = [
        (_("Register a program"), reverse("admin:orgs_organization_programs", args=[obj.pk]))
    ]
    return [Section(_("Programs with access by consent"), heads, rows, _("There are none."), note=note, links=links)]


def register_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """A new one; the answer shows its secret, this once."""
    obj = _company(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    if sent_again(request):
        return redirect(change_url(obj))
    form = ProgramForm(request.POST or None, is_new=True)
    made: list[oauth_clients.Registered] = []
    if request.method == "POST" and form.is_valid():
        form.attempt(lambda: made.append(oauth_clients.register(actor=actor, tenant=obj, **form.cleaned_data)))
    if made:
        return _shown(admin, request, obj, made[0], title=_("The program is registered"))
    return form_page(
        admin, request, form, title=_("Register a program"), button=_("Register a program"), obj=obj, mark=once.mark(),
        text=_("Its secret is shown on the next page, and never again."),
    )  # fmt: skip


def change_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Name, addresses, what it may ask for; and the way to a new secret."""
    obj = _company(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    client = _program(request, obj)
    initial = {
        "name": client.name, "addresses": "\n".join(client.addresses),
        "may_write": "write" if api_tokens.SUPPORT in client.scopes else "read",
    }  # fmt: skip
    form = ProgramForm(request.POST or None, is_new=False, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if form.attempt(lambda: oauth_clients.change(actor=actor, tenant=obj, client_id=client.pk, **values)):
            messages.success(request, gettext("The program is changed."))
            return redirect(change_url(obj))
    return form_page(
        admin, request, form, title=client.name, button=_("Save"), obj=obj,
        text=_("Whoever may ask for less from now on loses the access that people gave."),
    )  # fmt: skip


def secret_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """A new secret, after asking; it is shown this once."""
    obj = _company(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    client = _program(request, obj)
    form = SecretForm(request.POST if request.method == "POST" else None)
    made: list[oauth_clients.Registered] = []
    if form.is_valid():
        form.attempt(lambda: made.append(oauth_clients.renew_secret(actor=actor, tenant=obj, client_id=client.pk)))
    if made:
        return _shown(admin, request, obj, made[0], title=_("The new secret"))
    return form_page(
        admin, request, form, title=_("New secret"), button=_("Make a new secret"), obj=obj,
        text=_("The old secret of “%(name)s” works no longer from that moment on. Access that people gave stays.")
        % {"name": client.name},
    )  # fmt: skip


def remove_page(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask first."""
    obj = _company(admin, request, object_id)
    actor: Any = request.actor  # type: ignore[attr-defined]
    client = _program(request, obj)
    return confirm(
        admin, request, obj, title=_("Remove the program"), button=_("Remove"), danger=True,
        done=_("The program is removed."),
        text=_("“%(name)s” has no access any more from this moment on, whoever allowed it.") % {"name": client.name},
        work=lambda: oauth_clients.remove(actor=actor, tenant=obj, client_id=client.pk),
    )  # fmt: skip


def _company(admin: OrganizationAdmin, request: HttpRequest, object_id: str) -> Organization:
    obj: Organization = of_object(admin, request, object_id)
    if not obj.is_tenant:
        raise Http404
    require(rules.may_administer(request.actor, obj.pk))  # type: ignore[attr-defined]
    return obj


def _program(request: HttpRequest, obj: Organization) -> OAuthClient:
    found = oauth_clients.of_company(actor=request.actor, tenant=obj)  # type: ignore[attr-defined]
    client = found.filter(pk=id_in(request.GET.get("program")) or 0).first()
    if client is None:
        raise Http404
    return client


def _shown(
    admin: OrganizationAdmin, request: HttpRequest, obj: Organization, made: oauth_clients.Registered, *, title: Any
) -> HttpResponse:
    response = pages.render(
        admin.admin_site, request, "admin/house/program.html", title=title, made=made, opts=admin.opts, original=obj,
        back=change_url(obj), network=obj.uuid,
    )  # fmt: skip
    response["Cache-Control"] = "no-store"
    return response
