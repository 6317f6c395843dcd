"""`export_schema NAME`: the OpenAPI document of one contract as YAML."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.openapi import DOORS, as_yaml


class Command(BaseCommand):
    """Print the document that `/api/schema/NAME/` serves."""

    help = "Print the OpenAPI document of a contract (portal, docms, orgs, tickets, processes) as YAML."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which contract."""
        parser.add_argument("name", choices=sorted(DOORS), help="name of the contract")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the document to standard output."""
        self.stdout.write(as_yaml(options["name"]).decode(), ending="")
