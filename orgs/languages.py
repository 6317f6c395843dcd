"""Languages: four for people, BCP 47 tags for organizations, a dialect of each per door."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache

from django.utils.translation import gettext_lazy

USER_LANGUAGES = [("de", "Deutsch"), ("en", "English"), ("fr", "Français"), ("pl", "Polski")]
NAMES = {
    "de": gettext_lazy("German"),
    "en": gettext_lazy("English"),
    "fr": gettext_lazy("French"),
    "pl": gettext_lazy("Polish"),
}
_CODES = {code for code, _name in USER_LANGUAGES}


def primary_subtag(tag: str) -> str:
    """``de`` of ``de-AT`` or ``de_DE``."""
    return tag.replace("_", "-").split("-", 1)[0].lower()


def user_language(tag: str, default: str = "de") -> str:
    """The nearest of the four languages of people, or ``default``."""
    code = primary_subtag(tag)
    return code if code in _CODES else default


# RFC 5646, langtag, without private use alone and without grandfathered tags: both have no such primary subtag.
_TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[0-9a-wy-z](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)


def is_tag(text: str) -> bool:
    """Whether it is a well-formed BCP 47 tag with a primary subtag of two or three letters (ORGS-015)."""
    return _TAG.fullmatch(text) is not None


@lru_cache
def zone_names() -> frozenset[str]:
    """The time zones of the IANA database, without what a machine's own files add to them (ORGS-016)."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})
