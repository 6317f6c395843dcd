"""`manage.py erase_person`: a person is forgotten in every corner, and what others need of it stays."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError
from django.utils import timezone

from config.erasure import people as erasure
from core import scope
from core.errors import Conflict, NotFound
from core.models import AuditEntry, Upload
from core.services import rows, sealing, verification
from docms.models import DocumentLog, FolderMark, FolderPermission, GroupMember, ReadMark
from docms.services import groups, marks
from messaging.models import Message, MessageRecipient
from messaging.services.outbox import queue
from messaging.services.split import Recipient
from orgs.admin.invites import state_of
from orgs.models import (
    AccessRequest,
    AccessToken,
    Contact,
    Hold,
    Invite,
    Membership,
    Session,
    SignInLog,
    User,
)
from orgs.services import (
    contacts,
    erase,
    holds,
    invites,
    members,
    occupancies,
    passwords,
    second_factor,
    sign_in,
    tokens,
)
from orgs.services.tenants import add_member
from portal.models import Notification
from processes.models import ProcessClerk
from tests.config.erasing import a_case, an_entry, gone, run
from tests.everyword import tables_that_say
from tests.factories import TicketFactory, UserFactory, at_once, folder, manual_group, publish
from tickets.models import AssignmentRule, IdempotencyRecord, TicketDraft

if TYPE_CHECKING:
    from tests.cast import Cast


def a_life(cast: Cast) -> None:
    """What a resident leaves behind who has used everything."""
    user, place = cast.renter, cast.membership("renter")
    rows.change(user, {"telephone": "0301234567", "mobile": "+491701234567"})
    rows.change(place, {"description": "Frau Muster ruft oft an", "login_text": "Liebe Renter"})
    second_factor.start(user)
    passwords.first_or_reset_link(user, tenant=cast.tenant)
    SignInLog.objects.create(user=user, tenant=cast.tenant, type="login", door="docms", ip="203.0.113.77")
    paper = publish(cast, folder(cast, group=manual_group(cast, "Leser", "renter")))
    marks.set_favourite(folder_id=paper.folder_id, actor=cast.actor("renter"), on=True)
    marks.write_read_mark(paper, place.pk, 1)
    Notification.objects.create(
        tenant=cast.tenant,
        user=user,
        community=cast.house_a,
        type="document_created",
        item_id=paper.pk,
        cause=uuid.uuid4(),
    )
    for number, people in enumerate(([user], [user, cast.owner])):
        queue(
            kind="welcome", tenant=cast.tenant, to=[Recipient.of_user(person) for person in people], context={},
            dedupe_key=f"leben:{number}",
        )  # fmt: skip


# --- Accounts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["guest", "renter"])
def test_of_an_account_without_an_entry_in_a_register_no_word_is_left(cast: Cast, who: str) -> None:
    user = getattr(cast, who)
    user_name = f"{who}@quartier.test"
    if who == "renter":
        a_life(cast)
        contacts.change_contact(cast.contact("renter"), {"email": "", "first_name": "", "last_name": "Mieterin"})
    assert "orgs_user" in tables_that_say(user_name)
    erasure.erase_account(user=user)
    assert (
        tables_that_say(user_name, "0301234567", "+491701234567", "Liebe Renter", "ruft oft an", "203.0.113.77")
        == set()
    )
    left = User.objects.get(pk=user.pk)
    assert (left.username, left.email) == (f"erased-{user.uuid}", f"erased-{user.uuid}")
    assert str(left) == "Ehemaliges Konto"


def test_the_address_of_an_account_is_free_again(cast: Cast) -> None:
    gone(cast, "guest")
    assert UserFactory(email="guest@quartier.test", username="guest@quartier.test").pk


def test_an_erased_account_signs_in_nowhere(cast: Cast) -> None:
    token = AccessToken.objects.create(
        user=cast.renter, kind="personal", token_hash=b"x" * 32, expires_at=timezone.now() + datetime.timedelta(days=1)
    )
    session = Session.objects.create(
        user=cast.renter, session_key=b"y" * 32, expires_at=timezone.now() + datetime.timedelta(days=1)
    )
    left = gone(cast)
    assert not AccessToken.objects.filter(pk=token.pk).exists()
    assert not Session.objects.filter(pk=session.pk).exists()
    assert not left.has_usable_password()
    assert sign_in.find_user("renter@quartier.test") is None
    assert not cast.actor(left).tenants


def test_rights_marks_and_notifications_go_and_the_log_stays(cast: Cast) -> None:
    a_life(cast)
    place = cast.membership("renter")
    DocumentLog.objects.create(tenant=cast.tenant, document_id=1, user=cast.renter, action="read")
    FolderPermission.objects.create(tenant=cast.tenant, membership=place, folder=folder(cast, "Anderes"), read=True)
    gone(cast)
    for model in (GroupMember, FolderPermission, FolderMark, ReadMark):
        assert not model.objects.filter(membership=place).exists(), model
    assert not Notification.objects.filter(user=cast.renter).exists()
    assert DocumentLog.objects.filter(user=cast.renter, action="read").exists()
    assert Membership.objects.get(pk=place.pk).is_deactivated


def test_rights_of_others_stay(cast: Cast) -> None:
    group = manual_group(cast, "Leser", "renter", "owner")
    gone(cast)
    assert groups.members_of(group) == {cast.owner.pk}


def test_the_register_keeps_the_person_without_the_account(cast: Cast) -> None:
    entry = cast.contact("renter")
    gone(cast)
    left = Contact.objects.get(pk=entry.pk)
    assert (left.last_name, left.email, left.user_id) == ("Muster", "renter@quartier.test", None)
    assert left.account_erased_at is not None
    assert left.occupancies.exists()


def test_whoever_comes_back_is_linked_to_the_entry_as_somebody_new(cast: Cast) -> None:
    entry = cast.contact("renter")
    gone(cast)
    entry.refresh_from_db()
    contacts.link_account(entry, UserFactory())
    entry.refresh_from_db()
    assert entry.account_erased_at is None


def test_an_entry_that_only_the_account_needed_goes_with_it(cast: Cast) -> None:
    clerk = contacts.contact_for(cast.staff, cast.tenant)
    gone(cast, "staff")
    left = Contact.objects.get(pk=clerk.pk)
    assert (left.erased_at is not None, left.first_name, left.email, left.number) == (True, "", "", clerk.number)
    assert not Contact.objects.found_by("staff@quartier.test").exists()


def test_authors_are_shown_as_former_users(cast: Cast) -> None:
    paper = publish(cast, folder(cast), who="staff")
    gone(cast, "staff")
    paper.refresh_from_db()
    assert paper.uploaded_by.get_full_name() == "Ehemaliges Konto"


def test_a_mail_that_went_to_the_person_alone_is_emptied_and_one_that_waits_is_cancelled(cast: Cast) -> None:
    a_life(cast)
    alone = Message.objects.get(dedupe_key__startswith="leben:0")
    assert (alone.state, alone.to_emails) == ("queued", ["renter@quartier.test"])
    gone(cast)
    alone.refresh_from_db()
    assert (alone.state, alone.to_emails, alone.subject, alone.body_text, alone.body_html) == (
        "cancelled",
        [],
        "",
        "",
        "",
    )
    assert list(MessageRecipient.objects.filter(message=alone).values_list("user", "address", "state")) == [
        (cast.renter.pk, "", "suppressed")
    ]


def test_a_mail_to_several_goes_to_the_others(cast: Cast) -> None:
    people = [Recipient.of_user(cast.renter), Recipient.of_user(cast.owner)]
    message = queue(kind="welcome", tenant=cast.tenant, to=people[0], context={}, dedupe_key="beide")
    assert message is not None
    Message.objects.filter(pk=message.pk).update(to_emails=[cast.renter.email], bcc_emails=[cast.owner.email])
    MessageRecipient.objects.create(message=message, user=cast.owner, address=cast.owner.email)
    gone(cast)
    message.refresh_from_db()
    assert (message.state, message.to_emails, message.bcc_emails) == ("queued", [], ["owner@quartier.test"])
    assert message.body_text


def test_uploads_that_nothing_refers_to_go(cast: Cast) -> None:
    upload = Upload.objects.create(
        handle="h" * 40, user=cast.renter, tenant=cast.tenant, name="Muster.pdf", door="web", expected_size=5,
        expires_at=timezone.now() + datetime.timedelta(hours=1),
    )  # fmt: skip
    gone(cast)
    assert not Upload.objects.filter(pk=upload.pk).exists()


def test_requests_to_be_let_in_and_accepted_invitations_are_emptied(cast: Cast) -> None:
    AccessRequest.objects.create(tenant=cast.tenant, first_name="R", last_name="M", email="Renter@quartier.test")
    other = AccessRequest.objects.create(tenant=cast.tenant, first_name="R", last_name="M", email="x@quartier.test")
    entry = contacts.create_contact(tenant=cast.tenant, last_name="Neu", email="neu@quartier.test")
    occupancies.move_in(contact=entry, unit=cast.unit_a3, role="renter", first=cast.tenant.today())
    invite = invites.invite_contact(contact=entry, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
    rows.change(invite, {"accepted_at": timezone.now(), "accepted_by": cast.renter}, check=False)
    gone(cast)
    assert list(AccessRequest.objects.values_list("pk", flat=True)) == [other.pk]
    left = Invite.objects.get(pk=invite.pk)
    assert (left.email, left.last_name, left.code, left.erased_at is not None) == ("", "", "", True)
    assert state_of(left)[1] == "eingelöst"


def test_the_history_of_the_account_is_emptied_and_its_chain_proven(cast: Cast) -> None:
    rows.change(cast.renter, {"last_name": "Geheimrat"})
    rows.change(cast.owner, {"last_name": "Nachbar"})
    assert "core_auditentry" in tables_that_say("Geheimrat")
    sealing.seal()
    gone(cast)
    sealing.seal()
    assert tables_that_say("Geheimrat") == set()
    assert "core_auditentry" in tables_that_say("Nachbar")
    assert verification.verify().findings == []
    last = AuditEntry.objects.filter(object_type="orgs.user", object_id=str(cast.renter.pk)).latest("id")
    assert last.verb == "erased"


def test_an_account_is_erased_once(cast: Cast) -> None:
    gone(cast)
    with pytest.raises(NotFound):
        erase.erase_account(user=cast.renter)


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_who_is_the_last_in_charge_stays_until_somebody_else_is(cast: Cast, who: str) -> None:
    with pytest.raises(Conflict) as refusal:
        gone(cast, who)
    assert refusal.value.code == {"admin": "last_owner", "operator": "last_operator"}[who]
    assert User.objects.get(pk=getattr(cast, who).pk).erased_at is None
    if who == "admin":
        add_member(user=UserFactory(), organization=cast.tenant, role="owner", admin_perm=True, super_admin_perm=True)
    else:
        UserFactory(is_superuser=True)
    assert gone(cast, who).erased_at is not None


def test_whose_places_ended_long_ago_keep_the_moment(cast: Cast) -> None:
    then = timezone.now() - datetime.timedelta(days=400)
    members.change(membership=cast.membership("guest"), changes={"deactivated_at": then})
    gone(cast, "guest")
    assert Membership.objects.get(user=cast.guest).deactivated_at == then


@pytest.mark.parametrize("covers", ["contact", "unit", "community"])
def test_a_legal_hold_keeps_the_person_until_it_is_released(cast: Cast, covers: str) -> None:
    what = {"contact": cast.contact("renter"), "unit": cast.unit_a2, "community": cast.house_a}
    hold = Hold.objects.create(
        tenant=cast.tenant, title="Streit", reason="Klage", placed_by=cast.admin, **{covers: what[covers]}
    )
    with pytest.raises(Conflict) as refusal:
        gone(cast)
    assert (refusal.value.code, "Streit" in str(refusal.value.message)) == ("held", True)
    assert gone(cast, "neighbour").erased_at is not None
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now(), released_by=cast.admin)
    assert gone(cast).erased_at is not None


def test_what_a_sign_in_wrote_that_was_under_way_goes_with_the_next_purge(cast: Cast) -> None:
    left = gone(cast)
    later = timezone.now() + datetime.timedelta(days=1)
    for user, key in ((left, b"1"), (cast.owner, b"2")):
        Session.objects.create(user=user, session_key=key * 32, expires_at=later, ip="203.0.113.9")
        AccessToken.objects.create(user=user, kind="docms_session", token_hash=key * 32, expires_at=later)
    tokens.purge()
    assert list(Session.objects.values_list("user", flat=True)) == [cast.owner.pk]
    assert list(AccessToken.objects.values_list("user", flat=True)) == [cast.owner.pk]


def test_a_repeated_request_answers_without_the_erased_person(cast: Cast) -> None:
    person = {"id": str(cast.renter.uuid), "name": "Renter", "surname": "Muster", "email": "renter@quartier.test"}
    answer = {
        "id": "1",
        "userRequester": person,
        "activities": [{"membership": {"id": "2", "user": person}}],
        "number": 7,
    }
    record = IdempotencyRecord.objects.create(
        tenant=cast.tenant, credential="c", key="k", body_hash=b"h" * 32, status=201, response=answer
    )
    gone(cast)
    record.refresh_from_db()
    assert record.response == {
        "id": "1", "userRequester": None, "activities": [{"membership": {"id": "2", "user": None}}], "number": 7,
    }  # fmt: skip


# --- The command ----------------------------------------------------------------------------------------


def test_the_command_says_what_stays_and_how_it_goes(cast: Cast) -> None:
    entry = cast.contact("renter")
    said = run("renter@quartier.test", "--yes")
    assert f"Account {cast.renter.pk} is erased." in said
    assert f"manage.py erase_person contact:{entry.pk}" in said
    assert User.objects.get(pk=cast.renter.pk).erased_at is not None


def test_without_a_yes_nothing_is_changed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        run("renter@quartier.test")
    assert User.objects.get(pk=cast.renter.pk).erased_at is None


@pytest.mark.parametrize("who", ["nobody", "user:999999", "contact:999999", "contact:x", "user:99999999999999"])
def test_an_unknown_person_is_named(cast: Cast, who: str) -> None:
    with pytest.raises(CommandError, match=who.rpartition(":")[2]):
        run(who, "--yes")


def test_a_closed_terminal_is_no_yes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    with pytest.raises(CommandError, match=r"^Nothing was changed\.$"):
        run("renter@quartier.test")


def test_what_cannot_be_done_is_said_before_anybody_is_asked(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "yes")
    with pytest.raises(CommandError, match="Brandt & Keller"):
        run("admin@quartier.test")
    assert asked == []


def test_a_number_that_is_also_a_user_name_is_nobody(cast: Cast) -> None:
    UserFactory(username=f"user:{cast.renter.pk}")
    with pytest.raises(CommandError, match="also a user name"):
        run(f"user:{cast.renter.pk}", "--yes")
    assert User.objects.get(pk=cast.renter.pk).erased_at is None


def test_a_list_of_erasures_can_be_repeated(cast: Cast) -> None:
    entry = an_entry(cast)
    for who in (f"user:{cast.renter.pk}", f"contact:{entry.pk}"):
        run(who, "--yes")
        assert "was erased before" in run(who.upper(), "--yes")


def test_work_that_would_wait_for_ever_is_listed(cast: Cast) -> None:
    ticket = TicketFactory(community=cast.house_a, created_by=cast.renter, assignee=cast.membership("staff"))
    TicketFactory(
        community=cast.house_a, created_by=cast.renter, assignee=cast.membership("staff"), status="closed",
        closed_at=timezone.now(),
    )  # fmt: skip
    case = a_case(cast)
    ProcessClerk.objects.create(tenant=cast.tenant, process=case, membership=cast.membership("staff"), role="editor")
    rule = AssignmentRule.objects.create(tenant=cast.tenant, assignee=cast.membership("staff"), community=cast.house_a)
    said = run("staff@quartier.test", "--yes")
    works = [line.split(": ")[1].split(";")[0] for line in said.splitlines() if "works on" in line]
    assert works == [f"ticket {ticket.identifier}", f"assignment rule {rule.pk}", f"case {case.number}"]


def test_a_refusal_is_told_in_words_and_changes_nothing(cast: Cast) -> None:
    with pytest.raises(CommandError, match=r"Brandt & Keller: .* Nothing was changed\."):
        run(f"user:{cast.admin.pk}", "--yes")
    assert User.objects.get(pk=cast.admin.pk).email == "admin@quartier.test"


def test_drafts_of_a_clerk_go(cast: Cast) -> None:
    ticket = TicketFactory(community=cast.house_a, created_by=cast.renter, contact=cast.contact("renter"))
    TicketDraft.objects.create(tenant=cast.tenant, ticket=ticket, user=cast.staff, text="Entwurf")
    gone(cast, "staff")
    assert not TicketDraft.objects.exists()


def test_the_command_names_folders_of_the_person(cast: Cast) -> None:
    entry = an_entry(cast)
    folder(cast, "Akte Wunderlich", contact=entry)
    with scope.all_tenants():
        assert "Akte Wunderlich" in run(f"contact:{entry.pk}", "--yes")


# --- Two at once ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_a_hold_is_placed_is_held_or_gone_before(cast: Cast) -> None:
    entry = cast.contact("neighbour")

    def hold() -> None:
        with scope.all_tenants():
            actor = cast.actor("admin")
            holds.place(actor=actor, tenant_id=cast.tenant.pk, title="Streit", reason="Klage", contact=entry)

    outcomes = at_once(hold, lambda: erasure.erase_account(user=cast.neighbour))
    assert len(outcomes) == 2, "one met a deadlock"
    with scope.unit_of_work(door="test"), scope.all_tenants():
        user, placed = User.objects.get(pk=cast.neighbour.pk), Hold.objects.get(contact=entry)
        assert user.erased_at is None or placed.created_at > user.erased_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_of_two_in_charge_who_go_at_once_one_stays(cast: Cast, who: str) -> None:
    with scope.unit_of_work(door="test"):
        other = UserFactory(is_superuser=who == "operator")
        if who == "admin":
            add_member(user=other, organization=cast.tenant, role="owner", admin_perm=True, super_admin_perm=True)
    users = (getattr(cast, who), other)
    outcomes = at_once(*(lambda user=user: erase.erase_account(user=user) for user in users))
    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "User"]
    with scope.unit_of_work(door="test"), scope.all_tenants():
        assert User.objects.filter(pk__in=[user.pk for user in users], erased_at=None).count() == 1
