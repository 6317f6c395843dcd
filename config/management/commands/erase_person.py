"""`manage.py erase_person PERSON`: forget a person who asks for it (docms open point 14)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from config import erasure
from core import scope
from core.errors import DomainError
from docms.services.erase import folders_of
from orgs.models import Contact, Membership, User
from orgs.services.sign_in import find_user


class Command(BaseCommand):
    """PERSON is a user name, an address or ``user:12`` for an account, ``contact:34`` for an entry of a register.

    Without ``--yes`` it says what it would do and asks; without a terminal it then changes nothing.
    """

    help = "Erase an account, or an entry of a register, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="user name, address, user:ID or contact:ID")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        noun, _colon, number = options["person"].partition(":")
        is_number = noun in ("user", "contact") and number.isdigit()
        if is_number and noun == "contact":
            self.contact(int(number), sure=options["yes"])
        else:
            self.account(options["person"], int(number) if is_number else None, sure=options["yes"])

    def account(self, name: str, pk: int | None, *, sure: bool) -> None:
        """An account, with what it holds in every company."""
        with scope.unit_of_work(door="command"), scope.all_tenants():
            user = find_user(name) if pk is None else User.objects.filter(pk=pk, erased_at=None).first()
            if user is None:
                raise CommandError(f"No account has the user name, address or number {name!r}.")
            self.stdout.write(f"Account {user.pk}: {user} <{user.email}>, since {user.created_at:%Y-%m-%d}")
            for place in Membership.objects.filter(user=user).select_related("organization").order_by("pk"):
                self.stdout.write(f"  {place.get_role_display()}: {place.organization} (id {place.organization_id})")
            entries = list(Contact.objects.filter(user=user).select_related("tenant").order_by("pk"))
            for entry in entries:
                self.stdout.write(f"  entry contact:{entry.pk} in the register of {entry.tenant}")
        self.ask("erase this account", sure)
        self.carry_out(lambda: erasure.erase_account(user=user))
        self.stdout.write(f"Account {user.pk} is erased.")
        with scope.unit_of_work(door="command"), scope.all_tenants():
            for entry in Contact.objects.filter(pk__in=[entry.pk for entry in entries], erased_at=None).order_by("pk"):
                self.stdout.write(
                    f"The register keeps contact:{entry.pk} ({entry}) as long as the company needs it; "
                    f"then: manage.py erase_person contact:{entry.pk}"
                )

    def contact(self, pk: int, *, sure: bool) -> None:
        """An entry of a register."""
        with scope.unit_of_work(door="command"), scope.all_tenants():
            entry = Contact.objects.select_related("tenant").filter(pk=pk, erased_at=None).first()
            if entry is None:
                raise CommandError(f"There is no contact {pk}, or it is erased already.")
            self.stdout.write(f"Contact {entry.pk}: {entry} <{entry.email}>, number {entry.number} of {entry.tenant}")
            folders = folders_of(entry)
        self.ask("erase this entry", sure)
        self.carry_out(lambda: erasure.erase_contact(contact=entry))
        self.stdout.write(f"Contact {entry.pk} is erased.")
        for path in folders:
            self.stdout.write(f"Its papers stay until they are due; please look at the name of the folder {path}")

    def ask(self, what: str, sure: bool) -> None:
        """Raises `CommandError` unless somebody agrees."""
        if not sure and input(f"Type yes to {what} for good: ").strip() != "yes":
            raise CommandError("Nothing was changed.")

    def carry_out(self, erase: Any) -> None:
        """In one transaction, with a refusal in words."""
        try:
            with scope.unit_of_work(door="command"):
                erase()
        except DomainError as error:
            raise CommandError(f"{error.message} Nothing was changed.") from error
