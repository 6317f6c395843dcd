"""The dialect of the orgs contract: ``{success, message}``, with ``error`` as the stable word (ORGS-006)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from core.api import Operations
from core.errors import DomainError
from core.problems import Problem

# Statuses of other doors in the words of this contract: a used or expired token is unknown (ORGS-050).
_STATUSES = {410: 404, 412: 409}


class StatusMessage(serializers.Serializer):
    """What was done; the original documents no body."""

    success = serializers.BooleanField(help_text="Always true.")
    message = serializers.CharField(help_text="For people.")


class ErrorMessage(serializers.Serializer):
    """Body of every answer outside 2xx."""

    success = serializers.BooleanField(help_text="Always false.")
    message = serializers.CharField(help_text="For people, in the language of the request.")
    error = serializers.CharField(required=False, help_text="A stable technical word; may be absent.")


class Unauthorized(DomainError):
    """No token, an unknown, expired or revoked one (ORGS-001)."""

    status = 401
    code = "unauthorized"
    message = _("Please send a valid token.")


operation = Operations(
    ErrorMessage,
    {
        400: "A parameter or the payload is missing, malformed or breaks a rule.",
        401: "No token, an unknown token, or a revoked token.",
        403: "The token is valid but lacks the right for this organization or operation.",
        404: "The organization, user, invitation or location does not exist.",
        409: "The present state forbids the change.",
        413: "The body exceeds the size limit.",
        415: "The bytes are not one of the accepted image formats.",
        429: "Request quota used up.",
        500: "Unexpected failure.",
    },
)


def done(message: object) -> Response:
    """Carried out; clients do not depend on the body."""
    return Response({"success": True, "message": str(message)})


def answer(problem: Problem) -> Response:
    """The error body."""
    status = problem.denied_status or _STATUSES.get(problem.status, problem.status)
    body = {"success": False, "message": problem.message or str(status), "error": problem.code}
    response = Response(body, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "API-TOKEN"
    if problem.retry_after:
        response["Retry-After"] = str(problem.retry_after)
    return response
