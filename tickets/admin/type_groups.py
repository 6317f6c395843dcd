"""Headings over ticket types."""

from __future__ import annotations

from tickets.admin.base import SetUpAdmin


class TicketTypeGroupAdmin(SetUpAdmin):
    """Groups of types, in the order in which residents see them."""

    list_display = ("name", "position")
    search_fields = ("name",)
    ordering = ("position", "id")
    fields = ("name", "position")
