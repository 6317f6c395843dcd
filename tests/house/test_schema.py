"""What the database has to hold, read back from its catalogue and compared with the models.

Two-column keys and triggers are written in SQL, so Django would not notice a table that forgot one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.constraints import BaseConstraint

from core.services.sweeps import referencing_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOORS = ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal")

# Constraints that only a mistake in a service meets: no form and no door leads there.
SILENT = {
    "application_user_once",
    "availability_sample_once",
    "blob_once_per_tenant",
    "blob_size",
    "community_assignment_once",
    "contact_number_once",
    "contact_one_primary",
    "contact_one_self",
    "document_size",
    "document_version_numbers",
    "document_version_once",
    "engagement_open_once",
    "folder_mail_user_once",
    "folder_mark_once",
    "folder_parent_is_last_ancestor",
    "group_audience_once",
    "idempotency_record_once",
    "identity_provider_subject",
    "identity_user_provider",
    "inbound_mail_once",
    "installation_settings_one_row",
    "license_once_per_organization",
    "mail_rule_recipient_once",
    "notification_once",
    "number_counter_once",
    "oauth_client_code_flow_only",
    "org_parent_is_last_ancestor",
    "org_tenant_is_itself",
    "process_activity_document",
    "process_finished_has_date",
    "process_number_once",
    "process_stage_of_type",
    "quick_action_position",
    "read_mark_once",
    "recovery_code_once",
    "second_factor_once",
    "throttle_once",
    "ticket_closed_has_date",
    "ticket_draft_once",
    "ticket_identifier_once",
    "ticket_number_once",
    "ticket_priority",
    "ticket_type_community_once",
    "ticket_type_priority",
    "token_app_key_has_application",
    "token_app_key_once",
    "token_expires",
    "token_shape",
    "upload_received",
    "user_erased_is_empty",
}

# Tables with a tenant that are never listed: bytes are read through what shows them, counters by services.
WITHOUT_READ_RULE = {"core.Blob", "core.NumberCounter", "tickets.IdempotencyRecord"}

# Everything that shows stored bytes. Bytes without any of these are destroyed, so a new one is added knowingly.
SHOWS_BYTES = {
    "core.Upload.blob",
    "docms.DocumentVersion.blob",
    "orgs.Community.image",
    "orgs.Contact.picture",
    "orgs.ImportRun.file",
    "orgs.Membership.login_logo",
    "orgs.Organization.avatar",
    "orgs.OrganizationSettings.image",
    "orgs.OrganizationSettings.logo",
    "orgs.User.avatar",
    "portal.FaqAttachment.blob",
    "portal.PostAttachment.blob",
    "processes.ProcessDocument.blob",
    "tickets.TicketAttachment.blob",
}


def _models() -> list[type[models.Model]]:
    return [model for floor in FLOORS for model in apps.get_app_config(floor).get_models()]


def _with_tenant() -> list[type[models.Model]]:
    return [m for m in _models() if any(f.name == "tenant" for f in m._meta.concrete_fields)]


def _constraints() -> Iterator[tuple[str, BaseConstraint]]:
    for model in _models():
        for constraint in model._meta.constraints:
            yield model._meta.label, constraint


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


_KEYS = """
SELECT con.conrelid::regclass::text, con.confrelid::regclass::text,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(con.conkey) WITH ORDINALITY AS k(num, n)
          JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.num),
       con.condeferrable AND con.condeferred
  FROM pg_constraint con WHERE con.contype = 'f' AND con.connamespace = 'public'::regnamespace
"""
_TENANT_TABLES = """
SELECT a.attrelid::regclass::text, a.attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""


@pytest.mark.django_db
def test_a_reference_between_tenants_is_refused_by_a_two_column_key() -> None:
    """For each ``x_id`` from one table with a tenant to another there is ``(tenant_id, x_id)``, deferred."""
    tenant_tables = {table for table, _ in _rows(_TENANT_TABLES)}
    keys = _rows(_KEYS)
    pairs = {
        (table, target, columns[1])
        for table, target, columns, deferred in keys
        if len(columns) == 2 and columns[0] == "tenant_id" and deferred
    }
    missing = [
        (table, target, columns[0])
        for table, target, columns, _ in keys
        if len(columns) == 1
        and columns[0] != "tenant_id"
        and {table, target} <= tenant_tables
        and table != "orgs_organization"  # the tree crosses tenants: a tenant may lie below an organization
        and (table, target, columns[0]) not in pairs
    ]
    assert missing == []


@pytest.mark.django_db
def test_the_tenant_of_a_row_is_a_tenant() -> None:
    """``(tenant_id, tenant_id)`` exists only for an organization that was admitted."""
    own = {
        table
        for table, target, columns, _ in _rows(_KEYS)
        if columns == ["tenant_id", "tenant_id"] and target == "orgs_organization"
    }
    bound = {table for table, not_null in _rows(_TENANT_TABLES) if not_null}
    assert bound - own == set()


@pytest.mark.django_db
def test_every_row_with_a_tenant_can_be_referred_to_within_it() -> None:
    """Unique in ``(tenant_id, primary key)``."""
    unique = _rows(
        "SELECT con.conrelid::regclass::text FROM pg_constraint con JOIN pg_index i ON i.indrelid = con.conrelid"
        " AND i.indisprimary JOIN pg_attribute t ON t.attrelid = con.conrelid AND t.attname = 'tenant_id'"
        " WHERE con.contype = 'u' AND con.conkey = ARRAY[t.attnum, i.indkey[0]]"
    )
    assert {table for table, _ in _rows(_TENANT_TABLES)} - {table for (table,) in unique} == set()


@pytest.mark.django_db
def test_every_vocabulary_is_held_by_a_check() -> None:
    """The words of a column's choices and those of its check are the same, and the check is in the database."""
    stored = {name for (name,) in _rows("SELECT conname FROM pg_constraint WHERE contype = 'c'")}
    wrong = []
    for model in _models():
        checks = [c for c in model._meta.constraints if isinstance(c, models.CheckConstraint) and c.name in stored]
        for field in model._meta.concrete_fields:
            choices = field.base_field.flatchoices if isinstance(field, ArrayField) else field.flatchoices
            if not choices or not isinstance(choices[0][0], str):
                continue
            words = {str(value) for value, _label in choices}
            if field.blank and not isinstance(field, ArrayField):
                words.add("")
            lookup = f"{field.name}__contained_by" if isinstance(field, ArrayField) else f"{field.name}__in"
            held = [set(words_held) for c in checks for name, words_held in _lookups(c) if name == lookup]
            if words not in held:
                wrong.append(f"{model._meta.label}.{field.name}")
    assert wrong == []


def _lookups(constraint: BaseConstraint) -> list[tuple[str, Any]]:
    """The one lookup of a check as `core.models.one_of` writes it; nothing for any other constraint."""
    condition = getattr(constraint, "condition", None)
    if not isinstance(constraint, models.CheckConstraint) or not isinstance(condition, models.Q):
        return []
    children = [child for child in condition.children if isinstance(child, tuple)]
    return children if len(children) == len(condition.children) == 1 and not condition.negated else []


def test_every_constraint_speaks_to_people_or_is_known_to_be_silent() -> None:
    """Named, and with a sentence of its own wherever a form or a door can lead to it."""
    mute = set()
    for _label, constraint in _constraints():
        assert constraint.name
        vocabulary = any(lookup.endswith("__in") for lookup, _words in _lookups(constraint))
        if constraint.violation_error_message == BaseConstraint.default_violation_error_message and not vocabulary:
            mute.add(constraint.name)
    assert mute - SILENT == set()
    assert {name for name in SILENT if name not in mute} == set()


def test_names_of_constraints_and_indexes_are_unique() -> None:
    """PostgreSQL keeps index names per schema; the errors' catalogue reads constraint names."""
    names = [c.name for _label, c in _constraints()] + [i.name for m in _models() for i in m._meta.indexes]
    assert sorted(names) == sorted(set(names))


def test_no_automatic_table_joins_rows_of_a_tenant() -> None:
    """A many-to-many from a table with a tenant is a model with a tenant."""
    bound = _with_tenant()
    automatic = [
        f"{model._meta.label}.{field.name}"
        for model in bound
        for field in model._meta.local_many_to_many
        if field.remote_field.through not in bound
    ]
    assert automatic == []


def test_what_shows_stored_bytes_is_known() -> None:
    """The sweep destroys bytes nobody refers to: it has to ask every one of these."""
    assert {f"{field.model._meta.label}.{field.name}" for field in referencing_fields()} == SHOWS_BYTES


def test_every_list_has_a_total_order() -> None:
    """Equal values never trade places between two pages: an ordering ends in something unique."""
    loose = []
    for model in _models():
        last = str((model._meta.ordering or ("",))[-1]).lstrip("-")
        if last != "id" and last not in {f.name for f in model._meta.concrete_fields if f.unique}:
            loose.append(model._meta.label)
    assert loose == []


def test_every_table_with_a_tenant_has_a_read_rule() -> None:
    """One right, one place: `visible_to`."""
    without = {m._meta.label for m in _with_tenant() if not hasattr(m._default_manager.all(), "visible_to")}
    assert without - WITHOUT_READ_RULE == set()
