"""Mails of the corpus, addressed to a mailbox of the cast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core import scope
from tickets.models import InboundMail, Mailbox
from tickets.services import inbound, reply_addresses

if TYPE_CHECKING:
    from orgs.models import User
    from tickets.models import Ticket

FOLDER = Path(__file__).parent / "mails"


def letter(name: str, to: str, sender: str) -> bytes:
    """A mail of the corpus from one address to another one."""
    raw = (FOLDER / f"{name}.eml").read_bytes()
    return raw.replace(b"ANTWORT@to.invalid", to.encode()).replace(b"person@from.invalid", sender.encode())


def plain(to: str, sender: str, text: str = "Danke!", *, number: int = 1, **headers: str) -> bytes:
    """A mail as short as can be."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: Re\r\nMessage-ID: <n{number}@mail.test>\r\n{more}"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def address(mailbox: Mailbox, ticket: Ticket, user: User) -> str:
    """What mails about the ticket to this person are answered to."""
    return reply_addresses.address_for(mailbox, ticket, user.pk)


def take(mailbox: Mailbox, raw: bytes) -> InboundMail:
    """As the worker does it."""
    with scope.unit_of_work(door="mail", tenants=[mailbox.tenant_id]):
        return inbound.take(mailbox, raw)
