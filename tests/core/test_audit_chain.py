"""The audit's chain: digests, sealing, and what a thief of the database cannot hide."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone

from core import scope, tasks
from core.models import AuditEntry, JobRun
from core.services import audit, sealing, verification
from tests.cast import load
from tests.core.chain import (
    MONDAY,
    Beside,
    chain_anew,
    checkpoint,
    findings,
    sealed,
    seqs,
    swap,
    tamper,
    write,
)
from tests.servers import owner

# The thief owns the database, so what is tampered with has to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


# --- Digests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        (
            (7, datetime.datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=datetime.UTC), 41, None, "back_office",
             "203.0.113.4", "abc", "changed", "orgs.community", "12",
             {"name": ["Haus A", 'Größe "ß" 😀'], "b": [None, 1.5], "a": {"z": 1, "y": [True, None]}}, bytes(range(16))),
            "8c235b8d55bbff71fe9af90946562c7f63a7f83b8fd3b78b0862cbc1f092d2df",
        ),
        (
            (None, datetime.datetime(2026, 3, 1, 14, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), None, 3, "",
             None, "", "deleted", "core.blob", "x", None, b"\xff" * 16),
            "b97c39aada3b77c0f64e1ad3bd31fef0459bb2d2971127b1bb6895265a124200",
        ),
        (
            (1, datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC), 1, None, "web", "2001:db8::1", "r", "read", "t", "1",
             {}, b"\x01" * 16),
            "e07dfa6e97b64c5d36dba68e6c25746235178e35d8f4ea57f2f354edd9ed18fa",
        ),
    ],
)  # fmt: skip
def test_digests_are_what_they_were(values: tuple[Any, ...], digest: str) -> None:
    """Entries of years ago must still fit."""
    *row, salt = values
    assert audit.digest_of_row(salt, row).hex() == digest
    assert audit.digest_of(AuditEntry(**dict(zip(audit.DIGESTED, row, strict=True)), salt=salt)).hex() == digest


@pytest.mark.parametrize(
    "value",
    [1.0, 1e-07, 0.1, 1e16, -1e22, -0.0, 2**70, -3, True, "\x1f\x7f\u2028 \"\\/ ß 😀", {"b": 1, "a": [{}, [], None]}],
)  # fmt: skip
def test_a_value_fits_its_digest_after_the_database_had_it(value: Any) -> None:
    write(1, changes={"x": [None, value]})
    assert findings() == []


@pytest.mark.parametrize("ip", ["::ffff:203.0.113.4", "::ffff:cb00:7104", "2001:DB8:0:0::1", "::1"])
def test_an_address_fits_its_digest_however_it_is_spelled(ip: str) -> None:
    with scope.unit_of_work(door="web", ip=ip):
        audit.entry_for("changed", object_type="core.blob", object_id=1, tenant_id=None).save()
    assert findings() == []


# --- Sealing ------------------------------------------------------------------------------------------------


def test_sealing_gives_numbers_without_gaps_in_the_order_of_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    entries = write(8)
    assert sealing.seal() == {"entries": 8}
    assert seqs(entries) == list(range(1, 9))
    assert sealing.seal() == {"entries": 0}


def test_each_entry_is_chained_to_the_one_before() -> None:
    one, two = sealed(2)
    assert bytes(one.chain) == sealing.link(bytes(32), 1, bytes(one.digest))
    assert bytes(two.chain) == sealing.link(bytes(one.chain), 2, bytes(two.digest))


def test_a_later_run_continues_the_chain() -> None:
    sealed(3)
    assert seqs(sealed(2)) == [4, 5]
    assert findings() == []


def test_the_entries_of_all_tenants_are_one_chain() -> None:
    cast = load()
    write(1)
    sealing.seal()
    with owner() as everything:
        tenants = everything.execute("SELECT DISTINCT tenant_id FROM core_auditentry WHERE seq IS NOT NULL").fetchall()
        left = everything.execute("SELECT count(*) FROM core_auditentry WHERE seq IS NULL").fetchall()
    assert {(cast.tenant.pk,), (cast.other_tenant.pk,), (None,)} <= set(tenants)
    assert left == [(0,)]
    assert findings() == []


def test_a_second_sealer_leaves_at_once() -> None:
    write(2)
    first = Beside(lambda: sealing._seal_after(0))
    try:
        assert sealing.seal() == {"entries": 0}
    finally:
        first.end()
    assert sealing.seal() == {"entries": 0}  # the first one has done it
    assert findings() == []


def test_two_sealers_at_once_number_each_entry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 2)
    entries = write(60)

    def work() -> None:
        sealing.seal()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.seal()
    assert seqs(entries) == list(range(1, 61))
    assert findings() == []


def test_a_writer_does_not_wait_for_the_sealer() -> None:
    write(2)
    sealer = Beside(lambda: sealing._seal_after(0))
    try:
        with scope.unit_of_work(door="test"):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
            audit.entry_for("changed", object_type="core.blob", object_id=1, tenant_id=None).save()
    finally:
        sealer.end()
    assert AuditEntry.objects.filter(seq=None).count() == 1


def test_a_late_commit_with_a_lower_id_is_sealed_later() -> None:
    slow = Beside(lambda: write(1)[0])
    quick = write(1)[0]
    try:
        assert sealing.seal() == {"entries": 1}
    finally:
        slow.end()
    assert slow.result is not None
    assert slow.result.pk < quick.pk
    sealing.seal()
    assert seqs([quick, slow.result]) == [1, 2]
    assert findings() == []


def test_the_sealer_does_not_wait_for_an_erasure() -> None:
    one, two = write(2)
    erasing = Beside(lambda: sealing.erase(AuditEntry.objects.filter(pk=one.pk)))
    try:
        assert sealing.seal() == {"entries": 1}
    finally:
        erasing.end()
    sealing.seal()
    assert seqs([two, one]) == [1, 2]
    assert findings() == []


def test_a_sealer_killed_before_its_commit_leaves_nothing_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    entries = write(8)
    whole = sealing._seal_after

    def killed(last: int) -> list[int]:
        ids = whole(last)
        if last > 0:  # in the second batch, when everything of it is written
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return ids

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(sealing, "_seal_after", killed)
        sealing.seal()
    connection.close()
    assert seqs(entries) == [1, 2, 3, *[None] * 5]
    assert sealing.seal() == {"entries": 5}
    assert seqs(entries) == list(range(1, 9))
    assert findings() == []


def test_the_sealer_runs_as_a_job_that_is_scheduled() -> None:
    write(1)
    tasks.seal_audit()
    tasks.checkpoint_audit()
    assert JobRun.objects.get(name="core.seal_audit").counts == {"entries": 1}
    assert JobRun.objects.get(name="core.checkpoint_audit").counts == {"checkpoints": 1}
    assert {"core.seal_audit", "core.checkpoint_audit"} <= {
        job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values()
    }


# --- Verification -------------------------------------------------------------------------------------------


def test_an_untouched_audit_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "PAGE", 4)
    sealed(10)
    checkpoint(monkeypatch)
    write(2)
    told: list[int] = []
    report = verification.verify(progress=told.append)
    assert report.findings == []
    assert report.complete is True
    assert (report.entries, report.first, report.last, report.waiting, report.checkpoints) == (10, 1, 10, 2, 1)
    assert told == [4, 8, 10]


@pytest.mark.parametrize("ip", [None, "203.0.113.4", "2001:db8::1"])
def test_entries_written_by_one_statement_are_whole_and_in_order(ip: str | None) -> None:
    changes = {"name": ['Größe "ß" \\ 😀', None], "size": [1.5, None], "long": ["x" * 400, None]}
    with scope.unit_of_work(door="worker", user_id=3, acting_for=4, ip=ip, request_id="r-1"):
        audit.record_many("deleted", AuditEntry, ((number, None, changes) for number in range(3)))
        audit.record_many("deleted", AuditEntry, ())
    sealing.seal()
    assert verification.verify().findings == []
    entries = list(AuditEntry.objects.order_by("id"))
    assert [e.object_id for e in entries] == ["0", "1", "2"]
    first = entries[0]
    assert (first.verb, first.object_type, first.door) == ("deleted", "core.auditentry", "worker")
    assert (first.user_id, first.acting_for, first.ip, first.request_id) == (3, 4, ip, "r-1")
    assert first.changes["long"][0]["length"] == 400


def test_an_empty_audit_is_whole() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01T00:00:00Z"), ("user_id", 4711), ("user_id", None), ("acting_for", None), ("door", "web"),
        ("ip", "198.51.100.9"), ("ip", "2001:db8::/32"), ("ip", None), ("request_id", "other"), ("verb", "read"),
        ("object_type", "orgs.unit"), ("object_id", "4711"), ("changes", '{"name": ["Haus A", "Haus Z"]}'),
        ("changes", "{}"), ("changes", None), ("salt", b"x" * 16), ("salt", b""),
    ],
)  # fmt: skip
def test_a_changed_column_does_not_fit_the_digest(column: str, value: Any) -> None:
    sealed(3)
    tamper(f"UPDATE core_auditentry SET {column} = %s WHERE seq = 2", value)
    assert findings() == [("digest", 2)]


def test_a_changed_tenant_does_not_fit_the_digest() -> None:
    cast = load()
    sealing.seal()
    place = AuditEntry.objects.filter(tenant=cast.tenant).order_by("seq").values_list("seq", flat=True)[0]
    tamper("UPDATE core_auditentry SET tenant_id = %s WHERE seq = %s", cast.other_tenant.pk, place)
    assert findings() == [("digest", place)]


def test_a_changed_digest_does_not_fit_the_chain() -> None:
    sealed(3)
    tamper("UPDATE core_auditentry SET digest = %s WHERE seq = 2", b"x" * 32)
    assert findings() == [("chain", 2), ("digest", 2)]


@pytest.mark.parametrize("chain", [b"x" * 32, None])
def test_a_changed_chain_is_noticed(chain: bytes | None) -> None:
    sealed(3)
    tamper("UPDATE core_auditentry SET chain = %s WHERE seq = 2", chain)
    assert findings() == [("chain", 2), ("chain", 3)]


def test_exchanged_content_does_not_fit_the_digests() -> None:
    sealed(5)
    swap("at, object_id, request_id, changes")
    assert findings() == [("digest", 2), ("digest", 4)]


def test_content_exchanged_with_its_digest_does_not_fit_the_chain() -> None:
    sealed(5)
    swap("at, object_id, request_id, changes, salt, digest")
    assert findings() == [("chain", 2), ("chain", 4)]


def test_exchanged_numbers_do_not_fit_the_chain() -> None:
    sealed(5)
    tamper("UPDATE core_auditentry SET seq = -seq WHERE seq IN (2, 4)")
    tamper("UPDATE core_auditentry SET seq = 6 + seq WHERE seq < 0")
    assert findings()[0] == ("chain", 2)


def test_an_entry_removed_from_the_middle_leaves_a_gap() -> None:
    sealed(5)
    tamper("DELETE FROM core_auditentry WHERE seq = 3")
    report = verification.verify()
    assert [(f.kind, f.seq) for f in report.findings] == [("gap", 3)]
    assert report.broken_at == 3


def test_a_forged_entry_has_no_digest() -> None:
    sealed(3)
    tamper(
        "INSERT INTO core_auditentry (at, door, request_id, verb, object_type, object_id, salt, digest)"
        " VALUES (now(), 'web', '', 'read', 'core.blob', '1', %s, %s)",
        b"s" * 16, b"d" * 32,
    )  # fmt: skip
    assert findings() == [("digest", None)]
    sealing.seal()
    assert findings() == [("digest", 4)]


def test_a_copied_entry_is_noticed() -> None:
    """Its digest and, once it is sealed, its place in the chain are right."""
    sealed(3)
    columns = ", ".join((*audit.DIGESTED, "salt", "digest"))
    tamper(f"INSERT INTO core_auditentry ({columns}) SELECT {columns} FROM core_auditentry WHERE seq = 2")
    sealing.seal()
    assert findings() == [("copy", 4)]


def test_an_unsealed_entry_is_checked_too() -> None:
    write(2)
    tamper("UPDATE core_auditentry SET verb = 'read' WHERE object_id = '2'")
    assert findings() == [("digest", None)]


def test_an_entry_that_waits_too_long_for_the_sealer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(timezone, "now", lambda: MONDAY)
        write(1)
    report = verification.verify()
    assert [(f.kind, f.seq) for f in report.findings] == [("late", None)]
    assert "2026-03-02 00:05 UTC" in report.findings[0].text


def test_verifying_ends_when_it_has_found_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(verification.FINDINGS + 5)
    monkeypatch.setattr(settings, "AUDIT_KEY", "another key, by mistake")
    report = verification.verify()
    assert (len(report.findings), report.complete) == (verification.FINDINGS, False)


# --- A thief who chains anew --------------------------------------------------------------------------------


def test_chaining_anew_needs_no_key() -> None:
    """Or else the following tests would prove nothing."""
    sealed(4)
    before = list(AuditEntry.objects.order_by("seq").values_list("seq", "chain"))
    chain_anew()
    assert list(AuditEntry.objects.order_by("seq").values_list("seq", "chain")) == before


def test_a_change_is_noticed_by_its_digest_though_all_is_chained_anew() -> None:
    sealed(4)
    tamper("UPDATE core_auditentry SET verb = 'read', digest = %s WHERE seq = 2", b"x" * 32)
    chain_anew()
    assert findings() == [("digest", 2)]


def test_a_digest_of_another_key_is_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(4)
    entry = AuditEntry.objects.get(seq=2)
    entry.verb = "read"
    with monkeypatch.context() as patch:
        patch.setattr(settings, "AUDIT_KEY", "k" * 50)
        forged = audit.digest_of(entry)
    tamper("UPDATE core_auditentry SET verb = 'read', digest = %s WHERE seq = 2", forged)
    chain_anew()
    assert findings() == [("digest", 2)]


def test_a_removed_entry_is_noticed_by_a_checkpoint_though_all_is_chained_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    sealed(2)
    tamper("DELETE FROM core_auditentry WHERE seq = 3")
    chain_anew()
    assert findings() == [("checkpoint", 6)]


def test_another_order_is_noticed_by_a_checkpoint_though_all_is_chained_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    swap("at, object_id, request_id, changes, salt, digest")
    chain_anew()
    assert findings() == [("checkpoint", 6)]


def test_entries_removed_after_the_last_checkpoint_are_the_known_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chained anew since the last checkpoint looks whole: that is why there is one each day."""
    sealed(3)
    checkpoint(monkeypatch)
    sealed(3)
    tamper("DELETE FROM core_auditentry WHERE seq = 5")
    chain_anew()
    assert findings() == []


# --- The roles of the database ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
        *(
            f"UPDATE core_auditentry SET {name} = {name}"
            for name in ("id", *(n for n in audit.DIGESTED if n != "changes"), "digest")
        ),
        "DELETE FROM core_auditcheckpoint",
        "UPDATE core_auditcheckpoint SET seq = seq",
        "UPDATE core_auditcheckpoint SET chain = chain",
    ],
)
def test_web_and_workers_cannot_change_what_was_written(statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_web_and_workers_have_no_other_right_on_the_audit() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname, p.privilege_type FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " CROSS JOIN LATERAL (VALUES ('UPDATE'), ('REFERENCES')) AS p (privilege_type)"
            " WHERE c.relname IN ('core_auditentry', 'core_auditcheckpoint')"
            " AND has_column_privilege(c.oid, a.attnum, p.privilege_type)"
        )
        columns = {f"{table}.{column} {right}" for table, column, right in cursor.fetchall()}
    assert columns == {f"core_auditentry.{name} UPDATE" for name in ("seq", "chain", "changes", "salt")}
