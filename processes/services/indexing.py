"""What cases are found by: their number, subject and report; never what was said on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import richtext
from core.planned import planned_cursor
from core.text import VECTOR, vector_values

if TYPE_CHECKING:
    from processes.models import Process

_ROW = f"""
INSERT INTO processes_processindex (process_id, vector) VALUES (%(process)s, {VECTOR})
    ON CONFLICT (process_id) DO UPDATE SET vector = excluded.vector
"""  # noqa: S608 - constant text


def index(process: Process) -> None:
    """Write the row anew."""
    values = vector_values(f"{process.number} {process.subject}", richtext.words(process.report))
    with planned_cursor() as cursor:
        cursor.execute(_ROW, {"process": process.pk, **values})
