"""Was anything lost, doubled or half stored? Looks into the database, the storage, the mail server and the API."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

from script.fault_runs.house import House
from script.fault_runs.load import Act, Journal
from script.fault_runs.people import Facts
from script.fault_runs.wire import Answers, Api, NoAnswer

HEAL = 240.0  # seconds in which the house has to be itself again, also on a machine that is busy with other things
LATER = datetime.timedelta(days=3)  # after which nothing that was given up may still lie around


@dataclass
class Findings:
    """What is wrong, one line each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    outbox: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return [f"{name}: {line}" for name, lines in vars(self).items() for line in lines if isinstance(lines, list)]


class Check:
    """Knows what was looked at already, so that a round costs what is new in it."""

    def __init__(self, house: House, facts: Facts, journal: Journal) -> None:
        self.house, self.facts, self.journal = house, facts, journal
        self.api = Api(house.port, Answers(), facts.tenant)
        self.healed_after = 0.0  # seconds, the last time
        self._acts_seen = 0
        self._blobs_seen: set[int] = set()
        self._documents_seen: set[int] = set()

    def __call__(self) -> Findings:
        """Wait until the house has healed, then look. Call it while nothing loads the house."""
        found = Findings()
        begin = time.monotonic()
        left = self._heal()
        self.healed_after = time.monotonic() - begin
        for name, count in left.items():
            (found.outbox if name == "outbox" else found.audit if name == "audit" else found.other).append(
                f"{count} of {name} still open after {HEAL:.0f} seconds"
            )
        with _everywhere():
            self._acts(found)
            self._documents(found)
            self._imports(found)
            self._mails(found)
            self._blobs(found)
            self._audit(found)
        self._sweep(found)
        return found

    # --- Healing ----------------------------------------------------------------------------------------

    def _heal(self) -> Counter[str]:
        left: Counter[str] = Counter()

        def healed() -> bool:
            nonlocal left
            try:
                with _everywhere():
                    left = +Counter(dict(_open()))
            except Exception as error:  # whatever keeps it from being asked
                left = Counter({f"database ({type(error).__name__})": 1})
                _hang_up()
            return not left and self.house.answers()

        return Counter() if self.house.until(healed, HEAL) else left

    # --- What clients were promised -----------------------------------------------------------------------

    def _acts(self, found: Findings) -> None:
        """Every promise kept, with the same bytes; nothing more often than it may be there."""
        from docms.models import Document

        acts = [act for act in self.journal.acts[self._acts_seen :] if act.kind != "import"]
        self._acts_seen = len(self.journal.acts)
        rows: dict[str, list[tuple[int, bytes]]] = {}
        names = [act.name for act in acts]
        for name, pk, sha in Document.objects.filter(filename__in=names).values_list(
            "filename", "pk", "current__blob__sha256"
        ):
            rows.setdefault(name, []).append((pk, bytes(sha or b"")))
        for act in acts:
            there = rows.get(act.name, [])
            if len(there) < min(act.acks, 1) or (act.document and act.document not in {pk for pk, _sha in there}):
                found.lost.append(f"{act.kind} {act.name}: acknowledged, not there")
            if len(there) > act.acks + act.unknown or (act.kind == "tus" and len(there) > 1):
                found.doubled.append(f"{act.kind} {act.name}: there {len(there)} times, {act}")
            for pk, sha in there:
                if sha.hex() != act.sha256:
                    found.lost.append(f"{act.kind} {act.name}: other bytes in the database")
                self._download(act, pk, found)

    def _download(self, act: Act, pk: int, found: Findings) -> None:
        for _try in range(3):
            try:
                answer = self.api.call("GET", f"/files/{pk}/download", headers={"Accept": "application/octet-stream"})
            except NoAnswer as error:
                problem = str(error)
                continue
            if answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == act.sha256:
                return
            problem = f"{answer.status}, {len(answer.body)} bytes"
        found.lost.append(f"{act.kind} {act.name}: document {pk} cannot be read as it was sent: {problem}")

    # --- Rows ---------------------------------------------------------------------------------------------

    def _documents(self, found: Findings) -> None:
        """Each is whole: version, bytes, index with its text, log, audit."""
        from core.models import AuditEntry
        from docms.models import Document, DocumentLog

        fresh = list(
            Document.objects.exclude(pk__in=self._documents_seen)
            .select_related("current__blob", "index")
            .order_by("pk")
        )
        ids = [document.pk for document in fresh]
        self._documents_seen |= set(ids)
        logged = set(
            DocumentLog.objects.filter(document_id__in=ids, action="create").values_list("document_id", flat=True)
        )
        audited = Counter(
            AuditEntry.objects.filter(
                object_type="docms.document", object_id__in=[str(pk) for pk in ids], verb="created"
            ).values_list("object_id", flat=True)
        )
        for document in fresh:
            problems = [
                problem
                for problem, wrong in (
                    ("no version", document.current is None),
                    ("no index", not hasattr(document, "index")),
                    ("no text", hasattr(document, "index") and _word(document.filename) not in document.index.text),
                    ("no log", document.pk not in logged),
                )
                if wrong
            ]
            found.half += [f"document {document.pk} {document.filename}: {problem}" for problem in problems]
            if audited[str(document.pk)] != 1:
                found.audit.append(f"document {document.pk}: {audited[str(document.pk)]} audit entries")

    def _imports(self, found: Findings) -> None:
        """A run is over; what it says it did is there as a whole, and nothing of any other."""
        from core.models import AuditEntry
        from orgs.models import Community, ImportRun, Unit

        acts = {act.name: act for act in self.journal.acts if act.kind == "import"}
        runs: dict[str, list[str]] = {}
        entries = AuditEntry.objects.filter(object_type="orgs.importrun", verb="created")
        audited = Counter(entries.values_list("object_id", flat=True))
        for pk, name, state in ImportRun.objects.values_list("pk", "filename", "state"):
            runs.setdefault(name, []).append(state)
            if audited[str(pk)] != 1:
                found.audit.append(f"import {pk}: {audited[str(pk)]} audit entries")
        units = Counter(Unit.objects.values_list("community__identifier", flat=True))
        houses = Counter(Community.objects.values_list("identifier", flat=True))
        for name, act in acts.items():
            states = runs.get(name, [])
            if act.acks and not states:
                found.lost.append(f"import {name}: acknowledged, not there")
            if len(states) > act.acks + act.unknown:
                found.doubled.append(f"import {name}: {len(states)} runs")
            wanted = act.rows if "done" in states else 0
            if units[act.word] != wanted or houses[act.word] != bool(wanted):
                found.half.append(f"import {name} {states}: {units[act.word]} of {wanted} flats")

    def _mails(self, found: Findings) -> None:
        """Each reader has one mail about each document, and no mail speaks of a document that is not there."""
        from docms.models import Document
        from messaging.models import Message

        documents = set(Document.objects.filter(folder__in=self.facts.folders).values_list("pk", flat=True))
        for state, count in Counter(Message.objects.exclude(state="sent").values_list("state", flat=True)).items():
            found.outbox.append(f"{count} mails are {state}")
        got = dict(self.house.post.got)
        for document in documents:
            for address in self.facts.readers:
                mails = got.get((document, address), Counter())
                if not mails:
                    found.lost.append(f"mail of document {document} to {address}")
                elif len(mails) > 1:
                    found.doubled.append(f"{len(mails)} mails of document {document} to {address}")
        for document, address in got:
            if document and document not in documents:
                found.half.append(f"a mail to {address} speaks of document {document}, which is not there")

    def _blobs(self, found: Findings) -> None:
        """Each row has its object, of the right bytes."""
        from core.models import Blob
        from core.storage import blob_name, preview_name, storage

        for blob in Blob.objects.exclude(pk__in=self._blobs_seen).order_by("pk"):
            self._blobs_seen.add(blob.pk)
            digest, size = hashlib.sha256(), 0
            try:
                for chunk in storage().stream(blob_name(blob.storage_key)):
                    digest.update(chunk)
                    size += len(chunk)
            except FileNotFoundError:
                found.blobs.append(f"blob {blob.pk} has no object")
                continue
            if digest.digest() != bytes(blob.sha256) or size != blob.size:
                found.blobs.append(f"blob {blob.pk}: other bytes")
            if blob.missing_since:
                found.blobs.append(f"blob {blob.pk} counts as missing")
            if blob.preview_key and not storage().exists(preview_name(blob.preview_key)):
                found.blobs.append(f"blob {blob.pk} has no preview")

    def _audit(self, found: Findings) -> None:
        """Digests and chain."""
        from core.services import verification

        report = verification.verify()
        found.audit += [f"{finding.kind}: {finding.text}" for finding in report.findings]

    # --- Three days later -----------------------------------------------------------------------------------

    def _sweep(self, found: Findings) -> None:
        """What was given up is tidied by the jobs, and nothing else is: then rows and objects are the same set."""
        from django.utils import timezone

        from core.models import Blob, Upload
        from core.services import sweeps, uploads
        from core.storage import storage

        later = timezone.now() + LATER
        with mock.patch.object(timezone, "now", return_value=later):
            uploads.expire()
            sweeps.sweep_unreferenced()
            sweeps.sweep_objects(force=True)
        with _everywhere():
            rows = {key.hex for key in Blob.objects.values_list("storage_key", flat=True)}
            shown = {key.hex for key in Blob.objects.values_list("preview_key", flat=True) if key}
            if Upload.objects.exists():
                found.half.append("uploads outlive their time")
        for folder, wanted in (("blobs", rows), ("previews", shown), ("parts", set()), ("tmp", set())):
            there = {name.rsplit("/", 1)[1] for name, _modified in storage().names(folder)}
            if there - wanted:
                found.half.append(f"{len(there - wanted)} objects in {folder} that no sweep tidies")
            if wanted - there:
                found.blobs.append(f"{len(wanted - there)} objects of {folder} are gone after the sweep")


def _open() -> Iterator[tuple[str, int]]:
    """What is still on its way, by name."""
    from core.models import AuditEntry, Blob, JobRun
    from docms.models import Document, DocumentIndex
    from messaging.models import Message
    from orgs.models import ImportRun

    newest = set(JobRun.objects.order_by("name", "-started_at").distinct("name").values_list("pk", flat=True))
    counts: dict[str, Callable[[], int]] = {
        "outbox": Message.objects.filter(state__in=("queued", "sending")).count,
        "announcements": Document.objects.filter(notified_at=None).count,
        "previews": Blob.objects.filter(preview_state="pending", missing_since=None).count,
        "index": DocumentIndex.objects.filter(pending=True).count,
        "imports": ImportRun.objects.filter(state__in=ImportRun.OPEN).count,
        "audit": AuditEntry.objects.filter(seq=None).count,
        "jobs": JobRun.objects.filter(ended_at=None).exclude(pk__in=newest).count,
    }
    for name, count in counts.items():
        yield name, count()


def _word(filename: str) -> str:
    return filename.partition(".")[0]


@contextmanager
def _everywhere() -> Iterator[None]:
    from core import scope

    with scope.unit_of_work(door="faults"), scope.all_tenants():
        yield


def _hang_up() -> None:
    from django.db import connections

    connections.close_all()
