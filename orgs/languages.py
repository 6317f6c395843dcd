"""Languages: four for people, BCP 47 tags for organizations, a dialect of each per door."""

from __future__ import annotations

USER_LANGUAGES = [("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")]
_CODES = {code for code, _name in USER_LANGUAGES}


def primary_subtag(tag: str) -> str:
    """``de`` of ``de-AT`` or ``de_DE``."""
    return tag.replace("_", "-").split("-", 1)[0].lower()


def user_language(tag: str, default: str = "de") -> str:
    """The nearest of the four languages of people, or ``default``."""
    code = primary_subtag(tag)
    return code if code in _CODES else default
