"""Photos and files of tickets: the door through which they come, and handing them out to those who see their entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.answers import require
from core.errors import Invalid, NotFound, TooLarge, WrongType
from core.services.delivery import deliver, deliver_preview
from orgs.actor import enter as enter_as
from orgs.services.second_factor import require_none_owed
from portal.rules import may_use_tickets
from portal.web.pages import page
from portal.web.shell import communities, number_in
from tickets.models import TicketAttachment
from tickets.services import attachments
from tickets.services.answers import FILES_MAX, too_many_files

if TYPE_CHECKING:
    from core.models import Upload
    from orgs.actor import Actor
    from orgs.models import Community

DOOR = "web_tickets"
LIMIT, ACCEPTED = attachments.LIMIT, attachments.ACCEPTED
SHOWN = "image/*,application/pdf"  # what a phone offers first; other files can still be chosen


def tenant_of(request: HttpRequest, metadata: dict[str, str]) -> int:
    """For `core.tus`: bytes lie with the community they are meant for. Raises `NotFound`, `Denied` where tickets are off."""
    actor = enter_as(request.user, door="web")  # type: ignore[arg-type]
    require_none_owed(actor)
    wanted = number_in(metadata.get("community", ""))
    reach = actor.communities | actor.managed
    community = communities(actor).filter(pk=wanted).first() if wanted in reach else None
    if community is None:
        raise NotFound
    require(may_use_tickets(community))
    return community.tenant_id


class Attached:
    """What one field of a form brings along: handles of its widget, and files of a browser without scripts.

    Handles survive a refusal, so that `waiting` are shown once more; files that came with the form itself do not.
    ``problem`` says why they were not taken.
    """

    def __init__(self, request: HttpRequest, actor: Actor, community: Community, name: str = "upload") -> None:
        self.name, self._actor = name, actor
        self.posted = list(dict.fromkeys(handle for handle in request.POST.getlist(name) if handle))
        sent = [file for file in request.FILES.getlist(f"{name}-files") if file.name]
        self.sizes, self.problem = [file.size for file in sent], ""
        received: list[str] = []
        try:
            if len(sent) > FILES_MAX:
                raise Invalid(too_many_files())
            received = attachments.receive(sent, actor=actor, community=community, door=DOOR)
        except (Invalid, TooLarge, WrongType) as error:
            self.problem = str(error.message)
        self.handles = self.posted + received

    @property
    def files(self) -> attachments.Files:
        """For a service. Raises `Invalid` for more than one message takes."""
        if self.problem or len(self.handles) > FILES_MAX:
            raise Invalid.of(self.name, self.problem or too_many_files())
        return attachments.Files(self.handles, DOOR)

    @property
    def waiting(self) -> list[Upload]:
        """Files that arrived before and that nothing took."""
        return attachments.waiting(self.posted, actor=self._actor, door=DOOR)


def widget(community: Community, name: str = "upload", kept: list[Upload] | None = None) -> dict[str, Any]:
    """What `components/ticket_files.html` needs."""
    return {
        "endpoint": reverse("portal:ticket-uploads"), "community": community.pk, "limit": LIMIT, "most": FILES_MAX,
        "accept": SHOWN, "name": name, "kept": kept or [],
    }  # fmt: skip


def _file(request: HttpRequest, key: str) -> TicketAttachment:
    """A file whose entry the actor sees; what belongs to an internal note is shown nowhere in the portal."""
    seen = TicketAttachment.objects.visible_to(request.actor).exclude(activity__kind="note")  # type: ignore[attr-defined]
    clean = "" if "\x00" in key else key
    file = seen.filter(key=clean).select_related("blob", "ticket__community").first()
    if file is None:
        raise NotFound
    require(may_use_tickets(file.ticket.community))
    return file


@require_GET
@page
def read(request: HttpRequest, attachment_key: str) -> HttpResponseBase:
    """Pictures, PDF and plain text in the browser, everything else to be saved (PORTAL-082)."""
    file = _file(request, attachment_key)
    return deliver(file.blob, filename=file.name, inline=True, request=request)


@require_GET
@page
def preview(request: HttpRequest, attachment_key: str) -> HttpResponseBase:
    """The small picture that the worker made."""
    return deliver_preview(_file(request, attachment_key).blob, request)
