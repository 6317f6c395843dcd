"""`manage.py import_register FILE`: communities, units, people and occupancies from a CSV file."""

from __future__ import annotations

import io
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from core import scope
from core.errors import DomainError
from core.services import scanning
from orgs.languages import user_language
from orgs.models import ImportRun, Organization
from orgs.services.register import RowError, refusal, runs


class Command(BaseCommand):
    """All or nothing; repeatable by the references in the file."""

    help = "Import a property register (CSV; ; or ,; UTF-8 or Windows-1252). Columns: see docs/import.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", type=int, help="id of the tenant; may be left out when there is only one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = io.BytesIO(options["file"].read_bytes())
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        tenant = self.tenant(options["tenant"])
        try:
            with scope.unit_of_work(door="command", tenants=[tenant.pk]):
                run = runs.start(tenant=tenant, file=data, filename=options["file"].name, user=None, wake_worker=False)
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        assert run.file_id is not None
        try:
            scanning.scan_blob(run.file_id)
        except scanning.ScannerDown as error:
            raise CommandError(f"Import {run.pk} waits for the virus scanner: {error}") from error
        runs.work(run.pk, progress=self.show)
        with scope.unit_of_work(door="command", tenants=[tenant.pk]):
            run.refresh_from_db()
        self.report(run)

    def report(self, run: ImportRun) -> None:
        """What came of it, or every error: all in the language in which the run wrote its errors."""
        with translation.override(user_language(run.tenant.language)):
            self._report(run)

    def _report(self, run: ImportRun) -> None:
        for row, column, message in run.report:
            self.stderr.write(str(RowError(row, column, message)))
        if run.state != ImportRun.State.DONE:
            raise CommandError(
                refusal(run.counts["errors"])
                if run.state == ImportRun.State.REFUSED
                else f"Import {run.pk}: {run.get_state_display()} {run.get_failure_display()}".strip()
            )
        self.stdout.write("")
        created, changed = run.counts["created"], run.counts["changed"]
        for noun in created:
            self.stdout.write(f"{noun}: {created[noun]} created, {changed[noun]} changed")

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
