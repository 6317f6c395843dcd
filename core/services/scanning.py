"""The hook for a virus scanner: ClamAV's daemon looks at bytes before they leave. Its silence never lets them go.

Blobs are born ``pending`` where ``CLAMAV_URL`` names a scanner, and stay so until it has answered; see
`core.services.blobs.require_deliverable` for the gate. What is larger than the scanner takes is held, too, until
the operator releases it.
"""

from __future__ import annotations

import datetime
import logging
import socket
import struct
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from clamav_client.clamd import BufferTooLongError, ClamdError, ClamdNetworkSocket, CommunicationError
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import scope
from core.errors import Conflict, NotFound, StorageDown
from core.models import Blob, SystemLog
from core.services import audit, rows
from core.services.blobs import wake_preview
from core.services.wake import wake
from core.signals import blob_cleared
from core.storage import blob_name, storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

TASK = "docms.scan_document"
CONNECT = 5.0  # seconds for a connection and for PING
PATIENCE = 150.0  # seconds of silence that are borne: the scanner itself gives up a file after 120
FORGOTTEN = datetime.timedelta(minutes=1)  # after which the job takes up what no worker has finished
BATCH = 100  # blobs of one run of the job
BUDGET = 300.0  # seconds after which a run of the job begins no other blob
FAILURES = 3  # blobs of one run that may fail while the scanner says that it is well
TOLD = datetime.timedelta(hours=1)  # between two entries of the system log about a scanner that is down
# A file within our limit that exceeds one of the scanner's own (AlertExceedsMax): it was not looked at to its end.
_EXCEEDED = "Heuristics.Limits.Exceeded"


class ScannerDown(Exception):
    """No answer, or none that says anything."""


# --- The scanner ------------------------------------------------------------------------------------------


class _Daemon(ClamdNetworkSocket):
    """The library's client, on a Unix socket or over TCP, that sends large chunks and hears a refusal while sending."""

    def __init__(self, address: str, patience: float) -> None:
        url = urlsplit(address)
        super().__init__(url.hostname or "", url.port or 3310, patience)
        self.path = unquote(url.path) if url.scheme == "unix" else ""

    def _init_socket(self) -> None:
        try:
            self.clamd_socket = self._connected()
        except OSError as error:
            raise CommunicationError(error.strerror or str(error)) from error
        self.clamd_socket.settimeout(self.timeout)

    def _connected(self) -> socket.socket:
        if not self.path:
            return socket.create_connection((self.host, self.port), CONNECT)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT)
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection

    def look_at(self, chunks: Iterable[bytes]) -> tuple[str, str]:
        """``OK``, ``FOUND`` or ``ERROR``, and the name of what was found. Raises `OSError` and `ClamdError`."""
        self._init_socket()
        try:
            self._send_command("INSTREAM")
            try:
                for chunk in chunks:
                    self.clamd_socket.sendall(struct.pack("!L", len(chunk)) + chunk)
                self.clamd_socket.sendall(struct.pack("!L", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has said why before it hung up
            reply = self._recv_response()
            if reply.startswith("INSTREAM size limit exceeded"):
                raise BufferTooLongError(reply)
            _path, name, status = self._parse_response(reply)
            return str(status), str(name or "")
        finally:
            self._close_socket()


def ping() -> None:
    """Raises `ScannerDown` unless there is a scanner and says that it is there."""
    if not settings.CLAMAV_URL:
        raise ScannerDown("no scanner is named")
    try:
        answer = _Daemon(settings.CLAMAV_URL, CONNECT).ping()
    except (OSError, ClamdError, UnicodeDecodeError) as error:
        raise ScannerDown(f"no answer: {_words(error)}") from error
    if answer != "PONG":
        raise ScannerDown("no scanner answers there")


def _verdict(blob: Blob) -> tuple[Blob.Scan, str]:
    """What becomes of a blob, and why. Raises `ScannerDown`, `StorageDown`, `FileNotFoundError`."""
    if blob.size > settings.CLAMAV_LIMIT:
        return Blob.Scan.TOO_LARGE, f"{blob.size} bytes, CLAMAV_LIMIT is {settings.CLAMAV_LIMIT}"
    chunks = storage().stream(blob_name(blob.storage_key), 0, blob.size)
    try:
        status, name = _Daemon(settings.CLAMAV_URL, PATIENCE).look_at(chunks)
    except FileNotFoundError:
        raise  # the object; the scanner's socket is a `CommunicationError`
    except BufferTooLongError:
        return Blob.Scan.TOO_LARGE, f"{blob.size} bytes, more than StreamMaxLength of the scanner"
    except (OSError, ClamdError, UnicodeDecodeError) as error:
        raise ScannerDown(f"no answer: {_words(error)}") from error
    if status == "OK":
        return Blob.Scan.CLEAN, ""
    if status == "FOUND" and name.startswith(_EXCEEDED):
        return Blob.Scan.TOO_LARGE, f"{blob.size} bytes, {name}"
    if status == "FOUND":
        return Blob.Scan.INFECTED, name
    raise ScannerDown(f"the scanner answers: {name[:100]}")


def _words(error: Exception) -> str:
    return str(error).strip()[:200] or type(error).__name__


# --- Blobs ------------------------------------------------------------------------------------------------


def scan_blob(blob_id: int) -> str:
    """Let the scanner look at a blob that waits for it; returns the state, "" for an unknown blob.

    Side effects of a clean one: `blob_cleared`, a woken preview maker. Of an infected or too large one: audit, an
    entry of the system log for the operator. Repeating it changes nothing. No transaction is open meanwhile.

    Raises `ScannerDown` when there is no verdict, `StorageDown` and `FileNotFoundError` when there are no bytes: it
    stays held then, and the job takes it up.
    """
    with _unit():
        blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or blob.scan != Blob.Scan.PENDING or not settings.CLAMAV_URL:
        return blob.scan if blob else ""
    verdict, why = _verdict(blob)
    with _unit():
        fresh = Blob.objects.select_for_update(no_key=True).filter(pk=blob_id).first()
        if fresh is None or fresh.scan != Blob.Scan.PENDING or fresh.storage_key != blob.storage_key:
            return fresh.scan if fresh else ""
        _settle(fresh, verdict, why)
        return fresh.scan


def _settle(blob: Blob, verdict: Blob.Scan, why: str) -> None:
    rows.change(blob, {"scan": verdict}, verb="scanned", check=False)
    if verdict == Blob.Scan.CLEAN:
        _clear(blob)
        return
    if verdict == Blob.Scan.INFECTED:
        audit.record("malware_found", blob, {"name": [None, why]})
    log.error("blob %s is held back, %s: %s", blob.pk, verdict, why)
    SystemLog.objects.create(
        tenant_id=blob.tenant_id, category=TASK, action=f"blob {blob.pk}: {verdict}", stacktrace=why[:20000]
    )


def _clear(blob: Blob) -> None:
    wake_preview(blob)
    blob_cleared.send(sender=Blob, blob=blob)


def catch_up() -> Counts:
    """Job: scan what no worker was told of, and what waited while the scanner was down.

    A blob that fails goes to the end of the line, so that one at which the scanner dies holds up no other. The
    system log hears of a scanner that is down, once an hour.
    """
    counts = {"scanned": 0, "held": 0}
    if not settings.CLAMAV_URL:
        return counts
    until, failures = time.monotonic() + BUDGET, 0
    for blob_id in _waiting():
        if time.monotonic() > until:
            break
        try:
            scan_blob(blob_id)
            counts["scanned"] += 1
        except (ScannerDown, StorageDown, OSError) as error:
            counts["held"] += 1
            failures += 1
            _put_back(blob_id, error)
            if failures >= FAILURES or not _is_well():
                break
    return counts


def _waiting() -> list[int]:
    late = timezone.now() - FORGOTTEN
    with _unit():
        found = Blob.objects.filter(scan=Blob.Scan.PENDING, missing_since=None, updated_at__lt=late)
        return list(found.order_by("updated_at", "pk").values_list("pk", flat=True)[:BATCH])


def _put_back(blob_id: int, error: Exception) -> None:
    reason = error.reason if isinstance(error, StorageDown) else _words(error)
    log.warning("blob %s stays held: %s", blob_id, reason)
    now = timezone.now()
    with _unit():
        Blob.objects.filter(pk=blob_id, scan=Blob.Scan.PENDING).update(updated_at=now)
        if not SystemLog.objects.filter(category=TASK, action="held", created_at__gt=now - TOLD).exists():
            SystemLog.objects.create(category=TASK, action="held", stacktrace=f"blob {blob_id}: {reason}")


def _is_well() -> bool:
    try:
        ping()
    except ScannerDown:
        return False
    return True


# --- The operator -----------------------------------------------------------------------------------------


def scan_again(*states: str) -> int:
    """Have every blob in these states scanned, again or for the first time; returns their number.

    They are held from now on until the scanner has answered. In batches, so that no request waits for long.
    """
    total, last = 0, 0
    while True:
        with _unit():
            found = Blob.objects.filter(scan__in=states, pk__gt=last).order_by("pk")
            batch = list(found.select_for_update(no_key=True)[:BATCH])
            for blob in batch:
                rows.change(blob, {"scan": Blob.Scan.PENDING}, verb="scan_asked", check=False)
                transaction.on_commit(partial(wake, TASK, blob.pk), robust=True)
        if not batch:
            return total
        total, last = total + len(batch), batch[-1].pk


@transaction.atomic
def release(*, blob_id: int) -> Blob:
    """Let a blob leave that the scanner will not look at: too large for it, or waiting for one that is gone for good.

    Side effects: audit; `blob_cleared`. Raises `NotFound`, and `Conflict` for what is infected or was never held.
    """
    blob = Blob.objects.select_for_update(no_key=True).filter(pk=blob_id).first()
    if blob is None:
        raise NotFound
    if blob.scan not in (Blob.Scan.TOO_LARGE, Blob.Scan.PENDING):
        raise Conflict(f"blob {blob_id} is {blob.scan}", code="not_held")
    rows.change(blob, {"scan": Blob.Scan.SKIPPED}, verb="released", check=False)
    _clear(blob)
    return blob


@contextmanager
def _unit() -> Iterator[None]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        yield
