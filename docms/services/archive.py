"""Papers taken away together: a ZIP made while it is sent, with a manifest that says of each paper what became of it.

Each paper is opened like a single one, in a unit of work of its own that ends before its bytes are sent: rights, locks,
scan and proof are those of `delivery`. What cannot come along is named in the manifest with the reason.
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import scope
from core.disk import CHUNK
from core.errors import DomainError, StorageDown
from core.services.wake import wake
from core.services.zips import Names, Zip
from core.storage import blob_name, storage
from docms.models import Document
from docms.services import delivery
from orgs.actor import enter
from orgs.models import User

if TYPE_CHECKING:
    import datetime
    import zoneinfo
    from collections.abc import Iterator, Mapping, Sequence

    from core.models import Blob
    from docms.models import Folder
    from orgs.actor import Actor

log = logging.getLogger(__name__)

BATCH = 100  # papers after which is asked anew who the person is
SPOOL = 1024 * 1024  # bytes of a list that are kept in memory
MANIFEST, SUMS = "manifest.csv", "SHA256SUMS"


class _Paper(NamedTuple):
    """What the manifest says of a paper, whether it comes along or not."""

    pk: int
    title: str
    folder_id: int
    provided: datetime.datetime


def archive(
    *, actor: Actor, document_ids: Sequence[int], folders: Mapping[int, Folder], zone: zoneinfo.ZoneInfo
) -> Iterator[bytes]:
    """The bytes of a ZIP of these papers, in this order; equal folders should stand together.

    ``folders`` are those of the papers and the ones above them, by id. Who the person is, and what they may, is asked
    anew while the archive is sent: a right that is taken away ends it for the papers that are still to come.

    Side effects, of each paper just before its bytes are sent: those of `delivery.open_for_archive`.
    """
    assert actor.user_id is not None, "papers are taken by people"
    work = _Work(scope.current(), actor.user_id, actor.door)
    return _Archive(work, folders, zone).of(document_ids)


class _Work:
    """Units of work after the one of the request: they are opened while the answer is being sent."""

    def __init__(self, now: scope.Scope, user_id: int, door: str) -> None:
        self._now, self._user_id, self._door = now, user_id, door
        self._language = translation.get_language() or "de"
        self.actor: Actor | None = None

    @contextmanager
    def unit(self, *, anew: bool = False) -> Iterator[Actor]:
        with translation.override(self._language), scope.resumed(self._now):
            if anew or self.actor is None:
                user = User.objects.filter(pk=self._user_id).first()
                self.actor = enter(user if user and user.is_active else None, door=self._door)
                self._now = replace(self._now, tenants=self.actor.tenants)
            yield self.actor

    @contextmanager
    def speaking(self) -> Iterator[None]:
        with translation.override(self._language):
            yield


class _Archive:
    """One archive on its way."""

    def __init__(self, work: _Work, folders: Mapping[int, Folder], zone: zoneinfo.ZoneInfo) -> None:
        self.work, self.folders, self.zone = work, folders, zone
        self.zip = Zip()
        self.paths: dict[int | None, str] = {}
        self.names: dict[int | None, Names] = {None: Names(MANIFEST, SUMS)}

    def of(self, document_ids: Sequence[int]) -> Iterator[bytes]:
        with (
            tempfile.SpooledTemporaryFile(max_size=SPOOL) as rows,
            tempfile.SpooledTemporaryFile(max_size=SPOOL) as sums,
        ):
            lists = _Lists(rows, sums, self.zone)
            with self.work.speaking():
                lists.head()
            for start in range(0, len(document_ids), BATCH):
                ids = document_ids[start : start + BATCH]
                found = self._papers(ids)
                for document_id in ids:
                    if document_id in found:
                        yield from self._add(found[document_id], lists)
                    else:
                        with self.work.speaking():
                            lists.gone(document_id)
            now = timezone.now().astimezone(self.zone)
            for name, file in ((MANIFEST, rows), (SUMS, sums)):
                file.seek(0)
                yield from self.zip.add(name, _read(file), moment=now)
            yield from self.zip.close()

    def _papers(self, ids: Sequence[int]) -> dict[int, _Paper]:
        """What is still there of them, by id."""
        with self.work.unit(anew=True) as actor:
            found = Document.objects.visible_to(actor, all=True).filter(pk__in=list(ids)).order_by()
            rows = found.values_list("pk", "title", "filename", "folder_id", "active_from", "created_at")
            return {
                pk: _Paper(pk, title or filename, folder_id, since or created)
                for pk, title, filename, folder_id, since, created in rows
                if folder_id in self.folders  # moved to where nobody looked: that is gone, too
            }

    def _add(self, paper: _Paper, lists: _Lists) -> Iterator[bytes]:
        """One paper, or the reason why it does not come along."""
        try:
            with self.work.unit() as actor:
                _document, version, blob = delivery.open_for_archive(document_id=paper.pk, actor=actor)
                content = self._open(blob)
        except DomainError as error:
            with self.work.speaking():
                lists.left_out(paper, self._folder_path(paper.folder_id), str(error.message))
            return
        path = self._folder_path(paper.folder_id)
        name = f"{path}/{self.names.setdefault(paper.folder_id, Names()).give(version.filename)}"
        digest, note = hashlib.sha256(), ""
        try:
            moment = paper.provided.astimezone(self.zone)
            yield from self.zip.add(name, _hashed(content, digest), moment=moment, size=blob.size)
        except (OSError, DomainError):
            log.exception("the content of blob %s broke off in an archive", blob.pk)
        if digest.digest() != bytes(blob.sha256):
            with self.work.speaking():
                note = _("The content broke off or is damaged. Please download this paper once more.")
        lists.taken(paper, path, name, blob, note)

    def _open(self, blob: Blob) -> Iterator[bytes]:
        """The content, whose first bytes are there: what is missing shows before anything is written down.

        Raises `NotFound` when the object is lost, `StorageDown`.
        """
        chunks = storage().stream(blob_name(blob.storage_key), 0, blob.size)
        try:
            first = next(chunks, b"")
        except FileNotFoundError:
            wake("core.mark_missing", blob.pk)
            raise delivery.missing() from None
        except OSError as error:
            raise StorageDown(str(error)) from error
        return _from(first, chunks)

    def _folder_path(self, folder_id: int | None) -> str:
        """Where the papers of a folder lie in the archive; folders whose names become equal get numbers."""
        if folder_id is None:
            return ""
        if folder_id not in self.paths:
            folder = self.folders[folder_id]
            parent = folder.parent_id if folder.parent_id in self.folders else None
            above = self._folder_path(parent)
            name = self.names.setdefault(parent, Names()).give(folder.name)
            self.paths[folder_id] = f"{above}/{name}" if above else name
        return self.paths[folder_id]


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _from(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _hashed(content: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for chunk in content:
        digest.update(chunk)
        yield chunk


class _Lists:
    """The manifest, for people and tables, and the checksums as ``sha256sum --check`` reads them."""

    def __init__(self, rows: IO[bytes], sums: IO[bytes], zone: zoneinfo.ZoneInfo) -> None:
        self._rows, self._sums, self._zone = rows, sums, zone

    def head(self) -> None:
        self._rows.write(b"\xef\xbb\xbf")  # by which table programs know UTF-8
        self._line(_("Path"), _("Title"), _("Folder"), _("Provided"), _("Size in bytes"), "SHA-256", _("Note"))

    def taken(self, paper: _Paper, folder: str, name: str, blob: Blob, note: str) -> None:
        self._line(name, paper.title, folder, self._day(paper), blob.size, bytes(blob.sha256).hex(), note)
        if not note:
            self._sums.write(f"{bytes(blob.sha256).hex()}  {name}\n".encode())

    def left_out(self, paper: _Paper, folder: str, why: str) -> None:
        self._line("", paper.title, folder, self._day(paper), "", "", _("Not included: %(why)s") % {"why": why})

    def gone(self, document_id: int) -> None:
        """Of what was deleted, hidden or withdrawn since the list was made, nothing is told but that."""
        why = _("It is no longer there.")
        self._line("", f"#{document_id}", "", "", "", "", _("Not included: %(why)s") % {"why": why})

    def _day(self, paper: _Paper) -> str:
        return paper.provided.astimezone(self._zone).isoformat(timespec="seconds")

    def _line(self, *values: object) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter=";").writerow([_harmless(str(value)) for value in values])
        self._rows.write(line.getvalue().encode())


def _harmless(text: str) -> str:
    """A table program would calculate what begins like a formula; with an apostrophe in front it shows it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
