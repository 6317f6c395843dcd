"""Mails about tickets: who gets which, in one thread, and answered to an address of its own."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import JobRun, SystemLog
from messaging.models import Message
from messaging.services import transport
from orgs.models import Membership, Organization, User
from tests.tickets.material import upload
from tickets import receivers
from tickets.models import Mailbox, Ticket, TicketWatcher
from tickets.services import attachments, changes, comments, desk, notify, overdue, reply_addresses
from tickets.services.attachments import NONE
from tickets.signals import ticket_overdue
from tickets.tasks import tell, tell_new

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


@pytest.fixture
def support(cast: Cast) -> None:
    """Admin and staff want to hear of new tickets."""
    Membership.objects.filter(user__in=[cast.admin, cast.staff]).update(support_perm=True)


@pytest.fixture
def mailbox(cast: Cast) -> Mailbox:
    return Mailbox.objects.create(tenant=cast.tenant, address="Hilfe@haus.test")


def mails(kind: str = "") -> dict[str, Message]:
    """Address → its newest mail of this kind, once a worker has told of new tickets."""
    tell_new()
    found = Message.objects.filter(kind=kind) if kind else Message.objects.all()
    assert all(len(m.to_emails) == 1 and not m.bcc_emails for m in found)
    return {m.to_emails[0].partition("@")[0]: m for m in found.order_by("pk")}


def say(cast: Cast, ticket: Ticket, who: str = "staff", **values: Any) -> comments.Commented:
    return comments.add_comment(actor=cast.actor(who), ticket=ticket, text="Geheim: Code 4711", source="web", **values)


def assign(cast: Cast, ticket: Ticket, who: str = "staff", by: str = "admin") -> Ticket:
    return changes.assign(
        actor=cast.actor(by), ticket=ticket, assignee=cast.membership(who), source="back_office"
    ).ticket


@pytest.mark.rule("TICKETS-058")
def test_a_new_ticket_notifies_the_administrators_with_the_support_permission(cast: Cast, file: File) -> None:
    Membership.objects.filter(user=cast.staff).update(support_perm=True)
    file("renter")
    assert mails().keys() == {"staff"}  # the admin manages the house, too, but does not want to hear of it


@pytest.mark.rule("TICKETS-058")
def test_only_who_manages_the_community_hears_of_its_tickets(cast: Cast, file: File, support: None) -> None:
    file("neighbour", community=cast.house_b)
    assert mails().keys() == {"admin"}


@pytest.mark.rule("TICKETS-058")
def test_who_files_a_ticket_is_not_told_of_it(cast: Cast, file: File, support: None) -> None:
    file("staff")
    assert mails().keys() == {"admin"}


def test_whom_a_ticket_is_filed_for_learns_of_it(cast: Cast, file: File, support: None) -> None:
    file("staff", requester=cast.contact("renter"))
    assert {who: m.kind for who, m in mails().items()} == {"admin": "ticket_filed", "renter": "ticket_opened"}


@pytest.mark.rule("TICKETS-058")
@pytest.mark.parametrize(
    ("who", "told"), [("renter", {"staff"}), ("staff", {"renter"}), ("admin", {"renter", "staff"})]
)
def test_a_comment_notifies_requester_and_assignee_but_not_its_author(
    cast: Cast, file: File, who: str, told: set[str]
) -> None:
    ticket = assign(cast, file("renter"))
    say(cast, ticket, who)
    assert mails("ticket_commented").keys() == told


@pytest.mark.rule("TICKETS-058")
def test_a_status_notifies_requester_and_assignee_in_their_language(cast: Cast, file: File) -> None:
    User.objects.filter(pk=cast.renter.pk).update(language="fr")
    ticket = assign(cast, file("renter"))
    changes.set_status(actor=cast.actor("admin"), ticket=ticket, status="waiting", source="web")
    found = mails("ticket_status")
    assert found.keys() == {"renter", "staff"}
    assert "État\u00a0: en attente" in found["renter"].body_text
    assert "Stand: wartet" in found["staff"].body_text


def test_a_reply_with_a_status_is_one_mail_that_says_both(cast: Cast, file: File) -> None:
    ticket = assign(cast, file("renter"))
    Message.objects.all().delete()
    desk.answer(
        actor=cast.actor("admin"), ticket=ticket, text="Wann passt es?", is_note=False, files=NONE, status="waiting"
    )
    assert Ticket.objects.get(pk=ticket.pk).status == "waiting"
    assert not mails("ticket_status")
    found = mails("ticket_commented")
    assert found.keys() == {"renter", "staff"}
    assert "Stand: wartet" in found["renter"].body_text
    desk.answer(
        actor=cast.actor("admin"), ticket=ticket, text="Nur für uns.", is_note=True, files=NONE, status="in_progress"
    )
    assert mails("ticket_status").keys() == {"renter", "staff"}  # a note is told to nobody outside


@pytest.mark.rule("TICKETS-058")
def test_an_assignment_notifies_requester_and_assignee_old_and_new(cast: Cast, file: File) -> None:
    ticket = assign(cast, file("renter"))
    assert mails("ticket_assigned").keys() == {"renter", "staff"}
    Message.objects.all().delete()
    assign(cast, ticket, "admin", by="admin")
    assert mails("ticket_assigned").keys() == {"renter", "staff"}
    assert "Admin Muster" in mails()["renter"].body_text


def test_watchers_hear_of_everything(cast: Cast, file: File) -> None:
    ticket = file("renter")
    TicketWatcher.objects.create(tenant=cast.tenant, ticket=ticket, membership=cast.membership("staff"))
    say(cast, ticket, "renter")
    comments.add_note(actor=cast.actor("admin"), ticket=ticket, text="Zahlt nie.")
    assert mails("ticket_commented").keys() == mails("ticket_noted").keys() == {"staff"}


def test_a_note_is_told_to_staff_alone_and_without_its_text(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = assign(cast, file("renter"))
    comments.add_note(actor=cast.actor("admin"), ticket=ticket, text="Zahlt nie.")
    found = mails("ticket_noted")
    assert found.keys() == {"staff"}
    assert "Zahlt" not in found["staff"].body_text + found["staff"].body_html
    assert found["staff"].reply_to == ""  # an answer would be read by the requester


def test_readers_by_sharing_get_none(cast: Cast, file: File) -> None:
    ticket = file("renter")
    Ticket.objects.filter(pk=ticket.pk).update(shared_with=[f"c:{cast.house_a.pk}"])
    say(cast, ticket)
    assert mails("ticket_commented").keys() == {"renter"}


@pytest.mark.parametrize("why", ["no address", "erased", "moved out", "off", "deactivated"])
def test_who_cannot_or_will_not_read_gets_none(cast: Cast, file: File, why: str) -> None:
    ticket, renter = file("renter"), User.objects.filter(pk=cast.renter.pk)
    if why == "no address":
        renter.update(email="", username="renter")
    elif why == "erased":
        renter.update(erased_at=timezone.now(), first_name="", last_name="")
    elif why == "off":
        renter.update(email_mode="OFF")
    elif why == "moved out":
        cast.occupancy("renter").delete()
    else:
        Membership.objects.update_or_create(
            user=cast.renter, organization=cast.tenant, tenant=cast.tenant,
            defaults={"role": "resident", "deactivated_at": timezone.now()},
        )  # fmt: skip
    say(cast, ticket)
    assert not mails("ticket_commented")


def test_the_text_of_a_comment_is_not_mailed(cast: Cast, file: File) -> None:
    say(cast, file("renter"))
    mail = mails("ticket_commented")["renter"]
    assert "4711" not in mail.subject + mail.body_text + mail.body_html


def test_each_person_gets_the_own_address_to_answer_to(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = assign(cast, file("renter"))
    say(cast, ticket, "admin")
    found = mails("ticket_commented")
    for who in ("renter", "staff"):
        assert reply_addresses.read(mailbox, found[who].reply_to) == (ticket.pk, getattr(cast, who).pk)
        assert "auf diese E-Mail antworten" in found[who].body_text


@pytest.mark.parametrize("where", ["none", "inactive", "elsewhere"])
def test_without_a_mailbox_of_the_company_there_is_no_reply_address(cast: Cast, file: File, where: str) -> None:
    if where != "none":
        tenant = cast.tenant if where == "inactive" else cast.other_tenant
        Mailbox.objects.create(tenant=tenant, address="hilfe@haus.test", is_active=where == "elsewhere")
    say(cast, file("renter"))
    mail = mails("ticket_commented")["renter"]
    assert mail.reply_to == ""
    assert "auf diese E-Mail antworten" not in mail.body_text


def test_mails_of_a_ticket_are_one_thread_for_each_person(cast: Cast, file: File) -> None:
    ticket, other = file("renter"), file("renter", "Etwas anderes")
    say(cast, other)
    say(cast, ticket)
    first = mails()["renter"]
    assert first.in_reply_to == ""  # mails about another ticket are another thread
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="solved", source="web")
    second = mails("ticket_status")["renter"]
    assert (second.in_reply_to, second.subject) == (first.message_id, first.subject)
    headers = transport.build(second, transport.MailConfig(host="x", sender="a@b.test")).message()
    assert headers["References"] == headers["In-Reply-To"] == first.message_id
    assert headers["Auto-Submitted"] == "auto-generated"


def test_a_title_adds_no_header(cast: Cast, file: File) -> None:
    say(cast, file("renter", title="Wasser\r\nBcc: opfer@x.test"))
    mail = mails("ticket_commented")["renter"]
    headers = transport.build(mail, transport.MailConfig(host="x", sender="a@b.test")).message()
    assert headers["Bcc"] is None
    assert "Wasser Bcc:" in mail.subject


def test_a_reopening_by_comment_is_one_mail(cast: Cast, file: File) -> None:
    ticket = assign(cast, file("renter"))
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="solved", source="web")
    Message.objects.all().delete()
    say(cast, ticket, "renter")
    assert Message.objects.get().kind == "ticket_commented"


def test_after_the_trial_the_system_log_says_that_nothing_was_sent(
    cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.services.outbox.refusal", lambda kind, tenant: "over")
    say(cast, file("renter"))
    assert not mails("ticket_commented")
    assert SystemLog.objects.filter(category="mail", action__startswith="ticket_commented").exists()


@pytest.mark.parametrize(("target", "kind"), [("response", "ticket_unanswered"), ("resolution", "ticket_unsolved")])
def test_a_missed_target_reminds_the_assignee_once(
    cast: Cast, file: File, support: None, target: str, kind: str
) -> None:
    ticket = assign(cast, file("renter"))
    for _time in range(2):
        ticket_overdue.send(sender=Ticket, ticket=ticket, target=target)
    assert Message.objects.filter(kind=kind).count() == 1
    assert mails(kind).keys() == {"staff"}


@pytest.mark.rule("TICKETS-060")
@pytest.mark.parametrize(("assigned", "told"), [(True, {"staff"}), (False, {"admin", "staff"})])
def test_a_ticket_unanswered_for_24_hours_reminds_once(
    cast: Cast, file: File, support: None, monkeypatch: pytest.MonkeyPatch, assigned: bool, told: set[str]
) -> None:
    ticket = assign(cast, file("renter")) if assigned else file("renter")
    due = ticket.created_at + datetime.timedelta(hours=24)  # nobody has set a target
    for later, expected in ((-1, set()), (1, told), (2, told)):
        monkeypatch.setattr(overdue.timezone, "now", lambda later=later: due + datetime.timedelta(minutes=later))
        overdue.tell_overdue()
        assert mails("ticket_unanswered").keys() == expected
        assert Message.objects.filter(kind="ticket_unanswered").count() == len(expected)


def test_the_closing_by_time_is_no_news(cast: Cast, file: File) -> None:
    ticket = assign(cast, file("renter"))
    changes.set_status(actor=cast.actor("admin"), ticket=ticket, status="solved", source="web")
    Ticket.objects.filter(pk=ticket.pk).update(closed_at=timezone.now() - datetime.timedelta(days=31))
    Message.objects.all().delete()
    assert overdue.close_solved() == {"closed": 1, "failed": 0}
    assert not Message.objects.exists()


def test_without_assignee_all_administrators_with_the_support_permission_are_reminded(
    cast: Cast, file: File, support: None
) -> None:
    ticket_overdue.send(sender=Ticket, ticket=file("renter"), target="response")
    assert mails("ticket_unanswered").keys() == {"admin", "staff"}


def test_staff_are_led_to_the_back_office_and_residents_to_the_portal(
    cast: Cast, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "reverse", lambda name, args: f"/{name}/{args[0]}")
    ticket = assign(cast, file("renter"))
    say(cast, ticket, "admin")
    found = mails("ticket_commented")
    assert f"/admin:tickets_ticket_change/{ticket.pk}" in found["staff"].body_text
    assert f"/portal:ticket/{ticket.uuid}" in found["renter"].body_text


def test_a_comment_with_a_file_costs_a_bounded_number_of_statements(
    cast: Cast, file: File, django_assert_max_num_queries: Any
) -> None:
    ticket = file("renter")
    for who in ("admin", "staff"):
        TicketWatcher.objects.create(tenant=cast.tenant, ticket=ticket, membership=cast.membership(who))
    files = attachments.Files((upload(cast, "renter"),), "web")
    activity = say(cast, ticket, "renter", files=files).activity
    Message.objects.all().delete()
    with django_assert_max_num_queries(30):
        notify.tell_of_activity(ticket, activity)
    assert mails().keys() == {"admin", "staff"}


def test_a_wrong_token_is_none(cast: Cast, file: File, mailbox: Mailbox) -> None:
    ticket = file("renter")
    good = reply_addresses.address_for(mailbox, ticket, cast.renter.pk)
    local, _at, domain = good.rpartition("@")
    name, _plus, token = local.partition("+")
    other = "a" if token[-1] != "a" else "b"
    assert reply_addresses.read(mailbox, good.upper()) == (ticket.pk, cast.renter.pk)
    for wrong in (
        f"{name}+{token[:-1]}{other}@{domain}",
        f"{name}@{domain}",
        f"{name}+{token}@x.test",
        f"{name}+@{domain}",
    ):
        assert reply_addresses.read(mailbox, wrong) is None
    foreign = Mailbox(tenant=Organization.objects.get(pk=cast.other_tenant.pk), address=mailbox.address)
    assert reply_addresses.read(foreign, good) is None


# --- When a new ticket is told -------------------------------------------------------------------------------


@pytest.mark.rule("TICKETS-058")
def test_a_worker_tells_of_a_new_ticket_after_the_commit(
    cast: Cast, file: File, support: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(receivers, "wake", lambda *told: woken.append(told))
    with django_capture_on_commit_callbacks(execute=True):
        ticket = file("renter")
        assert not Message.objects.exists()
    entry = ticket.activities.get()
    assert ("tickets.tell", entry.pk) in woken
    tell(entry.pk)
    assert Message.objects.filter(kind="ticket_filed").count() == 2
    tell(entry.pk)
    tell_new()
    assert Message.objects.count() == 2


def test_the_job_tells_what_was_filed_since_it_last_went_well(
    file: File, support: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    for title, hours in {"before": 5, "since": 2}.items():
        at = now - datetime.timedelta(hours=hours)
        with monkeypatch.context() as then:
            then.setattr(timezone, "now", lambda at=at: at)
            file("renter", title=title)
    for hours, error in ((4, ""), (1, "DatabaseError")):
        at = now - datetime.timedelta(hours=hours)
        JobRun.objects.create(name="tickets.tell_new", started_at=at, ended_at=at, error=error)
    tell_new()
    assert [m.subject.count("since") for m in Message.objects.all()] == [1, 1]
    assert JobRun.objects.latest("id").counts == {"told": 1, "failed": 0}


def test_of_a_ticket_that_was_deleted_meanwhile_nobody_hears(cast: Cast, file: File, support: None) -> None:
    changes.delete(actor=cast.actor("admin"), ticket=file("renter"))
    assert mails() == {}


def test_the_job_runs_every_minute(settings: Any) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["tickets.tell_new"] == {"task": "tickets.tell_new", "schedule": 60.0}
