"""Structured logs: one JSON object a line, with request and tenant, without secrets."""

from __future__ import annotations

import logging
import re
import time

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from core import scope

_SECRETS = re.compile(
    r"(?i)(authorization: *(?:bearer|basic) +|(?:password|passwort|token|code|secret|api[_-]?key|sessionid|user_session)"
    r"[\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;]+)"
)
# Paths that carry a secret: links, invite codes, second-factor codes, shares (DOCMS-182).
_SECRET_PATHS = re.compile(r"(/(?:invite|password/token|shares|tfa|app/password)/)([^/?\s\"]+)")


def mask(text: str) -> str:
    """The text without passwords, tokens and codes (DOCMS-167, 182)."""
    return _SECRET_PATHS.sub(r"\1***", _SECRETS.sub(r"\1***", text))


class ContextFilter(logging.Filter):
    """Adds request, door, user and tenants of the running unit of work, and masks secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        now = scope.current()
        record.request_id, record.door = now.request_id, now.door
        record.user_id, record.tenants = now.user_id, sorted(now.tenants)
        record.msg, record.args = mask(record.getMessage()), None
        return True


class JsonFormatter(_JsonFormatter):
    """The line format: time, level, logger, message, context."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}{door}{user_id}{tenants}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )

    def formatException(self, exc_info) -> str:  # type: ignore[no-untyped-def]  # noqa: N802 - logging's name
        return mask(super().formatException(exc_info))
