"""`manage.py verify_audit`: is the audit as it was written?"""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import scope
from core.services import sealing, verification


class Command(BaseCommand):
    """Exit status 0: whole. 1: not, or not readable. Part of each backup: ``--export`` writes what goes with it."""

    help = "Check digests, chain and checkpoints of the audit; name the first place that is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Two files and a day."""
        parser.add_argument(
            "--checkpoints", type=Path, metavar="FILE", help="an export that was kept elsewhere: compare with it, too"
        )
        parser.add_argument(
            "--export", type=Path, metavar="FILE", help="write the checkpoints, one line of JSON each, if all is well"
        )
        parser.add_argument(
            "--since", type=datetime.date.fromisoformat, metavar="DAY", help="begin at the checkpoint of YYYY-MM-DD"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, tell, export."""
        begin = time.monotonic()
        report = self._verify(options)
        seconds = time.monotonic() - begin
        self.stdout.write(
            f"{report.entries:,} entries ({report.first or '–'} to {report.last or '–'}), of which {report.erased:,} are "
            f"erased; {report.waiting:,} not sealed yet; {report.checkpoints} checkpoints; {seconds:.1f} s"
        )
        if report.newest:
            self.stdout.write(f"newest checkpoint: {report.newest.day}, at {report.newest.seq:,}")
        for finding in report.findings:
            self.stdout.write(f"{finding.kind}: {finding.text}")
        if report.findings:
            where = f" from {report.broken_at} on" if report.broken_at is not None else ""
            more = "" if report.complete else "; checking ended here. If nothing fits, AUDIT_KEY may be another one"
            raise CommandError(f"The audit is not as it was written{where}{more}.", returncode=1)
        if options["export"]:
            self._export(options["export"])
        self.stdout.write("The audit is whole.")

    def _verify(self, options: dict[str, Any]) -> verification.Report:
        path: Path | None = options["checkpoints"]
        try:
            exported = sealing.from_lines(path.read_text(encoding="utf-8").splitlines()) if path else []
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        try:
            return verification.verify(exported=exported, since=options["since"], progress=self._progress)
        except verification.NoCheckpoint as error:
            raise CommandError(str(error)) from error

    def _progress(self, count: int) -> None:
        if count % 250_000 == 0:
            self.stdout.write(f"{count:,} …")

    def _export(self, path: Path) -> None:
        with scope.unit_of_work(door="command"), scope.all_tenants():
            known = sealing.checkpoints()
        # Under another name first: a broken write must not cost the export of yesterday.
        draft = path.with_name(f".{path.name}.new")
        draft.write_text("".join(sealing.to_lines(known)), encoding="utf-8")
        draft.replace(path)
        self.stdout.write(f"{len(known)} checkpoints exported to {path}")
