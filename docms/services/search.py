"""What a person is shown of a search: the hits marked, a piece of the text around them, and what was perhaps meant.

Whom it finds what for is decided in `docms.querysets`; nothing here widens it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.safestring import SafeString

from core.models import Blob
from core.planned import planned_cursor, sql_of
from core.text import spellings, words_of
from docms.models import Document
from docms.reach import hits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from docms.querysets import DocumentQuerySet
    from orgs.actor import Actor

BEFORE, LENGTH = 70, 220  # characters of a piece of text: before the hit, in all
MEANT = 5  # papers that a search without a hit proposes
# How close a word must be to a name, 0 to 1. PostgreSQL's own 0.6 misses a letter left out of a word of six.
CLOSENESS = 0.45

_LIKE = {
    "a": "äàáâãåą", "c": "çćč", "e": "éèêëę", "i": "íìîïy", "l": "ł", "n": "ñń", "o": "öóòôõø", "s": "śš",
    "u": "üúùûů", "y": "ýÿ", "z": "źżž",
}  # fmt: skip
_ACCENTS = "\u0300-\u036f"  # combining: file names from macOS have their accents apart
# What two letters may be written as.
_AS_ONE = {"ss": "[ßẞ]"} | {
    f"{a}e": f"(?:[{u}{u.upper()}]|[{a}{a.upper()}][{_ACCENTS}]+)" for a, u in (("a", "ä"), ("o", "ö"), ("u", "ü"))
}
_LETTER = rf"(?:[^\W_]|[{_ACCENTS}])"
_NO_LETTER = r"[^0-9A-Za-z\u00C0-\u024F]"
_GAP = re.compile(r"\s+")
_SINGLE = re.compile("|".join((*_AS_ONE, ".")))
_NOTHING = re.compile(r"(?!)")


def best_hits(
    folders: Mapping[int, bool],
    actor: Actor,
    words: str,
    *,
    choice: DocumentQuerySet[Any] | None = None,
    start: int = 0,
    limit: int,
) -> tuple[list[int], int]:
    """Ids of the documents that a search finds, in order, and the number of all hits; none and 0 beyond the last.

    By title first, then by what else is said of them, then by content, the newest of equals first. ``folders`` are those that
    `docms.reach.tree_of` says are reached, with whether there is ``read``; ``choice`` leaves of the hits what it finds, too.
    """
    found = hits(actor, folders, words)
    chosen = sql_of(choice.values("id")) if choice is not None else ("", ())
    if found is None or chosen is None:
        return [], 0
    among = f"WHERE hit.id IN ({chosen[0]})" if choice is not None else ""
    statement = f"SELECT hit.id, count(*) OVER () FROM ({found[0]}) AS hit {among} {_ORDER}"  # noqa: S608 - no value in it
    with connection.cursor() as cursor:  # planned anew: how many hold a word decides which index is read first
        cursor.execute(statement, [*found[1], *chosen[1], limit, start])
        rows = cursor.fetchall()
    return [pk for pk, _count in rows], rows[0][1] if rows else 0


# Of the documents only the short vector of names was read for the rank; the whole one, a hundred kilobytes of a long text,
# would have to be read for every hit.
_ORDER = "ORDER BY hit.rank DESC, hit.created_at DESC, hit.id DESC LIMIT %s OFFSET %s"


@dataclass(frozen=True)
class Marks:
    """How to mark the hits of one search in texts, and the pieces of text to show, by document."""

    hit: re.Pattern[str] = _NOTHING
    pieces: dict[int, str] = field(default_factory=dict)

    def marked(self, text: str) -> SafeString:
        """The text as HTML with ``<mark>`` around hits. It is escaped first: no markup of its own gets through."""
        at, parts = 0, []
        for found in self.hit.finditer(text):
            parts += [escape(text[at : found.start()]), "<mark>", escape(found.group()), "</mark>"]
            at = found.end()
        return SafeString("".join((*parts, escape(text[at:]))))

    def piece(self, document: Document) -> SafeString:
        """What to show of this document below its title; empty where no hit is outside the title and the label."""
        return self.marked(self.pieces.get(document.pk, ""))


def marks_of(documents: Iterable[Document], words: str, *, readable: Iterable[int]) -> Marks:
    """Prepare the marking of one page of hits: two queries, however many they are.

    ``readable`` are those whose content the person may open. Of others nothing is quoted that only stands in the
    content: they may know of the paper, not what it says (DOCMS-116).
    """
    wanted = words_of(words)
    forms = _forms([*wanted, *spellings(wanted)])
    if not forms:
        return Marks()
    spelled = "|".join(map(_spelled, sorted(forms, key=lambda form: (-len(form), form))))
    marks = Marks(re.compile(rf"(?<![^\W_])(?:{spelled}){_LETTER}*"))
    shown, open_to = list(documents), set(readable)
    quoted = [d.pk for d in shown if d.pk in open_to and d.current and d.current.blob.scan not in Blob.HELD]
    texts = _pieces(quoted, f"(?:^|{_NO_LETTER})(?:{spelled})")
    for document in shown:
        own = (document.description, texts.get(document.pk, ""), document.filename, document.identifier)
        for text in own if document.title else (*own[:2], own[3]):
            if found := marks.hit.search(text):
                marks.pieces[document.pk] = _around(text, found.start())
                break
    return marks


def _forms(words: list[str]) -> set[str]:
    """The words, and their stems as the index has them."""
    with planned_cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT form FROM unnest(%s::text[]) AS word, LATERAL unnest(
               ARRAY[word] || ts_lexize('german_stem', word) || ts_lexize('english_stem', word)) AS form""",
            [words],
        )
        return {form for (form,) in cursor.fetchall() if form}


def _spelled(form: str) -> str:
    """A form as a text may write it, in both cases, for Python's and PostgreSQL's regular expressions.

    Cases are written out because a database without ICU knows no other case of "Ä".
    """
    return "".join(_letters(letters) for letters in _SINGLE.findall(form))


def _letters(letters: str) -> str:
    """One letter, or two that some write as one: ss as ß, ae as ä."""
    if len(letters) == 1:
        return _letter(letters)
    return f"(?:{_letter(letters[0])}{_letter(letters[1])}|{_AS_ONE[letters]})"


def _letter(letter: str) -> str:
    alike = letter + _LIKE.get(letter, "")
    both = "".join(sorted({*alike, *(c.upper() for c in alike if len(c.upper()) == 1)}))
    return f"[{both}][{_ACCENTS}]*"


def _pieces(ids: list[int], pattern: str) -> dict[int, str]:
    """The text around the first hit in the content of each document; only documents the caller has found."""
    if not ids:
        return {}
    with planned_cursor() as cursor:
        cursor.execute(
            """SELECT document_id, substr(text, greatest(at - %s, 1), %s) FROM (
               SELECT document_id, text, regexp_instr(text, %s) AS at FROM docms_documentindex
               WHERE document_id = ANY(%s)) AS hits WHERE at > 0""",
            [2 * BEFORE, 3 * LENGTH, pattern, ids],
        )
        return dict(cursor.fetchall())


def _around(text: str, at: int) -> str:
    """A piece of the text with the hit in it, cut between words where there is a gap."""
    start = max(0, at - BEFORE)
    if start:
        gap = _GAP.search(text, start, at)
        start = gap.end() if gap else at
    end = min(len(text), start + LENGTH)
    if end < len(text):
        gaps = [gap.start() for gap in _GAP.finditer(text, at, end)]
        end = gaps[-1] if gaps else end
    piece = " ".join(text[start:end].split())
    return f"{'… ' if start else ''}{piece}{' …' if end < len(text) else ''}"


def meant(folders: Iterable[int], actor: Actor, words: str) -> list[Document]:
    """The visible papers of these folders that a search without a hit may have meant, the closest first."""
    with transaction.atomic():
        close = close_to(actor, words).filter(folder__in=folders)
        return list(close.closest_first(words).select_related("folder")[:MEANT])


def close_to(actor: Actor, words: str) -> DocumentQuerySet[Any]:
    """Visible papers that a mistyped search may have meant, to be asked for within this transaction, which goes by `CLOSENESS`
    from here on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(CLOSENESS)])
    return Document.objects.resembling(actor, words)
