"""`manage.py rotate_keys`: from an old key of stored secrets to the newest."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.services import keys


class Command(BaseCommand):
    """Exit status 0: everything is encrypted with the first of FIELD_ENCRYPTION_KEYS; the others may go."""

    help = "Encrypt every stored secret anew with the first of FIELD_ENCRYPTION_KEYS. Repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        """Column by column."""
        lost = 0
        for found in keys.rotate():
            self.stdout.write(f"{found.table}.{found.column}: {found.renewed} of {found.values} renewed")
            for number in found.lost:
                self.stdout.write(f"  row {number}: no key opens it")
            lost += len(found.lost)
        if lost:
            raise CommandError(
                f"No key opens {lost} values: keep the old keys, and find the one that is missing.", returncode=1
            )
        self.stdout.write("Everything is encrypted with the newest key.")
