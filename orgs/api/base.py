"""What the views of the orgs door share: dialect, sign-in, and finding what an id in the path names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter

from core.api import CountedView
from core.errors import Denied, Invalid, NotFound
from core.problems import Problem
from orgs.api import errors
from orgs.api.auth import DOOR, HeaderToken
from orgs.models import Organization, User
from orgs.services import reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request
    from rest_framework.response import Response

    from orgs.actor import Actor

ID_MAX = 2**63 - 1
LIMIT_MAX = 500
ORGANIZATION_ID = OpenApiParameter(
    "organization_id", {"type": "integer", "format": "int64", "minimum": 1}, "path", required=True,
    description="Organization to act on.",
)  # fmt: skip
USER_ID = OpenApiParameter(
    "user_id", {"type": "integer", "format": "int64", "minimum": 1}, "path", required=True,
    description="User to act on.",
)  # fmt: skip
OPEN_LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}, "query",
    description="Largest number of entries to return; leaving it out returns everything.",
)  # fmt: skip
OFFSET = OpenApiParameter(
    "offset", {"type": "integer", "minimum": 0, "default": 0}, "query", description="Number of entries to skip."
)


class OrgsView(CountedView):
    """One resource; the caller is in ``self.actor``."""

    door = DOOR
    rate_setting = "ORGS_RATE_LIMIT"
    authentication_classes: Sequence[Any] = (HeaderToken,)

    def refuse(self, problem: Problem) -> Response:
        """The dialect's error body."""
        return errors.answer(problem)

    @property
    def actor(self) -> Actor:
        """The caller."""
        return cast("Actor", self.request.actor)  # type: ignore[attr-defined]

    @property
    def person(self) -> User:
        """The caller as a person. Raises `Denied` for an organization token (ORGS-004)."""
        if self.actor.user is None:
            raise Denied(_("Only a person may do this."), code="personal_token_required")
        return self.actor.user

    def organization(self, raw: str) -> Organization:
        """What an id in the path names.

        Raises `Invalid` for what is no positive integer (ORGS-007), `NotFound` for an unknown one, `Denied` for one the
        caller has no access to (ORGS-008), also for want of a second factor (ORGS-054).
        """
        return self.find(positive(raw, "organizationID"))

    def find(self, organization_id: int) -> Organization:
        """See `organization`, by number."""
        return reach.organization(self.actor, organization_id)


def positive(raw: str, name: str) -> int:
    """A positive integer of the path. Raises `Invalid` naming it (ORGS-007)."""
    if not (raw.isascii() and raw.isdigit() and len(raw) < 20 and 1 <= int(raw) <= ID_MAX):
        problem = _("Must be a positive whole number.")
        raise Invalid(f"{name}: {problem}", fields={name: [problem]})
    return int(raw)


def page_of(request: Request, found: Any) -> Any:
    """``limit`` (1 … 500, left out = all) and ``offset`` of a list (ORGS-028). Raises the framework's `ValidationError`."""
    from core.api import whole

    offset = whole(request, "offset", default=0, least=0, most=ID_MAX)
    limit = whole(request, "limit", default=0, least=1, most=LIMIT_MAX)
    return found[offset : offset + limit] if limit else found[offset:]


class UnknownPath(OrgsView):
    """Any other path of this door."""

    authentication_classes = ()

    def _handler(self, request: Request) -> Any:
        raise NotFound
