import uuid

import django.contrib.postgres.operations
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        django.contrib.postgres.operations.BtreeGistExtension(),
        django.contrib.postgres.operations.BtreeGinExtension(),
        django.contrib.postgres.operations.TrigramExtension(),
        migrations.CreateModel(
            name="Blob",
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
                ("sha256", models.BinaryField(max_length=32)),
                ("size", models.BigIntegerField()),
                ("mime", models.CharField(max_length=127)),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                ("storage_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "scan",
                    models.CharField(
                        choices=[
                            ("pending", "being checked"),
                            ("clean", "clean"),
                            ("infected", "infected"),
                            ("too_large", "too large to be checked"),
                            ("skipped", "not checked"),
                        ],
                        default="skipped",
                        max_length=10,
                        verbose_name="virus check",
                    ),
                ),
                (
                    "preview_state",
                    models.CharField(
                        choices=[
                            ("pending", "being made"),
                            ("ready", "ready"),
                            ("none", "no preview for this type"),
                            ("encrypted", "protected by a password"),
                            ("broken", "the file is damaged"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("preview_key", models.UUIDField(blank=True, editable=False, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
            },
        ),
    ]
