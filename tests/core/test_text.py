"""What of a text can be seen, and as what its words are looked for."""

from __future__ import annotations

import unicodedata

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Value

from core.text import Plain, WordsQuery, is_blank, like_escaped, search_query, sort_key


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\r\x00",
        "\u00a0\u1680\u2003\u202f\u205f\u3000",  # blanks of other scripts
        "\u2028\u2029\u0085",
        "\u200b\u200c\u200d\u200e\u202e\u2060\u2066\ufeff\u00ad\u180e\U000e0041",  # format characters
        "\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800",  # letters, marks and a symbol without a glyph
        "\u034f\u180b\ufe0f\U000e0100",  # joiner and selectors
        "\u2065\ufff0\U000e0fff",  # will be default-ignorable when they are given out
    ],
)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "\u200b.\u200b",
        "ㅎ",
        "한",
        "ក",
        "\u0301",
        "⠁",
        "ᠠ",
        "👩\u200d🔧",
        "❤\ufe0f",
        "\ufffd",
        "\ue000",
        "\U0001fadc",
        "—",
    ],
)
def test_what_shows_something_is_not(text: str) -> None:
    assert not is_blank(text)


def test_no_letter_of_an_alphabet_is_blank_but_the_fillers() -> None:
    unseen = {chr(n) for n in range(0x110000) if unicodedata.category(chr(n))[0] == "L" and is_blank(chr(n))}
    assert unseen == set("\u115f\u1160\u3164\uffa0")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Heizung", "'heizung':*"),
        ("Häuser", "'häuser':* | 'haus':* | 'hauser':* | 'haeuser':*"),
        ("houses", "'houses':* | 'hous':*"),
        ("der", "'der':*"),
        ("running Heizung", "( 'running':* | 'run':* ) & 'heizung':*"),
    ],
)
def test_a_stem_that_languages_share_is_looked_for_once(words: str, asked: str) -> None:
    query = search_query(words)
    assert isinstance(query, WordsQuery)
    statement, values = query.as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {statement}", values)
        assert cursor.fetchone() == (asked,)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["50 %", "a_b", "c:\\d", "\\%", "Ä"])
def test_a_text_in_a_pattern_stands_for_itself(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ILIKE %s, %s ILIKE %s", [text, like_escaped(text), "xx", like_escaped(text)])
        assert cursor.fetchone() == (True, False)


NAMES = [
    "Özdemir", "OEZDEMIR", "Łukasz Wąż", "ŁÓDŹ", "Hélène", "Helene\u0301", "Straße", "STRAẞE", "Ægir Þór Ðøm", "œuvre", "Đoković",
    "İpek ışık", "O'Brien-Smith", "100 %_\\", "ｆｕｌｌ", "ﬁnch", "",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_the_database_spells_names_as_the_words_are_that_are_looked_for(name: str) -> None:
    found = ContentType.objects.annotate(plain=Plain(Value(name))).values_list("plain", flat=True)
    assert found[0] == sort_key(name)
