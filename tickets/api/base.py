"""What every resource of the support door shares: the caller, what an id names, the dialect of refusals."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from core.api import CountedView
from core.errors import Invalid, NotFound
from core.problems import Problem
from orgs.models import Community, Organization
from orgs.services import reach
from tickets.api import errors
from tickets.api.auth import DOOR, NETWORK, Bearer, Credentials
from tickets.models import Ticket, TicketActivity

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

    from orgs.actor import Actor

NETWORK_ID = OpenApiParameter(
    NETWORK, OpenApiTypes.UUID, OpenApiParameter.HEADER,
    description="Network to work in. Must be sent with a bearer token; with basic credentials it may be left out.",
)  # fmt: skip
SOURCE = TicketActivity.Source.SUPPORT
TICKET_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Ticket to act on.")


class SupportView(CountedView):
    """One resource; the caller is in ``self.actor``."""

    door = DOOR
    rate_setting = "SUPPORT_RATE_LIMIT"
    rate_window = 1
    authentication_classes: Sequence[Any] = (Bearer, Credentials)

    def refuse(self, problem: Problem) -> Response:
        """The dialect's error body."""
        return errors.answer(problem)

    @property
    def actor(self) -> Actor:
        """The caller."""
        return cast("Actor", self.request.actor)  # type: ignore[attr-defined]

    @property
    def network(self) -> Organization:
        """The company the caller works in."""
        return cast("Organization", self.request.network)  # type: ignore[attr-defined]

    # --- What an id names; what the caller does not see is 404, like unknown (TICKETS-009, conflict 26) ---

    def location(self, ref: uuid.UUID) -> Community:
        """A community that the caller lives in or looks after. Raises `NotFound` (TICKETS-018)."""
        community = reach.community(self.actor, ref)
        if community is None:
            raise NotFound(_("There is no such location."))
        return community

    def ticket(self, ref: str | uuid.UUID) -> Ticket:
        """A ticket the caller takes part in. Raises `Invalid` for what is no UUID, `NotFound`."""
        wanted = ref if isinstance(ref, uuid.UUID) else as_uuid(ref, "id")
        found = Ticket.objects.of_participants(self.actor).filter(uuid=wanted)
        ticket = found.select_related("community__tenant", "contact__user", "assignee__user").first()
        if ticket is None:
            raise NotFound(_("There is no such ticket."))
        return ticket


def as_uuid(text: str, name: str) -> uuid.UUID:
    """An id of the address or of a filter. Raises `Invalid` naming it."""
    try:
        if len(text) != 36:
            raise ValueError
        return uuid.UUID(text)
    except ValueError:
        raise wrong(name, _("Must be a UUID.")) from None


def wrong(name: str, problem: str) -> Invalid:
    """A refusal that names one field."""
    return Invalid(f"{name}: {problem}", fields={name: [problem]})


def in_envelope(error: Invalid, envelope: str) -> Invalid:
    """A service's refusal with the names that were sent."""
    fields = {f"{envelope}.{name}": texts for name, texts in error.fields.items()}
    return Invalid(error.message, code=error.code, fields=fields)


class UnknownPath(SupportView):
    """Any other path of this door."""

    authentication_classes = ()

    def _handler(self, request: Request) -> Any:
        raise NotFound
