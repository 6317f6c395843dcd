"""Errors of the installation, for the operator to read in the back office."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError

from core import scope
from core.logs import mask
from core.models import SystemLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.http import HttpRequest
    from rest_framework.request import Request

log = logging.getLogger(__name__)
LIMIT = 20000  # characters of a trace; its end says what happened
# Areas that clients may name; the contract has unknown ones stored as the first (`SystemLogCreate.category`).
CATEGORIES = ("frontend", "backend", "mail", "sms", "storage", "license", "update", "job")


def report(request: HttpRequest | Request, error: BaseException) -> None:
    """An error that a request failed with, whichever door it came through. Once a request; never raises.

    Side effects: a row in a unit of work of its own, because the request's is undone.
    """
    bare: Any = getattr(request, "_request", request)  # what the REST framework has wrapped
    if getattr(bare, "reported", False):
        return
    bare.reported = True
    try:
        _write(request, bare, error)
    except Exception:  # the database may be what failed
        log.exception("could not write the system log")


def _write(request: HttpRequest | Request, bare: Any, error: BaseException) -> None:
    served = getattr(bare, "served", None)
    known: scope.Scope = served.scope if served is not None else scope.current()
    actor = getattr(request, "actor", None)
    tenant_id = getattr(actor, "tenant_id", None)
    if tenant_id is None and len(known.tenants) == 1:
        (tenant_id,) = known.tenants
    user_id = getattr(actor, "user_id", None) or known.user_id
    head = f"Request {known.request_id}\n"
    trace = _storable(mask("".join(traceback.format_exception(error))))[len(head) - LIMIT :]
    # Account or tenant may have been made by the request, and be undone with it.
    for user, tenant in ((user_id, tenant_id), (None, None)):
        try:
            with scope.unit_of_work(
                door=known.door, ip=known.ip, request_id=known.request_id, user_id=user, tenants=known.tenants
            ):
                SystemLog.objects.create(
                    user_id=user,
                    tenant_id=tenant,
                    category="backend",
                    action=_storable(f"{bare.method} {mask(bare.path)}")[:100],
                    stacktrace=head + trace,
                )
        except IntegrityError:
            if (user, tenant) == (None, None):
                raise
        else:
            return


def _storable(text: str) -> str:
    """Without what a text column refuses: zero bytes and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def report_of_client(*, user_id: int, tenant_id: int, reports: Iterable[Mapping[str, str]]) -> list[SystemLog]:
    """Errors that a client noticed (DOCMS-166): ``category``, ``action``, ``stacktrace`` of each.

    What looks like a secret is masked (DOCMS-167). Who, where and when are said by the caller and the clock.
    """
    return SystemLog.objects.bulk_create(
        SystemLog(
            user_id=user_id,
            tenant_id=tenant_id,
            category=report["category"] if report["category"] in CATEGORIES else CATEGORIES[0],
            action=_storable(mask(report["action"]))[:100],
            stacktrace=_storable(mask(report["stacktrace"]))[-LIMIT:],
        )
        for report in reports
    )
