"""What several tests of the outbox do."""

from __future__ import annotations

from django.utils import timezone

from messaging.models import Message


def make_due(message: Message) -> None:
    """Let the pause before the next attempt be over."""
    Message.objects.filter(pk=message.pk).update(not_before=timezone.now())
