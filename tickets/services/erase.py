"""What this floor drops of somebody who is erased. Tickets stay until their period is over (PORTAL-099)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast, Lower
from django.utils import translation
from django.utils.translation import gettext

from orgs.languages import user_language
from tickets.models import (
    AssignmentRule,
    IdempotencyRecord,
    InboundMail,
    Ticket,
    TicketActivity,
    TicketDraft,
    TicketFilter,
    TicketWatcher,
)
from tickets.services import indexing

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from orgs.models import Contact, User


def person(user: User) -> None:
    """Drop drafts, filters and what an account watches. Joins the running transaction."""
    TicketDraft.objects.filter(user=user).delete()
    TicketFilter.objects.filter(user=user).delete()
    TicketWatcher.objects.filter(membership__user=user).delete()
    for answer in _answers_with(str(user.uuid)):
        IdempotencyRecord.objects.filter(pk=answer.pk).update(response=_without(answer.response, str(user.uuid)))


def outsider(email: str) -> int:
    """Forget from whom mails came and who is behind tickets that came by mail; returns how many mails. That one came
    stays in its log, and what it says in its ticket.
    """
    for ticket in Ticket.objects.select_for_update(of=("self",)).filter(stranger__iexact=email).order_by("pk"):
        with translation.override(user_language(ticket.tenant.language)):
            ticket.stranger = gettext("Former contact")
        Ticket.objects.filter(pk=ticket.pk).update(stranger=ticket.stranger)
        TicketActivity.objects.filter(ticket=ticket).exclude(automatic_name="").update(automatic_name="")
        indexing.index(ticket)
    for answer in _answers_with(email):
        IdempotencyRecord.objects.filter(pk=answer.pk).update(response=_without(answer.response, email.lower()))
    return InboundMail.objects.filter(sender__iexact=email).update(sender="", subject="")


def _answers_with(text: str) -> QuerySet[IdempotencyRecord]:
    """Kept answers (of the last day) that say it."""
    said = Lower(Cast("response", TextField()))
    return IdempotencyRecord.objects.annotate(said=said).filter(said__contains=text.lower())


def _without(answer: Any, text: str) -> Any:
    """An answer as it would be given now: an erased person is null in it, whoever is known by ``text`` (TICKETS-056)."""
    if isinstance(answer, dict):
        if any(isinstance(value, str) and value.lower() == text for value in answer.values()):
            return None if "surname" in answer else {key: _unless(value, text) for key, value in answer.items()}
        return {key: _without(value, text) for key, value in answer.items()}
    return [_without(one, text) for one in answer] if isinstance(answer, list) else answer


def _unless(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return "" if value.lower() == text else value
    return _without(value, text)


def open_of(contact: Contact) -> list[str]:
    """The identifiers of a person's tickets that somebody still works on, those that came by mail, too."""
    theirs = Q(contact=contact)
    if contact.email:
        theirs |= Q(contact=None, stranger__iexact=contact.email, tenant=contact.tenant_id)
    working = Ticket.objects.filter(theirs, closed_at=None, deleted_at=None)
    return list(working.order_by("pk").values_list("identifier", flat=True))


def work_of(user: User) -> list[str]:
    """What would wait for an account: open tickets that it is assigned, and rules that assign it more."""
    working = Ticket.objects.filter(assignee__user=user, closed_at=None, deleted_at=None).order_by("pk")
    rules = AssignmentRule.objects.filter(assignee__user=user, is_active=True).order_by("pk")
    return [*(f"ticket {row.identifier}" for row in working), *(f"assignment rule {row.pk}" for row in rules)]
