"""From a CSV file to rows of text: encoding, separator and headings. Says what is wrong by row and column."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Invalid

# Every heading that is understood, in one table. Compared without case, blanks, hyphens and underscores.
HEADINGS: dict[str, tuple[str, ...]] = {
    "community_ref": ("objektnr", "objektnummer", "liegenschaftsnr", "liegenschaftsnummer", "wegnr"),
    "community": ("objekt", "liegenschaft", "gemeinschaft", "weg"),
    "street": ("straße", "strasse"),
    "house_number": ("hausnr", "hausnummer"),
    "postal_code": ("plz", "postleitzahl", "zip"),
    "city": ("ort", "stadt"),
    "unit_ref": ("einheitnr", "einheitsnr", "einheitsnummer", "wohnungsnr", "wohnungsnummer"),
    "unit": ("einheit", "wohnung", "lage"),
    "contact_ref": ("personennr", "personennummer", "kontaktnr", "kontaktnummer", "debitor", "debitornr"),
    "kind": ("art", "personenart"),
    "salutation": ("anrede",),
    "title": ("titel",),
    "first_name": ("vorname",),
    "last_name": ("nachname", "name", "familienname"),
    "company": ("firma",),
    "email": ("mail", "emailadresse"),
    "telephone": ("telefon", "tel", "festnetz", "phone"),
    "mobile": ("mobil", "handy", "mobiltelefon"),
    "role": ("rolle", "verhältnis"),
    "is_admin": ("admin", "verwaltetzugänge", "darfeinladen"),
    "from": ("von", "ab", "einzug", "beginn"),
    "until": ("bis", "auszug", "ende"),
    "language": ("sprache",),
}
REQUIRED = ("community_ref", "unit_ref")
MAX_ERRORS = 200
HEADING_SHOWN = 80  # characters of an unknown heading: of a file that is no register it may be all of it


def _plain(heading: str) -> str:
    return "".join(c for c in heading.casefold() if c.isalnum())


def _shown(heading: str) -> str:
    return "".join(c for c in heading if c.isprintable())[:HEADING_SHOWN] or "–"


_COLUMNS = {_plain(alias): column for column, aliases in HEADINGS.items() for alias in (column, *aliases)}


@dataclass(frozen=True)
class RowError:
    """What is wrong where; ``row`` counts the lines of the file, the heading being 1."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        text = _("Row %(row)d, column %(column)s: %(message)s") if self.column else _("Row %(row)d: %(message)s")
        return text % {"row": self.row, "column": self.column, "message": self.message}


def refusal(total: int) -> str:
    """What to say of so many errors."""
    return ngettext("%d error; nothing was imported.", "%d errors; nothing was imported.", total) % total


class Refused(Invalid):
    """The import was refused as a whole; ``errors`` says why, the first `MAX_ERRORS` of them."""

    def __init__(self, errors: list[RowError]) -> None:
        self.errors = errors[:MAX_ERRORS]
        self.total = len(errors)
        super().__init__(refusal(self.total), code="import_refused")


@dataclass(frozen=True)
class RawRow:
    """One line: its number in the file and its values by column, stripped."""

    number: int
    values: dict[str, str]

    def get(self, column: str) -> str:
        """The value, empty when the column is missing."""
        return self.values.get(column, "")


def decode(data: bytes) -> str:
    """UTF-8 (with or without mark) or Windows-1252, recognised. Raises `Refused` for anything else.

    A NUL in the heading means UTF-16, an Office file or worse; one further down is a wrong cell, and named as such.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text.lstrip().split("\n", 1)[0]:
            return text
    raise Refused([RowError(1, "", _("The file is neither UTF-8 nor Windows-1252 text."))])


def read_csv(data: bytes) -> list[RawRow]:
    """Read a register file. Raises `Refused` with everything that is wrong with its form."""
    text = decode(data)
    if not text.strip():
        raise Refused([RowError(1, "", _("The file is empty."))])
    first = text.lstrip().split("\n", 1)[0]
    separator = ";" if first.count(";") >= first.count(",") else ","
    # Strict: else a quotation mark that nobody closes swallows rows, and the error is looked for in the wrong cell.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 1
    try:
        headings = next(lines)
        columns = _columns(headings)
        rows, errors = [], []
        number = lines.line_num + 1  # where a row begins: with quotes it may go over several lines
        for line in lines:
            number, begins = lines.line_num + 1, number
            if not any(cell.strip() for cell in line):
                continue
            if len(line) > len(columns) and any(cell.strip() for cell in line[len(columns) :]):
                errors.append(RowError(begins, "", _("This row has more cells than the heading.")))
                continue
            values = {column: cell.strip() for column, cell in zip(columns, line, strict=False)}
            rows.append(RawRow(begins, values))
    except csv.Error as error:  # a quotation mark, or an endless cell, which on several lines is one, too
        endless = "field limit" in str(error) and lines.line_num <= number
        wrong = (
            _("Longer than %d characters.") % csv.field_size_limit()
            if endless
            else _("A quotation mark opens a cell and does not close it.")
        )
        raise Refused([RowError(number, "", wrong)]) from error
    if errors:
        raise Refused(errors)
    if not rows:
        raise Refused([RowError(1, "", _("The file has a heading but no rows."))])
    return rows


def _columns(headings: list[str]) -> list[str]:
    columns = [_COLUMNS.get(_plain(heading), "") for heading in headings]
    errors = [
        RowError(1, _shown(heading), _("This column is not known."))
        for heading, column in zip(headings, columns, strict=True)
        if not column
    ]
    errors += [
        RowError(1, column, _("This column appears twice."))
        for column in dict.fromkeys(columns)
        if columns.count(column) > 1 and column
    ]
    errors += [RowError(1, column, _("This column is missing.")) for column in REQUIRED if column not in columns]
    if errors:
        raise Refused(errors)
    return columns
