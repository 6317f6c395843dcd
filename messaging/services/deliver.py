"""Send what the outbox holds. One commit per mail, written while the next one is handed over.

So a crash repeats at most two: the one on its way, and the one before. Both keep their Message-ID.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.errors import Blocked, Invalid
from core.services.wake import wake
from messaging.models import Message, MessageRecipient
from messaging.rules import refusal
from messaging.services import outbox, quiet
from messaging.services.catalogue import KINDS
from messaging.services.render import render
from messaging.services.transport import MailConfig, Permanent, Transport, TransportError, Unreachable, config_for
from orgs.languages import user_language

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from orgs.models import Organization, User

log = logging.getLogger(__name__)

BATCH = 50  # mails of one claim
SWEEP_SECONDS = 240  # a sweep stops taking new batches after that
ONE_TEST = 90  # seconds after which the next test mail is let through whatever became of the one before
HELPERS = 3  # workers that may join one that finds a full batch; the others are left to other work

# Servers that did not answer in this run or in another one just now, with what they said: nobody waits for them twice.
Dead = dict[MailConfig, str]


class Journal:
    """Writes down beside that mails were sent: the disk is waited for while the server takes the next mail.

    Use it as a context manager; leaving waits for the last line. A line that cannot be written is raised by what
    follows it. Within a transaction (tests) everything is written at once.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._line: Future[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait()
        finally:
            if self._thread is not None:
                self._thread.submit(_hang_up)
                self._thread.shutdown()

    def sent(self, message: Message, config: MailConfig) -> None:
        """Note one mail, after the one before is written."""
        self._wait()
        if connection.in_atomic_block:
            _sent(message, config)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._line = self._thread.submit(_sent, message, config)

    def _wait(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.result()


def _hang_up() -> None:
    connection.close()  # of this thread


def deliver(
    ids: Sequence[int] | None = None, *, limit: int = BATCH, dead: Dead | None = None, journal: Journal | None = None
) -> dict[str, int]:
    """Claim due mails (those of ``ids``, or any) and send them, batch by server. Returns counts by outcome.

    Errors of a mail are written to it and never raised. With a ``journal`` the last mail may be noted after the return.
    """
    dead = {} if dead is None else dead
    counts = dict.fromkeys(("sent", "waiting", "failed", "bounced", "skipped"), 0)
    claimed = outbox.claim(limit=limit, ids=ids)
    begun = len(claimed) == 1
    for config, messages in _by_server(claimed).items():
        known = dead.get(config) or quiet.said(config)
        if known:
            dead[config] = known
        with Transport(config) as transport:
            for message in messages:
                ours = begun or outbox.begin(message)
                counts[_send(message, transport, dead, journal) if ours else "skipped"] += 1
        if config in dead and not known:
            quiet.remember(config, dead[config])
    return counts


def sweep() -> dict[str, int]:
    """Return expired leases, then deliver everything that is due. The scheduler runs it every 20 seconds."""
    outbox.correct_clock()
    return {"expired": outbox.requeue_expired()} | deliver_due()


def deliver_due(helpers: int = HELPERS) -> dict[str, int]:
    """Deliver everything that is due, for at most four minutes. Returns counts by outcome.

    Side effects: who finds a full batch calls one more worker, who may call ``helpers - 1`` more: each takes other mails.
    """
    total: dict[str, int] = {}
    dead: Dead = {}
    end = time.monotonic() + SWEEP_SECONDS
    with Journal() as journal:
        while time.monotonic() < end:
            counts = deliver(limit=BATCH, dead=dead, journal=journal)
            for name, count in counts.items():
                total[name] = total.get(name, 0) + count
            taken = sum(counts.values())
            if taken == BATCH and helpers:
                wake("messaging.help", helpers - 1)
                helpers = 0
            if not taken:
                break
    return total


def send_test(
    *, to: str, tenant: Organization | None, app_config: bool = False, language: str = "", caused_by: User | None = None
) -> str:
    """Send a test mail at once (DOCMS-155). Returns '' or what is wrong, without credentials.

    The attempt stays in the mail log, a failure among the mail errors; nothing is repeated. Call it outside of a
    transaction (`core.middleware.own_transactions`), or a refused request takes the log entry with it.
    Raises `Invalid` for an address that is none, `Blocked` while another one of this company waits for the server.
    """
    if not outbox.is_address(to):
        message = _("This is not an e-mail address.")
        raise Invalid(message, code="invalid_address", fields={"to": [message]})
    with _alone(tenant):
        return _try(to, tenant, app_config=app_config, language=language, caused_by=caused_by)


@contextmanager
def _alone(tenant: Organization | None) -> Iterator[None]:
    """One at a time of a company: each keeps a thread of the web for as long as the server takes.

    Without the cache everybody may. Raises `Blocked`.
    """
    key = f"test-mail:{tenant.pk if tenant else ''}"
    try:
        is_first = cache.add(key, 1, ONE_TEST)
    except Exception as error:
        log.warning("whether a test mail is under way is not known: %s", error)
        is_first = True
    if not is_first:
        raise Blocked(5, _("Another test mail is under way. Please wait for its result."))
    try:
        yield
    finally:
        with suppress(Exception):
            cache.delete(key)


def _try(to: str, tenant: Organization | None, *, app_config: bool, language: str, caused_by: User | None) -> str:
    tenant_ids = [tenant.pk] if tenant else []
    with scope.unit_of_work(door="mail", tenants=tenant_ids, user_id=caused_by.pk if caused_by else None):
        rendered = render("test_mail", language=language, context={"user_name": ""}, tenant=tenant)
        message_id = outbox.new_message_id()
        row = Message.objects.create(
            kind="test_mail",
            tenant=tenant,
            caused_by=caused_by,
            subject=rendered.subject,
            body_html=rendered.html,
            body_text=rendered.text,
            language=user_language(rendered.language),
            to_emails=[to],
            message_id=message_id,
            dedupe_key=f"test:{message_id}",
            state=Message.State.SENDING,
            lease_until=timezone.now() + outbox.LEASE,
            attempts=len(outbox.PAUSES) + 1,  # so nothing repeats it, not even a sweep after a crash
            app_config=app_config,
        )
        MessageRecipient.objects.create(message=row, address=to, user_id=None)
        prefetch_related_objects([row], "recipients")  # outside of the tenant, nobody sees to whom it goes
        config = config_for(tenant, app_config=app_config)
    with Transport(config) as transport:
        _send(row, transport, {})
    return "" if row.state == Message.State.SENT else transport.problem or row.error_msg


def _by_server(messages: Sequence[Message]) -> dict[MailConfig, list[Message]]:
    found: dict[MailConfig, list[Message]] = {}
    known: dict[tuple[int | None, bool], MailConfig] = {}
    with scope.unit_of_work(door="mail"), scope.all_tenants():
        for message in messages:
            key = (message.tenant_id, message.app_config)
            if key not in known:
                known[key] = config_for(message.tenant, app_config=message.app_config)
            found.setdefault(known[key], []).append(message)
    return found


def _send(message: Message, transport: Transport, dead: Dead, journal: Journal | None = None) -> str:
    """Send one claimed mail and write down what became of it. Returns the outcome's name."""
    if message.lease_until is None or message.lease_until <= timezone.now():
        return "skipped"  # its turn came too late: by now it may be somebody else's
    if reason := refusal(message.kind, message.tenant):  # the trial ended between the event and now
        return _ended(message, transport.config, Message.State.FAILED, reason)
    waiting = [r.address for r in message.recipients.all() if r.state == MessageRecipient.State.QUEUED]
    addresses = list(dict.fromkeys(waiting))
    if not addresses:
        return _ended(message, transport.config, Message.State.FAILED, _("Nobody to send this to."))
    config = transport.config
    try:
        if config in dead:
            raise Unreachable(dead[config])
        refused = transport.send(message, addresses)
    except Unreachable as error:
        dead[config] = str(error)
        return _retry(message, config, str(error))
    except Permanent as error:
        return _ended(message, config, Message.State.FAILED, str(error))
    except TransportError as error:
        return _retry(message, config, str(error))
    except Exception as error:
        # Not a named error of the transport: repeating would not help. The batch goes on.
        log.exception("message %s could not be sent", message.pk)
        return _ended(message, config, Message.State.FAILED, config.clean(f"{type(error).__name__}: {error}"))
    if not refused and journal is not None:
        journal.sent(message, config)
        return "sent"
    return _handed_over(message, config, [a for a in addresses if a not in refused], refused)


def _handed_over(
    message: Message, config: MailConfig, accepted: Sequence[str], refused: dict[str, tuple[int, str]]
) -> str:
    """The server answered for each address: accepted, never (5xx), or not now (4xx)."""
    if not refused:
        return _sent(message, config)
    never = [a for a, (code, _text) in refused.items() if code >= 500]
    later = [a for a in refused if a not in never]
    error = "; ".join(f"{address}: {code} {text}" for address, (code, text) in refused.items())
    with scope.unit_of_work(door="mail", tenants=_tenants(message)):
        for state, addresses in (("sent", accepted), ("bounced", never)):
            if addresses:
                message.recipients.filter(state="queued", address__in=addresses).update(state=state)
        if later:
            return _retry(message, config, error)
        arrived = bool(accepted) or message.recipients.filter(state="sent").exists()
        return _ended(message, config, Message.State.SENT if arrived else Message.State.BOUNCED, error)


# What `_handed_over` writes when nobody was refused, which is nearly always, committed in one round trip.
_SENT = """
UPDATE messaging_messagerecipient SET state = 'sent' WHERE message_id = %(id)s AND state = 'queued';
UPDATE messaging_message
   SET state = 'sent', lease_until = NULL, sent_at = %(now)s, updated_at = %(now)s, app_config = %(app)s,
       body_html = CASE WHEN %(secret)s THEN '' ELSE body_html END,
       body_text = CASE WHEN %(secret)s THEN '' ELSE body_text END
 WHERE id = %(id)s
"""


def _sent(message: Message, config: MailConfig) -> str:
    now = timezone.now()
    values = {"id": message.pk, "now": now, "app": config.is_app, "secret": is_emptied(message)}
    scope.write_alone(_SENT, values, tenants=_tenants(message))
    message.state, message.sent_at, message.lease_until = Message.State.SENT, now, None
    return "sent"


def is_emptied(message: Message) -> bool:
    """Whether the text goes as soon as it was sent, because it opens a door."""
    kind = KINDS.get(message.kind)
    return kind is not None and kind.secret and not settings.TRYOUT


def _retry(message: Message, config: MailConfig, error: str) -> str:
    if message.attempts > len(outbox.PAUSES):
        return _ended(message, config, Message.State.FAILED, error)
    pause = outbox.PAUSES[message.attempts - 1]
    write_outcome(message, state=Message.State.QUEUED, not_before=timezone.now() + pause, error_msg=error)
    return "waiting"


def _ended(message: Message, config: MailConfig, state: str, error: str) -> str:
    changes: dict[str, object] = {"state": state, "app_config": config.is_app}
    if error:
        changes["error_msg"] = error
    if state == Message.State.SENT:
        changes["sent_at"] = timezone.now()
        if is_emptied(message):
            changes |= {"body_html": "", "body_text": ""}
    write_outcome(message, **changes)
    return str(state)


def write_outcome(message: Message, **changes: object) -> bool:
    """Write an outcome, unless the lease was lost – but what was sent was sent, whoever holds the row now.

    Returns whether it was written.
    """
    rows = Message.objects.filter(pk=message.pk)
    if changes["state"] != Message.State.SENT:
        rows = rows.filter(state=Message.State.SENDING, lease_until=message.lease_until)
    with scope.unit_of_work(door="mail", tenants=_tenants(message)):
        written = rows.update(lease_until=None, updated_at=timezone.now(), **changes)
    for name, value in changes.items():
        setattr(message, name, value)
    return bool(written)


def _tenants(message: Message) -> list[int]:
    return [message.tenant_id] if message.tenant_id else []
