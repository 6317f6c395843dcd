"""What is sent to the support door: a new ticket, and its changes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from core.text import is_blank
from tickets.api.shapes import STATUS_WORDS
from tickets.models import SupportType
from tickets.services.filing import TEXT_MAX


class TextField(serializers.CharField):
    """Text of people, kept as it is; what nobody sees is none (TICKETS-013)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=TEXT_MAX, min_length=1, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Raises `ValidationError` for anything that is no text."""
        if not isinstance(data, str):
            self.fail("invalid")
        if is_blank(data):
            self.fail("blank")
        return str(super().to_internal_value(data))


class Part(serializers.Serializer):
    """An object of a body; whoever sends something else is told so in words of people."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": gettext_lazy("An object is expected here.")}


class TicketCreate(Part):
    """A new ticket."""

    locationRef = serializers.UUIDField()
    text = TextField()
    type = serializers.ChoiceField(
        SupportType.values, default=SupportType.OTHER.value, help_text="Required by the publisher, optional here."
    )
    userRefRequester = serializers.UUIDField(
        required=False, help_text="On whose behalf; the authenticated user when left out."
    )


class TicketCreateBody(Part):
    """The envelope."""

    ticket = TicketCreate()


class AssigneeUpdate(Part):
    """Who takes it."""

    membershipRefAssignee = serializers.UUIDField(
        required=False, allow_null=True, help_text="Older way to name the assignee; null unassigns."
    )
    userRefAssignee = serializers.UUIDField(
        required=False, allow_null=True, help_text="User to assign; null unassigns."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if not attrs:
            raise serializers.ValidationError(_("Name an assignee, or null."))
        return attrs


class AssigneeBody(Part):
    """The envelope."""

    ticket = AssigneeUpdate()


class StatusUpdate(Part):
    """The new status."""

    status = serializers.ChoiceField(STATUS_WORDS)


class StatusBody(Part):
    """The envelope."""

    ticket = StatusUpdate()


class TypeUpdate(Part):
    """The new type."""

    type = serializers.ChoiceField(SupportType.values)


class TypeBody(Part):
    """The envelope."""

    ticket = TypeUpdate()
