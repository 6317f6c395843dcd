"""What residents can report: the tenant's types, their fields and groups."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.models import MutableRow, Row, TenantBound, one_of
from tickets.querysets import OfTicketType, TicketTypeGroupQuerySet, TicketTypeQuerySet


class SupportType(models.TextChoices):
    """The fourteen words of the tickets contract."""

    ACCESS = "access", _("access")
    ACCOUNT_AND_BILLING = "accountAndBilling", _("account and billing")
    BOOKINGS = "bookings", _("bookings")
    CLEANING = "cleaning", _("cleaning")
    DISCRIMINATION_AND_HARASSMENT = "discriminationAndHarassment", _("discrimination and harassment")
    INTERNET = "internet", _("internet")
    MAIL_AND_PACKAGES = "mailAndPackages", _("mail and packages")
    NOISE_AND_ACOUSTICS = "noiseAndAcoustics", _("noise and acoustics")
    OFFENSIVE_OR_OBJECTIONABLE_CONTENT = "offensiveOrObjectionableContent", _("offensive content")
    OTHER = "other", _("other")
    PRINTING = "printing", _("printing")
    REPAIR_AND_MAINTENANCE = "repairAndMaintenance", _("repair and maintenance")
    TEMPERATURE_AND_VENTILATION = "temperatureAndVentilation", _("temperature and ventilation")
    WEBSITE_AND_APP = "websiteAndApp", _("website and app")


class Priority(models.IntegerChoices):
    """How urgent a ticket is."""

    LOW = 1, _("low")
    NORMAL = 2, _("normal")
    HIGH = 3, _("high")
    URGENT = 4, _("urgent")


class ResidentRole(models.TextChoices):
    """The roles an audience key can name."""

    OWNER = "owner", _("owner")
    RENTER = "renter", _("renter")
    ADDITIONAL = "additional", _("additional user")
    BOARD = "board", _("advisory board")


class TicketTypeGroup(TenantBound, MutableRow):
    """A heading over ticket types."""

    name = models.CharField(_("name"), max_length=200)
    position = models.PositiveIntegerField(_("order"), default=0)

    objects = TicketTypeGroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group of ticket types")
        verbose_name_plural = _("groups of ticket types")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class TicketType(TenantBound, MutableRow):
    """What can be reported. A change never reaches tickets already filed (PORTAL-074).

    Without communities it is offered in all of them, without roles to everybody. ``is_support_default`` marks
    the type that the tickets contract's word stands for.
    """

    group = models.ForeignKey(
        TicketTypeGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="types", verbose_name=_("group")
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    icon = models.CharField(_("icon"), max_length=64, blank=True)
    position = models.PositiveIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)
    support_type = models.CharField(
        _("support type"), max_length=40, choices=SupportType.choices, default=SupportType.OTHER
    )
    is_support_default = models.BooleanField(_("default of the support type"), default=False)
    communities = models.ManyToManyField(
        "orgs.Community",
        through="tickets.TicketTypeCommunity",
        related_name="+",
        blank=True,
        verbose_name=_("communities"),
    )
    roles = ArrayField(
        models.CharField(max_length=10, choices=ResidentRole.choices),
        default=list,
        blank=True,
        verbose_name=_("only for these roles"),
    )

    priority = models.PositiveSmallIntegerField(
        _("priority of new tickets"), choices=Priority.choices, default=Priority.NORMAL
    )
    first_response_hours = models.PositiveIntegerField(_("first response in hours"), null=True, blank=True)
    resolution_hours = models.PositiveIntegerField(_("solved in hours"), null=True, blank=True)

    objects = TicketTypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket type")
        verbose_name_plural = _("ticket types")
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "support_type"),
                condition=Q(is_support_default=True),
                name="ticket_type_support_default",
                violation_error_message=_("Another type is the default of this support type."),
            ),
            models.CheckConstraint(
                condition=Q(roles__contained_by=ResidentRole.values),
                name="ticket_type_roles",
                violation_error_message=_("There is no such role."),
            ),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=4), name="ticket_type_priority"),
            one_of("support_type", SupportType.values, "ticket_type_support_type"),
        )

    def __str__(self) -> str:
        return self.name


class TicketTypeCommunity(TenantBound, Row):
    """A type is offered in this community."""

    ticket_type = models.ForeignKey(TicketType, on_delete=models.CASCADE, related_name="offers", db_index=False)
    community = models.ForeignKey("orgs.Community", on_delete=models.CASCADE, related_name="+")

    objects = OfTicketType.as_manager()

    class Meta:
        ordering = ("ticket_type", "id")
        constraints = (models.UniqueConstraint(fields=("ticket_type", "community"), name="ticket_type_community_once"),)

    def __str__(self) -> str:
        return f"{self.ticket_type_id}: {self.community_id}"


class TicketTypeField(TenantBound, MutableRow):
    """A question of a ticket type."""

    class Kind(models.TextChoices):
        TEXTFIELD = "TEXTFIELD", _("one line")
        TEXTBOX = "TEXTBOX", _("text")
        NUMBER = "NUMBER", pgettext_lazy("kind of question", "number")
        CHECKBOX = "CHECKBOX", _("check box")
        DROPDOWN = "DROPDOWN", _("choice")
        DATE = "DATE", _("date")
        FILE = "FILE", _("files")

    ticket_type = models.ForeignKey(TicketType, on_delete=models.CASCADE, related_name="fields", db_index=False)
    field_type = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("question"), max_length=200)
    description = models.TextField(_("help"), max_length=2000, blank=True)
    position = models.PositiveIntegerField(_("order"))
    required = models.BooleanField(_("required"), default=False)
    options = ArrayField(models.CharField(max_length=200), default=list, blank=True, verbose_name=_("choices"))
    decimals = models.PositiveSmallIntegerField(_("decimals"), null=True, blank=True)
    is_active = models.BooleanField(_("asked"), default=True)

    objects = OfTicketType.as_manager()

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ("ticket_type", "position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("ticket_type", "position"),
                name="ticket_type_field_position",
                deferrable=models.Deferrable.DEFERRED,
                violation_error_message=_("Two fields stand at the same place."),
            ),
            models.CheckConstraint(
                condition=Q(decimals__lte=6),
                name="ticket_type_field_decimals",
                violation_error_message=_("A number has six decimals at most."),
            ),
            one_of(
                "field_type",
                ["TEXTFIELD", "TEXTBOX", "NUMBER", "CHECKBOX", "DROPDOWN", "DATE", "FILE"],
                "ticket_type_field_kind",
            ),
        )

    def __str__(self) -> str:
        return self.name
