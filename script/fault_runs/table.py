"""The one table that a run ends with."""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD = (
    "fault", "times", "under load", "acked", "unknown", "lost", "doubled", "half-stored", "blobs", "audit chain",
    "outbox", "errors told", "verdict",
)  # fmt: skip


@dataclass
class Row:
    """What a fault was, and what came of it."""

    fault: str
    times: int
    load: str
    acked: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    half: int = 0
    blobs: int = 0
    audit: int = 0
    outbox: int = 0
    errors: str = "–"
    problems: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows them."""
        if self.skipped:
            return (self.fault, "0", self.skipped, *["–"] * 9, "not run")
        sound = [str(count) + " wrong" if count else "clean" for count in (self.blobs, self.audit, self.outbox)]
        return (
            self.fault, str(self.times), self.load, str(self.acked), str(self.unknown), str(self.lost),
            str(self.doubled), str(self.half), *sound, self.errors, "ok" if self.ok else "WRONG",
        )  # fmt: skip


def show(rows: list[Row]) -> str:
    """The table as text, what is wrong below it."""
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    problems = [f"{row.fault}: {problem}" for row in rows for problem in row.problems]
    return "\n".join([*problems[:200], "", *shown])
