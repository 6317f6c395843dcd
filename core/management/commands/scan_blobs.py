"""The virus scanner, by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import scope
from core.errors import DomainError
from core.models import Blob
from core.services import scanning


class Command(BaseCommand):
    """What was stored before there was a scanner, what it held, and what it cannot look at."""

    help = "Have stored files scanned again, or release one that the virus scanner holds."

    def add_arguments(self, parser: CommandParser) -> None:
        """One of three."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--skipped", action="store_true", help="files that were never scanned")
        which.add_argument("--held", action="store_true", help="infected and too large ones, after a new CLAMAV_LIMIT")
        which.add_argument("--release", type=int, metavar="ID", help="let a file go that is too large or waits in vain")

    def handle(self, *args: Any, **options: Any) -> None:
        """Files that are to be scanned are held until workers have seen to it."""
        if options["release"] is not None:
            self.release(options["release"])
            return
        states = (Blob.Scan.SKIPPED,) if options["skipped"] else (Blob.Scan.INFECTED, Blob.Scan.TOO_LARGE)
        try:
            scanning.ping()
        except scanning.ScannerDown as error:
            raise CommandError(f"CLAMAV_URL: {error}") from error
        self.stdout.write(f"{scanning.scan_again(*states)} files wait for the scanner")

    def release(self, blob_id: int) -> None:
        """Raises `CommandError` for what is not held, or infected."""
        try:
            with scope.unit_of_work(door="command"), scope.all_tenants():
                scanning.release(blob_id=blob_id)
        except DomainError as error:
            raise CommandError(f"blob {blob_id}: {error.message}") from error
        self.stdout.write(f"blob {blob_id} may leave")
