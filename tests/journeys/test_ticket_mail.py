"""A ticket is talked about by mail: out over SMTP, answered as a mail program does it, in over IMAP, by a real worker."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid
from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.services.wake import wake
from orgs.models import Membership
from tests.cast import Cast, load
from tests.portal.pages import signed_in
from tests.portal.test_web_tickets import picture, tickets_url
from tests.servers import Imap, MailSink, eventually
from tests.tickets.post import plain
from tests.tickets.test_services_answers import a_type
from tickets.models import InboundMail, Mailbox, Ticket, TicketActivity, TicketAttachment, TicketType
from tickets.services import comments, mailboxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
VERDICT = "mx.haus.test; dmarc=pass"


@pytest.fixture
def imap(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imap]:
    """A mailbox server inside, which this process and the worker are allowed to ask."""
    settings.INSIDE_HOSTS = ["localhost"]
    monkeypatch.setenv("INSIDE_HOSTS", "localhost")
    monkeypatch.setenv("MAIL_AUTH_SERVERS", "mx.haus.test")
    server = Imap(tmp_path / "imap.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cast(imap: Imap, worker: None) -> Cast:
    """The cast with a mailbox; admin and staff want to hear of new tickets."""
    cast = load()
    with scope.unit_of_work(door="test"):
        Mailbox.objects.create(
            tenant=cast.tenant, address="hilfe@haus.test", host="localhost", port=imap.port, security="none",
            user_name=imap.USER, password=imap.PASSWORD, unknown_senders="ticket", community=cast.house_b,
        )  # fmt: skip
        Membership.objects.filter(user__in=[cast.admin, cast.staff]).update(support_perm=True)
    return cast


def delivered(smtp: MailSink, address: str, count: int) -> EmailMessage:
    """The newest mail to somebody, once so many have arrived."""
    assert eventually(lambda: len(smtp.to(address)) == count), (address, [m["Subject"] for m in smtp.to(address)])
    return smtp.to(address)[-1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def reply(mail: EmailMessage, sender: str, text: str, photo: bytes = b"") -> bytes:
    """What a mail program makes of "reply": the address, the thread, the old text below."""
    answer = EmailMessage()
    answer["From"] = sender
    answer["To"] = mail["Reply-To"]
    answer["Subject"] = f"Re: {mail['Subject']}"
    answer["Message-ID"] = make_msgid(domain="handy.test")
    answer["In-Reply-To"] = mail["Message-ID"]
    answer["References"] = " ".join(filter(None, [mail["References"], mail["Message-ID"]]))
    quoted = "\n".join(f"> {line}" for line in text_of(mail).splitlines())
    answer.set_content(f"{text}\n\nAm Di., 3. März 2026 um 09:58 Uhr schrieb {mail['From']}:\n\n{quoted}\n")
    if photo:
        answer.add_attachment(photo, maintype="image", subtype="jpeg", filename="Fleck.jpg")
    return bytes(answer)


def fetch(mails: int) -> None:
    """The job, done by the worker, until it has taken in what lies in the mailbox."""
    before = InboundMail.objects.count()
    assert eventually(lambda: wake(mailboxes.JOB))
    assert eventually(lambda: InboundMail.objects.count() == before + mails), list(InboundMail.objects.values())


def said(ticket: Ticket) -> list[tuple[Any, str, str]]:
    found = TicketActivity.objects.filter(ticket=ticket, kind="comment").order_by("pk")
    return list(found.values_list("user_id", "source", "text"))


@pytest.mark.rule("TICKETS-058", "TICKETS-062", "TICKETS-063")
def test_a_ticket_is_talked_about_by_mail(cast: Cast, imap: Imap, smtp: MailSink) -> None:
    renter, staff, admin = cast.renter.email, cast.staff.email, cast.admin.email
    signed_in(cast.renter).post(tickets_url(cast, "/new/other"), {"title": "Fleck", "text": "Er wächst."})
    ticket = Ticket.objects.get()

    # The clerk answers the news from the mail program.
    news = delivered(smtp, staff, 1)
    assert "Er wächst." not in text_of(news)
    imap.deliver(reply(news, staff, "Wir kommen am Freitag."))
    fetch(1)
    assert said(ticket) == [(cast.staff.pk, "mail", "Wir kommen am Freitag.")]

    # So does the renter, with a photo, and the next mails go on in everybody's thread.
    told = delivered(smtp, renter, 1)
    assert told["References"] is None
    imap.deliver(reply(told, renter, "Danke.\nHier ein Foto.", picture()))
    fetch(1)
    assert said(ticket)[1:] == [(cast.renter.pk, "mail", "Danke.\nHier ein Foto.")]
    assert [file.name for file in TicketAttachment.objects.filter(ticket=ticket)] == ["Fleck.jpg"]
    with scope.unit_of_work(door="test"):
        comments.add_comment(actor=cast.actor("admin"), ticket=ticket, text="Gut.", source="back_office")
    again = delivered(smtp, renter, 2)
    assert (again["In-Reply-To"], again["References"]) == (told["Message-ID"],) * 2
    assert again["Reply-To"] == told["Reply-To"] and again["Message-ID"] != told["Message-ID"]

    # What comes back by a rule of forwarding, or from somebody else with the renter's address of answer, adds nothing.
    forged = reply(again, "fremd@anderswo.test", "Ich bin es.")
    away = b"Auto-Submitted: auto-replied\n" + reply(told, renter, "Bin nicht da.")
    imap.deliver(bytes(again), forged, away)
    fetch(3)
    assert list(InboundMail.objects.order_by("pk").values_list("outcome", "reason"))[2:] == [
        ("ignored", "automatic"), ("refused", "other_sender"), ("ignored", "automatic"),
    ]  # fmt: skip
    assert len(said(ticket)) == 3
    assert len(smtp.to(renter)) == 2 and len(smtp.to(admin)) == 1


def test_nothing_that_is_typed_becomes_a_header(cast: Cast, imap: Imap, smtp: MailSink) -> None:
    trap = "Hallo\r\nBcc: opfer@x.test\r\n\r\nText"
    signed_in(cast.renter).post(tickets_url(cast, "/new/other"), {"title": trap, "text": "x"})
    with scope.unit_of_work(door="test"):
        kind = a_type(cast.tenant, "Wasser")
        TicketType.objects.filter(pk=kind.pk).update(name=trap)
    signed_in(cast.renter).post(tickets_url(cast, f"/new/{kind.pk}"), {"text": "x"})
    folded = plain("hilfe@haus.test", cast.renter.email, Authentication_Results=VERDICT).replace(
        b"Subject: Re", b"Subject: =?utf-8?q?Hallo=0D=0ABcc=3A_opfer=40x=2Etest?="
    )
    imap.deliver(folded)
    fetch(1)
    assert Ticket.objects.count() == 3
    delivered(smtp, cast.admin.email, 3)
    for mail, envelope in zip(smtp.messages, smtp.envelopes, strict=True):
        assert "opfer@x.test" not in envelope.rcpt_tos
        assert mail["Bcc"] is None and len(mail.get_all("Subject", [])) == 1
        assert "opfer@x.test" in mail["Subject"]  # it stays what it is: words of the title
