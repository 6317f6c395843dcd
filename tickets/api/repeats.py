"""Creations that may be sent twice: under one key the first result is the answer (TICKETS-056)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from core.http import dumps
from orgs.models import OAuthToken
from tickets.api.base import SupportView, wrong
from tickets.services import idempotency

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 255}, OpenApiParameter.HEADER,
    description="Caller-chosen value that makes a repeated creation return the first result for 24 hours.",
)  # fmt: skip


def credential_of(token: Any) -> str:
    """Whose repetitions belong together: a pair's, or a person's through one program, whose tokens change hourly."""
    if isinstance(token, OAuthToken):
        return f"oauth:{token.application_id}:{token.user_id}"
    return f"access:{token.pk}"


class RepeatableView(SupportView):
    """Answers a repeated request with the first result (TICKETS-056)."""

    def once(self, request: Request, work: Callable[[], Any]) -> Response:
        """Do the work and answer 201, or what was answered under this key before.

        Raises `Invalid` for a key that is none, `Conflict` for one that came with another body.
        """
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return Response(work(), status=201)
        if not 0 < len(key) <= 255:
            raise wrong("Idempotency-Key", _("Must have 1 to 255 characters."))
        body = hashlib.sha256(request.path.encode() + b"\n" + dumps(request.data)).digest()
        status, answer = idempotency.once(
            credential=credential_of(request.auth), key=key, body_hash=body, tenant_id=self.network.pk, status=201,
            work=work,
        )  # fmt: skip
        return Response(answer, status=status)
