import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import core.fields
import core.models.blobs


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_initial"),
        ("docms", "0001_initial"),
        ("messaging", "0001_initial"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="TicketTypeGroup",
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
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "group of ticket types",
                "verbose_name_plural": "groups of ticket types",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="TicketType",
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
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="types",
                        to="tickets.tickettypegroup",
                        verbose_name="group",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("description", models.TextField(blank=True, max_length=2000, verbose_name="description")),
                ("icon", models.CharField(blank=True, max_length=64, verbose_name="icon")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
                (
                    "support_type",
                    models.CharField(
                        choices=[
                            ("access", "access"),
                            ("accountAndBilling", "account and billing"),
                            ("bookings", "bookings"),
                            ("cleaning", "cleaning"),
                            ("discriminationAndHarassment", "discrimination and harassment"),
                            ("internet", "internet"),
                            ("mailAndPackages", "mail and packages"),
                            ("noiseAndAcoustics", "noise and acoustics"),
                            ("offensiveOrObjectionableContent", "offensive content"),
                            ("other", "other"),
                            ("printing", "printing"),
                            ("repairAndMaintenance", "repair and maintenance"),
                            ("temperatureAndVentilation", "temperature and ventilation"),
                            ("websiteAndApp", "website and app"),
                        ],
                        default="other",
                        max_length=40,
                        verbose_name="support type",
                    ),
                ),
                ("is_support_default", models.BooleanField(default=False, verbose_name="default of the support type")),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("owner", "owner"),
                                ("renter", "renter"),
                                ("additional", "additional user"),
                                ("board", "advisory board"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="only for these roles",
                    ),
                ),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "low"), (2, "normal"), (3, "high"), (4, "urgent")],
                        default=2,
                        verbose_name="priority of new tickets",
                    ),
                ),
                (
                    "first_response_hours",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="first response in hours"),
                ),
                (
                    "resolution_hours",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="solved in hours"),
                ),
            ],
            options={
                "verbose_name": "ticket type",
                "verbose_name_plural": "ticket types",
                "ordering": ("position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_support_default", True)),
                        fields=("tenant", "support_type"),
                        name="ticket_type_support_default",
                        violation_error_message="Another type is the default of this support type.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("roles__contained_by", ["owner", "renter", "additional", "board"])),
                        name="ticket_type_roles",
                        violation_error_message="There is no such role.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__gte", 1), ("priority__lte", 4)), name="ticket_type_priority"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "support_type__in",
                                [
                                    "access",
                                    "accountAndBilling",
                                    "bookings",
                                    "cleaning",
                                    "discriminationAndHarassment",
                                    "internet",
                                    "mailAndPackages",
                                    "noiseAndAcoustics",
                                    "offensiveOrObjectionableContent",
                                    "other",
                                    "printing",
                                    "repairAndMaintenance",
                                    "temperatureAndVentilation",
                                    "websiteAndApp",
                                ],
                            )
                        ),
                        name="ticket_type_support_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ticket",
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
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "community",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                ("number", models.PositiveIntegerField(editable=False, verbose_name="number")),
                ("identifier", models.CharField(editable=False, max_length=30, verbose_name="reference")),
                (
                    "ticket_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tickets",
                        to="tickets.tickettype",
                        verbose_name="ticket type",
                    ),
                ),
                (
                    "support_type",
                    models.CharField(
                        choices=[
                            ("access", "access"),
                            ("accountAndBilling", "account and billing"),
                            ("bookings", "bookings"),
                            ("cleaning", "cleaning"),
                            ("discriminationAndHarassment", "discrimination and harassment"),
                            ("internet", "internet"),
                            ("mailAndPackages", "mail and packages"),
                            ("noiseAndAcoustics", "noise and acoustics"),
                            ("offensiveOrObjectionableContent", "offensive content"),
                            ("other", "other"),
                            ("printing", "printing"),
                            ("repairAndMaintenance", "repair and maintenance"),
                            ("temperatureAndVentilation", "temperature and ventilation"),
                            ("websiteAndApp", "website and app"),
                        ],
                        default="other",
                        max_length=40,
                        verbose_name="support type",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tickets",
                        to="orgs.unit",
                        verbose_name="unit",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="orgs.contact",
                        verbose_name="requester",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="filed by",
                    ),
                ),
                (
                    "stranger",
                    models.CharField(blank=True, editable=False, max_length=254, verbose_name="unknown sender"),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assigned_tickets",
                        to="orgs.membership",
                        verbose_name="assignee",
                    ),
                ),
                ("title", models.CharField(max_length=250, verbose_name="title")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("answers", models.JSONField(blank=True, default=list, verbose_name="answers")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("reopened", "reopened"),
                            ("in_progress", "in progress"),
                            ("waiting", "waiting"),
                            ("solved", "solved"),
                            ("closed", "closed"),
                        ],
                        default="new",
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("status_changed_at", models.DateTimeField(blank=True, null=True, verbose_name="status changed at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                ("first_response_at", models.DateTimeField(blank=True, null=True, verbose_name="first response")),
                (
                    "shared_with",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="shared with",
                    ),
                ),
                ("shared_at", models.DateTimeField(blank=True, null=True, verbose_name="shared at")),
                ("rating", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="rating")),
                ("rating_comment", models.TextField(blank=True, max_length=2000, verbose_name="comment on the rating")),
                ("rated_at", models.DateTimeField(blank=True, null=True, verbose_name="rated at")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "low"), (2, "normal"), (3, "high"), (4, "urgent")],
                        default=2,
                        verbose_name="priority",
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due at")),
                ("response_due_at", models.DateTimeField(blank=True, null=True, verbose_name="first response due at")),
                ("paused_seconds", models.PositiveIntegerField(default=0, verbose_name="seconds of waiting")),
                ("reminded_at", models.DateTimeField(blank=True, null=True, verbose_name="missed response told at")),
                ("escalated_at", models.DateTimeField(blank=True, null=True, verbose_name="missed solution told at")),
                ("external_ref", models.CharField(blank=True, max_length=100, verbose_name="external reference")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="tickets.ticket",
                        verbose_name="merged into",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="tickets.ticket",
                        verbose_name="belongs to",
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="deleted at")),
            ],
            options={
                "verbose_name": "ticket",
                "verbose_name_plural": "tickets",
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at", None)),
                        fields=["community", "-created_at", "-id"],
                        name="ticket_created",
                    ),
                    models.Index(
                        condition=models.Q(("deleted_at", None)),
                        fields=["community", "-updated_at", "-id"],
                        name="ticket_updated",
                    ),
                    models.Index(condition=models.Q(("deleted_at", None)), fields=["contact"], name="ticket_contact"),
                    models.Index(
                        condition=models.Q(("deleted_at", None)), fields=["created_by"], name="ticket_created_by"
                    ),
                    models.Index(
                        condition=models.Q(("deleted_at", None)),
                        fields=["tenant", "assignee", "status"],
                        name="ticket_assigned",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("deleted_at", None), models.Q(("shared_with", []), _negated=True)),
                        fields=["shared_with"],
                        name="ticket_shared",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", False)),
                        fields=["tenant", "closed_at"],
                        name="ticket_closed",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("closed_at", None),
                            ("deleted_at", None),
                            ("first_response_at", None),
                            ("reminded_at", None),
                        ),
                        fields=["response_due_at"],
                        name="ticket_response_due",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None), ("deleted_at", None), ("escalated_at", None)),
                        fields=["due_at"],
                        name="ticket_due",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None), ("deleted_at", None)),
                        fields=["tenant", "-id"],
                        name="ticket_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("community", "number"), name="ticket_number_once"),
                    models.UniqueConstraint(fields=("tenant", "identifier"), name="ticket_identifier_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("status__in", ["solved", "closed"])),
                            models.Q(
                                models.Q(("status__in", ["solved", "closed"]), _negated=True), ("closed_at", None)
                            ),
                            _connector="OR",
                        ),
                        name="ticket_closed_has_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rating", None), ("status__in", ["solved", "closed"]), _connector="OR"),
                        name="ticket_rating_only_closed",
                        violation_error_message="Only a closed ticket can be rated.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rating__gte", 1), ("rating__lte", 5)),
                        name="ticket_rating_range",
                        violation_error_message="A rating lies between 1 and 5.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__gte", 1), ("priority__lte", 4)), name="ticket_priority"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["new", "reopened", "in_progress", "waiting", "solved", "closed"])
                        ),
                        name="ticket_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "support_type__in",
                                [
                                    "access",
                                    "accountAndBilling",
                                    "bookings",
                                    "cleaning",
                                    "discriminationAndHarassment",
                                    "internet",
                                    "mailAndPackages",
                                    "noiseAndAcoustics",
                                    "offensiveOrObjectionableContent",
                                    "other",
                                    "printing",
                                    "repairAndMaintenance",
                                    "temperatureAndVentilation",
                                    "websiteAndApp",
                                ],
                            )
                        ),
                        name="ticket_support_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketActivity",
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
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activities",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ticketCreated", "reported"),
                            ("comment", "comment"),
                            ("note", "internal note"),
                            ("assigneeUpdated", "assigned"),
                            ("statusUpdated", "status changed"),
                            ("event", "event"),
                        ],
                        max_length=20,
                        verbose_name="kind",
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
                ("from_staff", models.BooleanField(default=False, verbose_name="by the management")),
                ("text", models.TextField(blank=True, max_length=20000, verbose_name="text")),
                ("data", models.JSONField(blank=True, default=dict)),
                ("automatic_name", models.CharField(blank=True, max_length=100)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("portal", "app"),
                            ("web", "portal"),
                            ("support", "support interface"),
                            ("mail", "e-mail"),
                            ("back_office", "back office"),
                        ],
                        max_length=12,
                        verbose_name="through",
                    ),
                ),
                ("external_ref", models.CharField(blank=True, max_length=100, verbose_name="external reference")),
                ("message_id", models.CharField(blank=True, max_length=255, null=True, unique=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "activity of a ticket",
                "verbose_name_plural": "activities of tickets",
                "ordering": ("ticket", "created_at", "id"),
                "indexes": [models.Index(fields=["ticket", "created_at", "id"], name="ticket_activity_stream")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["ticketCreated", "comment", "note", "assigneeUpdated", "statusUpdated", "event"],
                            )
                        ),
                        name="ticket_activity_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["portal", "web", "support", "mail", "back_office"])),
                        name="ticket_activity_source",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssignmentRule",
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
                        blank=True,
                        help_text="Empty: all communities.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "ticket_type",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all types.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tickets.tickettype",
                        verbose_name="ticket type",
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: whoever is available and has the fewest open tickets.",
                        limit_choices_to={"deactivated_at": None, "role__in": ("owner", "staff", "affiliate")},
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.membership",
                        verbose_name="assignee",
                    ),
                ),
                (
                    "only_available",
                    models.BooleanField(
                        default=True,
                        help_text="While the person is not available, the next rule decides.",
                        verbose_name="only while available",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
            ],
            options={
                "verbose_name": "rule of assignment",
                "verbose_name_plural": "rules of assignment",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="CannedReply",
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
                ("text", models.TextField(max_length=20000, verbose_name="text")),
                ("support_type", models.CharField(blank=True, max_length=40, verbose_name="only for the support type")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "ready-made reply",
                "verbose_name_plural": "ready-made replies",
                "ordering": ("position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name"),
                        name="canned_reply_name_once",
                        violation_error_message="There is a reply of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
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
                ("credential", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=255)),
                ("body_hash", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField()),
                ("response", models.JSONField()),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["created_at"], name="idempotency_record_age")],
                "constraints": [models.UniqueConstraint(fields=("credential", "key"), name="idempotency_record_once")],
            },
        ),
        migrations.CreateModel(
            name="InboundMail",
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
                ("message_id", models.CharField(max_length=255, verbose_name="Message-ID")),
                ("sender", models.CharField(blank=True, max_length=254, verbose_name="sender")),
                ("subject", models.CharField(blank=True, max_length=250, verbose_name="subject")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("comment", "became a comment"),
                            ("ticket", "became a ticket"),
                            ("ignored", "ignored"),
                            ("refused", "refused"),
                        ],
                        max_length=10,
                        verbose_name="what became of it",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40, verbose_name="reason")),
                (
                    "ticket",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
            ],
            options={
                "verbose_name": "mail that came in",
                "verbose_name_plural": "mails that came in",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["tenant", "-id"], name="inbound_mail_log")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "message_id"), name="inbound_mail_once"),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["comment", "ticket", "ignored", "refused"])),
                        name="inbound_mail_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mailbox",
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
                ("address", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("host", models.CharField(blank=True, max_length=200, verbose_name="IMAP server")),
                ("port", models.PositiveIntegerField(default=993, verbose_name="port")),
                (
                    "security",
                    models.CharField(
                        choices=[("ssl", "TLS from the start"), ("starttls", "STARTTLS"), ("none", "none")],
                        default="ssl",
                        max_length=8,
                        verbose_name="security",
                    ),
                ),
                ("user_name", models.CharField(blank=True, max_length=200, verbose_name="user name")),
                ("password", core.fields.EncryptedTextField(blank=True, verbose_name="password")),
                ("folder", models.CharField(default="INBOX", max_length=200, verbose_name="folder")),
                (
                    "unknown_senders",
                    models.CharField(
                        choices=[("ignore", "is left unanswered"), ("ticket", "becomes a ticket")],
                        default="ignore",
                        max_length=8,
                        verbose_name="mail of unknown senders",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        help_text="For mail of senders that live in no community, or in several.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.community",
                        verbose_name="community of new tickets",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="mail is fetched")),
                (
                    "uid_validity",
                    models.BigIntegerField(default=0, editable=False, verbose_name="numbering of the server"),
                ),
                ("last_uid", models.BigIntegerField(default=0, editable=False, verbose_name="last mail that was read")),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last read at"),
                ),
                ("error", models.TextField(blank=True, editable=False, verbose_name="last error")),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant",),
                        name="mailbox_once",
                        violation_error_message="The company has a mailbox already.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("address"),
                        name="mailbox_address_once",
                        violation_error_message="This address belongs to another mailbox.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unknown_senders", "ticket"), _negated=True),
                            ("community__isnull", False),
                            _connector="OR",
                        ),
                        name="mailbox_community",
                        violation_error_message="Say in which community mail of unknown senders becomes a ticket.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("security__in", ["ssl", "starttls", "none"])), name="mailbox_security"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unknown_senders__in", ["ignore", "ticket"])),
                        name="mailbox_unknown_senders",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketAttachment",
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
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="tickets.ticket"
                    ),
                ),
                (
                    "activity",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="attachments",
                        to="tickets.ticketactivity",
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.blob"),
                ),
                ("name", models.CharField(max_length=255, verbose_name="file name")),
                ("title", models.CharField(blank=True, max_length=255, verbose_name="title")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                (
                    "key",
                    models.CharField(
                        default=core.models.blobs.upload_handle, editable=False, max_length=40, unique=True
                    ),
                ),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "ordering": ("ticket", "position", "id"),
            },
        ),
        migrations.CreateModel(
            name="TicketDraft",
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
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("text", models.TextField(max_length=20000, verbose_name="text")),
                ("is_note", models.BooleanField(default=False, verbose_name="internal note")),
            ],
            options={
                "verbose_name": "draft",
                "verbose_name_plural": "drafts",
                "ordering": ("ticket", "id"),
                "constraints": [models.UniqueConstraint(fields=("ticket", "user"), name="ticket_draft_once")],
            },
        ),
        migrations.CreateModel(
            name="TicketFilter",
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("query", models.CharField(max_length=2000)),
                ("is_shared", models.BooleanField(default=False, verbose_name="shared with all staff")),
            ],
            options={
                "verbose_name": "saved filter",
                "verbose_name_plural": "saved filters",
                "ordering": ("name", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "user", "name"),
                        name="ticket_filter_name_once",
                        violation_error_message="You have a filter of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketHold",
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
                    "hold",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ticket_holds",
                        to="orgs.hold",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="tickets.ticket"
                    ),
                ),
            ],
            options={
                "verbose_name": "held ticket",
                "verbose_name_plural": "held tickets",
                "ordering": ("hold", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hold", "ticket"),
                        name="ticket_hold_once",
                        violation_error_message="The hold covers this ticket already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketIndex",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.community"
                    ),
                ),
                ("vector", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "ordering": ("ticket",),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["community", "vector"], name="ticket_index_words")
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketTypeCommunity",
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
                    "ticket_type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offers",
                        to="tickets.tickettype",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.community"
                    ),
                ),
            ],
            options={
                "ordering": ("ticket_type", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("ticket_type", "community"), name="ticket_type_community_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketTypeField",
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
                    "ticket_type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fields",
                        to="tickets.tickettype",
                    ),
                ),
                (
                    "field_type",
                    models.CharField(
                        choices=[
                            ("TEXTFIELD", "one line"),
                            ("TEXTBOX", "text"),
                            ("NUMBER", "number"),
                            ("CHECKBOX", "check box"),
                            ("DROPDOWN", "choice"),
                            ("DATE", "date"),
                            ("FILE", "files"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="question")),
                ("description", models.TextField(blank=True, max_length=2000, verbose_name="help")),
                ("position", models.PositiveIntegerField(verbose_name="order")),
                ("required", models.BooleanField(default=False, verbose_name="required")),
                (
                    "options",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="choices",
                    ),
                ),
                ("decimals", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="decimals")),
                ("is_active", models.BooleanField(default=True, verbose_name="asked")),
            ],
            options={
                "verbose_name": "field",
                "verbose_name_plural": "fields",
                "ordering": ("ticket_type", "position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("ticket_type", "position"),
                        name="ticket_type_field_position",
                        violation_error_message="Two fields stand at the same place.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decimals__lte", 6)),
                        name="ticket_type_field_decimals",
                        violation_error_message="A number has six decimals at most.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "field_type__in",
                                ["TEXTFIELD", "TEXTBOX", "NUMBER", "CHECKBOX", "DROPDOWN", "DATE", "FILE"],
                            )
                        ),
                        name="ticket_type_field_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketWatcher",
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
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watchers",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.membership",
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "watcher",
                "verbose_name_plural": "watchers",
                "ordering": ("ticket", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("ticket", "membership"),
                        name="ticket_watcher_once",
                        violation_error_message="This person watches the ticket already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="TicketType",
            name="communities",
            field=models.ManyToManyField(
                blank=True,
                related_name="+",
                through="tickets.TicketTypeCommunity",
                to="orgs.community",
                verbose_name="communities",
            ),
        ),
    ]
