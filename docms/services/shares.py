"""Documents given to somebody outside: link and code on different channels, five wrong codes end it."""

from __future__ import annotations

import datetime
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import scope
from core.errors import Conflict, Denied, DomainError, Invalid, NotFound
from core.services import audit, rows
from core.services.wake import wake
from core.tokens import keyed_hash, new_token, token_hash
from docms import rules
from docms.models import Document, DocumentLog, DocumentShare, FolderTemplate
from docms.services import delivery, notify, texts
from docms.services.locking import locked
from messaging.rules import may_send
from messaging.services import outbox, texting
from messaging.services.gateway import Gateway
from messaging.services.split import Recipient
from orgs.languages import user_language
from orgs.models import OrganizationSettings, User
from orgs.services import licences
from orgs.services.installation import public_url

if TYPE_CHECKING:
    from core.services.jobs import Counts
    from docms.services.opening import Opened
    from messaging.models import Message
    from orgs.actor import Actor

DAYS = 7  # that a share lasts when nobody says until when
CODE_MIN = 6  # characters, whatever the tenant's setting says (DOCMS-158)
CODE_MAX = 64
WRONG_CODES = 5  # that withdraw a share (DOCMS-160)
BATCH = 500
NUMBER = r"^\+?[0-9 ()/-]{5,30}\Z"  # as people write it
SHOWN = 3  # last digits of a number
# Without letters and digits that look alike: the code is read from a telephone and typed.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class WrongCode(DomainError):
    """The code is not the one that was sent; ``left`` attempts remain."""

    status = 401
    code = "wrong_code"
    message = gettext_lazy("This code is not right.")

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left


# --- Sharing ----------------------------------------------------------------------------------------------


@transaction.atomic
def share(
    *,
    actor: Actor,
    document: Document,
    name: str,
    mobile_number: str,
    email: str = "",
    language: str = "",
    expires_at: datetime.datetime | None = None,
) -> DocumentShare:
    """Give a document to somebody outside. The link goes by mail, the code by text message; only hashes stay.

    Without an address the link goes to the person who shares, to be passed on: nobody else would have it.
    Side effects: mail and text message in the outbox, a worker told after commit, log entry ``share``, audit.

    Raises `Denied` without ``download`` and ``mail`` in the folder, for a locked document (``download_locked``),
    without the add-on (``license_required``), or where the trial of the company is over (``trial_over``); `Conflict`
    while the gateway is not set up (DOCMS-159); `Invalid` for a number, an address or an end that is none.
    """
    require_sharing(actor, document)
    tenant = document.folder.tenant
    language = language or tenant.language
    now = timezone.now()
    expires_at = expires_at or now + datetime.timedelta(days=DAYS)
    if expires_at <= now:
        _refuse("expires", _("This moment is over."))
    if email and not outbox.is_address(email):
        _refuse("email", _("This is not an e-mail address."))
    chosen = OrganizationSettings.objects.get(organization=tenant.pk)
    token, code = new_token(), new_code(chosen.random_password_min_length)
    row = rows.create(
        DocumentShare,
        verb="shared",
        tenant=tenant,
        document=document,
        name=name,
        email=email,
        mobile_number=texting.e164(mobile_number, language=tenant.language),
        locale=user_language(language),
        expires_at=expires_at,
        token_hash=token_hash(token),
        code_hash=_code_hash(token_hash(token), code),
        created_by=actor.user,
    )
    row.message = _text(row, code)
    DocumentShare.objects.filter(pk=row.pk).update(message=row.message)
    _mail(row, f"{public_url()}/app/shares/{token}")
    DocumentLog.objects.create(
        tenant=tenant, document_id=document.pk, user_id=actor.user_id, action=DocumentLog.Action.SHARE, share_id=row.pk
    )
    transaction.on_commit(partial(wake, "docms.send_sms", row.pk), robust=True)
    return row


def require_sharing(actor: Actor, document: Document) -> None:
    """Rights, licence, trial (ORGS-081) and gateway, in this order; raises as `share`."""
    answer = rules.may_share(actor, document)
    if not answer:
        raise Denied(answer.reason, code="" if document.allow_download else "download_locked")
    rules.require(
        licences.may_use(document.tenant_id, licences.SHARING, _("Sharing needs an add-on that is not licensed."))
    )
    rules.require(may_send("share_mail", document.folder.tenant))
    if Gateway.of(OrganizationSettings.objects.filter(organization=document.tenant_id).first()) is None:
        raise Conflict(_("The SMS gateway is not set up."), code="sms_not_configured")


def new_code(length: int) -> str:
    """A code of that many characters, of six at least (DOCMS-158)."""
    return "".join(secrets.choice(_LETTERS) for _number in range(min(max(length, CODE_MIN), CODE_MAX)))


def _code_hash(token: bytes, code: str) -> bytes:
    """Keyed, and bound to its share: equal codes look different."""
    typed = "".join(code.split()).upper()
    return keyed_hash("share", f"{bytes(token).hex()}:{typed}")


def _context(row: DocumentShare) -> dict[str, Any]:
    """What both texts may say; the link stands in the mail only, the code in the text message only (DOCMS-160)."""
    document = row.document
    uploader = document.current.uploaded_by if document.current else document.uploaded_by
    return {
        **notify.context_of(document, uploader),
        "link": "",
        "inviter_name": row.created_by.get_full_name(),
        "valid_until": row.expires_at.astimezone(document.folder.tenant.zone).date(),
        "valid_hours": str(max(1, round((row.expires_at - timezone.now()).total_seconds() / 3600))),
    }


def _mail(row: DocumentShare, link: str) -> None:
    """DOCMS-189; without an address to the person who shares."""
    document = row.document
    event: dict[str, Any] = {
        "tenant": document.folder.tenant,
        "caused_by": row.created_by,
        "document_id": document.pk,
        "dedupe_key": f"share:{row.pk}",
    }
    context = {**_context(row), "link": link}
    if not row.email:
        to, kind = Recipient.of_user(row.created_by), "share_link"
        context["recipient_name"] = row.name
    else:
        to, kind = Recipient(row.email, name=row.name, language=row.locale), "share_mail"
        event["overrides"] = texts.text_of(document.folder, FolderTemplate.Kind.SHARE_MAIL)
    outbox.queue_all(to=[to], kind=kind, context=context, **event)


def _text(row: DocumentShare, code: str) -> Message:
    """DOCMS-157."""
    document = row.document
    return texting.queue(
        kind="share_sms",
        tenant=document.folder.tenant,
        to=row.mobile_number,
        language=row.locale,
        context={**_context(row), "user_name": row.name, "code": code},
        overrides=texts.text_of(document.folder, FolderTemplate.Kind.SHARE_SMS),
        caused_by=row.created_by,
        document_id=document.pk,
        dedupe_key=f"share_sms:{row.pk}",
    )


def masked(number: str) -> str:
    """A number of which only the end is shown."""
    return "*" * len(number[:-SHOWN]) + number[-SHOWN:]


def is_open(state: str) -> bool:
    """Whether the link of a share in this state still opens the document, so that there is something to withdraw."""
    return state in (DocumentShare.State.OPEN, DocumentShare.State.UNDELIVERED)


def sent_text(row: DocumentShare) -> str:
    """What whoever shared reads then: which way link and code go, and until when the share lasts."""
    values = {
        "name": row.name,
        "email": row.email,
        "number": masked(row.mobile_number),
        "moment": formats.date_format(timezone.localtime(row.expires_at), "SHORT_DATETIME_FORMAT"),
    }
    if row.email:
        return (
            _(
                "%(name)s gets the link by mail to %(email)s and the code by text message to %(number)s, until %(moment)s."
            )
            % values
        )
    return (
        _(
            "You get the link by mail: please pass it on to %(name)s. The code goes by text message to %(number)s. "
            "Both are good until %(moment)s."
        )
        % values
    )


@transaction.atomic
def withdraw(*, actor: Actor, row: DocumentShare) -> None:
    """End a share at once; once more does nothing. Audited.

    Raises `Denied` for everybody but who made it and administrators.
    """
    if row.created_by_id != actor.user_id:
        rules.require(rules.may_administer(actor, row.tenant_id))
    fresh = DocumentShare.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if fresh.revoked_at is None:
        rows.change(fresh, {"revoked_at": timezone.now()}, verb="withdrawn", check=False)


# --- Opening ----------------------------------------------------------------------------------------------


def find(token: str) -> DocumentShare:
    """The share of a link, if the document can be fetched with it now; the unit of work enters its tenant.

    One whose end has come is marked. Raises `NotFound` for unknown, withdrawn and ended ones alike (DOCMS-161).
    """
    return _find(token)


def _find(token: str, *, to_lock: bool = False) -> DocumentShare:
    with scope.all_tenants():
        row: DocumentShare | None = DocumentShare.objects.open().filter(token_hash=token_hash(token)).first()
    if row is None:
        raise NotFound
    scope.enter_tenants([row.tenant_id])
    if to_lock:  # the document before its share, as whoever deletes it does
        if locked(row.document_id) is None:
            raise NotFound
        row = DocumentShare.objects.open().select_for_update(of=("self",)).filter(pk=row.pk).first()
    found = Document.objects.select_related("folder__tenant__settings", "current__blob")
    document = found.filter(pk=row.document_id).first() if row else None
    if row is None or document is None:
        raise NotFound
    row.document = document
    now = timezone.now()
    if DocumentShare.objects.over().filter(pk=row.pk).exists():
        DocumentShare.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now)
        raise NotFound
    begun = document.active_from is None or document.active_from <= now
    hidden = document.folder.hidden_from is not None and document.folder.hidden_from <= now
    if not begun or hidden:  # until then
        raise NotFound
    return row


def admit(*, token: str, code: str) -> DocumentShare:
    """Whoever brings the right code may `fetch`. The row, and the document, stay locked until the unit of work ends.

    What is written before a refusal must stay: call it in a unit of work that is committed although this raises
    (a wrong code is counted, an end that was found is marked). Five wrong codes withdraw the share, counted under the
    row's lock, so that nobody has more by asking at the same moment.

    Raises `NotFound` as `find`, `WrongCode`.
    """
    row = _find(token, to_lock=True)
    if secrets.compare_digest(bytes(row.code_hash), _code_hash(token_hash(token), code)):
        return row
    left = max(WRONG_CODES - row.failures - 1, 0)
    changes: dict[str, Any] = {"failures": row.failures + 1}
    if not left:
        changes["revoked_at"] = timezone.now()
        audit.record("withdrawn", row, {"failures": [row.failures, row.failures + 1]})
    DocumentShare.objects.filter(pk=row.pk).update(**changes)
    raise WrongCode(left)


def fetch(row: DocumentShare, *, max_bytes: int | None = None) -> Opened:
    """Take the shared document away; counts and logs as a download, and claims one that goes with it (DOCMS-122).

    Call it, and make the answer, in one savepoint: what cannot be handed out is not counted.

    Raises `NotFound` when another download was faster, `TooLarge` above ``max_bytes``, `Conflict` while the bytes are
    being checked or when they were found infected.
    """
    document = row.document
    version, blob = delivery.bytes_of(document.current, max_bytes)
    if document.delete_after_next_download:
        delivery.claim(document, None)
    _prove(row, document)
    return document, version, blob


def _prove(row: DocumentShare, document: Document) -> None:
    """Counter, first access and log entry (DOCMS-119, 120); the reader outside has no name here."""
    now = timezone.now()
    Document.objects.filter(pk=document.pk).update(
        access_counter=F("access_counter") + 1, first_access=Coalesce("first_access", now)
    )
    DocumentShare.objects.filter(pk=row.pk).update(access_count=F("access_count") + 1)
    DocumentLog.objects.create(
        tenant_id=row.tenant_id,
        document_id=document.pk,
        action=DocumentLog.Action.SHARE_ACCESS,
        share_id=row.pk,
    )


# --- Workers ----------------------------------------------------------------------------------------------


def send_sms(share_id: int) -> None:
    """Have the code of a share sent, if it was not: a message with an id of the gateway is left alone."""
    with scope.unit_of_work(door="worker"), scope.all_tenants():
        message_id = DocumentShare.objects.filter(pk=share_id).values_list("message_id", flat=True).first()
    if message_id is not None:
        texting.deliver([message_id])


def mark_undelivered(message: Message) -> None:
    """The code of a share will not arrive: note it, and tell the person who shared. In the caller's transaction."""
    row = (
        DocumentShare.objects.select_for_update(of=("self",))
        .select_related("document__folder__tenant", "created_by")
        .filter(message=message, undelivered_at=None)
        .first()
    )
    if row is None:
        return
    rows.change(row, {"undelivered_at": timezone.now()}, verb="undelivered", check=False)
    sender: User = row.created_by
    tenant = row.document.folder.tenant
    if outbox.is_refused(kind="share_undelivered", tenant=tenant, about=f"share {row.pk}"):
        return
    outbox.queue_all(
        to=[Recipient.of_user(sender)],
        kind="share_undelivered",
        tenant=tenant,
        context={
            "recipient_name": row.name,
            "file_title": row.document.title or row.document.filename,
            "link": f"{public_url()}/app/documents/{row.document_id}",
        },
        document_id=row.document_id,
        dedupe_key=f"share_undelivered:{row.pk}",
    )


def expire_shares() -> Counts:
    """Job: mark the shares whose end has come, in batches; access looks for itself."""
    total = 0
    while True:
        with scope.unit_of_work(door="job"), scope.all_tenants():
            ids = list(DocumentShare.objects.open().over().order_by("id").values_list("pk", flat=True)[:BATCH])
            total += DocumentShare.objects.filter(pk__in=ids, ended_at=None).update(ended_at=timezone.now())
        if len(ids) < BATCH:
            return {"ended": total}


def _refuse(field: str, problem: str) -> None:
    raise Invalid(problem, fields={field: [problem]})
