"""What people and programs sign in with, and the record of it. Only hashes of tokens are stored."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from core.fields import EncryptedTextField
from core.models import TENANT, MutableRow, Row, TenantBound, one_of
from orgs.querysets import AccessTokenQuerySet, ApplicationQuerySet, SignInLogQuerySet, TenantAdminQuerySet


class Application(TenantBound, MutableRow):
    """An external application of a tenant (docms `App`)."""

    name = models.CharField(_("name"), max_length=200)
    deactivated_at = models.DateTimeField(_("switched off from"), null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "name"),
                name="application_name_once",
                violation_error_message=_("Another application has this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ApplicationUser(TenantBound, Row):
    """Who may sign in through an application."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="application_users")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    objects = TenantAdminQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("application", "user"), name="application_user_once"),)

    def __str__(self) -> str:
        return f"{self.application} · {self.user}"


class AccessToken(Row):
    """Every bearer credential that is not OAuth. The row holds a hash; the token is shown once."""

    class Kind(models.TextChoices):
        DOCMS_SESSION = "docms_session", _("docms session")
        APP_KEY = "app_key", _("application key")
        ORGANIZATION = "organization", _("organization token")
        PERSONAL = "personal", _("personal token")
        BASIC = "basic", _("basic credentials")
        REFRESH = "refresh", _("refresh token")
        CALENDAR = "calendar", _("calendar feed")

    class State(models.TextChoices):
        PENDING = "pending", _("not activated")
        ACTIVE = "active", _("active")

    kind = models.CharField(max_length=15, choices=Kind.choices)
    token_hash = models.BinaryField(max_length=32, unique=True)
    public_id = models.CharField(max_length=40, unique=True, null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens", db_index=False
    )
    organization = models.ForeignKey(TENANT, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens")
    application = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens", db_index=False
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    scopes = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    name = models.CharField(max_length=100, blank=True)
    family = models.UUIDField(null=True, blank=True)
    failed_codes = models.PositiveSmallIntegerField(default=0)
    activated_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="organization", user=None) | (~Q(kind="organization") & Q(user__isnull=False)),
                name="token_shape",
            ),
            models.CheckConstraint(
                condition=~Q(kind="app_key") | Q(application__isnull=False), name="token_app_key_has_application"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["docms_session", "refresh"]) | Q(expires_at__isnull=False), name="token_expires"
            ),
            models.UniqueConstraint(
                fields=("application", "user"), condition=Q(kind="app_key", revoked_at=None), name="token_app_key_once"
            ),
            one_of(
                "kind",
                ["docms_session", "app_key", "organization", "personal", "basic", "refresh", "calendar"],
                "token_kind",
            ),
            one_of("state", ["pending", "active"], "token_state"),
        )
        indexes = (
            models.Index(fields=("user",), condition=Q(revoked_at=None), name="token_user"),
            models.Index(fields=("application",), condition=Q(revoked_at=None), name="token_application"),
            models.Index(fields=("expires_at",), name="token_expiry"),
        )

    def __str__(self) -> str:
        return self.name or self.kind


class OneTimeLink(Row):
    """A link that works once: first password, reset, change of address, download."""

    class Purpose(models.TextChoices):
        PASSWORD_INIT = "password_init", _("first password")
        PASSWORD_RESET = "password_reset", _("password reset")
        EMAIL_CHANGE = "email_change", _("change of address")
        DOWNLOAD = "download", _("download")

    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_links")
    # Where it went, in lower case; the account may get another one meanwhile.
    address = models.CharField(max_length=254, blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("address", "created_at"), name="one_time_link_address"),)
        constraints = (
            one_of("purpose", ["password_init", "password_reset", "email_change", "download"], "one_time_link_purpose"),
        )

    def __str__(self) -> str:
        return self.purpose


class Session(models.Model):
    """A browser that is signed in; the cookie's value is stored as a hash (cookie `user_session`)."""

    session_key = models.BinaryField(max_length=32, unique=True)
    data = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="sessions"
    )
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    browser = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    remember = models.BooleanField(default=False)
    second_factor_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-last_seen_at", "id")

    def __str__(self) -> str:
        return self.browser or "?"


class SignInLog(Row):
    """Sign-ins, successful and not (docms LoginLog)."""

    class Type(models.TextChoices):
        LOGIN = "login", _("signed in")
        LOGIN_FAILED = "login_failed", _("failed sign-in")
        LOCKED = "locked", _("refused while locked")
        UNLOCKED = "unlocked", _("attempts reset")
        TENANT_SELECTED = "tenant_selected", _("tenant selected")
        TFA_OK = "tfa_ok", _("second factor accepted")
        TFA_FAILED = "tfa_failed", _("second factor refused")
        APP_LOGIN = "app_login", _("signed in by application")
        LOGOUT = "logout", _("signed out")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("account"),
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
    app_id = models.BigIntegerField(_("application"), null=True, blank=True)
    type = models.CharField(_("what happened"), max_length=30, choices=Type.choices)
    door = models.CharField(_("door"), max_length=20)
    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)

    objects = SignInLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ("-id",)
        constraints = (
            one_of(
                "type",
                [
                    "login",
                    "login_failed",
                    "locked",
                    "unlocked",
                    "tenant_selected",
                    "tfa_ok",
                    "tfa_failed",
                    "app_login",
                    "logout",
                ],
                "sign_in_log_type",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="sign_in_log_user"),
            models.Index(fields=("tenant", "-id"), name="sign_in_log_tenant"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.created_at:%Y-%m-%d %H:%M}"


class SecondFactor(Device):
    """A TOTP key: of the account, or (docms) of the account in one tenant."""

    class Kind(models.TextChoices):
        TOTP = "totp", _("time-based code")

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    organization = models.ForeignKey(TENANT, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TOTP)
    secret = EncryptedTextField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=-1)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organization"),
                condition=Q(confirmed_at__isnull=False, kind="totp"),
                nulls_distinct=False,
                name="second_factor_once",
            ),
            one_of("kind", ["totp"], "second_factor_kind"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"

    def verify_token(self, token: Any) -> bool:
        """Codes are checked by `orgs.services.second_factor`, which also spends the time step."""
        from orgs.services.second_factor import verify

        return verify(factor=self, code=str(token))


class RecoveryCode(Row):
    """One of the codes that replace a lost personal factor, each good for one use."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("user", "code_hash"), name="recovery_code_once"),)

    def __str__(self) -> str:
        return f"{self.user_id}"
