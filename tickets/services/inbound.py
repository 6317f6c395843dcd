"""Mail that comes in becomes comments and tickets, or nothing (TICKETS-062, 063).

What is believed: a valid token proves that the mail it answers went to this person; From must be that person's address,
and where a receiving server of ours (`MAIL_AUTH_SERVERS`) says that DMARC failed, the mail is refused all the same. Without
a token only that server's "dmarc=pass" makes a sender somebody we know.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import scope
from core.errors import DomainError
from core.logs import mask
from core.models import SystemLog
from core.services import uploads
from core.services.sniff import sniff
from core.text import is_blank
from messaging.models import Message
from orgs import audience
from orgs.actor import actor_for
from orgs.languages import user_language
from orgs.models import Community, Membership, User
from tickets import rules
from tickets.models import InboundMail, Mailbox, Ticket, TicketActivity
from tickets.services import attachments, comments, filing, mail_reading, merging, reply_addresses
from tickets.services.mail_reading import Head, Letter, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orgs.actor import Actor

log = logging.getLogger(__name__)

DOOR = "mail"
MAIL = TicketActivity.Source.MAIL
Outcome = InboundMail.Outcome
A_DAY = 20  # tickets that one sender opens by mail
AN_HOUR = 20  # answers by mail of one person to one ticket


@dataclass
class _Result:
    """What became of a mail."""

    outcome: str
    reason: str = ""
    ticket: Ticket | None = None


class _Refused(Exception):
    """The mail adds nothing."""

    def __init__(self, reason: str, outcome: str = Outcome.REFUSED) -> None:
        self.result = _Result(outcome, reason)
        super().__init__(reason)


def take(mailbox: Mailbox, raw: bytes, *, recipients: Sequence[str] = ()) -> InboundMail:
    """Take one mail of a mailbox in, once, in the running unit of work (TICKETS-062, 063).

    ``recipients`` – addresses it was handed over for, beside those in its headers. Whatever is wrong with it is an
    outcome of its row, not an exception; only a database that fails is raised, and then nothing was written.

    Side effects: those of `comments.add_comment` or `filing.file_ticket`, as the sender; one `InboundMail`.
    """
    try:
        letter = mail_reading.read(raw)
    except Unreadable:
        return note(mailbox, _head_of(raw), _Result(Outcome.REFUSED, "broken"))
    letter.head.recipients += recipients
    if (known := _taken(mailbox, letter.head)) is not None:
        return known
    return note(mailbox, letter.head, _decide(mailbox, letter))


def refuse_large(mailbox: Mailbox, beginning: bytes) -> InboundMail:
    """Note a mail that is too large to be read; ``beginning`` holds its headers."""
    return note(mailbox, _head_of(beginning), _Result(Outcome.REFUSED, "too_large"))


def note(mailbox: Mailbox, head: Head, result: _Result) -> InboundMail:
    """The row that tells what became of a mail; of one that was taken before, that row."""
    known = _taken(mailbox, head)
    return known or InboundMail.objects.create(
        tenant_id=mailbox.tenant_id,
        message_id=head.message_id,
        sender=head.sender,
        subject=head.subject,
        outcome=result.outcome,
        reason=result.reason[:40],
        ticket=result.ticket,
    )


def _taken(mailbox: Mailbox, head: Head) -> InboundMail | None:
    return InboundMail.objects.filter(tenant=mailbox.tenant_id, message_id=head.message_id).first()


def _head_of(raw: bytes) -> Head:
    try:
        return mail_reading.read_head(raw)
    except Unreadable:
        return Head(mail_reading.fallback_id(raw), "", "", [], "", "", [])


def _decide(mailbox: Mailbox, letter: Letter) -> _Result:
    before = scope.current().user_id
    try:
        with transaction.atomic():
            return _work(mailbox, letter)
    except _Refused as refused:
        return refused.result
    except DomainError as error:
        return _Result(Outcome.REFUSED, error.code)
    except ValidationError:
        return _Result(Outcome.REFUSED, "invalid")
    except (OperationalError, InterfaceError):
        raise  # nothing can be stored now; the mail is read again
    except Exception as error:
        log.exception("a mail could not be taken in")
        told = mask(f"{type(error).__name__}: {error}")[:20000]
        SystemLog.objects.create(
            tenant_id=mailbox.tenant_id, category="tickets.mail", action=letter.head.message_id[:100], stacktrace=told
        )
        return _Result(Outcome.REFUSED, "failed")
    finally:
        scope.identify(before)


def _work(mailbox: Mailbox, letter: Letter) -> _Result:
    head = letter.head
    if reason := head.robot or _is_own(mailbox, head):
        raise _Refused(reason, Outcome.IGNORED)
    if not head.sender:
        raise _Refused("no_sender")
    tokens = [address for address in head.recipients if reply_addresses.token_of(mailbox, address)]
    if not tokens:
        return _without_token(mailbox, letter)
    found = next((ids for address in tokens if (ids := reply_addresses.read(mailbox, address))), None)
    if found is None:
        raise _Refused("wrong_token")
    return _answer(mailbox, letter, *found)


def _is_own(mailbox: Mailbox, head: Head) -> str:
    """Mail that we have sent ourselves and that found its way back."""
    is_ours = head.sender == mailbox.address.lower() or Message.objects.filter(message_id=head.message_id).exists()
    return "loop" if is_ours else ""


# --- Answers --------------------------------------------------------------------------------------------------


def _answer(mailbox: Mailbox, letter: Letter, ticket_id: int, user_id: int) -> _Result:
    found = Ticket.objects.filter(pk=ticket_id, tenant=mailbox.tenant_id, deleted_at=None)
    ticket = found.select_related("merged_into__community", "community").first()
    user = User.objects.filter(pk=user_id, erased_at=None).first()
    if ticket is None or user is None:
        raise _Refused("ticket_gone")
    if user.email.lower() != letter.head.sender:
        raise _Refused("other_sender")
    if _is_vouched_for(letter.head) is False:
        raise _Refused("unverified")
    actor = _as(user, mailbox)
    target = merging.target_for(actor, ticket)
    if rules.may_comment(actor, target):
        ticket = target  # else its requester goes on in the own one, see `merging`
    if not Ticket.objects.visible_to(actor).filter(pk=ticket.pk).exists():
        raise _Refused("not_allowed")
    _refuse_loop(ticket, user)
    text, files = _content(mailbox, letter, actor)
    comments.add_comment(
        actor=actor, ticket=ticket, source=MAIL, text=text, files=files,
        message_id=f"{mailbox.tenant_id}:{letter.head.message_id}"[:255],
    )  # fmt: skip
    return _Result(Outcome.COMMENT, ticket=ticket)


def _refuse_loop(ticket: Ticket, user: User) -> None:
    """Two programs that answer each other, and say nowhere that they are programs, are cut off: what is refused mails nobody."""
    since = timezone.now() - datetime.timedelta(hours=1)
    said = TicketActivity.objects.filter(ticket=ticket, user=user, source=MAIL, created_at__gte=since)
    if said.count() >= AN_HOUR:
        raise _Refused("too_many")


def _is_vouched_for(head: Head) -> bool | None:
    """What a receiving server of ours says of the sender: DMARC passed, failed, or nothing.

    The first header of such a server counts: servers put theirs on top. Those that others wrote, which is anybody, do not.
    """
    for verdict in head.verdicts:
        server, _semicolon, results = verdict.partition(";")
        if server.strip().split(" ")[0].lower() not in settings.MAIL_AUTH_SERVERS:
            continue
        for result in results.lower().split(";"):
            method, _equals, word = result.strip().partition("=")
            if method.strip() == "dmarc":
                said = word.split()[0] if word.split() else ""
                return True if said == "pass" else False if said in ("fail", "permerror") else None
        return None
    return None


def _as(user: User, mailbox: Mailbox) -> Actor:
    actor = actor_for(user, door=DOOR, tenant_id=mailbox.tenant_id)
    scope.identify(actor.user_id)
    return actor


def _content(mailbox: Mailbox, letter: Letter, actor: Actor) -> tuple[str, attachments.Files]:
    """Text and files as the services take them; what cannot be kept is named below the text."""
    handles, dropped = [], list(letter.dropped)
    for file in letter.files:
        handle = _store(mailbox, file, actor)
        handles += [handle] if handle else []
        dropped += [] if handle else [file.name]
    text = "" if is_blank(letter.text) else letter.text.strip()
    if not text and not handles and not dropped:
        raise _Refused("empty")
    with translation.override(user_language(mailbox.tenant.language)):
        rest = _("Not taken over: %(names)s") % {"names": ", ".join(dropped)[:1000]} if dropped else ""
    room = filing.TEXT_MAX - len(rest) - 10
    text = text if len(text) <= room else f"{text[:room].rstrip()} […]"
    return "\n\n".join(part for part in (text, rest) if part), attachments.Files(handles, DOOR)


def _store(mailbox: Mailbox, file: mail_reading.File, actor: Actor) -> str:
    """The handle of a stored attachment; '' for one that tickets do not take."""
    assert actor.user_id is not None
    if len(file.content) > attachments.LIMIT:
        return ""
    if sniff(io.BytesIO(file.content), file.mime) not in attachments.ACCEPTED:
        return ""
    with contextlib.suppress(DomainError), transaction.atomic():
        return uploads.receive(
            io.BytesIO(file.content), user_id=actor.user_id, tenant_id=mailbox.tenant_id, door=DOOR, name=file.name,
            limit=attachments.LIMIT, declared_mime=file.mime,
        ).handle  # fmt: skip
    return ""


# --- New tickets ----------------------------------------------------------------------------------------------


def _without_token(mailbox: Mailbox, letter: Letter) -> _Result:
    """A ticket, where the company wants that: of the sender, if a server of ours vouches for an address we know."""
    if mailbox.unknown_senders == Mailbox.Unknown.IGNORE:
        raise _Refused("unknown_sender", Outcome.IGNORED)
    vouched = _is_vouched_for(letter.head)
    if vouched is False:
        raise _Refused("unverified")
    _refuse_flood(mailbox, letter.head)
    if vouched and (filed := _of_resident(mailbox, letter)) is not None:
        return _Result(Outcome.TICKET, ticket=filed)
    return _Result(Outcome.TICKET, ticket=_of_stranger(mailbox, letter))


def _refuse_flood(mailbox: Mailbox, head: Head) -> None:
    since = timezone.now() - datetime.timedelta(days=1)
    found = InboundMail.objects.filter(
        tenant=mailbox.tenant_id, sender=head.sender, outcome=Outcome.TICKET, created_at__gte=since
    )
    if found.count() >= A_DAY:
        raise _Refused("too_many")


def _of_resident(mailbox: Mailbox, letter: Letter) -> Ticket | None:
    """As the account of this address, in the one community where it lives; with several, in the mailbox's."""
    user = User.objects.filter(email__iexact=letter.head.sender, erased_at=None).first()
    if user is None:
        return None
    actor = actor_for(user, door=DOOR, tenant_id=mailbox.tenant_id)
    places = Community.objects.filter(pk__in=actor.communities, has_tickets=True).select_related("tenant")
    place = places[0] if len(places) == 1 else next((p for p in places if p.pk == mailbox.community_id), None)
    if place is None:
        return None
    scope.identify(actor.user_id)
    text, files = _content(mailbox, letter, actor)
    return filing.file_ticket(
        actor=actor,
        community=place,
        title=letter.head.subject,
        text=text or letter.head.subject,
        source=MAIL,
        files=files,
    ).ticket


def _of_stranger(mailbox: Mailbox, letter: Letter) -> Ticket:
    """Taken in by whoever has managed the community longest. The sender is named in the text and in nothing else.

    Anybody can write any address into From: so nobody of the register becomes the requester, and nobody is answered.
    """
    assert mailbox.community_id is not None, "the database has a check"
    community = Community.objects.select_related("tenant", "organization").get(pk=mailbox.community_id)
    managers = audience.people_of([audience.managers(community.pk)], community.tenant)
    keeper = (
        Membership.objects.administrators()
        .filter(organization=mailbox.tenant_id, user__in=managers)
        .select_related("user")
        .order_by("pk")
        .first()
    )
    if keeper is None:
        raise _Refused("nobody_there")
    actor = actor_for(keeper.user, door=DOOR, tenant_id=mailbox.tenant_id)
    head = letter.head
    text, files = _content(mailbox, letter, actor)
    with translation.override(user_language(mailbox.tenant.language)):
        line = _("E-mail from %(sender)s; the sender was not verified.") % {
            "sender": f"{head.sender_name} <{head.sender}>" if head.sender_name else head.sender
        }
    text = f"{line}\n\n{text[: filing.TEXT_MAX - 1000]}".strip()
    return filing.file_ticket(
        actor=actor, community=community, title=head.subject, text=text, source=MAIL, files=files, stranger=head.sender
    ).ticket
