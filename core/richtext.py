"""Text with paragraphs, lists, emphasis and links: what is kept of the HTML that people and programs send."""

from __future__ import annotations

import html
import re

import nh3
from django.utils.html import escape, linebreaks
from django.utils.safestring import mark_safe

from core.text import is_blank

_TAGS = {
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre", "s",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_TAGS))})(?:[\s/][^<>]*)?>", re.IGNORECASE)
_BREAKS = re.compile(r"</(?:p|div|li|h[1-4]|tr|blockquote|pre)>|<(?:br|hr)\s*/?>")
_PLAIN_TAGS = re.compile(r"</?(?:p|br)\s*/?>")


def cleaned(text: str) -> str:
    """HTML without scripts, styles, frames, forms, pictures, event attributes and targets other than web, mail and
    telephone; links say ``noopener noreferrer nofollow`` (PROCESSES-031, 032, 034)."""
    return nh3.clean(
        text,
        tags=_TAGS,
        attributes={
            "a": {"href", "title"},
            "ol": {"start"},
            "td": {"colspan", "rowspan"},
            "th": {"colspan", "rowspan"},
        },
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def words(text: str) -> str:
    """What a reader sees of cleaned HTML, without its markup: to search, to compare, to show in a line."""
    return html.unescape(nh3.clean(_BREAKS.sub(" \n", text), tags=set()))


def is_empty(text: str) -> bool:
    """Whether a reader would see nothing of cleaned HTML (PROCESSES-033)."""
    return is_blank(words(text))


def from_form(text: str) -> str:
    """What somebody typed: with markup of ours as it is, else in paragraphs. Not cleaned yet."""
    return text if _TAG.search(text) else linebreaks(mark_safe(escape(text.strip())))  # noqa: S308 - escaped


def for_form(text: str) -> str:
    """Cleaned HTML for somebody who edits it: paragraphs as they were typed, anything richer with its markup."""
    broken = re.sub(r"<br\s*/?>\n?", "\n", text)
    plain = html.unescape(_PLAIN_TAGS.sub("", re.sub(r"</p>\s*<p>", "\n\n", broken))).strip()
    return text if _TAG.search(_PLAIN_TAGS.sub("", text)) or _TAG.search(plain) else plain
