"""What a company has stored about oneself, to take away."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_POST

from core.errors import NotFound
from core.services import rate
from docms.services import person_report
from portal.web.pages import page

if TYPE_CHECKING:
    from orgs.actor import Actor

PER_MINUTE = 6  # archives of one person: each has a PDF drawn for it
_IN_MEMORY = 1 << 20  # bytes of an archive; a larger one is spooled to disk


@require_POST
@page
def export(request: HttpRequest, tenant_id: int) -> FileResponse:
    """The ZIP with a PDF and JSON of one company in which the person has an account, as the `docms` API exports it."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    membership = actor.membership(tenant_id)
    if membership is None:
        raise NotFound
    rate.check("export", f"user:{actor.user_id}", PER_MINUTE)
    archive = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the response
    try:
        name = person_report.write(membership, archive)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    response = FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip")
    response["X-Content-Type-Options"] = "nosniff"
    return response
