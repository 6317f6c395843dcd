"""SMTP: whose server, one connection for a batch, and errors without credentials."""

from __future__ import annotations

import base64
import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.utils.translation import gettext as _
from environ import Env

from core.errors import Invalid
from core.services.outside import require_public_host
from messaging.services.catalogue import KINDS
from messaging.services.problems import in_words
from messaging.services.render import one_line
from messaging.services.watchdog import Watchdog
from orgs.models import Organization, OrganizationSettings
from orgs.services.installation import installation, public_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from django.core.mail.message import SafeMIMEMultipart

    from messaging.models import Message
    from orgs.models.settings import MailServer

TIMEOUT = 10  # seconds for connecting and for each answer
BEGINNING = 15  # seconds from the first byte to the last of what comes before a mail: greeting, TLS, signing in
ONE_MAIL = 30  # seconds of a mail, from its first command to the answer to its last byte
ADDRESSES = 3  # of a name that are tried


class TransportError(Exception):
    """A message could not be handed over. The text is for the mail log and holds no credentials.

    ``status`` is that of an answer over HTTP, where there was one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class Unreachable(TransportError):
    """No usable connection: nobody gets mail through this server now, later perhaps."""


class Temporary(TransportError):
    """This message did not go through now, later perhaps."""


class Permanent(TransportError):
    """This message will never go through."""


@dataclass(frozen=True)
class MailConfig:
    """The server in use. Equal configurations share a connection."""

    host: str
    port: int = 25
    ssl: bool = False
    starttls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    name: str = ""
    is_app: bool = True

    @property
    def from_header(self) -> str:
        """``mail_sender`` with the name of the company, unless the sender brings its own name (DOCMS-154, 188)."""
        name, address = parseaddr(one_line(self.sender))
        return formataddr((name or one_line(self.name), address))

    @property
    def from_address(self) -> str:
        """The address alone, for the envelope."""
        return parseaddr(one_line(self.sender))[1]

    def clean(self, text: str) -> str:
        """An error's text in one line, without user name and password in any spelling they travel in."""
        secrets: set[str] = set()
        for secret in filter(None, (self.password, self.user, f"\0{self.user}\0{self.password}" if self.user else "")):
            secrets |= {secret, base64.b64encode(secret.encode()).decode()}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return one_line(text)[:1000]


def config_for(tenant: Organization | None, *, app_config: bool = False) -> MailConfig:
    """The tenant's server, else the installation's, else that of ``EMAIL_URL`` (DOCMS-154, 188).

    The sender belongs to the configuration in use. With ``app_config`` the tenant's is left out.
    """
    app = installation()
    app_sender = app.mail_sender or settings.DEFAULT_FROM_EMAIL
    name = tenant.name if tenant else app.app_name
    if tenant is not None and not app_config:
        own = OrganizationSettings.objects.filter(organization=tenant).first()
        if own is not None and own.mail_server:
            return _from_row(own, own.mail_sender or app_sender, name, is_app=False)
    if app.mail_server:
        return _from_row(app, app_sender, name, is_app=True)
    url = Env.email_url_config(settings.EMAIL_URL) if settings.EMAIL_URL else {}
    # django-environ takes smtps:// for STARTTLS; everybody else, `/readyz` included, for encryption from the start.
    at_once = urlsplit(settings.EMAIL_URL).scheme in ("smtps", "smtp+ssl")
    return MailConfig(
        host=url.get("EMAIL_HOST") or "",
        port=url.get("EMAIL_PORT") or (465 if at_once else 25),
        ssl=at_once,
        starttls=bool(url.get("EMAIL_USE_TLS")) and not at_once,
        user=url.get("EMAIL_HOST_USER") or "",
        password=url.get("EMAIL_HOST_PASSWORD") or "",
        sender=app_sender,
        name=name,
    )


def _from_row(row: MailServer, sender: str, name: str, *, is_app: bool) -> MailConfig:
    return MailConfig(
        host=row.mail_server,
        port=row.mail_port,
        ssl=row.mail_ssl,
        starttls=row.mail_starttls and not row.mail_ssl,
        user=row.mail_user,
        password=row.mail_password,
        sender=sender,
        name=name,
        is_app=is_app,
    )


def can_send(tenant: Organization | None = None) -> bool:
    """Whether there is any way of sending mail (DOCMS-194)."""
    return bool(config_for(tenant).host)


class Transport:
    """One connection to one server, opened when first needed, reused, opened anew when the server dropped it.

    Use it as a context manager; leaving closes the connection.
    """

    def __init__(self, config: MailConfig) -> None:
        self.config = config
        self.problem = ""  # the last failure in words, in the language of whoever waits for the result
        self._smtp: smtplib.SMTP | None = None
        self._profile = ""
        self._watchdog = Watchdog()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError), self._watchdog.within(TIMEOUT):
                smtp.quit()
        self._watchdog.close()

    def send(self, message: Message, recipients: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Hand a mail over for these addresses. Returns the refused ones with the server's answer.

        Raises `Unreachable`, `Temporary` or `Permanent`.
        """
        try:
            mail = cast("SafeMIMEMultipart", build(message, self.config, self._preferences(message)).message())
            content = mail.as_bytes(linesep="\r\n")
            envelope = {sanitize_address(address, "utf-8"): address for address in recipients}
            sender = sanitize_address(self.config.from_address, "utf-8")
        except (ValueError, UnicodeError) as error:  # Django refuses line breaks in headers with a ValueError
            raise Permanent(self.config.clean(f"{type(error).__name__}: {error}")) from error
        try:
            smtp = self._begun(sender, len(content))
            with self._watchdog.within(ONE_MAIL):
                refused = _hand_over(smtp, list(envelope), content)
        except smtplib.SMTPDataError as error:
            kind = Permanent if error.smtp_code >= 500 else Temporary
            raise kind(self._describe(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            # Whether the connection survived is unknown. A refused sender is a setting that can be mended.
            how: type[TransportError] = Unreachable if self._watchdog.has_cut else Temporary
            said = self._describe(error)
            self.close()
            raise how(said) from error
        return {envelope[address]: (code, self._text(answer)) for address, (code, answer) in refused.items()}

    def _preferences(self, message: Message) -> str:
        """Where the reader turns such mails off; '' for those that cannot be. Looked up once a connection."""
        kind = KINDS.get(message.kind)
        if kind is None or not kind.optional:
            return ""
        self._profile = self._profile or public_url("/app/profile")
        return self._profile

    def _begun(self, sender: str, size: int) -> smtplib.SMTP:
        """A connection on which the server said yes to a mail of ``size`` bytes.

        Whether a used connection still lives, the mail's first command tells: asking before would cost one more
        answer a mail. Nothing was handed over by then, so a server that hung up is dialled again.
        """
        smtp = self._smtp
        if smtp is not None:
            try:
                with self._watchdog.within(TIMEOUT):
                    code, answer = _ask(smtp, sender, size)
            except (smtplib.SMTPServerDisconnected, OSError):
                code, answer = 421, b""
            if code != 421:  # "closing channel"
                return _accepted(smtp, code, answer, sender)
            self.close()
        smtp = self._smtp = self._open()
        with self._watchdog.within(TIMEOUT):
            said = _ask(smtp, sender, size)
        return _accepted(smtp, *said, sender)

    def _open(self) -> smtplib.SMTP:
        config = self.config
        if not config.host:
            self.problem = _("No mail server is configured.")
            raise Unreachable(self.problem)
        smtp: smtplib.SMTP | None = None
        try:
            with self._watchdog.within(BEGINNING):
                smtp = self._dial()
                if config.starttls:
                    smtp.starttls(context=tls_context())
                if config.user:
                    _login(smtp, config)
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a host name that is none
            if smtp is not None:
                smtp.close()
            raise Unreachable(self._describe(error)) from error
        return smtp

    def _dial(self) -> smtplib.SMTP:
        """Connected to the host, or to the first of its addresses that answers where a tenant named it.

        Those were found to lie outside just now; the name is not looked up again, it is what the certificate must say.
        """
        config = self.config
        failure: OSError = OSError("no address")
        for address in [""] if config.is_app else self._addresses()[:ADDRESSES]:
            try:
                return _connect(config, address, self._watchdog)
            except OSError as error:
                failure = error
                if self._watchdog.has_cut:
                    break
        raise failure

    def _addresses(self) -> list[str]:
        try:
            return require_public_host(self.config.host)
        except Invalid as error:
            self.problem = str(error.message)
            raise Unreachable(f"{self.config.host}: {error.message}") from None

    def _describe(self, error: Exception) -> str:
        if self._watchdog.has_cut:
            error = TimeoutError("the server answers too slowly")
        if isinstance(error, smtplib.SMTPResponseException):
            said = self.config.clean(f"{error.smtp_code} {self._text(error.smtp_error)}")
            self.problem = f"{in_words(error)} {said}".strip()
            return said
        self.problem = in_words(error)
        return self.config.clean(f"{type(error).__name__}: {error}")

    def _text(self, answer: bytes | str) -> str:
        return self.config.clean(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)


class _Plain(smtplib.SMTP):
    """Connects to an address that was looked at before; an empty one is the host's."""

    def __init__(self, address: str, watchdog: Watchdog, *args: Any, **options: Any) -> None:
        self._address, self._watchdog = address, watchdog
        super().__init__(*args, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        sock = super()._get_socket(self._address or host, port, timeout)  # type: ignore[misc]
        self._watchdog.guard(sock)
        return sock


class _Encrypted(smtplib.SMTP_SSL):
    """The same with TLS from the start, whose certificate must be the host's."""

    def __init__(self, address: str, watchdog: Watchdog, *args: Any, **options: Any) -> None:
        self._address, self._watchdog = address, watchdog
        super().__init__(*args, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        sock = smtplib.SMTP._get_socket(self, self._address or host, port, timeout)  # type: ignore[attr-defined]
        self._watchdog.guard(sock)  # before the handshake, which may drip as well
        return self.context.wrap_socket(sock, server_hostname=self._host)  # type: ignore[attr-defined]


def _connect(config: MailConfig, address: str, watchdog: Watchdog) -> smtplib.SMTP:
    local = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    options: dict[str, Any] = {"local_hostname": local, "timeout": TIMEOUT}
    if config.ssl:
        return _Encrypted(address, watchdog, config.host, config.port, context=tls_context(), **options)
    return _Plain(address, watchdog, config.host, config.port, **options)


def _ask(smtp: smtplib.SMTP, sender: str, size: int) -> tuple[int, bytes]:
    smtp.ehlo_or_helo_if_needed()
    return smtp.mail(sender, [f"size={size}"] if smtp.has_extn("size") else [])


def _accepted(smtp: smtplib.SMTP, code: int, answer: bytes, sender: str) -> smtplib.SMTP:
    if code != 250:
        smtp.rset()
        raise smtplib.SMTPSenderRefused(code, answer, sender)
    return smtp


def _hand_over(smtp: smtplib.SMTP, addresses: Sequence[str], content: bytes) -> dict[str, tuple[int, bytes]]:
    """The rest of a mail that was begun, as `smtplib.SMTP.sendmail` does it. Returns the refused addresses."""
    refused = {}
    for address in addresses:
        code, answer = smtp.rcpt(address)
        if code not in (250, 251):
            refused[address] = (code, answer)
        if code == 421:  # it hangs up, so nobody gets this mail now
            smtp.close()
            return dict.fromkeys(addresses, (code, answer)) | refused
    if len(refused) == len(addresses):
        smtp.rset()
        return refused
    code, answer = smtp.data(content)
    if code != 250:
        smtp.close() if code == 421 else smtp.rset()
        raise smtplib.SMTPDataError(code, answer)
    return refused


def _login(smtp: smtplib.SMTP, config: MailConfig) -> None:
    """`smtplib` takes ASCII only, while passwords with umlauts exist: those go as UTF-8 (RFC 4616)."""
    if (config.user + config.password).isascii():
        smtp.login(config.user, config.password)
        return
    smtp.ehlo_or_helo_if_needed()
    plain = base64.b64encode(f"\0{config.user}\0{config.password}".encode()).decode()
    code, answer = smtp.docmd("AUTH", f"PLAIN {plain}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def tls_context() -> ssl.SSLContext:
    """Certificates are checked; there is no switch to turn that off."""
    return ssl.create_default_context()


def build(message: Message, config: MailConfig, preferences: str = "") -> EmailMultiAlternatives:
    """The physical mail: plain text with its HTML twin. BCC addresses stand in no header.

    ``preferences`` is the address where people turn such mails off.

    Raises `ValueError` when building the headers finds a line break in one of them.
    """
    headers = {
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if message.language:
        headers["Content-Language"] = message.language
    if message.in_reply_to:
        headers |= {"In-Reply-To": message.in_reply_to, "References": message.in_reply_to}
    if preferences:
        headers["List-Unsubscribe"] = f"<{preferences}>"
    # The visible address of a BCC mail is the one to answer to (DOCMS-193).
    answer_to = message.reply_to or (message.to_emails[0] if message.bcc_emails else "")
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.body_text,
        from_email=config.from_header,
        to=message.to_emails,
        reply_to=[answer_to] if answer_to else None,
        headers=headers,
    )
    mail.attach_alternative(message.body_html, "text/html")
    return mail
