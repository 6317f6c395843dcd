"""Who is told of a new document, and when. The recipients are computed once, at the moment it becomes visible."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from core import scope
from core.models import Blob, SystemLog
from core.services import rows
from docms import rules
from docms.models import Document, DocumentLog, FolderMailUser, FolderTemplate, MailRule, MailRuleRecipient
from docms.services import indexing
from docms.services.groups import people_of_folder
from docms.services.locking import locked
from docms.signals import document_published
from messaging.services import outbox
from messaging.services.split import Recipient
from orgs.models import Membership, User
from orgs.services.installation import public_url

if TYPE_CHECKING:
    from core.services.jobs import Counts

log = logging.getLogger(__name__)

KIND = "document_published"
BATCH = 200
PART = 500  # mails of one transaction: a third of a second


def readers(document: Document) -> set[int]:
    """The accounts a new version is news to: they reach the folder and may read there, and did not upload it.

    In a hidden folder that leaves its administrators (DOCMS-103).
    """
    folder = document.folder
    people = rules.holders(folder, "read", people_of_folder(folder))
    if folder.hidden_from is not None and folder.hidden_from <= timezone.now():
        admins = Membership.objects.administrators().filter(organization=folder.tenant_id, user__in=people)
        people = set(admins.values_list("user_id", flat=True))
    return people - {_uploader(document)}


def _uploader(document: Document) -> int:
    return document.current.uploaded_by_id if document.current else document.uploaded_by_id


def recipients(document: Document, people: set[int]) -> set[int]:
    """Who of the readers gets a mail by the rules of folder and uploader (DOCMS-142 … 144)."""
    folder = document.folder
    rule = MailRule.objects.filter(
        folder=folder, membership__user=_uploader(document), membership__organization=folder.tenant_id, custom=True
    ).first()
    if rule is not None:
        return people & set(MailRuleRecipient.objects.filter(rule=rule).values_list("membership__user_id", flat=True))
    if not folder.mail_after_upload_enable:
        return set()
    if folder.mail_after_upload_custom:
        return people & set(FolderMailUser.objects.filter(folder=folder).values_list("membership__user_id", flat=True))
    return people


@dataclass
class _Plan:
    """Who is told of one version of a document; made when the first part is written, and anew after a kill."""

    version_id: int | None
    people: frozenset[int]
    mailing: outbox.Mailing | None
    waiting: list[int]  # who gets a mail and has not been written to by this run
    logged: bool


def announce(document_id: int) -> int:
    """Tell the people of a document that has become visible; returns the number of mails. Once per version.

    Mails are written part by part, each in a unit of work of its own that locks the document's row: whoever reads the
    document meanwhile waits for one part, and workers send the first mails while the last are written. The part that is
    the last one sets ``notified_at``. Killed in between, the next run begins anew and writes to nobody twice, because
    the outbox knows event and person. While the virus scanner holds the bytes nobody is told, and of what it found
    nobody ever is. Where the trial of the company is over no mail is written, and the system log says so (ORGS-081).

    Side effects: one message per recipient in the outbox, in their language; log entry; with the last part signal
    `document_published`, which also those learn from who get no mail.
    """
    sent, plan = 0, None
    while True:
        with scope.unit_of_work(door="worker"), scope.all_tenants():
            document = locked(document_id)
            if document is None or not _is_due(document):
                return sent
            over = document.active_until is not None and document.active_until <= timezone.now()
            if not over:
                if plan is None or plan.version_id != document.current_id:
                    plan = _plan(document)
                sent += _write_part(document, plan)
            if over or plan is None or not plan.waiting:
                rows.change(document, {"notified_at": timezone.now()}, verb="announced", check=False)
                if not over and plan is not None:
                    document_published.send(sender=Document, document=document, people=plan.people)
                return sent


def _plan(document: Document) -> _Plan:
    people = readers(document)
    mailed = recipients(document, people) if people else set()
    if mailed and outbox.is_refused(kind=KIND, tenant=document.folder.tenant, about=f"document {document.pk}"):
        mailed = set()  # for good: nobody wants a pile of old news on the day of the booking
    mailing = _mailing(document) if mailed else None
    begun = mailing is not None and mailing.has_begun()
    return _Plan(document.current_id, frozenset(people), mailing, sorted(mailed), begun)


def _write_part(document: Document, plan: _Plan) -> int:
    if plan.mailing is None:
        return 0
    size = len(plan.waiting) if plan.mailing.shared else PART
    part, plan.waiting = plan.waiting[:size], plan.waiting[size:]
    users = User.objects.filter(pk__in=part).only(
        "email", "first_name", "last_name", "language", "username", "erased_at"
    )
    written = plan.mailing.write([Recipient.of_user(user) for user in users.order_by("pk")])
    if written and not plan.logged:
        plan.logged = True
        DocumentLog.objects.create(
            tenant_id=document.tenant_id,
            document_id=document.pk,
            user_id=_uploader(document),
            action=DocumentLog.Action.NOTIFY,
        )
    return len(written)


def _is_due(document: Document) -> bool:
    begun = document.active_from is None or document.active_from <= timezone.now()
    held = document.current is not None and document.current.blob.scan in Blob.HELD
    return begun and document.notified_at is None and document.claimed_at is None and not held


def _due() -> Q:
    begun = Q(active_from=None) | Q(active_from__lte=timezone.now())
    return Q(notified_at=None, claimed_at=None) & begun & ~Q(current__blob__scan__in=Blob.HELD)


def _mailing(document: Document) -> outbox.Mailing:
    version = document.current.number if document.current else 1
    uploader = User.objects.get(pk=_uploader(document))
    return outbox.Mailing(
        kind=KIND,
        tenant=document.folder.tenant,
        context=context_of(document, uploader),
        overrides=FolderTemplate.objects.filter(folder=document.folder, kind=FolderTemplate.Kind.NOTIFICATION).first(),
        caused_by=uploader,
        document_id=document.pk,
        dedupe_key=f"document:{document.pk}:{version}",
    )


def context_of(document: Document, uploader: User) -> dict[str, str]:
    """What a text about a document may say (DOCMS-153). The link leads to the portal, which asks for the rights."""
    return {
        "folder_name": document.folder.name,
        "folder_path": document.folder.full_path_name,
        "file_title": document.title or document.filename,
        "file_name": document.filename,
        "uploader_name": uploader.get_full_name(),
        "link": f"{public_url()}/app/documents/{document.pk}",
    }


def release_documents() -> Counts:
    """Job: announce what has become visible and was not announced yet, each in its own unit of work.

    Also finds what a dead broker kept from being announced after the upload, and reads its text, if nobody was told
    to do that either. A document that fails is written to the system log and tried again by the next run; it holds up no
    other.
    """
    counts = {"documents": 0, "mails": 0, "failed": 0}
    last = 0
    while ids := _batch(last):
        for document_id in ids:
            try:
                counts["mails"] += announce(document_id)
                counts["documents"] += 1
                with scope.unit_of_work(door="worker"), scope.all_tenants():
                    indexing.index_unread(document_id)
            except Exception as error:
                counts["failed"] += 1
                log.exception("document %s could not be announced", document_id)
                _report(document_id, error)
        last = ids[-1]
    return counts


def _batch(last: int) -> list[int]:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        return list(Document.objects.filter(_due(), pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])


def _report(document_id: int, error: Exception) -> None:
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        document = Document.objects.filter(pk=document_id).first()
        SystemLog.objects.create(
            tenant_id=document.tenant_id if document else None,
            category="docms.notify_upload",
            action=f"document {document_id}",
            stacktrace=f"{type(error).__name__}: {error}"[:20000],
        )
