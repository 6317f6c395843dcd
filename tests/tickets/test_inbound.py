"""Mail that comes in: answers become comments of who was written to, everything else adds nothing or opens a ticket."""

from __future__ import annotations

import time
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from core.models import SystemLog
from messaging.models import Message
from orgs.services import occupancies
from tests.portal.pages import signed_in
from tests.tickets.post import address, letter, plain, take
from tickets.models import InboundMail, Mailbox, Ticket, TicketActivity, TicketAttachment
from tickets.services import changes, comments, inbound, mail_reading, merging, notify

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

ANSWER = "Der Hahn tropft immer noch.\nBitte kommen Sie am Freitag."
STYLES = (
    "gmail_de", "gmail_en_folded", "gmail_fr", "gmail_pl", "thunderbird_pl", "thunderbird_signature", "apple_mail", "iphone",
    "outlook_de", "outlook_fr", "outlook_pl", "outlook_original", "gmx", "android", "answer_below", "html_only",
)  # fmt: skip
NOTHING = {
    "out_of_office": ("ignored", "automatic"),
    "out_of_office_outlook": ("ignored", "automatic"),
    "precedence": ("ignored", "automatic"),
    "mailing_list": ("ignored", "list"),
    "mailer_daemon": ("ignored", "automatic"),
    "bounce": ("ignored", "bounce"),
    "empty_return_path": ("ignored", "bounce"),
    "only_quotation": ("refused", "empty"),
    "two_senders": ("refused", "no_sender"),
    "no_sender": ("refused", "no_sender"),
}


@pytest.fixture
def mailbox(cast: Cast) -> Mailbox:
    return Mailbox.objects.create(tenant=cast.tenant, address="hilfe@haus.test")


def spoken(ticket: Ticket) -> list[TicketActivity]:
    """The comments of a ticket."""
    return list(TicketActivity.objects.filter(ticket=ticket, kind="comment").order_by("pk"))


def told(row: InboundMail) -> tuple[str, str]:
    return row.outcome, row.reason


# --- Answers -------------------------------------------------------------------------------------------------


@pytest.mark.rule("TICKETS-062")
@pytest.mark.parametrize("who", ["renter", "staff", "admin"])
def test_an_answer_becomes_a_comment_of_requester_assignee_or_administrator(
    cast: Cast, file: File, mailbox: Mailbox, who: str
) -> None:
    ticket, person = file("renter"), getattr(cast, who)
    changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")
    row = take(mailbox, plain(address(mailbox, ticket, person), person.email, "Kommen Sie bitte."))
    (said,) = spoken(ticket)
    assert (said.user, said.text, said.source, said.from_staff) == (
        person,
        "Kommen Sie bitte.",
        "mail",
        who != "renter",
    )
    assert (told(row), row.ticket) == (("comment", ""), ticket)


@pytest.mark.rule("TICKETS-062")
@pytest.mark.parametrize("who", ["additional", "neighbour", "former", "stranger", "guest"])
def test_a_token_does_not_help_who_takes_no_part(cast: Cast, file: File, mailbox: Mailbox, who: str) -> None:
    ticket, person = file("renter"), getattr(cast, who)
    row = take(mailbox, plain(address(mailbox, ticket, person), person.email))
    assert told(row) == ("refused", "not_allowed")
    assert not spoken(ticket)


@pytest.mark.rule("TICKETS-062")
def test_a_reader_by_sharing_does_not_comment_by_mail(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    Ticket.objects.filter(pk=ticket.pk).update(shared_with=[f"c:{cast.house_a.pk}"])
    row = take(mailbox, plain(address(mailbox, ticket, cast.owner), cast.owner.email))
    assert row.outcome == "refused"
    assert not spoken(ticket)


@pytest.mark.rule("TICKETS-062")
def test_a_forged_token_is_refused(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    good = address(mailbox, ticket, cast.renter)
    wrong = good.replace("@", "x@") if not good.endswith("x") else good
    assert told(take(mailbox, plain(wrong, cast.renter.email))) == ("refused", "wrong_token")
    assert not spoken(ticket)


@pytest.mark.rule("TICKETS-063")
def test_a_sender_who_is_not_whom_the_mail_went_to_is_refused(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    row = take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.admin.email))
    assert told(row) == ("refused", "other_sender")
    assert not spoken(ticket)


@pytest.mark.rule("TICKETS-063")
@pytest.mark.parametrize(
    ("server", "result", "taken"),
    [("mx.haus.test", "fail", False), ("mx.haus.test", "pass", True), ("mx.other.test", "fail", True)],
)
def test_what_the_own_server_says_of_a_sender_is_believed(
    cast: Cast, file: File, mailbox: Mailbox, settings: Any, server: str, result: str, taken: bool
) -> None:
    settings.MAIL_AUTH_SERVERS = ["mx.haus.test"]
    ticket = file("renter")
    verdict = f"{server}; spf=pass smtp.mailfrom=x; dmarc={result} header.from=quartier.test"
    raw = plain(address(mailbox, ticket, cast.renter), cast.renter.email, Authentication_Results=verdict)
    assert (take(mailbox, raw).outcome == "comment") is taken


def test_a_ticket_of_another_company_is_not_reached(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    foreign = Mailbox.objects.create(tenant=cast.other_tenant, address="post@nord.test")
    stolen = address(mailbox, ticket, cast.renter).replace("hilfe+", "post+").replace("haus.test", "nord.test")
    assert told(take(foreign, plain(stolen, cast.renter.email))) == ("refused", "wrong_token")
    own = address(foreign, ticket, cast.renter)
    assert told(take(foreign, plain(own, cast.renter.email, number=2))) == ("refused", "ticket_gone")
    assert not spoken(ticket)


def test_an_answer_of_the_requester_reopens(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="closed", source="web")
    take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.renter.email))
    ticket.refresh_from_db()
    assert ticket.status == "reopened"


def test_an_answer_to_a_merged_ticket_goes_to_the_one_that_is_left(cast: Cast, file: File, mailbox: Mailbox) -> None:
    old, left = file("renter"), file("renter")
    Ticket.objects.filter(pk=old.pk).update(merged_into=left)
    row = take(mailbox, plain(address(mailbox, old, cast.renter), cast.renter.email))
    assert row.ticket == left
    assert [len(spoken(t)) for t in (old, left)] == [0, 1]


def test_an_answer_to_a_deleted_ticket_adds_nothing(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    changes.delete(actor=cast.actor("staff"), ticket=ticket)
    row = take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.renter.email))
    assert told(row) == ("refused", "ticket_gone")


# --- What is taken of a mail ---------------------------------------------------------------------------------


@pytest.mark.rule("TICKETS-063")
@pytest.mark.parametrize("name", STYLES)
def test_quotation_and_signature_are_cut(cast: Cast, file: File, mailbox: Mailbox, name: str) -> None:
    ticket = file("renter")
    take(mailbox, letter(name, address(mailbox, ticket, cast.renter), cast.renter.email))
    assert [said.text for said in spoken(ticket)] == [ANSWER]


@pytest.mark.parametrize(
    "text",
    [
        "Danke,\naber es tropft noch.\n\nViele Grüße sagen reicht nicht mehr.",
        "Es fehlt:\n- ein Schlüssel\n- eine Klingel\nBitte prüfen Sie das.",
        "Thanks, but it still drips.\nPlease come again.",
        "Am Montag schrieb mir der Nachbar: er höre das auch.\nBitte melden Sie sich.",
    ],
)
def test_what_only_looks_like_a_signature_or_quotation_stays(
    cast: Cast, file: File, mailbox: Mailbox, text: str
) -> None:
    ticket = file("renter")
    take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.renter.email, text))
    assert [said.text for said in spoken(ticket)] == [text]


@pytest.mark.parametrize("name", ["latin1_unlabelled", "wrong_charset", "eight_bit_header", "nul_bytes", "broken_mime"])
def test_what_programs_get_wrong_is_read_all_the_same(cast: Cast, file: File, mailbox: Mailbox, name: str) -> None:
    ticket = file("renter")
    row = take(mailbox, letter(name, address(mailbox, ticket, cast.renter), cast.renter.email))
    assert told(row) == ("comment", "")
    assert spoken(ticket)[0].text.startswith("Der Hahn tropft")


@pytest.mark.rule("TICKETS-063")
def test_the_same_mail_is_taken_once(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    raw = plain(address(mailbox, ticket, cast.renter), cast.renter.email)
    assert take(mailbox, raw) == take(mailbox, raw.replace(b"Danke!", b"Noch einmal"))
    assert len(spoken(ticket)) == InboundMail.objects.count() == 1


@pytest.mark.rule("TICKETS-063")
@pytest.mark.parametrize("name", NOTHING)
def test_automatic_and_unverifiable_mail_adds_nothing(cast: Cast, file: File, mailbox: Mailbox, name: str) -> None:
    ticket = file("renter")
    row = take(mailbox, letter(name, address(mailbox, ticket, cast.renter), cast.renter.email))
    assert told(row) == NOTHING[name]
    assert not spoken(ticket)


@pytest.mark.rule("TICKETS-063")
def test_our_own_mail_does_not_come_back_as_a_comment(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    comments.add_comment(actor=cast.actor("staff"), ticket=ticket, text="Wir kommen.", source="web")
    own = Message.objects.get(kind="ticket_commented").message_id
    raw = plain(address(mailbox, ticket, cast.renter), cast.renter.email).replace(b"<n1@mail.test>", own.encode())
    assert told(take(mailbox, raw)) == ("ignored", "loop")
    assert len(spoken(ticket)) == 1


def test_files_are_kept_and_what_cannot_be_is_named(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    take(mailbox, letter("with_files", address(mailbox, ticket, cast.renter), cast.renter.email))
    (said,) = spoken(ticket)
    assert [f.name for f in TicketAttachment.objects.filter(activity=said)] == ["Schäden.pdf"]
    assert said.text == f"{ANSWER}\n\nNicht übernommen: rechnung.exe"


def test_a_wrapping_of_outlook_is_left_out_and_named(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    take(mailbox, letter("tnef", address(mailbox, ticket, cast.renter), cast.renter.email))
    assert spoken(ticket)[0].text.endswith("Nicht übernommen: winmail.dat")
    assert not TicketAttachment.objects.exists()


def test_a_mail_that_is_nothing_but_a_wrapping_of_outlook_is_told_at_the_ticket(
    cast: Cast, file: File, mailbox: Mailbox
) -> None:
    ticket = file("renter")
    raw = plain(address(mailbox, ticket, cast.renter), cast.renter.email)
    take(mailbox, raw.replace(b"text/plain; charset=utf-8", b"application/ms-tnef"))
    assert spoken(ticket)[0].text == "Nicht übernommen: winmail.dat"


def test_what_a_mail_within_the_mail_says_is_nobodys_comment(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"], inner["From"] = "Angebot für Sie", "fremd@irgendwo.test"
    inner.set_content("innen")
    inner.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="fremd.pdf")
    outer["Subject"], outer["From"], outer["Message-ID"] = "Re", cast.renter.email, "<aussen@mail.test>"
    outer["To"] = address(mailbox, ticket, cast.renter)
    outer.set_content("Anbei Fotos")
    outer.add_attachment(inner)
    outer.add_attachment("Notiz", filename="notiz.txt")
    take(mailbox, outer.as_bytes())
    assert spoken(ticket)[0].text == "Anbei Fotos\n\nNicht übernommen: Angebot für Sie"
    assert [one.name for one in TicketAttachment.objects.all()] == ["notiz.txt"]


def test_parts_without_a_boundary_are_read_as_one_text(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    raw = plain(address(mailbox, ticket, cast.renter), cast.renter.email, "Es tropft wieder.")
    take(mailbox, raw.replace(b"text/plain; charset=utf-8", b"multipart/mixed"))
    assert spoken(ticket)[0].text == "Es tropft wieder."
    assert not TicketAttachment.objects.exists()


def test_html_brings_no_script_and_no_picture(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    take(mailbox, letter("html_only", address(mailbox, ticket, cast.renter), cast.renter.email))
    text = spoken(ticket)[0].text
    assert not any(word in text for word in ("BOESE", "tracker", "PIXEL", "color"))


def test_hostile_html_is_words_on_every_page_that_shows_them(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    take(mailbox, letter("hostile_html", address(mailbox, ticket, cast.renter), cast.renter.email))
    (said,) = spoken(ticket)
    assert said.text.startswith("Der Hahn tropft immer noch.\n\nBitte kommen Sie am Freitag.")
    assert said.text.endswith("Nicht übernommen: rechnung.html")  # the pixel is not even named
    assert not TicketAttachment.objects.exists()
    for who, url in (
        ("renter", f"/app/tickets/{ticket.uuid}"),
        ("admin", f"/admin/tickets/ticket/{ticket.pk}/change/"),
    ):
        page = signed_in(getattr(cast, who)).get(url).content.decode()
        assert "&lt;script&gt;alert(1)" in page  # written as words, it stays words
        assert not any(word in page for word in ("BOESE", "tracker.test", "<script>alert", "onerror=alert(1)>"))


def test_a_subject_is_one_line(cast: Cast, file: File, mailbox: Mailbox) -> None:
    raw = letter("header_injection", address(mailbox, file("renter"), cast.renter), cast.renter.email)
    assert take(mailbox, raw).subject == "Re: Hallo Bcc: opfer@x.test"


def hostile() -> dict[str, bytes]:
    """Mails made to break their reader."""
    head = b"From: a@b.test\r\nMessage-ID: <x@y>\r\n"
    parts = b"".join(b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" for _ in range(1000))
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3000))
    return {
        "1,000 parts": head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + parts + b"--b--\r\n",
        "nested": head + nested,
        "header bomb": head + b"X-A: " + b"a" * 5_000_000 + b"\r\n\r\nx",
        "nothing": b"",
        "binary": bytes(range(256)) * 50,
    }


@pytest.mark.parametrize("name", list(hostile()))
def test_a_mail_made_to_break_its_reader_is_refused(cast: Cast, mailbox: Mailbox, name: str) -> None:
    row = take(mailbox, hostile()[name])
    assert row.outcome in ("refused", "ignored")
    assert not TicketActivity.objects.filter(kind="comment").exists()


@pytest.mark.parametrize(
    "text",
    ["On " * 40_000, "Am " + "x schrieb " * 10_000, "From: a\n" * 15_000, "> " * 50_000, "-" * 90_000, "\n" * 90_000],
)
def test_text_made_to_be_slow_is_read_quickly(text: str) -> None:
    begin = time.process_time()
    mail_reading.read(plain("a@b.test", "c@d.test", text))
    assert time.process_time() - begin < 3


def test_what_fails_unexpectedly_is_refused_and_told(
    cast: Cast, file: File, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_values: Any) -> None:
        raise RuntimeError("kaputt")

    monkeypatch.setattr(inbound.comments, "add_comment", broken)
    row = take(mailbox, plain(address(mailbox, file("renter"), cast.renter), cast.renter.email))
    assert told(row) == ("refused", "failed")
    assert SystemLog.objects.get(category="tickets.mail").stacktrace == "RuntimeError: kaputt"


def test_two_programs_that_answer_each_other_are_cut_off(
    cast: Cast, file: File, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "AN_HOUR", 2)
    ticket, other = file("renter"), file("renter")
    changes.assign(actor=cast.actor("admin"), ticket=ticket, assignee=cast.membership("staff"), source="web")
    for number in range(3):
        row = take(mailbox, plain(address(mailbox, ticket, cast.renter), cast.renter.email, number=number))
    assert (told(row), len(spoken(ticket))) == (("refused", "too_many"), 2)
    assert Message.objects.filter(kind="ticket_commented").count() == 2  # nobody is mailed, so nobody answers again
    free = ((ticket, cast.staff), (other, cast.renter))
    rows = [take(mailbox, plain(address(mailbox, t, who), who.email, number=9 + t.pk)) for t, who in free]
    assert [row.outcome for row in rows] == ["comment", "comment"]


# --- Without a token -----------------------------------------------------------------------------------------


@pytest.fixture
def opening(mailbox: Mailbox, cast: Cast, settings: Any) -> Mailbox:
    """Mail of unknown senders becomes a ticket of house B."""
    settings.MAIL_AUTH_SERVERS = ["mx.haus.test"]
    mailbox.unknown_senders, mailbox.community = "ticket", cast.house_b
    mailbox.save()
    return mailbox


def verified(sender: str, **values: Any) -> bytes:
    return plain(
        "hilfe@haus.test", sender, "Die Tür klemmt.", Authentication_Results="mx.haus.test; dmarc=pass", **values
    )


def test_mail_of_unknown_senders_is_left_unanswered_unless_wanted(cast: Cast, mailbox: Mailbox) -> None:
    assert told(take(mailbox, plain(mailbox.address, cast.renter.email))) == ("ignored", "unknown_sender")
    assert not Ticket.objects.exists()


def test_a_resident_whom_our_server_vouches_for_files_a_ticket_at_home(cast: Cast, opening: Mailbox) -> None:
    row = take(opening, verified(cast.renter.email))
    ticket = Ticket.objects.get()
    assert (row.ticket, ticket.created_by, ticket.community, ticket.description) == (
        ticket, cast.renter, cast.house_a, "Die Tür klemmt.",
    )  # fmt: skip
    assert ticket.contact == cast.contact("renter")


def test_with_several_homes_the_mailbox_says_in_which(cast: Cast, opening: Mailbox) -> None:
    occupancies.move_in(contact=cast.contact("renter"), unit=cast.unit_b1, role="owner")
    take(opening, verified(cast.renter.email))
    assert (Ticket.objects.get().community, Ticket.objects.get().created_by) == (cast.house_b, cast.renter)


@pytest.mark.parametrize("trusted", [True, False])
def test_without_our_servers_word_nobody_is_believed_to_be_a_resident(
    cast: Cast, opening: Mailbox, settings: Any, trusted: bool
) -> None:
    raw = plain(opening.address, cast.renter.email) if trusted else verified(cast.renter.email)
    settings.MAIL_AUTH_SERVERS = ["mx.haus.test"] if trusted else []
    take(opening, raw)
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.created_by, ticket.community) == (None, cast.admin, cast.house_b)
    assert cast.renter.email in ticket.description
    assert not Ticket.objects.visible_to(cast.actor("renter")).exists()


def test_a_stranger_is_no_author_and_gets_no_mail(cast: Cast, opening: Mailbox) -> None:
    type(cast.membership("admin")).objects.filter(user=cast.admin).update(support_perm=True)
    take(opening, verified("fremd@irgendwo.test"))
    entry = TicketActivity.objects.get()
    assert (entry.user, entry.from_staff, entry.automatic_name) == (None, False, "fremd@irgendwo.test")
    assert Ticket.objects.get().first_response_at is None
    notify.tell_new()
    assert [m.to_emails for m in Message.objects.all()] == [[cast.admin.email]]  # who takes it in is no author either


def test_a_sender_who_floods_is_stopped(cast: Cast, opening: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "A_DAY", 2)
    rows = [take(opening, verified("fremd@irgendwo.test", number=n)) for n in range(3)]
    assert [told(row) for row in rows] == [("ticket", ""), ("ticket", ""), ("refused", "too_many")]


def test_the_requester_of_a_merged_ticket_who_does_not_see_the_other_goes_on_in_the_own_one(
    cast: Cast, file: File, mailbox: Mailbox
) -> None:
    own, other = file("renter"), file("owner")
    merging.merge(actor=cast.actor("staff"), ticket=own, into=other)
    row = take(mailbox, plain(address(mailbox, own, cast.renter), cast.renter.email))
    assert (row.ticket, row.outcome) == (own, "comment")
    assert [len(spoken(t)) for t in (own, other)] == [1, 0]
    other.refresh_from_db()
    assert TicketActivity.objects.filter(ticket=other, data__event="merged_comment").exists()  # and is told there
