"""Rules of assignment: who gets a new ticket."""

from __future__ import annotations

from tickets.admin.base import SetUpAdmin


class AssignmentRuleAdmin(SetUpAdmin):
    """The first rule that fits decides."""

    list_display = ("__str__", "assignee", "only_available", "position", "is_active")
    list_select_related = ("community", "ticket_type", "assignee__user", "assignee__organization")
    list_filter = ("is_active",)
    ordering = ("position", "id")
    autocomplete_fields = ("community", "ticket_type", "assignee")
    fields = ("community", "ticket_type", "assignee", "only_available", "position", "is_active")
