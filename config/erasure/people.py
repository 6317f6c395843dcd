"""Erasure of a person on request: whether business runs upstairs, and outsiders who are known by an address alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict, Invalid
from docms.services import erase as docms_erase
from messaging.services import erase as messaging_erase
from messaging.services import texting
from messaging.services.outbox import is_address
from orgs.models import Contact, Membership, Organization, User
from orgs.services import erase as orgs_erase
from orgs.services.holds import keep_still
from processes.services import erase as processes_erase
from tickets.services import erase as tickets_erase


@dataclass(frozen=True)
class Reach:
    """By what somebody is known beyond an account or an entry: e-mail addresses, and telephone numbers in E.164."""

    emails: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return ", ".join(sorted(self.emails | self.numbers))

    def __bool__(self) -> bool:
        return bool(self.emails or self.numbers)

    @classmethod
    def of(cls, *texts: str, languages: Iterable[str] = ("de",)) -> Reach:
        """What of these is an address or a number, written in a country of one of these languages."""
        numbers = set()
        for text in texts:
            for language in languages:
                with suppress(Invalid):
                    numbers.add(texting.e164(text, language=language))
        return cls(frozenset(text.lower() for text in texts if is_address(text)), frozenset(numbers))


@transaction.atomic
def erase_account(*, user: User) -> Reach:
    """Erase an account everywhere, and what else is known by its address or numbers alone: shares, mails, words of the
    history. Returns what was left of that, because others are reached there, too: a couple, the entry of the register.

    Raises what `orgs.services.erase.erase_account` raises.
    """
    with scope.all_tenants():
        companies = Organization.objects.filter(pk__in=Membership.objects.filter(user=user).values("tenant"))
        languages = set(companies.values_list("language", flat=True)) or {user.language}
        reach = Reach.of(user.email, user.mobile, user.telephone, languages=languages)
    orgs_erase.erase_account(user=user)
    return erase_outsider(reach)


@transaction.atomic
def erase_contact(*, contact: Contact) -> Reach:
    """The same of an entry of the register.

    Raises `Conflict` (``in_use``) while a ticket or a case about the person is open, and what
    `orgs.services.erase.erase_contact` raises.
    """
    with scope.all_tenants():
        keep_still([contact.tenant_id])
        entry = Contact.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=contact.pk)
        for problem, working in (
            (_("Open tickets: %s."), tickets_erase.open_of(entry)),
            (_("Open cases: %s."), processes_erase.open_of(entry)),
        ):
            if working:
                raise Conflict(problem % ", ".join(working), code="in_use")
        reach = Reach.of(entry.email, entry.mobile, entry.telephone, languages=[entry.tenant.language])
        orgs_erase.erase_contact(contact=entry)
    return erase_outsider(reach)


@transaction.atomic
def erase_outsider(reach: Reach) -> Reach:
    """Forget whoever is known by these alone; returns those by which an account or an entry is known, which stay."""
    with scope.all_tenants():
        kept = Reach(
            frozenset(email for email in reach.emails if _has_email(email)),
            frozenset(number for number in reach.numbers if _has_number(number)),
        )
        emails, numbers = reach.emails - kept.emails, reach.numbers - kept.numbers
        messaging_erase.outsiders(emails=emails, numbers=numbers)
        docms_erase.outsiders(emails=emails, numbers=numbers)
        for email in sorted(emails):
            tickets_erase.outsider(email)
        for said in sorted(emails | numbers):
            orgs_erase.forget_outsider(said)
    return kept


def _has_email(email: str) -> bool:
    return User.objects.with_address(email).exists() or Contact.objects.living().filter(email__iexact=email).exists()


def _has_number(number: str) -> bool:
    """However it is written: by its last eight digits."""
    for people in (User.objects.filter(erased_at=None), Contact.objects.living()):
        for column in ("mobile", "telephone"):
            digits = Func(F(column), Value(r"\D"), Value(""), Value("g"), function="regexp_replace")
            found: Any = people.exclude(**{column: ""}).annotate(digits=Cast(digits, TextField()))
            if found.filter(digits__endswith=number[-8:]).exists():
                return True
    return False


def work_of(user: User) -> list[str]:
    """What would wait for an account for ever: somebody else should take it over."""
    with scope.all_tenants():
        return [*tickets_erase.work_of(user), *processes_erase.work_of(user)]
