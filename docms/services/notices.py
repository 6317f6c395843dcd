"""Mails about a document that somebody sends by hand."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Denied
from core.services import blobs
from docms import rules
from docms.models import Document, DocumentLog, FolderTemplate
from docms.services import notify
from docms.services.groups import people_of_folder
from docms.services.names import refuse_unknown
from messaging.rules import may_send
from messaging.services import outbox
from messaging.services.split import Recipient
from orgs.models import Membership, User

if TYPE_CHECKING:
    from collections.abc import Collection

    from messaging.models import Message
    from orgs.actor import Actor


MOST = 1000  # people of one notification


def reaching(document: Document) -> set[int]:
    """The accounts that reach the document in its folder now: assigned to it, or administrators.

    While folder or document are hidden that leaves administrators and the uploader (DOCMS-103, 121): a mail must not
    tell of what its reader does not see.
    """
    folder, now = document.folder, timezone.now()
    admins = Membership.objects.active().administrators().filter(organization=folder.tenant_id)
    allowed = set(admins.values_list("user_id", flat=True))
    if folder.hidden_from is not None and folder.hidden_from <= now:
        return allowed
    assigned = people_of_folder(folder)
    begun = document.active_from is None or document.active_from <= now
    over = document.active_until is not None and document.active_until <= now
    if begun and not over:
        return allowed | assigned
    return allowed | (assigned & {document.uploaded_by_id})


def require_notifying(actor: Actor, document: Document) -> None:
    """What keeps the actor from telling anybody of the document: rights, trial (ORGS-081), bytes; raises as `notify_by_hand`."""
    rules.require(rules.may_notify(actor, document.folder))
    rules.require(may_send(notify.KIND, document.folder.tenant))
    if document.current is not None:
        blobs.require_deliverable(document.current.blob)


@transaction.atomic
def notify_by_hand(*, actor: Actor, document: Document, user_ids: Collection[int]) -> list[Message]:
    """Tell these people of a document the actor sees, whatever the rules for uploads say (DOCMS-146).

    Side effects: one mail per person in the outbox, or BCC batches where the template wants it (DOCMS-150, 151); log
    entry ``notify``. Each call is an event of its own: who is named twice in a call is written to once.

    Raises `Denied` without ``mail`` in the folder, or where the trial of the company is over; with status 401 when one of
    them does not reach the document, and nobody is told then; `Invalid` for accounts that are not of the tenant; `Conflict`
    for bytes that are being checked or were found infected.
    """
    folder = document.folder
    require_notifying(actor, document)
    members = Membership.objects.living().filter(organization=folder.tenant_id, user__in=list(user_ids))
    refuse_unknown("user_ids", set(user_ids) - set(members.values_list("user_id", flat=True)))
    if not set(user_ids) <= reaching(document):
        raise Denied(_("Not all of these people have access to the folder; nobody was notified."), denied_status=401)
    uploader = User.objects.get(pk=document.current.uploaded_by_id if document.current else document.uploaded_by_id)
    people = User.objects.filter(pk__in=list(user_ids)).order_by("pk")
    written = outbox.queue_all(
        to=[Recipient.of_user(user) for user in people],
        kind=notify.KIND,
        tenant=folder.tenant,
        context=notify.context_of(document, uploader),
        overrides=FolderTemplate.objects.filter(folder=folder, kind=FolderTemplate.Kind.NOTIFICATION).first(),
        caused_by=actor.user,
        document_id=document.pk,
        dedupe_key=f"notice:{uuid.uuid4().hex}",
    )
    DocumentLog.objects.create(
        tenant_id=document.tenant_id, document_id=document.pk, user_id=actor.user_id, action=DocumentLog.Action.NOTIFY
    )
    return written
