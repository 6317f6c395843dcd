"""Mailboxes are read over IMAP: mail by mail, each with how far one has come in the same transaction.

Nothing is changed on the server. A run that is killed begins again where it was, and a mail that the server shows a
second time is known by its Message-ID.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError

from core import scope
from core.errors import Invalid
from core.logs import mask
from core.models import SystemLog
from core.services import rows
from core.services.outside import require_public_host
from messaging.services.transport import tls_context
from tickets.models import Mailbox
from tickets.services import inbound
from tickets.services.mail_reading import HEADERS_MAX, MAIL_MAX
from tickets.services.reply_addresses import NAME_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.services.jobs import Counts

log = logging.getLogger(__name__)

JOB = "tickets.fetch_mail"
TIMEOUT = 10.0  # seconds for connecting and for each answer
PATIENCE = 60.0  # seconds for one mailbox: a server that trickles its answers is left
RUN = 240.0  # seconds after which a run begins with no further mailbox
BATCH = 100  # mails of one mailbox in one run

# What can be wrong, in the words of the page. The exceptions of libraries are for the log.
PROBLEMS: dict[str, Promise] = {
    "no_server": _("No IMAP server is entered."),
    "unresolved": _("Nobody knows this host name."),
    "not_public": _("The address must not lead into a local network."),
    "unreachable": _("The server does not answer."),
    "tls": _(
        "The encrypted connection failed: the certificate is not valid for this server, or it speaks no TLS here."
    ),
    "login": _("The server refuses user name or password."),
    "folder": _("There is no such folder."),
    "protocol": _("The server does not speak IMAP as expected."),
    "slow": _("The server takes too long."),
    "failed": _("Reading the mailbox failed. The system log has details."),
}


class MailboxError(Exception):
    """A mailbox cannot be read; ``code`` is a key of `PROBLEMS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def explain(code: str) -> str:
    """What is wrong, in the reader's language; '' for nothing."""
    return str(PROBLEMS.get(code, PROBLEMS["failed"])) if code else ""


def save(mailbox: Mailbox | None, values: dict[str, Any], *, tenant_id: int, expected: int | None = None) -> Mailbox:
    """Set up or change the mailbox of a company. Another server, account or folder is read from the start again.

    Side effects: audit. Raises `Invalid` for a host inside (``not_public``), one that nobody knows (``unresolved``), or an
    address whose name leaves no room for what answers carry; `core.errors.Changed`; `ValidationError`.
    """
    address, host = values.get("address", ""), values.get("host", "")
    if len(address.rpartition("@")[0]) > NAME_MAX:
        text = _("At most %(count)d characters before the @: answers carry more behind them.") % {"count": NAME_MAX}
        raise Invalid(text, code="too_long", fields={"address": [text]})
    if host:
        try:
            require_public_host(host)
        except Invalid as error:
            raise Invalid(error.message, code=error.code, fields={"host": [str(error.message)]}) from None
    if mailbox is None:
        return rows.create(Mailbox, tenant_id=tenant_id, **values)
    changed = rows.change(mailbox, values, expected=expected)
    if changed.keys() & {"host", "port", "user_name", "folder"}:
        Mailbox.objects.filter(pk=mailbox.pk).update(uid_validity=0, last_uid=0, error="")
    return mailbox


def fetch_all() -> Counts:
    """Job: read all mailboxes in use, one after the other; those that failed last come last, so they hold up no other.

    Every mailbox keeps its own error (`Mailbox.error`). Safe to kill and to repeat.
    """
    end = time.monotonic() + RUN
    counts = {"mailboxes": 0, "mails": 0, "failed": 0}
    for mailbox_id in _in_use():
        if time.monotonic() > end:
            break
        counts["mailboxes"] += 1
        error = ""
        try:
            counts["mails"] += fetch(mailbox_id)
        except MailboxError as problem:
            error = problem.code
        except Exception as problem:
            log.exception("mailbox %s could not be read", mailbox_id)
            error = "failed"
            _report(mailbox_id, problem)
        counts["failed"] += bool(error)
        with _unit():
            Mailbox.objects.filter(pk=mailbox_id).update(checked_at=timezone.now(), error=error)
    return counts


def _report(mailbox_id: int, error: Exception) -> None:
    told = mask(f"{type(error).__name__}: {error}")[:20000]
    with _unit():
        tenant_id = Mailbox.objects.filter(pk=mailbox_id).values_list("tenant_id", flat=True).first()
        SystemLog.objects.create(tenant_id=tenant_id, category=JOB, action=f"mailbox {mailbox_id}", stacktrace=told)


def _in_use() -> list[int]:
    with _unit():
        found = Mailbox.objects.filter(is_active=True, tenant__closed_at=None).exclude(host="")
        return list(found.order_by("error", "checked_at", "pk").values_list("pk", flat=True))


@contextlib.contextmanager
def _unit() -> Iterator[None]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        yield


def fetch(mailbox_id: int) -> int:
    """Take in what is new in one mailbox, at most `BATCH` mails; returns how many. Raises `MailboxError`."""
    with _unit():
        mailbox = Mailbox.objects.select_related("tenant").filter(pk=mailbox_id).first()
    if mailbox is None:
        return 0
    taken = 0
    with _Connection(mailbox) as box:
        validity = box.validity()
        # Another number: the server has counted anew. What was taken before is known by its Message-ID.
        last = mailbox.last_uid if validity == mailbox.uid_validity else 0
        for uid, size in box.new(last, mailbox.created_at)[:BATCH]:
            large = size > MAIL_MAX
            raw = box.content(uid, beginning=large)
            taken += _take(mailbox_id, validity, uid, raw, large=large)
    return taken


def _take(mailbox_id: int, validity: int, uid: int, raw: bytes | None, *, large: bool) -> int:
    """One mail and the progress, together. What another process has taken meanwhile is left."""
    with scope.unit_of_work(door="mail"):
        with scope.all_tenants():
            mailbox = (
                Mailbox.objects.select_related("tenant").select_for_update(of=("self",)).filter(pk=mailbox_id).first()
            )
        if mailbox is None or (mailbox.uid_validity == validity and mailbox.last_uid >= uid):
            return 0
        scope.enter_tenants([mailbox.tenant_id])
        if raw is not None:
            inbound.refuse_large(mailbox, raw) if large else inbound.take(mailbox, raw)
        Mailbox.objects.filter(pk=mailbox_id).update(uid_validity=validity, last_uid=uid)
        return int(raw is not None)


def test(mailbox: Mailbox) -> str:
    """Try to sign in and open the folder; returns '' or a key of `PROBLEMS`. Reads and changes nothing."""
    try:
        with _Connection(mailbox) as box:
            box.validity()
    except MailboxError as error:
        return error.code
    return ""


def hand_over(source: BinaryIO, recipients: Sequence[str]) -> bool:
    """Take in one mail that a mail server hands over; False when no mailbox has one of the addresses.

    Not more than a mail may have is read; a larger one is noted as refused.
    """
    raw = source.read(MAIL_MAX + 1)
    with _unit():
        mailbox = _of_address(recipients)
    if mailbox is None:
        return False
    with scope.unit_of_work(door="mail", tenants=[mailbox.tenant_id]):
        if len(raw) > MAIL_MAX:
            inbound.refuse_large(mailbox, raw[:HEADERS_MAX])
        else:
            inbound.take(mailbox, raw, recipients=recipients)
    return True


def _of_address(recipients: Sequence[str]) -> Mailbox | None:
    """The mailbox in use that one of these addresses belongs to, with or without a token."""
    for recipient in recipients:
        local, _at, domain = recipient.strip().lower().rpartition("@")
        plain = f"{local.partition('+')[0]}@{domain}"
        found = Mailbox.objects.select_related("tenant").filter(is_active=True, address__iexact=plain).first()
        if found is not None:
            return found
    return None


class _Connection:
    """The opened folder of a mailbox. Everything that goes wrong is a `MailboxError`."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._box: _Box | None = None
        self._lines: list[socket.socket] = []  # to the server, to be cut whatever the libraries are doing with them
        self._end = time.monotonic() + PATIENCE
        self._timer = threading.Timer(PATIENCE, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        mailbox = self._mailbox
        if not mailbox.host:
            raise MailboxError("no_server")
        try:
            addresses = require_public_host(mailbox.host)
        except Invalid as error:
            raise MailboxError(error.code if error.code in PROBLEMS else "unresolved") from None
        self._timer.start()
        try:
            with self._told():
                self._box = _Box(mailbox, addresses, self._lines)
                login = self._box.login
                if not (mailbox.user_name + mailbox.password).isascii():
                    login = self._box.login_utf8  # type: ignore[assignment]
                with self._told("login"):
                    login(mailbox.user_name, mailbox.password, initial_folder=None)
                self._box.folder.set(mailbox.folder, readonly=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        if self._box is not None:
            with contextlib.suppress(Exception):
                self._box.client.sock.settimeout(1)
                self._box.client.logout()
            with contextlib.suppress(Exception):
                self._box.client.shutdown()
        for line in self._lines:
            line.close()

    def validity(self) -> int:
        """The server's name for this numbering of the folder."""
        with self._told():
            _kind, found = self._client.response("UIDVALIDITY")
            return int(found[0])

    def new(self, last: int, since: Any) -> list[tuple[int, int]]:
        """Numbers and sizes of mails behind ``last`` that arrived since the day the mailbox was set up."""
        month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[since.month - 1]
        with self._told():
            _kind, found = self._client.uid("SEARCH", f"UID {last + 1}:*", "SINCE", f"{since.day}-{month}-{since.year}")
            # "7:*" names the last mail even where its number is lower.
            uids = sorted(uid for word in (found[0] or b"").split() if (uid := int(word)) > last)[:BATCH]
            return [(uid, self._size(uid)) for uid in uids]

    def _size(self, uid: int) -> int:
        _kind, found = self._client.uid("FETCH", str(uid), "(RFC822.SIZE)")
        told = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in found if isinstance(part, bytes)))
        return int(told.group(1)) if told else 0

    def content(self, uid: int, *, beginning: bool) -> bytes | None:
        """The whole mail, or its headers; None for one that is gone by now."""
        part = f"BODY.PEEK[HEADER]<0.{HEADERS_MAX}>" if beginning else "BODY.PEEK[]"
        with self._told():
            _kind, found = self._client.uid("FETCH", str(uid), f"({part})")
            return next((bytes(piece[1]) for piece in found if isinstance(piece, tuple)), None)

    @property
    def _client(self) -> imaplib.IMAP4:
        assert self._box is not None
        return self._box.client

    @contextlib.contextmanager
    def _told(self, refused: str = "protocol") -> Iterator[None]:
        """Exceptions of the libraries as what they mean; ``refused`` – that the server says no here."""
        try:
            yield
        except MailboxFolderSelectError:
            raise MailboxError("folder") from None
        except ssl.SSLError as error:
            raise MailboxError("slow" if self._is_over else "tls") from error
        except imaplib.IMAP4.abort as error:
            raise MailboxError("slow" if self._is_over else "protocol") from error
        except (imaplib.IMAP4.error, ImapToolsError, ValueError, LookupError, TypeError, UnicodeError) as error:
            raise MailboxError("slow" if self._is_over else refused) from error
        except OSError as error:
            raise MailboxError("slow" if self._is_over else "unreachable") from error

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._end

    def _cut(self) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class _Dialled:
    """Connects to addresses that were looked at, not to the name; takes no answer larger than a mail may be."""

    addresses: list[str]
    lines: list[socket.socket]
    port: int

    def _dial(self) -> socket.socket:
        failure = OSError("no address")
        for address in self.addresses:
            try:
                dialled = socket.create_connection((address, self.port), TIMEOUT)
            except OSError as error:
                failure = error
            else:
                self.lines.append(dialled.dup())
                return dialled
        raise failure

    def read(self, size: int) -> bytes:
        """A literal of the announced size."""
        if size > MAIL_MAX + HEADERS_MAX:
            raise imaplib.IMAP4.abort("literal too large")
        return super().read(size)  # type: ignore[misc,no-any-return]


class _Plain(_Dialled, imaplib.IMAP4):
    def __init__(self, mailbox: Mailbox, addresses: list[str], lines: list[socket.socket]) -> None:
        self.addresses, self.lines = addresses, lines
        imaplib.IMAP4.__init__(self, mailbox.host, mailbox.port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._dial()


class _Encrypted(_Dialled, imaplib.IMAP4_SSL):
    def __init__(self, mailbox: Mailbox, addresses: list[str], lines: list[socket.socket]) -> None:
        self.addresses, self.lines = addresses, lines
        imaplib.IMAP4_SSL.__init__(self, mailbox.host, mailbox.port, ssl_context=tls_context(), timeout=TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self.ssl_context.wrap_socket(self._dial(), server_hostname=self.host)  # type: ignore[attr-defined,no-any-return]


class _Box(BaseMailBox):
    """imap-tools on a connection of ours."""

    def __init__(self, mailbox: Mailbox, addresses: list[str], lines: list[socket.socket]) -> None:
        self._mailbox, self._addresses, self._lines = mailbox, addresses, lines
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        security = Mailbox.Security(self._mailbox.security)
        if security == Mailbox.Security.SSL:
            return _Encrypted(self._mailbox, self._addresses, self._lines)
        client = _Plain(self._mailbox, self._addresses, self._lines)
        if security == Mailbox.Security.STARTTLS:
            try:
                client.starttls(tls_context())
            except OSError:  # with the line cut in the middle of the handshake, closing it fails, too
                with contextlib.suppress(OSError):
                    client.shutdown()
                raise
            except imaplib.IMAP4.error as error:
                client.shutdown()
                raise ssl.SSLError("no STARTTLS") from error
        return client
