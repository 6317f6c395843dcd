"""The questions of a ticket type in a form of the back office; what was typed, in the types the service takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from tickets.models import TicketType, TicketTypeField
from tickets.services.answers import LINE_MAX, TEXT_MAX, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.core.files.uploadedfile import UploadedFile

Kind = TicketTypeField.Kind


def of(ticket_type: TicketType | None) -> list[TicketTypeField]:
    """What a type asks, in its order. One query."""
    if ticket_type is None:
        return []
    return list(ticket_type.fields.filter(is_active=True).order_by("position", "id"))


def name_of(field: TicketTypeField) -> str:
    """What an input is called: names of inputs are no ids of fields, because a form has others beside them."""
    return f"answer{field.pk}"


def control(field: TicketTypeField) -> forms.Field:
    """The browser helps, the service decides: nothing is required here, and everything but a box and a file is text."""
    shown: dict[str, Any] = {"label": field.name, "help_text": field.description, "required": False}
    if field.field_type == Kind.FILE:
        return forms.FileField(**shown)
    if field.field_type == Kind.CHECKBOX:
        return forms.BooleanField(widget=UnfoldBooleanWidget, **shown)
    widget: forms.Widget = UnfoldAdminTextInputWidget(attrs={"maxlength": LINE_MAX})
    if field.field_type == Kind.TEXTBOX:
        widget = UnfoldAdminTextareaWidget(attrs={"maxlength": TEXT_MAX})
    elif field.field_type == Kind.NUMBER:
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    elif field.field_type == Kind.DROPDOWN:
        widget = UnfoldAdminSelectWidget(choices=[("", _("Please choose")), *((text, text) for text in field.options)])
    elif field.field_type == Kind.DATE:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
    return forms.CharField(widget=widget, **shown)


def given(
    fields: Sequence[TicketTypeField], values: dict[str, Any], receive: Callable[[list[UploadedFile]], list[str]]
) -> dict[str, Any]:
    """The answers by field id, in the types of JSON; ``receive`` takes files in and answers their handles."""
    found: dict[str, Any] = {}
    for field in fields:
        value = values.get(name_of(field))
        if field.field_type == Kind.FILE:
            found[str(field.pk)] = receive([value]) if value else []
        else:
            found[str(field.pk)] = typed(field, value)
    return found
