"""Names that people give: composed, without characters that no screen shows and no database takes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import TextField
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.text import is_blank, unseen_gone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db import models


def plain_name(name: str, *, field: str = "name", length: int = 200, slashes: bool = True) -> str:
    """The name composed, without blanks around it and without characters that turn its direction.

    Raises `Invalid` naming the field when nothing remains, when it is too long, or for control characters;
    without ``slashes`` also for ``/`` and ``\\``, which paths are made of.
    """
    clean = unseen_gone(unicodedata.normalize("NFC", name)).strip()
    problem = ""
    if is_blank(clean):
        problem = _("A name is needed.")
    elif len(clean) > length:
        problem = _("The name has more than %(length)d characters.") % {"length": length}
    elif not is_one_line(clean):
        problem = _("The name contains characters that are not allowed.")
    elif not slashes and any(slash in clean for slash in "/\\"):
        problem = _("The name must not contain a slash.")
    if problem:
        raise Invalid(problem, fields={field: [problem]})
    return clean


def check_texts(model: type[models.Model], values: Mapping[str, Any]) -> None:
    """Raise `Invalid` for texts that the database cannot hold, for long texts above the column's maximum (Django checks
    that of a `TextField` in forms only), and for control characters in columns of one line.
    """
    wrong: dict[str, list[str]] = {}
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        column = model._meta.get_field(name)
        maximum = getattr(column, "max_length", None)
        forbidden = {"Cs"} if isinstance(column, TextField) else {"Cs", "Cc"}
        if any(c == "\x00" or unicodedata.category(c) in forbidden for c in value):
            wrong[name] = [_("The text contains characters that are not allowed.")]
        elif maximum and len(value) > maximum:
            wrong[name] = [_("The text has more than %(length)d characters.") % {"length": maximum}]
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)


def refuse_unknown(field: str, unknown: Iterable[int]) -> None:
    """Raise `Invalid` for ids in a request that do not exist, or belong to another tenant (DOCMS-047)."""
    ids = sorted(unknown)
    if ids:
        problem = _("Unknown: %(ids)s") % {"ids": ", ".join(map(str, ids[:20]))}
        raise Invalid(problem, code="unknown_id", fields={field: [problem]})


def is_one_line(text: str) -> bool:
    """Whether it may stand in headings of mails and in lists: without control characters, and without halves of letters."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def check_one_line(text: str) -> None:
    """The same as a validator of forms. Raises `ValidationError`."""
    if not is_one_line(text):
        raise ValidationError(_("The text contains characters that are not allowed."))
