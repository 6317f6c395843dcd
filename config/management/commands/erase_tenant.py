"""`manage.py erase_tenant ID`: close a company and erase all it holds (docms open point 14, one-model row 54)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from config.erasure import company
from core import scope
from core.errors import DomainError, NotFound


class Command(BaseCommand):
    """Asks for the company's name unless it is given. Safe to kill: the next run goes on where this one stopped."""

    help = "Close a company and erase everything it holds, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", type=int, help="id of the company")
        parser.add_argument("--confirm", metavar="NAME", help="the company's name, instead of being asked for it")
        parser.add_argument(
            "--despite-dates", action="store_true", help="also papers that a folder protects until a date"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with scope.unit_of_work(door="command"):
                found = company.company(options["tenant"])
        except NotFound as error:
            raise CommandError(f"No company has the id {options['tenant']}, or it is erased already.") from error
        self.show(found)
        name = options["confirm"]
        if name is None:
            try:
                name = input("Type the company's name to erase all this for good: ")
            except EOFError:
                name = ""
        if name.strip() != found.tenant.name:
            raise CommandError("That is not its name. Nothing was changed.")
        try:
            company.erase_company(
                tenant_id=found.tenant.pk, despite_dates=options["despite_dates"], progress=self.progress
            )
        except NotFound as error:
            raise CommandError("Somebody else has erased it meanwhile.") from error
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        if sys.stdout.isatty():
            self.stdout.write("")
        self.stdout.write(f"Company {found.tenant.pk} is erased. Its files leave the storage within two nights.")

    def show(self, found: company.Company) -> None:
        """What will go, and what stands against it."""
        self.stdout.write(f"Company {found.tenant.pk}: {found.tenant.name}")
        for noun, count in found.counts.items():
            self.stdout.write(f"  {noun}: {count}")
        for email in found.operators:
            self.stdout.write(
                f"  operator {email} has a place in no other company: afterwards the documents API lets the account in "
                "only when another company has taken it in"
            )
        for title in found.holds:
            self.stdout.write(f"  legal hold in force: {title}")
        if found.protected:
            self.stdout.write(
                f"  protected by a date: {found.protected} documents, until {found.protected_until:%Y-%m-%d}"
            )

    def progress(self, what: str, done: int) -> None:
        """On one line of a terminal, or a line per step elsewhere."""
        if sys.stdout.isatty():
            self.stdout.write(f"\r{what}: {done}          ", ending="")
            self.stdout.flush()
        else:
            self.stdout.write(f"{what}: {done}")
