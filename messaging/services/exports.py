"""What this floor holds about a person in one tenant: the mails and text messages that went to them. No contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.logs import mask
from core.services.exports import Column, Section, columns_of
from messaging.models import Message, MessageRecipient
from orgs.models import Contact

if TYPE_CHECKING:
    from orgs.models import Organization, User


def person(user: User, tenant: Organization) -> list[Section]:
    """With the address of this person alone, whoever else the mail went to."""
    contacts = Contact.objects.filter(user=user, tenant=tenant).values("id")
    found = (
        MessageRecipient.objects.filter(Q(user=user) | Q(contact__in=contacts), message__tenant=tenant)
        .annotate(
            at=F("message__created_at"),
            channel=F("message__channel"),
            subject=F("message__subject"),
            sent_at=F("message__sent_at"),
        )
        .order_by("-message_id", "-id")
    )
    columns = (
        {"at": Column(_("at"))}
        | columns_of(Message, "channel", "subject")
        | columns_of(MessageRecipient, "address", "state", "opened_at", document_id=Column(_("number of the document")))
        | columns_of(Message, "sent_at")
    )
    return [
        Section(
            "mails",
            _("Mails"),
            columns,
            [row | {"subject": mask(row["subject"])} for row in found.values(*columns)],
        )
    ]
