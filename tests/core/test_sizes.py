"""How big a file is, as people say it: the same words on pages and, while a file is on its way, in the browser."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation

from core import sizes
from docms.admin.documents import DocumentAdmin
from docms.models import Document

SAID = [
    ("de", None, "0 B"),
    ("de", 999, "999 B"),
    ("de", 1000, "1 kB"),
    ("de", 411_600, "412 kB"),
    ("de", 999_600, "1,0 MB"),
    ("de", 1_234_000, "1,2 MB"),
    ("de", 9_960_000, "10 MB"),
    ("de", 999_400_000, "999 MB"),
    ("de", 1_300_000_000, "1,3 GB"),
    ("en", 1_300_000_000, "1.3 GB"),
    ("pl", 1_300_000_000, "1,3 GB"),
    ("fr", 1_300_000_000, "1,3 Go"),
    ("fr", 512_000, "512 ko"),
    ("de", 3 * 10**15, "3000 TB"),
]


@pytest.mark.parametrize(("language", "size", "said"), SAID)
def test_a_size_is_said_in_powers_of_ten(language: str, size: int | None, said: str) -> None:
    with translation.override(language):
        assert sizes.readable(size) == said.replace(" ", "\u00a0")


def test_the_back_office_says_it_like_the_portal() -> None:
    paper = Document(size_bytes=1_300_000_000)
    with translation.override("de"):
        portal = Template("{% load quartier %}{{ paper.size_bytes|size }}").render(Context({"paper": paper}))
        assert DocumentAdmin.size(None, paper) == portal == "1,3\u00a0GB"  # type: ignore[arg-type]
