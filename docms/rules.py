"""May-questions about folders and documents. Each answers with a reason; `require` turns a no into `Denied`.

Whether somebody *sees* a folder or a document is settled before, by ``visible_to`` (404). Here is what may be
done there (403). Administrators get no document flags for free (DOCMS-090).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.answers import YES, Answer, no, require
from core.querysets import any_of
from docms.models import Document, Folder, FolderAccess, FolderPermission, Group
from docms.reach import MEMBER_FLAGS, flags_of, seen_folder
from orgs import rules as orgs_rules
from orgs.actor import Actor, actor_for
from orgs.models import Membership, OrganizationSettings
from orgs.services import licences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Answer",
    "Flags",
    "deletion_problem",
    "effective",
    "effective_for",
    "effective_many",
    "holders",
    "may_administer",
    "may_change_permissions",
    "may_change_settings",
    "may_check_off",
    "may_delete",
    "may_download",
    "may_edit",
    "may_move",
    "may_notify",
    "may_read",
    "may_see_log",
    "may_see_note",
    "may_share",
    "may_store_big",
    "may_upload",
    "require",
]


@dataclass(frozen=True)
class Flags:
    """What one person may do in one folder, named as in the contract's EffectivePermission."""

    read: bool = False
    download: bool = False
    upload: bool = False
    edit: bool = False
    edit_own: bool = False
    mail: bool = False
    log: bool = False
    show_checkmark: bool = False

    def edits(self, *, own: bool) -> bool:
        """Uploading plus changing: ``edit_own`` for one's own documents, ``edit`` for others' (DOCMS-111)."""
        return self.upload and (self.edit_own if own else self.edit)


# --- Flags in force -------------------------------------------------------------------------------------


def effective_many(actor: Actor, folders: Iterable[Folder]) -> dict[int, Flags]:
    """The actor's flags in each folder, by folder id, in one query (DOCMS-086 … 089, 094).

    An active folder permission decides alone, else the membership's flags do. The answer says nothing about
    whether the folder is reached: a permission opens no folder (DOCMS-088).
    """
    tenants = {folder.pk: folder.tenant_id for folder in folders}
    if not tenants:
        return {}
    found = {pk: in_force(actor, tenants[pk], own, checks) for pk, own, checks in flags_of(actor, tenants)}
    return {folder_id: found.get(folder_id, Flags()) for folder_id in tenants}


def in_force(actor: Actor, tenant_id: int, chosen: Mapping[str, bool] | None, may_check: bool) -> Flags:
    """The flags in a folder of that tenant by what `docms.reach.flags_in` has read there."""
    membership = actor.membership(tenant_id)
    own_flags = {flag: getattr(membership, column, False) for flag, column in MEMBER_FLAGS.items()}
    return Flags(**(chosen or own_flags), show_checkmark=may_check)


def seen(actor: Actor, folder_id: int) -> tuple[Folder, Flags] | None:
    """The folder of that number and the actor's flags in it, in one query; none where the actor does not see it."""
    found = seen_folder(actor, folder_id)
    return (found[0], in_force(actor, found[0].tenant_id, *found[1:])) if found else None


def effective(actor: Actor, folder: Folder) -> Flags:
    """The actor's flags in one folder."""
    return effective_many(actor, [folder])[folder.pk]


def effective_for(membership: Membership, folder: Folder) -> Flags:
    """Another person's flags in a folder; none while the membership is deactivated."""
    return effective(actor_for(membership.user, door="", tenant_id=membership.tenant_id), folder)


def holders(folder: Folder, flag: str, user_ids: Iterable[int]) -> set[int]:
    """Who of these accounts has a flag in the folder today. One query for any number of people."""
    own = FolderPermission.objects.filter(folder=folder, membership=OuterRef("pk"), active=True)
    return set(
        Membership.objects.active()
        .filter(
            Exists(own.filter(**{flag: True})) | (Q(**{MEMBER_FLAGS[flag]: True}) & ~Exists(own)),
            organization=folder.tenant_id,
            user__in=list(user_ids),
        )
        .values_list("user_id", flat=True)
    )


# --- Administration -------------------------------------------------------------------------------------


def may_administer(actor: Actor, tenant_id: int | None) -> Answer:
    """Create, change and delete groups and folders (DOCMS-184)."""
    return orgs_rules.may_administer(actor, tenant_id)


def may_change_permissions(actor: Actor, tenant_id: int) -> Answer:
    """Folder permissions: administrators, and super administrators while they are locked (DOCMS-091)."""
    answer = may_administer(actor, tenant_id)
    if not answer:
        return answer
    if OrganizationSettings.objects.filter(organization=tenant_id, lock_folder_perm=True).exists():
        return orgs_rules.may_change_security(actor, tenant_id)
    return YES


def may_change_settings(actor: Actor, tenant_id: int) -> Answer:
    """Settings and texts of the tenant (DOCMS-043)."""
    return orgs_rules.may_change_settings(actor, tenant_id)


# --- Documents ------------------------------------------------------------------------------------------


def may_read(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """Open in the viewer (DOCMS-116)."""
    if (flags or effective(actor, document.folder)).read:
        return YES
    return no(_("You may not read documents in this folder."))


def may_download(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """Take away. A locked document is locked for everybody (DOCMS-118)."""
    if not document.allow_download:
        return no(_("This document may only be read, not downloaded."))
    if (flags or effective(actor, document.folder)).download:
        return YES
    return no(_("You may not download documents from this folder."))


def may_upload(actor: Actor, folder: Folder, flags: Flags | None = None) -> Answer:
    """Store new documents (DOCMS-110)."""
    if (flags or effective(actor, folder)).upload:
        return YES
    return no(_("You may not upload documents into this folder."))


def may_edit(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """Change a document where it lies (DOCMS-111)."""
    return may_move(actor, document, document.folder, flags)


def may_move(actor: Actor, document: Document, folder: Folder, flags: Flags | None = None) -> Answer:
    """The same rights are needed in the folder that a document is moved to (DOCMS-111)."""
    own = document.uploaded_by_id == actor.user_id
    if (flags or effective(actor, folder)).edits(own=own):
        return YES
    if own:
        return no(_("You may not change documents in this folder."))
    return no(_("You may not change documents that others uploaded into this folder."))


def may_see_note(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """The internal note is for those who may change the document (DOCMS-131)."""
    return may_edit(actor, document, flags)


def may_see_log(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """Holders of ``log``, and the uploader (DOCMS-163)."""
    if document.uploaded_by_id == actor.user_id or (flags or effective(actor, document.folder)).log:
        return YES
    return no(_("You may not see who has opened documents in this folder."))


def may_check_off(actor: Actor, folder: Folder, flags: Flags | None = None) -> Answer:
    """Check documents off (DOCMS-129)."""
    if (flags or effective(actor, folder)).show_checkmark:
        return YES
    return no(_("Documents in this folder cannot be checked off by you."))


def may_notify(actor: Actor, folder: Folder, flags: Flags | None = None) -> Answer:
    """Send mails about documents by hand (DOCMS-146)."""
    if (flags or effective(actor, folder)).mail:
        return YES
    return no(_("You may not send notifications about documents in this folder."))


def may_share(actor: Actor, document: Document, flags: Flags | None = None) -> Answer:
    """Give a document to somebody outside: taking it away and sending mails, both."""
    flags = flags or effective(actor, document.folder)
    answer = may_download(actor, document, flags)
    return may_notify(actor, document.folder, flags) if answer else answer


def deletion_problem(document: Document) -> tuple[str, object] | None:
    """What keeps a document from being deleted by anybody: code and reason, or nothing (DOCMS-105, holds)."""
    until = document.folder.allow_delete_files
    if until is not None and until > timezone.now():
        day = until.astimezone(document.folder.tenant.zone).strftime("%d.%m.%Y %H:%M")
        return "deletion_locked", _("Documents of this folder are protected until %(day)s.") % {"day": day}
    if not Document.objects.filter(pk=document.pk).not_held().exists():
        return "held", _("A legal hold covers this document.")
    return None


def may_delete(actor: Actor, document: Document) -> Answer:
    """Administrators, and group administrators where the tenant lets them (DOCMS-083, 114; conflict 59).

    A protected document is refused to everybody; that answer carries status 409 (DOCMS-105).
    """
    if not may_administer(actor, document.tenant_id) and not (
        _administers_a_group_of(actor, document.folder_id)
        and licences.may_use(document.tenant_id, licences.GROUP_ADMINISTRATORS)
    ):
        return no(_("Only administrators may delete documents."))
    problem = deletion_problem(document)
    return no(problem[1], denied_status=409) if problem else YES


def _administers_a_group_of(actor: Actor, folder_id: int) -> bool:
    administered = Group.objects.administered_by(actor).order_by().values("id")
    return FolderAccess.objects.filter(
        any_of("group", administered),
        Exists(
            OrganizationSettings.objects.filter(
                organization=OuterRef("tenant"), groupadmin_active=True, groupadmin_delete_files=True
            )
        ),
        folder=folder_id,
    ).exists()


def may_store_big(tenant_id: int, size: int) -> Answer:
    """Content above the Base64 limit needs the add-on; without any licence everything is open (DOCMS-125, 173)."""
    if size <= settings.BASE64_LIMIT:
        return YES
    return licences.may_use(tenant_id, licences.BIG_FILES, _("Big files need an add-on that is not licensed."))


def flag_names() -> tuple[str, ...]:
    """The names of all flags, for tables of permissions."""
    return tuple(field.name for field in fields(Flags))
