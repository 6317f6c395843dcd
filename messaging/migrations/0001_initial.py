import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_initial"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
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
                    "channel",
                    models.CharField(
                        choices=[("mail", "e-mail"), ("sms", "text message")],
                        default="mail",
                        max_length=4,
                        verbose_name="channel",
                    ),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                (
                    "caused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="caused by",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=250, verbose_name="subject")),
                ("body_html", models.TextField(blank=True, verbose_name="text (HTML)")),
                ("body_text", models.TextField(blank=True, verbose_name="text")),
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
                    "to_emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=254),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="visible recipients",
                    ),
                ),
                (
                    "bcc_emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=254),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="recipients in BCC",
                    ),
                ),
                ("mobile_number", models.CharField(blank=True, max_length=40, verbose_name="mobile number")),
                ("message_id", models.CharField(max_length=255, unique=True, verbose_name="Message-ID")),
                ("in_reply_to", models.CharField(blank=True, max_length=255, verbose_name="answer to")),
                ("reply_to", models.EmailField(blank=True, max_length=254, verbose_name="reply address")),
                ("reply_token_hash", models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
                ("dedupe_key", models.CharField(max_length=200, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("bounced", "came back"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("not_before", models.DateTimeField(default=django.utils.timezone.now, verbose_name="not before")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("lease_until", models.DateTimeField(blank=True, null=True, verbose_name="claimed until")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                ("error_msg", models.TextField(blank=True, verbose_name="error")),
                ("gateway_id", models.CharField(blank=True, max_length=100, verbose_name="number at the gateway")),
                (
                    "app_config",
                    models.BooleanField(default=False, verbose_name="through the mail server of the installation"),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")), fields=["not_before", "id"], name="message_claim"
                    ),
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["lease_until"], name="message_leased"
                    ),
                    models.Index(fields=["tenant", "-sent_at"], name="message_log"),
                    models.Index(
                        condition=models.Q(("error_msg", ""), _negated=True),
                        fields=["tenant", "-id"],
                        name="message_errors",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["mail", "sms"])), name="message_channel"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "sending", "sent", "failed", "bounced", "cancelled"])
                        ),
                        name="message_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["", "de", "en", "fr", "pl"])), name="message_language"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageRecipient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="recipients", to="messaging.message"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.contact",
                    ),
                ),
                ("address", models.CharField(max_length=254, verbose_name="address")),
                ("document_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("sent", "sent"),
                            ("bounced", "came back"),
                            ("suppressed", "not sent"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(blank=True, null=True, verbose_name="opened at")),
            ],
            options={
                "verbose_name": "recipient",
                "verbose_name_plural": "recipients",
                "ordering": ("message", "id"),
                "indexes": [models.Index(fields=["document_id", "user"], name="message_recipient_document")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "sent", "bounced", "suppressed"])),
                        name="message_recipient_state",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Template",
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
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.organization",
                    ),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")],
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=250, verbose_name="subject")),
                ("body", models.TextField(blank=True, max_length=100000, verbose_name="text")),
                ("subject_en", models.CharField(blank=True, max_length=250, verbose_name="subject (English)")),
                ("body_en", models.TextField(blank=True, max_length=100000, verbose_name="text (English)")),
                ("to_email", models.EmailField(blank=True, max_length=254, verbose_name="visible recipient")),
                ("rest_bcc", models.BooleanField(default=False, verbose_name="everybody else in BCC")),
            ],
            options={
                "verbose_name": "template",
                "verbose_name_plural": "templates",
                "ordering": ("kind", "language", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "kind", "language"),
                        name="template_once",
                        nulls_distinct=False,
                        violation_error_message="There is a text of this kind already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("body_en", ""),
                                ("subject_en", ""),
                                ("tenant", None),
                                models.Q(("language", ""), _negated=True),
                            ),
                            models.Q(("language", ""), ("tenant__isnull", False)),
                            _connector="OR",
                        ),
                        name="template_shape",
                        violation_error_message="A text of the installation has a language, a text of a tenant has none.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rest_bcc", False), models.Q(("to_email", ""), _negated=True), _connector="OR"
                        ),
                        name="template_bcc_needs_to",
                        violation_error_message="With everybody in BCC, a visible recipient is needed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["", "de", "en", "fr", "pl"])), name="template_language"
                    ),
                ],
            },
        ),
    ]
