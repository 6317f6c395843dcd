"""The picture of an organization: raw bytes in, judged by what they are (ORGS-066, 067, 086)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from rest_framework.parsers import BaseParser

from core import scope
from core.errors import BeingChecked, Held, NotFound
from core.http import limited_body
from core.services import blobs
from orgs.api.base import ORGANIZATION_ID, OrgsView
from orgs.api.errors import StatusMessage, done, operation
from orgs.models import Organization
from orgs.services import avatars

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

YEAR = 365 * 24 * 3600  # seconds
_TYPES = (*avatars.TYPES, "application/octet-stream", "application/json")


class RawBody(BaseParser):
    """Bytes as they come, whatever they are called; at most `avatars.LIMIT`."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Raises `TooLarge`, by the announced length before a byte is read."""
        length = (parser_context or {})["request"].META.get("CONTENT_LENGTH")
        return limited_body(stream, length, avatars.LIMIT)


class Avatar(OrgsView):
    """`/organization/{organizationID}/avatar`."""

    parser_classes: Sequence[Any] = (RawBody,)
    body_is_optional = True  # none takes the picture away

    @operation(
        "SetOrganizationAvatar", tag="avatar", summary="Set or remove the avatar",
        description="The body is the raw image. A request without a body removes the present avatar.",
        takes=dict.fromkeys(_TYPES, OpenApiTypes.BINARY), gives=StatusMessage,
        parameters=(ORGANIZATION_ID,), refusals=(400, 401, 403, 404, 413, 415, 500),
    )  # fmt: skip
    def put(self, request: Request, organization_id: str) -> Response:
        """See `avatars.store`."""
        organization = self.organization(organization_id)
        body = request.data if isinstance(request.data, bytes) else b""
        avatars.store(actor=self.actor, organization=organization, file=io.BytesIO(body) if body else None)
        return done(_("The picture was stored.") if body else _("The picture was removed."))


class AvatarPicture(OrgsView):
    """`/organizations/avatars/{key}`: the picture behind an ``avatarURL``. Its key cannot be guessed, and changes with the picture."""

    authentication_classes = ()
    schema: Any = None

    def get(self, request: Request, key: UUID) -> HttpResponseBase:
        """Pictures that are the avatar of an organization at this moment, and no other file."""
        with scope.all_tenants():
            organization = (
                Organization.objects.filter(avatar__storage_key=key, closed_at=None).select_related("avatar").first()
            )
        if organization is None or organization.avatar is None:
            raise NotFound
        try:
            file = blobs.open_blob(organization.avatar)
        except (FileNotFoundError, BeingChecked, Held):
            raise NotFound from None
        response = FileResponse(file, content_type=organization.avatar.mime)
        response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response
