"""The dialect of the tickets contract: a text, a stable code, and for a rejected payload each problem with its path."""

from __future__ import annotations

import re

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from core.api import Operations
from core.errors import DomainError
from core.problems import Problem

# Statuses of other doors in the words of this contract.
_STATUSES = {405: 404, 410: 404, 412: 409, 422: 400}
_GENERAL = {NON_FIELD_ERRORS, "non_field_errors"}
_STEP = re.compile(r"[^.\[\]]+")


class Issue(serializers.Serializer):
    """One problem of a payload."""

    path = serializers.ListField(child=serializers.JSONField(), help_text="Names and places from the outermost in.")
    message = serializers.CharField()


class ResponseError(serializers.Serializer):
    """Body of every answer outside 2xx (TICKETS-006, 007)."""

    message = serializers.CharField(help_text="Text for people.")
    type = serializers.CharField(help_text="Stable error code.")
    issues = Issue(many=True, required=False)


class Unauthorized(DomainError):
    """No credentials, or unknown, revoked or expired ones (TICKETS-005)."""

    status = 401
    code = "unauthorized"
    message = _("Please send valid credentials.")


operation = Operations(
    ResponseError,
    {
        400: "The request is malformed or breaks a rule.",
        401: "Credentials are missing, unknown, revoked or expired.",
        403: "Scope, network or role does not allow this.",
        404: "No such object within the network.",
        409: "The idempotency key was used before with another body.",
        413: "The body exceeds the size limit.",
        415: "This kind of file is not accepted.",
        429: "More than 10 requests in one second.",
    },
)


def answer(problem: Problem) -> Response:
    """The error body."""
    status = _STATUSES.get(problem.status, problem.status)
    body: dict[str, object] = {"message": problem.message or str(status), "type": problem.code}
    issues = [
        {"path": [] if name in _GENERAL else path_of(name), "message": text}
        for name, texts in problem.fields.items()
        for text in texts
    ]
    if issues:
        body["issues"] = issues
    response = Response(body, status=status)
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="support", charset="UTF-8", Bearer realm="support"'
    if problem.retry_after:
        response["Retry-After"] = str(problem.retry_after)
    return response


def path_of(name: str) -> list[str | int]:
    """``activity.attachments[0].key`` as its steps."""
    return [int(step) if step.isdigit() else step for step in _STEP.findall(name)]
