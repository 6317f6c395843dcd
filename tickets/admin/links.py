"""How a ticket hangs together with others: merged into one, part of one; and with whom it is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from core.admin.forms import Refusable
from core.admin.pages import change_url, form_page
from tickets.models import Ticket
from tickets.services import family, merging, sharing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tickets.admin.tickets import TicketAdmin


class OtherForm(Refusable, forms.Form):
    """Another ticket, by the reference that people know it by."""

    number = forms.CharField(
        label=gettext_lazy("reference of the other ticket"), max_length=30, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, actor: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.ticket = actor, ticket

    def clean_number(self) -> Ticket:
        """The ticket, of those that the person works on."""
        seen = Ticket.objects.worked_on_by(self.actor).filter(tenant=self.ticket.tenant_id)
        found = seen.numbered(self.cleaned_data["number"]).select_related("community__tenant").first()
        if found is None:
            raise forms.ValidationError(_("You work on no ticket with this reference."))
        return found


class ParentForm(OtherForm):
    """Empty: on its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].required = False
        self.fields["number"].help_text = _("Empty: the ticket is no part of another one.")

    def clean_number(self) -> Any:
        """The ticket, or none."""
        return super().clean_number() if self.cleaned_data["number"].strip() else None


class ShareForm(Refusable, forms.Form):
    """The circles that read along."""

    keys = forms.MultipleChoiceField(
        label=gettext_lazy("Shared with"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


def merge(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Ask into which one, then do it and go there."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    form = OtherForm(request.POST or None, actor=actor, ticket=ticket)
    if request.method == "POST" and form.is_valid():
        into = form.cleaned_data["number"]
        if form.attempt(lambda: merging.merge(actor=actor, ticket=ticket, into=into)):
            told = _("Ticket %(old)s was merged into %(new)s.") % {"old": ticket.identifier, "new": into.identifier}
            messages.success(request, told)
            return redirect(change_url(into))
    return form_page(
        admin, request, form, title=_("Merge with another ticket"), button=_("Merge"), obj=ticket,
        text=_(
            "This ticket is closed and leads to the other one, where its stream is shown, too. Its requester keeps it and "
            "gets your further replies there, but does not see what others wrote. This cannot be undone."
        ),
    )  # fmt: skip


def parent(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Make the ticket a part of another one, or none again."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    initial = {"number": ticket.parent.identifier if ticket.parent else ""}
    form = ParentForm(request.POST or None, actor=actor, ticket=ticket, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["number"]
        if form.attempt(lambda: family.set_parent(actor=actor, ticket=ticket, parent=chosen)):
            messages.success(request, _("The ticket was saved."))
            return redirect(change_url(ticket))
    return form_page(
        admin, request, form, title=_("Part of another ticket"), button=_("Save"), obj=ticket,
        text=_("The other ticket cannot be solved while parts of it are open, unless they are solved along."),
    )  # fmt: skip


def share(admin: TicketAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Choose who of the community reads along."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    form = ShareForm(request.POST or None, initial={"keys": ticket.shared_with})
    form.fields["keys"].choices = sharing.choices(ticket.community)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        keys = form.cleaned_data["keys"]
        if form.attempt(lambda: sharing.share(actor=actor, ticket=ticket, keys=keys)):
            messages.success(request, _("The sharing was saved."))
            return redirect(change_url(ticket))
    return form_page(
        admin, request, form, title=_("Share the ticket"), button=_("Save"), obj=ticket,
        text=_(
            "Readers see the report and the replies of the management, without addresses and without what others wrote. "
            "They cannot comment."
        ),
    )  # fmt: skip
