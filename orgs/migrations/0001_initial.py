import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.utils.timezone
import oauth2_provider.generators
import oauth2_provider.models
from django.conf import settings
from django.db import migrations, models

import core.expressions
import core.fields
import orgs.models.oauth


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="InstallationSettings",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                ("mail_server", models.CharField(blank=True, max_length=255, verbose_name="mail server")),
                ("mail_port", models.PositiveIntegerField(default=587, verbose_name="port")),
                ("mail_ssl", models.BooleanField(default=False, verbose_name="TLS from the start")),
                ("mail_starttls", models.BooleanField(default=True, verbose_name="STARTTLS")),
                ("mail_sender", models.CharField(blank=True, max_length=254, verbose_name="sender address")),
                ("mail_user", models.CharField(blank=True, max_length=255, verbose_name="user name")),
                ("mail_password", core.fields.EncryptedTextField(blank=True, verbose_name="password")),
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("app_url", models.CharField(blank=True, max_length=500, verbose_name="address")),
                ("app_name", models.CharField(default="Quartier", max_length=100, verbose_name="name")),
                ("app_owner", models.CharField(blank=True, max_length=200, verbose_name="run by")),
                ("pw_min_length", models.PositiveSmallIntegerField(default=12, verbose_name="characters")),
                ("pw_min_lower_case", models.PositiveSmallIntegerField(default=1, verbose_name="lower-case letters")),
                ("pw_min_upper_case", models.PositiveSmallIntegerField(default=1, verbose_name="upper-case letters")),
                ("pw_min_numbers", models.PositiveSmallIntegerField(default=1, verbose_name="digits")),
                ("pw_min_special", models.PositiveSmallIntegerField(default=0, verbose_name="special characters")),
                (
                    "pw_link_init_hours",
                    models.PositiveIntegerField(default=72, verbose_name="first-password link in hours"),
                ),
                ("pw_link_reset_hours", models.PositiveIntegerField(default=2, verbose_name="reset link in hours")),
                (
                    "trial_tenants",
                    models.BooleanField(default=False, verbose_name="companies may try the product themselves"),
                ),
                ("update_available", models.JSONField(blank=True, default=dict, verbose_name="available update")),
                (
                    "update_checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="looked for updates at"),
                ),
                ("update_install_at", models.DateTimeField(blank=True, null=True, verbose_name="update planned for")),
                (
                    "update_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("scheduled", "planned"),
                            ("starting", "being handed to the updater"),
                            ("started", "handed to the updater"),
                            ("failed", "the updater did not take it"),
                        ],
                        max_length=20,
                        verbose_name="state of the update",
                    ),
                ),
                (
                    "update_attempts",
                    models.PositiveSmallIntegerField(default=0, verbose_name="attempts to start the update"),
                ),
            ],
            options={
                "verbose_name": "installation settings",
                "verbose_name_plural": "installation settings",
                "ordering": ("id",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="installation_settings_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("update_state__in", ["", "scheduled", "starting", "started", "failed"])),
                        name="installation_update_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="orgs.organization",
                        verbose_name="belongs to",
                    ),
                ),
                (
                    "ancestors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), blank=True, default=list, editable=False, size=None
                    ),
                ),
                ("is_tenant", models.BooleanField(default=False, verbose_name="admitted as tenant")),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="nodes",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("description", models.TextField(blank=True, max_length=2000, verbose_name="description")),
                ("language", models.CharField(default="de", max_length=35, verbose_name="language")),
                ("timezone", models.CharField(default="Europe/Berlin", max_length=64, verbose_name="time zone")),
                ("retention_months", models.PositiveSmallIntegerField(default=0, verbose_name="retention in months")),
                ("enforces_second_factor", models.BooleanField(default=False, verbose_name="demands a second factor")),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="keywords",
                    ),
                ),
                (
                    "avatar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="picture",
                    ),
                ),
                ("location_address", models.CharField(blank=True, max_length=500, verbose_name="address")),
                ("latitude", models.FloatField(blank=True, null=True, verbose_name="latitude")),
                ("longitude", models.FloatField(blank=True, null=True, verbose_name="longitude")),
                ("trial_ends_at", models.DateTimeField(blank=True, null=True, verbose_name="trial until")),
                ("booked_at", models.DateTimeField(blank=True, null=True, verbose_name="booked at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
            ],
            options={
                "verbose_name": "organization",
                "verbose_name_plural": "organizations",
                "ordering": ("name", "id"),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("username", models.CharField(max_length=150, unique=True, verbose_name="user name")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("first_name", models.CharField(blank=True, max_length=100, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=100, verbose_name="last name")),
                ("name_as_given", models.CharField(blank=True, editable=False, max_length=201)),
                (
                    "language",
                    models.CharField(
                        choices=[("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")],
                        default="de",
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("darkmode", models.BooleanField(default=False, verbose_name="dark mode")),
                (
                    "avatar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                    ),
                ),
                ("telephone", models.CharField(blank=True, max_length=40, verbose_name="telephone")),
                ("mobile", models.CharField(blank=True, max_length=40, verbose_name="mobile")),
                ("profile_visible", models.BooleanField(default=True, verbose_name="profile visible to neighbours")),
                ("is_superuser", models.BooleanField(default=False, verbose_name="operator")),
                (
                    "home_tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="orgs.organization",
                    ),
                ),
                (
                    "email_mode",
                    models.CharField(
                        choices=[("IMMEDIATE", "at once"), ("DAILY", "once a day"), ("OFF", "off")],
                        default="IMMEDIATE",
                        max_length=10,
                    ),
                ),
                (
                    "muted_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), blank=True, default=list, size=None
                    ),
                ),
                ("channels", models.JSONField(blank=True, default=dict)),
                ("credentials_changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("password_change_due", models.BooleanField(default=False, verbose_name="must change the password")),
                ("email_verified_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "ordering": ("last_name", "first_name", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("username"),
                        name="user_username_ci",
                        violation_error_message="This user name is taken.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        name="user_email_ci",
                        violation_error_message="This address is taken.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("username__contains", "@"), _negated=True),
                            ("username__iexact", models.F("email")),
                            _connector="OR",
                        ),
                        name="user_username_is_no_foreign_address",
                        violation_error_message="A user name with @ must be the account's own address.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("erased_at", None),
                            models.Q(
                                ("avatar", None),
                                ("first_name", ""),
                                ("last_name", ""),
                                ("mobile", ""),
                                ("name_as_given", ""),
                                ("telephone", ""),
                            ),
                            _connector="OR",
                        ),
                        name="user_erased_is_empty",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["de", "en", "fr", "pl"])), name="user_language"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email_mode__in", ["IMMEDIATE", "DAILY", "OFF"])), name="user_email_mode"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Community",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="communities",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                ("identifier", models.CharField(blank=True, max_length=50, verbose_name="reference")),
                ("code", models.CharField(blank=True, max_length=10, verbose_name="short code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("sort_key", models.CharField(default="", editable=False, max_length=200)),
                ("street", models.CharField(blank=True, max_length=200, verbose_name="street")),
                ("postal_code", models.CharField(blank=True, max_length=12, verbose_name="postal code")),
                ("city", models.CharField(blank=True, max_length=100, verbose_name="city")),
                ("country", models.CharField(blank=True, default="DE", max_length=2, verbose_name="country")),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="picture",
                    ),
                ),
                (
                    "first_response_hours",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="first response in hours"),
                ),
                ("has_tickets", models.BooleanField(default=True, verbose_name="tickets")),
                ("has_posts", models.BooleanField(default=True, verbose_name="noticeboard")),
                ("has_resident_posts", models.BooleanField(default=True, verbose_name="notices by residents")),
                ("has_events", models.BooleanField(default=True, verbose_name="calendar")),
                ("has_documents", models.BooleanField(default=True, verbose_name="documents")),
                ("has_faq", models.BooleanField(default=True, verbose_name="questions and answers")),
                ("has_contacts", models.BooleanField(default=True, verbose_name="contacts")),
                ("has_invites", models.BooleanField(default=True, verbose_name="invitations")),
            ],
            options={
                "verbose_name": "community",
                "verbose_name_plural": "communities",
                "ordering": ("sort_key", "id"),
                "indexes": [models.Index(fields=["tenant", "sort_key", "id"], name="community_sorted")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("identifier", ""), _negated=True),
                        fields=("tenant", "identifier"),
                        name="community_identifier_once",
                        violation_error_message="Another community has this reference.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("code", ""), _negated=True),
                        fields=("tenant", "code"),
                        name="community_code_once",
                        violation_error_message="Another community has this short code.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("person", "person"), ("company", "company"), ("self", "the company itself")],
                        default="person",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("party_type", models.PositiveSmallIntegerField(default=7, verbose_name="type of party")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="contacts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                ("is_primary", models.BooleanField(default=True, verbose_name="main entry of the account")),
                ("number", models.CharField(max_length=30, verbose_name="number")),
                ("reference_id", models.CharField(blank=True, max_length=100, verbose_name="reference")),
                ("salutation", models.CharField(blank=True, max_length=30, verbose_name="salutation")),
                ("title", models.CharField(blank=True, max_length=50, verbose_name="title")),
                ("first_name", models.CharField(blank=True, max_length=100, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=100, verbose_name="last name")),
                ("company", models.CharField(blank=True, max_length=200, verbose_name="company")),
                ("sort_key", models.CharField(default="", editable=False, max_length=420)),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail address")),
                ("telephone", models.CharField(blank=True, max_length=40, verbose_name="telephone")),
                ("mobile", models.CharField(blank=True, max_length=40, verbose_name="mobile")),
                ("fax", models.CharField(blank=True, max_length=40, verbose_name="fax")),
                ("street", models.CharField(blank=True, max_length=200, verbose_name="street")),
                ("postal_code", models.CharField(blank=True, max_length=12, verbose_name="postal code")),
                ("city", models.CharField(blank=True, max_length=100, verbose_name="city")),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")],
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                (
                    "picture",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="picture",
                    ),
                ),
                ("joined_at", models.DateTimeField(blank=True, null=True, verbose_name="joined at")),
                ("from_invite", models.BooleanField(default=False, verbose_name="joined by invitation")),
                (
                    "account_erased_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="account erased at"),
                ),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased at")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.contact",
                        verbose_name="merged into",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "ordering": ("sort_key", "id"),
                "indexes": [models.Index(fields=["tenant", "sort_key", "id"], name="contact_sorted")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "number"), name="contact_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("reference_id", ""), _negated=True),
                        fields=("tenant", "reference_id"),
                        name="contact_reference_once",
                        violation_error_message="Another contact has this reference.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "self")), fields=("tenant",), name="contact_one_self"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True), ("user__isnull", False)),
                        fields=("tenant", "user"),
                        name="contact_one_primary",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("party_type__in", (1, 2, 3, 5, 7, 10, 11, 13, 14, 15))),
                        name="contact_party_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["person", "company", "self"])), name="contact_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["", "de", "en", "fr", "pl"])), name="contact_language"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuthClient",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "client_id",
                    models.CharField(
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_id,
                        max_length=255,
                        unique=True,
                        verbose_name="client ID",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "redirect_uris",
                    models.TextField(
                        blank=True, help_text="Allowed URIs list, space separated", verbose_name="redirect URIs"
                    ),
                ),
                (
                    "post_logout_redirect_uris",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed Post Logout URIs list, space separated",
                        verbose_name="post logout redirect URIs",
                    ),
                ),
                (
                    "client_type",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")],
                        max_length=32,
                        verbose_name="client type",
                    ),
                ),
                (
                    "client_secret",
                    oauth2_provider.models.ClientSecretField(
                        blank=True,
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_secret,
                        help_text="Client secret for authentication",
                        max_length=255,
                        verbose_name="client secret",
                    ),
                ),
                ("hash_client_secret", models.BooleanField(default=True, verbose_name="hash client secret")),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                ("skip_authorization", models.BooleanField(default=False, verbose_name="skip authorization")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed origins list to enable CORS, space separated",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "cimd_expires_at",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="When the cached Client ID Metadata Document should be re-fetched",
                        null=True,
                        verbose_name="CIMD expires at",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.organization",
                    ),
                ),
                (
                    "allowed_scopes",
                    models.CharField(default="support.readonly", max_length=200, verbose_name="may ask for"),
                ),
                (
                    "authorization_grant_type",
                    models.CharField(default="authorization-code", editable=False, max_length=44),
                ),
                ("algorithm", models.CharField(blank=True, default="", editable=False, max_length=5)),
                ("registration_source", models.CharField(default="manual", editable=False, max_length=32)),
            ],
            options={
                "verbose_name": "program with access",
                "verbose_name_plural": "programs with access",
                "ordering": ("id",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("client_type__in", ["confidential", "public"])), name="oauth_client_type"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("algorithm", ""),
                            ("authorization_grant_type", "authorization-code"),
                            ("hash_client_secret", True),
                        ),
                        name="oauth_client_code_flow_only",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("deactivated_at", models.DateTimeField(blank=True, null=True, verbose_name="switched off from")),
            ],
            options={
                "verbose_name": "application",
                "verbose_name_plural": "applications",
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name"),
                        name="application_name_once",
                        violation_error_message="Another application has this name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Building",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="buildings",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                ("street", models.CharField(max_length=200, verbose_name="street")),
                ("postal_code", models.CharField(blank=True, max_length=12, verbose_name="postal code")),
                ("city", models.CharField(blank=True, max_length=100, verbose_name="city")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "building",
                "verbose_name_plural": "buildings",
                "ordering": ("community", "position", "id"),
            },
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="units",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "building",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="units",
                        to="orgs.building",
                        verbose_name="entrance",
                    ),
                ),
                ("identifier", models.CharField(blank=True, max_length=50, verbose_name="reference")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("number", models.CharField(blank=True, max_length=50, verbose_name="number")),
                ("floor", models.CharField(blank=True, max_length=50, verbose_name="floor")),
                ("kind", models.CharField(blank=True, max_length=50, verbose_name="kind")),
            ],
            options={
                "verbose_name": "unit",
                "verbose_name_plural": "units",
                "ordering": ("community", "name", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("identifier", ""), _negated=True),
                        fields=("community", "identifier"),
                        name="unit_identifier_once",
                        violation_error_message="Another unit of this community has this reference.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                ("key", models.SlugField(unique=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("issuer", models.URLField(verbose_name="issuer")),
                ("client_id", models.CharField(max_length=255, verbose_name="client id")),
                ("client_secret", core.fields.EncryptedTextField(blank=True, verbose_name="client secret")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
            ],
            options={
                "ordering": ("name", "id"),
            },
        ),
        migrations.CreateModel(
            name="Invite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("resident", "resident"), ("staff", "staff")], max_length=10, verbose_name="kind"
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invites",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invites",
                        to="orgs.unit",
                        verbose_name="unit",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invites",
                        to="orgs.contact",
                        verbose_name="contact",
                    ),
                ),
                ("membership_role", models.CharField(blank=True, max_length=12, verbose_name="role")),
                (
                    "is_admin",
                    models.BooleanField(default=False, verbose_name="may invite and sees everything of the unit"),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail address")),
                ("first_name", models.CharField(blank=True, max_length=100, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=100, verbose_name="last name")),
                ("code", core.fields.EncryptedTextField(blank=True, verbose_name="code")),
                ("code_hash", models.BinaryField(max_length=32, unique=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="invited by",
                    ),
                ),
                ("invited_at", models.DateTimeField(verbose_name="invited at")),
                ("expires_on", models.DateField(verbose_name="valid until")),
                ("opened_at", models.DateTimeField(blank=True, null=True, verbose_name="opened at")),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="accepted at")),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="accepted by",
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased at")),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["tenant", "-id"], name="invite_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("tenant"),
                        models.F("kind"),
                        models.F("community"),
                        models.F("unit"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(
                            ("accepted_at", None),
                            ("erased_at", None),
                            ("withdrawn_at", None),
                            models.Q(("email", ""), _negated=True),
                        ),
                        name="invite_pending_once",
                        nulls_distinct=False,
                        violation_error_message="This address has a pending invitation already.",
                    ),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["resident", "staff"])), name="invite_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "owner of the organization"),
                            ("staff", "staff"),
                            ("contractor", "contractor"),
                            ("resident", "resident"),
                            ("guest", "guest"),
                            ("affiliate", "works at a branch"),
                        ],
                        max_length=12,
                        verbose_name="role",
                    ),
                ),
                ("read_perm", models.BooleanField(default=False, verbose_name="read documents")),
                ("download_perm", models.BooleanField(default=False, verbose_name="download documents")),
                ("upload_file_perm", models.BooleanField(default=False, verbose_name="upload documents")),
                ("edit_file_perm", models.BooleanField(default=False, verbose_name="change documents")),
                ("edit_own_file_perm", models.BooleanField(default=False, verbose_name="change own documents")),
                ("admin_perm", models.BooleanField(default=False, verbose_name="administrator")),
                ("super_admin_perm", models.BooleanField(default=False, verbose_name="super administrator")),
                ("log_perm", models.BooleanField(default=False, verbose_name="see document logs")),
                ("mail_perm", models.BooleanField(default=False, verbose_name="send notifications")),
                ("support_perm", models.BooleanField(default=False, verbose_name="hears of new tickets")),
                ("all_communities", models.BooleanField(default=False, verbose_name="all communities")),
                ("process_create_perm", models.BooleanField(default=False, verbose_name="open cases")),
                ("process_update_perm", models.BooleanField(default=False, verbose_name="change cases")),
                ("process_delete_perm", models.BooleanField(default=False, verbose_name="delete cases")),
                ("tfa_force", models.BooleanField(default=False, verbose_name="must use a second factor")),
                ("token_sec", models.PositiveIntegerField(default=28800, verbose_name="session in seconds")),
                ("description", models.TextField(blank=True, max_length=2000, verbose_name="description")),
                ("deactivated_at", models.DateTimeField(blank=True, null=True, verbose_name="deactivated from")),
                ("login_popup_enabled", models.BooleanField(default=False, verbose_name="notice after the sign-in")),
                (
                    "login_logo",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="picture of the notice",
                    ),
                ),
                ("login_text", models.TextField(blank=True, max_length=20000, verbose_name="text of the notice")),
                ("is_available", models.BooleanField(default=True, verbose_name="available")),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("deactivated_at", None)),
                        fields=["organization", "role"],
                        name="membership_members",
                    ),
                    models.Index(fields=["user"], include=("organization", "role"), name="membership_places"),
                    models.Index(fields=["tenant", "user"], name="membership_tenant_user"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "organization"),
                        name="membership_once",
                        violation_error_message="This person belongs to the organization already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("admin_perm", False), ("super_admin_perm", False)),
                            ("role__in", ["owner", "staff", "affiliate"]),
                            _connector="OR",
                        ),
                        name="membership_admin_is_staff",
                        violation_error_message="Only staff can be administrators.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("super_admin_perm", False), ("admin_perm", True), _connector="OR"),
                        name="membership_super_is_admin",
                        violation_error_message="A super administrator is an administrator, too.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["owner", "staff", "contractor", "resident", "guest", "affiliate"])
                        ),
                        name="membership_role",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuthIdToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("jti", models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="JWT Token ID")),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "ordering": ("id",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("street", models.CharField(blank=True, max_length=200, verbose_name="street")),
                ("postal_code", models.CharField(blank=True, max_length=12, verbose_name="postal code")),
                ("city", models.CharField(blank=True, max_length=100, verbose_name="city")),
                ("message", models.TextField(blank=True, max_length=2000, verbose_name="message")),
                ("handled_at", models.DateTimeField(blank=True, null=True, verbose_name="done at")),
                (
                    "invite",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="orgs.invite",
                        verbose_name="invitation",
                    ),
                ),
            ],
            options={
                "verbose_name": "access request",
                "verbose_name_plural": "access requests",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("docms_session", "docms session"),
                            ("app_key", "application key"),
                            ("organization", "organization token"),
                            ("personal", "personal token"),
                            ("basic", "basic credentials"),
                            ("refresh", "refresh token"),
                            ("calendar", "calendar feed"),
                        ],
                        max_length=15,
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("public_id", models.CharField(blank=True, max_length=40, null=True, unique=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="orgs.organization",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="orgs.application",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "not activated"), ("active", "active")], default="active", max_length=10
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), blank=True, default=list, size=None
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100)),
                ("family", models.UUIDField(blank=True, null=True)),
                ("failed_codes", models.PositiveSmallIntegerField(default=0)),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(condition=models.Q(("revoked_at", None)), fields=["user"], name="token_user"),
                    models.Index(
                        condition=models.Q(("revoked_at", None)), fields=["application"], name="token_application"
                    ),
                    models.Index(fields=["expires_at"], name="token_expiry"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "organization"), ("user", None)),
                            models.Q(models.Q(("kind", "organization"), _negated=True), ("user__isnull", False)),
                            _connector="OR",
                        ),
                        name="token_shape",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "app_key"), _negated=True),
                            ("application__isnull", False),
                            _connector="OR",
                        ),
                        name="token_app_key_has_application",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["docms_session", "refresh"]), _negated=True),
                            ("expires_at__isnull", False),
                            _connector="OR",
                        ),
                        name="token_expires",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "app_key"), ("revoked_at", None)),
                        fields=("application", "user"),
                        name="token_app_key_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "docms_session",
                                    "app_key",
                                    "organization",
                                    "personal",
                                    "basic",
                                    "refresh",
                                    "calendar",
                                ],
                            )
                        ),
                        name="token_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "active"])), name="token_state"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApplicationUser",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="application_users",
                        to="orgs.application",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "constraints": [models.UniqueConstraint(fields=("application", "user"), name="application_user_once")],
            },
        ),
        migrations.CreateModel(
            name="AvailabilitySample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="availability_samples",
                        to="orgs.organization",
                    ),
                ),
                ("sampled_at", models.DateTimeField()),
                ("root_available", models.PositiveIntegerField()),
                ("root_in_event", models.PositiveIntegerField()),
                ("root_not_available", models.PositiveIntegerField()),
                ("total_available", models.PositiveIntegerField()),
                ("total_in_event", models.PositiveIntegerField()),
                ("total_not_available", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ("organization", "-sampled_at", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "sampled_at"), name="availability_sample_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CommunityAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="orgs.membership",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="orgs.community"
                    ),
                ),
            ],
            options={
                "verbose_name": "assignment to a community",
                "verbose_name_plural": "assignments to communities",
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("membership", "community"), name="community_assignment_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactIndex",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="orgs.contact",
                    ),
                ),
                ("text", models.TextField()),
            ],
            options={
                "ordering": ("contact",),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["text"], name="contact_index_text", opclasses=("gin_trgm_ops",)
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Engagement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="engagements", to="orgs.organization"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "source",
                    models.CharField(choices=[("manual", "set by hand"), ("work_order", "work order")], max_length=20),
                ),
                ("source_id", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("source", "source_id", "user"),
                        name="engagement_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["manual", "work_order"])), name="engagement_source"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("reason", models.TextField(max_length=2000, verbose_name="reason")),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orgs.contact",
                        verbose_name="person",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orgs.unit",
                        verbose_name="unit",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="placed by",
                    ),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="released at")),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="released by",
                    ),
                ),
                ("release_reason", models.TextField(blank=True, max_length=2000, verbose_name="reason of the release")),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("released_at", None), ("released_by", None)),
                            ("released_at__isnull", False),
                            _connector="OR",
                        ),
                        name="hold_release",
                        violation_error_message="A hold that somebody released has a moment of release.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.blob",
                        verbose_name="file",
                    ),
                ),
                ("filename", models.CharField(blank=True, max_length=255, verbose_name="file name")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                ("mapping", models.JSONField(blank=True, default=dict, verbose_name="columns")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("interrupted", "The import was interrupted several times."),
                            ("too_long", "The import took too long. Please split the file."),
                            ("file_lost", "The uploaded file is not there any more. Please upload it again."),
                            ("blocked", "The file contains malware, or cannot be checked for it."),
                            ("unexpected", "An unexpected error. The log of the installation says more."),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("stage", models.CharField(blank=True, max_length=100, verbose_name="step")),
                ("rows_done", models.PositiveIntegerField(default=0, verbose_name="rows done")),
                ("rows_total", models.PositiveIntegerField(default=0, verbose_name="rows in total")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("counts", models.JSONField(blank=True, default=dict, verbose_name="counted")),
                ("report", models.JSONField(blank=True, default=list, verbose_name="errors")),
                (
                    "contacts_created",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="people who were created",
                    ),
                ),
                (
                    "contacts_changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="people who were changed",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])), fields=["id"], name="import_run_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running", "done", "refused", "failed", "cancelled"])
                        ),
                        name="import_run_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("failure__in", ["", "interrupted", "too_long", "file_lost", "blocked", "unexpected"])
                        ),
                        name="import_run_failure",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="License",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="licenses",
                        to="orgs.organization",
                    ),
                ),
                ("key", core.fields.EncryptedTextField(blank=True)),
                ("license_type", models.CharField(blank=True, max_length=50)),
                ("license_variant", models.CharField(blank=True, max_length=50)),
                ("valid_until", models.DateTimeField(blank=True, null=True)),
                (
                    "features",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("max_points", models.PositiveIntegerField(default=0)),
                ("maintenance_until", models.DateField(blank=True, null=True)),
                ("support_until", models.DateField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization",), name="license_once_per_organization", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuthGrant",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("redirect_uri", models.TextField(verbose_name="redirect URI")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "code_challenge",
                    models.CharField(blank=True, default="", max_length=128, verbose_name="code challenge"),
                ),
                ("nonce", models.CharField(blank=True, default="", max_length=255, verbose_name="nonce")),
                ("claims", models.TextField(blank=True, verbose_name="claims")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                ("code", orgs.models.oauth.HashedCodeField(max_length=255, unique=True)),
                ("code_challenge_method", models.CharField(choices=[("S256", "S256")], default="S256", max_length=10)),
            ],
            options={
                "ordering": ("id",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code_challenge_method__in", ["S256"])), name="oauth_grant_method"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Occupancy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupancies",
                        to="orgs.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupancies",
                        to="orgs.unit",
                        verbose_name="unit",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("renter", "renter"), ("additional", "additional user")],
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                (
                    "is_admin",
                    models.BooleanField(default=False, verbose_name="may invite and sees everything of the unit"),
                ),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="period")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                ("external_ref", models.CharField(blank=True, max_length=100, verbose_name="reference")),
            ],
            options={
                "verbose_name": "occupancy",
                "verbose_name_plural": "occupancies",
                "ordering": ("unit", "id"),
                "indexes": [models.Index(fields=["unit", "role"], name="occupancy_unit_role")],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("revoked_at", None)),
                        expressions=[("contact", "="), ("unit", "="), ("role", "="), ("period", "&&")],
                        name="occupancy_no_overlap",
                        violation_error_message="This person already has this role in that period.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period__isempty", False)),
                        name="occupancy_period_not_empty",
                        violation_error_message="The last day lies before the first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "renter", "additional"])), name="occupancy_role"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OneTimeLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("password_init", "first password"),
                            ("password_reset", "password reset"),
                            ("email_change", "change of address"),
                            ("download", "download"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="one_time_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=254)),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["address", "created_at"], name="one_time_link_address")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("purpose__in", ["password_init", "password_reset", "email_change", "download"])
                        ),
                        name="one_time_link_purpose",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OrganizationSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("mail_server", models.CharField(blank=True, max_length=255, verbose_name="mail server")),
                ("mail_port", models.PositiveIntegerField(default=587, verbose_name="port")),
                ("mail_ssl", models.BooleanField(default=False, verbose_name="TLS from the start")),
                ("mail_starttls", models.BooleanField(default=True, verbose_name="STARTTLS")),
                ("mail_sender", models.CharField(blank=True, max_length=254, verbose_name="sender address")),
                ("mail_user", models.CharField(blank=True, max_length=255, verbose_name="user name")),
                ("mail_password", core.fields.EncryptedTextField(blank=True, verbose_name="password")),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settings",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                ("mail_split_on", models.PositiveIntegerField(default=0, verbose_name="recipients per message")),
                ("privacy_text", models.TextField(blank=True, verbose_name="privacy notice")),
                ("privacy_text_en", models.TextField(blank=True, verbose_name="privacy notice (English)")),
                ("authority_info", models.TextField(blank=True, verbose_name="supervisory authority")),
                ("gdpr_info", models.TextField(blank=True, verbose_name="data protection notice")),
                ("gdpr_info_en", models.TextField(blank=True, verbose_name="data protection notice (English)")),
                ("mark_read", models.BooleanField(default=True, verbose_name="show what is read")),
                ("token_min_sec", models.PositiveIntegerField(default=300, verbose_name="shortest session in seconds")),
                (
                    "token_max_sec",
                    models.PositiveIntegerField(default=86400, verbose_name="longest session in seconds"),
                ),
                (
                    "default_token_sec",
                    models.PositiveIntegerField(default=28800, verbose_name="usual session in seconds"),
                ),
                (
                    "wizard_tenant_check",
                    models.BooleanField(
                        default=False, verbose_name="assistant: propose a folder and a group for each new user"
                    ),
                ),
                ("wizard_mail_perm", models.BooleanField(default=False, verbose_name="assistant: send notifications")),
                (
                    "wizard_folder_inactive_after_days",
                    models.IntegerField(default=0, verbose_name="assistant: hide folders after days"),
                ),
                (
                    "wizard_folder_folder_group",
                    models.BooleanField(default=False, verbose_name="assistant: a group for each folder"),
                ),
                (
                    "additional_groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="further groups of new folders",
                    ),
                ),
                (
                    "additional_child_folders",
                    models.JSONField(blank=True, default=list, verbose_name="subfolders of new folders"),
                ),
                (
                    "additional_child_folders_group",
                    models.BooleanField(default=False, verbose_name="subfolders get the groups of the folder"),
                ),
                (
                    "additional_child_folders_labels",
                    models.BooleanField(default=False, verbose_name="subfolders get the labels of the folder"),
                ),
                ("lock_perm", models.BooleanField(default=False, verbose_name="lock permissions")),
                ("lock_folder_perm", models.BooleanField(default=False, verbose_name="lock permissions in folders")),
                ("lock_settings", models.BooleanField(default=False, verbose_name="lock these settings")),
                ("api_external_access", models.BooleanField(default=True, verbose_name="sign-in from outside")),
                ("api_internal_access", models.BooleanField(default=True, verbose_name="sign-in from local networks")),
                ("groupadmin_active", models.BooleanField(default=False, verbose_name="group administrators")),
                ("groupadmin_user_create", models.BooleanField(default=False, verbose_name="create accounts")),
                ("groupadmin_user_edit", models.BooleanField(default=False, verbose_name="change accounts")),
                (
                    "groupadmin_user_reset_password",
                    models.BooleanField(default=False, verbose_name="send password links"),
                ),
                ("groupadmin_user_reset_tfa", models.BooleanField(default=False, verbose_name="reset second factors")),
                (
                    "groupadmin_user_reset_attempts",
                    models.BooleanField(default=False, verbose_name="reset failed attempts"),
                ),
                ("groupadmin_perm_read", models.BooleanField(default=False, verbose_name="grant reading")),
                ("groupadmin_perm_download", models.BooleanField(default=False, verbose_name="grant downloading")),
                ("groupadmin_perm_upload", models.BooleanField(default=False, verbose_name="grant uploading")),
                ("groupadmin_perm_edit_file", models.BooleanField(default=False, verbose_name="grant changing papers")),
                (
                    "groupadmin_perm_edit_own_file",
                    models.BooleanField(default=False, verbose_name="grant changing own papers"),
                ),
                ("groupadmin_perm_log", models.BooleanField(default=False, verbose_name="grant seeing logs")),
                (
                    "groupadmin_perm_mail",
                    models.BooleanField(default=False, verbose_name="grant sending notifications"),
                ),
                ("groupadmin_delete_files", models.BooleanField(default=False, verbose_name="delete papers")),
                ("file_delete_days", models.PositiveIntegerField(default=0, verbose_name="delete papers after days")),
                (
                    "delete_big_file_after_hours",
                    models.PositiveIntegerField(default=0, verbose_name="delete big files after hours"),
                ),
                (
                    "sms_send_url",
                    models.CharField(blank=True, max_length=500, verbose_name="address of the SMS gateway"),
                ),
                ("sms_api_key", core.fields.EncryptedTextField(blank=True, verbose_name="key of the SMS gateway")),
                ("sms_sender_id", models.CharField(blank=True, max_length=50, verbose_name="sender of text messages")),
                ("sms_send_type", models.CharField(blank=True, max_length=50, verbose_name="type of text messages")),
                (
                    "random_password_min_length",
                    models.PositiveIntegerField(default=8, verbose_name="length of made-up passwords"),
                ),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="logo",
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.blob",
                        verbose_name="picture",
                    ),
                ),
                ("accent_color", models.CharField(blank=True, max_length=7, verbose_name="accent colour")),
                ("imprint", models.TextField(blank=True, verbose_name="imprint")),
                ("terms", models.TextField(blank=True, verbose_name="terms of use")),
                (
                    "has_request_access_page",
                    models.BooleanField(default=False, verbose_name="page for requesting access"),
                ),
                (
                    "invite_days",
                    models.PositiveSmallIntegerField(default=30, verbose_name="invitations are valid for days"),
                ),
                ("hide_process_subject", models.BooleanField(default=False, verbose_name="hide the subject of cases")),
                (
                    "ticket_status_texts",
                    models.JSONField(blank=True, default=dict, verbose_name="names of the states of tickets"),
                ),
                ("business_hours", models.JSONField(blank=True, default=dict, verbose_name="business hours")),
                ("holiday_region", models.CharField(blank=True, max_length=10, verbose_name="public holidays of")),
                (
                    "extra_holidays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="further days off",
                    ),
                ),
                (
                    "default_first_response_hours",
                    models.PositiveIntegerField(default=24, verbose_name="first response to tickets in hours"),
                ),
                (
                    "default_resolution_hours",
                    models.PositiveIntegerField(default=0, verbose_name="tickets solved in hours"),
                ),
            ],
            options={
                "verbose_name": "tenant settings",
                "verbose_name_plural": "tenant settings",
                "ordering": ("id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("token_min_sec__lte", models.F("token_max_sec"))),
                        name="settings_token_range",
                        violation_error_message="The shortest session must not be longer than the longest.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("api_external_access", True), ("api_internal_access", True), _connector="OR"
                        ),
                        name="settings_some_network",
                        violation_error_message="Nobody could sign in any more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("invite_days__gte", 1), ("invite_days__lte", 90)),
                        name="settings_invite_days",
                        violation_error_message="Invitations are valid for 1 to 90 days.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnerInvitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="owner_invitations",
                        to="orgs.organization",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="owner_invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                        fields=("organization", "user"),
                        name="owner_invitation_open",
                        violation_error_message="This person has an open invitation already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuickAction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quick_actions",
                        to="orgs.organization",
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("color", models.CharField(blank=True, max_length=32)),
                ("icon", models.CharField(blank=True, max_length=64)),
                ("one_click", models.BooleanField(default=False)),
                ("resource", models.CharField(blank=True, max_length=50)),
                ("resource_id", models.BigIntegerField(blank=True, null=True)),
            ],
            options={
                "ordering": ("organization", "position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("organization", "position"),
                        name="quick_action_position",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("code_hash", models.BinaryField(max_length=32)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [models.UniqueConstraint(fields=("user", "code_hash"), name="recovery_code_once")],
            },
        ),
        migrations.CreateModel(
            name="Responsibility",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="changed at"),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False, verbose_name="revision")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="responsibilities", to="orgs.contact"
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="responsibilities",
                        to="orgs.community",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("MANAGER", "manager"),
                            ("CARETAKER", "caretaker"),
                            ("ADVISORY_BOARD", "advisory board"),
                            ("SERVICE_PROVIDER", "service provider"),
                            ("EMERGENCY", "emergency"),
                            ("OTHER", "other"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("show_on_dashboard", models.BooleanField(default=False, verbose_name="on the start page")),
                ("publish_email", models.BooleanField(default=False, verbose_name="publish e-mail address")),
                ("publish_telephone", models.BooleanField(default=False, verbose_name="publish telephone")),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="period")),
            ],
            options={
                "verbose_name": "responsibility",
                "verbose_name_plural": "responsibilities",
                "ordering": ("community", "position", "id"),
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("community", "="), ("contact", "="), ("type", "="), ("period", "&&")],
                        name="responsibility_no_overlap",
                        violation_error_message="This person already has this responsibility in that period.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                ["MANAGER", "CARETAKER", "ADVISORY_BOARD", "SERVICE_PROVIDER", "EMERGENCY", "OTHER"],
                            )
                        ),
                        name="responsibility_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.organization",
                    ),
                ),
                ("kind", models.CharField(choices=[("totp", "time-based code")], default="totp", max_length=10)),
                ("secret", core.fields.EncryptedTextField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("last_step", models.BigIntegerField(default=-1)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at__isnull", False), ("kind", "totp")),
                        fields=("user", "organization"),
                        name="second_factor_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["totp"])), name="second_factor_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_key", models.BinaryField(max_length=32, unique=True)),
                ("data", models.TextField(blank=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("browser", models.CharField(blank=True, max_length=300)),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("remember", models.BooleanField(default=False)),
                ("second_factor_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("-last_seen_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="SignInLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                        verbose_name="tenant",
                    ),
                ),
                ("app_id", models.BigIntegerField(blank=True, null=True, verbose_name="application")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("login", "signed in"),
                            ("login_failed", "failed sign-in"),
                            ("locked", "refused while locked"),
                            ("unlocked", "attempts reset"),
                            ("tenant_selected", "tenant selected"),
                            ("tfa_ok", "second factor accepted"),
                            ("tfa_failed", "second factor refused"),
                            ("app_login", "signed in by application"),
                            ("logout", "signed out"),
                        ],
                        max_length=30,
                        verbose_name="what happened",
                    ),
                ),
                ("door", models.CharField(max_length=20, verbose_name="door")),
                ("ip", models.GenericIPAddressField(blank=True, null=True, verbose_name="IP address")),
            ],
            options={
                "verbose_name": "sign-in",
                "verbose_name_plural": "sign-ins",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["user", "-id"], name="sign_in_log_user"),
                    models.Index(fields=["tenant", "-id"], name="sign_in_log_tenant"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
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
                            )
                        ),
                        name="sign_in_log_type",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trial", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("started_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="UserIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identities",
                        to="orgs.identityprovider",
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "subject"), name="identity_provider_subject"),
                    models.UniqueConstraint(fields=("user", "provider"), name="identity_user_provider"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuthRefreshToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(max_length=64, verbose_name="token checksum"),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                ("token_family", models.UUIDField(blank=True, editable=False, null=True, verbose_name="token family")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("revoked", models.DateTimeField(null=True, verbose_name="revoked")),
            ],
            options={
                "ordering": ("id",),
                "unique_together": {("token_checksum", "revoked")},
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OAuthToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "source_refresh_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="refreshed_access_token",
                        to=settings.OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL,
                        verbose_name="source refresh token",
                    ),
                ),
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(
                        db_index=True, max_length=64, unique=True, verbose_name="token checksum"
                    ),
                ),
                (
                    "id_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_token",
                        to=settings.OAUTH2_PROVIDER_ID_TOKEN_MODEL,
                        verbose_name="ID token",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "ordering": ("id",),
                "abstract": False,
                "indexes": [models.Index(fields=["expires"], name="oauth_token_expiry")],
            },
        ),
        migrations.AddField(
            model_name="Organization",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddConstraint(
            model_name="Organization",
            constraint=models.CheckConstraint(
                condition=django.db.models.expressions.NegatedExpression(
                    core.expressions.Holds(models.F("ancestors"), models.F("id"))
                ),
                name="org_not_own_ancestor",
                violation_error_message="An organization cannot lie below itself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="Organization",
            constraint=models.CheckConstraint(
                condition=core.expressions.IsNotDistinct(
                    models.F("parent_id"), core.expressions.LastOf(models.F("ancestors"))
                ),
                name="org_parent_is_last_ancestor",
            ),
        ),
        migrations.AddConstraint(
            model_name="Organization",
            constraint=models.CheckConstraint(
                condition=core.expressions.IsSameFlag(models.F("is_tenant"), models.F("tenant_id"), models.F("id")),
                name="org_tenant_is_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="Organization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("latitude", None), ("longitude", None)),
                    models.Q(("latitude__isnull", False), ("longitude__isnull", False)),
                    _connector="OR",
                ),
                name="org_coordinates_together",
                violation_error_message="Latitude and longitude go together.",
            ),
        ),
        migrations.AddConstraint(
            model_name="Organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("retention_months__gte", 0), ("retention_months__lte", 1200)),
                name="org_retention_range",
                violation_error_message="The retention period lies between 0 and 1200 months.",
            ),
        ),
        migrations.AddIndex(
            model_name="Organization",
            index=django.contrib.postgres.indexes.GinIndex(fields=["ancestors"], name="org_ancestors"),
        ),
        migrations.AddIndex(
            model_name="Organization",
            index=models.Index(
                models.F("parent"), django.db.models.functions.text.Lower("name"), models.F("id"), name="org_children"
            ),
        ),
        migrations.AddField(
            model_name="OAuthRefreshToken",
            name="access_token",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="refresh_token",
                to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
                verbose_name="access token",
            ),
        ),
        migrations.AddIndex(
            model_name="OAuthRefreshToken",
            index=models.Index(fields=["token_family"], name="orgs_oauthr_token_f_83c1cd_idx"),
        ),
    ]
