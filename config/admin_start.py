"""The start page of the back office: one's own presence, quick actions, and counts that need attention at this moment."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Min, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from core.admin.base import COUNT_LIMIT
from core.admin.pages import list_url
from core.models import JobRun
from docms.models import Document, ReadMark
from messaging.models import Message
from orgs.models import AccessRequest, Community, Contact, Invite, Occupancy, Organization
from orgs.services import availability, quick_actions
from tickets.models import Ticket
from tickets.services.attention import Attention, attention

WINDOW = datetime.timedelta(days=30)


@dataclass
class Card:
    """One number: what it counts, what is behind it, and whether it asks for something."""

    title: Any
    value: str
    note: Any
    url: str
    icon: str
    tone: str = "none"


@dataclass
class Desk:
    """Who looks: what one is in each tree, and what one's organizations put at hand."""

    standings: list[availability.Standing]
    boards: list[quick_actions.Board]


def desk(actor: Any) -> Desk:
    """Of the organizations in view in which the person works; the operator has none of either."""
    return Desk(availability.standings(actor), quick_actions.boards(actor))


def cards(actor: Any, tickets: Attention | None) -> dict[str, list[Card]]:
    """Two rows: what asks for attention, and what there is. A fixed number of capped counts."""
    return {"attention": [*_tickets(tickets), *_attention(actor)], "stock": _stock(actor)}


def tickets_of(request: HttpRequest) -> Attention | None:
    """The tickets that need attention, counted once for the page: its navigation shows them, and the start page."""
    if not hasattr(request, "_tickets_that_wait"):
        request._tickets_that_wait = attention(request.actor)  # type: ignore[attr-defined]
    found: Attention | None = request._tickets_that_wait  # type: ignore[attr-defined]
    return found


def chart_of(tickets: Attention | None) -> dict[str, Any] | None:
    """Open tickets by age, each bar with the list behind it; none for who has no help desk."""
    if tickets is None:
        return None
    return {
        "bars": tickets.ages,
        "most": max(1, *(bar.count for bar in tickets.ages)),
        "is_partial": tickets.is_partial,
        "list_url": list_url(Ticket),
        "reports_url": reverse("admin:tickets_ticket_reports"),
    }


def _of(actor: Any, found: Any, lookup: str = "tenant") -> Any:
    return found.filter(**{lookup: actor.tenant_id}) if actor.tenant_id is not None else found


def _count(found: Any) -> int:
    return int(found.order_by()[: COUNT_LIMIT + 1].count())


def shown(count: int, *, at_least: bool = False) -> str:
    """Exact up to the cap (one-model, conflict 57); ``at_least`` – not everything was looked at."""
    if count > COUNT_LIMIT:
        return f"{COUNT_LIMIT:n}+"
    return f"{count}+" if at_least else str(count)


def _tickets(tickets: Attention | None) -> list[Card]:
    if tickets is None:
        return []
    late, free = tickets.overdue, tickets.unassigned
    return [
        Card(
            _("Overdue tickets"), shown(late, at_least=tickets.is_partial), _("a target has gone by"),
            f"{list_url(Ticket)}?{tickets.OVERDUE}", "alarm", "bad" if late else "good",
        ),
        Card(
            _("Unassigned tickets"), shown(free, at_least=tickets.is_partial), _("open, and nobody's"),
            f"{list_url(Ticket)}?{tickets.UNASSIGNED}", "person_search", "warn" if free else "good",
        ),
    ]  # fmt: skip


def _attention(actor: Any) -> list[Card]:
    found = []
    now, today = timezone.now(), timezone.localdate()
    invites = _of(actor, Invite.objects.visible_to(actor).pending())
    expired = _count(invites.filter(expires_on__lt=today))
    pending = _count(invites.filter(expires_on__gte=today))
    if actor.is_operator or actor.admin_tenants:
        mails = _of(actor, Message.objects.visible_to(actor, all=True))
        failed = _count(mails.filter(state__in=("failed", "bounced"), created_at__gt=now - WINDOW))
        found.append(
            Card(
                _("Mails that failed"), shown(failed), _("in the last 30 days"), list_url(Message, state__exact="failed"),
                "mark_email_unread", "bad" if failed else "good",
            )
        )  # fmt: skip
        oldest = mails.filter(state="queued", not_before__lte=now).aggregate(at=Min("not_before"))["at"]
        late = oldest is not None and now - oldest > datetime.timedelta(minutes=10)
        found.append(
            Card(
                _("Oldest waiting mail"), timesince(oldest, now) if oldest else "–",
                _("since it could have been sent") if oldest else _("nothing waits"), list_url(Message, state__exact="queued"),
                "schedule_send", "warn" if late else "good",
            )
        )  # fmt: skip
    found.append(
        Card(
            _("Pending invitations"), shown(pending), _("have not registered yet"), list_url(Invite, state="pending"),
            "person_add", "info" if pending else "none",
        )
    )  # fmt: skip
    found.append(
        Card(
            _("Expired invitations"), shown(expired), _("renew or withdraw them"), list_url(Invite, state="expired"),
            "person_alert", "warn" if expired else "good",
        )
    )  # fmt: skip
    asked = _count(_of(actor, AccessRequest.objects.visible_to(actor)).filter(handled_at=None))
    found.append(
        Card(
            _("Access requests"), shown(asked), _("wait for an answer"), list_url(AccessRequest, handled_at__isempty=1),
            "contact_support", "warn" if asked else "good",
        )
    )  # fmt: skip
    unread = _count(_unread(actor, now))
    found.append(
        Card(
            _("Papers nobody has opened"), shown(unread), _("published in the last 30 days"), list_url(Document),
            "mark_as_unread", "info" if unread else "good",
        )
    )  # fmt: skip
    if actor.is_operator:
        jobs = _count(JobRun.objects.exclude(error="").filter(started_at__gt=now - datetime.timedelta(days=1)))
        found.append(
            Card(
                _("Failed jobs"), shown(jobs), _("in the last 24 hours"), list_url(JobRun, failed="yes"), "error",
                "bad" if jobs else "good",
            )
        )  # fmt: skip
    return found


def _unread(actor: Any, now: datetime.datetime) -> Any:
    marks = ReadMark.objects.filter(document=OuterRef("pk"))
    papers = _of(actor, Document.objects.visible_to(actor, all=True))
    return papers.filter(~Exists(marks), created_at__gt=now - WINDOW).exclude(active_from__gt=now)


def _stock(actor: Any) -> list[Card]:
    today = timezone.localdate()
    living = _of(actor, Occupancy.objects.visible_to(actor)).valid_on(today)
    return [
        Card(_("Communities"), shown(_count(_of(actor, Community.objects.managed_by(actor)))), "", list_url(Community), "apartment"),
        Card(_("Organizations"), shown(_count(Organization.objects.in_view(actor))), "", list_url(Organization), "account_tree"),
        Card(_("Contacts"), shown(_count(_of(actor, Contact.objects.visible_to(actor).living()))), "", list_url(Contact), "contacts"),
        Card(_("Valid occupancies"), shown(_count(living)), "", list_url(Occupancy, state="valid"), "key"),
        Card(
            _("Papers"), shown(_count(_of(actor, Document.objects.visible_to(actor, all=True)))), "",
            reverse("admin:docms_document_changelist"), "description",
        ),
    ]  # fmt: skip
