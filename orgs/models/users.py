"""The account of a person, and how it is known to identity providers."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.models import TENANT, Blob, MutableRow, Row, one_of
from orgs.languages import USER_LANGUAGES
from orgs.querysets import TenantAdminQuerySet, UserManager


class User(AbstractBaseUser, MutableRow):  # type: ignore[django-manager-missing]
    """One account for all doors. Accounts are never deleted, only erased to a tombstone, so authorship stays.

    Rights come from `Membership` and `Occupancy`, never from the account itself; ``is_superuser`` is the
    operator of the installation.
    """

    class EmailMode(models.TextChoices):
        IMMEDIATE = "IMMEDIATE", _("at once")
        DAILY = "DAILY", _("once a day")
        OFF = "OFF", _("off")

    id = models.AutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    username = models.CharField(_("user name"), max_length=150, unique=True)
    email = models.EmailField(_("e-mail address"), max_length=254)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    name_as_given = models.CharField(max_length=201, blank=True, editable=False)
    language = models.CharField(_("language"), max_length=2, choices=USER_LANGUAGES, default="de")
    darkmode = models.BooleanField(_("dark mode"), default=False)
    avatar = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    telephone = models.CharField(_("telephone"), max_length=40, blank=True)
    mobile = models.CharField(_("mobile"), max_length=40, blank=True)
    profile_visible = models.BooleanField(_("profile visible to neighbours"), default=True)
    is_superuser = models.BooleanField(_("operator"), default=False)
    home_tenant = models.ForeignKey(TENANT, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    email_mode = models.CharField(max_length=10, choices=EmailMode.choices, default=EmailMode.IMMEDIATE)
    muted_types = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    channels = models.JSONField(default=dict, blank=True)
    credentials_changed_at = models.DateTimeField(default=timezone.now)
    password_change_due = models.BooleanField(_("must change the password"), default=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    objects = UserManager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("last_name", "first_name", "id")
        constraints = (
            models.UniqueConstraint(
                Lower("username"), name="user_username_ci", violation_error_message=_("This user name is taken.")
            ),
            models.UniqueConstraint(
                Lower("email"), name="user_email_ci", violation_error_message=_("This address is taken.")
            ),
            models.CheckConstraint(
                condition=~Q(username__contains="@") | Q(username__iexact=models.F("email")),
                name="user_username_is_no_foreign_address",
                violation_error_message=_("A user name with @ must be the account's own address."),
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None)
                | Q(first_name="", last_name="", name_as_given="", telephone="", mobile="", avatar=None),
                name="user_erased_is_empty",
            ),
            one_of("language", [code for code, _name in USER_LANGUAGES], "user_language"),
            one_of("email_mode", ["IMMEDIATE", "DAILY", "OFF"], "user_email_mode"),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_full_name(self) -> str:
        """First and last name; of an erased account that it is one (PORTAL-098)."""
        if self.erased_at is not None:
            return gettext("Former user")
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """The first name, else whatever identifies the account."""
        return self.first_name or str(self)

    @property
    def shown_email(self) -> str:
        """The address as pages and doors show it: none of an erased account, whose own is a placeholder (PORTAL-098)."""
        return self.email if self.erased_at is None else ""

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """An erased account is nobody any more."""
        return self.erased_at is None

    @property
    def is_staff(self) -> bool:
        """May open the back office: the operator, or an active staff membership somewhere."""
        return self.is_superuser or self.memberships.active().staff().exists()

    # Django's admin asks these two; what a person may do in the back office is decided by `orgs.rules`.
    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


class IdentityProvider(MutableRow):
    """An OpenID provider that people sign in with."""

    key = models.SlugField(unique=True)
    tenant = models.ForeignKey(
        TENANT, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.CharField(_("name"), max_length=100)
    issuer = models.URLField(_("issuer"))
    client_id = models.CharField(_("client id"), max_length=255)
    client_secret = EncryptedTextField(_("client secret"), blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)

    objects = TenantAdminQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class UserIdentity(Row):
    """The account's subject at a provider (PORTAL-012)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, related_name="identities")
    subject = models.CharField(max_length=255)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("provider", "subject"), name="identity_provider_subject"),
            models.UniqueConstraint(fields=("user", "provider"), name="identity_user_provider"),
        )

    def __str__(self) -> str:
        return self.subject
