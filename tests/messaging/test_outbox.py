"""Writing, claiming, sending, repeating: the outbox against a real mail server."""

from __future__ import annotations

import datetime
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import scope
from core.errors import Conflict, Invalid
from core.models import JobRun
from messaging import tasks
from messaging.models import Message, MessageRecipient
from messaging.services import deliver as sending
from messaging.services import outbox
from messaging.services.deliver import deliver, sweep
from messaging.services.split import Recipient
from messaging.services.transport import Transport, config_for
from tests.messaging.helpers import make_due, people, queue_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from orgs.models import Organization, OrganizationSettings, User
    from tests.servers import MailSink

    Write = Callable[..., Message]


MINUTE = datetime.timedelta(minutes=1)


# --- Writing ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_mail_lives_and_dies_with_its_transaction(server: MailSink, tenant: Organization, write: Write) -> None:

    def one_worker() -> None:
        try:
            deliver()
        finally:
            connection.close()

    def broken() -> None:
        with scope.unit_of_work(door="test", tenants=[tenant.pk]):
            write()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not Message.objects.exists()
    with scope.unit_of_work(door="test", tenants=[tenant.pk]):
        write()
        worker = threading.Thread(target=one_worker)
        worker.start()
        worker.join()
        assert not server.messages  # nobody sees it before the commit
    assert deliver()["sent"] == 1
    assert [m["To"] for m in server.messages] == ["anna@example.test"]


@pytest.mark.django_db(transaction=True)
def test_workers_are_told_after_the_commit_and_not_before(
    tenant: Organization, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(outbox, "wake", lambda *args: told.append(args))
    with scope.unit_of_work(door="test", tenants=[tenant.pk]):
        one = write()
        write("later@example.test", not_before=timezone.now() + MINUTE)
        assert not told
    assert told == [("docms.send_mail", one.pk)]
    queue_all(tenant, people(outbox.WAKE_EACH + 1))
    assert told[1:] == [("messaging.sweep",)]


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_is_no_error_and_the_sweep_finds_the_mail(
    server: MailSink, broker: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.services import wake

    monkeypatch.setattr(wake._broker, "silent_until", 0.0)
    broker.stop()
    write()
    assert sweep()["sent"] == 1
    assert len(server.messages) == 1


@pytest.mark.django_db
def test_an_event_is_written_once(tenant: Organization, write: Write) -> None:
    write()
    assert (
        outbox.queue(
            kind="welcome",
            tenant=tenant,
            to=Recipient("ANNA@example.test"),
            context={},
            dedupe_key="test:anna@example.test",
        )
        is None
    )
    assert Message.objects.count() == 1
    assert len(queue_all(tenant, [*people(2), people(1)[0]])) == 2
    assert [m.to_emails for m in queue_all(tenant, people(3))] == [["p2@example.test"]]  # only the new one
    assert len(queue_all(tenant, people(1), dedupe_key="k" * 500)) == 1
    assert queue_all(tenant, people(1), dedupe_key="k" * 500) == []


@pytest.mark.django_db
def test_writing_costs_the_same_for_one_and_many(tenant: Organization, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(10):
        queue_all(tenant, people(1))
    with django_assert_num_queries(10):
        queue_all(tenant, people(40), dedupe_key="doc:2")


@pytest.mark.django_db
def test_each_recipient_gets_the_own_language_and_the_papers_are_written_down(
    tenant: Organization, person: User
) -> None:
    to = [Recipient.of_user(person), Recipient("jan@example.test", language="pl"), Recipient("otto@example.test")]
    written = queue_all(tenant, to, document_id=[7, 8])
    assert [m.language for m in written] == ["fr", "pl", "de"]
    assert [m.subject.split(":")[0].strip() for m in written] == ["Nouveau document", "Nowy dokument", "Neues Dokument"]
    evidence = MessageRecipient.objects.filter(message=written[0]).values_list(
        "user_id", "address", "document_id", "state"
    )
    assert list(evidence) == [(person.pk, "marie@example.test", d, "queued") for d in (7, 8)]
    assert all(m.message_id.endswith("@quartier.test>") for m in written)


@pytest.mark.django_db
def test_an_address_that_is_none_is_a_mail_error_and_not_an_exception(server: MailSink, tenant: Organization) -> None:
    written = queue_all(tenant, [Recipient("no address"), Recipient("a@b.test\nBcc: x@y.test"), *people(1)])
    assert [m.state for m in written] == ["failed", "failed", "queued"]
    assert "no address" in written[0].error_msg
    assert deliver()["sent"] == 1
    assert Message.objects.with_errors().count() == 2
    with pytest.raises(Invalid):
        queue_all(tenant, people(1), reply_to="nobody", dedupe_key="other")


# --- Sending ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_mail_as_it_arrives(server: MailSink, tenant: Organization) -> None:
    (message,) = queue_all(tenant, [Recipient("anna@example.test", name="Anna Müller", language="de")])
    assert deliver([message.pk])["sent"] == 1
    (mail,) = server.messages
    assert mail["Message-ID"] == message.message_id
    assert mail["Subject"] == "Neues Dokument: Abrechnung"
    assert mail["From"] == "Brandt & Keller <portal@quartier.test>"
    assert server.envelopes[0].mail_from == "portal@quartier.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://quartier.test/app/profile>"
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert plain.splitlines()[:3] == ["Ein neues Dokument liegt für Sie bereit", "", "Guten Tag Anna Müller,"]
    assert '<html lang="de">' in html
    message.refresh_from_db()
    assert (message.state, message.attempts, message.lease_until, message.app_config) == ("sent", 1, None, True)
    assert message.sent_at is not None
    assert message.recipients.get().state == "sent"
    assert deliver([message.pk])["sent"] == 0  # once


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once(server: MailSink, tenant: Organization) -> None:
    queue_all(tenant, people(40))
    gate = threading.Barrier(4)

    def work() -> None:
        try:
            gate.wait(10)
            while any(deliver(limit=3).values()):
                pass
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert Counter(m["To"] for m in server.messages) == Counter(f"p{i}@example.test" for i in range(40))
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


@pytest.mark.django_db(transaction=True)
def test_a_full_batch_calls_one_more_worker_and_a_small_one_none(
    server: MailSink, tenant: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr(sending, "wake", lambda *args: called.append(args))
    monkeypatch.setattr(sending, "BATCH", 4)
    queue_all(tenant, people(3))
    assert sweep()["sent"] == 3
    assert not called
    queue_all(tenant, people(13), dedupe_key="doc:2")
    assert sweep()["sent"] == 13
    assert called == [("messaging.help", sending.HELPERS - 1)]
    queue_all(tenant, people(9), dedupe_key="doc:3")
    tasks.help_deliver(0)  # the last of the chain
    assert len(called) == 1
    assert len(server.messages) == 25


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_a_batch_costs_two_round_trips_to_the_database(server: MailSink, tenant: Organization) -> None:
    def spent(count: int) -> int:
        queue_all(tenant, people(count), dedupe_key=f"doc:{count}")
        with CaptureQueriesContext(connection) as here:
            assert deliver()["sent"] == count
        return len(here)

    two, four = spent(2), spent(4)
    assert four - two == 2 * 2  # claimed together; each is counted before and noted after, by itself


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_noted_stops_the_batch(
    server: MailSink, tenant: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> str:
        raise OperationalError("the database is gone")

    queue_all(tenant, people(5))
    monkeypatch.setattr(sending, "_sent", broken)
    with pytest.raises(OperationalError):
        sweep()
    monkeypatch.undo()
    assert len(server.messages) == 2  # the third waits for the note on the first
    Message.objects.filter(state="sending").update(lease_until=timezone.now() - MINUTE)
    assert sweep()["sent"] == 5
    assert len({m["Message-ID"] for m in server.messages}) == 5


@pytest.mark.django_db(transaction=True)
def test_mail_waits_while_the_server_is_down_and_pauses_grow(server: MailSink, write: Write) -> None:
    message = write()
    server.stop()
    for attempt, minutes in enumerate((1, 5, 15, 60, 240), start=1):
        assert sweep()["waiting"] == 1
        message.refresh_from_db()
        assert (message.state, message.attempts) == ("queued", attempt)
        assert abs(message.not_before - timezone.now() - minutes * MINUTE) < MINUTE / 6
        assert "refused" in message.error_msg
        assert not any(sweep().values())  # not before its time
        make_due(message)
    server.start()
    assert sweep()["sent"] == 1
    assert len(server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_after_five_repetitions_a_mail_has_failed_and_can_be_sent_again(server: MailSink, write: Write) -> None:
    message = write()
    server.stop()
    for _ in range(6):
        make_due(message)
        sweep()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 6)
    assert message in Message.objects.with_errors()
    make_due(message)
    assert not any(sweep().values())
    server.start()
    again = outbox.resend(message)
    assert (again.state, again.attempts) == ("queued", 0)
    make_due(again)
    assert sweep()["sent"] == 1
    assert server.messages[0]["Message-ID"] == message.message_id
    with pytest.raises(Conflict):
        outbox.resend(again)


@pytest.mark.django_db(transaction=True)
def test_a_dead_server_is_asked_once_per_sweep_and_other_tenants_do_not_wait(
    server: MailSink, tenant: Organization, settings_row: OrganizationSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgs.services.tenants import create_tenant

    with scope.unit_of_work(door="test"):
        other = create_tenant(name="Nordhaus", created_by=None)
    settings_row.mail_server, settings_row.mail_port, settings_row.mail_starttls = "127.0.0.1", 1, False
    settings_row.mail_sender = "haus@keller.test"
    settings_row.save()
    monkeypatch.setattr(sending, "BATCH", 4)
    opened: list[str] = []
    original = Transport._open

    def counted(self: Transport) -> Any:
        opened.append(self.config.sender)
        return original(self)

    monkeypatch.setattr(Transport, "_open", counted)
    queue_all(tenant, people(9))
    queue_all(other, people(3), dedupe_key="doc:2")
    counts = sweep()
    assert (counts["waiting"], counts["sent"]) == (9, 3)
    assert opened.count("haus@keller.test") == 1
    assert {m["From"].addresses[0].addr_spec for m in server.messages} == {"portal@quartier.test"}


@pytest.mark.django_db(transaction=True)
def test_refused_recipients_bounce_at_once_and_busy_mailboxes_are_asked_again(server: MailSink, write: Write) -> None:
    gone, busy = write("gone@example.test"), write("busy@example.test")
    server.replies = {"gone@example.test": "550 5.1.1 no such user", "busy@example.test": "451 4.2.1 try later"}
    counts = sweep()
    assert (counts["bounced"], counts["waiting"]) == (1, 1)
    gone.refresh_from_db()
    busy.refresh_from_db()
    assert (gone.state, gone.attempts) == ("bounced", 1)
    assert "550 5.1.1 no such user" in gone.error_msg
    assert gone.recipients.get().state == "bounced"
    assert busy.state == "queued"
    server.replies = {}
    make_due(busy)
    assert sweep()["sent"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_ran_out_is_given_back_and_a_late_worker_cannot_undo_it(server: MailSink, write: Write) -> None:
    message = write()
    (taken,) = outbox.claim(limit=10)
    assert outbox.claim(limit=10) == []
    assert taken.lease_until is not None
    assert abs(taken.lease_until - timezone.now() - 5 * MINUTE) < MINUTE / 6
    assert sweep()["expired"] == 0
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - MINUTE)
    assert sweep() == {"expired": 1, "sent": 1, "waiting": 0, "failed": 0, "bounced": 0, "skipped": 0}
    sending._retry(taken, config_for(None), "late")
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error_msg) == ("sent", 2, "")
    taken.lease_until = timezone.now() - MINUTE
    with Transport(config_for(None)) as transport:
        assert sending._send(taken, transport, {}) == "skipped"
    assert len(server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_of_a_clock_that_was_wrong_is_given_back(server: MailSink, write: Write) -> None:
    message = write()
    outbox.claim(limit=1)
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() + 120 * MINUTE)
    assert sweep()["expired"] == 1
    assert len(server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_mails_written_by_a_clock_that_was_ahead_do_not_wait_for_it(server: MailSink, write: Write) -> None:
    now, ahead = timezone.now(), timezone.now() + 120 * MINUTE
    at_once, again, later = write("a@example.test"), write("b@example.test"), write("c@example.test")
    Message.objects.filter(pk=at_once.pk).update(not_before=ahead, updated_at=ahead)
    Message.objects.filter(pk=again.pk).update(not_before=ahead + 5 * MINUTE, updated_at=ahead, attempts=1)
    Message.objects.filter(pk=later.pk).update(not_before=ahead + 5 * MINUTE, updated_at=ahead)
    assert sweep()["sent"] == 1
    again.refresh_from_db()
    assert abs(again.not_before - now - 5 * MINUTE) < MINUTE
    later.refresh_from_db()
    assert later.not_before == ahead + 5 * MINUTE
    assert outbox.correct_clock() == 0


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_kills_its_worker_is_not_tried_for_ever(write: Write) -> None:
    message = write()
    for _ in range(6):
        make_due(message)
        assert len(outbox.claim(limit=1)) == 1
        Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - MINUTE)
        outbox.requeue_expired()
    message.refresh_from_db()
    assert message.state == "failed"


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_kills_its_worker_costs_the_others_no_attempt(
    server: MailSink, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Nothing that the code could catch."""

    def send(self: Transport, message: Message, addresses: list[str]) -> dict[str, tuple[int, str]]:
        if message.pk == deadly.pk:
            raise KilledError
        return plain(self, message, addresses)

    plain = Transport.send
    monkeypatch.setattr(Transport, "send", send)
    first, deadly, behind = write("a@example.test"), write("b@example.test"), write("c@example.test")
    for kills in range(1, 7):
        with pytest.raises(KilledError):
            sweep()
        states = dict(Message.objects.values_list("pk", "state"))
        assert states == {first.pk: "sent", deadly.pk: "sending", behind.pk: "sending"}
        assert dict(Message.objects.values_list("pk", "attempts")) == {first.pk: 1, deadly.pk: kills, behind.pk: 0}
        Message.objects.filter(state="sending").update(lease_until=timezone.now() - MINUTE)
    assert sweep()["sent"] == 1
    assert dict(Message.objects.values_list("pk", "state")) == {
        first.pk: "sent", deadly.pk: "failed", behind.pk: "sent"
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_secrets_leave_the_outbox_when_sent_other_texts_after_thirty_days(server: MailSink, write: Write) -> None:
    secret = write(
        "a@example.test", kind="password_reset", context={"link": "https://quartier.test/app/password/token"}
    )
    plain = write("b@example.test")
    assert "token" in secret.body_html
    assert sweep()["sent"] == 2
    assert b"app/password/token" in server.messages[0].as_bytes()
    secret.refresh_from_db()
    plain.refresh_from_db()
    assert (secret.body_html, secret.body_text) == ("", "")
    assert plain.body_text
    tasks.empty_old()
    Message.objects.filter(pk=plain.pk).update(updated_at=timezone.now() - datetime.timedelta(days=29))
    assert outbox.empty_old() == {"emptied": 0}
    Message.objects.filter(pk=plain.pk).update(updated_at=timezone.now() - datetime.timedelta(days=31))
    assert outbox.empty_old() == {"emptied": 1}
    plain.refresh_from_db()
    assert (plain.body_html, plain.body_text, plain.state) == ("", "", "sent")
    assert plain.subject


@pytest.mark.django_db(transaction=True)
def test_a_waiting_mail_can_be_stopped_and_one_on_its_way_cannot(server: MailSink, write: Write) -> None:
    message = write()
    stopped = outbox.cancel(message)
    assert stopped.state == "cancelled"
    assert not any(sweep().values())
    outbox.resend(message)
    outbox.claim(limit=1)
    with pytest.raises(Conflict):
        outbox.cancel(message)


@pytest.mark.django_db(transaction=True)
def test_the_tasks_call_the_services(server: MailSink, write: Write) -> None:
    tasks.send_mail(write().pk)
    tasks.send_mail(10**9)  # gone meanwhile
    write("b@example.test")
    tasks.sweep_outbox()
    assert len(server.messages) == 2
    assert JobRun.objects.get(name="messaging.sweep").counts["sent"] == 1
