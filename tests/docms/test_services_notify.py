"""Who is told of a new document, when, and how often."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.models import JobRun, SystemLog
from core.services import rows
from docms import tasks
from docms.models import Document, DocumentLog, Folder, FolderTemplate
from docms.services import documents, groups, notify, permissions
from docms.signals import document_published
from messaging.models import Message, MessageRecipient
from messaging.services import outbox
from messaging.services.split import Recipient
from orgs.services import occupancies
from tests.factories import at_once, folder, manual_group, pdf, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


def told(cast: Cast, paper: Document) -> set[str]:
    """Announce, and say who got a mail."""
    notify.announce(paper.pk)
    return mailed(paper)


def mailed(paper: Document) -> set[str]:
    found = MessageRecipient.objects.filter(document_id=paper.pk).values_list("address", flat=True)
    return {address.partition("@")[0] for address in found}


def everybody(cast: Cast, **settings: Any) -> Folder:
    """A folder that residents of house A, staff and a guest reach."""
    groups_ = [
        manual_group(cast, "Alle", "guest", "staff"),
        groups.derived_group(tenant=cast.tenant, community=cast.house_a),
    ]
    return folder(cast, "Rundschreiben", groups_, **settings)


@pytest.mark.rule("DOCMS-142")
def test_the_folders_general_rule(cast: Cast) -> None:
    where = everybody(cast)
    assert told(cast, publish(cast, where)) == set()
    rows.change(where, {"mail_after_upload_enable": True})
    assert told(cast, publish(cast, where)) == {"guest", "staff", "owner", "renter", "additional"}
    chosen = everybody_custom(cast, where, enable=True)
    assert told(cast, publish(cast, chosen)) == {"owner"}
    chosen = everybody_custom(cast, where, enable=False)
    assert told(cast, publish(cast, chosen)) == set()


def everybody_custom(cast: Cast, where: Folder, *, enable: bool) -> Folder:
    from docms.services import folders

    return folders.change_folder(
        actor=cast.actor("admin"),
        folder=where,
        changes={
            "mail_after_upload_enable": enable,
            "mail_after_upload_custom": True,
            "mail_after_upload_users": [cast.owner.pk, cast.neighbour.pk],  # the neighbour does not reach the folder
        },
    )


@pytest.mark.rule("DOCMS-143")
@pytest.mark.parametrize("general", [True, False])
def test_the_uploaders_rule_replaces_the_general_one_even_when_that_is_off(cast: Cast, general: bool) -> None:
    where = everybody(cast, mail_after_upload_enable=general)

    def rule(custom: bool) -> None:
        permissions.set_mail_rule(
            actor=cast.actor("admin"), folder=where, user_id=cast.admin.pk, custom=custom,
            recipient_ids=[cast.guest.pk, cast.neighbour.pk],
        )  # fmt: skip

    rule(True)
    assert told(cast, publish(cast, where)) == {"guest"}
    everyone = {"guest", "owner", "renter", "additional"} if general else set()
    assert told(cast, publish(cast, where, who="staff")) == everyone  # the rule is the administrator's
    beside = folder(cast, "Daneben", manual_group(cast, "Einer", "guest"))
    assert told(cast, publish(cast, beside)) == set()  # and this folder's alone
    rule(False)
    assert told(cast, publish(cast, where)) == (everyone | {"staff"} if general else set())
    permissions.delete_mail_rule(actor=cast.actor("admin"), folder=where, user_id=cast.admin.pk)


@pytest.mark.rule("DOCMS-144")
def test_who_gets_no_mail(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    # Neighbour, former and stranger are not assigned. The others are, and each lacks one thing.
    permissions.set_permission(
        actor=cast.actor("admin"), folder=where, user_id=cast.owner.pk, flags={"download": True, "log": True}
    )
    rows.change(cast.membership("guest"), {"read_perm": False})
    rows.change(cast.membership("additional"), {"deactivated_at": timezone.now()})
    permissions.set_mail_rule(
        actor=cast.actor("admin"), folder=where, user_id=cast.staff.pk, custom=True,
        recipient_ids=[
            u.pk
            for u in (cast.owner, cast.guest, cast.additional, cast.staff, cast.neighbour, cast.former, cast.renter)
        ],
    )  # fmt: skip
    assert told(cast, publish(cast, where, who="staff")) == {"renter"}
    assert told(cast, publish(cast, where)) == {"renter", "staff"}


def test_a_permission_in_the_folder_can_make_somebody_a_recipient(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    rows.change(cast.membership("guest"), {"read_perm": False})
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=cast.guest.pk, flags={"read": True})
    assert "guest" in told(cast, publish(cast, where))


@pytest.mark.rule("DOCMS-145")
def test_a_document_for_later_is_announced_when_its_moment_has_come(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    paper = publish(cast, where, active_from=timezone.now() + HOUR)
    assert told(cast, paper) == set()
    assert notify.release_documents() == {"documents": 0, "mails": 0, "failed": 0}
    # Recipients are those of the moment, not those of the upload.
    occupancies.revoke(cast.occupancy("owner"))
    Document.objects.filter(pk=paper.pk).update(active_from=timezone.now() - HOUR)
    assert notify.release_documents() == {"documents": 1, "mails": 4, "failed": 0}
    assert mailed(paper) == {"guest", "staff", "renter", "additional"}
    assert notify.release_documents() == {"documents": 0, "mails": 0, "failed": 0}
    assert Message.objects.count() == 4


def test_the_sweep_finds_what_a_dead_broker_kept_from_being_announced(cast: Cast) -> None:
    paper = publish(cast, everybody(cast, mail_after_upload_enable=True))
    assert mailed(paper) == set()
    assert notify.release_documents()["mails"] == 5
    assert len(mailed(paper)) == 5


@pytest.mark.django_db(transaction=True)
def test_two_workers_announce_a_document_once(cast: Cast) -> None:
    paper = publish(cast, everybody(cast, mail_after_upload_enable=True))
    heard: list[frozenset[int]] = []

    def hear(people: frozenset[int], **_more: object) -> None:
        heard.append(people)

    document_published.connect(hear)
    try:
        outcomes = at_once(lambda: notify.announce(paper.pk), lambda: notify.announce(paper.pk))
    finally:
        document_published.disconnect(hear)
    assert sorted(outcomes) == [0, 5]  # type: ignore[type-var]
    assert Message.objects.count() == 5
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_two_parts_leaves_the_rest_to_the_next(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Nothing that the code could catch."""

    heard: list[frozenset[int]] = []

    def hear(people: frozenset[int], **_more: object) -> None:
        heard.append(people)

    def write(self: outbox.Mailing, to: list[Recipient]) -> list[Message]:
        parts.append(len(to))
        if len(parts) == 2:
            assert Document.objects.select_for_update(skip_locked=True).filter(pk=paper.pk).exists()  # of this worker
            committed.append(at_once(Message.objects.count, free)[:])
            raise KilledError
        return plain(self, to)

    def free() -> bool:
        return Document.objects.select_for_update(skip_locked=True).filter(pk=paper.pk).exists()

    parts: list[int] = []
    committed: list[list[object]] = []
    plain = outbox.Mailing.write
    paper = publish(cast, everybody(cast, mail_after_upload_enable=True))
    monkeypatch.setattr(notify, "PART", 2)
    monkeypatch.setattr(outbox.Mailing, "write", write)
    document_published.connect(hear)
    try:
        with pytest.raises(KilledError):
            notify.announce(paper.pk)
        assert sorted(committed[0], key=int) == [False, 2]  # the first part is there for the senders, the row is ours
        assert Document.objects.filter(pk=paper.pk, notified_at=None).exists()
        assert not heard
        assert notify.announce(paper.pk) == 3
        assert notify.announce(paper.pk) == 0
    finally:
        document_published.disconnect(hear)
    assert sorted(Message.objects.values_list("recipients__user_id", flat=True)) == sorted(heard[0])
    assert len(heard) == 1
    assert DocumentLog.objects.filter(document_id=paper.pk, action="notify").count() == 1


def test_people_in_bcc_are_written_to_together_however_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PART", 2)
    where = everybody(cast, mail_after_upload_enable=True)
    FolderTemplate.objects.create(
        tenant=cast.tenant, folder=where, kind="notification", to_email="office@brandt.example", rest_bcc=True
    )
    paper = publish(cast, where)
    assert notify.announce(paper.pk) == 1
    assert len(Message.objects.get().bcc_emails) == 5


def test_those_without_mail_hear_of_it_too(cast: Cast) -> None:
    paper = publish(cast, everybody(cast))
    heard: list[frozenset[int]] = []

    def hear(people: frozenset[int], **_more: object) -> None:
        heard.append(people)

    document_published.connect(hear)
    try:
        assert told(cast, paper) == set()
    finally:
        document_published.disconnect(hear)
    expected = {u.pk for u in (cast.guest, cast.staff, cast.owner, cast.renter, cast.additional)}
    assert heard == [frozenset(expected)]


def test_each_gets_one_mail_in_the_own_language_with_a_link(cast: Cast) -> None:
    rows.change(cast.renter, {"language": "pl"})
    where = everybody(cast, mail_after_upload_enable=True)
    paper = publish(cast, where, title="Nebenkostenabrechnung")
    told(cast, paper)
    assert all(len(m.to_emails) == 1 and not m.bcc_emails for m in Message.objects.all())
    mails = {m.to_emails[0].partition("@")[0]: m for m in Message.objects.all()}
    assert mails["renter"].language == "pl"
    assert mails["owner"].language == "de"
    assert mails["renter"].subject != mails["owner"].subject
    assert f"/app/documents/{paper.pk}" in mails["renter"].body_text
    assert "Nebenkostenabrechnung" in mails["owner"].subject + mails["owner"].body_text
    assert DocumentLog.objects.filter(document_id=paper.pk, action="notify").count() == 1


def test_the_folders_own_text_is_used(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    FolderTemplate.objects.create(
        tenant=cast.tenant, folder=where, kind="notification", subject="Post: {{file_title}}", body="<p>{{link}}</p>"
    )
    told(cast, publish(cast, where, title="Aushang"))
    assert set(Message.objects.values_list("subject", flat=True)) == {"Post: Aushang"}


def test_a_new_version_is_announced_again_to_all_but_its_uploader(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    paper = publish(cast, where)
    assert "staff" in told(cast, paper)
    documents.change_document(
        actor=cast.actor("staff"), document=paper, changes={"title": "Neu"}, blob=stored(cast.tenant, b"Neuer Inhalt")
    )
    assert notify.announce(paper.pk) == 4
    documents.change_document(actor=cast.actor("staff"), document=paper, changes={"title": "Nur der Titel"})
    assert notify.announce(paper.pk) == 0


@pytest.mark.parametrize("why", ["expired", "claimed", "hidden", "closed", "gone"])
def test_what_nobody_may_see_is_not_announced(cast: Cast, why: str) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    now = timezone.now()
    paper = publish(cast, where, active_until=now + HOUR)
    if why == "expired":
        Document.objects.filter(pk=paper.pk).update(active_until=now)
    elif why == "claimed":
        Document.objects.filter(pk=paper.pk).update(claimed_at=now)
    elif why == "hidden":
        Folder.objects.filter(pk=where.pk).update(hidden_from=now)
    elif why == "closed":
        rows.change(cast.tenant, {"closed_at": now})
    else:
        documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert told(cast, paper) == set()


@pytest.mark.rule("DOCMS-156")
def test_mail_is_queued_after_the_commit_and_its_failure_undoes_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr("core.services.wake.wake_all", lambda tasks: woken.extend((task, *ids) for task, ids in tasks))
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        paper = publish(cast, where)
        assert not Message.objects.exists()
        assert not woken
    for callback in waiting:
        callback()
    assert ("docms.notify_upload", paper.pk) in woken

    def broken(**_values: object) -> None:
        raise RuntimeError("no text for this kind")

    monkeypatch.setattr(outbox, "Mailing", broken)
    other = publish(cast, where, title="Anderes")
    assert notify.release_documents()["failed"] == 2
    assert Document.objects.filter(pk=other.pk, notified_at=None).exists()
    assert SystemLog.objects.filter(category="docms.notify_upload", tenant=cast.tenant).count() == 2
    monkeypatch.undo()
    assert notify.release_documents()["documents"] == 2
    assert len(mailed(other)) == 5


def test_the_tasks_do_their_work_and_tolerate_missing_rows(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    paper, other = publish(cast, where, content=pdf("Heizkosten")), publish(cast, where)
    for task in (tasks.notify_upload, tasks.index_document, tasks.delete_after_download):
        task(987654)
        task(paper.pk)
    assert len(mailed(paper)) == 5
    assert Document.objects.search(cast.actor("renter"), "heizkosten").get() == paper
    assert not mailed(other)
    tasks.release_documents()
    assert len(mailed(other)) == 5
    Document.objects.filter(pk=other.pk).update(claimed_at=timezone.now())
    tasks.delete_after_download()
    assert Document.objects.get() == paper
    assert set(JobRun.objects.values_list("name", "error")) == {
        ("docms.release_documents", ""),
        ("docms.delete_after_download", ""),
    }


@pytest.mark.rule("ORGS-081")
def test_once_the_trial_is_over_the_job_tells_nobody_and_says_so(cast: Cast) -> None:
    where = everybody(cast, mail_after_upload_enable=True)
    rows.change(cast.tenant, {"trial_ends_at": timezone.now()})
    paper, heard = publish(cast, where), []

    def note(sender: Any, *, document: Document, people: frozenset[int], **_: Any) -> None:
        heard.append(len(people))

    document_published.connect(note)
    try:
        assert told(cast, paper) == set()
    finally:
        document_published.disconnect(note)
    assert heard == [5]  # what stays in the house is not held up
    entry = SystemLog.objects.get(tenant=cast.tenant)
    assert (entry.category, entry.action) == ("mail", f"document_published: document {paper.pk}")
    rows.change(cast.tenant, {"booked_at": timezone.now()})
    assert told(cast, paper) == set()  # it was announced then
    assert told(cast, publish(cast, where)) == {"guest", "staff", "owner", "renter", "additional"}
