"""Writing one row: version, audit, constraint messages, and what a digest protects."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from core import scope
from core.errors import Changed
from core.models import AuditEntry
from core.services import audit, rows
from orgs.models import Community, Contact, IdentityProvider
from orgs.services import contacts
from tests.cast import Cast


def entries(obj: object) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(object_type=obj._meta.label_lower, object_id=obj.pk).order_by("id"))  # type: ignore[attr-defined]


def test_a_change_raises_the_version_and_records_old_and_new(cast: Cast) -> None:
    before = cast.house_a.row_version
    with scope.unit_of_work(
        door="back_office", user_id=cast.admin.pk, ip="203.0.113.4", request_id="abc", tenants=[cast.tenant.pk]
    ):
        changed = rows.change(cast.house_a, {"name": "Haus Ahorn"})
    assert changed == {"name": ("Haus A", "Haus Ahorn")}
    assert Community.objects.get(pk=cast.house_a.pk).row_version == before + 1
    entry = entries(cast.house_a)[-1]
    assert (entry.verb, entry.changes, entry.user_id, entry.door, entry.ip, entry.request_id, entry.tenant_id) == (
        "changed", {"name": ["Haus A", "Haus Ahorn"]}, cast.admin.pk, "back_office", "203.0.113.4", "abc", cast.tenant.pk,
    )  # fmt: skip


def test_writing_the_same_value_writes_nothing(cast: Cast) -> None:
    before, version = len(entries(cast.house_a)), cast.house_a.row_version
    assert rows.change(cast.house_a, {"name": "Haus A"}) == {}
    cast.house_a.refresh_from_db()
    assert (len(entries(cast.house_a)), cast.house_a.row_version) == (before, version)


def test_two_writers_do_not_overwrite_each_other_unseen(cast: Cast) -> None:
    mine, theirs = (Community.objects.get(pk=cast.house_a.pk) for _ in range(2))
    rows.change(theirs, {"name": "Ihres"})
    with pytest.raises(Changed):
        rows.change(mine, {"name": "Meines"})
    assert Community.objects.get(pk=cast.house_a.pk).name == "Ihres"


def test_an_expected_version_that_moved_on_is_refused(cast: Cast) -> None:
    with pytest.raises(Changed):
        rows.change(cast.house_a, {"name": "Neu"}, expected=cast.house_a.row_version + 1)


def test_a_violated_constraint_speaks_to_people(cast: Cast) -> None:
    with translation.override("en"), pytest.raises(ValidationError, match="Another community has this reference"):
        rows.change(cast.house_a, {"identifier": "B"})


def test_a_wrong_value_names_its_field(cast: Cast) -> None:
    with pytest.raises(ValidationError) as error:
        contacts.create_contact(tenant=cast.tenant, last_name="X", email="not an address")
    assert list(error.value.message_dict) == ["email"]
    assert not Contact.objects.filter(last_name="X").exists()


def test_a_name_that_nobody_sees_is_none(cast: Cast) -> None:
    with pytest.raises(ValidationError) as error:
        rows.change(cast.house_a, {"name": "\u200b\u3164"})
    assert list(error.value.message_dict) == ["name"]
    assert Community.objects.get(pk=cast.house_a.pk).name == "Haus A"


def test_a_rolled_back_write_leaves_no_entry(cast: Cast) -> None:
    before = len(entries(cast.house_a))
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        rows.change(cast.house_a, {"name": "Neu"})
        raise ZeroDivisionError
    assert len(entries(cast.house_a)) == before


def test_deleting_records_what_was_there(cast: Cast) -> None:
    contact = contacts.create_contact(tenant=cast.tenant, last_name="Weg", email="weg@quartier.test")
    pk = contact.pk
    rows.delete(contact)
    entry = AuditEntry.objects.filter(object_type="orgs.contact", object_id=pk, verb="deleted").get()
    assert entry.changes["email"] == ["weg@quartier.test", None]


def test_secrets_never_reach_the_audit(cast: Cast) -> None:
    provider = rows.create(
        IdentityProvider, key="corp", name="Corp", issuer="https://id.test", client_id="c", client_secret="very-secret"
    )
    rows.change(provider, {"client_secret": "still-secret"})
    text = str([e.changes for e in entries(provider)])
    assert "secret" in text
    assert "very-secret" not in text
    assert "still-secret" not in text
    assert cast.renter.password not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_long_texts_are_recorded_as_length_and_hash(cast: Cast) -> None:
    rows.change(cast.tenant, {"description": "a" * 500})
    new = entries(cast.tenant)[-1].changes["description"][1]
    assert new["length"] == 500
    assert len(new["sha256"]) == 64


@pytest.mark.parametrize(
    "tampering",
    [
        {"verb": "read"},
        {"user_id": 4711},
        {"ip": "198.51.100.9"},
        {"changes": {"name": ["x", "y"]}},
        {"object_id": "4711"},
    ],
)
def test_a_tampered_entry_does_not_fit_its_digest(cast: Cast, tampering: dict[str, object]) -> None:
    entry = audit.record("changed", cast.house_a, {"name": ["Haus A", "Haus B"]})
    stored = AuditEntry.objects.get(pk=entry.pk)
    for column, value in tampering.items():  # not in the database: most columns are closed to this role
        setattr(stored, column, value)
    assert audit.digest_of(stored) != bytes(stored.digest)


def test_an_untouched_entry_fits_its_digest(cast: Cast) -> None:
    stored = AuditEntry.objects.get(pk=audit.record("changed", cast.house_a, {"name": ["Ä", "ß"]}).pk)
    assert audit.digest_of(stored) == bytes(stored.digest)


def test_an_encrypted_column_holds_no_plain_text(cast: Cast) -> None:
    from django.db import connection

    rows.change(cast.tenant.settings, {"mail_password": "smtp-geheim"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT mail_password FROM orgs_organizationsettings WHERE tenant_id = %s", [cast.tenant.pk])
        stored = cursor.fetchone()[0]
    assert "smtp-geheim" not in stored
    cast.tenant.settings.refresh_from_db()
    assert cast.tenant.settings.mail_password == "smtp-geheim"


def test_the_database_refuses_a_reference_into_another_tenant(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="orgs_unit_community_tenant"), transaction.atomic():
        cast.unit_a1.community = cast.foreign_house
        cast.unit_a1.save()
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("year", [1, 1899, 10_000])
def test_a_moment_that_some_zone_cannot_show_is_refused(cast: Cast, year: int) -> None:
    moment = datetime.datetime(min(year, 9999), 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    membership = cast.membership("renter")
    with pytest.raises(ValidationError) as refused:
        rows.change(membership, {"deactivated_at": moment})
    assert set(refused.value.error_dict) == {"deactivated_at"}
    assert cast.membership("renter").deactivated_at is None
