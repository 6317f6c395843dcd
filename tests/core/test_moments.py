"""How people say a moment, in each of the four languages."""

from __future__ import annotations

import datetime

import pytest
from django.utils.translation import override

from core import moments

NOW = datetime.datetime(2026, 11, 27, 15, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("language", "said"), [("de", "Mittwoch"), ("en", "Wednesday"), ("fr", "mercredi"), ("pl", "środa")]
)
def test_a_weekday_stands_within_a_line_as_each_language_writes_it(language: str, said: str) -> None:
    with override(language):
        assert moments.relative(NOW - datetime.timedelta(days=2), NOW) == said
