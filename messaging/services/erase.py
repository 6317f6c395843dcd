"""What this floor forgets of somebody who is erased: addresses and texts, in which names stand. That something was sent,
when, and about which paper, stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from messaging.models import Message, MessageRecipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from orgs.models import Contact, User

BATCH = 500  # messages of one round
State = MessageRecipient.State


def person(user: User) -> int:
    """Forget the addresses of an account; returns of how many messages. Joins the running transaction."""
    return _forget(Q(user=user))


def contact(entry: Contact) -> int:
    """The same of an entry of the register."""
    return _forget(Q(contact=entry))


def outsiders(*, emails: Iterable[str], numbers: Iterable[str]) -> int:
    """The same of addresses and numbers (E.164), whoever had them. Reads all recipients: for commands, not for requests."""
    whose = Q(address__in=list(numbers))
    for email in emails:
        whose |= Q(address__iexact=email)
    return _forget(whose)


def messages(found: QuerySet[Message]) -> None:
    """Forget to whom these messages went and what they said, and cancel those that wait."""
    found.filter(state=Message.State.QUEUED).update(state=Message.State.CANCELLED)
    MessageRecipient.objects.filter(message__in=found, state=State.QUEUED).update(state=State.SUPPRESSED)
    MessageRecipient.objects.filter(message__in=found).update(address="")
    found.update(to_emails=[], bcc_emails=[], mobile_number="", subject="", body_html="", body_text="")


def _forget(whose: Q) -> int:
    """A mail that went to nobody else loses its text and, where it still waits, is cancelled; others lose the address."""
    total = 0
    while True:
        found = MessageRecipient.objects.filter(whose).exclude(address="").order_by("message_id")
        ids = list(dict.fromkeys(found.values_list("message_id", flat=True)[:BATCH]))
        if not ids:
            return total
        total += len(ids)
        _empty(ids, whose)


def _empty(ids: Sequence[int], whose: Q) -> None:
    messages = list(Message.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    rows = list(MessageRecipient.objects.filter(whose, message__in=ids).exclude(address=""))
    gone: dict[int, set[str]] = {}
    for row in rows:
        gone.setdefault(row.message_id, set()).add(row.address.lower())
    own = [row.pk for row in rows]
    others = MessageRecipient.objects.filter(message__in=ids).exclude(pk__in=own).exclude(address="")
    shared = set(others.values_list("message_id", flat=True))
    for message in messages:
        words = gone[message.pk]
        message.to_emails = [one for one in message.to_emails if one.lower() not in words]
        message.bcc_emails = [one for one in message.bcc_emails if one.lower() not in words]
        if message.pk in shared:
            continue
        message.subject = message.body_html = message.body_text = message.mobile_number = ""
        if message.state == Message.State.QUEUED:
            message.state = Message.State.CANCELLED
    columns = ["to_emails", "bcc_emails", "subject", "body_html", "body_text", "mobile_number", "state"]
    Message.objects.bulk_update(messages, columns, batch_size=BATCH)
    mine = MessageRecipient.objects.filter(pk__in=own)
    mine.filter(state=State.QUEUED).update(state=State.SUPPRESSED)
    mine.update(address="")
