import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
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
        ("tickets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProcessType",
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
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("is_active", models.BooleanField(default=True, verbose_name="for new cases")),
                (
                    "shared_with_residents",
                    models.BooleanField(default=False, verbose_name="contract holders see the cases of their unit"),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="deleted at")),
            ],
            options={
                "verbose_name": "kind of case",
                "verbose_name_plural": "kinds of cases",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="ProcessDefinition",
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
                    "type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="definitions",
                        to="processes.processtype",
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="published at")),
            ],
            options={
                "verbose_name": "definition",
                "verbose_name_plural": "definitions",
                "ordering": ("type", "version", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("type", "version"),
                        name="process_definition_once",
                        violation_error_message="There is a definition with this version already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessStage",
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
                    "type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stages",
                        to="processes.processtype",
                        verbose_name="kind of case",
                    ),
                ),
                ("names", models.JSONField(default=dict, verbose_name="names")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                ("deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="deleted at")),
            ],
            options={
                "verbose_name": "stage",
                "verbose_name_plural": "stages",
                "ordering": ("type", "position", "id"),
                "constraints": [models.UniqueConstraint(fields=("type", "id"), name="process_stage_of_type")],
            },
        ),
        migrations.CreateModel(
            name="Process",
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
                ("number", models.PositiveIntegerField(editable=False, verbose_name="number")),
                (
                    "type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="processes.processtype",
                        verbose_name="kind of case",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="processes.processstage",
                        verbose_name="stage",
                    ),
                ),
                (
                    "definition",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="processes.processdefinition",
                        verbose_name="definition",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "created_by_party",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.contact",
                        verbose_name="created by",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="orgs.contact",
                        verbose_name="main contact",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="orgs.unit",
                        verbose_name="unit",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=255, verbose_name="subject")),
                ("report", models.TextField(max_length=100000, verbose_name="report")),
                ("is_finished", models.BooleanField(default=False, verbose_name="finished")),
                ("finish_date", models.DateTimeField(blank=True, null=True, verbose_name="finish date")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="finished at"),
                ),
                ("external_id", models.CharField(blank=True, max_length=255, verbose_name="external id")),
                ("imported", models.BooleanField(default=False, editable=False, verbose_name="imported")),
                (
                    "ticket",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="processes",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="latest change"
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="deleted at")),
            ],
            options={
                "verbose_name": "case",
                "verbose_name_plural": "cases",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["tenant", "changed_at", "id"], name="process_changed"),
                    models.Index(fields=["unit"], name="process_unit"),
                    models.Index(fields=["contact"], name="process_contact"),
                    models.Index(fields=["tenant", "type", "stage"], name="process_board"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "number"), name="process_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(models.Q(("external_id", ""), _negated=True), ("deleted_at", None)),
                        fields=("tenant", "external_id"),
                        name="process_external_once",
                        violation_error_message="Another case has this external id.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit__isnull", False), ("imported", True), _connector="OR"),
                        name="process_unit_known",
                        violation_error_message="A case names a unit.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("contact__isnull", False), ("imported", True), _connector="OR"),
                        name="process_contact_known",
                        violation_error_message="A case names a main contact.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", False), ("is_finished", True)),
                            models.Q(("finished_at", None), ("is_finished", False)),
                            _connector="OR",
                        ),
                        name="process_finished_has_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessDocument",
            fields=[
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
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="documents", to="processes.process"
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.blob"),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="docms.document",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                (
                    "visibility",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("staff", "the company"),
                                ("contact", "the main contact"),
                                ("user", "contract holders of the unit"),
                                ("contractor", "contractors"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="shown to",
                    ),
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
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="latest change"
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "document of a case",
                "verbose_name_plural": "documents of cases",
                "ordering": ("process", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("visibility__contained_by", ["staff", "contact", "user", "contractor"])),
                        name="process_document_visibility",
                        violation_error_message="There is no such circle.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessActivity",
            fields=[
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
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "process",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activities",
                        to="processes.process",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("message", "message"), ("document", "document"), ("change", "change")],
                        max_length=10,
                        verbose_name="kind",
                    ),
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
                    ),
                ),
                ("text", models.TextField(blank=True, max_length=100000, verbose_name="text")),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="activities",
                        to="processes.processdocument",
                    ),
                ),
                ("property", models.CharField(blank=True, max_length=50, verbose_name="property")),
                ("old_value", models.TextField(blank=True, null=True, verbose_name="old value")),
                ("new_value", models.TextField(blank=True, null=True, verbose_name="new value")),
                (
                    "visibility",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("staff", "the company"),
                                ("contact", "the main contact"),
                                ("user", "contract holders of the unit"),
                                ("contractor", "contractors"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="shown to",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="latest change"
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "entry of the feed",
                "verbose_name_plural": "entries of the feed",
                "ordering": ("process", "id"),
                "indexes": [models.Index(fields=["process", "id"], name="process_activity_feed")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document__isnull", False), ("kind", "document")),
                            models.Q(models.Q(("kind", "document"), _negated=True), ("document", None)),
                            _connector="OR",
                        ),
                        name="process_activity_document",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("visibility__contained_by", ["staff", "contact", "user", "contractor"])),
                        name="process_activity_visibility",
                        violation_error_message="There is no such circle.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["message", "document", "change"])),
                        name="process_activity_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessClerk",
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
                    "process",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clerks",
                        to="processes.process",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.membership"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("editor", "editor"), ("spectator", "spectator")], max_length=10, verbose_name="role"
                    ),
                ),
            ],
            options={
                "verbose_name": "clerk",
                "verbose_name_plural": "clerks",
                "ordering": ("process", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("process", "membership"),
                        name="process_clerk_once",
                        violation_error_message="This person is linked to the case already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["editor", "spectator"])), name="process_clerk_role"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessHold",
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
                        related_name="process_holds",
                        to="orgs.hold",
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="processes.process"
                    ),
                ),
            ],
            options={
                "verbose_name": "held case",
                "verbose_name_plural": "held cases",
                "ordering": ("hold", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hold", "process"),
                        name="process_hold_once",
                        violation_error_message="The hold covers this case already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcessIndex",
            fields=[
                (
                    "process",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="processes.process",
                    ),
                ),
                ("vector", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "ordering": ("process",),
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["vector"], name="process_index_words")],
            },
        ),
        migrations.CreateModel(
            name="StageRule",
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
                    "definition",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="processes.processdefinition",
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rules", to="processes.processstage"
                    ),
                ),
                (
                    "next_stages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="allowed next stages",
                    ),
                ),
                (
                    "movers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("staff", "the company"),
                                ("contact", "the main contact"),
                                ("user", "contract holders of the unit"),
                                ("contractor", "contractors"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="who may move on",
                    ),
                ),
                ("fields", models.JSONField(blank=True, default=list, verbose_name="form")),
                ("checklist", models.JSONField(blank=True, default=list, verbose_name="checklist")),
                ("days", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="days until due")),
                (
                    "required_documents",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="required documents",
                    ),
                ),
                (
                    "visible_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("staff", "the company"),
                                ("contact", "the main contact"),
                                ("user", "contract holders of the unit"),
                                ("contractor", "contractors"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="shown to",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of a stage",
                "verbose_name_plural": "rules of stages",
                "ordering": ("definition", "stage", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("definition", "stage"),
                        name="stage_rule_once",
                        violation_error_message="The stage has a rule already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("movers__contained_by", ["staff", "contact", "user", "contractor"])),
                        name="stage_rule_movers",
                        violation_error_message="There is no such circle.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("visible_to__contained_by", ["staff", "contact", "user", "contractor"])),
                        name="stage_rule_visible_to",
                        violation_error_message="There is no such circle.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkOrder",
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
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="work_orders", to="processes.process"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_orders",
                        to="orgs.contact",
                        verbose_name="contractor",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "ordered"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("due", models.DateField(blank=True, null=True, verbose_name="due")),
                ("link_token_hash", models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
            ],
            options={
                "verbose_name": "work order",
                "verbose_name_plural": "work orders",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "accepted", "declined", "done", "cancelled"])),
                        name="work_order_state",
                    )
                ],
            },
        ),
    ]
