"""A mail server that hangs or drips holds up its own mails, and each for seconds only."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from core.errors import Blocked
from messaging.models import Message
from messaging.services import deliver, quiet, transport
from messaging.services.deliver import send_test
from messaging.services.transport import MailConfig, Transport, Unreachable
from tests.messaging.helpers import people, queue_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orgs.models import Organization, OrganizationSettings
    from tests.servers import MailSink


@pytest.fixture
def drip() -> Iterator[Callable[..., int]]:
    """A server that sends these bytes again and again, one at a time; returns its port."""
    over, sockets = threading.Event(), []

    def serve(listening: socket.socket, text: bytes, first: bytes) -> None:
        while not over.is_set():
            try:
                client, _address = listening.accept()
            except OSError:
                return
            threading.Thread(target=speak, args=(client, text, first), daemon=True).start()

    def speak(client: socket.socket, text: bytes, first: bytes) -> None:
        with client:
            try:
                client.sendall(first)
                while not over.wait(0.1):
                    client.sendall(text)
            except OSError:
                return

    def start(text: bytes = b"2", first: bytes = b"") -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threading.Thread(target=serve, args=(listening, text, first), daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    over.set()
    for listening in sockets:
        listening.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """What is seconds in life is tenths of one here."""
    settings.INSIDE_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(transport, "BEGINNING", 1)
    monkeypatch.setattr(transport, "ONE_MAIL", 1)
    monkeypatch.setattr(transport, "TIMEOUT", 1)
    cache.clear()


def mail() -> Message:
    return Message(kind="welcome", subject="S", body_text="T", body_html="<p>T</p>", to_emails=["a@example.test"])


@pytest.mark.parametrize(
    ("text", "first", "is_tls"),
    [(b"2", b"", False), (b"250-x\r\n", b"220 ready\r\n", False), (b"\x16", b"", True)],
    ids=["greeting", "answer without end", "handshake"],
)
def test_what_drips_is_cut_as_a_whole(drip: Callable[..., int], text: bytes, first: bytes, is_tls: bool) -> None:
    config = MailConfig(host="127.0.0.1", port=drip(text, first), ssl=is_tls, sender="s@keller.test")
    begun = time.monotonic()
    with pytest.raises(Unreachable), Transport(config) as connection:
        connection.send(mail(), ["a@example.test"])
    assert time.monotonic() - begun < 6
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_who_answers_is_left_alone(server: MailSink) -> None:
    """Two mails over one connection, longer apart than a step may take."""
    config = MailConfig(host="127.0.0.1", port=server.port, sender="s@keller.test")
    with Transport(config) as connection:
        assert connection.send(mail(), ["a@example.test"]) == {}
        time.sleep(1.7)
        assert connection.send(mail(), ["a@example.test"]) == {}
    assert len(server.messages) == 2


@pytest.mark.django_db(transaction=True)
def test_many_tasks_ask_a_dead_server_once_and_others_do_not_wait(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings, drip: Callable[..., int]
) -> None:
    """Each mail of an event has a task of its own, in whatever process: what one has found, all know."""
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = "127.0.0.1", drip(), False
    settings_row.mail_sender = "haus@keller.test"
    settings_row.save()
    written = queue_all(tenant, people(9))
    begun = time.monotonic()
    for message in written:
        assert deliver.deliver([message.pk])["waiting"] == 1
    assert time.monotonic() - begun < 6
    assert all("too slowly" in error for error in Message.objects.values_list("error_msg", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_setting_that_was_mended_is_tried_at_once(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings, drip: Callable[..., int]
) -> None:
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = "127.0.0.1", drip(), False
    settings_row.mail_sender = "haus@keller.test"
    settings_row.save()
    first, second = queue_all(tenant, people(2))
    assert deliver.deliver([first.pk])["waiting"] == 1
    settings_row.mail_port = server.port
    settings_row.save()
    assert deliver.deliver([second.pk])["sent"] == 1


@pytest.mark.django_db(transaction=True)
def test_one_test_mail_at_a_time(tenant: Organization) -> None:
    cache.add(f"test-mail:{tenant.pk}", 1, 60)
    with pytest.raises(Blocked):
        send_test(to="it@keller.test", tenant=tenant)
    assert not Message.objects.exists()
    cache.clear()
    send_test(to="it@keller.test", tenant=tenant)
    assert cache.get(f"test-mail:{tenant.pk}") is None


def test_nothing_secret_is_in_the_key() -> None:
    config = MailConfig(host="mail.test", user="haus", password="streng-geheim", sender="s@keller.test")
    assert "geheim" not in quiet._key(config)
    assert quiet._key(config) != quiet._key(MailConfig(host="mail.test", user="haus", password="neu"))
