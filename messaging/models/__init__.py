"""The tables of outgoing mail and text messages."""

from messaging.models.messages import Message, MessageRecipient
from messaging.models.templates import Template

__all__ = ["Message", "MessageRecipient", "Template"]
