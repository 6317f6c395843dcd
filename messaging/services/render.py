"""Make subject, HTML and plain text of one mail. Texts of people are data: never evaluated, always cleaned."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import css_inline
import nh3
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape, linebreaks, urlize
from django.utils.safestring import mark_safe

from core import moments
from core.colors import contrast
from messaging.services.catalogue import BUILT_IN_ONLY, KINDS, PLACEHOLDERS, names_in, substitute
from messaging.services.html_text import html_to_text
from messaging.services.texts import Chosen, Source, Texts, load
from messaging.texts import WORDS, BuiltIn
from orgs.languages import user_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orgs.models import Organization

SUBJECT_MAX = 250  # characters
ACCENT = "#1f5c4a"
_COLOR = re.compile(r"^#[0-9A-Fa-f]{6}$")
_TAG = re.compile(r"<[a-zA-Z!/]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_TAGS = {
    "a", "b", "blockquote", "br", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "img", "li", "ol", "p", "s", "span",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style"},
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_STYLES = {"color", "background-color", "font-size", "font-style", "font-weight", "text-align", "text-decoration"}


@dataclass(frozen=True)
class Rendered:
    """One finished mail."""

    subject: str
    html: str
    text: str
    language: str


def render(
    kind: str,
    *,
    language: str,
    context: Mapping[str, Any],
    tenant: Organization | None = None,
    overrides: Texts | None = None,
    source: Source | None = None,
) -> Rendered:
    """Render a mail of ``kind`` for a person who reads ``language``.

    ``context`` holds values of placeholders (dates are written in the language) and, apart from them,
    ``items``: a list of ``(title, detail)`` shown below the text. ``source`` saves reading the templates again for
    further recipients. Raises `ValueError` for a name that is no placeholder: that is a programming error.
    """
    source = source or load(kind, tenant, overrides)
    language = user_language(language or source.tenant_language)
    values = _values(source, context, language)
    chosen = source.choose(language)
    own = one_line(substitute(chosen.subject, values))  # may be of placeholders only that have no value here
    subject = (own or one_line(substitute(chosen.built_in.subject, values)))[:SUBJECT_MAX]
    link = values["link"]
    frame = _frame(source, chosen, language) | {
        "subject": subject,
        "title": subject if chosen.subject or chosen.body else substitute(chosen.built_in.title, values),
        "link": link,
        "items": list(context.get("items", ())),
    }
    if chosen.body:
        body = clean_body(chosen.body, values)
        frame |= {
            "body": mark_safe(body),  # noqa: S308 - cleaned by nh3
            "body_text": html_to_text(body),
            # A text with a button or link of its own needs no second one.
            "button": "" if "link" in names_in(chosen.body) else chosen.built_in.button,
        }
    else:
        frame |= _built_in_blocks(chosen.built_in, values, language)
    return Rendered(
        subject=subject,
        html=_inliner().inline(render_to_string("mail/base.html", frame)),
        text=re.sub(r"\n{3,}", "\n\n", render_to_string("mail/base.txt", frame)).strip() + "\n",
        language=chosen.language,
    )


def render_text(
    kind: str,
    *,
    language: str,
    context: Mapping[str, Any],
    tenant: Organization | None = None,
    overrides: Texts | None = None,
    source: Source | None = None,
) -> str:
    """The words of a text message of ``kind`` for a person who reads ``language``; placeholders as in `render`.

    A text of people that forgot the code gets it at its end: without it the message would be of no use.
    """
    source = source or load(kind, tenant, overrides)
    language = user_language(language or source.tenant_language)
    values = _values(source, context, language)
    chosen = source.choose(language)
    text = chosen.body or "\n".join(chosen.built_in.paragraphs)
    if values["code"] and "code" not in names_in(text):
        text = f"{text.rstrip()}\n{{{{code}}}}"
    return "\n".join(one_line(line) for line in substitute(text, values).splitlines()).strip()


def one_line(text: str) -> str:
    """A header's text: line breaks and control characters become one blank, so nothing can add a header."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def clean_body(text: str, values: Mapping[str, str]) -> str:
    """A body that people wrote, with escaped values, cleaned afterwards: no value can open a tag or a script link.

    Text without tags keeps its line breaks.
    """
    escaped = {name: str(escape(value)) for name, value in values.items()}
    if _TAG.search(text):
        html = substitute(text, escaped)
    else:
        html = urlize(mark_safe(linebreaks(substitute(str(escape(text)), escaped))))  # noqa: S308 - both escaped
    return _cleaned(html)


def sanitised(text: str) -> str:
    """HTML that people want to store, without scripts, event handlers and frames (DOCMS-049).

    Text without tags is none and stays as it is.
    """
    return _cleaned(text) if _TAG.search(text) else text


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
    )


def _values(source: Source, context: Mapping[str, Any], language: str) -> dict[str, str]:
    known = PLACEHOLDERS | BUILT_IN_ONLY
    unknown = context.keys() - known - {"items"}
    if unknown:
        raise ValueError(f"No placeholders: {sorted(unknown)}")
    company = source.tenant.name if source.tenant else source.app.app_owner or source.app.app_name
    values: dict[str, Any] = dict.fromkeys(known, "")
    values |= {"company_name": company, "app_name": source.app.app_name, "app_url": source.url("")}
    values |= {name: value for name, value in context.items() if name in known}
    if values["valid_hours"] and not values["valid_for"]:
        values["valid_for"] = WORDS[language].hours(int(values["valid_hours"]))
    with translation.override(language):
        return {
            name: moments.day(value) if isinstance(value, datetime.date) else str(value or "")
            for name, value in values.items()
        }


def _frame(source: Source, chosen: Chosen, language: str) -> dict[str, Any]:
    """What surrounds the text: sender, logo, colours, the foot."""
    tenant, settings, words = source.tenant, source.settings, WORDS[language]
    wanted = settings.accent_color if settings else ""
    accent = wanted if _COLOR.match(wanted) else ACCENT
    optional = KINDS[source.kind].optional
    return {
        "language": chosen.language,
        "sender": tenant.name if tenant else source.app.app_name,
        "address": tenant.location_address if tenant else source.app.app_owner,
        "logo": source.url(f"/app/brand/{tenant.pk}/logo?v={settings.logo_id}")
        if tenant and settings and settings.logo_id
        else "",
        "accent": accent,
        "on_accent": on_color(accent),
        "link_color": accent if contrast(accent, "#ffffff") >= 4.5 else ACCENT,
        "words": words,
        "settings_url": source.url("/app/profile") if optional else "",
    }


def _built_in_blocks(text: BuiltIn, values: dict[str, str], language: str) -> dict[str, Any]:
    def filled(paragraphs: Sequence[str]) -> list[str]:
        wanted = (p for p in paragraphs if not names_in(p) or any(values[n] for n in names_in(p)))
        return [substitute(p, values) for p in wanted]

    words = WORDS[language]
    return {
        "plate": " · ".join(values[name] for name in text.plate if values[name]),
        "hello": substitute(words.hello, values) if values["user_name"] else words.hello_nobody,
        "paragraphs": filled(text.paragraphs),
        "facts": [(label, values[name]) for label, name in text.facts if values[name]],
        "button": substitute(text.button, values),
        "after": filled(text.after),
        "reason": substitute(text.reason, values),
    }


def on_color(background: str) -> str:
    """White or nearly black, whichever reads better on a colour."""
    return max(("#ffffff", "#1b1815"), key=lambda color: contrast(color, background))


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
