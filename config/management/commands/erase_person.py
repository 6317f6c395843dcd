"""`manage.py erase_person PERSON`: forget a person who asks for it (docms open point 14)."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction

from config.erasure import people
from core import scope
from core.errors import DomainError, NotFound
from docms.services.erase import folders_of
from messaging.services.outbox import is_address
from orgs.models import Contact, Membership, User
from orgs.services.sign_in import find_user

UNCHANGED = "Nothing was changed."


class Command(BaseCommand):
    """PERSON is a user name, an address or ``user:12`` for an account, ``contact:34`` for an entry of a register. An address
    that no account has means whoever is known by it alone: outsiders who papers were shared with.

    It first says what it would do, or why it cannot; without ``--yes`` it then asks.
    """

    help = "Erase an account, an entry of a register, or an outsider's address, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="user name, address, user:ID or contact:ID")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        name, sure = options["person"].strip(), options["yes"]
        noun, _colon, number = name.lower().partition(":")
        with scope.unit_of_work(door="command"), scope.all_tenants():
            found = find_user(name)
        if noun in ("user", "contact") and number.isascii() and number.isdigit():
            if found is not None:
                raise CommandError(f"{name} is also a user name, of account {found.pk}. Name it by its address.")
            (self.account if noun == "user" else self.contact)(int(number), sure=sure)
        elif found is not None:
            self.account(found.pk, sure=sure)
        elif is_address(name):
            self.outsider(name, sure=sure)
        else:
            raise CommandError(f"No account has the user name {name!r}.")

    def account(self, pk: int, *, sure: bool) -> None:
        """An account, with what it holds in every company."""
        with scope.unit_of_work(door="command"), scope.all_tenants():
            user = User.objects.filter(pk=pk).first()
            if user is None:
                raise CommandError(f"There is no account {pk}.")
            if user.erased_at is not None:
                self.stdout.write(f"Account {pk} was erased before.")
                return
            self.stdout.write(f"Account {pk}: {user} <{user.email}>, since {user.created_at:%Y-%m-%d}")
            for place in Membership.objects.filter(user=user).select_related("organization").order_by("pk"):
                self.stdout.write(f"  {place.get_role_display()}: {place.organization} (id {place.organization_id})")
            entries = list(Contact.objects.filter(user=user).select_related("tenant").order_by("pk"))
            for entry in entries:
                self.stdout.write(f"  entry contact:{entry.pk} in the register of {entry.tenant}")
            for work in people.work_of(user):
                self.stdout.write(f"  works on: {work}; somebody else should take it over")
        kept = self.carry_out(lambda: people.erase_account(user=user), "erase this account", sure)
        self.stdout.write(f"Account {pk} is erased.")
        self.tell_kept(kept)
        with scope.unit_of_work(door="command"), scope.all_tenants():
            for entry in Contact.objects.filter(pk__in=[entry.pk for entry in entries], erased_at=None).order_by("pk"):
                self.stdout.write(
                    f"The register keeps contact:{entry.pk} ({entry}) as long as the company needs it; "
                    f"then: manage.py erase_person contact:{entry.pk}"
                )

    def contact(self, pk: int, *, sure: bool) -> None:
        """An entry of a register."""
        with scope.unit_of_work(door="command"), scope.all_tenants():
            entry = Contact.objects.select_related("tenant").filter(pk=pk).first()
            if entry is None:
                raise CommandError(f"There is no contact {pk}.")
            if entry.erased_at is not None:
                self.stdout.write(f"Contact {pk} was erased before.")
                return
            self.stdout.write(f"Contact {pk}: {entry} <{entry.email}>, number {entry.number} of {entry.tenant}")
            folders = folders_of(entry)
        kept = self.carry_out(lambda: people.erase_contact(contact=entry), "erase this entry", sure)
        self.stdout.write(f"Contact {pk} is erased.")
        self.tell_kept(kept)
        for path in folders:
            self.stdout.write(f"Its papers stay until they are due; please look at the name of the folder {path}")

    def outsider(self, address: str, *, sure: bool) -> None:
        """Whoever is known by an address alone."""
        self.stdout.write(f"No account has {address}; shares, mails, tickets and the history may know it.")
        reach = people.Reach.of(address)
        kept = self.carry_out(lambda: people.erase_outsider(reach), "forget this address", sure)
        if kept:
            raise CommandError(f"An entry of a register has {kept}: erase that, by contact:ID. {UNCHANGED}")
        self.stdout.write(f"{address} is forgotten.")

    def tell_kept(self, kept: people.Reach) -> None:
        """What was not forgotten with the person."""
        if kept:
            self.stdout.write(f"Shares and mails that know somebody by {kept} alone stay: others have the same.")

    def carry_out(self, erase: Callable[[], people.Reach], what: str, sure: bool) -> people.Reach:
        """Try whether it can be done, ask, and do it in one transaction. Raises `CommandError` with the reason."""
        try:
            with scope.unit_of_work(door="command"):
                erase()
                transaction.set_rollback(True)
            if not sure:
                self.ask(what)
            with scope.unit_of_work(door="command"):
                return erase()
        except NotFound as error:
            raise CommandError("It was erased meanwhile.") from error
        except DomainError as error:
            raise CommandError(f"{error.message} {UNCHANGED}") from error

    @staticmethod
    def ask(what: str) -> None:
        """Raises `CommandError` unless somebody agrees."""
        try:
            answer = input(f"Type yes to {what} for good: ")
        except EOFError:
            answer = ""
        if answer.strip() != "yes":
            raise CommandError(UNCHANGED)
