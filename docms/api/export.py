"""What is stored about a person, to take away."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from rest_framework.response import Response

from docms.api.base import DocmsView
from docms.api.content import FileData
from docms.api.errors import operation
from docms.services import person_report

if TYPE_CHECKING:
    from rest_framework.request import Request


class ExportOfUser(DocmsView):
    """`/users/{userId}/export`."""

    @operation(
        "exportUserData", tag="Export", summary="Export personal data of a user",
        description="Report about what is stored on the person, as an archive with a PDF and machine-readable JSON.",
        gives=FileData, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, user_id: int) -> Response:
        """One's own, or for administrators anybody's (DOCMS-168)."""
        filename, content = person_report.export(self.self_or_admin(user_id))
        return Response({"filename": filename, "data": base64.b64encode(content).decode()})
