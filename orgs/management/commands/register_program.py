"""`manage.py register_program NAME ADDRESS …`: a program that may ask people of every company for access by OAuth."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import scope
from core.errors import DomainError
from orgs.services import oauth_clients


class Command(BaseCommand):
    """Prints client id and secret, this once. Programs of one company are registered in the back office."""

    help = "Register a program of the whole installation for OAuth (authorization code with PKCE)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="people read it when they are asked for access")
        parser.add_argument("addresses", nargs="+", help="where answers may go (redirect URIs)")
        parser.add_argument("--public", action="store_true", help="runs on people's devices, without a secret")
        parser.add_argument("--write", action="store_true", help="may ask to change tickets, too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with scope.unit_of_work(door="command"):
                made = oauth_clients.create(
                    tenant=None, name=options["name"], is_public=options["public"], addresses=options["addresses"],
                    may_write=options["write"],
                )  # fmt: skip
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"client id      {made.client.client_id}")
        if made.secret:
            self.stdout.write(f"client secret  {made.secret}")
