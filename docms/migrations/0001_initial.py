import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import core.expressions


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0002_initial"),
        ("messaging", "0001_initial"),
        ("orgs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Folder",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="docms.folder",
                        verbose_name="folder above",
                    ),
                ),
                (
                    "ancestors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, editable=False, size=None
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("sort_key", models.CharField(default="", editable=False, max_length=200)),
                ("full_path_name", models.CharField(default="", editable=False, max_length=4000, verbose_name="path")),
                ("show_check_mark", models.BooleanField(default=False, verbose_name="documents can be checked off")),
                ("inactive_at", models.DateTimeField(blank=True, null=True, verbose_name="hidden from")),
                (
                    "hidden_from",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="hidden from"),
                ),
                ("allow_delete_files", models.DateTimeField(blank=True, null=True, verbose_name="protected until")),
                ("auto_delete_files", models.BooleanField(default=False, verbose_name="empty it then")),
                (
                    "file_delete_files",
                    models.PositiveIntegerField(default=0, verbose_name="days kept after the first access"),
                ),
                ("mail_after_upload_enable", models.BooleanField(default=False, verbose_name="mail after each upload")),
                ("mail_after_upload_custom", models.BooleanField(default=False, verbose_name="only to chosen people")),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="folders",
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
                        related_name="folders",
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
                        related_name="folders",
                        to="orgs.contact",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "folder",
                "verbose_name_plural": "folders",
                "ordering": ("sort_key", "id"),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["ancestors"], name="folder_ancestors"),
                    models.Index(fields=["parent", "sort_key", "id"], name="folder_children"),
                    models.Index(fields=["tenant", "community"], name="folder_community"),
                    models.Index(
                        condition=models.Q(("auto_delete_files", True)),
                        fields=["allow_delete_files"],
                        name="folder_emptying",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("tenant"),
                        models.F("parent"),
                        django.db.models.functions.text.Lower("name"),
                        name="folder_name_once",
                        nulls_distinct=False,
                        violation_error_message="A folder of that name exists here.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name__contains", "/"), _negated=True), models.Q(("name", ""), _negated=True)
                        ),
                        name="folder_name_plain",
                        violation_error_message="A folder needs a name without a slash.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ancestors__contains", [models.F("id")]), _negated=True),
                        name="folder_not_own_ancestor",
                        violation_error_message="A folder cannot lie below itself.",
                    ),
                    models.CheckConstraint(
                        condition=core.expressions.IsNotDistinct(
                            models.F("parent_id"), core.expressions.LastOf(models.F("ancestors"))
                        ),
                        name="folder_parent_is_last_ancestor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("file_delete_files__lte", 36500)),
                        name="folder_file_delete_files",
                        violation_error_message="Documents are kept for 36500 days at most.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Group",
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
                ("sort_key", models.CharField(default="", editable=False, max_length=200)),
                ("show_check_mark", models.BooleanField(default=False, verbose_name="may check documents off")),
                (
                    "kind",
                    models.CharField(
                        choices=[("manual", "people chosen by hand"), ("derived", "whoever lives there")],
                        default="manual",
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="orgs.community",
                        verbose_name="community",
                    ),
                ),
                (
                    "building",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="orgs.building",
                        verbose_name="entrance",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
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
                        related_name="groups",
                        to="orgs.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("owner", "owners"),
                            ("renter", "renters"),
                            ("additional", "additional users"),
                            ("board", "advisory board"),
                        ],
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                (
                    "audience_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                community__isnull=False,
                                then=django.db.models.functions.text.Concat(
                                    models.Value("c:"),
                                    django.db.models.functions.comparison.Cast(
                                        models.F("community_id"), models.TextField()
                                    ),
                                    models.Case(
                                        models.When(role="", then=models.Value("")),
                                        default=django.db.models.functions.text.Concat(
                                            models.Value(":"), models.F("role"), output_field=models.TextField()
                                        ),
                                        output_field=models.TextField(),
                                    ),
                                    output_field=models.TextField(),
                                ),
                            ),
                            models.When(
                                building__isnull=False,
                                then=django.db.models.functions.text.Concat(
                                    models.Value("b:"),
                                    django.db.models.functions.comparison.Cast(
                                        models.F("building_id"), models.TextField()
                                    ),
                                    output_field=models.TextField(),
                                ),
                            ),
                            models.When(
                                then=django.db.models.functions.text.Concat(
                                    models.Value("u:"),
                                    django.db.models.functions.comparison.Cast(models.F("unit_id"), models.TextField()),
                                    models.Case(
                                        models.When(role="", then=models.Value("")),
                                        default=django.db.models.functions.text.Concat(
                                            models.Value(":"), models.F("role"), output_field=models.TextField()
                                        ),
                                        output_field=models.TextField(),
                                    ),
                                    output_field=models.TextField(),
                                ),
                                unit__isnull=False,
                            ),
                            models.When(
                                contact__isnull=False,
                                then=django.db.models.functions.text.Concat(
                                    models.Value("p:"),
                                    django.db.models.functions.comparison.Cast(
                                        models.F("contact_id"), models.TextField()
                                    ),
                                    output_field=models.TextField(),
                                ),
                            ),
                            output_field=models.TextField(),
                        ),
                        output_field=models.TextField(null=True),
                    ),
                ),
            ],
            options={
                "verbose_name": "group",
                "verbose_name_plural": "groups",
                "ordering": ("sort_key", "id"),
                "indexes": [models.Index(fields=["tenant", "sort_key", "id"], name="group_sorted")],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("tenant"),
                        django.db.models.functions.text.Lower("name"),
                        name="group_name_once",
                        violation_error_message="Another group has this name.",
                    ),
                    models.UniqueConstraint(fields=("tenant", "audience_key"), name="group_audience_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("building", None),
                                ("community", None),
                                ("contact", None),
                                ("kind", "manual"),
                                ("role", ""),
                                ("unit", None),
                            ),
                            models.Q(
                                ("building", None),
                                ("community__isnull", False),
                                ("contact", None),
                                ("kind", "derived"),
                                ("unit", None),
                            ),
                            models.Q(
                                ("building__isnull", False),
                                ("community", None),
                                ("contact", None),
                                ("kind", "derived"),
                                ("role", ""),
                                ("unit", None),
                            ),
                            models.Q(
                                ("building", None),
                                ("community", None),
                                ("contact", None),
                                ("kind", "derived"),
                                ("unit__isnull", False),
                                models.Q(("role", "board"), _negated=True),
                            ),
                            models.Q(
                                ("building", None),
                                ("community", None),
                                ("contact__isnull", False),
                                ("kind", "derived"),
                                ("role", ""),
                                ("unit", None),
                            ),
                            _connector="OR",
                        ),
                        name="group_shape",
                        violation_error_message="A derived group stands for one community, entrance, unit or person; a role goes with a community or a unit.",
                    ),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["manual", "derived"])), name="group_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["", "owner", "renter", "additional", "board"])),
                        name="group_role",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FolderLabel",
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
                    "folder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="docms.folder",
                        verbose_name="folder",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "color",
                    models.CharField(
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$", "A colour is written as #RRGGBB."
                            )
                        ],
                        verbose_name="colour",
                    ),
                ),
            ],
            options={
                "verbose_name": "label",
                "verbose_name_plural": "labels",
                "ordering": ("folder", "name", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("folder"),
                        django.db.models.functions.text.Lower("name"),
                        name="folder_label_once",
                        violation_error_message="The folder has a label of that name already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("color__regex", "^#[0-9A-Fa-f]{6}$")),
                        name="folder_label_color",
                        violation_error_message="A colour is written as #RRGGBB.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailRule",
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
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.membership",
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mail_rules", to="docms.folder"
                    ),
                ),
                ("custom", models.BooleanField(default=False, verbose_name="in force")),
            ],
            options={
                "verbose_name": "rule for uploads",
                "verbose_name_plural": "rules for uploads",
                "ordering": ("folder", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "folder"),
                        name="mail_rule_once",
                        violation_error_message="There is a rule for this person and folder already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentLog",
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
                ("document_id", models.BigIntegerField(verbose_name="number of the document")),
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
                    "action",
                    models.CharField(
                        choices=[
                            ("create", "uploaded"),
                            ("read", "read"),
                            ("download", "downloaded"),
                            ("edit", "changed"),
                            ("check", "checked off"),
                            ("uncheck", "check mark removed"),
                            ("label", "labelled"),
                            ("notify", "notification sent"),
                            ("share", "shared"),
                            ("share_access", "fetched by a recipient"),
                            ("delete", "deleted"),
                        ],
                        max_length=12,
                        verbose_name="action",
                    ),
                ),
                ("label", models.CharField(blank=True, max_length=100, verbose_name="label")),
                ("share_id", models.BigIntegerField(blank=True, null=True, verbose_name="share")),
            ],
            options={
                "verbose_name": "action on a document",
                "verbose_name_plural": "actions on documents",
                "ordering": ("id",),
                "indexes": [
                    models.Index(fields=["document_id", "id"], name="document_log_document"),
                    models.Index(fields=["tenant", "user", "id"], name="document_log_user"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "action__in",
                                [
                                    "create",
                                    "read",
                                    "download",
                                    "edit",
                                    "check",
                                    "uncheck",
                                    "label",
                                    "notify",
                                    "share",
                                    "share_access",
                                    "delete",
                                ],
                            )
                        ),
                        name="document_log_action",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FolderAccess",
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
                    "folder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access",
                        to="docms.folder",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="access", to="docms.group"
                    ),
                ),
            ],
            options={
                "verbose_name": "access to a folder",
                "verbose_name_plural": "access to folders",
                "ordering": ("folder", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("folder", "group"),
                        name="folder_access_once",
                        violation_error_message="The group reaches this folder already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FolderMailUser",
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
                    "folder",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="docms.folder"
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.membership"
                    ),
                ),
            ],
            options={
                "ordering": ("folder", "id"),
                "constraints": [models.UniqueConstraint(fields=("folder", "membership"), name="folder_mail_user_once")],
            },
        ),
        migrations.CreateModel(
            name="FolderMark",
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
                        related_name="+",
                        to="orgs.membership",
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="marks", to="docms.folder"
                    ),
                ),
                ("is_favourite", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [models.UniqueConstraint(fields=("membership", "folder"), name="folder_mark_once")],
            },
        ),
        migrations.CreateModel(
            name="FolderPermission",
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
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.membership",
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="permissions", to="docms.folder"
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                ("read", models.BooleanField(default=False, verbose_name="read")),
                ("download", models.BooleanField(default=False, verbose_name="download")),
                ("upload", models.BooleanField(default=False, verbose_name="upload")),
                ("edit", models.BooleanField(default=False, verbose_name="change documents")),
                ("edit_own", models.BooleanField(default=False, verbose_name="change own documents")),
                ("mail", models.BooleanField(default=False, verbose_name="send notifications")),
                ("log", models.BooleanField(default=False, verbose_name="see logs")),
            ],
            options={
                "verbose_name": "permission in a folder",
                "verbose_name_plural": "permissions in folders",
                "ordering": ("folder", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "folder"),
                        name="folder_permission_once",
                        violation_error_message="There are permissions for this person and folder already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FolderTemplate",
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
                    "folder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="templates",
                        to="docms.folder",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("notification", "notification"),
                            ("share_mail", "mail about a shared document"),
                            ("share_sms", "text message about a shared document"),
                        ],
                        max_length=12,
                        verbose_name="kind",
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
                "verbose_name": "template of a folder",
                "verbose_name_plural": "templates of folders",
                "ordering": ("folder", "kind", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("folder", "kind"),
                        name="folder_template_once",
                        violation_error_message="The folder has a text of this kind already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rest_bcc", False), models.Q(("to_email", ""), _negated=True), _connector="OR"
                        ),
                        name="folder_template_bcc_needs_to",
                        violation_error_message="With everybody in BCC, a visible recipient is needed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["notification", "share_mail", "share_sms"])),
                        name="folder_template_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMember",
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
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="docms.group"
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.membership",
                    ),
                ),
                ("is_admin", models.BooleanField(default=False, verbose_name="administers the group")),
            ],
            options={
                "verbose_name": "member of a group",
                "verbose_name_plural": "members of groups",
                "ordering": ("group", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "group"),
                        name="group_member_once",
                        violation_error_message="This person is in the group already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LabelSuggestion",
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "color",
                    models.CharField(
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}$", "A colour is written as #RRGGBB."
                            )
                        ],
                        verbose_name="colour",
                    ),
                ),
            ],
            options={
                "verbose_name": "suggested label",
                "verbose_name_plural": "suggested labels",
                "ordering": ("name", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("tenant"),
                        django.db.models.functions.text.Lower("name"),
                        name="label_suggestion_once",
                        violation_error_message="There is a label of that name already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("color__regex", "^#[0-9A-Fa-f]{6}$")),
                        name="label_suggestion_color",
                        violation_error_message="A colour is written as #RRGGBB.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailRuleRecipient",
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
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="docms.mailrule",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.membership"
                    ),
                ),
            ],
            options={
                "ordering": ("rule", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("rule", "membership"), name="mail_rule_recipient_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Document",
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
                    "folder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="docms.folder",
                        verbose_name="folder",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=250, verbose_name="title")),
                ("sort_key", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("description", models.TextField(blank=True, max_length=4000, verbose_name="description")),
                ("version_label", models.CharField(blank=True, max_length=50, verbose_name="version")),
                ("filename", models.CharField(max_length=255, verbose_name="file name")),
                (
                    "label",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="documents",
                        to="docms.folderlabel",
                        verbose_name="label",
                    ),
                ),
                ("size_bytes", models.BigIntegerField(default=0, editable=False, verbose_name="size in bytes")),
                ("mime", models.CharField(blank=True, editable=False, max_length=127, verbose_name="file type")),
                ("is_big", models.BooleanField(default=False, editable=False, verbose_name="big file")),
                ("allow_download", models.BooleanField(default=True, verbose_name="may be downloaded")),
                ("active_from", models.DateTimeField(blank=True, null=True, verbose_name="visible from")),
                ("active_until", models.DateTimeField(blank=True, null=True, verbose_name="visible until")),
                ("identifier", models.CharField(blank=True, max_length=250, verbose_name="reference")),
                ("internal_note", models.TextField(blank=True, max_length=4000, verbose_name="internal note")),
                (
                    "delete_after_next_download",
                    models.BooleanField(default=False, verbose_name="delete after the next download"),
                ),
                (
                    "claimed_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="claimed for deletion at"),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="claimed by",
                    ),
                ),
                ("first_access", models.DateTimeField(blank=True, null=True, verbose_name="first access")),
                ("access_counter", models.PositiveIntegerField(default=0, verbose_name="accesses")),
                ("done", models.BooleanField(default=False, verbose_name="checked off")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="checked off at")),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="checked off by",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "notified_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="announced at"),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="latest change"
                    ),
                ),
            ],
            options={
                "verbose_name": "document",
                "verbose_name_plural": "documents",
                "ordering": ("sort_key", "id"),
            },
        ),
        migrations.CreateModel(
            name="DocumentHold",
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
                        related_name="document_holds",
                        to="orgs.hold",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="docms.document"
                    ),
                ),
            ],
            options={
                "verbose_name": "held document",
                "verbose_name_plural": "held documents",
                "ordering": ("hold", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hold", "document"),
                        name="document_hold_once",
                        violation_error_message="The hold covers this document already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentIndex",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="index",
                        serialize=False,
                        to="docms.document",
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="docms.folder"),
                ),
                ("title", models.CharField(blank=True, max_length=700)),
                ("text", models.TextField(blank=True)),
                ("pending", models.BooleanField(default=False)),
                ("vector", django.contrib.postgres.search.SearchVectorField()),
                ("names", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "ordering": ("document",),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["folder", "vector"], name="document_index_words"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["title"], name="document_index_titles", opclasses=("gin_trgm_ops",)
                    ),
                    models.Index(
                        condition=models.Q(("pending", True)), fields=["document"], name="document_index_pending"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentShare",
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
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="docms.document"
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="recipient")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail address")),
                ("mobile_number", models.CharField(max_length=40, verbose_name="mobile number")),
                (
                    "locale",
                    models.CharField(
                        choices=[("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")],
                        default="de",
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("code_hash", models.BinaryField(max_length=32)),
                ("failures", models.PositiveSmallIntegerField(default=0, verbose_name="wrong codes")),
                ("access_count", models.PositiveIntegerField(default=0, verbose_name="retrievals")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("undelivered_at", models.DateTimeField(blank=True, null=True, verbose_name="code did not arrive")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "share",
                "verbose_name_plural": "shares",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None), ("revoked_at", None)),
                        fields=["expires_at"],
                        name="document_share_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("locale__in", ["de", "en", "fr", "pl"])), name="document_share_locale"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentVersion",
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
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="docms.document",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("label", models.CharField(blank=True, max_length=50, verbose_name="version")),
                ("filename", models.CharField(max_length=255, verbose_name="file name")),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.blob"),
                ),
                ("size_bytes", models.BigIntegerField()),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "version",
                "verbose_name_plural": "versions",
                "ordering": ("document", "number", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("document", "number"), name="document_version_once"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1), ("size_bytes__gte", 0)), name="document_version_numbers"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReadMark",
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
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_marks",
                        to="docms.document",
                        verbose_name="document",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgs.membership",
                        verbose_name="person",
                    ),
                ),
                ("version_no", models.PositiveIntegerField(verbose_name="version")),
                ("first_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="opened at")),
                ("downloaded_at", models.DateTimeField(blank=True, null=True, verbose_name="downloaded at")),
            ],
            options={
                "verbose_name": "reader",
                "verbose_name_plural": "readers",
                "ordering": ("document", "id"),
                "constraints": [models.UniqueConstraint(fields=("document", "membership"), name="read_mark_once")],
            },
        ),
        migrations.AddField(
            model_name="Folder",
            name="mail_after_upload_users",
            field=models.ManyToManyField(
                blank=True,
                related_name="+",
                through="docms.FolderMailUser",
                to="orgs.membership",
                verbose_name="chosen people",
            ),
        ),
        migrations.AddField(
            model_name="MailRule",
            name="recipients",
            field=models.ManyToManyField(
                blank=True,
                related_name="+",
                through="docms.MailRuleRecipient",
                to="orgs.membership",
                verbose_name="recipients",
            ),
        ),
        migrations.AddField(
            model_name="Document",
            name="current",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="docms.documentversion",
                verbose_name="current version",
            ),
        ),
        migrations.AddConstraint(
            model_name="Document",
            constraint=models.CheckConstraint(
                condition=models.Q(("active_from__lt", models.F("active_until"))),
                name="document_period",
                violation_error_message="A document cannot end before it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="Document",
            constraint=models.CheckConstraint(condition=models.Q(("size_bytes__gte", 0)), name="document_size"),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("claimed_at", None)), fields=["folder", "sort_key", "id"], name="document_titles"
            ),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("claimed_at", None)),
                fields=["folder", "-created_at", "-id"],
                include=("active_from", "active_until", "uploaded_by"),
                name="document_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("identifier", ""), _negated=True),
                fields=["tenant", "identifier"],
                name="document_identifier",
            ),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("notified_at", None)), fields=["active_from"], name="document_unannounced"
            ),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("first_access__isnull", False)),
                fields=["first_access"],
                name="document_first_access",
            ),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(condition=models.Q(("is_big", True)), fields=["created_at"], name="document_big"),
        ),
        migrations.AddIndex(
            model_name="Document",
            index=models.Index(
                condition=models.Q(("claimed_at__isnull", False)), fields=["id"], name="document_claimed"
            ),
        ),
    ]
