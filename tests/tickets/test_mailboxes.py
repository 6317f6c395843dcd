"""Mailboxes are read over IMAP from a real server, and mails are handed over by pipe."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from core.models import JobRun
from tests.gateway import certify
from tests.servers import Imap, free_port
from tests.tickets.post import address, plain
from tickets import tasks
from tickets.models import InboundMail, Mailbox, TicketActivity
from tickets.services import inbound, mail_reading, mailboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast
    from tests.tickets.material import File
    from tickets.models import Ticket


@pytest.fixture
def imap(tmp_path: Path, settings: Any) -> Iterator[Imap]:
    """A server that the installation allows although it stands inside."""
    server = Imap(tmp_path / "imap.log")
    settings.INSIDE_HOSTS = ["localhost"]
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(cast: Cast, imap: Imap) -> Mailbox:
    return Mailbox.objects.create(
        tenant=cast.tenant, address="hilfe@haus.test", host="localhost", port=imap.port, security="none",
        user_name=imap.USER, password=imap.PASSWORD,
    )  # fmt: skip


@pytest.fixture
def write(cast: Cast, file: File, mailbox: Mailbox, imap: Imap) -> Any:
    """Put answers of the renter into the inbox: `write("Eins", "Zwei")`; returns the ticket."""
    ticket = file("renter")
    numbers = iter(range(100))

    def written(*texts: str) -> Ticket:
        to = address(mailbox, ticket, cast.renter)
        imap.deliver(*(plain(to, cast.renter.email, text, number=next(numbers)) for text in texts))
        return ticket

    return written


def said() -> list[str]:
    return list(TicketActivity.objects.filter(kind="comment").order_by("pk").values_list("text", flat=True))


def test_the_job_reads_what_is_new_and_changes_nothing_on_the_server(write: Any, mailbox: Mailbox, imap: Imap) -> None:
    write("Eins", "Zwei")
    tasks.fetch_mail()
    assert said() == ["Eins", "Zwei"]
    assert imap.unseen() == 2
    write("Drei")
    tasks.fetch_mail()
    assert said() == ["Eins", "Zwei", "Drei"]
    mailbox.refresh_from_db()
    assert mailbox.checked_at is not None
    assert mailbox.error == ""
    assert JobRun.objects.filter(name="tickets.fetch_mail").latest("id").counts == {
        "mailboxes": 1, "mails": 1, "failed": 0,
    }  # fmt: skip


@pytest.mark.rule("TICKETS-063")
def test_what_the_server_shows_again_is_not_taken_again(write: Any, mailbox: Mailbox) -> None:
    write("Eins")
    tasks.fetch_mail()
    Mailbox.objects.update(uid_validity=7)  # the server has begun to count anew
    tasks.fetch_mail()
    assert said() == ["Eins"]


def test_a_run_that_is_killed_between_two_mails_goes_on_there(
    write: Any, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Eins", "Zwei", "Drei")
    real, calls = inbound.take, []

    def dies(*args: Any, **values: Any) -> InboundMail:
        row = real(*args, **values)
        calls.append(row)
        if len(calls) == 2:
            raise SystemExit  # after the work, before the commit
        return row

    with monkeypatch.context() as patch:
        patch.setattr(inbound, "take", dies)
        with pytest.raises(SystemExit):
            mailboxes.fetch(mailbox.pk)
    assert said() == ["Eins"]
    mailboxes.fetch(mailbox.pk)
    assert said() == ["Eins", "Zwei", "Drei"]


def test_a_mail_that_breaks_its_reader_does_not_hold_up_the_next(write: Any, mailbox: Mailbox, imap: Imap) -> None:
    imap.deliver(b"Message-ID: <x@y>\r\nX: " + b"a" * 300_000 + b"\r\n\r\nx")
    write("Danach")
    tasks.fetch_mail()
    assert said() == ["Danach"]
    assert InboundMail.objects.filter(outcome="refused", reason="broken").count() == 1


def test_a_mail_too_large_is_refused_without_being_fetched(
    write: Any, mailbox: Mailbox, imap: Imap, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "MAIL_MAX", 5_000)
    asked: list[tuple[Any, ...]] = []
    real = mailboxes._Plain.uid
    monkeypatch.setattr(mailboxes._Plain, "uid", lambda self, *args: asked.append(args) or real(self, *args))
    write("x" * 6_000)
    tasks.fetch_mail()
    row = InboundMail.objects.get()
    assert (row.outcome, row.reason, row.sender) == ("refused", "too_large", cast.renter.email)
    assert [args[2] for args in asked if "BODY" in args[2]] == [f"(BODY.PEEK[HEADER]<0.{mail_reading.HEADERS_MAX}>)"]


def test_a_mail_of_30_mb_holds_up_nothing(write: Any, mailbox: Mailbox) -> None:
    write("x" * 30 * 1024 * 1024, "Danach")
    tasks.fetch_mail()
    assert list(InboundMail.objects.order_by("pk").values_list("outcome", "reason")) == [
        ("refused", "too_large"), ("comment", ""),
    ]  # fmt: skip
    assert said() == ["Danach"]


def test_an_inactive_mailbox_is_not_read(write: Any, mailbox: Mailbox) -> None:
    write("Eins")
    Mailbox.objects.update(is_active=False)
    tasks.fetch_mail()
    assert said() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "falsch"}, "login"),
        ({"user_name": "müller", "password": "geheim"}, "login"),
        ({"folder": "Gibtsnicht"}, "folder"),
        ({"security": "ssl"}, "tls"),
        ({"security": "starttls"}, "tls"),
        ({"host": "gibt.es.invalid"}, "unresolved"),
        ({"host": "127.0.0.1"}, "not_public"),
        ({"host": ""}, "no_server"),
    ],
)
def test_a_test_says_what_is_wrong(mailbox: Mailbox, change: dict[str, str], code: str) -> None:
    for name, value in change.items():
        setattr(mailbox, name, value)
    assert mailboxes.test(mailbox) == code
    with translation.override("de"):
        assert mailboxes.explain(code) != mailboxes.explain("failed")


def test_a_test_that_goes_well_says_nothing(mailbox: Mailbox) -> None:
    assert mailboxes.test(mailbox) == ""


def test_a_server_that_is_down_is_noted_and_read_again_later(write: Any, mailbox: Mailbox, imap: Imap) -> None:
    imap.stop()
    tasks.fetch_mail()
    mailbox.refresh_from_db()
    assert mailbox.error == "unreachable"
    imap.start()
    write("Wieder da")
    tasks.fetch_mail()
    mailbox.refresh_from_db()
    assert mailbox.error == ""
    assert said() == ["Wieder da"]


def test_a_server_that_hangs_does_not_hold_up_the_others(
    write: Any, mailbox: Mailbox, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "PATIENCE", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        stop = threading.Event()

        def trickle() -> None:
            line, _peer = silent.accept()
            with line:
                while not stop.wait(0.3):
                    try:
                        line.sendall(b"*")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        other = Mailbox.objects.create(
            tenant=cast.other_tenant, address="post@nord.test", host="localhost", port=port, security="none"
        )
        Mailbox.objects.filter(pk=mailbox.pk).update(error="unreachable")  # so that it comes last
        write("Trotzdem")
        tasks.fetch_mail()
        stop.set()
        thread.join(5)
    other.refresh_from_db()
    assert other.error == "slow"
    assert said() == ["Trotzdem"]


def test_starttls_checks_the_certificate(
    cast: Cast, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INSIDE_HOSTS = ["localhost"]
    files = (tmp_path / "imap.pem", tmp_path / "imap.key")
    certify(*files, "localhost")
    server = Imap(tmp_path / "imap.log", files)
    server.start()
    try:
        mailbox = Mailbox(
            tenant=cast.tenant, host="localhost", port=server.port, security="starttls", user_name=server.USER,
            password=server.PASSWORD,
        )  # fmt: skip
        assert mailboxes.test(mailbox) == "tls"
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        assert mailboxes.test(mailbox) == ""
    finally:
        server.stop()


# --- Pipe ----------------------------------------------------------------------------------------------------


def pipe(raw: bytes, *recipients: str, **environment: str) -> int:
    """The exit code that a mail server would see."""
    command = [sys.executable, "manage.py", "take_mail", *recipients]
    return subprocess.run(command, input=raw, env={**os.environ, **environment}, capture_output=True).returncode


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_hands_a_mail_over() -> None:
    from core import scope
    from tests.cast import load
    from tickets.services import filing

    cast = load()
    with scope.unit_of_work(door="test"):
        mailbox = Mailbox.objects.create(tenant=cast.tenant, address="hilfe@haus.test")
        ticket = filing.file_ticket(
            actor=cast.actor("renter"), community=cast.house_a, text="Es tropft.", source="web"
        ).ticket
    to = address(mailbox, ticket, cast.renter)
    raw = plain("undisclosed-recipients:;", cast.renter.email, "Durch die Leitung")
    assert pipe(raw, to) == 0
    assert said() == ["Durch die Leitung"]
    assert pipe(raw, "niemand@haus.test") == os.EX_NOUSER
    assert pipe(plain(to, cast.renter.email, "x" * 30 * 1024 * 1024, number=2), to) == 0
    assert list(InboundMail.objects.order_by("pk").values_list("reason", flat=True)) == ["", "too_large"]
    assert said() == ["Durch die Leitung"]
    down = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    assert pipe(raw, to, DATABASE_URL=down) == os.EX_TEMPFAIL
