"""A raw mail becomes what the help desk wants to know of it. Nothing of it is trusted, fetched or run.

Python's parser in its tolerant mode; whatever it stumbles over is raised as `Unreadable`.
"""

from __future__ import annotations

import email
import email.header
import email.policy
import email.utils
import hashlib
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any, cast

import nh3

from core.errors import Invalid
from core.services import blobs
from core.text import one_way
from messaging.services.html_text import html_to_text
from messaging.services.render import one_line
from tickets.services.mail_text import TEXT_MAX, answer_in

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIL_MAX = 28 * 1024 * 1024  # bytes of a mail
HEADERS_MAX = 256 * 1024  # bytes of its headers
PARTS_MAX = 200
FILES_MAX = 20
_OUTLOOK = "application/ms-tnef"  # its wrapping of everything
_SMALL = 8 * 1024  # bytes of a picture in a signature
_ID = re.compile(r"<[^<>\s]{1,253}>")
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@-]|$)", re.IGNORECASE)
_HTML_TAGS = {
    "a", "b", "blockquote", "br", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "span", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip


class Unreadable(Exception):
    """This is no mail, or one made to break its reader."""


@dataclass(frozen=True)
class File:
    """An attachment as it arrived."""

    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass
class Head:
    """What the headers say. ``sender`` is '' unless there is exactly one; ``robot`` is why nobody wrote it by hand."""

    message_id: str
    sender: str
    sender_name: str
    recipients: list[str]
    subject: str
    robot: str
    verdicts: list[str]


@dataclass
class Letter:
    """A whole mail: ``text`` is what was written, ``dropped`` the names of what cannot be kept."""

    head: Head
    text: str = ""
    files: list[File] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def read_head(raw: bytes) -> Head:
    """The headers of a mail, or of its beginning. Raises `Unreadable`."""
    try:
        return _head(_parsed(_header_section(raw)), raw)
    except Exception as error:
        raise Unreadable(type(error).__name__) from error


def read(raw: bytes) -> Letter:
    """The whole mail. Raises `Unreadable`."""
    try:
        message = _parsed(raw if len(_header_section(raw)) <= HEADERS_MAX else b"")
        letter = Letter(_head(message, raw))
        _fill(letter, message)
        return letter
    except Unreadable:
        raise
    except Exception as error:  # the parser knows many ways to stumble, RecursionError among them
        raise Unreadable(type(error).__name__) from error


def fallback_id(raw: bytes) -> str:
    """What stands for a Message-ID where there is none: the same for the same bytes."""
    return f"<{hashlib.sha256(raw).hexdigest()}@without.id>"


def _header_section(raw: bytes) -> bytes:
    ends = [at for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark, 0, HEADERS_MAX + 4)) >= 0]
    return raw[: min(ends)] + b"\n\n" if ends else raw[: HEADERS_MAX + 1]


def _parsed(raw: bytes) -> Message:
    if not raw.strip():
        raise Unreadable("headers")
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def _head(message: Message, raw: bytes) -> Head:
    ids = _ID.findall(_value(message, "Message-ID"))
    senders = email.utils.getaddresses([_raw(message, "From")[:2000]]) if len(message.get_all("From", [])) == 1 else []
    senders = [(name, address) for name, address in senders if "@" in address]
    name, sender = senders[0] if len(senders) == 1 else ("", "")
    found = email.utils.getaddresses([str(value)[:8000] for key in _TO for value in message.get_all(key, [])])
    return Head(
        message_id=ids[0] if ids else fallback_id(raw),
        sender=one_line(sender.replace("\0", ""))[:254].lower(),
        sender_name=_decoded(name)[:100],
        recipients=[address for _name, address in found if "@" in address],
        subject=_value(message, "Subject")[:250],
        robot=_robot(message, sender),
        verdicts=[one_line(str(value))[:4000] for value in message.get_all("Authentication-Results", [])],
    )


def _robot(message: Message, sender: str) -> str:
    """Why nobody wrote this by hand (RFC 3834, RFC 2919, and what programs do instead); '' – somebody did."""
    if message.get_content_type() == "multipart/report" or "".join(_raw(message, "Return-Path").split()) == "<>":
        return "bounce"
    if _ROBOTS.match(sender):
        return "automatic"
    said = _raw(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if said not in ("", "no") or message.get("X-Autoreply") or message.get("X-Autorespond"):
        return "automatic"
    if _raw(message, "X-Auto-Response-Suppress").strip() or message.get("X-Loop"):
        return "automatic"
    if _raw(message, "Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply"):
        return "automatic"
    return "list" if message.get("List-Id") or message.get("List-Unsubscribe") else ""


def _raw(message: Message, name: str) -> str:
    return str(message.get(name) or "")


def _value(message: Message, name: str) -> str:
    return _decoded(_raw(message, name)[:8000])


def _decoded(text: str) -> str:
    """A header in words: encoded words decoded, broken ones left as they are, in one line."""
    try:
        parts = email.header.decode_header(text)
    except (ValueError, email.errors.HeaderParseError):
        return one_way(one_line(text))
    words = "".join(_decode(part, charset) if isinstance(part, bytes) else part for part, charset in parts)
    return one_way(one_line(words.encode("utf-8", "replace").decode()))


def _decode(content: bytes, charset: str | None) -> str:
    """Bytes as text, whatever they say they are: what is wrong is replaced, nothing is raised."""
    for name in (charset, "utf-8", "cp1252"):
        try:
            text = content.decode(name) if name and name.lower() != "unknown-8bit" else None
        except (LookupError, ValueError):
            continue
        if text is not None:
            return text.replace("\0", "")
    return content.decode("latin-1").replace("\0", "")


def _fill(letter: Letter, message: Message) -> None:
    plain: list[str] = []
    rich: list[str] = []
    for number, part in enumerate(_parts(message)):
        if number >= PARTS_MAX:
            raise Unreadable("parts")
        if part.get_content_maintype() == "multipart":
            if not part.is_multipart():  # without a boundary its parts cannot be told apart: it is read as it stands
                plain.append(_text(part))
            continue
        kind, name = part.get_content_type(), _decoded(part.get_filename() or "")
        is_file = bool(name) or part.get_content_disposition() == "attachment"
        if kind in ("text/plain", "text/html") and not is_file:
            (plain if kind == "text/plain" else rich).append(_text(part))
        else:
            _keep(letter, part, kind, name)
    text = "\n".join(plain).strip() or html_to_text(_harmless("\n".join(rich)))
    letter.text = answer_in(text)


def _parts(message: Message) -> Iterator[Message]:
    """The mail and what it is made of. What a mail within the mail is made of, somebody else wrote."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += [one for one in reversed(cast("list[Any]", part.get_payload())) if isinstance(one, Message)]


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    text = _decode(content if isinstance(content, bytes) else b"", part.get_content_charset())[:TEXT_MAX]
    flowed = str(part.get_param("format", "")).lower() == "flowed"
    return re.sub(r"(?<!\n--) \n(?![> \n])", " ", text.replace("\r\n", "\n")) if flowed else text


def _harmless(html: str) -> str:
    """Without scripts, styles and pictures: nothing is ever fetched."""
    return nh3.clean(
        html, tags=_HTML_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"}, link_rel=None
    )


def _subject_within(part: Message) -> str:
    """What the mail within the mail is about; '' for everything else."""
    inner = part.get_payload(0) if part.get_content_maintype() == "message" and part.is_multipart() else None
    return _value(inner, "Subject") if isinstance(inner, Message) else ""


def _keep(letter: Letter, part: Message, kind: str, name: str) -> None:
    shown = name or ("winmail.dat" if kind == _OUTLOOK else _subject_within(part) or part.get_content_subtype())
    content = part.get_payload(decode=True)
    if kind == _OUTLOOK or name.lower() == "winmail.dat" or not isinstance(content, bytes):
        letter.dropped.append(shown)  # a wrapping of Outlook's, or a mail within the mail
        return
    is_inline = bool(part.get("Content-ID")) or part.get_content_disposition() == "inline"
    if not content or (kind.startswith("image/") and is_inline and len(content) < _SMALL):
        return
    try:
        clean = blobs.clean_filename(name or f"{kind.replace('/', '.')}")
    except Invalid:
        clean = f"datei.{part.get_content_subtype()}"
    if len(letter.files) >= FILES_MAX:
        letter.dropped.append(clean)
    else:
        letter.files.append(File(clean, kind, content))
