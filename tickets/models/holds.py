"""What may not be deleted, whatever retention says: tickets under a legal hold by name."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Row, TenantBound
from tickets.querysets import TicketHoldQuerySet


class TicketHold(TenantBound, Row):
    """A legal hold covers this ticket. PROTECT: the database, too, refuses to delete what is held."""

    hold = models.ForeignKey("orgs.Hold", on_delete=models.PROTECT, related_name="ticket_holds", db_index=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.PROTECT, related_name="holds")

    objects = TicketHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("held ticket")
        verbose_name_plural = _("held tickets")
        ordering = ("hold", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("hold", "ticket"),
                name="ticket_hold_once",
                violation_error_message=_("The hold covers this ticket already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hold} · {self.ticket}"
