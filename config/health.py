"""`/healthz`: the process answers. `/readyz`: what it leans on answers, or the name of what does not."""

from __future__ import annotations

import datetime
import smtplib
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from config.insiders import is_insider
from core import scope
from core.errors import StorageDown
from core.middleware import own_transactions
from core.models import AuditEntry, JobRun
from core.services import scanning, sealing
from messaging.models import Message

STUCK = datetime.timedelta(minutes=15)  # a mail that waits longer is a problem to look at
PATIENCE = 3  # seconds for each outside part


@own_transactions
def healthz(request: HttpRequest) -> JsonResponse:
    """Alive."""
    return JsonResponse({"status": "ok"})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE).ping()


def _storage() -> None:
    name = default_storage.save(f"health/{uuid.uuid4().hex}", ContentFile(b"ok"))
    default_storage.delete(name)


def _mail() -> None:
    if not settings.EMAIL_URL:
        return
    url = urlsplit(settings.EMAIL_URL)
    kind = smtplib.SMTP_SSL if url.scheme in ("smtps", "smtp+ssl") else smtplib.SMTP
    with kind(
        url.hostname or "localhost", url.port or (465 if kind is smtplib.SMTP_SSL else 25), timeout=PATIENCE
    ) as server:
        server.noop()


def _outbox() -> None:
    # Only what should be out by now: mail for a later moment waits rightly.
    with scope.unit_of_work(door="health"), scope.all_tenants():
        waiting = Message.objects.filter(state="queued", not_before__lt=timezone.now() - STUCK)
        late = waiting.order_by("not_before").first()
    if late is not None:
        raise RuntimeError(f"message {late.pk} has waited since {late.not_before:%Y-%m-%d %H:%M} UTC")


def _audit() -> None:
    with scope.unit_of_work(door="health"), scope.all_tenants():
        waiting = AuditEntry.objects.filter(seq=None, at__lt=timezone.now() - sealing.LATE)
        late = waiting.order_by("pk").values_list("pk", "at").first()
    if late is not None:
        raise RuntimeError(f"entry {late[0]} has waited for the sealer since {late[1]:%Y-%m-%d %H:%M} UTC")


def _scanner() -> None:
    if settings.CLAMAV_URL:
        scanning.ping()


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "broker": _broker,
    "storage": _storage,
    "mail": _mail,
    "outbox": _outbox,
    "audit": _audit,
    "scanner": _scanner,
}


def _jobs() -> dict[str, Any]:
    newest = JobRun.objects.order_by("name", "-started_at").distinct("name")
    return {
        row.name: {
            "started": row.started_at.isoformat(),
            "ended": row.ended_at.isoformat() if row.ended_at else None,
            "counts": row.counts,
            "error": row.error.split("\n", 1)[0],
        }
        for row in newest
    }


@own_transactions
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready to serve; 503 names what fails. Why, and when each job last ran, learns whoever is inside."""
    results: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check()
            results[name] = "ok"
        except StorageDown as error:
            results[name] = f"failed: {error.reason}"
        except (
            TimeoutError,
            OSError,
            RuntimeError,
            scanning.ScannerDown,
            smtplib.SMTPException,
            redis.RedisError,
        ) as error:
            results[name] = f"failed: {type(error).__name__}: {error}"[:300]
        except Exception as error:
            results[name] = f"failed: {type(error).__name__}"
    failed = [name for name, result in results.items() if result != "ok"]
    body: dict[str, Any] = {"status": "ok" if not failed else "failed: " + ", ".join(failed)}
    if is_insider(request):
        body |= {"checks": results, "jobs": _jobs() if results["database"] == "ok" else {}}
    return JsonResponse(body, status=503 if failed else 200)
