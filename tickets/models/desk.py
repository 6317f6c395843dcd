"""What staff keep beside tickets: watchers, drafts, ready-made replies, rules of assignment, saved filters."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, Row, TenantBound
from tickets.querysets import DeskQuerySet, OfTicket, OwnDraftQuerySet, TicketFilterQuerySet


class TicketWatcher(TenantBound, Row):
    """Somebody of the staff who is told of everything that happens to a ticket without being its assignee."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="watchers", db_index=False)
    membership = models.ForeignKey(
        "orgs.Membership", on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )

    objects = OfTicket.as_manager()

    class Meta:
        verbose_name = _("watcher")
        verbose_name_plural = _("watchers")
        ordering = ("ticket", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("ticket", "membership"),
                name="ticket_watcher_once",
                violation_error_message=_("This person watches the ticket already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.membership_id}"


class TicketDraft(TenantBound, MutableRow):
    """What somebody has begun to write on a ticket and not sent yet; nobody else sees it."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="drafts", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(_("text"), max_length=20000)
    is_note = models.BooleanField(_("internal note"), default=False)

    objects = OwnDraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        ordering = ("ticket", "id")
        constraints = (models.UniqueConstraint(fields=("ticket", "user"), name="ticket_draft_once"),)

    def __str__(self) -> str:
        return self.text[:50]


class CannedReply(TenantBound, MutableRow):
    """A ready-made answer with placeholders; without a support type it is offered on every ticket."""

    name = models.CharField(_("name"), max_length=200)
    text = models.TextField(_("text"), max_length=20000)
    support_type = models.CharField(_("only for the support type"), max_length=40, blank=True)
    position = models.PositiveIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = DeskQuerySet.as_manager()

    class Meta:
        verbose_name = _("ready-made reply")
        verbose_name_plural = _("ready-made replies")
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "name"),
                name="canned_reply_name_once",
                violation_error_message=_("There is a reply of this name already."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class AssignmentRule(TenantBound, MutableRow):
    """Who gets a new ticket. The first rule that fits decides, by ``position``; an empty condition fits everything.

    Without a person, whoever looks after the community, is available and has the fewest open tickets gets it.
    """

    community = models.ForeignKey(
        "orgs.Community",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("community"),
        help_text=_("Empty: all communities."),
    )
    ticket_type = models.ForeignKey(
        "tickets.TicketType",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("ticket type"),
        help_text=_("Empty: all types."),
    )
    assignee = models.ForeignKey(
        "orgs.Membership",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"role__in": ("owner", "staff", "affiliate"), "deactivated_at": None},
        verbose_name=_("assignee"),
        help_text=_("Empty: whoever is available and has the fewest open tickets."),
    )
    only_available = models.BooleanField(
        _("only while available"),
        default=True,
        help_text=_("While the person is not available, the next rule decides."),
    )
    position = models.PositiveIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)

    objects = DeskQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule of assignment")
        verbose_name_plural = _("rules of assignment")
        ordering = ("position", "id")

    def __str__(self) -> str:
        parts = [str(part) for part in (self.community, self.ticket_type) if part is not None]
        return " · ".join(parts) or str(_("all tickets"))


class TicketFilter(TenantBound, MutableRow):
    """A saved view of the work list: the query string of its address, private or shared with all staff."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(max_length=2000)
    is_shared = models.BooleanField(_("shared with all staff"), default=False)

    objects = TicketFilterQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "user", "name"),
                name="ticket_filter_name_once",
                violation_error_message=_("You have a filter of this name already."),
            ),
        )

    def __str__(self) -> str:
        return self.name
