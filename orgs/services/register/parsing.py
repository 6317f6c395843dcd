"""From a row of text to typed values. Every wrong cell is named; nothing is guessed."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _

from orgs.languages import USER_LANGUAGES
from orgs.models import Building, Community, Contact, Unit
from orgs.services.register.reading import RawRow, RowError

ROLES = {
    "owner": ("eigentümer", "eigentümerin", "eigentuemer"),
    "renter": ("mieter", "mieterin", "tenant"),
    "additional": ("mitbewohner", "mitbewohnerin", "zusatznutzer", "weitere person", "additional user"),
}
KINDS = {"person": ("privatperson", "natürliche person"), "company": ("firma", "unternehmen", "juristische person")}
YES = {"1", "ja", "j", "x", "yes", "y", "true", "wahr"}
NO = {"", "0", "nein", "n", "no", "false", "falsch", "-"}
_GERMAN_DAY = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
PERSON_COLUMNS = (
    "contact_ref", "kind", "salutation", "title", "first_name", "last_name", "company", "email", "telephone",
    "mobile", "role", "is_admin", "from", "until", "language",
)  # fmt: skip


@dataclass(frozen=True)
class Tenancy:
    """Who is in a unit, in which role, from when to when (both days included)."""

    contact: dict[str, Any]
    role: str
    is_admin: bool
    first: datetime.date | None
    last: datetime.date | None


@dataclass(frozen=True)
class ParsedRow:
    """One checked row."""

    number: int
    community: dict[str, Any]
    building: dict[str, Any] | None
    unit: dict[str, Any]
    tenancy: Tenancy | None


def parse_day(text: str) -> datetime.date | None:
    """A day as DD.MM.YYYY or ISO; none for an empty cell. Raises `ValueError` for anything else."""
    if not text:
        return None
    german = _GERMAN_DAY.match(text)
    if german:
        day, month, year = map(int, german.groups())
        return datetime.date(year, month, day)
    return datetime.date.fromisoformat(text)


def _word(text: str, words: dict[str, tuple[str, ...]], default: str = "") -> str:
    text = text.casefold()
    if not text:
        return default
    for word, aliases in words.items():
        if text == word or text in aliases:
            return word
    raise ValueError(text)


class RowParser:
    """Parses one row and collects what is wrong with it."""

    def __init__(self, row: RawRow) -> None:
        self.row = row
        self.errors: list[RowError] = []

    def wrong(self, column: str, message: str) -> None:
        """Note an error of this row."""
        self.errors.append(RowError(self.row.number, column, message))

    def text(self, column: str, model: type[models.Model], field: str) -> str:
        """A cell that must fit its database column and hold no control characters."""
        return self.fitting(column, self.row.get(column), model, field)

    def fitting(self, column: str, value: str, model: type[models.Model], field: str) -> str:
        """See `text`; for a value that is put together from cells."""
        limit = model._meta.get_field(field).max_length  # type: ignore[union-attr]
        if limit and len(value) > limit:
            self.wrong(column, _("Longer than %d characters.") % limit)
        if any(ord(c) < 32 for c in value):
            self.wrong(column, _("Holds control characters."))
        return value

    def parse(self) -> ParsedRow | None:
        """The typed row, or None when something is wrong (see ``errors``)."""
        row = self.row
        street = " ".join(part for part in (row.get("street"), row.get("house_number")) if part)
        self.fitting("street", street, Building, "street")
        place = {
            "postal_code": self.text("postal_code", Community, "postal_code"),
            "city": self.text("city", Community, "city"),
        }
        community = {
            "identifier": self.text("community_ref", Community, "identifier"),
            "name": self.text("community", Community, "name"),
        }
        unit = {"identifier": self.text("unit_ref", Unit, "identifier"), "name": self.text("unit", Unit, "name")}
        for column, value in (("community_ref", community["identifier"]), ("unit_ref", unit["identifier"])):
            if not value:
                self.wrong(column, _("Must not be empty."))
        building = {"street": street, **place} if street else None
        tenancy = self.tenancy() if any(row.get(column) for column in PERSON_COLUMNS) else None
        if self.errors:
            return None
        return ParsedRow(row.number, community, building, unit, tenancy)

    def tenancy(self) -> Tenancy | None:
        """The person of the row."""
        row = self.row
        contact: dict[str, Any] = {"reference_id": self.text("contact_ref", Contact, "reference_id")}
        for column in ("salutation", "title", "first_name", "last_name", "company", "email", "telephone", "mobile"):
            contact[column] = self.text(column, Contact, column)
        if not contact["reference_id"]:
            self.wrong("contact_ref", _("A person needs a reference, so that the import can be repeated."))
        if not contact["last_name"] and not contact["company"]:
            self.wrong("last_name", _("A person needs a last name, a company its name."))
        if contact["email"]:
            try:
                validate_email(contact["email"])
            except ValidationError:
                self.wrong("email", _("Not an e-mail address."))
        contact["kind"] = self.choice("kind", KINDS, "person" if contact["last_name"] else "company")
        contact["language"] = row.get("language").lower()
        if contact["language"] and contact["language"] not in dict(USER_LANGUAGES):
            self.wrong("language", _("Use one of de, en, fr, pl."))
        role = self.choice("role", ROLES, "")
        if not role and not any(e.column == "role" for e in self.errors):
            self.wrong("role", _("Use one of owner, renter, additional."))
        flag = row.get("is_admin").casefold()
        if flag not in YES | NO:
            self.wrong("is_admin", _("Use yes or no."))
        first, last = self.day("from"), self.day("until")
        if first and last and last < first:
            self.wrong("until", _("The last day lies before the first."))
        return Tenancy(contact, role, flag in YES, first, last)

    def choice(self, column: str, words: dict[str, tuple[str, ...]], default: str) -> str:
        """A cell with one of a few words."""
        try:
            return _word(self.row.get(column), words, default)
        except ValueError:
            self.wrong(column, _("Use one of %s.") % ", ".join(words))
            return ""

    def day(self, column: str) -> datetime.date | None:
        """A cell with a day."""
        try:
            return parse_day(self.row.get(column))
        except ValueError:
            self.wrong(column, _("Not a date. Write 31.12.2026 or 2026-12-31."))
            return None
