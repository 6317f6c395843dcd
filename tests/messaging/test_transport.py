"""Connections, encryption, sign-in at the mail server, and what errors tell."""

from __future__ import annotations

import datetime
import ipaddress
import smtplib
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils.translation import override

from messaging.models import Message
from messaging.services import transport
from messaging.services.deliver import deliver, send_test
from messaging.services.transport import MailConfig, Permanent, Temporary, Transport, Unreachable, can_send, config_for
from tests.servers import MailSink, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orgs.models import Organization, OrganizationSettings

    Write = Callable[..., Message]

USER, PASSWORD = "postmaster@keller.test", "s3cret-Pässwort"


def mail(**values: Any) -> Message:
    usual = {
        "subject": "Probe",
        "body_text": "Text",
        "body_html": "<p>Text</p>",
        "to_emails": ["a@example.test"],
        "message_id": "<1@quartier.test>",
    }
    return Message(**usual | values)


class Strict(MailSink):
    """A sink that wants a password and can be unfriendly."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.logins: list[str] = []
        self.connections = 0
        self.data_answer = ""
        self.options = options

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **self.options)
        self._controller.start()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.data_answer or await super().handle_DATA(server, session, envelope)

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)


@pytest.fixture
def strict() -> Iterator[Callable[..., Strict]]:
    running: list[Strict] = []

    def start(*, auth: bool = False, **options: Any) -> Strict:
        sink = Strict(**options)
        if auth:
            sink.options |= {"authenticator": sink.check, "auth_required": True}
        sink.start()
        running.append(sink)
        return sink

    yield start
    for sink in running:
        sink.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + cert.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted_tls(server_tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's certificate, which this machine trusts for once."""
    monkeypatch.setattr(transport, "tls_context", lambda: ssl.create_default_context(cafile=str(certificate)))
    return server_tls


def test_one_connection_serves_a_batch_and_a_dropped_one_is_opened_anew(strict: Callable[..., Strict]) -> None:
    sink = strict()
    with Transport(MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test")) as connection:
        for number in range(3):
            assert connection.send(mail(message_id=f"<{number}@q.test>"), ["a@example.test"]) == {}
        assert sink.connections == 1
        sink.stop()
        sink.start()
        assert connection.send(mail(message_id="<4@q.test>"), ["a@example.test"]) == {}
    assert sink.connections == 2
    assert len(sink.messages) == 4


def test_a_used_connection_costs_no_question_whether_it_lives(
    strict: Callable[..., Strict], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original = smtplib.SMTP.putcmd

    def counted(self: smtplib.SMTP, cmd: str, args: str = "") -> None:
        asked.append(cmd.partition(" ")[0].partition(":")[0].lower())
        original(self, cmd, args)

    monkeypatch.setattr(smtplib.SMTP, "putcmd", counted)
    sink = strict()
    with Transport(MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test")) as connection:
        connection.send(mail(), ["a@example.test"])
        del asked[:]
        connection.send(mail(message_id="<2@q.test>"), ["a@example.test"])
        assert asked == ["mail", "rcpt", "data"]


def test_a_server_that_hangs_up_among_the_recipients_got_no_mail(strict: Callable[..., Strict]) -> None:
    sink = strict()
    sink.replies = {"b@example.test": "550 no", "c@example.test": "421 4.3.2 shutting down"}
    to = [f"{letter}@example.test" for letter in "abcd"]
    with Transport(MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test")) as connection:
        refused = connection.send(mail(), to)
        assert {address: code for address, (code, _text) in refused.items()} == dict(
            zip(to, (421, 550, 421, 421), strict=True)
        )
        assert not sink.messages
        sink.replies = {}
        assert connection.send(mail(), to) == {}
    assert len(sink.messages) == 1


def test_answers_of_the_server_become_named_errors(strict: Callable[..., Strict]) -> None:
    sink = strict()
    config = MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test")
    with Transport(config) as connection:
        sink.data_answer = "554 5.7.1 spam"
        with pytest.raises(Permanent, match=r"554 5\.7\.1 spam"):
            connection.send(mail(), ["a@example.test"])
        sink.data_answer = "452 4.3.1 disk full"
        with pytest.raises(Temporary, match="disk full"):
            connection.send(mail(), ["a@example.test"])
        sink.data_answer = "421 4.3.2 shutting down"
        with pytest.raises(Temporary):
            connection.send(mail(), ["a@example.test"])
        sink.data_answer = ""
        sink.replies = {"b@example.test": "550 no"}
        assert connection.send(mail(), ["a@example.test", "b@example.test"]) == {"b@example.test": (550, "no")}
        assert connection.send(mail(), ["b@example.test"]) == {"b@example.test": (550, "no")}
    for host, port in (("127.0.0.1", 1), ("", 25), ("no host", 25), ("x" * 300, 25)):
        with pytest.raises(Unreachable), Transport(MailConfig(host=host, port=port, sender="s@k.test")) as connection:
            connection.send(mail(), ["a@example.test"])


@pytest.mark.rule("DOCMS-188")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("inside")
def test_server_sender_encryption_and_login_are_those_of_the_configuration_in_use(
    strict: Callable[..., Strict],
    settings_row: OrganizationSettings,
    settings: Any,
    trusted_tls: ssl.SSLContext,
    write: Write,
) -> None:
    plain = strict(auth=False)
    settings.EMAIL_URL = plain.url
    starttls = strict(auth=True, tls_context=trusted_tls, require_starttls=True)
    tls = strict(ssl_context=trusted_tls)

    def send(number: int, sink: Strict, **values: object) -> Any:
        for name, value in values.items():
            setattr(settings_row, name, value)
        settings_row.save()
        message = write(f"p{number}@example.test")
        assert deliver([message.pk])["sent"] == 1, Message.objects.get(pk=message.pk).error_msg
        message.refresh_from_db()
        assert message.app_config is (sink is plain)
        return sink.envelopes[-1]

    assert send(1, plain).mail_from == settings.DEFAULT_FROM_EMAIL
    own = {"mail_server": "127.0.0.1", "mail_sender": "haus@keller.test"}
    with_login = {"mail_user": USER, "mail_password": PASSWORD, "mail_starttls": True}
    assert send(2, starttls, **own, **with_login, mail_port=starttls.port).mail_from == "haus@keller.test"
    assert starttls.messages[-1]["From"].addresses[0].addr_spec == "haus@keller.test"
    assert starttls.logins == [USER]
    send(3, tls, mail_port=tls.port, mail_ssl=True, mail_user="")
    assert tls.logins == []
    assert len(plain.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_certificate_that_nobody_vouches_for_is_refused(
    strict: Callable[..., Strict], tenant: Organization, server_tls: ssl.SSLContext
) -> None:
    sink = strict(ssl_context=server_tls)
    with (
        pytest.raises(Unreachable, match="certificate"),
        Transport(MailConfig(host="127.0.0.1", port=sink.port, ssl=True, sender="s@keller.test")) as connection,
    ):
        connection.send(mail(), ["a@example.test"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("inside")
def test_errors_tell_what_happened_without_credentials(
    strict: Callable[..., Strict],
    trusted_tls: ssl.SSLContext,
    tenant: Organization,
    settings_row: OrganizationSettings,
    write: Write,
) -> None:
    sink = strict(auth=True, tls_context=trusted_tls)
    own = {
        "mail_server": "127.0.0.1",
        "mail_port": sink.port,
        "mail_starttls": True,
        "mail_sender": "haus@keller.test",
    }
    for name, value in {**own, "mail_user": USER, "mail_password": "wrong-Pässwort"}.items():
        setattr(settings_row, name, value)
    settings_row.save()
    error = send_test(to="it@keller.test", tenant=tenant)
    assert error.startswith("Der Mailserver nimmt diesen Benutzernamen mit diesem Passwort nicht an. 535 5.7.8")
    message = write()
    assert deliver([message.pk])["waiting"] == 1  # the password can be mended
    for row in Message.objects.with_errors():
        assert row.error_msg.startswith("535 5.7.8")
        assert "wrong" not in row.error_msg
        assert USER not in row.error_msg
    assert "wrong" not in repr(config_for(tenant))
    config = MailConfig(host="x", user=USER, password=PASSWORD)
    echoed = config.clean(
        f"bad AUTH PLAIN AHBvc3RtYXN0ZXJAa2VsbGVyLnRlc3QAczNjcmV0LVDDpHNzd29ydA== {PASSWORD} {USER}\r\n\x00"
    )
    assert echoed == "bad AUTH PLAIN *** *** ***"


def test_a_line_break_in_a_header_is_never_sent(strict: Callable[..., Strict]) -> None:
    sink = strict()
    config = MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test", name="Keller\r\nBcc: x@y.test")
    with Transport(config) as connection:
        for values in (
            {"subject": "a\nBcc: x@y.test"},
            {"to_emails": ["a@b.test\nBcc: x@y.test"]},
            {"in_reply_to": "<x>\nBcc: x@y.test"},
        ):
            with pytest.raises(Permanent):
                connection.send(mail(**values), ["a@example.test"])
        connection.send(mail(), ["a@example.test"])
    (arrived,) = sink.messages
    assert arrived["Bcc"] is None
    assert arrived["From"].addresses[0].display_name == "Keller Bcc: x@y.test"


def test_names_with_umlauts_and_domains_with_umlauts(strict: Callable[..., Strict]) -> None:
    sink = strict()
    config = MailConfig(host="127.0.0.1", port=sink.port, sender="s@keller.test", name="Müller & Söhne, Köln")
    with Transport(config) as connection:
        assert connection.send(mail(to_emails=["a@müller.test"]), ["a@müller.test"]) == {}
    assert sink.envelopes[0].rcpt_tos == ["a@xn--mller-kva.test"]
    assert sink.messages[0]["From"].addresses[0].display_name == "Müller & Söhne, Köln"


@pytest.mark.django_db
def test_whether_there_is_a_way_of_sending(
    tenant: Organization, settings: Any, settings_row: OrganizationSettings
) -> None:
    settings.EMAIL_URL = ""
    assert not can_send()
    assert not can_send(tenant)
    settings_row.mail_server = "mail.keller.test"
    settings_row.save()
    assert can_send(tenant)
    settings.EMAIL_URL = f"smtp+tls://someone:secret@127.0.0.1:{free_port()}"
    config = config_for(None)
    assert (config.starttls, config.user, config.password) == (True, "someone", "secret")
    assert can_send()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("smtp", (False, False, 25)), ("smtps", (True, False, 465)), ("smtp+tls", (False, True, 25))],
)
def test_the_scheme_says_how_mail_is_encrypted(settings: Any, scheme: str, expected: tuple[bool, bool, int]) -> None:
    settings.EMAIL_URL = f"{scheme}://mail.keller.test"
    config = config_for(None)
    assert (config.ssl, config.starttls, config.port) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_companys_mail_server_inside_is_never_spoken_to(
    strict: Callable[..., Strict], tenant: Organization, settings_row: OrganizationSettings, host: str
) -> None:
    sink = strict()
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = host, sink.port, False
    settings_row.mail_sender = "haus@keller.test"
    settings_row.save()
    with override("en"):
        assert send_test(to="it@keller.test", tenant=tenant) == "The address must not lead into a local network."
    assert sink.messages == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("inside")
def test_what_is_wrong_with_a_server_is_said_in_the_language_of_whoever_asks(
    tenant: Organization, settings_row: OrganizationSettings
) -> None:
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = "127.0.0.1", free_port(), False
    settings_row.save()
    told = []
    for language in ("de", "en", "fr", "pl"):
        with override(language):
            told.append(send_test(to="it@keller.test", tenant=tenant))
    assert told[1] == "Nobody answers at this port."
    assert len(set(told)) == 4
    assert "ConnectionRefusedError" in Message.objects.with_errors().latest("id").error_msg


def test_a_certificate_of_another_name_is_refused_at_a_companys_server_too(
    strict: Callable[..., Strict], server_tls: ssl.SSLContext, settings: Any
) -> None:
    """The connection goes to an address that was looked at, the certificate is held against the name."""
    settings.INSIDE_HOSTS = ["127.0.0.1"]
    sink = strict(ssl_context=server_tls)
    config = MailConfig(host="127.0.0.1", port=sink.port, ssl=True, sender="s@keller.test", is_app=False)
    with pytest.raises(Unreachable, match="certificate"), Transport(config) as connection:
        connection.send(mail(), ["a@example.test"])
    assert connection.problem
