"""The status of a ticket in the words of residents: four of them, of which a company may name each as it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models import TicketStatus

if TYPE_CHECKING:
    from orgs.models import Organization

OPEN, IN_PROGRESS, WAITING, CLOSED = "OPEN", "IN_PROGRESS", "WAITING", "CLOSED"
# From the stored, finer words (conflict 1).
WORDS = {
    TicketStatus.NEW: OPEN, TicketStatus.REOPENED: OPEN, TicketStatus.IN_PROGRESS: IN_PROGRESS,
    TicketStatus.WAITING: WAITING, TicketStatus.SOLVED: CLOSED, TicketStatus.CLOSED: CLOSED,
}  # fmt: skip
_TEXTS = {
    OPEN: pgettext_lazy("ticket", "Received"),
    IN_PROGRESS: _("In progress"),
    WAITING: pgettext_lazy("ticket", "Waiting"),
    CLOSED: pgettext_lazy("ticket", "Done"),
}
_LONGEST = 60  # characters of a company's own word that a page has room for


def word_of(stored: str) -> str:
    """The portal's word for a stored status."""
    return WORDS[TicketStatus(stored)]


def status_text(word: str, tenant: Organization) -> str:
    """How a company calls a status, else how we do."""
    settings = getattr(tenant, "settings", None)
    own = settings.ticket_status_texts.get(word, "") if settings is not None else ""
    return own.strip()[:_LONGEST] if isinstance(own, str) and own.strip() else str(_TEXTS[word])
