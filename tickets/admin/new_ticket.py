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
from core.errors import Invalid
from orgs.models import Community, Contact, Unit
from tickets.admin import questions
from tickets.models import Priority, Ticket, TicketActivity, TicketType
from tickets.services import answers, attachments, desk

if TYPE_CHECKING:
    from collections.abc import Callable

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
    asked = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the type whose questions stand in the form

    def __init__(self, *args: Any, ticket_type: TicketType | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen_type, self.questions = ticket_type, questions.of(ticket_type)
        for field in self.questions:
            self.fields[questions.name_of(field)] = questions.control(field)
        names = [questions.name_of(field) for field in self.questions]
        self.order_fields(["community", "unit", "requester", "ticket_type", "title", "text", *names])
        if self.questions:
            self.fields["text"].required = False
            self.fields["text"].help_text = _("What the questions below do not say.")

    def mark(self) -> None:
        """Mark what must be answered: for the eye only, what is missing, the service says. After the form was checked."""
        for field in self.questions:
            self.fields[questions.name_of(field)].required = field.required

    def attempt(self, work: Callable[[], Any]) -> bool:
        """See `Refusable.attempt`; a wrong answer is shown at its question."""

        def named() -> None:
            try:
                work()
            except answers.WrongAnswers as error:
                asked = {str(field.pk): questions.name_of(field) for field in self.questions}
                raise Invalid(fields={asked.get(key, key): told for key, told in error.fields.items()}) from error

        return super().attempt(named)


def page(admin: TicketAdmin, request: HttpRequest) -> HttpResponse:
    """GET: the form, with what the address names chosen. POST: files it, and goes to the ticket."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    if not admin.has_add_permission(request):
        messages.warning(
            request,
            _("Choose a tenant first.") if actor.tenant_id is None else _("You do not look after any community."),
        )
        return redirect(list_url(Ticket))
    named: dict[str, Any] = {
        name: id_in(request.GET.get(name, "")) for name in ("community", "unit", "requester", "ticket_type")
    }
    if named["community"] is None and len(actor.managed) == 1:
        (named["community"],) = actor.managed
    form = _form(request, actor, named)
    origins = {"community": "community", "unit": "unit", "requester": "contact", "ticket_type": "ticket_type"}
    for name, column in origins.items():
        origin: Any = Ticket._meta.get_field(column)
        form.fields[name] = picker(admin, request, form.fields[name], origin)  # type: ignore[type-var]
    made: list[Ticket] = []

    def receive(sent: list[Any]) -> list[str]:
        return attachments.receive(sent, actor=actor, community=form.cleaned_data["community"], door=DOOR)

    def file() -> None:
        values = form.cleaned_data
        ticket = answers.file_for_caller(
            actor=actor,
            community=Community.objects.select_related("tenant").get(pk=values["community"].pk),
            text=values["text"],
            title=values["title"],
            source=TicketActivity.Source.BACK_OFFICE,
            ticket_type=values["ticket_type"],
            given=questions.given(form.questions, values, receive),
            unit=values["unit"],
            requester=values["requester"],
            files=attachments.Files(receive(request.FILES.getlist("file")), DOOR),
        ).ticket
        if values["priority"]:
            desk.save(actor=actor, ticket=ticket, wanted={"priority": values["priority"]})
        made.append(ticket)

    if form.is_bound and form.is_valid() and form.attempt(file):
        messages.success(request, _("Ticket %(number)s was filed.") % {"number": made[0].identifier})
        return redirect(change_url(made[0]))
    form.mark()
    return form_page(
        admin, request, form, title=_title(form), button=_("File the ticket"), multipart=True,
        text=_("For a resident who has called or written; the requester is told and finds it in the portal."),
    )  # fmt: skip


def _title(form: NewTicketForm) -> str:
    return _("New ticket: %(type)s") % {"type": form.chosen_type.name} if form.chosen_type else _("New ticket")


def _form(request: HttpRequest, actor: Any, named: dict[str, Any]) -> NewTicketForm:
    """With the questions of the chosen type. Who has just chosen another one is first asked what that one asks."""
    chosen = id_in(request.POST.get("ticket_type", "")) if request.method == "POST" else named["ticket_type"]
    ticket_type = TicketType.objects.visible_to(actor).filter(pk=chosen or 0, is_active=True).first()
    initial = {**named, "asked": ticket_type.pk if ticket_type else None}
    if request.method != "POST":
        return NewTicketForm(initial=initial, ticket_type=ticket_type)
    form = NewTicketForm(request.POST, request.FILES, initial=initial, ticket_type=ticket_type)
    if not form.questions or id_in(request.POST.get("asked", "")) == ticket_type.pk:  # type: ignore[union-attr]
        return form
    messages.info(request, _("This type asks some more; please answer that, too, and choose files only then."))
    return NewTicketForm(initial={**request.POST.dict(), "asked": initial["asked"]}, ticket_type=ticket_type)
