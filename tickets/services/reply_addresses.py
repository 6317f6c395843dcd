"""Addresses that mails of a ticket are answered to: they name ticket and person, and cannot be made up.

The token is an HMAC over both rather than a random one kept per message: one person has one address per ticket, which
stays right in every mail program's thread, and works when the message's row is long gone. It proves that the mail went
to this person; who answers must be the same one (`tickets.services.inbound`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from core.tokens import keyed_hash

if TYPE_CHECKING:
    from tickets.models import Mailbox, Ticket

_TICKET, _USER, _SEAL = 6, 4, 10  # bytes; together 32 letters. 80 bits, for whoever must send a mail for each guess
_LOCAL_MAX = 64  # characters before the @ that mail servers take
NAME_MAX = _LOCAL_MAX - 1 - (_TICKET + _USER + _SEAL) * 8 // 5  # of a mailbox


def address_for(mailbox: Mailbox, ticket: Ticket, user_id: int) -> str:
    """``name+<token>@domain``; '' where the name is so long that no server would take it."""
    name, _at, domain = mailbox.address.rpartition("@")
    if len(name) > NAME_MAX:
        return ""
    ids = ticket.pk.to_bytes(_TICKET, "big") + user_id.to_bytes(_USER, "big")
    token = base64.b32encode(ids + _seal(mailbox, ids)).decode().lower()
    return f"{name}+{token}@{domain}"


def read(mailbox: Mailbox, address: str) -> tuple[int, int] | None:
    """Ids of ticket and person; None for an address that is not one of this mailbox, and for a wrong token.

    Case does not matter: some servers on the way change it.
    """
    token = token_of(mailbox, address)
    try:
        given = base64.b32decode(token.upper())
    except (binascii.Error, ValueError):
        return None
    ids, seal = given[: _TICKET + _USER], given[_TICKET + _USER :]
    if not hmac.compare_digest(seal, _seal(mailbox, ids)):
        return None
    return int.from_bytes(ids[:_TICKET], "big"), int.from_bytes(ids[_TICKET:], "big")


def token_of(mailbox: Mailbox, address: str) -> str:
    """What stands behind the plus of an address of this mailbox, unproven; '' for every other address."""
    name, _at, domain = mailbox.address.lower().rpartition("@")
    local, _at, given_domain = address.strip().lower().rpartition("@")
    return local.removeprefix(f"{name}+") if given_domain == domain and local.startswith(f"{name}+") else ""


def _seal(mailbox: Mailbox, ids: bytes) -> bytes:
    return keyed_hash("ticket_reply", f"{mailbox.tenant_id}:{ids.hex()}")[:_SEAL]
