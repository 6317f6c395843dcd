"""The texts Quartier brings along: one module per language, the same kinds in each (held by a test).

They are plain data. Whoever wants other words writes `messaging.Template` rows, which these fill up field by field.
"""

from __future__ import annotations

from messaging.texts import de, en, fr, pl
from messaging.texts.shape import BuiltIn, Words

WORDS: dict[str, Words] = {"de": de.WORDS, "en": en.WORDS, "fr": fr.WORDS, "pl": pl.WORDS}
TEXTS: dict[str, dict[str, BuiltIn]] = {"de": de.TEXTS, "en": en.TEXTS, "fr": fr.TEXTS, "pl": pl.TEXTS}

__all__ = ["TEXTS", "WORDS", "BuiltIn", "Words"]
