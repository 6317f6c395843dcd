"""Settings of a tenant and of the installation. Columns are named like the docms contract."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.models import Blob, MutableRow, TenantBound, one_of
from orgs.querysets import TenantAdminQuerySet


class MailServer(models.Model):
    """An SMTP server and the address it sends from; empty ``mail_server`` = use the level above (DOCMS-154)."""

    mail_server = models.CharField(_("mail server"), max_length=255, blank=True)
    mail_port = models.PositiveIntegerField(_("port"), default=587)
    mail_ssl = models.BooleanField(_("TLS from the start"), default=False)
    mail_starttls = models.BooleanField(_("STARTTLS"), default=True)
    mail_sender = models.CharField(_("sender address"), max_length=254, blank=True)
    mail_user = models.CharField(_("user name"), max_length=255, blank=True)
    mail_password = EncryptedTextField(_("password"), blank=True)

    class Meta:
        abstract = True


class OrganizationSettings(TenantBound, MailServer, MutableRow):
    """The settings of one tenant, but for its texts, which are `messaging.Template` rows."""

    organization = models.OneToOneField(
        "orgs.Organization", on_delete=models.CASCADE, related_name="settings", verbose_name=_("organization")
    )
    mail_split_on = models.PositiveIntegerField(_("recipients per message"), default=0)
    privacy_text = models.TextField(_("privacy notice"), blank=True)
    privacy_text_en = models.TextField(_("privacy notice (English)"), blank=True)
    authority_info = models.TextField(_("supervisory authority"), blank=True)
    gdpr_info = models.TextField(_("data protection notice"), blank=True)
    gdpr_info_en = models.TextField(_("data protection notice (English)"), blank=True)
    mark_read = models.BooleanField(_("show what is read"), default=True)
    token_min_sec = models.PositiveIntegerField(_("shortest session in seconds"), default=300)
    token_max_sec = models.PositiveIntegerField(_("longest session in seconds"), default=86400)
    default_token_sec = models.PositiveIntegerField(_("usual session in seconds"), default=28800)
    wizard_tenant_check = models.BooleanField(
        _("assistant: propose a folder and a group for each new user"), default=False
    )
    wizard_mail_perm = models.BooleanField(_("assistant: send notifications"), default=False)
    wizard_folder_inactive_after_days = models.IntegerField(_("assistant: hide folders after days"), default=0)
    wizard_folder_folder_group = models.BooleanField(_("assistant: a group for each folder"), default=False)
    additional_groups = ArrayField(
        models.BigIntegerField(), default=list, blank=True, verbose_name=_("further groups of new folders")
    )
    additional_child_folders = models.JSONField(_("subfolders of new folders"), default=list, blank=True)
    additional_child_folders_group = models.BooleanField(_("subfolders get the groups of the folder"), default=False)
    additional_child_folders_labels = models.BooleanField(_("subfolders get the labels of the folder"), default=False)
    lock_perm = models.BooleanField(_("lock permissions"), default=False)
    lock_folder_perm = models.BooleanField(_("lock permissions in folders"), default=False)
    lock_settings = models.BooleanField(_("lock these settings"), default=False)
    api_external_access = models.BooleanField(_("sign-in from outside"), default=True)
    api_internal_access = models.BooleanField(_("sign-in from local networks"), default=True)
    groupadmin_active = models.BooleanField(_("group administrators"), default=False)
    groupadmin_user_create = models.BooleanField(_("create accounts"), default=False)
    groupadmin_user_edit = models.BooleanField(_("change accounts"), default=False)
    groupadmin_user_reset_password = models.BooleanField(_("send password links"), default=False)
    groupadmin_user_reset_tfa = models.BooleanField(_("reset second factors"), default=False)
    groupadmin_user_reset_attempts = models.BooleanField(_("reset failed attempts"), default=False)
    groupadmin_perm_read = models.BooleanField(_("grant reading"), default=False)
    groupadmin_perm_download = models.BooleanField(_("grant downloading"), default=False)
    groupadmin_perm_upload = models.BooleanField(_("grant uploading"), default=False)
    groupadmin_perm_edit_file = models.BooleanField(_("grant changing papers"), default=False)
    groupadmin_perm_edit_own_file = models.BooleanField(_("grant changing own papers"), default=False)
    groupadmin_perm_log = models.BooleanField(_("grant seeing logs"), default=False)
    groupadmin_perm_mail = models.BooleanField(_("grant sending notifications"), default=False)
    groupadmin_delete_files = models.BooleanField(_("delete papers"), default=False)
    file_delete_days = models.PositiveIntegerField(_("delete papers after days"), default=0)
    delete_big_file_after_hours = models.PositiveIntegerField(_("delete big files after hours"), default=0)
    sms_send_url = models.CharField(_("address of the SMS gateway"), max_length=500, blank=True)
    sms_api_key = EncryptedTextField(_("key of the SMS gateway"), blank=True)
    sms_sender_id = models.CharField(_("sender of text messages"), max_length=50, blank=True)
    sms_send_type = models.CharField(_("type of text messages"), max_length=50, blank=True)
    random_password_min_length = models.PositiveIntegerField(_("length of made-up passwords"), default=8)
    logo = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("logo")
    )
    image = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )
    accent_color = models.CharField(_("accent colour"), max_length=7, blank=True)
    imprint = models.TextField(_("imprint"), blank=True)
    terms = models.TextField(_("terms of use"), blank=True)
    has_request_access_page = models.BooleanField(_("page for requesting access"), default=False)
    invite_days = models.PositiveSmallIntegerField(_("invitations are valid for days"), default=30)
    hide_process_subject = models.BooleanField(_("hide the subject of cases"), default=False)
    ticket_status_texts = models.JSONField(_("names of the states of tickets"), default=dict, blank=True)
    business_hours = models.JSONField(_("business hours"), default=dict, blank=True)
    holiday_region = models.CharField(_("public holidays of"), max_length=10, blank=True)
    extra_holidays = ArrayField(models.DateField(), default=list, blank=True, verbose_name=_("further days off"))
    default_first_response_hours = models.PositiveIntegerField(_("first response to tickets in hours"), default=24)
    default_resolution_hours = models.PositiveIntegerField(_("tickets solved in hours"), default=0)

    objects = TenantAdminQuerySet.as_manager()

    class Meta:
        verbose_name = _("tenant settings")
        verbose_name_plural = _("tenant settings")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(token_min_sec__lte=F("token_max_sec")),
                name="settings_token_range",
                violation_error_message=_("The shortest session must not be longer than the longest."),
            ),
            models.CheckConstraint(
                condition=Q(api_external_access=True) | Q(api_internal_access=True),
                name="settings_some_network",
                violation_error_message=_("Nobody could sign in any more."),
            ),
            models.CheckConstraint(
                condition=Q(invite_days__gte=1, invite_days__lte=90),
                name="settings_invite_days",
                violation_error_message=_("Invitations are valid for 1 to 90 days."),
            ),
        )

    def __str__(self) -> str:
        return str(self.organization)


class InstallationSettings(MailServer, MutableRow):
    """The one row of the installation: address, password policy, mail server of last resort."""

    class UpdateState(models.TextChoices):
        SCHEDULED = "scheduled", _("planned")
        STARTING = "starting", _("being handed to the updater")
        STARTED = "started", _("handed to the updater")
        FAILED = "failed", _("the updater did not take it")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    app_url = models.CharField(_("address"), max_length=500, blank=True)
    app_name = models.CharField(_("name"), max_length=100, default="Quartier")
    app_owner = models.CharField(_("run by"), max_length=200, blank=True)
    pw_min_length = models.PositiveSmallIntegerField(_("characters"), default=12)
    pw_min_lower_case = models.PositiveSmallIntegerField(_("lower-case letters"), default=1)
    pw_min_upper_case = models.PositiveSmallIntegerField(_("upper-case letters"), default=1)
    pw_min_numbers = models.PositiveSmallIntegerField(_("digits"), default=1)
    pw_min_special = models.PositiveSmallIntegerField(_("special characters"), default=0)
    pw_link_init_hours = models.PositiveIntegerField(_("first-password link in hours"), default=72)
    pw_link_reset_hours = models.PositiveIntegerField(_("reset link in hours"), default=2)
    trial_tenants = models.BooleanField(_("companies may try the product themselves"), default=False)
    update_available = models.JSONField(_("available update"), default=dict, blank=True)
    update_checked_at = models.DateTimeField(_("looked for updates at"), null=True, blank=True)
    update_install_at = models.DateTimeField(_("update planned for"), null=True, blank=True)
    update_state = models.CharField(_("state of the update"), max_length=20, blank=True, choices=UpdateState.choices)
    update_attempts = models.PositiveSmallIntegerField(_("attempts to start the update"), default=0)

    class Meta:
        verbose_name = _("installation settings")
        verbose_name_plural = _("installation settings")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="installation_settings_one_row"),
            one_of("update_state", ["", "scheduled", "starting", "started", "failed"], "installation_update_state"),
        )

    def __str__(self) -> str:
        return self.app_name
