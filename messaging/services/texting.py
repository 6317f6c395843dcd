"""Text messages: rows of the same outbox as mails, handed to the tenant's gateway one by one."""

from __future__ import annotations

import datetime
import logging
import re
import time
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Invalid
from messaging.models import Message, MessageRecipient
from messaging.rules import may_send, refusal
from messaging.services import outbox
from messaging.services.deliver import is_emptied, write_outcome
from messaging.services.gateway import Gateway
from messaging.services.render import render_text
from messaging.services.transport import Permanent, TransportError, Unreachable
from messaging.signals import text_message_failed
from orgs.languages import primary_subtag, user_language
from orgs.models import OrganizationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from messaging.services.texts import Texts
    from orgs.models import Organization, User

log = logging.getLogger(__name__)

# Pauses before the first to third repetition; after the third the message has failed.
PAUSES = tuple(datetime.timedelta(minutes=m) for m in (1, 5, 15))
BATCH = 20
SWEEP_SECONDS = 240  # a sweep stops taking new messages after that
# Country codes for numbers that are written without one: of the tenant's language, its region first.
_COUNTRIES = {"at": "43", "ch": "41", "de": "49", "en": "44", "fr": "33", "gb": "44", "pl": "48"}

NO_GATEWAY = "The SMS gateway is not set up."
# Gateways that did not answer in this run, with what was found: nobody waits for them twice.
Dead = dict[Gateway, str]


def e164(number: str, *, language: str = "de") -> str:
    """A number as the world writes it, from how people write it: ``+491701234567`` of ``0170 123-4567``.

    Without a country it is one of the tenant's, whose language tag is ``language``. Raises `Invalid`
    (field ``mobile_number``) when it is no number.
    """
    digits = re.sub(r"[^\d+]", "", re.sub(r"\(0\)", "", number.strip()))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = f"+{_country(language)}{digits[1:]}"
    elif not digits.startswith("+"):
        digits = "+" + digits
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits):
        problem = _("This is no mobile number.")
        raise Invalid(problem, code="invalid_number", fields={"mobile_number": [problem]})
    return digits


def _country(language: str) -> str:
    region = language.replace("_", "-").lower().rpartition("-")[2]
    return _COUNTRIES.get(region) or _COUNTRIES.get(primary_subtag(language), "49")


@transaction.atomic
def queue(
    *,
    kind: str,
    tenant: Organization,
    to: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    language: str = "",
    overrides: Texts | None = None,
    caused_by: User | None = None,
    document_id: int | None = None,
) -> Message:
    """Write a text message into the outbox, in the running transaction; the caller has a worker told.

    ``to`` in E.164. ``dedupe_key`` names the event: repeated, the message that is there is returned. Raises
    `Denied` where the trial of the company is over (`may_send`), `ValueError` for a wrong name in ``context``.
    """
    require(may_send(kind, tenant))
    text = render_text(kind, language=language, context=context, tenant=tenant, overrides=overrides)
    message = Message(
        channel=Message.Channel.SMS,
        kind=kind,
        tenant=tenant,
        caused_by=caused_by,
        body_text=text,
        language=user_language(language or tenant.language),
        mobile_number=to,
        message_id=outbox.new_message_id(),
        dedupe_key=dedupe_key,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)
    found = Message.objects.get(dedupe_key=dedupe_key)
    if found.message_id == message.message_id:
        MessageRecipient.objects.create(message=found, address=to, document_id=document_id)
    return found


def deliver(ids: Sequence[int] | None = None, *, limit: int = BATCH, dead: Dead | None = None) -> dict[str, int]:
    """Claim due text messages (those of ``ids``, or any) and send them. Returns counts by outcome.

    One that a gateway has given an id is done, however often it is asked for. Errors are written to the message and
    never raised.
    """
    dead = {} if dead is None else dead
    counts = dict.fromkeys(("sent", "waiting", "failed", "skipped"), 0)
    claimed = outbox.claim(limit=limit, ids=ids, channel=Message.Channel.SMS)
    for message in claimed:
        ours = len(claimed) == 1 or outbox.begin(message)
        counts[_send(message, dead) if ours else "skipped"] += 1
    return counts


def send_test(*, to: str, tenant: Organization, language: str = "", caused_by: User | None = None) -> str:
    """Send a test message at once through the tenant's gateway. Returns '' or what is wrong, in plain words.

    The attempt stays in the log, a failure among the errors; nothing is repeated. Call it outside of a transaction
    (`core.middleware.own_transactions`): the gateway may take its time. Raises `Invalid` for what is no number.
    """
    number = e164(to, language=tenant.language)
    with scope.unit_of_work(door="mail", tenants=[tenant.pk], user_id=caused_by.pk if caused_by else None):
        message_id = outbox.new_message_id()
        row = Message.objects.create(
            channel=Message.Channel.SMS,
            kind="test_sms",
            tenant=tenant,
            caused_by=caused_by,
            body_text=render_text("test_sms", language=language, context={}, tenant=tenant),
            language=user_language(language or tenant.language),
            mobile_number=number,
            message_id=message_id,
            dedupe_key=f"test:{message_id}",
            state=Message.State.SENDING,
            lease_until=timezone.now() + outbox.LEASE,
            attempts=len(PAUSES) + 1,  # so nothing repeats it, not even a sweep after a crash
        )
        MessageRecipient.objects.create(message=row, address=number)
        gateway = Gateway.of(OrganizationSettings.objects.filter(organization=tenant.pk).first())
    if gateway is None:
        _failed(row, NO_GATEWAY)
        return _("Address, key and sender of the gateway are needed; store them first.")
    try:
        gateway_id = gateway.send(number, row.body_text)
    except TransportError as error:
        _failed(row, str(error))
        return f"{_explained(error)} ({error})"
    _sent(row, gateway_id)
    return ""


def _explained(error: TransportError) -> str:
    """What a gateway's refusal means for whoever set it up."""
    status = error.status
    if status in (401, 403):
        return _("The gateway does not accept the key.")
    if status in (404, 405):
        return _("At this address nobody takes text messages. Please check the address of the gateway.")
    if status == 429:
        return _("The gateway takes no more messages at the moment. Please try again later.")
    if status is not None and status >= 500:
        return _("The gateway has a problem of its own. Please try again later.")
    if status is not None:
        return _("The gateway does not take this message. Please check sender, type and number.")
    if isinstance(error, Unreachable):
        return _("The gateway does not answer. Please check its address.")
    return _("The gateway may not be asked. Please check its address.")


def sweep() -> dict[str, int]:
    """Deliver everything that is due, for at most four minutes. Returns counts by outcome.

    What a killed worker had taken `messaging.sweep` gives back.
    """
    total: dict[str, int] = {}
    dead: Dead = {}
    end = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < end:
        counts = deliver(limit=1, dead=dead)  # each may take the gateway's whole patience: none waits claimed
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
        if not sum(counts.values()):
            break
    return total


def _send(message: Message, dead: Dead) -> str:
    if reason := refusal(message.kind, message.tenant):
        return _failed(message, reason)
    if message.attempts > len(PAUSES) + 1:  # its workers died with it, again and again
        return _failed(message, message.error_msg or "The worker stopped while sending.")
    with scope.unit_of_work(door="mail", tenants=_tenants(message)):
        gateway = Gateway.of(OrganizationSettings.objects.filter(organization=message.tenant_id).first())
    if gateway is None:
        return _failed(message, NO_GATEWAY)
    try:
        if gateway in dead:
            raise Unreachable(dead[gateway])
        gateway_id = gateway.send(message.mobile_number, message.body_text)
    except Permanent as error:
        return _failed(message, str(error))
    except TransportError as error:
        if isinstance(error, Unreachable):
            dead[gateway] = str(error)
        return _again(message, str(error))
    except Exception as error:
        # Not a named error of the gateway: repeating would not help, and its text may hold what nobody may read.
        log.exception("text message %s could not be sent", message.pk)
        return _failed(message, type(error).__name__)
    return _sent(message, gateway_id)


def _sent(message: Message, gateway_id: str) -> str:
    now = timezone.now()
    with scope.unit_of_work(door="mail", tenants=_tenants(message)):
        message.recipients.filter(state="queued").update(state="sent")
        write_outcome(message, state=Message.State.SENT, sent_at=now, gateway_id=gateway_id, **_emptied(message))
    return "sent"


def _again(message: Message, error: str) -> str:
    if message.attempts > len(PAUSES):
        return _failed(message, error)
    pause = PAUSES[message.attempts - 1]
    write_outcome(message, state=Message.State.QUEUED, not_before=timezone.now() + pause, error_msg=error)
    return "waiting"


def _failed(message: Message, error: str) -> str:
    """It will not arrive: its code goes, and whoever wrote it is told (signal `text_message_failed`)."""
    with scope.unit_of_work(door="mail", tenants=_tenants(message)):
        if not write_outcome(message, state=Message.State.FAILED, error_msg=error, **_emptied(message)):
            return "skipped"
        message.recipients.filter(state="queued").update(state="suppressed")
        text_message_failed.send(sender=Message, message=message)
    return "failed"


def _emptied(message: Message) -> dict[str, str]:
    return {"body_text": ""} if is_emptied(message) else {}


def _tenants(message: Message) -> list[int]:
    return [message.tenant_id] if message.tenant_id else []
