"""Refusals in plain words, before any door has coloured them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions

from core.errors import Denied, DomainError
from core.outages import outage_of
from core.services.rows import Taken


@dataclass(frozen=True)
class Problem:
    """An error in words that no door has coloured yet. ``code`` is stable, ``message`` is for people."""

    status: int
    code: str
    message: str
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    retry_after: int = 0
    denied_status: int = 0


_FRAMEWORK: tuple[tuple[Any, int, str, Any], ...] = (
    (Http404, 404, "not_found", gettext_lazy("Not found.")),
    (PermissionDenied, 403, "forbidden", gettext_lazy("You may not do this.")),
    (RequestDataTooBig, 413, "too_large", gettext_lazy("The request is too large.")),
    ((SuspiciousOperation, UnreadablePostError), 400, "invalid", gettext_lazy("The request could not be read.")),
)


def problem_of(error: Exception) -> Problem:
    """What went wrong, from any exception a view may raise. Unexpected ones are status 500 without details."""
    error = outage_of(error) or error
    if isinstance(error, DomainError):
        return Problem(
            status=error.status,
            code=error.code,
            message=str(error.message),
            fields={name: [str(text) for text in texts] for name, texts in error.fields.items()},
            retry_after=getattr(error, "retry_after", 0),
            denied_status=error.denied_status if isinstance(error, Denied) else 0,
        )
    if isinstance(error, ValidationError):
        return _of_validation(error)
    if isinstance(error, exceptions.ValidationError):
        fields = _flat(error.detail)
        return Problem(400, "invalid", _in_words(fields), fields)
    if isinstance(error, exceptions.APIException):
        wait = int(getattr(error, "wait", None) or 0)
        code = str(getattr(error, "default_code", "error"))
        return Problem(error.status_code, code, str(error.detail), retry_after=wait)
    for kind, status, code, message in _FRAMEWORK:
        if isinstance(error, kind):
            return Problem(status, code, str(message))
    return Problem(500, "internal", _("Something went wrong on our side."))


def _of_validation(error: ValidationError) -> Problem:
    """Django's: 409 when a value is taken, else 400."""
    parts: dict[str, list[ValidationError]] = (
        error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    )
    fields = {name: [text for part in errors for text in part.messages] for name, errors in parts.items()}
    codes = {part.code for errors in parts.values() for part in errors}
    taken = isinstance(error, Taken) or bool(codes & {"unique", "unique_together"})
    return Problem(409 if taken else 400, "exists" if taken else "invalid", _in_words(fields), fields)


def _flat(detail: Any, name: str = NON_FIELD_ERRORS) -> dict[str, list[str]]:
    """The nested details of the REST framework as texts by dotted field."""
    found: dict[str, list[str]] = {}
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            inner = str(key) if name == NON_FIELD_ERRORS else name if key == "non_field_errors" else f"{name}.{key}"
            found |= _flat(value, inner)
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            if isinstance(value, Mapping):
                found |= _flat(value, f"{name}[{index}]")
            else:
                found.setdefault(name, []).append(str(value))
    else:
        found[name] = [str(detail)]
    return found


def _in_words(fields: Mapping[str, Sequence[str]]) -> str:
    """One sentence per wrong field, for dialects that have a single message."""
    general = {NON_FIELD_ERRORS, "non_field_errors"}
    lines = [text if name in general else f"{name}: {text}" for name, texts in fields.items() for text in texts]
    return " ".join(lines) or _("Please check your input.")
