"""The outbox: written in the transaction of the event, emptied by workers after the commit.

The rows are their own record (who, when, to whom, what became of it), so writing and sending them is not audited
a second time; what people do to them (cancel, resend) is.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Conflict, Invalid
from core.models import SystemLog
from core.services import many, rows
from core.services.wake import wake
from messaging.models import Message, MessageRecipient
from messaging.rules import may_send, refusal
from messaging.services.merge import MailMerge
from messaging.services.split import Envelope, Recipient, envelopes
from messaging.services.texts import Texts, load
from orgs.languages import user_language
from orgs.services.holds import keep_still

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Unpack

    from orgs.models import Organization, User

LEASE = datetime.timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
SKEW = datetime.timedelta(minutes=1)  # by which the clocks of two servers may differ
# Pauses before the first to fifth repetition; after the fifth the message has failed.
PAUSES = tuple(datetime.timedelta(minutes=m) for m in (1, 5, 15, 60, 240))
KEEP_TEXT = datetime.timedelta(days=30)
WAKE_EACH = 10  # up to that many messages of one event get a task each; more are left to one sweep
ROWS = 500  # mails of one statement: about 4 MB of text
_KEY_MAX = 200 - 34


class _Event(TypedDict):
    """What happened, to be told by mail."""

    kind: str
    tenant: Organization | None
    context: Mapping[str, Any]
    dedupe_key: str
    language: NotRequired[str]
    caused_by: NotRequired[User | None]
    overrides: NotRequired[Texts | None]
    not_before: NotRequired[datetime.datetime | None]
    document_id: NotRequired[int | Sequence[int] | None]
    reply_to: NotRequired[str]
    in_reply_to: NotRequired[str]


def queue(*, to: Recipient | Sequence[Recipient], **event: Unpack[_Event]) -> Message | None:
    """Write a mail into the outbox; see `queue_all`. Returns the (first) message, None when it was written before."""
    written = queue_all(to=[to] if isinstance(to, Recipient) else to, **event)
    return written[0] if written else None


def queue_all(*, to: Iterable[Recipient], **event: Unpack[_Event]) -> list[Message]:
    """Render one event for its recipients and write the mails in the running transaction (DOCMS-156).

    After the commit a worker is told; a dead broker is no error, the sweep finds the rows. Each recipient gets
    the own language (``language`` for those without, else the tenant's). ``dedupe_key`` names the event: repeated,
    it writes nothing for people who have it already. ``document_id`` – the papers the mail announces, as evidence.
    An address that is none becomes a failed message (it shows among the mail errors), never an exception.

    Raises `Denied` where the trial of the company is over (`may_send`; jobs ask `is_refused` first), `Invalid` for a
    ``reply_to`` that is no address, `ValueError` for a wrong name in ``context``. Costs about seven statements for up
    to 500 mails.
    """
    return Mailing(**event).write(to)


class Mailing:
    """One event and its texts, read once; `write` takes the people in as many parts as the caller has transactions.

    See `queue_all` for the arguments and what they raise.
    """

    def __init__(self, **event: Unpack[_Event]) -> None:
        tenant, document_id = event["tenant"], event.get("document_id")
        require(may_send(event["kind"], tenant))
        source = load(event["kind"], tenant, event.get("overrides"))
        self._to_email, self.shared = source.addressing
        reply_to = event.get("reply_to") or self._to_email
        if reply_to and not is_address(reply_to):
            raise Invalid(_("This is not an e-mail address."), code="invalid_address", fields={"reply_to": [reply_to]})
        self._event = _event_key(event["dedupe_key"])
        self._language = user_language(event.get("language") or source.tenant_language)
        self._split_on = source.settings.mail_split_on if source.settings else 0
        self._merge = MailMerge(source, event["context"])
        self._documents = [document_id] if isinstance(document_id, int) or document_id is None else list(document_id)
        self._values = {
            "kind": event["kind"],
            "tenant": tenant,
            "caused_by": event.get("caused_by"),
            "in_reply_to": event.get("in_reply_to", ""),
            "not_before": event.get("not_before") or timezone.now(),
            "reply_to": reply_to,
        }

    def write(self, to: Iterable[Recipient]) -> list[Message]:
        """Write the mails for these people in the running transaction, without those who have theirs.

        When mails are `shared` (people in BCC), they all belong in one call: each call makes mails of its own.
        """
        people = list(to)
        if self.shared:
            people = _without_those_who_have_it(people, self._event)
        mails = envelopes(
            people,
            language=self._language,
            to_email=self._to_email,
            rest_bcc=self.shared,
            split_on=self._split_on,
        )
        known = _known([f"{self._event}:{mail.key}" for mail in mails])
        pairs = [
            (mail, _message(mail, self._merge, f"{self._event}:{mail.key}", self._values))
            for mail in mails
            if f"{self._event}:{mail.key}" not in known
        ]
        with transaction.atomic():
            written = _insert(pairs, self._documents or [None])
            _tell_workers([m.pk for m in written if m.state == Message.State.QUEUED and m.not_before <= timezone.now()])
        return written

    def has_begun(self) -> bool:
        """Whether somebody has mail of this event already."""
        return Message.objects.filter(dedupe_key__startswith=f"{self._event}:").exists()


def is_refused(*, kind: str, tenant: Organization | None, about: str) -> bool:
    """For jobs, which nobody waits for: whether such a mail may not go out.

    Side effect: the system log then says so, and ``about`` what it would have been.
    """
    reason = refusal(kind, tenant)
    if not reason:
        return False
    SystemLog.objects.create(tenant=tenant, category="mail", action=f"{kind}: {about}"[:100], stacktrace=reason)
    return True


def _message(mail: Envelope, merge: MailMerge, dedupe_key: str, values: Mapping[str, Any]) -> Message:
    person = mail.people[0] if not mail.bcc else Recipient("")
    rendered = merge.render(language=mail.language, user_name=person.name, username=person.username)
    message = Message(
        **{**values, **{n: own for n in ("reply_to", "in_reply_to") if (own := getattr(person, n))}},
        dedupe_key=dedupe_key,
        message_id=new_message_id(),
        subject=rendered.subject,
        body_html=rendered.html,
        body_text=rendered.text,
        language=user_language(rendered.language),
        to_emails=list(mail.to),
        bcc_emails=list(mail.bcc),
    )
    wrong = [address for address in (*mail.to, *mail.bcc) if not is_address(address)]
    if wrong and not mail.bcc:
        message.state, message.error_msg = Message.State.FAILED, f"Not an e-mail address: {wrong[0]!r}"
    elif wrong:
        message.bcc_emails = [address for address in mail.bcc if address not in wrong]
        message.error_msg = f"Not an e-mail address: {', '.join(map(repr, wrong))}"
    return message


def _insert(pairs: list[tuple[Envelope, Message]], documents: Sequence[int | None]) -> list[Message]:
    """Write messages and recipients; those whose key another transaction wrote meanwhile are left out."""
    ids: dict[str, int] = {}
    for start in range(0, len(pairs), ROWS):
        part = [message for _mail, message in pairs[start : start + ROWS]]
        ids |= dict(many.insert(part, returning=("message_id", "id"), ignore_conflicts=True))
    written, recipients = [], []
    for mail, message in pairs:
        pk = ids.get(message.message_id)
        if pk is None:
            continue
        message.pk, message._state.adding = pk, False
        written.append(message)
        good = {*message.to_emails, *message.bcc_emails} if message.state == Message.State.QUEUED else set()
        people = [*mail.people, *(Recipient(address) for address in mail.to if mail.bcc)]
        recipients += [
            MessageRecipient(
                message_id=message.pk,
                user_id=person.user_id,
                contact_id=person.contact_id,
                address=person.address.strip()[:254],
                document_id=document,
                state="queued" if person.address.strip() in good else "suppressed",
            )
            for person in people
            for document in documents
        ]
    MessageRecipient.objects.bulk_create(recipients, batch_size=1000)
    return written


def _tell_workers(ids: Sequence[int]) -> None:
    if len(ids) > WAKE_EACH:
        transaction.on_commit(partial(wake, "messaging.sweep"), robust=True)
        return
    for message_id in ids:
        transaction.on_commit(partial(wake, "docms.send_mail", message_id), robust=True)


def _known(keys: Sequence[str]) -> set[str]:
    return set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))


def _without_those_who_have_it(people: list[Recipient], event: str) -> list[Recipient]:
    """A batch has another key as soon as one person more is in it, so people are compared, not batches."""
    have = {
        (user_id, address.lower())
        for user_id, address in MessageRecipient.objects.filter(message__dedupe_key__startswith=f"{event}:b")
        .values_list("user_id", "address")
    }  # fmt: skip
    return [p for p in people if (p.user_id, p.address.strip().lower()) not in have]


def _event_key(key: str) -> str:
    return key if len(key) <= _KEY_MAX else "h" + hashlib.sha256(key.encode()).hexdigest()


def is_address(text: str) -> bool:
    """Whether mail can be addressed to it at all."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def new_message_id() -> str:
    """A Message-ID of this installation; fixed when the row is made, so that a repetition is the same mail."""
    return f"<{uuid.uuid4().hex}@{urlsplit(settings.PUBLIC_URL).hostname or 'localhost'}>"


# --- Workers ----------------------------------------------------------------------------------------------


def claim(*, limit: int, ids: Sequence[int] | None = None, channel: str = Message.Channel.MAIL) -> list[Message]:
    """Take due mails (or text messages, by ``channel``) for the time of a lease, and commit before any is sent.

    What another worker is taking is skipped.
    Counts the attempt of a mail that is taken alone. Those of a batch are counted one by one, by `begin`: a mail that
    kills its worker again and again must not use up the attempts of those behind it.
    """
    now = timezone.now()
    with scope.unit_of_work(door="mail"), scope.all_tenants():
        due = Message.objects.filter(state=Message.State.QUEUED, channel=channel, not_before__lte=now)
        if ids is not None:
            due = due.filter(pk__in=ids)
        due = due.order_by("not_before", "id").select_for_update(skip_locked=True, of=("self",))
        taken = list(due.prefetch_related("recipients", "tenant")[:limit])
        alone = int(len(taken) == 1)
        for message in taken:
            message.state, message.lease_until = Message.State.SENDING, now + LEASE
            message.attempts += alone
        Message.objects.filter(pk__in=[m.pk for m in taken]).update(
            state=Message.State.SENDING, lease_until=now + LEASE, attempts=F("attempts") + alone, updated_at=now
        )
        return taken


_BEGIN = """
SET LOCAL synchronous_commit = off;
UPDATE messaging_message SET lease_until = %(until)s, attempts = attempts + 1
 WHERE id = %(id)s AND state = 'sending' AND lease_until = %(lease)s
"""


def begin(message: Message) -> bool:
    """Count the attempt of one mail of a batch and renew its lease; False when it is no longer ours.

    Before it is sent, so that a mail which kills its worker is not tried for ever. Nothing waits for the disk: a
    database that crashes may forget it, and then tries once more than it should.
    """
    until = timezone.now() + LEASE
    began = scope.write_alone(
        _BEGIN,
        {"id": message.pk, "until": until, "lease": message.lease_until},
        tenants=[message.tenant_id] if message.tenant_id else [],
    )
    if began:
        message.lease_until = until
        message.attempts += 1
    return bool(began)


def requeue_expired() -> int:
    """Give back what a worker took and never finished; what used up its attempts has failed. Returns how many."""
    now = timezone.now()
    with scope.unit_of_work(door="mail"), scope.all_tenants():
        # A lease that ends later than any can was taken by a clock that was wrong.
        over = Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * LEASE)
        left = Message.objects.filter(over, state=Message.State.SENDING)
        left.filter(attempts__gt=len(PAUSES), channel=Message.Channel.MAIL).update(
            state=Message.State.FAILED, lease_until=None, updated_at=now, error_msg="The worker stopped while sending."
        )
        return left.update(state=Message.State.QUEUED, lease_until=None, updated_at=now)


def correct_clock() -> int:
    """Mails written by a clock that was ahead wait as long as they were meant to, from now on. Returns how many.

    What was meant for a certain moment from the start keeps it.
    """
    now = timezone.now()
    with scope.unit_of_work(door="mail"), scope.all_tenants():
        ahead = Message.objects.filter(
            Q(attempts__gt=0) | Q(not_before__lte=F("updated_at")),
            state=Message.State.QUEUED,
            updated_at__gt=now + SKEW,
        )
        return ahead.update(not_before=F("not_before") - (F("updated_at") - Value(now)), updated_at=now)


def empty_old(*, batch: int = 1000) -> dict[str, int]:
    """Empty the texts of mails that ended more than 30 days ago, in batches; the rest of the row stays as log.

    What went to or came from a person whom a legal hold covers keeps its text.
    """
    before, total = timezone.now() - KEEP_TEXT, 0
    ended = ("sent", "failed", "bounced", "cancelled")
    while True:
        with scope.unit_of_work(door="job"), scope.all_tenants():
            old = Message.objects.filter(state__in=ended, updated_at__lt=before).exclude(body_text="", body_html="")
            found = dict(old.not_held().order_by("id").values_list("pk", "tenant_id")[:batch])
            keep_still(found.values())
            ids = list(found)
            total += Message.objects.filter(pk__in=ids).not_held().update(body_html="", body_text="")
        if len(ids) < batch:
            return {"emptied": total}


# --- People -----------------------------------------------------------------------------------------------


@transaction.atomic
def cancel(message: Message) -> Message:
    """Stop a mail that still waits. Raises `Conflict` ``not_waiting`` when it is on its way or done."""
    locked = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if locked.state != Message.State.QUEUED:
        raise Conflict(_("This message does not wait any more."), code="not_waiting")
    rows.change(locked, {"state": Message.State.CANCELLED}, verb="cancelled", check=False)
    locked.recipients.filter(state="queued").update(state="suppressed")
    return locked


@transaction.atomic
def resend(message: Message) -> Message:
    """Send a failed, bounced or cancelled mail again, to those who have not got it; five repetitions anew.

    Raises `Conflict`: ``not_ended`` for one that waits or arrived, ``text_gone`` when its text was emptied; `Denied`
    where the trial of the company is over (ORGS-081).
    """
    require(may_send(message.kind, message.tenant))
    locked = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if locked.state not in (Message.State.FAILED, Message.State.BOUNCED, Message.State.CANCELLED):
        raise Conflict(_("Only a message that did not arrive can be sent again."), code="not_ended")
    if not locked.body_text:
        raise Conflict(_("The text of this message has been removed."), code="text_gone")
    changes = {"state": Message.State.QUEUED, "attempts": 0, "not_before": timezone.now()}
    rows.change(locked, changes, verb="resent", check=False)
    good = [address for address in (*locked.to_emails, *locked.bcc_emails) if is_address(address)]
    if locked.channel == Message.Channel.SMS:
        good = [locked.mobile_number]
        transaction.on_commit(partial(wake, "messaging.sweep_texts"), robust=True)
    else:
        _tell_workers([locked.pk])
    locked.recipients.exclude(state="sent").filter(address__in=good).update(state="queued")
    return locked
