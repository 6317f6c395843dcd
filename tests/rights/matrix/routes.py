"""Every route of the URL configuration with the methods its view answers: what the matrix has to have a word on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver

_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMED = re.compile(r"\(\?P<(\w+)>[^)]*\)")
API_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGE_METHODS = ("GET", "POST")


@dataclass(frozen=True)
class Route:
    """One pattern as the resolver names it, without the leading slash."""

    pattern: str
    methods: tuple[str, ...]

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names of the values in the path."""
        return keywords(self.pattern)

    def address(self, values: Mapping[str, object]) -> str:
        """A path that leads here."""
        return address(self.pattern, values)


def keywords(pattern: str) -> tuple[str, ...]:
    """The names of the values in a pattern."""
    return tuple(a or b for a, b in re.findall(f"{_CONVERTED.pattern}|{_NAMED.pattern}", pattern))


def address(pattern: str, values: Mapping[str, object]) -> str:
    """A path that matches a pattern. Raises `KeyError` for a keyword without value."""

    def value(found: re.Match[str]) -> str:
        return quote(str(values[found[1]]), safe="/@")

    text = _CONVERTED.sub(value, _NAMED.sub(value, pattern))
    if text.endswith("^"):
        text += "no-such-path"
    return "/" + text.lstrip("/").replace("^", "").replace("$", "").replace(".*", "no-such-path")


def collect(patterns: Iterable[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[Route]:
    """The routes below some patterns; of the whole configuration when none are given."""
    for found in get_resolver().url_patterns if patterns is None else patterns:
        here = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from collect(found.url_patterns, here)
        else:
            yield Route(here or "/", methods_of(found.callback))


def methods_of(view: Any) -> tuple[str, ...]:
    """Those an API's class defines; each one for a class that sorts them out itself; GET and POST for pages."""
    kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if kind is None:
        return PAGE_METHODS
    if hasattr(kind, "get_redirect_url"):
        return ("GET",)  # and the same answer to every other method
    return tuple(m for m in API_METHODS if hasattr(kind, m.lower())) or ("HEAD", *API_METHODS)
