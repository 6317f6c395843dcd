"""Who stands on which mail: one message per person, or BCC batches behind one visible address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orgs.models import Contact, User


@dataclass(frozen=True)
class Recipient:
    """A person to write to. ``language`` '' = the language of the caller or of the tenant.

    ``reply_to`` and ``in_reply_to`` go before those of the event, for mails that are answered person by person.
    """

    address: str
    name: str = ""
    language: str = ""
    username: str = ""
    user_id: int | None = None
    contact_id: int | None = None
    reply_to: str = ""
    in_reply_to: str = ""

    @classmethod
    def of_user(cls, user: User) -> Recipient:
        """An account, in its own language."""
        return cls(
            address=user.email,
            name=user.get_full_name(),
            language=user.language,
            username=user.username,
            user_id=user.pk,
        )

    @classmethod
    def of_contact(cls, contact: Contact, address: str = "") -> Recipient:
        """Somebody of the register, who need not have an account."""
        return cls(
            address=address or contact.email,
            name=contact.full_name,
            language=contact.language,
            user_id=contact.user_id,
            contact_id=contact.pk,
        )

    @property
    def key(self) -> str:
        """What makes this recipient the same one when an event is repeated: at most 33 characters."""
        if self.user_id is not None:
            return f"u{self.user_id}"
        return "m" + hashlib.sha256(self.address.strip().lower().encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Envelope:
    """One physical mail. ``people`` are those it is written for; in BCC mode they are ``bcc``."""

    people: tuple[Recipient, ...]
    to: tuple[str, ...]
    bcc: tuple[str, ...]
    language: str

    @property
    def key(self) -> str:
        """The recipients' part of the key against repetition."""
        if not self.bcc:
            return self.people[0].key
        joined = ",".join(sorted(person.key for person in self.people))
        return "b" + hashlib.sha256(joined.encode()).hexdigest()[:32]


def envelopes(
    people: Iterable[Recipient], *, language: str, to_email: str = "", rest_bcc: bool = False, split_on: int = 0
) -> list[Envelope]:
    """Distribute people over mails (one-model, conflict 47; DOCMS-150, 151).

    Without ``rest_bcc`` everyone gets a mail of the own, whatever ``split_on`` says: nobody reads a neighbour's
    address. With it, people of one language share mails whose only visible address is ``to_email``, at most
    ``split_on`` of them each (0 = no limit). Somebody who is named twice is written to once.
    """
    unique = list({person.key: person for person in people}.values())
    if not rest_bcc:
        return [Envelope((p,), (p.address.strip(),), (), p.language or language) for p in unique]
    by_language: dict[str, list[Recipient]] = {}
    for person in unique:
        by_language.setdefault(person.language or language, []).append(person)
    found = []
    for spoken, group in by_language.items():
        found += [
            Envelope(tuple(batch), (to_email,), tuple(p.address.strip() for p in batch), spoken)
            for batch in _batches(group, split_on or len(group))
        ]
    return found


def _batches(group: Sequence[Recipient], size: int) -> Iterable[Sequence[Recipient]]:
    return (group[i : i + size] for i in range(0, len(group), size))
