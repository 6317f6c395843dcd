"""Every text of the code is translated, with the same placeholders, in German, French and Polish."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polib
import pytest
import unfold
from django.utils.translation import gettext, override

from core.admin.theme_texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("de", "fr", "pl")
FLOORS = {"config", "portal", "processes", "tickets", "docms", "messaging", "orgs", "core"}
_PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\{\w+\}\}|\{\w*\}")


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(ROOT / "locale" / language / "LC_MESSAGES" / "django.po"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    texts = catalogue(language)
    assert len(texts) > 1000
    assert [e.msgid for e in texts.untranslated_entries() + texts.fuzzy_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive_the_translation(language: str) -> None:
    wrong = [
        entry.msgid
        for entry in catalogue(language)
        for translated in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])
        # A singular may say "one"; every plural names the number.
        if sorted(_PLACEHOLDERS.findall(translated))
        not in [sorted(_PLACEHOLDERS.findall(text)) for text in (entry.msgid, entry.msgid_plural or entry.msgid)]
    ]
    assert wrong == []


def test_french_signs_do_not_stand_alone_on_a_line() -> None:
    """A colon, semicolon, exclamation or question mark has a no-break space before it, and so have guillemets inside."""
    loose = re.compile(r"(?<=[\w)»”%}])[ \u202f]?[:;!?](?=\s|$|<|\))|« | »")
    texts = [text for entry in catalogue("fr") for text in (entry.msgstr, *entry.msgstr_plural.values())]
    assert [text for text in texts if loose.search(text)] == []


def test_all_languages_translate_the_same_texts() -> None:
    texts = [{(e.msgctxt, e.msgid) for e in catalogue(language)} for language in LANGUAGES]
    assert texts[0] == texts[1] == texts[2]


def test_no_text_of_the_code_is_missing_from_the_catalogues(tmp_path: Path) -> None:
    """Collects the texts anew and compares; where gettext is not installed, the other tests must do."""
    if not shutil.which("xgettext"):
        pytest.skip("collecting texts needs GNU gettext")
    copy = tmp_path / "tree"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".quartier", "tests", "build", "__pycache__", "*.mo")
    )
    subprocess.run(
        [
            sys.executable, "manage.py", "makemessages", "--locale", "de", "--no-location", "--no-obsolete",
            "--settings", "config.settings.test", "--verbosity", "0", "--ignore", "script/*",
        ],
        cwd=copy, check=True, timeout=120,
    )  # fmt: skip
    collected = {e.msgid for e in polib.pofile(str(copy / "locale" / "de" / "LC_MESSAGES" / "django.po"))}
    assert collected - {e.msgid for e in catalogue("de")} == set()


_CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}


def _texts_in_f_strings(source: str) -> Iterator[str]:
    for joined in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)):
        for call in (node for node in ast.walk(joined) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in _CALLS:
                yield ast.unparse(call)


def test_no_text_stands_in_an_f_string() -> None:
    """There xgettext does not look: the text would leave the catalogues with the next collection."""
    assert list(_texts_in_f_strings("""f"{n}, {_('unread')}" """)) == ["_('unread')"]
    tracked = (path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] in FLOORS)
    found = [f"{path.name}: {text}" for path in tracked for text in _texts_in_f_strings(path.read_text("utf-8"))]
    assert found == []


# What the theme brings for packages and pages that this house does not have.
_UNUSED = (
    "contrib/constance", "contrib/crispy_forms", "contrib/forms", "contrib/guardian", "contrib/import_export",
    "contrib/inlines", "contrib/location_field", "contrib/simple_history", "mixins/nested_inlines", "templates/admin/auth",
    "templates/admin/login", "templates/registration", "templates/unfold_crispy",
)  # fmt: skip
_UNSHOWN = {"Select currency", "Raw passwords are not stored, so there is no way to see this "}
_LITERAL = re.compile(r"""(?:\{%\s*(?:trans|translate)\s+|\b(?:_|gettext|gettext_lazy)\(\s*)(["'])(.+?)\1""")
_SAME = {"System", "Action"}  # words that are the same in one of the languages


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_theme_speaks_the_language(language: str) -> None:
    """The theme has no catalogue: what Django's does not know, ours has to (`core.admin.theme_texts`)."""
    theme = Path(unfold.__file__).parent
    texts = {
        match.group(2)
        for path in theme.rglob("*")
        if path.suffix in (".py", ".html") and not str(path.relative_to(theme)).startswith(_UNUSED)
        for match in _LITERAL.finditer(path.read_text(encoding="utf-8"))
    }
    assert "Search apps and models..." in texts
    own = {e.msgid for e in catalogue(language)}
    with override(language):
        missing = {text for text in texts - own - _UNSHOWN if gettext(text) == text}
    assert missing - _SAME == set()
    assert set(TEXTS) <= own
