"""Every text of the code is translated, with the same placeholders, in German, French and Polish."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("de", "fr", "pl")
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
