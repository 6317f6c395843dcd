"""The help desk in the back office."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from tickets.admin import mailboxes
from tickets.admin.mailboxes import InboundMailAdmin, MailboxAdmin
from tickets.models import InboundMail, Mailbox


def register(site: AdminSite) -> None:
    """The nouns of this floor."""
    site.register(Mailbox, MailboxAdmin)
    site.register(InboundMail, InboundMailAdmin)


def urls(site: AdminSite) -> list[URLPattern]:
    """Own pages. The test of a mailbox opens its own transactions, so it guards itself."""
    return [path("test-mailbox/", mailboxes.trial(site), name="test-mailbox")]
