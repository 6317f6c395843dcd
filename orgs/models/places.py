"""Where people live: communities, entrances, units."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Blob, MutableRow, TenantBound
from orgs.querysets import BuildingQuerySet, CommunityQuerySet, UnitQuerySet


class Community(TenantBound, MutableRow):
    """A managed property: the portal's community, the tickets' location, the processes' property."""

    id = models.AutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        "orgs.Organization", on_delete=models.PROTECT, related_name="communities", verbose_name=_("organization")
    )
    identifier = models.CharField(_("reference"), max_length=50, blank=True)
    code = models.CharField(_("short code"), max_length=10, blank=True)
    name = models.CharField(_("name"), max_length=200)
    sort_key = models.CharField(max_length=200, editable=False, default="")
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, default="DE", blank=True)
    image = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )
    first_response_hours = models.PositiveIntegerField(_("first response in hours"), null=True, blank=True)
    has_tickets = models.BooleanField(_("tickets"), default=True)
    has_posts = models.BooleanField(_("noticeboard"), default=True)
    has_resident_posts = models.BooleanField(_("notices by residents"), default=True)
    has_events = models.BooleanField(_("calendar"), default=True)
    has_documents = models.BooleanField(_("documents"), default=True)
    has_faq = models.BooleanField(_("questions and answers"), default=True)
    has_contacts = models.BooleanField(_("contacts"), default=True)
    has_invites = models.BooleanField(_("invitations"), default=True)

    objects = CommunityQuerySet.as_manager()

    class Meta:
        verbose_name = _("community")
        verbose_name_plural = _("communities")
        ordering = ("sort_key", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "identifier"),
                condition=~Q(identifier=""),
                name="community_identifier_once",
                violation_error_message=_("Another community has this reference."),
            ),
            models.UniqueConstraint(
                fields=("tenant", "code"),
                condition=~Q(code=""),
                name="community_code_once",
                violation_error_message=_("Another community has this short code."),
            ),
        )
        indexes = (models.Index(fields=("tenant", "sort_key", "id"), name="community_sorted"),)

    def __str__(self) -> str:
        return self.name


class Building(TenantBound, MutableRow):
    """One entrance of a community."""

    community = models.ForeignKey(
        Community, on_delete=models.CASCADE, related_name="buildings", verbose_name=_("community")
    )
    street = models.CharField(_("street"), max_length=200)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    position = models.PositiveIntegerField(_("order"), default=0)

    objects = BuildingQuerySet.as_manager()

    class Meta:
        verbose_name = _("building")
        verbose_name_plural = _("buildings")
        ordering = ("community", "position", "id")

    def __str__(self) -> str:
        return self.street


class Unit(TenantBound, MutableRow):
    """A flat, a shop, a parking space."""

    id = models.AutoField(primary_key=True)
    community = models.ForeignKey(
        Community, on_delete=models.PROTECT, related_name="units", verbose_name=_("community")
    )
    building = models.ForeignKey(
        Building, null=True, blank=True, on_delete=models.SET_NULL, related_name="units", verbose_name=_("entrance")
    )
    identifier = models.CharField(_("reference"), max_length=50, blank=True)
    name = models.CharField(_("name"), max_length=200)
    number = models.CharField(_("number"), max_length=50, blank=True)
    floor = models.CharField(_("floor"), max_length=50, blank=True)
    kind = models.CharField(_("kind"), max_length=50, blank=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering = ("community", "name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("community", "identifier"),
                condition=~Q(identifier=""),
                name="unit_identifier_once",
                violation_error_message=_("Another unit of this community has this reference."),
            ),
        )

    def __str__(self) -> str:
        return self.name
