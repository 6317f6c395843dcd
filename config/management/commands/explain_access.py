"""`manage.py explain_access USER OBJECT`: why can this person see this, or why not?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import scope
from docms.explain import why
from docms.models import Document, Folder
from orgs.services.sign_in import find_user

NOUNS = {"folder": Folder, "document": Document}


class Command(BaseCommand):
    """USER is a user name or address, OBJECT is ``folder:12`` or ``document:345``."""

    help = "Explain whether and why a person sees a folder or document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("object", help="folder:ID or document:ID")

    def handle(self, *args: Any, **options: Any) -> None:
        noun, _colon, number = options["object"].partition(":")
        if noun not in NOUNS or not number.isdigit():
            raise CommandError("OBJECT is folder:ID or document:ID.")
        with scope.unit_of_work(door="command"), scope.all_tenants():
            user = find_user(options["user"])
            if user is None:
                raise CommandError(f"No account has the user name or address {options['user']!r}.")
            obj: Any = NOUNS[noun]._default_manager.filter(pk=int(number)).first()
            if obj is None:
                raise CommandError(f"There is no {noun} {number}.")
            for line in why(user, obj):
                self.stdout.write(str(line))
