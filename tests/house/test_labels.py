"""The back office names every column in words: no label is made up by Django from a column's English name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import override

from config.admin_site import site
from core.admin.history import DERIVED, VERBS
from core.services.audit import SECRET_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import ModelAdmin
    from django.db import models

ROOT = Path(__file__).resolve().parents[2]
# Words that are the same in German.
SAME = {"name", "logo", "fax", "code", "port", "status", "text"}
# Columns that neither a page nor the history shows.
UNSEEN = {"id", "uuid", "seq", "handle", "credential", "blob", "parts", "reply_token_hash"} | DERIVED | SECRET_FIELDS


def _shown(admin: ModelAdmin[Any]) -> set[str]:
    """What lists, filters and forms name."""
    names = {name for name in admin.list_display if isinstance(name, str)}
    names |= {entry[0] if isinstance(entry, tuple) else entry for entry in admin.list_filter if not callable(entry)}
    names |= {name for name in admin.readonly_fields if isinstance(name, str)}
    for fieldsets in (admin.fieldsets, getattr(admin, "add_fieldsets", None)):
        names |= set(flatten_fieldsets(fieldsets or ()))
    names |= set(flatten_fieldsets([(None, {"fields": admin.fields or ()})]))
    fields = getattr(getattr(admin.form, "_meta", None), "fields", None)
    return names | (set(fields) if isinstance(fields, (list, tuple)) else set())


def _column(model: type[models.Model], path: str) -> Any:
    """The field at the end of a look-up, if it is one."""
    *steps, last = path.split("__")
    try:
        for step in steps:
            model = model._meta.get_field(step).related_model  # type: ignore[assignment]
        return model._meta.get_field(last)
    except FieldDoesNotExist:
        return None


def _columns() -> Iterator[Any]:
    for model, admin in site._registry.items():
        yield from (column for name in _shown(admin) if (column := _column(model, name)) is not None)
        # The history tab names any column that changed.
        yield from (column for column in model._meta.concrete_fields if column.name not in UNSEEN)


def test_every_column_the_back_office_shows_has_a_german_label() -> None:
    with override("de"):
        made_up = {
            f"{column.model._meta.label}.{column.name}"
            for column in _columns()
            if str(column.verbose_name).casefold() == column.name.replace("_", " ") and column.name not in SAME
        }
    assert made_up == set()


def test_every_noun_of_the_back_office_has_a_name_of_its_own() -> None:
    made_up = {
        model._meta.label
        for model in site._registry
        if isinstance(model._meta.verbose_name, str) or isinstance(model._meta.verbose_name_plural, str)
    }
    assert made_up == set()


def test_german_forms_show_no_english_label() -> None:
    """Fields that a form declares itself have a label, too."""
    with override("de"):
        unnamed = {
            f"{type(admin).__name__}.{name}"
            for admin in site._registry.values()
            for name, field in admin.form.declared_fields.items()  # type: ignore[attr-defined]
            if field.label is None or capfirst(str(field.label)) == capfirst(name.replace("_", " "))
        }
    assert unnamed == set()


_VERBS = re.compile(r'(?:verb=|audit\.record\(\s*|entry_for\(\s*)"([a-z_]+)"(?: if \w+ else "([a-z_]+)")?')


def test_every_verb_of_the_audit_is_told_in_words() -> None:
    """History and audit list never show a stored word."""
    used = {
        verb
        for floor in ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal", "config")
        for path in (ROOT / floor).rglob("*.py")
        for match in _VERBS.finditer(path.read_text(encoding="utf-8"))
        for verb in match.groups()
        if verb
    }
    assert {"created", "changed"} <= used | VERBS.keys()
    assert used - VERBS.keys() == set()


def test_no_form_shows_a_column_that_is_drawn_as_a_label_in_lists() -> None:
    """Such a column is a tone and a word; forms would show the pair (unfold draws it in lists alone)."""
    labelled, wrong = set(), []
    for model, admin in site._registry.items():
        named = {*admin.readonly_fields, *flatten_fieldsets(admin.fieldsets or ()), *(admin.fields or ())}
        for name in (name for name in dir(type(admin)) if getattr(getattr(type(admin), name), "label", None)):
            labelled.add(name)
            wrong += [f"{model._meta.label}.{name}"] if name in named else []
    assert "virus_check" in labelled
    assert wrong == []
