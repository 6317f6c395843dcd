"""The tree of organizations. A tenant is an organization that the operator admitted."""

from __future__ import annotations

import datetime
import uuid
import zoneinfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.expressions import Holds, IsNotDistinct, IsSameFlag, LastOf
from core.fields import EncryptedTextField
from core.models import Blob, MutableRow, Row
from orgs.querysets import OrganizationQuerySet


class Organization(MutableRow):
    """A node of the tree: a company, a branch, a team. See ``is_tenant`` for what separates companies."""

    id = models.AutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        db_index=False,
        verbose_name=_("belongs to"),
    )
    ancestors = ArrayField(models.IntegerField(), default=list, blank=True, editable=False)
    is_tenant = models.BooleanField(_("admitted as tenant"), default=False)
    tenant = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="nodes", verbose_name=_("tenant")
    )
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    language = models.CharField(_("language"), max_length=35, default="de")
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Berlin")
    retention_months = models.PositiveSmallIntegerField(_("retention in months"), default=0)
    enforces_second_factor = models.BooleanField(_("demands a second factor"), default=False)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True, verbose_name=_("keywords"))
    avatar = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )
    location_address = models.CharField(_("address"), max_length=500, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    trial_ends_at = models.DateTimeField(_("trial until"), null=True, blank=True)
    booked_at = models.DateTimeField(_("booked at"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,  # type: ignore[attr-defined]  # taken for the reverse of `OrganizationSettings`
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("created by"),
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(
                condition=~Holds(F("ancestors"), F("id")),
                name="org_not_own_ancestor",
                violation_error_message=_("An organization cannot lie below itself."),
            ),
            models.CheckConstraint(
                condition=IsNotDistinct(F("parent_id"), LastOf(F("ancestors"))),
                name="org_parent_is_last_ancestor",
            ),
            models.CheckConstraint(
                condition=IsSameFlag(F("is_tenant"), F("tenant_id"), F("id")),
                name="org_tenant_is_itself",
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None) | Q(latitude__isnull=False, longitude__isnull=False),
                name="org_coordinates_together",
                violation_error_message=_("Latitude and longitude go together."),
            ),
            models.CheckConstraint(
                condition=Q(retention_months__gte=0, retention_months__lte=1200),
                name="org_retention_range",
                violation_error_message=_("The retention period lies between 0 and 1200 months."),
            ),
        )
        indexes = (
            GinIndex(fields=("ancestors",), name="org_ancestors"),
            models.Index("parent", Lower("name"), "id", name="org_children"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The organization's time zone; every day-wise rule means a day there."""
        return zoneinfo.ZoneInfo(self.timezone)

    def today(self) -> datetime.date:
        """The day it is in this organization's zone."""
        return timezone.now().astimezone(self.zone).date()

    @property
    def state(self) -> str:
        """``trial`` while one runs unbooked, ``inactive`` after it, else ``active`` (ORGS-080, 081)."""
        if self.trial_ends_at is None or self.booked_at is not None:
            return "active"
        return "trial" if self.trial_ends_at > timezone.now() else "inactive"


class License(MutableRow):
    """What a tenant (or, without organization, the installation) has bought; no row = community variant (DOCMS-173).

    The columns say what the signed ``key`` says, so that nothing has to be verified at each request.
    """

    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.CASCADE, related_name="licenses"
    )
    key = EncryptedTextField(blank=True)
    license_type = models.CharField(max_length=50, blank=True)
    license_variant = models.CharField(max_length=50, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)  # the moment after the last day of use
    features = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    max_points = models.PositiveIntegerField(default=0)  # 0 = no limit
    maintenance_until = models.DateField(null=True, blank=True)  # the last day
    support_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organization",), nulls_distinct=False, name="license_once_per_organization"
            ),
        )

    def __str__(self) -> str:
        return self.license_variant or "community"

    @property
    def is_expired(self) -> bool:
        """Whether its last day of use is over (DOCMS-175)."""
        return self.valid_until is not None and self.valid_until <= timezone.now()

    @property
    def last_day(self) -> datetime.date | None:
        """The last day of use, in UTC; None = no end."""
        if self.valid_until is None:
            return None
        return (self.valid_until - datetime.timedelta(microseconds=1)).astimezone(datetime.UTC).date()


class QuickAction(Row):
    """A button on the staff start page of an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="quick_actions")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    color = models.CharField(max_length=32, blank=True)
    icon = models.CharField(max_length=64, blank=True)
    one_click = models.BooleanField(default=False)
    resource = models.CharField(max_length=50, blank=True)
    resource_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("organization", "position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "position"), name="quick_action_position", deferrable=models.Deferrable.DEFERRED
            ),
        )

    def __str__(self) -> str:
        return self.name


class OwnerInvitation(MutableRow):
    """A registered user is asked to become owner (ORGS-044 … ORGS-051)."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="owner_invitations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owner_invitations")
    email = models.EmailField(max_length=254)
    token_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "user"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="owner_invitation_open",
                violation_error_message=_("This person has an open invitation already."),
            ),
        )

    def __str__(self) -> str:
        return self.email


class Trial(Row):
    """One trial per user, ever (ORGS-079)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trial")
    started_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.started_at:%Y-%m-%d}"


class Engagement(Row):
    """Someone is tied up ("in event", ORGS-057): by hand or by a work order."""

    class Source(models.TextChoices):
        MANUAL = "manual", _("set by hand")
        WORK_ORDER = "work_order", _("work order")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="engagements")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=20, choices=Source.choices)
    source_id = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("source", "source_id", "user"), condition=Q(ended_at=None), name="engagement_open_once"
            ),
            models.CheckConstraint(condition=Q(source__in=["manual", "work_order"]), name="engagement_source"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.source}"


class AvailabilitySample(models.Model):
    """One hourly sample of who was available (ORGS-059 … 061)."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="availability_samples", db_index=False
    )
    sampled_at = models.DateTimeField()
    root_available = models.PositiveIntegerField()
    root_in_event = models.PositiveIntegerField()
    root_not_available = models.PositiveIntegerField()
    total_available = models.PositiveIntegerField()
    total_in_event = models.PositiveIntegerField()
    total_not_available = models.PositiveIntegerField()

    class Meta:
        ordering = ("organization", "-sampled_at", "id")
        constraints = (models.UniqueConstraint(fields=("organization", "sampled_at"), name="availability_sample_once"),)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.sampled_at:%Y-%m-%d %H:%M}"
