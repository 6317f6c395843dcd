"""Remove stored objects that no row knows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.services import jobs, sweeps


class Command(BaseCommand):
    """The nightly tidying by hand; ``--force`` after a restore, once somebody has looked."""

    help = "Remove stored objects older than a day that no row knows, forgotten pieces and temporary files."

    def add_arguments(self, parser: CommandParser) -> None:
        """One option."""
        parser.add_argument("--force", action="store_true", help="also when most objects have no row")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it as a job, so that it does not run twice at once."""
        try:
            counts = jobs.run("core.sweep_objects", lambda: sweeps.sweep_objects(force=options["force"]))
        except sweeps.SuspiciousSweepError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            "runs elsewhere" if counts is None else f"{counts['objects']} objects, {counts['pieces']} pieces"
        )
