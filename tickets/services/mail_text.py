"""The words of a mail without what they answer to and without the signature (TICKETS-063).

The library knows how programs of our four languages introduce a quotation. What it does not know stands here: lines of
GMX, web.de, Outlook and Polish programs, answers written below or between the quoted lines, and signatures, where
the library would take "Thanks, but it still drips" for one. Everything here looks at lines, once each.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mailparser_reply import EmailMessage

TEXT_MAX = 100_000  # characters of a mail that are looked at
_LINE_MAX = 500  # characters of a line that the library's patterns may see: longer ones are no heading of a quotation
_HEADING_LINES = 3  # over which programs fold "Am … schrieb …:"
_CLOSING_LINES = 8  # lines of a signature below a complimentary close
_LANGUAGES = ["de", "en", "fr", "pl"]

# "Am 3. März 2026 um 10:12 schrieb Anna <…>:", folded or not, and its like.
_WROTE = re.compile(
    r"^(Am\b.*\bschrieb\b.*:|.*\bhat am\b.*\bgeschrieben:|On\b.*\bwrote:|Le\b.*\ba [ée]crit\s*:|"
    r"(W dniu|Dnia|Dn\.|\w{1,4}\.?,? \d).*\b(napisa[łl]|napisa[łl]a|napisa[łl]\(a\)|pisze)\s*:|"
    r".*<[^<>@\s]+@[^<>\s]+> (schrieb|wrote|a [ée]crit|napisa[łl](\(a\)|a)?)\b.*:)\s*$",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"^(Am|On|Le|W dniu|Dnia)\b", re.IGNORECASE)
_RULE = re.compile(
    r"^\s*(-{2,}|_{2,})\s*(Urspr[üu]ngliche Nachricht|Original[- ]?Nachricht|Original Message|Message d.origine|"
    r"Wiadomo[śs][ćc] oryginalna|Oryginalna wiadomo[śs][ćc]|Weitergeleitete Nachricht|Forwarded message|Message transf[ée]r[ée])"
    r"\b.*$|^\s*_{20,}\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^\s*\**(Von|Gesendet|An|Betreff|Datum|From|Sent|To|Subject|Date|De|Envoy[ée]|[ÀA]|Objet|Od|Wys[łl]ano|Do|Temat|Data|"
    r"Cc|DW)\**\s*:\**\s*\S",
    re.IGNORECASE,
)
_FIRST_FIELD = re.compile(r"^\s*\**(Von|From|De|Od|Gesendet|Sent)\**\s*:", re.IGNORECASE)
_SENT_FROM = re.compile(
    r"^\s*(Von meinem? .{2,40} gesendet|Gesendet (von|mit|aus) .{2,60}|Diese Nachricht wurde von meinem .{2,60} gesendet.*|"
    r"Sent (from|with|using) .{2,60}|Get Outlook for .{2,60}|Outlook f[üu]r .{2,30}( herunterladen| abrufen)?.*|"
    r"Envoy[ée] (depuis|de|avec) .{2,60}|T[ée]l[ée]charger Outlook .{2,60}|Obtenir Outlook .{2,60}|"
    r"Wys[łl]an[oey] (z|ze) .{2,60}|Pobierz (program )?Outlook .{2,60})\s*$",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"^\s*((mit )?(freundlichen?|herzlichen?|besten?|vielen?|liebe[nr]?|sch[öo]nen?)( und \w+)? gr(ü|ue)(ß|ss)en?|gru(ß|ss)|mfg|lg|vg|"
    r"hochachtungsvoll|(kind|best|warm)( regards)?|regards|yours (sincerely|faithfully)|sincerely|cheers|"
    r"(bien |tr[èe]s )?cordialement|bien [àa] vous|salutations( distingu[ée]es)?|meilleures salutations|"
    r"bonne (journ[ée]e|soir[ée]e|r[ée]ception)|z powa[żz]aniem|(serdecznie )?pozdrawiam|pozdrowienia|z pozdrowieniami)\s*[,.!]?\s*$",
    re.IGNORECASE,
)


def answer_in(text: str) -> str:
    """What the sender has written; '' when there is nothing but quotation and signature."""
    lines = [line.rstrip() for line in text[:TEXT_MAX].replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    own = _without_quotation(lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_without_signature(own))).strip()


def _without_quotation(lines: list[str]) -> list[str]:
    start, end = _heading(lines)
    if start is None:
        return [line for line in lines if not _is_quoted(line)]
    above, below = lines[:start], lines[end:]
    own = [line for line in above if not _is_quoted(line)]
    quoted = [number for number, line in enumerate(below) if _is_quoted(line)]
    # Below a quotation marked with ">" stand answers, if any; without such marks nobody can tell, so all of it is quoted.
    if quoted and not "".join(own).strip():
        own += [line for line in below if not _is_quoted(line)]
    return own


def _heading(lines: list[str]) -> tuple[int | None, int]:
    """Where the introduction of the first quotation begins and ends."""
    found: tuple[int, int] | None = None
    for number, line in enumerate(lines):
        if end := _heading_at(lines, number, line):
            found = (number, end)
            break
    library = _by_library(lines[: found[0]] if found else lines)
    return library or found or (None, 0)


def _heading_at(lines: list[str], number: int, line: str) -> int:
    """The line after the introduction that begins here; 0 – none does."""
    bare = line.lstrip("> ").strip()[:_LINE_MAX]
    if _RULE.match(bare) or _WROTE.match(bare):
        return number + 1
    if _BEGINS.match(bare):
        for more in range(2, _HEADING_LINES + 1):
            joined = " ".join(part.lstrip("> ").strip() for part in lines[number : number + more])[:_LINE_MAX]
            if _WROTE.match(joined):
                return number + more
    if _FIRST_FIELD.match(bare):
        fields = [part for part in lines[number : number + 8] if _FIELD.match(part.lstrip("> "))]
        if len(fields) >= 3:
            return number + 1
    return 0


def _by_library(lines: list[str]) -> tuple[int, int] | None:
    short = "\n".join(line[:_LINE_MAX] for line in lines)
    match = _parser().HEADER_REGEX.search(short)
    if match is None:
        return None
    # "To: …, Date: …" alone may be part of what somebody tells us.
    if not _WROTE.match(" ".join(match.group().split())) and len(_FIELD_LINES.findall(match.group())) < 3:
        return None
    start = short[: match.start()].count("\n") + (1 if match.group().startswith("\n") else 0)
    return start, short[: match.end()].count("\n") + 1


_FIELD_LINES = re.compile(_FIELD.pattern, re.IGNORECASE | re.MULTILINE)


@lru_cache(maxsize=1)
def _parser() -> EmailMessage:
    return EmailMessage(text="", languages=list(_LANGUAGES), keep_hyphen_lists=True)


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _without_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if line.strip() == "--" or _SENT_FROM.match(line):
            lines = lines[:number]
            break
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    for number, line in enumerate(lines):
        below = [rest for rest in lines[number + 1 :] if rest.strip()]
        if number and _CLOSE.match(line) and len(below) <= _CLOSING_LINES and all(len(rest) <= 80 for rest in below):
            return lines[:number]
    return lines
