"""Erasure of audit entries: the content goes, the chain stays whole, and nobody imitates it."""

from __future__ import annotations

import json

import pytest

from core import scope
from core.models import AuditEntry
from core.services import audit, sealing, verification
from tests.cast import Cast
from tests.core.chain import erase, findings, sealed, tamper, write

# The thief owns the database, so what is tampered with has to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_an_erasure_leaves_the_chain_whole() -> None:
    sealed(5)
    assert erase(2, 4) == 2
    report = verification.verify()
    assert (report.findings, report.erased, report.entries) == ([], 2, 5)
    sealing.seal()
    report = verification.verify()
    assert (report.findings, report.erased, report.entries) == ([], 2, 6)


def test_an_erasure_empties_changes_and_salt_and_nothing_else() -> None:
    before = sealed(2)[0]
    erase(1)
    after = AuditEntry.objects.get(pk=before.pk)
    assert (after.changes, bytes(after.salt)) == (None, b"")
    kept = [f.attname for f in AuditEntry._meta.concrete_fields if f.name not in ("changes", "salt")]
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]


def test_an_erasure_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ERASING", 2)
    one, _two, three = sealed(3)
    erase(1, 2, 3)
    records = AuditEntry.objects.filter(verb="erased", object_type="core.auditentry").order_by("pk")
    assert [(r.object_id, r.user_id, r.changes["entries"]) for r in records] == [
        (f"{one.pk}…{three.pk - 1}", 9, [2, 0]), (str(three.pk), 9, [1, 0]),
    ]  # fmt: skip
    assert "Haus A" not in str([r.changes for r in records])


def test_an_erasure_is_recorded_in_the_tenants_it_concerns(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        for tenant in (cast.tenant, cast.other_tenant, cast.tenant):
            audit.entry_for("read", object_type="x", object_id="1", tenant_id=tenant.pk).save()
        assert sealing.erase(AuditEntry.objects.filter(object_type="x")) == 3
    records = AuditEntry.objects.filter(verb="erased").values_list("tenant_id", "changes__entries")
    assert sorted(records) == sorted([(cast.tenant.pk, [2, 0]), (cast.other_tenant.pk, [1, 0])])


def test_what_is_not_sealed_yet_can_be_erased() -> None:
    write(2)
    erase(1)
    assert findings() == []
    sealing.seal()
    assert findings() == []


def test_an_erasure_that_is_undone_leaves_all_as_it_was() -> None:
    sealed(1)
    with pytest.raises(ZeroDivisionError), scope.unit_of_work(door="test"):
        sealing.erase(AuditEntry.objects.all())
        raise ZeroDivisionError
    assert AuditEntry.objects.get().changes == {"name": ["Haus A", "Größe 1"]}


def test_nothing_is_erased_twice_and_no_record_of_an_erasure_is() -> None:
    sealed(2)
    erase(1)
    with scope.unit_of_work(door="test"):
        assert sealing.erase(AuditEntry.objects.all()) == 1
        assert sealing.erase(AuditEntry.objects.all()) == 0
    report = verification.verify()
    assert (report.findings, report.erased) == ([], 2)


def test_an_entry_emptied_by_hand_is_noticed() -> None:
    """Or else a thief would empty an entry to change the rest of it."""
    sealed(3)
    tamper("UPDATE core_auditentry SET changes = NULL, salt = '', user_id = 4711 WHERE seq = 2")
    assert findings() == [("erasure", 2)]


def test_what_an_erasure_left_cannot_be_changed() -> None:
    sealed(3)
    erase(2)
    tamper("UPDATE core_auditentry SET user_id = 4711 WHERE seq = 2")
    assert findings() == [("erasure", 2)]


def test_a_record_of_an_erasure_cannot_be_forged() -> None:
    sealed(3)
    erase(2)
    tamper("UPDATE core_auditentry SET changes = NULL, salt = '' WHERE seq = 3")
    *row, digest = AuditEntry.objects.filter(seq=3).values_list(*audit.DIGESTED, "digest").get()
    left = audit.digest_of_row(bytes(digest), row).hex()  # the thief has no key; if he had this one …
    tamper("UPDATE core_auditentry SET changes = jsonb_set(changes, '{left,digests,0}', %s) WHERE verb = 'erased'",
           json.dumps(left))  # fmt: skip
    assert findings() == [("digest", None), ("erasure", 2), ("erasure", 3)]
