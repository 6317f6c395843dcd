"""What several tests of the outbox do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone

from core import scope
from messaging.models import Message
from messaging.services import outbox
from messaging.services.split import Recipient

if TYPE_CHECKING:
    from orgs.models import Organization


def make_due(message: Message) -> None:
    """Let the pause before the next attempt be over, and what is remembered of servers that did not answer."""
    cache.clear()
    Message.objects.filter(pk=message.pk).update(not_before=timezone.now())


def people(count: int) -> list[Recipient]:
    return [Recipient(f"p{i}@example.test", name=f"Person {i}") for i in range(count)]


def queue_all(tenant: Organization, to: list[Recipient], **values: Any) -> list[Message]:
    values = {"kind": "document_published", "context": {"file_title": "Abrechnung"}, "dedupe_key": "doc:1", **values}
    with scope.unit_of_work(door="test", tenants=[tenant.pk]):
        return outbox.queue_all(tenant=tenant, to=to, **values)
