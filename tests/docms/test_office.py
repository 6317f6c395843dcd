"""The text of Office files: what is read, and what a hostile one does not get."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from core.services.sniff import sniff
from docms.models import Document, DocumentIndex
from docms.services import indexing, office
from tests.factories import folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://x/p"'
_O = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:text" xmlns:table="urn:table"'


def packed(parts: dict[str, str | bytes], *, mimetype: str = "") -> bytes:
    """A ZIP file of these parts, with the mark that the kind of Office needs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        if mimetype:
            file.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        else:
            file.writestr("[Content_Types].xml", "<Types/>")
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def docx(body: str, **more: str) -> bytes:
    """A text of Word; ``body`` is what stands in ``w:body``."""
    parts = {"word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>"}
    return packed({**parts, **{f"word/{name}.xml": content for name, content in more.items()}})


def paragraph(text: str) -> str:
    """One paragraph of Word."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def opendocument(kind: str, body: str) -> bytes:
    """A file of OpenDocument."""
    content = f"<office:document-content {_O}><office:body>{body}</office:body></office:document-content>"
    styles = "<x>Formatvorlage</x>"
    return packed({"content.xml": content, "styles.xml": styles}, mimetype=f"application/vnd.oasis.opendocument.{kind}")


def text_of(content: bytes, limit: int = 1000) -> str:
    """What is read of a file, whose kind is told as in an upload."""
    file = io.BytesIO(content)
    mime = sniff(file)
    assert mime in office.PARTS
    return office.office_text(file, mime, limit=limit)


def test_word() -> None:
    content = docx(
        paragraph("Wärme") + "<w:p><w:r><w:t>Heiz</w:t></w:r><w:r><w:t>kosten</w:t><w:tab/><w:t>2024</w:t></w:r></w:p>"
        "<w:p><w:del><w:r><w:delText>Gestrichen</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
        header1=f"<w:hdr {_W}>{paragraph('Kopfzeile')}</w:hdr>",
        footnotes=f"<w:footnotes {_W}>{paragraph('Fußnote')}</w:footnotes>",
        settings="<w><t>Einstellung</t></w>",
    )
    assert text_of(content).split() == ["Wärme", "Heizkosten", "2024", "Kopfzeile", "Fußnote"]


def test_excel() -> None:
    cells = (
        '<c t="s"><v>0</v></c><c t="inlineStr"><is><t>Wasser</t></is></c><c><v>4711</v></c><c t="str"><v>Summe</v></c>'
    )
    sheet = f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>"
    content = packed(
        {
            "xl/workbook.xml": "<workbook/>",
            "xl/worksheets/sheet10.xml": sheet.replace("4711", "4712"),
            "xl/worksheets/sheet2.xml": sheet,
            "xl/sharedStrings.xml": "<sst><si><t>Mieter</t></si><si><r><t>Eigen</t></r><r><t>tümer</t></r></si></sst>",
        }
    )
    cells_read = [["Wasser", number, "Summe"] for number in ("4711", "4712")]
    assert text_of(content).split() == ["Mieter", "Eigentümer", *cells_read[0], *cells_read[1]]


def test_powerpoint() -> None:
    def slide(text: str) -> str:
        return f"<p:sld {_A}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>"

    content = packed(
        {"ppt/presentation.xml": "<x/>", "ppt/slides/slide1.xml": slide("Sanierung"),
         "ppt/notesSlides/notesSlide1.xml": slide("Notiz"), "ppt/slides/_rels/slide1.xml.rels": slide("Verweis")}
    )  # fmt: skip
    assert text_of(content).split() == ["Sanierung", "Notiz"]


@pytest.mark.parametrize("kind", ["text", "spreadsheet", "presentation"])
def test_opendocument(kind: str) -> None:
    body = (
        "<text:tracked-changes><text:p>Gestrichen</text:p></text:tracked-changes>"
        "<text:h>Beschluss</text:h><text:p>Dach<text:span>rinne</text:span><text:s/>neu</text:p>"
    )
    assert text_of(opendocument(kind, body)).split() == ["Beschluss", "Dachrinne", "neu"]


def test_there_is_never_more_text_than_asked_for() -> None:
    assert len(text_of(docx(paragraph("a" * 90_000) * 20), limit=1000)) < 1000 + 90_000


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "UNPACKED_MAX", 200_000)
    bomb = docx(paragraph("Anfang") + "<w:x/>" * 1_000_000 + paragraph("Ende"))
    assert len(bomb) < 100_000
    assert text_of(bomb).split() == ["Anfang"]


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE d [<!ENTITY a "Geheim">]><d><t>&a;</t></d>',
        '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]><d><t>&a;</t></d>',
        "<d><t>",
        "\x00",
    ],
)
def test_hostile_and_damaged_xml_is_refused(document: str) -> None:
    with pytest.raises(office.UnreadableError):
        text_of(packed({"word/document.xml": document}))


def test_what_stands_before_the_damage_is_kept() -> None:
    assert text_of(packed({"word/document.xml": "<d><t>Noch da</t><"})).split() == ["Noch", "da"]


@pytest.mark.parametrize("limit", ["FILE_MAX", "DIRECTORY_MAX"])
def test_a_file_that_is_too_big_is_not_opened(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = docx(paragraph("Wort"))
    assert "Wort" in text_of(content)
    monkeypatch.setattr(office, limit, 10)
    with pytest.raises(office.UnreadableError):
        text_of(content)


def test_a_protected_part_is_refused() -> None:
    content = bytearray(docx(paragraph("Wort")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := content.find(mark, place + 1)) >= 0:
            content[place + at] |= 1
    with pytest.raises(office.UnreadableError):
        text_of(bytes(content))


# --- In the index ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (docx(paragraph("Mietspiegel")), "a.docx"),
        (
            packed({"xl/workbook.xml": "<x/>", "xl/sharedStrings.xml": "<sst><si><t>Mietspiegel</t></si></sst>"}),
            "a.xlsx",
        ),
        (packed({"ppt/presentation.xml": "<x/>", "ppt/slides/slide1.xml": "<s><t>Mietspiegel</t></s>"}), "a.pptx"),
        (opendocument("text", "<text:p>Mietspiegel</text:p>"), "a.odt"),
    ],
    ids=["docx", "xlsx", "pptx", "odt"],
)
def test_a_document_is_found_by_the_text_of_its_office_file(cast: Cast, content: bytes, filename: str) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    paper = publish(cast, where, content=content, filename=filename)
    hidden = publish(cast, folder(cast, "Andere"), content=content, filename=filename)
    assert DocumentIndex.objects.get(document=paper).pending
    assert indexing.index_content(paper.pk) and indexing.index_content(hidden.pk)
    assert list(Document.objects.search(cast.actor("renter"), "mietspiegel")) == [paper]


@pytest.mark.django_db
def test_a_damaged_office_file_stays_findable_by_its_data(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    content = packed({"word/document.xml": "<d><t>"})
    paper = publish(cast, where, content=content, filename="plan.docx", title="Lageplan")
    assert indexing.index_content(paper.pk)
    assert list(Document.objects.search(cast.actor("renter"), "lageplan")) == [paper]
    assert not DocumentIndex.objects.get(document=paper).pending
