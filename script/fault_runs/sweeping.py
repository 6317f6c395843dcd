"""kill -9 of whoever deletes what is due, again and again, while holds are placed on what is left.

Some documents are on hold through the place of their folder from the start: them the database would let go. Those that
are held by name, placed after each kill, it keeps by itself.
"""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from script.fault_runs import people
from script.fault_runs.house import kill
from script.fault_runs.run import Site
from script.fault_runs.table import Row

TASK, REST = "docms.delete_by_folder_date", "docms.remove_content"
NAME = "kill -9 within the retention sweep"
# Documents: due, held from the start, and held after each kill. A house at work has its sweep go slowly.
DUE, HELD, MORE = 1_200, 100, 10
PATIENCE = 60.0  # seconds


@dataclass
class Papers:
    """Documents whose folder's date has come, with the rows and names of their bytes; some of them on hold."""

    bytes_of: dict[int, tuple[int, str]]  # document → blob, name in the storage
    held: set[int] = field(default_factory=set)

    @property
    def due(self) -> list[int]:
        """Those that no hold covers."""
        return sorted(self.bytes_of.keys() - self.held)

    def left(self) -> list[int]:
        """Due ones that are there."""
        from docms.models import Document

        with people.everywhere():
            return list(Document.objects.filter(pk__in=self.due).order_by("pk").values_list("pk", flat=True))

    def stored(self) -> int:
        """Rows of bytes of due ones."""
        from core.models import Blob

        with people.everywhere():
            return Blob.objects.filter(pk__in=[self.bytes_of[pk][0] for pk in self.due]).count()


def kill_sweep(site: Site, times: int) -> Row:
    """The processes of the worker, each time when another part of the documents has gone."""
    papers = _fill(site)
    with site.fault(NAME, "base64") as row:
        while row.times < times:
            share = DUE * (times - row.times) // (times + 1)
            _until(site, TASK, lambda: len(papers.left()) <= share)  # noqa: B023 - used within this turn
            victims = site.house.pids("worker child")
            left = papers.left()
            if not left or not victims:
                row.problems.append(f"{len(left)} left, {len(victims)} processes: nothing was killed in the middle")
                break
            for pid in victims:
                kill(pid)
            row.times += 1
            _hold(site, papers, papers.left()[-MORE:])
        _finish(site, papers, row)
        row.problems += _broken(papers)
        _release(site, papers)
        _finish(site, papers, row)
    row.load = "retention sweep"
    row.problems += _wrong(papers)
    for problem in row.problems:
        print(f"  {problem}", flush=True)
    return row


def _finish(site: Site, papers: Papers, row: Row) -> None:
    """Nothing due is left, and after the nightly run no row of its bytes."""
    if not _until(site, TASK, lambda: not papers.left()):
        row.problems.append(f"{len(papers.left())} due documents are left")
    if not _until(site, REST, lambda: not papers.stored()):
        row.problems.append(f"bytes of {papers.stored()} deleted documents are left after the nightly run")


def _until(site: Site, task: str, holds: Callable[[], bool]) -> bool:
    """Send a task until something holds: a killed run may still have the job's name, and then nobody takes it."""
    from config.celery import app

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        app.send_task(task, ignore_result=True)
        if site.house.until(holds, 3.0):
            return True
    return False


def _fill(site: Site) -> Papers:
    """Copies of one document, in a folder that is to be emptied."""
    from django.utils import timezone

    from core.services import blobs, rows
    from core.storage import blob_name
    from docms.models import Document, Folder
    from docms.services import documents, folders
    from orgs.models import Community, Organization
    from orgs.services import holds
    from script.benches import _due

    with people.everywhere():
        actor = people.administrator(site.facts)
        tenant = Organization.objects.get(pk=site.facts.tenant)
        content = blobs.store([b"%PDF-1.4\n"], tenant_id=tenant.pk, limit=1000)
        where = folders.create_folder(actor=actor, tenant=tenant, name="Zu leeren")
        house = rows.create(Community, tenant=tenant, organization=tenant, name="Streithaus", sort_key="streithaus")
        kept = folders.create_folder(actor=actor, tenant=tenant, name="Streitsache", community=house)
        paper = documents.publish(actor=actor, folder=where, blob=content, filename="vorlage.pdf")
        made = _due.copies(tenant.pk, [*[where.pk] * DUE, *[kept.pk] * HELD], model=paper.pk)
    _due.write(site.house.files, made.keys)
    names = [blob_name(key) for key in made.keys]
    papers = Papers(dict(zip(made.due, zip(made.blobs, names, strict=True), strict=True)))
    with people.everywhere():
        holds.place(actor=actor, tenant_id=tenant.pk, title="Beweissicherung", reason="Störfall", community=house)
        papers.held = set(Document.objects.filter(folder=kept).values_list("pk", flat=True))
        assert len(papers.held) == HELD
        yesterday = timezone.now() - datetime.timedelta(days=1)
        Folder.objects.filter(pk__in=[where.pk, kept.pk]).update(auto_delete_files=True, allow_delete_files=yesterday)
    return papers


def _hold(site: Site, papers: Papers, ids: list[int]) -> None:
    """Place a hold; it covers what is still there, and says so."""
    from docms.services import holds

    with people.everywhere():
        placed = holds.place(
            actor=people.administrator(site.facts), tenant_id=site.facts.tenant, document_ids=ids, title="Prozess",
            reason="Störfall",
        )  # fmt: skip
    papers.held |= set(placed.covered)


def _release(site: Site, papers: Papers) -> None:
    """Let go what is held: it is due then."""
    from orgs.models import Hold
    from orgs.services import holds

    with people.everywhere():
        actor = people.administrator(site.facts)
        for hold in Hold.objects.filter(tenant=site.facts.tenant, released_at=None):
            holds.release(actor=actor, hold=hold, reason="Erledigt")
    papers.held = set()


def _broken(papers: Papers) -> list[str]:
    """Whether a hold was broken, in the row, its bytes or by a record."""
    from core.models import DestructionRecord
    from core.storage import storage
    from docms.models import Document

    with people.everywhere():
        there = set(Document.objects.filter(pk__in=papers.held).values_list("pk", flat=True))
        records = DestructionRecord.objects.filter(kind="document", object_id__in=papers.held).count()
    broken = [pk for pk in papers.held if pk not in there or not storage().exists(papers.bytes_of[pk][1])]
    wrong = {"held documents are gone or without their bytes": len(broken), "of them have a record": records}
    return [f"{count} {what}" for what, count in wrong.items() if count]


def _wrong(papers: Papers) -> list[str]:
    """Documents without their one record, and bytes that outlived them, three days later."""
    from core.models import DestructionRecord
    from core.storage import storage

    with people.everywhere():
        found = DestructionRecord.objects.filter(kind="document", object_id__in=papers.bytes_of)
        records = Counter(found.values_list("object_id", flat=True))
    wrong = {
        "deleted documents have none or several records": sum(records[pk] != 1 for pk in papers.bytes_of),
        "deleted documents have left their bytes": sum(
            storage().exists(name) for _blob, name in papers.bytes_of.values()
        ),
    }
    return [f"{count} {what}" for what, count in wrong.items() if count]
