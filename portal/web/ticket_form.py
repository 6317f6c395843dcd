"""The form of a ticket type: its fields as a browser shows them, what was typed in the types the service takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.web.forms import PortalForm
from portal.web.shell import number_in, unit_line
from tickets.models import TicketTypeField
from tickets.services.answers import LINE_MAX, TEXT_MAX, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.errors import DomainError
    from orgs.models import Unit
    from portal.web.ticket_files import Attached

Kind = TicketTypeField.Kind
FILES = "upload"  # of a form without questions
NEIGHBOURS = "neighbours"


def name_of(field: TicketTypeField) -> str:
    """What an input is called; names of inputs are no ids of fields, because a form has others beside them."""
    return f"f{field.pk}"


def _control(field: TicketTypeField) -> forms.Field:
    """The browser helps, the service decides: everything but a box arrives as text, and nothing is required here."""
    shown: dict[str, Any] = {"label": field.name, "help_text": field.description, "required": False}
    if field.field_type == Kind.FILE:
        return forms.CharField(widget=forms.HiddenInput, **shown)  # its widget is drawn apart; here its errors hang
    if field.field_type == Kind.CHECKBOX:
        return forms.BooleanField(**shown)
    widget: forms.Widget = forms.TextInput(attrs={"maxlength": LINE_MAX})
    if field.field_type == Kind.TEXTBOX:
        widget = forms.Textarea(attrs={"rows": 5, "maxlength": TEXT_MAX})
    elif field.field_type == Kind.NUMBER:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "short", "autocomplete": "off"})
    elif field.field_type == Kind.DROPDOWN:
        widget = forms.Select(choices=[("", _("Please choose")), *((text, text) for text in field.options)])
    elif field.field_type == Kind.DATE:
        widget = forms.DateInput(attrs={"type": "date", "class": "short"})
    return forms.CharField(widget=widget, **shown)


class TicketForm(PortalForm):
    """The questions of a type, or without any what it is about. Files are `portal.web.ticket_files`."""

    def __init__(self, *args: Any, fields: Sequence[TicketTypeField], units: Sequence[Unit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = {name_of(field): field for field in fields}
        if units:
            places = [(str(unit.pk), unit_line(unit)) for unit in units]
            self.fields["unit"] = forms.CharField(
                label=_("Where is it?"),
                required=False,
                widget=forms.RadioSelect(choices=[*places, ("", _("In the house or outside"))]),
            )
        if not fields:
            self.fields["title"] = forms.CharField(
                label=_("In short"), required=False, max_length=250, widget=forms.TextInput(attrs={"maxlength": 250})
            )
            self.fields["text"] = forms.CharField(
                label=_("What is it about?"), required=False, widget=forms.Textarea(attrs={"rows": 6})
            )
            self.fields[FILES] = forms.CharField(label=_("Photos and files"), required=False, widget=forms.HiddenInput)
        for name, field in self.asked.items():
            self.fields[name] = _control(field)
        self.fields[NEIGHBOURS] = forms.BooleanField(
            label=_("My neighbours may see this ticket"), required=False,
            help_text=_("Sensible where it concerns the whole house. Your telephone number stays hidden."),
        )  # fmt: skip
        for control in self.fields.values():
            if not isinstance(control.widget, forms.CheckboxInput | forms.RadioSelect | forms.HiddenInput):
                control.widget.attrs["class"] = f"input {control.widget.attrs.get('class', '')}".strip()
        if self.is_bound:
            self.full_clean()
        for name, field in self.asked.items():  # for the eye only: what is missing, the service says
            self.fields[name].required = field.required
        if not fields:
            self.fields["text"].required = True

    def given(self, files: Mapping[str, Attached]) -> dict[str, Any]:
        """The answers by field id, in the types of JSON."""
        return {
            str(field.pk): files[name].handles
            if field.field_type == Kind.FILE
            else typed(field, self.cleaned_data.get(name))
            for name, field in self.asked.items()
        }

    @property
    def unit_id(self) -> int | None:
        """The chosen unit; -1 for nonsense, which no unit has."""
        text = self.cleaned_data.get("unit") or ""
        return (number_in(text) or -1) if text else None

    def take(self, error: DomainError, names: Mapping[str, str] | None = None) -> None:
        """Show what a service refused at the fields it names; fields of a type are named by their id."""
        super().take(error, {str(field.pk): name for name, field in self.asked.items()} | dict(names or {}))
