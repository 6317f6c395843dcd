"""The text of PDF files: read in a process with little memory, so that no file takes a worker along."""

from __future__ import annotations

import resource
import zlib
from typing import TYPE_CHECKING

import pytest

from docms import text_process
from docms.models import DocumentIndex
from docms.services import indexing
from tests.factories import folder, manual_group, publish

if TYPE_CHECKING:
    from docms.models import Document
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def pdf(*pages: bytes) -> bytes:
    """A PDF of pages with these content streams, packed."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, content in enumerate(pages):
        packed = zlib.compress(content, 9)
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>".encode(),
            f"<</Length {len(packed)}/Filter/FlateDecode>>stream\n".encode() + packed + b"\nendstream",
        ]
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    table = b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    tail = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(made)}\n%%EOF".encode()
    return made + head + table + tail


def saying(word: str, times: int = 1) -> bytes:
    """The content of a page."""
    return f"BT /F1 12 Tf 50 700 Td ({word}) Tj ET\n".encode() * times


def read(cast: Cast, content: bytes) -> tuple[Document, str]:
    """A paper of these bytes, and the text that the index has of it."""
    paper = publish(cast, folder(cast, group=manual_group(cast, "Alle", "renter")), content=content, filename="a.pdf")
    assert paper.mime == "application/pdf"
    assert indexing.index_content(paper.pk)
    return paper, DocumentIndex.objects.get(pk=paper.pk).text


def test_all_pages_are_read(cast: Cast) -> None:
    _paper, text = read(cast, pdf(saying("Heizung"), saying("Wasser")))
    assert text.split() == ["Heizung", "Wasser"]


def test_a_small_file_that_unpacks_to_gigabytes_takes_nobody_along(cast: Cast) -> None:
    """What was read before its page is kept, and this process has not grown."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = pdf(saying("Heizung"), saying("Wort", 4_000_000))
    assert len(content) < 1_000_000
    paper, text = read(cast, content)
    assert text.split() == ["Heizung"]
    assert not DocumentIndex.objects.get(pk=paper.pk).pending
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB; the file was made here
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert children * 1024 <= max(text_process.MEMORY, before * 1024)


def test_a_damaged_file_is_found_by_its_data(cast: Cast) -> None:
    _paper, text = read(cast, b"%PDF-1.4\nkaputt")
    assert text == ""


def test_one_that_takes_too_long_is_left(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PATIENCE", 0.01)
    _paper, text = read(cast, pdf(saying("Heizung")))
    assert text == ""
