"""A person's place in an organization: rights and preferences live here, authorship on the account."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import TENANT, Blob, MutableRow, Row, TenantBound, one_of
from orgs.querysets import MembershipQuerySet, TenantStaffQuerySet


class Membership(MutableRow):
    """User × organization: docms' "user in a tenant", the member of orgs, the membership of tickets.

    Document flags are read from the row on the tenant node only. People leave by ``deactivated_at``, which is
    compared at each request; a moment in the future announces the leaving.
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("owner of the organization")
        STAFF = "staff", _("staff")
        CONTRACTOR = "contractor", _("contractor")
        RESIDENT = "resident", _("resident")
        GUEST = "guest", _("guest")
        AFFILIATE = "affiliate", _("works at a branch")

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="memberships",
        db_index=False,
        verbose_name=_("account"),
    )
    organization = models.ForeignKey(
        TENANT, on_delete=models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("organization")
    )
    tenant = models.ForeignKey(
        TENANT,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("tenant"),
    )
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    read_perm = models.BooleanField(_("read documents"), default=False)
    download_perm = models.BooleanField(_("download documents"), default=False)
    upload_file_perm = models.BooleanField(_("upload documents"), default=False)
    edit_file_perm = models.BooleanField(_("change documents"), default=False)
    edit_own_file_perm = models.BooleanField(_("change own documents"), default=False)
    admin_perm = models.BooleanField(_("administrator"), default=False)
    super_admin_perm = models.BooleanField(_("super administrator"), default=False)
    log_perm = models.BooleanField(_("see document logs"), default=False)
    mail_perm = models.BooleanField(_("send notifications"), default=False)
    support_perm = models.BooleanField(_("hears of new tickets"), default=False)
    all_communities = models.BooleanField(_("all communities"), default=False)
    process_create_perm = models.BooleanField(_("open cases"), default=False)
    process_update_perm = models.BooleanField(_("change cases"), default=False)
    process_delete_perm = models.BooleanField(_("delete cases"), default=False)
    tfa_force = models.BooleanField(_("must use a second factor"), default=False)
    token_sec = models.PositiveIntegerField(_("session in seconds"), default=28800)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    deactivated_at = models.DateTimeField(_("deactivated from"), null=True, blank=True)
    login_popup_enabled = models.BooleanField(_("notice after the sign-in"), default=False)
    login_logo = models.ForeignKey(
        Blob,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("picture of the notice"),
    )
    login_text = models.TextField(_("text of the notice"), max_length=20000, blank=True)
    is_available = models.BooleanField(_("available"), default=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organization"),
                name="membership_once",
                violation_error_message=_("This person belongs to the organization already."),
            ),
            models.CheckConstraint(
                condition=Q(admin_perm=False, super_admin_perm=False) | Q(role__in=["owner", "staff", "affiliate"]),
                name="membership_admin_is_staff",
                violation_error_message=_("Only staff can be administrators."),
            ),
            models.CheckConstraint(
                condition=Q(super_admin_perm=False) | Q(admin_perm=True),
                name="membership_super_is_admin",
                violation_error_message=_("A super administrator is an administrator, too."),
            ),
            one_of("role", ["owner", "staff", "contractor", "resident", "guest", "affiliate"], "membership_role"),
        )
        indexes = (
            models.Index(fields=("organization", "role"), condition=Q(deactivated_at=None), name="membership_members"),
            models.Index(fields=("user",), include=("organization", "role"), name="membership_places"),
            models.Index(fields=("tenant", "user"), name="membership_tenant_user"),
        )

    def __str__(self) -> str:
        return f"{self.user}"

    @property
    def is_deactivated(self) -> bool:
        """At this moment (DOCMS-059)."""
        return self.deactivated_at is not None and self.deactivated_at <= timezone.now()


class CommunityAssignment(TenantBound, Row):
    """A member of staff looks after a community."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    community = models.ForeignKey("orgs.Community", on_delete=models.CASCADE, related_name="assignments")

    objects = TenantStaffQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment to a community")
        verbose_name_plural = _("assignments to communities")
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("membership", "community"), name="community_assignment_once"),)

    def __str__(self) -> str:
        return f"{self.membership} → {self.community}"
