"""The audit's checkpoints: made daily, exported, compared by `manage.py verify_audit`."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from core.management.commands.verify_audit import Command
from core.models import AuditCheckpoint
from core.services import sealing, verification
from tests.core.chain import (
    MONDAY,
    chain_anew,
    checkpoint,
    erase,
    exported_of,
    findings,
    sealed,
    tamper,
    write,
)

# The thief owns the database, so what is tampered with has to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


# --- Checkpoints --------------------------------------------------------------------------------------------


def test_a_checkpoint_keeps_the_end_of_the_chain() -> None:
    last = sealed(3)[-1]
    assert sealing.checkpoint() == {"checkpoints": 1}
    row = AuditCheckpoint.objects.get()
    assert (row.seq, bytes(row.chain)) == (3, bytes(last.chain))


def test_a_day_has_one_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(3)
    assert checkpoint(monkeypatch) == {"checkpoints": 1}
    sealed(2)
    assert checkpoint(monkeypatch) == {"checkpoints": 0}
    assert checkpoint(monkeypatch, days=1) == {"checkpoints": 1}
    assert list(AuditCheckpoint.objects.values_list("seq", flat=True)) == [3, 5]


def test_the_day_of_a_checkpoint_is_that_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(1)
    berlin = datetime.timezone(datetime.timedelta(hours=2))
    with monkeypatch.context() as then:
        then.setattr(timezone, "now", lambda: datetime.datetime(2026, 7, 2, 1, 30, tzinfo=berlin))
        sealing.checkpoint()
    assert AuditCheckpoint.objects.get().day == datetime.date(2026, 7, 1)


def test_an_audit_without_entries_gets_no_checkpoint() -> None:
    write(1)
    assert sealing.checkpoint() == {"checkpoints": 0}


def test_each_checkpoint_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(3):
        sealed(2)
        checkpoint(monkeypatch, day)
    assert verification.verify().checkpoints == 3
    tamper("UPDATE core_auditcheckpoint SET chain = %s WHERE seq = 4", b"x" * 32)
    assert findings() == [("checkpoint", 4)]


def test_a_tail_cut_after_a_checkpoint_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    tamper("DELETE FROM core_auditentry WHERE seq > 4")
    assert findings() == [("tail", 5)]


def test_a_tail_that_has_grown_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    tamper("DELETE FROM core_auditentry WHERE seq > 4")
    sealed(5)
    assert findings() == [("checkpoint", 6)]


def test_an_emptied_table_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    tamper("DELETE FROM core_auditentry")
    assert findings() == [("tail", 1)]


@pytest.mark.parametrize("first", [4, 5])
def test_a_head_may_be_trimmed_at_a_checkpoint(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    """Its own entry may stay, or not."""
    sealed(4)
    checkpoint(monkeypatch)
    sealed(4)
    tamper("DELETE FROM core_auditentry WHERE seq < %s", first)
    report = verification.verify()
    assert (report.findings, report.first, report.entries) == ([], first, 9 - first)


@pytest.mark.parametrize("first", [3, 6])
def test_a_head_trimmed_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    sealed(4)
    checkpoint(monkeypatch)
    sealed(4)
    tamper("DELETE FROM core_auditentry WHERE seq < %s", first)
    assert findings() == [("head", first)]


def test_verifying_can_begin_at_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(4)
    checkpoint(monkeypatch)
    sealed(3)
    tamper("UPDATE core_auditentry SET verb = 'read' WHERE seq = 2")
    report = verification.verify(since=MONDAY.date())
    assert (report.findings, report.first, report.entries) == ([], 5, 3)
    tamper("DELETE FROM core_auditentry WHERE seq = 5")
    assert findings(since=MONDAY.date()) == [("gap", 5)]
    with pytest.raises(verification.NoCheckpoint, match="2020-01-01"):
        verification.verify(since=datetime.date(2020, 1, 1))


# --- Exported checkpoints -----------------------------------------------------------------------------------


def test_an_export_is_read_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = exported_of(2, monkeypatch)
    assert exported == sealing.checkpoints()
    sealed(1)
    checkpoint(monkeypatch, 5)  # later than the export
    report = verification.verify(exported=exported)
    assert (report.findings, report.checkpoints) == ([], 3)


def test_whoever_edits_the_checkpoints_as_well_is_noticed_by_an_export(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = exported_of(1, monkeypatch)
    tamper("DELETE FROM core_auditentry WHERE seq = 1")
    chain_anew()
    tamper("UPDATE core_auditcheckpoint SET seq = 1, chain = (SELECT chain FROM core_auditentry WHERE seq = 1)")
    assert findings() == []
    assert findings(exported=exported) == [("checkpoint", 2), ("tail", 2)]


def test_a_checkpoint_removed_with_its_tail_is_noticed_by_an_export(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = exported_of(2, monkeypatch)
    tamper("DELETE FROM core_auditentry WHERE seq > 2")
    tamper("DELETE FROM core_auditcheckpoint WHERE seq > 2")
    assert findings() == []
    assert findings(exported=exported) == [("checkpoint", 4), ("tail", 3)]


def test_a_checkpoint_invented_to_cover_a_cut_is_noticed_by_an_export(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(6)
    checkpoint(monkeypatch)
    exported = sealing.checkpoints()
    tamper(
        "INSERT INTO core_auditcheckpoint (created_at, day, seq, chain)"
        " SELECT now(), '2026-02-01', seq, chain FROM core_auditentry WHERE seq = 3"
    )
    tamper("DELETE FROM core_auditentry WHERE seq < 3")
    assert findings() == []
    assert findings(exported=exported) == [("checkpoint", 3), ("head", 3)]


@pytest.mark.parametrize("line", ["{", "[]", '{"day": "2026-03-02", "seq": 1}', '{"day": "x", "seq": 1, "chain": ""}'])
def test_a_line_that_is_no_checkpoint_is_named(line: str) -> None:
    good = json.dumps({"day": "2026-03-02", "seq": 1, "chain": "00" * 32})
    with pytest.raises(ValueError, match="line 2"):
        sealing.from_lines([good, line])


# --- The command --------------------------------------------------------------------------------------------


def run(*arguments: Any) -> tuple[int, str]:
    """Exit status and output, as a shell sees them."""
    out = io.StringIO()
    try:
        call_command("verify_audit", *(str(a) for a in arguments), stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


@pytest.fixture
def quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """What the command says goes nowhere."""
    yield
    capsys.readouterr()


def test_the_command_tells_what_it_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(4)
    erase(2)
    checkpoint(monkeypatch)
    status, text = run()
    assert status == 0
    assert "4 entries (1 to 4), of which 1 are erased; 1 not sealed yet; 1 checkpoints; " in text
    assert "newest checkpoint: 2026-03-02, at 4" in text
    assert "The audit is whole." in text


def test_the_command_names_the_first_broken_place() -> None:
    sealed(4)
    tamper("UPDATE core_auditentry SET verb = 'read' WHERE seq IN (2, 3)")
    status, text = run()
    assert status == 1
    assert "digest: entry 2 does not hold what was written\ndigest: entry 3 " in text
    assert "The audit is not as it was written from 2 on." in text


def test_the_command_hints_at_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(verification.FINDINGS)
    monkeypatch.setattr(settings, "AUDIT_KEY", "another key, by mistake")
    assert "AUDIT_KEY may be another one" in run()[1]


@pytest.mark.usefixtures("quiet")
def test_the_command_exits_with_0_or_1() -> None:
    sealed(2)
    Command().run_from_argv(["manage.py", "verify_audit"])
    tamper("DELETE FROM core_auditentry WHERE seq = 1")
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "verify_audit"])
    assert ended.value.code == 1


def test_the_command_exports_checkpoints_and_reads_them_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    exported = exported_of(3, monkeypatch)
    file = tmp_path / "audit.jsonl"
    assert run("--export", file)[0] == 0
    assert json.loads(file.read_text().splitlines()[0]) == {
        "day": "2026-03-02", "seq": 2, "chain": exported[0].chain.hex(),
    }  # fmt: skip
    assert run("--checkpoints", file, "--export", file)[0] == 0
    assert sealing.from_lines(file.read_text().splitlines()) == exported
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_compares_with_an_export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    exported_of(2, monkeypatch)
    file = tmp_path / "audit.jsonl"
    run("--export", file)
    tamper("DELETE FROM core_auditentry WHERE seq > 2")
    tamper("DELETE FROM core_auditcheckpoint WHERE seq > 2")
    assert run()[0] == 0
    assert run("--checkpoints", file)[0] == 1


def test_a_broken_audit_does_not_overwrite_an_export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    exported_of(1, monkeypatch)
    file = tmp_path / "audit.jsonl"
    file.write_text("of yesterday")
    tamper("UPDATE core_auditcheckpoint SET chain = %s", b"x" * 32)
    assert run("--export", file)[0] == 1
    assert file.read_text() == "of yesterday"


def test_the_command_begins_at_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    exported_of(2, monkeypatch)
    assert "2 entries (3 to 4)" in run("--since", "2026-03-02")[1]
    assert run("--since", "2026-01-01") == (1, "There is no checkpoint of 2026-01-01.")


@pytest.mark.parametrize("content", [None, "no json", "\xff"])
def test_the_command_fails_on_an_unreadable_export(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "audit.jsonl"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    status, text = run("--checkpoints", file)
    assert status == 1
    assert "cannot be read" in text


def test_a_value_that_cannot_be_read_ends_the_command_with_an_error() -> None:
    sealed(2)
    tamper("UPDATE core_auditentry SET at = 'infinity' WHERE seq = 1")
    with pytest.raises(DatabaseError):
        run()
