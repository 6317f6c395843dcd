"""Labels of folders and suggested ones: names in any case and any script, and what follows a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict, Denied, NotFound
from docms.models import Document, DocumentIndex, FolderLabel, LabelSuggestion
from docms.services import labels
from docms.services.documents import change_document
from tests.factories import folder, publish

if TYPE_CHECKING:
    from docms.models import Folder
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def label(cast: Cast, where: Folder, name: str) -> FolderLabel:
    """A label of the folder."""
    return labels.create_label(actor=cast.actor("admin"), folder=where, name=name, color="#123456")


def found_by(document: Document, word: str) -> bool:
    """Whether the index names the word for the document."""
    return word in DocumentIndex.objects.get(document=document).title


@pytest.mark.parametrize("twin", ["größe ł", "GRÖSSE Ł"])
def test_case_is_folded_in_every_script(cast: Cast, twin: str) -> None:
    where = folder(cast, "Eins")
    label(cast, where, "Größe Ł")
    with pytest.raises(Conflict) as refused:
        label(cast, where, twin)
    assert refused.value.code == "exists"
    assert labels.label_named(where, twin) == FolderLabel.objects.get()
    assert label(cast, folder(cast, "Zwei"), twin).folder != where  # each folder has its own


def test_lists_are_sorted_as_people_sort(cast: Cast) -> None:
    where = folder(cast, "Eins")
    for name in ("Zähler", "ärger", "Abrechnung", "zahlung", "Ölheizung"):
        label(cast, where, name)
    assert [found.name for found in labels.labels_of(where)] == [
        "Abrechnung", "ärger", "Ölheizung", "Zähler", "zahlung",
    ]  # fmt: skip


@pytest.mark.rule("DOCMS-140")
def test_a_renamed_label_is_found_by_its_new_name_alone(cast: Cast) -> None:
    where = folder(cast, "Eins")
    mine = label(cast, where, "Vertrag")
    document = publish(cast, where, label_name="vertrag")
    assert found_by(document, "vertrag")
    labels.change_label(actor=cast.actor("admin"), label=mine, changes={"name": "Police", "color": "#654321"})
    document.refresh_from_db()
    assert (document.label.name, document.label.color) == ("Police", "#654321")  # type: ignore[union-attr]
    assert (found_by(document, "police"), found_by(document, "vertrag")) == (True, False)


@pytest.mark.rule("DOCMS-140")
def test_a_deleted_label_leaves_its_documents_and_their_index(cast: Cast) -> None:
    where = folder(cast, "Eins")
    mine = label(cast, where, "Vertrag")
    document = publish(cast, where, label_name="Vertrag")
    labels.delete_label(actor=cast.actor("admin"), label=mine)
    document.refresh_from_db()
    assert document.label is None
    assert not found_by(document, "vertrag")
    with pytest.raises(NotFound):
        labels.delete_label(actor=cast.actor("admin"), label=mine)


def test_a_moved_document_takes_a_label_of_the_name_in_any_case(cast: Cast) -> None:
    here, there = folder(cast, "Eins"), folder(cast, "Zwei")
    label(cast, here, "Größe")
    other = label(cast, there, "GRÖSSE")
    document = publish(cast, here, label_name="Größe")
    change_document(actor=cast.actor("admin"), document=document, changes={"folder": there})
    document.refresh_from_db()
    assert document.label == other


def test_only_administrators_write(cast: Cast) -> None:
    where = folder(cast, "Eins")
    mine = label(cast, where, "Vertrag")
    suggested = labels.create_suggestion(
        actor=cast.actor("admin"), tenant_id=cast.tenant.pk, name="Notiz", color="#123456"
    )
    renter = cast.actor("renter")
    values = {"name": "Neu", "color": "#000000"}
    for attempt in (
        lambda: labels.create_label(actor=renter, folder=where, **values),
        lambda: labels.change_label(actor=renter, label=mine, changes=values),
        lambda: labels.delete_label(actor=renter, label=mine),
        lambda: labels.create_suggestion(actor=renter, tenant_id=cast.tenant.pk, **values),
        lambda: labels.change_suggestion(actor=renter, suggestion=suggested, changes=values),
        lambda: labels.delete_suggestion(actor=renter, suggestion=suggested),
    ):
        with pytest.raises(Denied):
            attempt()
    assert FolderLabel.objects.get().name == "Vertrag"
    assert LabelSuggestion.objects.get().name == "Notiz"


def test_suggestions_are_told_apart_in_any_case(cast: Cast) -> None:
    admin, tenant = cast.actor("admin"), cast.tenant.pk
    mine = labels.create_suggestion(actor=admin, tenant_id=tenant, name="Öl", color="#123456")
    with pytest.raises(Conflict):
        labels.create_suggestion(actor=admin, tenant_id=tenant, name="öl", color="#123456")
    labels.change_suggestion(actor=admin, suggestion=mine, changes={"name": "ÖL"})  # its own name in another case
    assert [found.name for found in LabelSuggestion.objects.all()] == ["ÖL"]
