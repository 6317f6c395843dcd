import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_initial"),
        ("docms", "0001_initial"),
        ("messaging", "0001_initial"),
        ("orgs", "0001_initial"),
        ("processes", "0001_initial"),
        ("tickets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Post",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to="orgs.community",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("title", models.CharField(max_length=250, verbose_name="title")),
                ("text", models.TextField(verbose_name="text")),
                ("allow_comments", models.BooleanField(default=True, verbose_name="comments allowed")),
                (
                    "audience",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None, verbose_name="addressed to"
                    ),
                ),
                ("publish_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="published at")),
                ("series", models.UUIDField(blank=True, db_index=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "ordering": ("-publish_at", "-id"),
                "indexes": [models.Index(fields=["community", "-publish_at", "-id"], name="post_board")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("audience", []), _negated=True),
                        name="post_addressed",
                        violation_error_message="Say to whom this is addressed.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FaqGroup",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faq_groups",
                        to="orgs.community",
                    ),
                ),
                ("title", models.CharField(max_length=250, verbose_name="title")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "group of answers",
                "verbose_name_plural": "groups of answers",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="FaqItem",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faq_items",
                        to="orgs.community",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="items",
                        to="portal.faqgroup",
                        verbose_name="group",
                    ),
                ),
                ("title", models.CharField(max_length=250, verbose_name="question")),
                ("text", models.TextField(verbose_name="answer")),
                ("keywords", models.CharField(blank=True, max_length=500, verbose_name="search words")),
                (
                    "ticket_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tickets.tickettype",
                        verbose_name="ticket type offered when this did not help",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("published", models.BooleanField(default=True, verbose_name="published")),
            ],
            options={
                "verbose_name": "answer",
                "verbose_name_plural": "answers",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="Activity",
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
                    "community",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.community",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("updated", "updated"),
                            ("commented", "commented"),
                            ("closed", "closed"),
                            ("shared", "shared"),
                            ("joined", "joined"),
                        ],
                        max_length=10,
                        verbose_name="action",
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("ticket", "ticket"),
                            ("post", "notice"),
                            ("event", "event"),
                            ("document", "document"),
                            ("faq", "answer"),
                            ("member", "member"),
                        ],
                        max_length=10,
                        verbose_name="category",
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
                ("item_id", models.BigIntegerField(blank=True, null=True)),
                ("title", models.CharField(blank=True, max_length=250, verbose_name="title")),
                (
                    "audience",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
            ],
            options={
                "verbose_name": "activity",
                "verbose_name_plural": "activities",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["community", "-id"], name="activity_newest"),
                    models.Index(fields=["tenant", "category", "item_id"], name="activity_item"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("action__in", ["created", "updated", "commented", "closed", "shared", "joined"])
                        ),
                        name="activity_action",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ["ticket", "post", "event", "document", "faq", "member"])),
                        name="activity_category",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="orgs.community",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("title", models.CharField(max_length=250, verbose_name="title")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("location", models.CharField(blank=True, max_length=250, verbose_name="place")),
                ("all_day", models.BooleanField(default=False, verbose_name="all day")),
                ("date_start", models.DateTimeField(verbose_name="begins")),
                ("date_end", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                (
                    "audience",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None, verbose_name="addressed to"
                    ),
                ),
                ("cancelled_at", models.DateTimeField(blank=True, null=True, verbose_name="cancelled at")),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "ordering": ("date_start", "id"),
                "indexes": [models.Index(fields=["community", "date_start"], name="event_calendar")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("date_start__lte", models.F("date_end"))),
                        name="event_period",
                        violation_error_message="An event cannot end before it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("audience", []), _negated=True),
                        name="event_addressed",
                        violation_error_message="Say to whom this is addressed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FaqAttachment",
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
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="portal.faqitem"
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.blob"),
                ),
                ("name", models.CharField(max_length=255, verbose_name="file name")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "ordering": ("item", "position", "id"),
            },
        ),
        migrations.CreateModel(
            name="Notification",
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orgs.community"
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("ticket_created", "new ticket"),
                            ("ticket_updated", "ticket changed"),
                            ("ticket_comment_created", "comment on a ticket"),
                            ("ticket_shared", "ticket shared"),
                            ("post_created", "new notice"),
                            ("post_comment_created", "comment on a notice"),
                            ("event_created", "new event"),
                            ("event_updated", "event changed"),
                            ("event_cancelled", "event cancelled"),
                            ("document_created", "new document"),
                            ("invite_accepted", "invitation accepted"),
                        ],
                        max_length=30,
                        verbose_name="kind",
                    ),
                ),
                ("item_id", models.BigIntegerField()),
                ("parent_item_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "ticket_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("new", "new"),
                            ("reopened", "reopened"),
                            ("in_progress", "in progress"),
                            ("waiting", "waiting"),
                            ("solved", "solved"),
                            ("closed", "closed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                ("cause", models.UUIDField()),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "ordering": ("-created_at", "-id"),
                "indexes": [
                    models.Index(fields=["user", "community", "-created_at", "-id"], name="notification_list"),
                    models.Index(
                        condition=models.Q(("read_at", None)),
                        fields=["user", "community", "-created_at", "-id"],
                        name="notification_unread",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "cause"), name="notification_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "ticket_created",
                                    "ticket_updated",
                                    "ticket_comment_created",
                                    "ticket_shared",
                                    "post_created",
                                    "post_comment_created",
                                    "event_created",
                                    "event_updated",
                                    "event_cancelled",
                                    "document_created",
                                    "invite_accepted",
                                ],
                            )
                        ),
                        name="notification_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ticket_status__in", ["", "new", "reopened", "in_progress", "waiting", "solved", "closed"])
                        ),
                        name="notification_ticket_status",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostAttachment",
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
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="portal.post"
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.blob"),
                ),
                ("name", models.CharField(max_length=255, verbose_name="file name")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "ordering": ("post", "position", "id"),
            },
        ),
        migrations.CreateModel(
            name="PostComment",
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
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="portal.post",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("text", models.TextField(max_length=5000, verbose_name="text")),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "comment",
                "verbose_name_plural": "comments",
                "ordering": ("post", "created_at", "id"),
                "indexes": [models.Index(fields=["post", "created_at", "id"], name="post_comment_stream")],
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
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
                        related_name="push_subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("endpoint", models.CharField(max_length=1000, unique=True)),
                ("p256dh", models.CharField(max_length=100)),
                ("auth", models.CharField(max_length=50)),
                ("browser", models.CharField(blank=True, max_length=300, verbose_name="browser")),
            ],
            options={
                "verbose_name": "push subscription",
                "verbose_name_plural": "push subscriptions",
                "ordering": ("id",),
            },
        ),
    ]
