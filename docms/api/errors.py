"""The docms dialect of errors: ``timestamp, status, error, message, path`` (DOCMS-180)."""

from __future__ import annotations

import http
import zoneinfo
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from core.api import Operations
from core.errors import DomainError
from core.logs import mask_path
from core.problems import Problem
from docms.api.fields import moment

if TYPE_CHECKING:
    from rest_framework.request import Request

# Stable words that clients react to, by the code of the house.
_MESSAGES = {
    "account_exists": "ALREADY_EXISTS",
    "being_checked": "BEING_CHECKED",
    "deletion_locked": "DELETION_LOCKED",
    "download_locked": "DOWNLOAD_LOCKED",
    "exists": "ALREADY_EXISTS",
    "feature_disabled": "FEATURE_DISABLED",
    "infected": "INFECTED",
    "license_required": "LICENSE_REQUIRED",
    "network_not_allowed": "NETWORK_NOT_ALLOWED",
    "password_change_required": "PASSWORD_CHANGE_REQUIRED",
    "tfa_required": "TFA_REQUIRED",
    "tfa_setup_required": "TFA_SETUP_REQUIRED",
    "token_expired": "TOKEN_EXPIRED",
    "token_not_activated": "TOKEN_NOT_ACTIVATED",
    "unchecked": "UNCHECKED",
    "user_deactivated": "USER_DEACTIVATED",
    "weak_password": "PASSWORD_POLICY",
}
# Statuses of other doors in the words of this contract: a used or expired link is unknown (DOCMS-033).
_STATUSES = {410: 404, 412: 409, 460: 400}


class Error(serializers.Serializer):
    """Body of every error response."""

    timestamp = serializers.CharField(help_text="Moment the error was produced.")
    status = serializers.IntegerField(help_text="HTTP status code, repeated.")
    error = serializers.CharField(help_text="Reason phrase of the status.")
    message = serializers.CharField(
        help_text="Short human-readable cause; for cases a client must react to it is a stable code."
    )
    path = serializers.CharField(help_text="Request path, with secret segments replaced by a mask.")


class Unauthorized(DomainError):
    """No token, an unknown, expired or not activated one, wrong credentials or code (DOCMS-181)."""

    status = 401
    code = "unauthorized"
    message = _("Please sign in.")


operation = Operations(
    Error,
    {
        400: "Malformed or unacceptable input.",
        401: "No token, unknown, expired or not activated token, wrong credentials or code.",
        403: "Valid token, but permission, switch, network rule, licence or state forbids the action.",
        404: "Unknown in the current tenant, or not visible to the caller.",
        409: "Clashes with stored data or a protection period.",
        413: "Content exceeds the limit of the chosen transfer form.",
        415: "Content type cannot be shown by the viewer.",
        429: "Rate limit reached.",
    },
)


def _in_words(problem: Problem) -> str:
    """The message; what a service refused about one field names it, as the answers to wrong JSON do."""
    if len(problem.fields) == 1:
        ((name, texts),) = problem.fields.items()
        if name != NON_FIELD_ERRORS and list(texts) == [problem.message]:
            return f"{name}: {problem.message}"
    return problem.message


def answer(problem: Problem, request: Request, *, challenge: str = "Bearer") -> Response:
    """The error body. A refusal that carries ``denied_status`` is answered with it (DOCMS-062)."""
    status = problem.denied_status or _STATUSES.get(problem.status, problem.status)
    actor: Any = getattr(request, "actor", None)
    tenant = getattr(request, "tenant", None) if actor else None
    zone = tenant.zone if tenant is not None else zoneinfo.ZoneInfo(settings.TIME_ZONE)
    try:
        reason = http.HTTPStatus(status).phrase
    except ValueError:
        reason = "Error"
    response = Response(
        {
            "timestamp": moment(timezone.now(), zone),
            "status": status,
            "error": reason,
            "message": _MESSAGES.get(problem.code, _in_words(problem) or reason),
            "path": mask_path(request.path),
        },
        status=status,
    )
    if status == 401:
        response["WWW-Authenticate"] = f'{challenge} realm="docms"' if challenge == "Basic" else challenge
    if problem.retry_after:
        response["Retry-After"] = str(problem.retry_after)
    return response
