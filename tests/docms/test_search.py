"""Search word by word of what is promised: rights before counting, order, marking, stems, beginnings, mistakes."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import Blob
from core.services import rows
from docms import rules
from docms.models import Document, DocumentIndex, Folder, FolderLabel, FolderPermission
from docms.services import documents, folders, indexing, search
from docms.services.search import Marks, marks_of
from orgs.models import Membership
from tests.factories import folder, manual_group, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder that the renter and the owner reach."""
    return folder(cast, group=manual_group(cast, "Alle", "renter", "owner"))


def saying(cast: Cast, where: Folder, text: str, **values: Any) -> Document:
    """A paper whose content says this."""
    paper = publish(
        cast, where, content=text.encode() or b"leer", filename=values.pop("filename", "brief.txt"), **values
    )
    indexing.index_content(paper.pk)
    return Document.objects.select_related("current__blob", "label").get(pk=paper.pk)


def out_of_reach(cast: Cast, where: Folder, text: str, **values: Any) -> dict[str, Document]:
    """Papers that say the same and that the renter must not find: each for another reason."""
    now = timezone.now()
    group = manual_group(cast, "Verborgen", "renter")
    found = {
        "another folder": saying(cast, folder(cast, "Andere"), text, **values),
        "a hidden folder": saying(cast, folder(cast, "Verborgen", group, inactive_at=now - DAY), text, **values),
        "not yet": saying(cast, where, text, active_from=now + DAY, **values),
        "no longer": saying(cast, where, text, **values),
    }
    Document.objects.filter(pk=found["no longer"].pk).update(active_until=now - DAY)
    foreign = folders.create_folder(actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Fremd")
    values.pop("label_name", None)
    paper = documents.publish(
        actor=cast.actor("stranger"), folder=foreign, blob=stored(cast.other_tenant, text.encode()),
        filename=values.pop("filename", "brief.txt"), **values,
    )  # fmt: skip
    indexing.index_content(paper.pk)
    return found | {"another company": paper}


def hits(cast: Cast, words: str, who: str = "renter") -> list[Document]:
    """What this person finds, in order; the statement of the portal and the queryset of the API find the same."""
    actor = cast.actor(who)
    flags = rules.effective_many(actor, Folder.objects.visible_to(actor))
    ids, count = search.best_hits({pk: mine.read for pk, mine in flags.items()}, actor, words, limit=50)
    found = {paper.pk: paper for paper in Document.objects.search(actor, words)}
    assert found.keys() == set(ids)
    assert count == len(ids) == len(found)
    return [found[pk] for pk in ids]


# --- Rights ---------------------------------------------------------------------------------------------


@pytest.fixture
def may_not_read(cast: Cast) -> None:
    """The renter sees papers, and may not open them."""
    Membership.objects.filter(user=cast.renter, organization=cast.tenant).update(read_perm=False)


@pytest.mark.usefixtures("may_not_read")
@pytest.mark.rule("DOCMS-116")
@pytest.mark.parametrize("words", ["geheimnisvoll", "geheim", "Brief geheimnisvoll", "geheimnisvol brief"])
def test_who_may_not_read_a_paper_cannot_spell_it_out_by_searching(cast: Cast, where: Folder, words: str) -> None:
    saying(cast, where, "geheimnisvoll", title="Brief")
    assert hits(cast, words) == []
    assert search.meant([where.pk], cast.actor("renter"), words) == []
    assert len(hits(cast, words, "owner")) + len(search.meant([where.pk], cast.actor("owner"), words)) > 0


@pytest.mark.usefixtures("may_not_read")
@pytest.mark.rule("DOCMS-135")
@pytest.mark.parametrize(
    "words", ["Hausbrief", "notiz.txt", "AZ-4711", "Wichtig", "beschreibend", "hausbrief beschreib"]
)
def test_what_is_said_of_a_paper_is_found_by_everybody_who_sees_it(cast: Cast, where: Folder, words: str) -> None:
    FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Wichtig", color="#ff0000")
    said = {"title": "Hausbrief", "filename": "notiz.txt", "identifier": "AZ-4711", "description": "beschreibend"}
    paper = saying(cast, where, "geheimnisvoll", label_name="Wichtig", **said)
    assert hits(cast, words) == [paper]


def test_a_folder_permission_decides_whose_text_is_searched(cast: Cast, where: Folder) -> None:
    saying(cast, where, "geheimnisvoll", title="Hier")
    other = saying(cast, folder(cast, "Dort", manual_group(cast, "Andere", "renter")), "geheimnisvoll", title="Dort")
    membership = Membership.objects.get(user=cast.renter, organization=cast.tenant)
    FolderPermission.objects.create(tenant=cast.tenant, folder=where, membership=membership, active=True, read=False)
    assert hits(cast, "geheimnisvoll") == [other]


def test_only_what_may_be_seen_is_found_and_counted(cast: Cast, where: Folder) -> None:
    mine = saying(cast, where, "Hochwasserschutz")
    hidden = out_of_reach(cast, where, "Hochwasserschutz")
    assert DocumentIndex.objects.filter(text="Hochwasserschutz").count() == 1 + len(hidden)
    found = Document.objects.search(cast.actor("renter"), "hochwasserschutz")
    assert (found.count(), list(found)) == (1, [mine])
    assert Document.objects.search(cast.actor("guest"), "hochwasserschutz").count() == 0


# --- Order ----------------------------------------------------------------------------------------------


def test_a_title_ranks_over_other_names_and_these_over_text(cast: Cast, where: Folder) -> None:
    titled = saying(cast, where, "", title="Dachsanierung")
    stemmed = saying(cast, where, "", title="Dachsanierungen")
    named = saying(cast, where, "", title="Plan", identifier="Dachsanierung-7")
    text = saying(cast, where, "Dachsanierung " * 50, title="Protokoll")
    described = saying(cast, where, "", title="Notiz", description="Dachsanierung")
    found = hits(cast, "dachsanierung")
    assert set(found[:2]) == {titled, stemmed}
    assert found[2:] == [named, described, text]


def test_the_newest_of_equals_comes_first_and_the_id_decides_last(cast: Cast, where: Folder) -> None:
    papers = [saying(cast, where, "", title="Rundschreiben") for _ in range(4)]
    now = timezone.now()
    for paper, age in zip(papers, (2, 0, 1, 1), strict=True):
        Document.objects.filter(pk=paper.pk).update(created_at=now - age * DAY)
    assert hits(cast, "rundschreiben") == [papers[1], papers[3], papers[2], papers[0]]


def test_more_words_in_the_title_rank_higher(cast: Cast, where: Folder) -> None:
    both = saying(cast, where, "", title="Wartung Heizung")
    one = saying(cast, where, "Heizung", title="Wartung")
    assert hits(cast, "wartung heizung") == [both, one]


# --- Words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Die Rechnungen der Handwerker", "Rechnung"),
        ("Die Rechnung", "Rechnungen"),
        ("Neue Häuser", "Haus"),
        ("The meetings of the owners", "meeting owner"),
        ("All parties agreed", "party"),
        ("Wohnungseigentümerversammlung", "wohnungseig"),
        ("Straßenreinigung", "STRASSENREINIG"),
        ("Gebäude\u0308 und Stra\u00dfe", "strasse"),
        ("Zażółć gęślą jaźń", "zazolc"),
        ("Zażółć gęślą jaźń", "ZAŻÓLC"),
        ("Plan d’e\u0301te\u0301 de la résidence", "ete"),
        ("Heures d'ouverture du cafe", "café"),
        ("Die neuen Schlüssel liegen bereit", "schluessel"),
        ("Die Schluessel liegen bereit, schluckweise", "Schlüssel"),
        ("Der Schlu\u0308ssel liegt neben der Tür", "schluessel"),
        ("Aktuelle Preise, aktuliert", "aktuelle"),
    ],
)
def test_stems_and_beginnings_are_found_and_marked(cast: Cast, where: Folder, text: str, words: str) -> None:
    paper = saying(cast, where, text)
    saying(cast, where, "Etwas anderes")
    assert hits(cast, words) == [paper]
    shown = marks_of([paper], words, readable=[paper.pk]).piece(paper)
    assert shown.count("<mark>") == (2 if " " in words else 1)


def test_a_title_is_ranked_as_one_however_it_is_written(cast: Cast, where: Folder) -> None:
    titled = saying(cast, where, "", title="Übergabe der Schlüssel")
    saying(cast, where, "Die Uebergabe der Schluessel", title="Notiz")
    assert hits(cast, "uebergabe")[0] == titled


@pytest.mark.rule("DOCMS-135")
def test_a_renamed_label_is_found_by_its_new_name_only(cast: Cast, where: Folder) -> None:
    label = FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Eilig", color="#ff0000")
    paper = saying(cast, where, "Inhalt", label_name="Eilig")
    assert hits(cast, "eilig") == [paper]
    rows.change(label, {"name": "Dringend"})
    indexing.index(Document.objects.filter(pk=paper.pk).select_related("label"))
    assert (hits(cast, "eilig"), hits(cast, "dringend"), hits(cast, "inhalt")) == ([], [paper], [paper])


# --- Marking --------------------------------------------------------------------------------------------


def test_no_markup_of_a_document_gets_through(cast: Cast, where: Folder) -> None:
    evil = "Text <script>alert(1)</script> <mark>Heizung</mark> & <img src=x onerror=alert(1)>"
    paper = saying(cast, where, evil, title="<b>Heizung</b>", filename="a.txt")
    marks = marks_of([paper], "heizung script", readable=[paper.pk])
    assert marks.piece(paper) == (
        "Text &lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt; &lt;mark&gt;<mark>Heizung</mark>&lt;/mark&gt; "
        "&amp; &lt;img src=x onerror=alert(1)&gt;"
    )
    assert marks.marked(paper.title) == "&lt;b&gt;<mark>Heizung</mark>&lt;/b&gt;"
    assert Marks().marked(paper.title) == "&lt;b&gt;Heizung&lt;/b&gt;"


def test_a_piece_shows_the_words_around_the_hit_however_far_in_it_is(cast: Cast, where: Folder) -> None:
    paper = saying(cast, where, "davor " * 20_000 + "die Legionellenprüfung wurde bestellt " + "danach " * 1000)
    shown = marks_of([paper], "legionellen", readable=[paper.pk]).piece(paper)
    assert shown.startswith("… davor ") and shown.endswith(" danach …")
    assert "die <mark>Legionellenprüfung</mark> wurde bestellt" in shown
    assert len(shown) <= search.LENGTH + len("… <mark></mark> …")


def test_a_word_without_gaps_is_cut(cast: Cast, where: Folder) -> None:
    paper = saying(cast, where, "x" * 5000)
    assert 0 < len(marks_of([paper], "xxx", readable=[paper.pk]).piece(paper)) < 300


def test_the_middle_of_a_word_is_no_hit(cast: Cast, where: Folder) -> None:
    paper = saying(cast, where, "Warmwasser und Wasser")
    assert marks_of([paper], "wasser", readable=[paper.pk]).piece(paper) == "Warmwasser und <mark>Wasser</mark>"


def test_nothing_is_quoted_from_content_that_may_not_be_opened(cast: Cast, where: Folder) -> None:
    paper = saying(cast, where, "Geheimer Betrag 4711", description="Ein Betrag")
    assert "4711" in marks_of([paper], "4711", readable=[paper.pk]).piece(paper)
    assert marks_of([paper], "4711", readable=[]).piece(paper) == ""
    assert marks_of([paper], "betrag", readable=[]).piece(paper) == "Ein <mark>Betrag</mark>"


def test_nothing_is_quoted_from_content_that_is_held(cast: Cast, where: Folder) -> None:
    paper = saying(cast, where, "Schadcode")
    paper.current.blob.scan = Blob.Scan.INFECTED
    assert marks_of([paper], "schadcode", readable=[paper.pk]).piece(paper) == ""


def test_file_name_and_identifier_are_shown_where_only_they_were_hit(cast: Cast, where: Folder) -> None:
    named = saying(cast, where, "", title="Brief", filename="Abrechnung_2024.txt")
    numbered = saying(cast, where, "", title="Brief", identifier="Abrechnung-9")
    marks = marks_of([named, numbered], "abrechnung", readable=[])
    assert marks.piece(named) == "<mark>Abrechnung</mark>_2024.txt"
    assert marks.piece(numbered) == "<mark>Abrechnung</mark>-9"


@pytest.mark.parametrize("words", ["", " .*+?()[]{}|\\^$ ", "a\\mb", "'; --", "(?i)x"])
def test_signs_of_regular_expressions_are_no_danger(cast: Cast, where: Folder, words: str) -> None:
    paper = saying(cast, where, "a.b (c) x", title="T")
    marks_of([paper], words, readable=[paper.pk])


def test_marking_costs_two_queries_however_many_papers_there_are(cast: Cast, where: Folder) -> None:
    for count in (1, 3):
        papers = [saying(cast, where, "Wasser", title=f"P{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            marks = marks_of(papers, "wasser", readable=[p.pk for p in papers])
        assert len(queries) == 2
        assert all("<mark>Wasser</mark>" in marks.piece(p) for p in papers)


# --- Mistyped -------------------------------------------------------------------------------------------


def meant(cast: Cast, words: str, who: str = "renter") -> list[Document]:
    """What is proposed to this person, whatever the folder."""
    return search.meant(Folder.objects.values_list("pk", flat=True), cast.actor(who), words)


@pytest.mark.parametrize("words", ["Hausordnnug", "hausornung", "Hausordnungg", "Haus0rdnung", "Hausordnnug 2024"])
def test_a_mistyped_search_proposes_what_resembles_it(cast: Cast, where: Folder, words: str) -> None:
    paper = saying(cast, where, "", title="Hausordnung", identifier="2024")
    saying(cast, where, "2024", title="Wirtschaftsplan")
    assert hits(cast, words) == []
    assert meant(cast, words) == [paper]


def test_file_names_and_labels_are_compared_too(cast: Cast, where: Folder) -> None:
    FolderLabel.objects.create(tenant=cast.tenant, folder=where, name="Versicherung", color="#ff0000")
    named = saying(cast, where, "", title="x", filename="Energieausweis.txt")
    labelled = saying(cast, where, "", title="y", label_name="Versicherung")
    assert (meant(cast, "Energeiausweis"), meant(cast, "Versicherng")) == ([named], [labelled])


def test_a_proposal_never_names_what_is_out_of_reach(cast: Cast, where: Folder) -> None:
    assert len(out_of_reach(cast, where, "", title="Hausordnung")) == 5
    assert meant(cast, "Hausordnnug") == meant(cast, "Hausordnnug 2024") == []
    mine = saying(cast, where, "2024", title="Hausordnung")
    assert meant(cast, "Hausordnnug") == meant(cast, "Hausordnnug 2024") == [mine]
    assert meant(cast, "Hausordnnug", "guest") == []


def test_the_closest_is_proposed_first_and_no_more_than_five(cast: Cast, where: Folder) -> None:
    far = saying(cast, where, "", title="Mietvertragsende")
    near = [saying(cast, where, "", title="Mietvertrag") for _ in range(search.MEANT)]
    assert meant(cast, "Mietvetrag") == near[::-1]
    for paper in near[1:]:
        documents.delete_document(actor=cast.actor("admin"), document=paper)
    assert meant(cast, "Mietvetrag") == [near[0], far]


@pytest.mark.parametrize("words", ["", "   ", "%", "\\", "a " * 100])
def test_a_proposal_for_nonsense_is_nothing(cast: Cast, where: Folder, words: str) -> None:
    saying(cast, where, "", title="Hausordnung")
    assert meant(cast, words) == []
