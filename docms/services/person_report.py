"""The export of a person's data: a ZIP with a PDF for people and JSON for machines (DOCMS-169)."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import formats, timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.fonts import FontFace

from core.services import audit
from docms.services import exports as docms_exports
from messaging.services import exports as messaging_exports
from orgs.services import exports as orgs_exports

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Iterable

    from core.services.exports import Column, Section
    from orgs.models import Membership

FONTS = settings.BASE_DIR / "static" / "vendor" / "dejavu"
# Of a section in the PDF; the JSON has them all, and in whole. A row must fit a page.
PRINTED_MAX = 500  # rows
TEXT_MAX = 1000  # characters of one value
ORDER = (
    "account", "memberships", "groups", "permissions", "favorites", "opened_folders", "sign_ins", "document_actions",
    "mails",
)  # fmt: skip


def export(membership: Membership) -> tuple[str, bytes]:
    """File name and content of the archive about a member; see `write`."""
    archive = io.BytesIO()
    name = write(membership, archive)
    return name, archive.getvalue()


@transaction.atomic
def write(membership: Membership, archive: IO[bytes]) -> str:
    """Write the archive about a member, from the data of this one tenant, in the person's language; return its file name.

    The caller has checked the rights. Side effect: audit.
    """
    user, tenant = membership.user, membership.organization
    sections = {
        section.name: section
        for floor in (orgs_exports, messaging_exports, docms_exports)
        for section in floor.person(user, tenant)
    }
    now = timezone.now().astimezone(tenant.zone)
    with translation.override(user.language):
        printed = _Report(tenant.zone).of(
            title=_("Data about %(person)s") % {"person": user.get_full_name() or user.username},
            source=_("Stored by %(company)s, as of %(moment)s")
            % {"company": tenant.name, "moment": formats.date_format(now, "DATETIME_FORMAT")},
            sections=[sections[name] for name in ORDER],
        )
    written = {
        "generated_at": now,
        "tenant": {"tenant_id": tenant.pk, "company_name": tenant.name},
        **{name: _plain(sections[name]) for name in ORDER},
    }
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("data.json", json.dumps(written, ensure_ascii=False, indent=1, default=_moment(tenant.zone)))
        parts.writestr("data.pdf", printed)
    audit.record("exported", membership)
    return f"export-{user.pk}-{now:%Y-%m-%d}.zip"


def _plain(section: Section) -> Any:
    return section.rows[0] if section.is_one else section.rows


def _moment(zone: zoneinfo.ZoneInfo) -> Any:
    def written(value: Any) -> str:
        if isinstance(value, datetime.datetime):
            return value.astimezone(zone).isoformat(timespec="seconds")
        raise TypeError(f"{type(value).__name__} is not JSON")

    return written


class _Report:
    """The PDF. Its font knows Latin, Greek and Cyrillic letters; others are shown as boxes."""

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self.zone = zone
        self.pdf = FPDF(orientation="landscape", format="A4")
        self.pdf.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
        self.pdf.add_font("DejaVu", "B", FONTS / "DejaVuSans-Bold.ttf")
        self.pdf.set_margin(15)
        self.pdf.set_auto_page_break(True, margin=18)

    def of(self, *, title: str, source: str, sections: Iterable[Section]) -> bytes:
        """The finished file."""
        self.pdf.set_title(title)
        self.pdf.set_lang(translation.get_language() or "de")
        self.pdf.add_page()
        self._text(title, size=16, style="B")
        self._text(source, size=9)
        for section in sections:
            self._section(section)
        return bytes(self.pdf.output())

    def _text(self, text: str, *, size: float, style: str = "", gap: float = 1) -> None:
        self.pdf.set_font("DejaVu", style, size)
        self.pdf.multi_cell(0, size * 0.5, _printable(text), new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(gap)

    def _section(self, section: Section) -> None:
        self.pdf.ln(4)
        self._text(str(section.title), size=12, style="B")
        rows = section.rows[:PRINTED_MAX]
        if not rows:
            self._text(_("Nothing is stored."), size=9)
        elif len(section.columns) > 8 or section.is_one:
            for row in rows:  # too wide for a table: line by line
                self._table(
                    [(capfirst(c.title), self._word(c, row[name])) for name, c in section.columns.items()],
                    widths=(2, 3),
                )
                self.pdf.ln(3)
        else:
            head = tuple(capfirst(column.title) for column in section.columns.values())
            body = [tuple(self._word(c, row[name]) for name, c in section.columns.items()) for row in rows]
            self._table([head, *body], headed=True)
        if len(section.rows) > PRINTED_MAX:
            left = len(section.rows) - PRINTED_MAX
            self._text(_("%(count)d further entries are in data.json.") % {"count": left}, size=9)

    def _table(
        self, rows: Iterable[tuple[str, ...]], *, widths: tuple[int, ...] | None = None, headed: bool = False
    ) -> None:
        self.pdf.set_font("DejaVu", "", 8)
        with self.pdf.table(
            col_widths=widths,
            text_align="LEFT",
            line_height=4.5,
            first_row_as_headings=headed,
            headings_style=FontFace(emphasis="BOLD"),
            borders_layout="HORIZONTAL_LINES",
            padding=0.6,
        ) as table:
            for row in rows:
                table.row([_printable(text) for text in row])

    def _word(self, column: Column, value: Any) -> str:
        """A value for people."""
        if value is None or value == "":
            return "–"
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, datetime.datetime):
            return str(formats.date_format(value.astimezone(self.zone), "SHORT_DATETIME_FORMAT"))
        return str(column.words.get(value, value))


def _printable(text: str) -> str:
    """On one line, without what has no place on paper."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= TEXT_MAX else line[:TEXT_MAX] + "…"
