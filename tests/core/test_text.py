"""Words as they are looked for."""

from __future__ import annotations

import pytest
from django.db import connection

from core.text import WordsQuery, search_query


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Heizung", "'heizung':*"),
        ("Häuser", "'häuser':* | 'haus':*"),
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
