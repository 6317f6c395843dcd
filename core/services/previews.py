"""Previews: the first page of a PDF, or a picture made small, drawn by a worker in a process with limits."""

from __future__ import annotations

import datetime
import logging
import subprocess
import sys
import uuid
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from core import scope
from core.disk import CHUNK
from core.models import Blob
from core.services import rows
from core.services.blobs import on_undone
from core.storage import blob_name, preview_name, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

PATIENCE = 60  # seconds a drawing may take
FORGOTTEN = datetime.timedelta(minutes=10)  # after which a preview nobody made is taken up by the job
BATCH = 50  # previews of one run of the job


def make_preview(blob_id: int) -> str:
    """Draw the preview of a blob and write down how it went; returns the state, "" for an unknown blob.

    A password makes it `encrypted`, damage `broken`, what has no picture or takes too much time or memory `none`.
    Repeating it changes nothing. No transaction is open while it draws. What the virus scanner holds is left alone.
    """
    with _unit():
        blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or blob.preview_state != Blob.Preview.PENDING or blob.scan in Blob.HELD:
        return blob.preview_state if blob else ""
    with TemporaryDirectory(prefix="preview-") as folder:
        target = Path(folder, "preview.webp")
        try:
            with storage().local_copy(blob_name(blob.storage_key)) as source:
                state = _draw(blob, source, target)
        except FileNotFoundError:
            log.warning("blob %s has no object to draw", blob_id)
            return blob.preview_state
        return _keep(blob_id, state, target if state == Blob.Preview.READY else None)


def catch_up() -> Counts:
    """Job: make the previews that a dead broker or a killed worker left."""
    with _unit():
        left = list(
            Blob.objects.deliverable()
            .filter(preview_state=Blob.Preview.PENDING, created_at__lt=timezone.now() - FORGOTTEN)
            .values_list("pk", flat=True)[:BATCH]
        )
    for blob_id in left:
        make_preview(blob_id)
    return {"previews": len(left)}


@contextmanager
def _unit() -> Iterator[None]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        yield


def _draw(blob: Blob, source: Path, target: Path) -> str:
    kind = "pdf" if blob.mime == "application/pdf" else "picture"
    command = [sys.executable, "-m", "core.preview_process", kind, str(source), str(target)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, cwd=settings.BASE_DIR, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        log.warning("the preview of blob %s took too long", blob.pk)
        return Blob.Preview.NONE
    state = done.stdout.strip()
    if done.returncode or state not in Blob.Preview.values:
        log.warning("the preview of blob %s failed (%s): %s", blob.pk, done.returncode, done.stderr[-500:])
        return Blob.Preview.NONE
    return state


def _keep(blob_id: int, state: str, picture: Path | None) -> str:
    """Store the picture and the outcome, unless another worker was faster."""
    with _unit():
        blob = Blob.objects.select_for_update(no_key=True).filter(pk=blob_id).first()
        if blob is None or blob.preview_state != Blob.Preview.PENDING:
            return blob.preview_state if blob else ""
        key = None
        if picture is not None:
            key = uuid.uuid4()
            temp = storage().begin()
            try:
                with picture.open("rb") as file:
                    while chunk := file.read(CHUNK):
                        temp.write(chunk)
                storage().commit(temp, preview_name(key))
            finally:
                temp.discard()
            on_undone(partial(storage().delete, preview_name(key)))
        rows.change(blob, {"preview_state": state, "preview_key": key}, verb="preview", check=False)
        return state
