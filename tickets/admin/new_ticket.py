"""A new ticket for somebody who called: for whom, where, what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin.forms import Refusable
from core.admin.pages import change_url, form_page, id_in, list_url
from core.admin.pickers import picker
from orgs.models import Community, Contact, Unit
from tickets.models import Priority, Ticket, TicketActivity, TicketType
from tickets.services import attachments, desk, filing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tickets.admin.tickets import TicketAdmin

DOOR = "back_office"


class NewTicketForm(Refusable, forms.Form):
    """What the caller says."""

    community = forms.ModelChoiceField(label=gettext_lazy("community"), queryset=Community.objects.none())
    unit = forms.ModelChoiceField(label=gettext_lazy("unit"), queryset=Unit.objects.none(), required=False)
    requester = forms.ModelChoiceField(
        label=gettext_lazy("requester"), queryset=Contact.objects.none(), required=False,
        help_text=gettext_lazy("Empty: it is your own ticket."),
    )  # fmt: skip
    ticket_type = forms.ModelChoiceField(
        label=gettext_lazy("ticket type"), queryset=TicketType.objects.none(), required=False
    )
    title = forms.CharField(
        label=gettext_lazy("title"), required=False, max_length=250, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Empty: the name of the type."),
    )  # fmt: skip
    text = forms.CharField(label=gettext_lazy("What is it about?"), widget=UnfoldAdminTextareaWidget)
    priority = forms.TypedChoiceField(
        label=gettext_lazy("priority"), coerce=int, empty_value=None, required=False, widget=UnfoldAdminSelectWidget,
        choices=[("", gettext_lazy("as the type says")), *Priority.choices],
    )  # fmt: skip
    file = forms.FileField(label=gettext_lazy("file"), required=False)


def page(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """GET: the form, with what the address names chosen. POST: files it, and goes to the ticket."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if not admin.has_add_permission(request):
        messages.warning(
            request,
            _("Choose a tenant first.") if actor.tenant_id is None else _("You do not look after any community."),
        )
        return redirect(list_url(Ticket))
    named = {name: id_in(request.GET.get(name, "")) for name in ("community", "unit", "requester", "ticket_type")}
    if named["community"] is None and len(actor.managed) == 1:
        (named["community"],) = actor.managed
    form = NewTicketForm(request.POST or None, request.FILES or None, initial=named)
    origins = {"community": "community", "unit": "unit", "requester": "contact", "ticket_type": "ticket_type"}
    for name, column in origins.items():
        origin: Any = Ticket._meta.get_field(column)
        form.fields[name] = picker(admin, request, form.fields[name], origin)  # type: ignore[type-var]
    made: list[Ticket] = []

    def file() -> None:
        values = form.cleaned_data
        sent = request.FILES.getlist("file")
        handles = attachments.receive(sent, actor=actor, community=values["community"], door=DOOR)
        ticket = filing.file_ticket(
            actor=actor,
            community=Community.objects.select_related("tenant").get(pk=values["community"].pk),
            text=values["text"],
            title=values["title"],
            source=TicketActivity.Source.BACK_OFFICE,
            ticket_type=values["ticket_type"],
            unit=values["unit"],
            requester=values["requester"],
            files=attachments.Files(handles, DOOR),
        ).ticket
        if values["priority"]:
            desk.save(actor=actor, ticket=ticket, wanted={"priority": values["priority"]})
        made.append(ticket)

    if request.method == "POST" and form.is_valid() and form.attempt(file):
        messages.success(request, _("Ticket %(number)s was filed.") % {"number": made[0].identifier})
        return redirect(change_url(made[0]))
    return form_page(
        admin, request, form, title=_("New ticket"), button=_("File"), multipart=True,
        text=_("For a resident who has called or written; the requester is told and finds it in the portal."),
    )  # fmt: skip
