"""Every route of the tickets contract."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from tickets.api import attachments, comments, tickets
from tickets.api.base import UnknownPath


def _route(address: str, view: Any, **options: Any) -> Any:
    return path(address, view.as_view(**options))


TICKETS = "tickets/v1"
urlpatterns = [
    _route(TICKETS, tickets.Tickets),
    _route(f"{TICKETS}/comment", comments.Comments),
    _route(f"{TICKETS}/comment/<str:id>", comments.OneComment),
    _route(f"{TICKETS}/<str:id>", tickets.OneTicket),
    _route(f"{TICKETS}/<str:id>/assignee", tickets.Assignee),
    _route(f"{TICKETS}/<str:id>/status", tickets.Status),
    _route(f"{TICKETS}/<str:id>/type", tickets.Type),
    _route("attachments/v1", attachments.Attachments),
    _route("attachments/v1/<str:key>", attachments.OneAttachment),
    re_path(r"^.*", UnknownPath.as_view(schema=None)),
]
