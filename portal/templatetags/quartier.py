"""What the portal's templates say often: an icon, a moment, a size, a kind of file."""

from __future__ import annotations

import datetime

import segno
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core import moments, sizes
from core.models import Blob
from core.services.blobs import held_because
from core.services.delivery import INLINE
from docms.models import Document
from docms.services.search import Marks
from messaging.services.render import clean_body

register = template.Library()
register.filter("size", sizes.readable)

_IMAGES = "image/"
_PDF = "application/pdf"
_ICONS = {_PDF: "pdf"}
# What a ticket type may be shown with.
ICONS = frozenset({
    "home", "folder", "file", "pdf", "image", "ticket", "case", "board", "calendar", "people", "phone", "mail", "bell",
    "settings", "user", "key", "clock", "warning", "info", "camera", "star", "lock", "sun", "moon", "help", "drop",
    "flame", "bolt", "door", "bin", "eye", "link", "device", "tools", "reply", "clip",
})  # fmt: skip


@register.filter
def formatted(text: str) -> SafeString:
    """A notice as a company wrote it: HTML, which is cleaned, or plain text with its line breaks."""
    return mark_safe(clean_body(text, {}))  # noqa: S308 - cleaned by nh3


@register.filter
def said(text: str) -> SafeString:
    """What somebody wrote: paragraphs, lines and links, and nothing else of what it may look like."""
    return mark_safe(linebreaks(urlize(text, nofollow=True, autoescape=True)))  # noqa: S308 - urlize escapes


def _sprite(name: str) -> str:
    return f"{static('img/icons.svg')}#{name}"


@register.simple_tag
def sprite(name: str) -> str:
    """Where an icon lies, for drawings that need classes of their own."""
    return _sprite(name)


@register.filter
def known_icon(name: str, otherwise: str) -> str:
    """The name of an icon that somebody typed, if the sprite has it."""
    return name if name in ICONS else otherwise


@register.simple_tag
def day_name(moment: datetime.datetime) -> str:
    """A day as a heading: today, yesterday, else weekday and date."""
    local, now = timezone.localtime(moment), timezone.localtime()
    days = (now.date() - local.date()).days
    if days in (0, 1):
        return _("today") if days == 0 else _("yesterday")
    this_year = local.year == now.year
    return f"{date_format(local, 'l')}, {moments.day_of_year(local) if this_year else moments.day(local)}"


@register.simple_tag
def icon(name: str, small: bool = False) -> SafeString:
    """A decorative icon of the sprite; the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}"/></svg>', " small" if small else "", _sprite(name)
    )


@register.filter
def held(blob: Blob | None) -> object:
    """Why the bytes are held back, or nothing."""
    return held_because(blob) if blob else ""


@register.simple_tag
def qr_code(text: str, label: str) -> SafeString:
    """A picture for a phone's camera; `label` says to others what it is. Always dark on white, or no camera reads it."""
    code = segno.make_qr(text, error="m")
    drawn = code.svg_inline(omitsize=True, svgclass=None, lineclass=None, light="#fff")
    return format_html('<div class="key-picture" role="img" aria-label="{}">{}</div>', label, mark_safe(drawn))  # noqa: S308 - paths only


@register.simple_tag
def scene(name: str, view_box: str = "0 0 160 110", css: str = "scene") -> SafeString:
    """A small drawing for empty pages and landings."""
    return format_html(
        '<svg class="{}" viewBox="{}" aria-hidden="true"><use href="{}"/></svg>',
        css,
        view_box,
        _sprite(f"scene-{name}"),
    )


@register.simple_tag
def paper() -> SafeString:
    """A sheet of paper that stands for a document without a preview."""
    return format_html(
        '<svg class="paper" viewBox="0 0 210 297" aria-hidden="true"><use href="{}"/></svg>', _sprite("paper")
    )


@register.filter
def day(value: datetime.date | None) -> str:
    """A day in full, as the language writes it: 20. November 2026."""
    return moments.day(value).replace(" ", "\u00a0", 1) if value else ""


@register.filter
def day_short(value: datetime.datetime | datetime.date | None) -> str:
    """A day with a short month, for lists."""
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    return moments.day_short(value).replace(" ", "\u00a0", 1) if value else ""


@register.simple_tag
def when(moment: datetime.datetime | None) -> SafeString:
    """A moment as people say it, with the exact one on hover, in the time zone of the page."""
    if moment is None:
        return mark_safe("")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="minutes"),
        moments.exact(local),
        moments.relative(local, timezone.localtime()),
    )


@register.simple_tag
def clock(moment: datetime.datetime) -> SafeString:
    """The time of day, where the day stands above, with the exact moment on hover."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="minutes"),
        moments.exact(local),
        moments.clock(local),
    )


@register.filter
def kind(mime: str) -> str:
    """What sort of file a person calls it."""
    if mime == _PDF:
        return "PDF"
    if mime.startswith(_IMAGES):
        return _("picture")
    if "spreadsheet" in mime or "excel" in mime or mime == "text/csv":
        return _("spreadsheet")
    if "word" in mime or "opendocument.text" in mime or mime.startswith("text/"):
        return _("text")
    if "zip" in mime:
        return "ZIP"
    return _("file")


@register.filter
def kind_icon(mime: str) -> str:
    """The icon for a sort of file."""
    if mime.startswith(_IMAGES):
        return "image"
    return _ICONS.get(mime, "file")


@register.filter
def viewer(mime: str) -> str:
    """How a browser shows a sort of file: `pdf`, `picture`, `text`, or nothing where it can only save it."""
    if mime not in INLINE:
        return ""
    if mime.startswith(_IMAGES):
        return "picture"
    return "pdf" if mime == _PDF else "text"


@register.filter
def initials(name: str) -> str:
    """Two letters for the round badge."""
    parts = [part for part in name.split() if part[0].isalnum()]
    letters = parts[0][0] + (parts[-1][0] if len(parts) > 1 else "") if parts else "?"
    return letters.upper()


@register.filter
def telephone(number: str) -> str:
    """A number as a `tel:` address takes it."""
    return "".join(c for c in number if c in "0123456789+")


@register.filter
def in_set(value: object, things: set[object]) -> bool:
    """Whether a thing is one of a set."""
    return value in things


@register.filter
def marked(text: object, marks: Marks) -> SafeString:
    """A text of the company with the hits of a search marked; escaped."""
    return marks.marked(str(text))


@register.filter
def piece(document: Document, marks: Marks) -> SafeString:
    """The words of a document around a hit of a search, marked; escaped."""
    return marks.piece(document)
