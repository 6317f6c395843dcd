"""Text messages in the outbox: written with their event, sent once, repeated three times, and then given up."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from core.errors import Conflict, Invalid
from messaging.models import Message, MessageRecipient
from messaging.services import deliver, outbox, texting
from messaging.services.render import render_text
from messaging.services.texts import Overrides
from messaging.signals import text_message_failed
from messaging.tasks import sweep_outbox, sweep_texts
from tests.gateway import Reply
from tests.messaging.helpers import make_due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orgs.models import Organization, OrganizationSettings
    from tests.gateway import Gateway

pytestmark = pytest.mark.django_db
NUMBER = "+491701234567"
CODE = "K7M4Q2"
KEY = "geheimer-Schluessel"


@pytest.fixture
def house(tenant: Organization, settings_row: OrganizationSettings, gateway: Gateway) -> Organization:
    """A company with a gateway."""
    type(settings_row).objects.filter(pk=settings_row.pk).update(
        sms_send_url=gateway.url, sms_sender_id="Brandt", sms_send_type="pro"
    )
    settings_row.refresh_from_db()
    settings_row.sms_api_key = KEY
    settings_row.save()
    return tenant


@pytest.fixture
def write(house: Organization) -> Callable[..., Message]:
    def write(**values: Any) -> Message:
        values = {"kind": "share_sms", "to": NUMBER, "context": {"code": CODE}, "dedupe_key": "share_sms:1", **values}
        with scope.unit_of_work(door="test", tenants=[house.pk]):
            return texting.queue(tenant=house, **values)

    return write


@pytest.fixture
def failures() -> Iterator[list[int]]:
    """The messages that were announced as failed."""
    found: list[int] = []

    def note(sender: Any, *, message: Message, **_: Any) -> None:
        found.append(message.pk)

    text_message_failed.connect(note)
    yield found
    text_message_failed.disconnect(note)


def send(message: Message) -> dict[str, int]:
    make_due(message)
    counts = texting.deliver([message.pk])
    message.refresh_from_db()
    return {name: count for name, count in counts.items() if count}


# --- Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0170 123-4567", NUMBER), ("+49 170 1234567", NUMBER), ("0049/170/1234567", NUMBER), ("491701234567", NUMBER),
        ("+49 (0)170 1234567", NUMBER), ("(0170) 1234567", NUMBER), ("+48 501 234 567", "+48501234567"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_world_writes_them(written: str, expected: str) -> None:
    assert texting.e164(written) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "+49"),
        ("de-DE", "+49"),
        ("de-AT", "+43"),
        ("de-CH", "+41"),
        ("fr", "+33"),
        ("pl_PL", "+48"),
        ("en", "+44"),
    ],
)
def test_a_number_without_a_country_is_one_of_the_tenants(language: str, expected: str) -> None:
    assert texting.e164("0170 1234567", language=language) == f"{expected}1701234567"


@pytest.mark.parametrize("written", ["12345", "+49", "0", "00", "-----", "+0170123456", "1" * 16, "++4917012345", ""])
def test_what_is_no_number_is_refused_at_its_field(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        texting.e164(written)
    assert list(refused.value.fields) == ["mobile_number"]


@pytest.mark.parametrize("language", ["de", "en", "fr", "pl"])
def test_the_built_in_text_names_company_and_code(house: Organization, language: str) -> None:
    text = render_text("share_sms", language=language, context={"code": CODE}, tenant=house)
    assert house.name in text and CODE in text
    assert "{{" not in text and len(text) < 160


def test_a_text_of_people_is_substituted_plainly_and_never_forgets_the_code(house: Organization) -> None:
    def text(body: str, **context: str) -> str:
        return render_text(
            "share_sms", language="de", context={"code": CODE, **context}, tenant=house, overrides=Overrides(body=body)
        )

    assert text("<{{file_title}}> & {{ code }}", file_title="A & B {{code}}") == f"<A & B {{{{code}}}}> & {CODE}"
    assert text("Guten Tag") == f"Guten Tag\n{CODE}"
    assert text("a\r\n\x07b {{code}}") == f"a\nb {CODE}"


# --- Sending ----------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-190")
def test_it_goes_to_the_tenants_gateway_once(write: Callable[..., Message], gateway: Gateway) -> None:
    message = write()
    assert write().pk == message.pk  # the event repeated
    assert send(message) == {"sent": 1}
    (request,) = gateway.requests
    assert request.body == {"to": NUMBER, "from": "Brandt", "text": gateway.texts[0], "type": "pro"}
    assert CODE in gateway.texts[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert (message.state, message.gateway_id, message.error_msg) == ("sent", "gw-1", "")
    assert message.sent_at is not None
    assert MessageRecipient.objects.get(message=message).state == "sent"
    assert send(message) == {}
    assert len(gateway.requests) == 1


@pytest.mark.rule("DOCMS-160")
@pytest.mark.parametrize("status", [200, 400])
def test_its_code_is_forgotten_when_it_is_over(write: Callable[..., Message], gateway: Gateway, status: int) -> None:
    message = write()
    assert CODE in message.body_text
    gateway.replies.append(Reply(status))
    send(message)
    assert message.body_text == message.body_html == ""
    with pytest.raises(Conflict):
        outbox.resend(message)


def test_mails_and_text_messages_are_left_to_their_own_workers(write: Callable[..., Message], gateway: Gateway) -> None:
    message = write()
    assert deliver.deliver([message.pk]) == dict.fromkeys(("sent", "waiting", "failed", "bounced", "skipped"), 0)
    sweep_outbox()
    assert gateway.requests == []
    sweep_texts()
    assert len(gateway.requests) == 1


def test_three_repetitions_with_growing_pauses_then_it_has_failed(
    write: Callable[..., Message], gateway: Gateway, failures: list[int]
) -> None:
    message = write()
    gateway.replies += [Reply(503), Reply(429), Reply(500), Reply(502)]
    for minutes in (1, 5, 15):
        assert send(message) == {"waiting": 1}
        pause = message.not_before - timezone.now()
        assert abs(pause - datetime.timedelta(minutes=minutes)) < datetime.timedelta(seconds=20)
        assert texting.deliver([message.pk])["sent"] == 0  # not yet
    assert failures == []
    assert send(message) == {"failed": 1}
    assert (message.state, message.error_msg) == ("failed", "SMS gateway answered 502.")
    assert failures == [message.pk]
    assert len(gateway.requests) == 4
    assert send(message) == {}


def test_a_repetition_may_succeed(write: Callable[..., Message], gateway: Gateway, failures: list[int]) -> None:
    message = write()
    gateway.replies += [Reply(503), Reply(202, b"")]
    assert [send(message), send(message)] == [{"waiting": 1}, {"sent": 1}]
    assert failures == []


def test_a_refusal_is_final(write: Callable[..., Message], gateway: Gateway, failures: list[int]) -> None:
    message = write()
    gateway.replies.append(Reply(401))
    assert send(message) == {"failed": 1}
    assert failures == [message.pk]
    assert len(gateway.requests) == 1


def test_without_a_gateway_it_fails(
    write: Callable[..., Message], settings_row: OrganizationSettings, failures: list[int]
) -> None:
    message = write()
    type(settings_row).objects.update(sms_send_url="")
    assert send(message) == {"failed": 1}
    assert failures == [message.pk]


def test_nobody_waits_twice_for_a_gateway_that_is_down(
    write: Callable[..., Message], gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services import gateway as product

    monkeypatch.setattr(product, "TIMEOUT", 0.5)
    messages = [write(dedupe_key=f"share_sms:{number}") for number in range(3)]
    gateway.replies += [Reply(delay=1)] * 3
    assert texting.sweep() == {"sent": 0, "waiting": 3, "failed": 0, "skipped": 0}
    assert len(gateway.requests) == 1
    for message in messages:
        message.refresh_from_db()
        assert "no answer" in message.error_msg


def test_what_a_killed_worker_had_taken_is_sent_by_another(write: Callable[..., Message], gateway: Gateway) -> None:
    message = write()
    outbox.claim(limit=1, ids=[message.pk], channel="sms")
    assert texting.deliver([message.pk])["sent"] == 0
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    outbox.requeue_expired()
    assert send(message) == {"sent": 1}
    assert len(gateway.requests) == 1


def test_one_that_kills_its_workers_is_given_up_and_told(
    write: Callable[..., Message], gateway: Gateway, failures: list[int]
) -> None:
    message = write()
    Message.objects.filter(pk=message.pk).update(attempts=4, state="sending", lease_until=timezone.now())
    outbox.requeue_expired()
    assert send(message) == {"failed": 1}
    assert failures == [message.pk]
    assert gateway.requests == []


def test_one_that_was_cancelled_can_be_sent_again(write: Callable[..., Message], gateway: Gateway) -> None:
    message = write()
    outbox.cancel(message)
    assert send(message) == {}
    outbox.resend(message)
    assert send(message) == {"sent": 1}
    assert MessageRecipient.objects.get(message=message).state == "sent"


@pytest.mark.rule("DOCMS-167")
def test_neither_key_nor_code_stands_in_a_log(
    write: Callable[..., Message], gateway: Gateway, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services.gateway import Gateway as Product

    message = write()
    gateway.replies.append(Reply(400, f'{{"error": "{KEY} {CODE}"}}'.encode()))
    send(message)
    second = write(dedupe_key="share_sms:2")
    monkeypatch.setattr(Product, "_ask", lambda *a: 1 // 0)
    assert send(second) == {"failed": 1}
    for text in (caplog.text, message.error_msg, second.error_msg):
        assert KEY not in text and CODE not in text
    assert second.error_msg == "ZeroDivisionError"


def test_the_schedule_names_the_sweep() -> None:
    from django.conf import settings

    assert settings.CELERY_BEAT_SCHEDULE["messaging.sweep_texts"]["schedule"] == 20.0
