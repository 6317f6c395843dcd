"""Structured logs: one JSON object a line, with request and tenant, without secrets."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from core import scope

_KEYS = (
    r"passwor[dt]|passwd|passphrase|pwd|token|code|secret|(?:api|app|tfa|licen[cs]e)[_-]?key|tfa_?input|file_?data"
    r"|sessionid|user_session"
)
# What follows such a name, up to the end of the quotation (which may itself be quoted) or of the word; credentials of a
# header, whoever quotes it; and Base64 so long that it is the content of a file.
_SECRETS = re.compile(
    r"(?i)"
    r"(authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:bearer|basic)\s+)[^\s\"'\\,;]+"
    r"|(\b(?:bearer|basic)\s+)[\w.~+/=-]{16,}"
    r"|((?:" + _KEYS + r")\\*[\"']?\s*(?:[=:]|%3[ad])\s*)"
    r"(?:(?P<quote>\\{0,15}[\"'])(?:(?!(?P=quote))(?:\\.|[^\\\r\n]))*|[^\s\"'&,;]+)"
    r"|(://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # of a URL; a signed token
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{200,}={0,2}"
)
_SECRET_KEY = re.compile(r"(?i)(?:authorization|cookie|" + _KEYS + r")\Z")
# Segments of paths that are a secret or an address: links, invite codes, second-factor codes, shares (DOCMS-182).
# The first branch passes over two paths that only look like one. An address may stand in the query of another one
# (`/app/login?next=%2Fapp%2Finvite%2F…`), hence %2F and %3D.
_SEGMENTS = (
    r"(?i)(/users/\d+/tfa/|/files/\d+/shares/)"
    r"|((?:/|%2f)(?:invites?|app(?:/|%2f)password|app(?:/|%2f)owner(?:/|%2f)\d+|owner(?:/|%2f)invitation|password(?:/|%2f)(?:token|mail)|shares|tfa)(?:/|%2f))"
)
# PostgreSQL prints the row that it refuses, whatever is in it. Ends where Python goes on about another exception.
_DETAIL = re.compile(r"(?s)\bDETAIL:  .*?(?=\n\n(?:The above exception|During handling)|\Z)")
_IN_TEXT = re.compile(_SEGMENTS + r"[^/?#\s\"]+")
_IN_PATH = re.compile(_SEGMENTS + r"[^/]+")


REFUSALS = (403, 404)


def _masked_secret(found: re.Match[str]) -> str:
    return f"{found[1] or found[2] or found[3] or found[5] or ''}{found['quote'] or ''}***"


def _hidden(found: re.Match[str]) -> str:
    return found.group(1) or f"{found.group(2)}***"


def mask(text: str) -> str:
    """The text without passwords, tokens and codes (DOCMS-167, 182), and without rows that PostgreSQL has printed."""
    if "DETAIL:  " in text:
        text = _DETAIL.sub("DETAIL:  ***", text)
    return _IN_TEXT.sub(_hidden, _SECRETS.sub(_masked_secret, text))


def mask_path(path: str) -> str:
    """A path without the segments that are secrets or addresses (DOCMS-182)."""
    return _IN_PATH.sub(_hidden, path)


def _masked(name: str, value: Any) -> Any:
    """What a caller added to a record, as deep as it goes."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEY.match(name):
        return "***"
    if isinstance(value, Mapping):
        return {str(key): _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", inner) for inner in value]
    return mask(str(value))


class ContextFilter(logging.Filter):
    """Adds request, door, user and tenants of the running unit of work, masks secrets, drops traces of refusals.

    Django logs an answer when all is closed, and hands the request over with the record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        now = scope.latest()
        served = getattr(getattr(record, "request", None), "served", None)
        if not now.request_id and served is not None:
            now = served.scope
        record.request_id, record.door = now.request_id, now.door
        record.user_id, record.tenants = now.user_id, sorted(now.tenants)
        record.msg, record.args = mask(record.getMessage()), None
        if getattr(record, "status_code", 0) in REFUSALS:
            record.exc_info = record.exc_text = None  # an answer, no fault: where it was said helps nobody
        return True


class JsonFormatter(_JsonFormatter):
    """The line format: time, level, logger, message, context."""

    converter = staticmethod(time.gmtime)  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}{door}{user_id}{tenants}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Mask everything that callers added, traces included.

        Django adds the request itself, which prints its path; the message has said that already, masked.
        """
        log_data.pop("request", None)
        return {name: _masked(name, value) for name, value in log_data.items()}
