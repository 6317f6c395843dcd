"""What the floors below announce is good for documents, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from core.signals import blob_cleared
from docms.models import Document
from docms.services import erase, shares
from docms.services.documents import wake_workers
from messaging.signals import text_message_failed
from orgs.signals import contact_erased, user_erased

if TYPE_CHECKING:
    from core.models import Blob
    from messaging.models import Message
    from orgs.models import Contact, User

AT_ONCE = 100  # documents; what shares the bytes beyond that, `docms.release_documents` finds


@receiver(blob_cleared, dispatch_uid="docms.go_on_with_documents")
def go_on_with_documents(sender: Any, *, blob: Blob, **_: Any) -> None:
    """The virus scanner has let bytes go: workers read their text and tell people of what shows them."""
    for document in Document.objects.filter(current__blob=blob).order_by("pk")[:AT_ONCE]:
        wake_workers(document, new_content=True)


@receiver(text_message_failed, dispatch_uid="docms.mark_undelivered")
def mark_undelivered(sender: Any, *, message: Message, **_: Any) -> None:
    """The code of a share did not arrive: whoever shared the document is told."""
    shares.mark_undelivered(message)


@receiver(user_erased, dispatch_uid="docms.forget_person")
def forget_person(sender: Any, *, user: User, **_: Any) -> None:
    """Rights, favourites and marks go with the account."""
    erase.person(user)


@receiver(contact_erased, dispatch_uid="docms.forget_contact")
def forget_contact(sender: Any, *, contact: Contact, **_: Any) -> None:
    """Its derived group no longer bears its name."""
    erase.contact(contact)
