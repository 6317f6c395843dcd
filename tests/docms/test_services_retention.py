"""Documents that go by themselves: the folder's date, days after the first access, hours of big files."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import scope
from core.models import AuditEntry, DestructionRecord, JobRun, SystemLog
from core.services import batches, rows
from docms import tasks
from docms.models import Document, DocumentHold, DocumentLog, DocumentVersion, Folder
from docms.services import claims, delivery, documents, retention
from orgs.models import Hold
from tests.factories import at_once, folder, manual_group, publish, stored
from tests.servers import owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model, QuerySet

    from tests.cast import Cast

MINUTE, HOUR, DAY = (datetime.timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
SECOND = datetime.timedelta(seconds=1)
JOBS = (retention.delete_by_folder_date, retention.delete_after_first_access, retention.delete_big_files)


def ago(span: datetime.timedelta) -> datetime.datetime:
    return timezone.now() - span


def opened(paper: Document, span: datetime.timedelta) -> Document:
    """First opened that long ago."""
    Document.objects.filter(pk=paper.pk).update(first_access=ago(span))
    return paper


def uploaded(paper: Document, span: datetime.timedelta, *, big: bool = True) -> Document:
    """Uploaded that long ago."""
    Document.objects.filter(pk=paper.pk).update(created_at=ago(span), is_big=big)
    DocumentVersion.objects.filter(document=paper).update(created_at=ago(span))
    return paper


def big_hours(cast: Cast, hours: int) -> None:
    rows.change(cast.tenant.settings, {"delete_big_file_after_hours": hours})


def left() -> set[str]:
    return set(Document.objects.values_list("title", flat=True))


def run_all() -> int:
    return sum(job()["deleted"] for job in JOBS)


def reasons() -> dict[str, str]:
    return dict(DestructionRecord.objects.values_list("title", "reason"))


# --- The folder's date ----------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-106")
def test_a_folder_is_emptied_when_its_date_has_come(cast: Cast) -> None:
    where = folder(cast, auto_delete_files=True, allow_delete_files=timezone.now() + HOUR)
    below = folder(cast, "Darunter", parent=where)
    kept = folder(cast, "Ohne Leeren", allow_delete_files=timezone.now() + HOUR)
    undated = folder(cast, "Ohne Datum", auto_delete_files=True)
    for title, place in (("eins", where), ("zwei", where), ("unten", below), ("daneben", kept), ("ewig", undated)):
        publish(cast, place, title=title)
    everything = left()
    assert retention.delete_by_folder_date() == {"deleted": 0, "failed": 0}
    assert left() == everything
    Folder.objects.filter(allow_delete_files__isnull=False).update(allow_delete_files=ago(SECOND))
    assert retention.delete_by_folder_date() == {"deleted": 2, "failed": 0}
    assert left() == {"unten", "daneben", "ewig"}
    assert Folder.objects.filter(pk__in=[where.pk, below.pk, kept.pk]).count() == 3


@pytest.mark.rule("DOCMS-106")
def test_what_comes_after_the_date_goes_with_the_next_run(cast: Cast) -> None:
    where = folder(cast, auto_delete_files=True, allow_delete_files=ago(DAY))
    assert retention.delete_by_folder_date()["deleted"] == 0
    publish(cast, where)
    assert retention.delete_by_folder_date()["deleted"] == 1


@pytest.mark.rule("DOCMS-106", "DOCMS-107", "DOCMS-124")
@pytest.mark.parametrize(
    ("task", "name", "longest"),
    [
        (tasks.delete_by_folder_date, "docms.delete_by_folder_date", HOUR),
        (tasks.delete_after_first_access, "docms.delete_after_first_access", HOUR),
        (tasks.delete_big_files, "docms.delete_big_files", 15 * MINUTE),
    ],
)
def test_the_jobs_run_in_time_under_their_names(cast: Cast, task: Any, name: str, longest: datetime.timedelta) -> None:
    assert task.name == name
    [entry] = [e for e in settings.CELERY_BEAT_SCHEDULE.values() if e["task"] == name]
    minutes = sorted(entry["schedule"].minute)
    assert entry["schedule"].hour == set(range(24))
    gaps = [b - a for a, b in zip(minutes, [*minutes[1:], minutes[0] + 60], strict=True)]
    assert max(gaps) * MINUTE <= longest
    where = folder(cast, auto_delete_files=True, allow_delete_files=ago(SECOND), file_delete_files=1)
    big_hours(cast, 1)
    uploaded(opened(publish(cast, where), 2 * DAY), 2 * HOUR)
    task()
    run = JobRun.objects.get(name=name)
    assert (run.counts, run.error) == ({"deleted": 1, "failed": 0}, "")
    assert not Document.objects.exists()


# --- First access ---------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-107")
def test_a_document_goes_days_after_its_first_access_and_never_without_one(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"), file_delete_files=3)
    other = folder(cast, "Länger", file_delete_files=30)
    forever = folder(cast, "Ewig", file_delete_files=0)
    opened(publish(cast, where, title="alt"), 3 * DAY + SECOND)
    opened(publish(cast, where, title="jung"), 3 * DAY - MINUTE)
    opened(publish(cast, other, title="länger"), 29 * DAY)
    opened(publish(cast, forever, title="ewig"), 4000 * DAY)
    uploaded(publish(cast, where, title="ungelesen"), 4000 * DAY, big=False)
    assert retention.delete_after_first_access() == {"deleted": 1, "failed": 0}
    assert left() == {"jung", "länger", "ewig", "ungelesen"}
    # A real access starts the days; later ones do not start them anew.
    unread = Document.objects.get(title="ungelesen")
    delivery.open_for_read(document_id=unread.pk, actor=cast.actor("renter"))
    assert retention.delete_after_first_access()["deleted"] == 0
    Document.objects.filter(pk=unread.pk).update(first_access=F("first_access") - 3 * DAY)
    delivery.open_for_read(document_id=unread.pk, actor=cast.actor("renter"))
    assert retention.delete_after_first_access()["deleted"] == 1
    assert left() == {"jung", "länger", "ewig"}


@pytest.mark.rule("DOCMS-107")
def test_without_days_nothing_goes_after_its_first_access(cast: Cast) -> None:
    where = folder(cast, file_delete_files=1)
    opened(publish(cast, where), 400 * DAY)
    rows.change(where, {"file_delete_files": 0})
    assert retention.delete_after_first_access()["deleted"] == 0
    rows.change(where, {"file_delete_files": 1})
    assert retention.delete_after_first_access()["deleted"] == 1


# --- Big files ------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-124")
def test_a_big_file_goes_hours_after_its_upload_even_unopened(cast: Cast, settings: Any) -> None:
    settings.BASE64_LIMIT = 100
    where = folder(cast)
    big_hours(cast, 5)
    for title, content in (("alt", b"x" * 101), ("jung", b"y" * 101), ("klein", b"z" * 100)):
        paper = publish(cast, where, title=title, content=content, filename="a.txt")
        uploaded(paper, (5 if title != "jung" else 4) * HOUR + SECOND, big=paper.is_big)
    assert not Document.objects.filter(first_access__isnull=False).exists()
    assert retention.delete_big_files() == {"deleted": 1, "failed": 0}
    assert left() == {"jung", "klein"}


@pytest.mark.rule("DOCMS-124")
def test_no_hours_switch_big_files_off_tenant_by_tenant(cast: Cast) -> None:
    uploaded(publish(cast, folder(cast)), 400 * DAY)
    big_hours(cast, 0)
    rows.change(cast.stranger.memberships.get().organization.settings, {"delete_big_file_after_hours": 1})
    assert retention.delete_big_files()["deleted"] == 0
    big_hours(cast, 1)
    assert retention.delete_big_files()["deleted"] == 1


@pytest.mark.rule("DOCMS-124")
def test_a_new_content_of_a_big_file_starts_its_hours(cast: Cast, settings: Any) -> None:
    settings.BASE64_LIMIT = 100
    big_hours(cast, 5)
    paper = uploaded(publish(cast, folder(cast), content=b"x" * 101, filename="a.txt"), 6 * HOUR)
    documents.change_document(
        actor=cast.actor("admin"), document=paper, changes={}, blob=stored(cast.tenant, b"y" * 101)
    )
    assert retention.delete_big_files()["deleted"] == 0
    DocumentVersion.objects.filter(number=2).update(created_at=ago(5 * HOUR))
    assert retention.delete_big_files()["deleted"] == 1


# --- Several rules --------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-108")
def test_the_earliest_of_several_rules_applies(cast: Cast) -> None:
    big_hours(cast, 24)
    where = folder(cast, auto_delete_files=True, file_delete_files=2)

    def paper(title: str, access: datetime.timedelta, upload: datetime.timedelta) -> None:
        uploaded(opened(publish(cast, where, title=title), access), upload)

    paper("Zugriff zuerst", 4 * DAY, 2 * DAY)  # since 2 days, since 1 day
    paper("Größe zuerst", 3 * DAY, 4 * DAY)  # since 1 day, since 3 days
    paper("nur Zugriff", 2 * DAY + HOUR, HOUR)
    paper("nur Größe", HOUR, 25 * HOUR)
    paper("nur Datum", HOUR, HOUR)
    assert run_all() == 4
    assert left() == {"nur Datum"}
    assert reasons() == {
        "Zugriff zuerst": "first_access",
        "Größe zuerst": "big_file",
        "nur Zugriff": "first_access",
        "nur Größe": "big_file",
    }
    Folder.objects.update(allow_delete_files=ago(SECOND))
    assert run_all() == 1
    assert reasons()["nur Datum"] == "folder_date"


@pytest.mark.rule("DOCMS-108")
@pytest.mark.parametrize("emptied", [True, False])
def test_no_rule_deletes_before_the_folders_date(cast: Cast, emptied: bool) -> None:
    big_hours(cast, 1)
    until = timezone.now() + MINUTE
    where = folder(cast, auto_delete_files=emptied, file_delete_files=1, allow_delete_files=until)
    uploaded(publish(cast, where, title="groß"), 9 * DAY)
    opened(publish(cast, where, title="gelesen"), 9 * DAY)
    publish(cast, where, title="jung")
    assert run_all() == 0
    shown = {d.title: (d.policy, d.due_at) for d in retention.due(Document.objects.all(), until=until)}  # type: ignore[attr-defined]
    expected = {"groß": ("big_file", until), "gelesen": ("first_access", until)}
    assert shown == (expected | {"jung": ("folder_date", until)} if emptied else expected)
    Folder.objects.update(allow_delete_files=ago(SECOND))
    run_all()
    assert left() == (set() if emptied else {"jung"})


@pytest.mark.rule("DOCMS-108")
def test_what_a_download_has_claimed_is_due_by_that_and_left_to_its_own_job(cast: Cast) -> None:
    where = folder(cast, file_delete_files=1, allow_delete_files=timezone.now() + HOUR)
    paper = opened(publish(cast, where, delete_after_next_download=True), 9 * DAY)
    delivery.open_for_download(document_id=paper.pk, actor=cast.actor("admin"))
    assert not retention.due(Document.objects.all()).exists()
    Folder.objects.update(allow_delete_files=ago(SECOND))
    assert retention.due(Document.objects.all()).get().policy == "next_download"  # type: ignore[attr-defined]
    assert run_all() == 0
    assert claims.delete_claimed()["deleted"] == 1


@pytest.mark.parametrize("anchor", ["document", "contact", "unit", "community", "community of the unit"])
def test_a_hold_stops_every_rule_until_it_is_released(cast: Cast, anchor: str) -> None:
    big_hours(cast, 1)
    unit = cast.occupancy("renter").unit
    place: dict[str, Any] = {
        "document": {},
        "contact": {"contact": cast.contact("renter")},
        "unit": {"unit": unit},
        "community": {"community": unit.community},
        "community of the unit": {"unit": unit},
    }[anchor]
    on = {"community": unit.community} if anchor == "community of the unit" else place
    where = folder(cast, "Gehalten", **place)
    beside = folder(cast, "Frei")

    def fill(where: Folder, prefix: str) -> list[Document]:
        made = [publish(cast, where, title=f"{prefix} {n}") for n in ("Datum", "Zugriff", "Größe")]
        opened(made[1], 9 * DAY)
        uploaded(made[2], 9 * DAY)
        return made

    held = fill(where, "gehalten")
    fill(beside, "frei")
    hold = Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin, **on)
    if anchor == "document":
        DocumentHold.objects.bulk_create(DocumentHold(tenant=cast.tenant, hold=hold, document=d) for d in held)
    due = {"auto_delete_files": True, "file_delete_files": 1, "allow_delete_files": ago(SECOND)}
    Folder.objects.filter(pk__in=[where.pk, beside.pk]).update(**due)
    assert run_all() == 3
    assert left() == {"gehalten Datum", "gehalten Zugriff", "gehalten Größe"}
    assert not SystemLog.objects.exists()
    rows.change(hold, {"released_at": timezone.now()})
    assert run_all() == 3
    assert left() == set()


# --- The record -----------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-106", "DOCMS-107", "DOCMS-124")
@pytest.mark.parametrize(
    ("job", "reason", "keys"),
    [
        (retention.delete_by_folder_date, "folder_date", {"allow_delete_files"}),
        (retention.delete_after_first_access, "first_access", {"first_access", "file_delete_files"}),
        (retention.delete_big_files, "big_file", {"uploaded_at", "delete_big_file_after_hours"}),
    ],
)
def test_the_record_says_what_went_by_which_rule_and_when(
    cast: Cast, job: Callable[[], dict[str, int]], reason: str, keys: set[str]
) -> None:
    values: dict[str, Any] = {
        "folder_date": {"auto_delete_files": True, "allow_delete_files": ago(SECOND)},
        "first_access": {"file_delete_files": 3},
        "big_file": {},
    }[reason]
    big_hours(cast, 2 if reason == "big_file" else 0)
    where = folder(cast, **values)
    paper = uploaded(opened(publish(cast, where, title="Vertrag", content=b"Inhalt"), 4 * DAY), 4 * DAY)
    blob = DocumentVersion.objects.get(document=paper).blob
    before = timezone.now()
    assert job()["deleted"] == 1
    assert not Document.objects.exists()
    record = DestructionRecord.objects.get()
    assert (record.kind, record.object_id, record.folder_id) == ("document", paper.pk, where.pk)
    assert (record.title, record.filename, record.size) == ("Vertrag", "hausordnung.pdf", len(b"Inhalt"))
    assert bytes(record.sha256 or b"") == bytes(blob.sha256)
    assert (record.user, record.reason) == (None, reason)
    assert before <= record.created_at <= timezone.now()
    assert set(record.rule) == {"policy", "due_at", "job"} | keys
    assert (record.rule["policy"], record.rule["job"]) == (reason, f"docms.{job.__name__}")
    assert datetime.datetime.fromisoformat(record.rule["due_at"]) <= record.created_at
    if reason == "first_access":
        assert record.rule["file_delete_files"] == 3
    if reason == "big_file":
        assert record.rule["delete_big_file_after_hours"] == 2
    assert DocumentLog.objects.filter(document_id=paper.pk, action="delete", user=None).count() == 1
    entry = AuditEntry.objects.get(object_type="docms.document", object_id=paper.pk, verb="deleted")
    assert entry.changes["reason"] == [None, reason]


# --- Runs -----------------------------------------------------------------------------------------------


@pytest.fixture
def due_papers(request: pytest.FixtureRequest) -> list[Document]:
    """Four documents that all three rules have made due."""
    cast: Cast = request.getfixturevalue("cast")
    big_hours(cast, 1)
    where = folder(cast, auto_delete_files=True, file_delete_files=1, allow_delete_files=ago(SECOND))
    return [uploaded(opened(publish(cast, where, title=f"{n}"), 9 * DAY), 9 * DAY) for n in range(4)]


@pytest.mark.rule("DOCMS-106")
@pytest.mark.django_db(transaction=True)
def test_runs_at_once_delete_nothing_twice(cast: Cast, due_papers: list[Document]) -> None:
    ids = sorted(d.pk for d in due_papers)
    outcomes: list[Any] = at_once(*JOBS, *JOBS)
    assert sum(o["deleted"] for o in outcomes) == 4
    assert sum(o["failed"] for o in outcomes) == 0
    assert sorted(DestructionRecord.objects.values_list("object_id", flat=True)) == ids
    assert DocumentLog.objects.filter(action="delete").count() == 4
    assert run_all() == 0


class KilledError(BaseException):
    """Nothing that the code could catch."""


@pytest.mark.rule("DOCMS-106")
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.django_db(transaction=True)
def test_a_killed_run_has_kept_what_it_did_and_the_next_goes_on(
    cast: Cast, due_papers: list[Document], monkeypatch: pytest.MonkeyPatch, job: Callable[[], dict[str, int]]
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    plain, done = retention.destroy, []

    def dying(found: QuerySet[Document], **values: Any) -> list[int]:
        ids = plain(found, **values)
        done.extend(ids)
        if len(done) == 3:  # in the middle of the third
            raise KilledError
        return ids

    with monkeypatch.context() as patch:
        patch.setattr(retention, "destroy", dying)
        with pytest.raises(KilledError):
            job()
    assert set(DestructionRecord.objects.values_list("object_id", flat=True)) == set(done[:2])
    assert Document.objects.count() == 2
    assert job() == {"deleted": 2, "failed": 0}
    assert sorted(DestructionRecord.objects.values_list("object_id", flat=True)) == sorted(d.pk for d in due_papers)


def test_a_document_that_fails_holds_up_no_other_of_its_batch_and_is_tried_again(
    cast: Cast, due_papers: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, bad = retention.destroy, due_papers[1]

    def failing(found: QuerySet[Document], **values: Any) -> list[int]:
        ids = plain(found, **values)
        if bad.pk in ids:
            raise OSError("password=geheim123")
        return ids

    with monkeypatch.context() as patch:
        patch.setattr(retention, "destroy", failing)
        assert retention.delete_by_folder_date() == {"deleted": 3, "failed": 1}
    assert Document.objects.get() == bad
    entry = SystemLog.objects.get()
    assert (entry.category, entry.action) == ("docms.delete_by_folder_date", f"document {bad.pk}")
    assert entry.tenant == cast.tenant
    assert "OSError" in entry.stacktrace
    assert "geheim123" not in entry.stacktrace
    assert retention.delete_by_folder_date() == {"deleted": 1, "failed": 0}


@pytest.mark.parametrize("change", ["days", "protection", "move", "hold", "gone"])
def test_what_changed_since_it_was_found_is_asked_again(
    cast: Cast, due_papers: list[Document], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    plain = retention.destroy
    rest = due_papers[1:]

    def meddle(found: QuerySet[Document], **values: Any) -> list[int]:
        ids = plain(found, **values)
        monkeypatch.setattr(retention, "destroy", plain)
        if change == "days":
            Folder.objects.update(file_delete_files=30)
        elif change == "protection":
            Folder.objects.update(allow_delete_files=timezone.now() + HOUR)
        elif change == "move":
            Document.objects.update(folder=folder(cast, "Bleibt"))
        elif change == "hold":
            hold = Hold.objects.create(tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin)
            DocumentHold.objects.bulk_create(DocumentHold(tenant=cast.tenant, hold=hold, document=d) for d in rest)
        else:
            for paper in rest:
                documents.delete_document(actor=cast.actor("admin"), document=paper)
        return ids

    monkeypatch.setattr(retention, "destroy", meddle)
    assert retention.delete_after_first_access() == {"deleted": 1, "failed": 0}
    assert Document.objects.count() == (0 if change == "gone" else 3)


@pytest.mark.parametrize(("found", "batch"), [(3, 2), (3, 9), (1, 1)])
def test_batches_go_on_where_the_last_one_ended(
    cast: Cast, due_papers: list[Document], monkeypatch: pytest.MonkeyPatch, found: int, batch: int
) -> None:
    monkeypatch.setattr(batches, "FOUND", found)
    monkeypatch.setattr(retention, "BATCH", batch)
    seen: list[int] = []

    def count(documents: QuerySet[Document], **_values: Any) -> list[int]:  # what stays for ever comes up once
        seen.extend(ids := list(documents.values_list("pk", flat=True)))
        return ids

    monkeypatch.setattr(retention, "destroy", count)
    assert retention.delete_by_folder_date()["deleted"] == 4
    assert sorted(seen) == sorted(d.pk for d in due_papers)


def test_a_batch_costs_the_same_for_one_document_and_three(cast: Cast, due_papers: list[Document]) -> None:
    def cost(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries, scope.unit_of_work(door="test"), scope.all_tenants():
            assert retention._end("test", retention.Policy.FOLDER_DATE, ids) == len(ids)
        return len(queries)

    ids = [d.pk for d in due_papers]
    assert cost(ids[:1]) == cost(ids[1:])


def _many(paper: Document, *, folders: int, each: int) -> None:
    """As many folders with as many documents; few of them have a rule, have been opened, or are big."""

    def copied(table: type[Model], **columns: str) -> str:
        names = [f.column for f in table._meta.concrete_fields if f.column != "id"]
        source = ", ".join(columns.get(n, f"x.{n}") for n in names)
        return f"INSERT INTO {table._meta.db_table} ({', '.join(names)}) SELECT {source} FROM {table._meta.db_table} x"

    with connection.cursor() as cursor:
        date = "CASE WHEN n %% 500 = 0 THEN x.allow_delete_files END"
        days = "CASE WHEN n %% 10 = 1 THEN 1 ELSE 0 END"
        empty = "n %% 500 = 0"
        cursor.execute(
            copied(
                Folder, name="'F' || n", file_delete_files=days, allow_delete_files=date, auto_delete_files=empty,
            )
            + ", generate_series(1, %s) n WHERE x.id = %s",
            [folders, paper.folder_id],
        )  # fmt: skip
        cursor.execute(
            copied(
                Document, folder_id="f.id", first_access="CASE WHEN n %% 500 = 0 THEN x.first_access END",
                is_big="n %% 500 = 0", current_id="NULL",
            )
            + ", (SELECT id, row_number() OVER () * %s k FROM docms_folder WHERE name LIKE 'F%%') f,"
            " LATERAL (SELECT f.k + i AS n FROM generate_series(1, %s) i) g WHERE x.id = %s",
            [each, each, paper.pk],
        )  # fmt: skip
    with owner() as analysing:
        analysing.execute("ANALYZE docms_folder, docms_document")


@pytest.mark.django_db(transaction=True)
def test_candidates_are_found_by_their_index(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    big_hours(cast, 1)
    where = folder(cast, auto_delete_files=True, allow_delete_files=ago(DAY))
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        paper = uploaded(opened(publish(cast, where), 9 * DAY), 9 * DAY)
    _many(paper, folders=5000, each=4)
    indexes = ("folder_emptying", "document_first_access", "document_big", "document_claimed")
    for job, index in zip((*JOBS, claims.delete_claimed), indexes, strict=True):
        with CaptureQueriesContext(connection) as queries, monkeypatch.context() as patch:
            patch.setattr(retention, "_end", lambda *_args: 0)
            job()
        batch = claims.BATCH if job is claims.delete_claimed else batches.FOUND
        found = next(q["sql"] for q in queries if f"LIMIT {batch}" in q["sql"])
        with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]), connection.cursor() as cursor:
            cursor.execute("EXPLAIN ANALYZE " + found)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert index in plan, plan
        assert "Seq Scan on docms_document" not in plan, plan
