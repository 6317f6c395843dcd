"""Inserts, seals and verifies a million entries of the audit on a PostgreSQL of its own, and prints rows a second.

`script/bench audit -- 100000` takes another number. The issue wants a million verified in under 60 seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from script.embedded import Postgres
from script.embedded.postgres import APP, OWNER

if TYPE_CHECKING:
    from core.models import AuditEntry

ROOT = Path(__file__).resolve().parents[2]
STORED = ("salt", "digest")
CHUNK = 50_000


def main() -> None:
    """One run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="qb-", dir="/tmp") as name:  # short and reachable: sockets lie in it
        folder = Path(name)
        folder.chmod(0o711)
        postgres = Postgres(folder, options={"max_wal_size": "4GB", "shared_buffers": "512MB"})
        postgres.start()
        try:
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "DATABASE_URL": postgres.url(APP),
                "MIGRATION_DATABASE_URL": postgres.url(OWNER),
            }
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
            measure(count)
        finally:
            postgres.stop()


def measure(count: int) -> None:
    """As the role of web and workers, through the services."""
    import django

    django.setup()
    from core.services import sealing, verification

    with timed("inserted by COPY, digests included", count):
        insert(count)
    with timed("sealed", count):
        assert sealing.seal() == {"entries": count}
    assert sealing.checkpoint() == {"checkpoints": 1}
    with timed("verified", count):
        report = verification.verify()
    assert (report.entries, report.checkpoints, report.findings) == (count, 1, [])


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Prints how long it took, and how much of that this process computed: the rest is PostgreSQL and neighbours."""
    begin, computing = time.perf_counter(), time.process_time()
    yield
    seconds, computed = time.perf_counter() - begin, time.process_time() - computing
    print(f"{count:,} {what}: {seconds:.1f} s ({computed:.1f} s here), {count / seconds:,.0f} rows/s", flush=True)


def insert(count: int) -> None:
    """Entries as services make them, chunk by chunk; as the owner, because COPY does not go through row policies."""
    from core import scope
    from core.services.audit import DIGESTED

    columns = (*DIGESTED, *STORED)
    statement = sql.SQL("COPY core_auditentry ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    with (
        psycopg.connect(os.environ["MIGRATION_DATABASE_URL"], autocommit=True) as owner,
        scope.unit_of_work(door="web", user_id=7, ip="203.0.113.4"),
    ):
        for start in range(0, count, CHUNK):
            with owner.cursor() as cursor, cursor.copy(statement) as copy:
                for number in range(start, min(start + CHUNK, count)):
                    entry = made(number)
                    copy.write_row([_shown(getattr(entry, name)) for name in columns])


def made(number: int) -> AuditEntry:
    """A change of two columns, one of them a long text."""
    from core.services.audit import entry_for

    changes = {"status": ["open", "closed"], "title": [f"Wasserfleck in der Küche {number}", "Erledigt ✓"]}
    return entry_for("changed", object_type="tickets.ticket", object_id=number, tenant_id=None, changes=changes)


def _shown(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
