"""`manage.py import_register FILE`: communities, units, people and occupancies from a CSV file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import scope
from orgs.models import ImportRun, Organization
from orgs.services.register import Refused, import_rows, read_csv


class Command(BaseCommand):
    """All or nothing; repeatable by the references in the file."""

    help = "Import a property register (CSV; ; or ,; UTF-8 or Windows-1252). Columns: see docs/import.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", type=int, help="id of the tenant; may be left out when there is only one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        tenant = self.tenant(options["tenant"])
        try:
            with scope.unit_of_work(door="command", tenants=[tenant.pk]):
                result = import_rows(read_csv(data), tenant=tenant, progress=self.show)
                ImportRun.objects.create(
                    tenant=tenant,
                    state=ImportRun.State.DONE,
                    counts={"created": result.created, "changed": result.changed},
                )
        except Refused as refused:
            with scope.unit_of_work(door="command", tenants=[tenant.pk]):
                ImportRun.objects.create(
                    tenant=tenant,
                    state=ImportRun.State.REFUSED,
                    counts={"errors": refused.total},
                    report=[[e.row, e.column, str(e.message)] for e in refused.errors],
                )
            for error in refused.errors:
                self.stderr.write(str(error))
            raise CommandError(str(refused.message)) from refused
        self.stdout.write("")
        for noun in result.created:
            self.stdout.write(f"{noun}: {result.created[noun]} created, {result.changed[noun]} changed")

    def tenant(self, tenant_id: int | None) -> Organization:
        """The tenant named, or the only one."""
        tenants = Organization.objects.tenants()
        found = list(tenants.filter(pk=tenant_id) if tenant_id else tenants[:2])
        if len(found) != 1:
            raise CommandError(
                "Name the tenant with --tenant ID." if not tenant_id else f"No tenant has the id {tenant_id}."
            )
        return found[0]

    def show(self, stage: str, done: int, total: int) -> None:
        """Progress on one line of a terminal, or a line per stage elsewhere."""
        if sys.stdout.isatty():
            self.stdout.write(f"\r{stage}: {done} / {total}   ", ending="")
            self.stdout.flush()
        elif done == total:
            self.stdout.write(f"{stage}: {done}")
