"""Text as people sort it and as people search it. The database does neither alone: it may have no ICU."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Expression, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

if TYPE_CHECKING:
    from collections.abc import Iterable

_M = TypeVar("_M", bound=Model)
WORDS = 6  # of a name that are looked for

# Letters that do not decompose into a base letter and an accent.
_BASE_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_GAPS = re.compile(r"[\W_]+")
# Shown as nothing although Unicode calls them letters, marks, symbols or nothing yet: the default-ignorable ones and
# those whose glyph is empty (fillers of Hangul and Khmer, the joiner, selectors of variants, the empty Braille cell).
_SHOWN_AS_NOTHING = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LEFT_OUT = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_CONFIGS = ("simple", "german", "english")
# A tsvector holds one megabyte at most; a longer text is found by its beginning.
_INDEXED_BYTES = 200_000


def sort_key(text: str, length: int = 200) -> str:
    """The column a list is sorted by, as in DIN 5007-1: without case, ä as a, ß as ss."""
    return _plain(text.strip().casefold())[:length]


def _plain(text: str) -> str:
    """Lower case without accents."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_BASE_LETTERS)


# In SQL, and in both cases, because the database may lower ASCII alone.
_PLAIN_SQL = """lower(translate(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'),
                              'łŁøØđĐðÐı', 'llooddddi'))"""
for _letters, _two in (("ßẞ", "ss"), ("þÞ", "th"), ("æÆ", "ae"), ("œŒ", "oe")):
    for _letter in _letters:
        _PLAIN_SQL = f"replace({_PLAIN_SQL}, '{_letter}', '{_two}')"


class Plain(Func):
    """A text without case and accents, as `sort_key` makes it of what is looked for."""

    template = _PLAIN_SQL
    arity = 1
    output_field = TextField()


def holding(rows: QuerySet[_M], words: str, *texts: Any) -> QuerySet[_M]:
    """Of these rows those whose texts (columns or expressions) together hold all the words, each within a word, too.

    Case and accents do not matter: people write a neighbour's name as they hear it. The first six words count.
    """
    wanted = [word for word in map(sort_key, words.replace("\x00", " ").split()) if word][:WORDS]
    if not wanted:
        return rows
    parts = [part for text in texts for part in (text, Value(" "))]
    found: Any = rows.alias(_held=Plain(Concat(*parts, output_field=TextField())))
    held: QuerySet[_M] = found.filter(*(Q(_held__contains=word) for word in wanted))
    return held


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen: blanks of every script, control and format characters and fillers are nothing."""
    return all(unicodedata.category(c) in _UNSEEN or _SHOWN_AS_NOTHING.match(c) for c in text)


def one_way(text: str) -> str:
    """Without the characters that turn the direction of what follows: a stranger's subject would read as something else."""
    return _TURNS.sub("", text)


def unseen_gone(name: str) -> str:
    """A name without the characters that turn its direction or make two names of one for the eye. Joiners stay: scripts and
    emoji need them.
    """
    return _LEFT_OUT.sub("", name)


def like_escaped(text: str) -> str:
    """A text that stands for itself in a pattern of LIKE."""
    return re.sub(r"([\\\\%_])", r"\\\1", text)


def words_of(text: str) -> list[str]:
    """Runs of letters and digits without case: "Abrechnung_2024.pdf" is found by "2024", too.

    Composed first, because file names from macOS arrive with their accents apart.
    """
    return _GAPS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()


def spellings(words: Iterable[str]) -> list[str]:
    """How else somebody may write these words: without accents, and ä as ae. Only what differs, each once."""
    found: dict[str, None] = {}
    for word in words:
        if not word.isascii():
            found |= dict.fromkeys((_plain(word), _plain(word.translate(_UMLAUTS))))
            found.pop(word, None)
    return list(found)


def search_vector(title: str, text: str) -> Expression:
    """What a thing is found by: its title first (weight A), then what it says (weight D).

    Every word stands there as written and as German and English stem: a dictionary drops its stop words, and
    still all words of a text can be looked for. Words with accents stand there without them, too.
    """
    values = vector_values(title, text)
    found: Expression = RawSQL(*_placed(VECTOR, values), output_field=SearchVectorField())  # noqa: S611 - constant text
    return found


def vector_values(title: str, text: str) -> dict[str, str]:
    """The values of `VECTOR`."""
    head = _spelled(title)
    body = _spelled(text).encode()[:_INDEXED_BYTES].decode(errors="ignore")
    return {"head": head, "body": body, "both": f"{head} {body}"}


def _spelled(text: str) -> str:
    """Its words, and how else they may be written before them: the end of a long text is cut."""
    words = words_of(text)
    return " ".join((*spellings(words), *words))


# What `search_vector` says, for statements that are written out.
VECTOR = (
    "setweight(to_tsvector('simple'::regconfig, %(head)s), 'A') || setweight(to_tsvector('simple'::regconfig, %(body)s), 'D')"
    " || setweight(to_tsvector('german'::regconfig, %(both)s), 'D') || setweight(to_tsvector('english'::regconfig, %(both)s), 'D')"
)


def _placed(text: str, values: dict[str, str]) -> tuple[str, list[str]]:
    """With places instead of names."""
    names = re.findall(r"%\((\w+)\)s", text)
    return re.sub(r"%\(\w+\)s", "%s", text), [values[name] for name in names]


def names_vector(title: str, names: str, said: str) -> Expression:
    """What ranks a hit, short enough to be read for every hit: the title as written (A) and stemmed (B), the other names as
    written (C), then these stemmed and what else is said (D). A hit in none of them ranks lowest.
    """
    values = names_values(title, names, said)
    found: Expression = RawSQL(*_placed(NAMES, values), output_field=SearchVectorField())  # noqa: S611 - constant text
    return found


def names_values(title: str, names: str, said: str) -> dict[str, str]:
    """The values of `NAMES`."""
    head, named, more = (_spelled(text) for text in (title, names, said))
    return {"title": head, "names": named, "said": more, "all": f"{named} {more}"}


# What `names_vector` says, for statements that are written out.
NAMES = (
    "setweight(to_tsvector('simple'::regconfig, %(title)s), 'A') || setweight(to_tsvector('simple'::regconfig, %(names)s), 'C')"
    " || setweight(to_tsvector('simple'::regconfig, %(said)s), 'D')"
    " || setweight(to_tsvector('german'::regconfig, %(title)s), 'B') || setweight(to_tsvector('german'::regconfig, %(all)s), 'D')"
    " || setweight(to_tsvector('english'::regconfig, %(title)s), 'B') || setweight(to_tsvector('english'::regconfig, %(all)s), 'D')"
)


class WordsQuery(SearchQuery):
    """Words as the index has them, joined by ``&&`` or ``||``: one expression, written out.

    As a tree of Django's own, six expressions for each word, it took longer to put together than PostgreSQL takes to
    answer.
    """

    def __init__(self, words: tuple[str, ...], joint: str) -> None:
        super().__init__(" ".join(words), search_type="raw")
        self.words, self.joint = words, joint

    def as_sql(self, *_compiler: Any, **_options: Any) -> Any:  # lookups of Django want a list
        """The statement's text and its values. A language that has the same stem as one before it is left out: for each, the
        index gathers all rows of the whole installation that have the word, which for a frequent one is the time of a search.
        """
        texts, values = [], []
        for word in self.words:
            others = [f"{other}:*" for other in spellings([word])]
            texts.append(f"({_ONE_WORD}{_OTHERWISE * len(others)})")
            values += [f"{word}:*"] * _ONE_WORD.count("%s") + others
        return f"({f' {self.joint} '.join(texts)})", values


_SIMPLE, _GERMAN, _ENGLISH = (f"to_tsquery('{config}'::regconfig, %s)" for config in _CONFIGS)
_ONE_WORD = (
    f"{_SIMPLE} || coalesce(nullif({_GERMAN}, {_SIMPLE}), ''::tsquery)"
    f" || CASE WHEN {_ENGLISH} IN ({_SIMPLE}, {_GERMAN}) THEN ''::tsquery ELSE {_ENGLISH} END"
)
_OTHERWISE = f" || {_SIMPLE}"


def search_query(text: str, *, any_word: bool = False) -> WordsQuery | None:
    """All words (or any), each as the beginning of a word or of its stem. None when there is nothing to look for."""
    words = tuple(dict.fromkeys(words_of(text)))
    return WordsQuery(words, "||" if any_word else "&&") if words else None
