"""What this floor drops of somebody who is erased. Papers and logs stay, with the number of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.models import AuditEntry, DestructionRecord
from core.services import sealing
from core.text import sort_key
from docms.models import (
    DocumentShare,
    Folder,
    FolderMailUser,
    FolderMark,
    FolderPermission,
    Group,
    GroupMember,
    MailRule,
    MailRuleRecipient,
    ReadMark,
)
from messaging.models import Message
from messaging.services import erase as messaging_erase
from orgs.languages import user_language
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.models import Contact, User

# Rights, wishes and traces that hang on a place in a company; that a paper was opened stays in the log.
OF_PLACES: tuple[type[Any], ...] = (
    GroupMember, FolderPermission, FolderMailUser, MailRuleRecipient, MailRule, FolderMark, ReadMark,
)  # fmt: skip


def person(user: User) -> None:
    """Drop rights in folders, groups, favourites and marks of an account. Joins the running transaction."""
    places = list(Membership.objects.filter(user=user).values_list("pk", flat=True))
    for model in OF_PLACES:
        model.objects.filter(membership__in=places).delete()


def contact(entry: Contact) -> None:
    """Take the name of an entry of the register off its derived group, and off the records of papers that lay in folders
    of its own. What staff called a folder is theirs to change: `folders_of` tells which.
    """
    with translation.override(user_language(entry.tenant.language)):
        former = _("Former contact")
    for group in Group.objects.filter(contact=entry):
        name = f"{former} ({entry.number}, {group.pk})"
        Group.objects.filter(pk=group.pk).update(name=name, sort_key=sort_key(name))
        of_group = {"object_type": Group._meta.label_lower, "object_id": str(group.pk)}
        sealing.erase(AuditEntry.objects.filter(tenant=entry.tenant_id, **of_group))
    folders = Folder.objects.filter(contact=entry).order_by().values("pk")
    DestructionRecord.objects.filter(tenant=entry.tenant_id, folder_id__in=folders).update(title="", filename="")


def outsiders(*, emails: Iterable[str], numbers: Iterable[str]) -> int:
    """End the shares with addresses or numbers (E.164) of outsiders, and forget who had them; returns how many.

    Side effects: what their mails and text messages say goes, too, what waits is cancelled, and their history is emptied.
    """
    theirs = Q(mobile_number__in=list(numbers))
    for email in emails:
        theirs |= Q(email__iexact=email)
    shares = dict(DocumentShare.objects.filter(theirs).values_list("pk", "tenant_id"))
    if not shares:
        return 0
    now, found = timezone.now(), DocumentShare.objects.filter(pk__in=list(shares))
    found.filter(revoked_at=None, ended_at=None).update(revoked_at=now)
    sent = Q(dedupe_key__in=[f"share_sms:{pk}" for pk in shares])
    for pk in shares:
        sent |= Q(dedupe_key__startswith=f"share:{pk}:")
    messaging_erase.messages(Message.objects.filter(sent))
    told = {"object_type": DocumentShare._meta.label_lower, "object_id__in": [str(pk) for pk in shares]}
    sealing.erase(AuditEntry.objects.filter(tenant__in=set(shares.values()), **told))
    return found.update(name="", email="", mobile_number="", updated_at=now)


def folders_of(entry: Contact) -> list[str]:
    """Paths of the folders that are about a person of the register: their names and papers are up to staff."""
    return list(
        Folder.objects.filter(contact=entry).order_by("full_path_name").values_list("full_path_name", flat=True)
    )
