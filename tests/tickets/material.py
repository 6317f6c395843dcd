"""What tests of tickets need beside the cast."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Protocol

from core.services import uploads

if TYPE_CHECKING:
    from tests.cast import Cast
    from tickets.models import Ticket


class File(Protocol):
    """The fixture `file`."""

    def __call__(self, who: str = ..., text: str = ..., **values: Any) -> Ticket:
        """File a ticket of house A as a persona."""


def upload(cast: Cast, who: str, content: bytes = b"Notiz", *, door: str = "web", **values: Any) -> str:
    """A finished upload of a persona; returns its handle."""
    values = {"tenant_id": cast.tenant.pk, "name": "notiz.txt", "limit": 1_000_000} | values
    return uploads.receive(io.BytesIO(content), user_id=getattr(cast, who).pk, door=door, **values).handle
