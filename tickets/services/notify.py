"""Who is mailed about a ticket (TICKETS-058, 060). The text of comments and notes stays in the portal."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import JobRun
from core.services import batches
from messaging.models import Message
from messaging.services import outbox
from messaging.services.catalogue import KINDS
from messaging.services.split import Recipient
from orgs import audience
from orgs.models import Membership, User
from orgs.services.installation import public_url
from tickets.models import Mailbox, Ticket, TicketActivity, TicketStatus, TicketWatcher
from tickets.services import reply_addresses

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from core.services.jobs import Counts

Kind = TicketActivity.Kind
KIND_OF = {
    Kind.COMMENT: "ticket_commented",
    Kind.STATUS: "ticket_status",
    Kind.ASSIGNEE: "ticket_assigned",
    Kind.NOTE: "ticket_noted",
}
REMINDERS = {"response": "ticket_unanswered", "resolution": "ticket_unsolved"}
JOB, TASK = "tickets.tell_new", "tickets.tell"
BATCH = 20  # tickets of one transaction
_COMMITTED_BY = datetime.timedelta(minutes=10)  # after its moment, a ticket that is filed is there to be seen
_AT_FIRST = datetime.timedelta(days=1)  # how far the first run of an installation looks back
_AT_ONCE = datetime.timedelta(minutes=1)  # between a comment and the reopening it brought about


def tell_new() -> Counts:
    """Job: tell of the tickets that were filed since the last run that went well, where no worker was told of them.

    Whoever was told is not told again.
    """
    good = JobRun.objects.filter(name=JOB, error="", ended_at__isnull=False).order_by("-started_at")
    last_run = good.values_list("started_at", flat=True).first()
    since = last_run - _COMMITTED_BY if last_run else timezone.now() - _AT_FIRST

    def due(last: int) -> QuerySet[TicketActivity]:
        return TicketActivity.objects.filter(pk__gt=last, kind=Kind.CREATED, created_at__gte=since)

    return batches.go_through(TicketActivity, job=JOB, due=due, work=tell_of, batch=BATCH, counted="told")


def tell_of(activity_ids: Collection[int]) -> int:
    """Tell of new tickets by their first entries; returns of how many. Of one that is gone by then nobody hears."""
    found = TicketActivity.objects.filter(pk__in=activity_ids, kind=Kind.CREATED, ticket__deleted_at=None)
    told = 0
    for activity in found.select_related("user", "ticket__community__tenant__settings", "ticket__contact__user"):
        tell_of_new(activity.ticket, activity)
        told += 1
    return told


def tell_of_new(ticket: Ticket, activity: TicketActivity) -> None:
    """Tell the administrators with the support permission, and whom it was filed for by somebody else (TICKETS-058).

    Side effects: one message per person in the outbox; where the trial of the company is over, a line in the system log.
    """
    circle = _Circle.of(ticket)
    _queue("ticket_filed", ticket, activity, staff=circle.support(), key=str(activity.pk), circle=circle)
    _queue(
        "ticket_opened",
        ticket,
        activity,
        residents=circle.requester(unless=activity.user_id),
        key=str(activity.pk),
        circle=circle,
    )


def tell_of_activity(ticket: Ticket, activity: TicketActivity) -> None:
    """Tell requester, assignee and watchers of a comment, a new status or a new assignee; of a note only the latter two.

    Never the author. A reopening that came with a comment is told by the comment, the closing by time by nobody. Side
    effects: see `tell_of_new`.
    """
    if activity.kind == Kind.STATUS and (_is_settling(activity) or _came_with_comment(ticket, activity)):
        return
    circle = _Circle.of(ticket)
    staff = circle.staff_of(_members(ticket, activity))
    requester = set() if activity.kind == Kind.NOTE else circle.requester(unless=activity.user_id)
    kind = KIND_OF[Kind(activity.kind)]
    _queue(kind, ticket, activity, staff=staff, residents=requester, key=str(activity.pk), circle=circle)


def remind(ticket: Ticket, target: str) -> None:
    """Remind the assignee of a missed target (``response``, ``resolution``), without one all administrators with the
    support permission (TICKETS-060). Once each, however often it is called.
    """
    circle = _Circle.of(ticket)
    staff = circle.staff_of({ticket.assignee_id}) if ticket.assignee_id else set()
    _queue(REMINDERS[target], ticket, None, staff=staff or circle.support(), key=target, circle=circle)


def page_for(ticket: Ticket, *, staff: bool) -> str:
    """The address of the ticket's page: in the back office or in the portal, whose start page stands in for it."""
    name, args = ("admin:tickets_ticket_change", [ticket.pk]) if staff else ("portal:ticket", [ticket.uuid])
    try:
        return public_url(reverse(name, args=args))
    except NoReverseMatch:
        return public_url("/app/")


@dataclass(frozen=True)
class _Circle:
    """The accounts that may read the ticket today: one statement, however many they are."""

    ticket: Ticket
    managers: frozenset[int]

    @classmethod
    def of(cls, ticket: Ticket) -> _Circle:
        place = ticket.community
        return cls(ticket, frozenset(audience.people_of([audience.managers(place.pk)], place.tenant)))

    def requester(self, *, unless: int | None = None) -> set[int]:
        """Whose ticket it is, while the person still reaches the community; nobody where that is ``unless``, the author."""
        contact, place = self.ticket.contact, self.ticket.community
        user_id = contact.user_id if contact is not None else None
        if user_id is None or user_id == unless:
            return set()
        if user_id in self.managers:
            return {user_id}
        lives = [audience.community(place.pk), audience.community(place.pk, audience.BOARD)]
        return set().union(*audience.people_by_key(lives, place.tenant, among=[user_id]).values())

    def support(self) -> set[int]:
        """Managers who want to hear of new tickets."""
        found = Membership.objects.filter(
            tenant=self.ticket.tenant_id, support_perm=True, user__in=self.managers
        ).order_by()
        return set(found.values_list("user_id", flat=True))

    def staff_of(self, membership_ids: Collection[int | None]) -> set[int]:
        """The accounts of these memberships, as far as they still look after the community."""
        ids = [pk for pk in membership_ids if pk]
        found = Membership.objects.filter(pk__in=ids).order_by().values_list("user_id", flat=True)
        return set(found) & self.managers


def _members(ticket: Ticket, activity: TicketActivity) -> set[int | None]:
    """Assignee and watchers; of a new assignment also who had it before."""
    watching = TicketWatcher.objects.filter(ticket=ticket).order_by().values_list("membership_id", flat=True)
    found = {ticket.assignee_id, *watching}
    return found | {activity.data.get("previous")} if activity.kind == Kind.ASSIGNEE else found


def _is_settling(activity: TicketActivity) -> bool:
    """Whether time closed what was solved long ago: no news to anybody."""
    was = (activity.data.get("previous"), activity.data.get("status"))
    return activity.user_id is None and was == (TicketStatus.SOLVED, TicketStatus.CLOSED)


def _came_with_comment(ticket: Ticket, activity: TicketActivity) -> bool:
    if activity.data.get("status") != TicketStatus.REOPENED:
        return False
    before = TicketActivity.objects.filter(ticket=ticket, pk__lt=activity.pk).order_by("-pk").first()
    return (
        before is not None
        and before.kind == Kind.COMMENT
        and before.user_id == activity.user_id
        and activity.created_at - before.created_at < _AT_ONCE
    )


def _queue(
    kind: str,
    ticket: Ticket,
    activity: TicketActivity | None,
    *,
    key: str,
    circle: _Circle,
    staff: Collection[int] = (),
    residents: Collection[int] = (),
) -> None:
    """Write the mails, one per person. ``staff`` get the link to the back office."""
    author = activity.user_id if activity is not None else None
    wanted = {*staff, *residents} - {author}
    people = _people(wanted, kind) if wanted else []
    tenant = ticket.community.tenant
    if not people or outbox.is_refused(kind=kind, tenant=tenant, about=f"ticket {ticket.pk}"):
        return
    mailbox = None if kind == "ticket_noted" else Mailbox.objects.filter(tenant=tenant, is_active=True).first()
    threads = _threads(ticket, people)
    context = _context(ticket, activity, mailbox)
    for in_office in (True, False):
        to = [
            replace(
                Recipient.of_user(user),
                reply_to=reply_addresses.address_for(mailbox, ticket, user.pk) if mailbox else "",
                in_reply_to=threads.get(user.pk, ""),
            )
            for user in people
            if (user.pk in circle.managers) is in_office
        ]
        if to:
            outbox.queue_all(
                kind=kind,
                tenant=tenant,
                to=to,
                context=context | {"link": page_for(ticket, staff=in_office)},
                caused_by=activity.user if activity is not None else None,
                dedupe_key=f"{_prefix(ticket)}{key}",
            )


def _people(user_ids: Collection[int], kind: str) -> list[User]:
    """Who has an address and wants such mails."""
    found = User.objects.filter(pk__in=user_ids, erased_at=None).exclude(email="")
    if KINDS[kind].optional:
        found = found.exclude(email_mode=User.EmailMode.OFF)
    return list(found.order_by("pk"))


def _threads(ticket: Ticket, people: list[User]) -> dict[int, str]:
    """The Message-ID of the first mail about this ticket that each of them got: mail programs show one thread."""
    wanted = {user.pk for user in people}
    sent = (
        # Not as LIKE, which uses no index on a table with a row policy; ";" follows ":".
        Message.objects.filter(
            dedupe_key__gte=_prefix(ticket), dedupe_key__lt=f"ticket:{ticket.pk};", recipients__user__in=wanted
        )
        .order_by("pk")
        .values_list("recipients__user_id", "message_id")
    )
    found: dict[int, str] = {}
    for user_id, message_id in sent:
        found.setdefault(user_id, message_id)
    return found


def _prefix(ticket: Ticket) -> str:
    return f"ticket:{ticket.pk}:"


def _context(ticket: Ticket, activity: TicketActivity | None, mailbox: Mailbox | None) -> dict[str, Any]:
    unit, assignee = ticket.unit, ticket.assignee
    author = activity.user if activity is not None else None
    name = author.get_full_name() if author else activity.automatic_name if activity else ""
    return {
        "ticket_title": ticket.title,
        "ticket_number": ticket.identifier,
        "ticket_status": TicketStatus((ticket.merged_into or ticket).status).label,  # where the matter goes on
        "actor_name": name or ticket.community.tenant.name,
        "assignee_name": assignee.user.get_full_name() if assignee else _("nobody"),
        "community": ticket.community.name,
        "unit": (unit.name or unit.identifier) if unit else "",
        "reply_ticket": ticket.identifier if mailbox else "",
    }
