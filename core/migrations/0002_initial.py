import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import core.models.blobs


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_initial"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="Blob",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orgs.organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="Blob",
            constraint=models.UniqueConstraint(
                fields=("tenant", "sha256", "size"), name="blob_once_per_tenant", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="Blob",
            constraint=models.CheckConstraint(condition=models.Q(("size__gte", 0)), name="blob_size"),
        ),
        migrations.AddConstraint(
            model_name="Blob",
            constraint=models.CheckConstraint(
                condition=models.Q(("scan__in", ["pending", "clean", "infected", "too_large", "skipped"])),
                name="blob_scan",
            ),
        ),
        migrations.AddConstraint(
            model_name="Blob",
            constraint=models.CheckConstraint(
                condition=models.Q(("preview_state__in", ["pending", "ready", "none", "encrypted", "broken"])),
                name="blob_preview_state",
            ),
        ),
        migrations.AddIndex(
            model_name="Blob",
            index=models.Index(fields=["created_at"], name="blob_created"),
        ),
        migrations.AddIndex(
            model_name="Blob",
            index=models.Index(
                condition=models.Q(("scan", "pending")), fields=["updated_at", "id"], name="blob_unscanned"
            ),
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
                ("day", models.DateField(unique=True)),
                ("seq", models.BigIntegerField()),
                ("chain", models.BinaryField(max_length=32)),
            ],
            options={
                "ordering": ("day",),
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("user_id", models.BigIntegerField(blank=True, null=True, verbose_name="account")),
                ("acting_for", models.BigIntegerField(blank=True, null=True, verbose_name="acting for")),
                ("door", models.CharField(max_length=20, verbose_name="door")),
                ("ip", models.GenericIPAddressField(blank=True, null=True, verbose_name="IP address")),
                ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request")),
                ("verb", models.CharField(max_length=50, verbose_name="action")),
                ("object_type", models.CharField(max_length=50, verbose_name="kind of object")),
                ("object_id", models.CharField(max_length=50, verbose_name="number of the object")),
                ("changes", models.JSONField(blank=True, null=True, verbose_name="changes")),
                ("salt", models.BinaryField(max_length=16)),
                ("digest", models.BinaryField(max_length=32)),
                ("seq", models.BigIntegerField(blank=True, null=True, unique=True)),
                ("chain", models.BinaryField(blank=True, max_length=32, null=True)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "ordering": ("id",),
                "indexes": [
                    models.Index(fields=["tenant", "object_type", "object_id", "id"], name="audit_object"),
                    models.Index(fields=["tenant", "at"], name="audit_at"),
                    models.Index(condition=models.Q(("seq", None)), fields=["id"], name="audit_unsealed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DestructionRecord",
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
                ("kind", models.CharField(max_length=30, verbose_name="kind")),
                ("object_id", models.BigIntegerField(verbose_name="number")),
                ("folder_id", models.BigIntegerField(blank=True, null=True, verbose_name="number of the folder")),
                ("title", models.CharField(blank=True, max_length=250, verbose_name="title")),
                ("filename", models.CharField(blank=True, max_length=255, verbose_name="file name")),
                ("sha256", models.BinaryField(blank=True, max_length=32, null=True, verbose_name="SHA-256")),
                ("size", models.BigIntegerField(blank=True, null=True, verbose_name="size in bytes")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("manual", "by hand"),
                            ("folder_date", "date of the folder"),
                            ("first_access", "days after first access"),
                            ("big_file", "big file"),
                            ("next_download", "after download"),
                            ("folder_deleted", "folder deleted"),
                            ("retention", "retention period"),
                            ("erasure", "erasure of a person"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("rule", models.JSONField(blank=True, default=dict, verbose_name="rule that applied")),
            ],
            options={
                "verbose_name": "record of a deletion",
                "verbose_name_plural": "records of deletions",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["tenant", "-id"], name="destruction_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "manual",
                                    "folder_date",
                                    "first_access",
                                    "big_file",
                                    "next_download",
                                    "folder_deleted",
                                    "retention",
                                    "erasure",
                                ],
                            )
                        ),
                        name="destruction_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="job")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("counts", models.JSONField(blank=True, default=dict, verbose_name="counted")),
                ("error", models.TextField(blank=True, verbose_name="error")),
            ],
            options={
                "verbose_name": "job run",
                "verbose_name_plural": "job runs",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["name", "-started_at"], name="job_run_newest")],
            },
        ),
        migrations.CreateModel(
            name="NumberCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("kind", models.CharField(max_length=30)),
                ("scope_id", models.BigIntegerField(default=0)),
                ("last", models.BigIntegerField(default=0)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "kind", "scope_id"), name="number_counter_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SystemLog",
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
                ("category", models.CharField(max_length=50, verbose_name="kind")),
                ("action", models.CharField(max_length=100, verbose_name="what happened")),
                ("stacktrace", models.TextField(blank=True, max_length=20000, verbose_name="technical details")),
            ],
            options={
                "verbose_name": "entry of the system log",
                "verbose_name_plural": "entries of the system log",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(max_length=20)),
                ("key_hash", models.BinaryField(max_length=32)),
                ("policy", models.CharField(default="wait", max_length=4)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("locks", models.PositiveIntegerField(default=0)),
                ("last_failure_at", models.DateTimeField()),
                ("blocked_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("scope", "key_hash"), name="throttle_once"),
                    models.CheckConstraint(
                        condition=models.Q(("policy__in", ["wait", "lock"])), name="throttle_policy"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
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
                ("handle", models.CharField(default=core.models.blobs.upload_handle, max_length=40, unique=True)),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "credential",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="orgs.accesstoken",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="core.blob",
                    ),
                ),
                ("expected_size", models.BigIntegerField(verbose_name="size in bytes")),
                ("received", models.BigIntegerField(default=0, verbose_name="received bytes")),
                ("parts", models.JSONField(blank=True, default=list)),
                ("name", models.CharField(max_length=255, verbose_name="file name")),
                ("door", models.CharField(max_length=20, verbose_name="door")),
                ("attached_at", models.DateTimeField(blank=True, null=True, verbose_name="attached at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
            ],
            options={
                "verbose_name": "file upload",
                "verbose_name_plural": "file uploads",
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("attached_at", None)), fields=["expires_at"], name="upload_waiting"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("received__gte", 0), ("received__lte", models.F("expected_size"))),
                        name="upload_received",
                    )
                ],
            },
        ),
    ]
