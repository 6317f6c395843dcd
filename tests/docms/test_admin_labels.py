"""Labels in the back office: on the page of their folder, and those the tenant suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from docms.models import FolderLabel, LabelSuggestion
from docms.services import labels
from tests.factories import folder
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from docms.models import Folder
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
ADD = "/admin/docms/folderlabel/add/"


@pytest.fixture
def where(cast: Cast) -> Folder:
    return folder(cast, "Verträge")


def suggest(cast: Cast, name: str) -> LabelSuggestion:
    """Suggest a label."""
    return labels.create_suggestion(actor=cast.actor("admin"), tenant_id=cast.tenant.pk, name=name, color="#00AA00")


def links_of(client: Any, where: Folder) -> dict[str, str]:
    """Where the labels section of a folder's page leads."""
    sections = client.get(f"/admin/docms/folder/{where.pk}/change/").context["sections"]
    return {str(text): link for found in sections for text, link in found.links if link.startswith(ADD)}


def test_a_suggestion_is_taken_over_with_name_and_colour(cast: Cast, where: Folder) -> None:
    suggest(cast, "Police")
    client = signed_in(cast.admin)
    form = client.get(links_of(client, where)["+ Police"]).context["adminform"].form
    values = {name: form[name].value() for name in ("folder", "name", "color")}
    client.post(ADD, values)
    label = FolderLabel.objects.get()
    assert (label.folder, label.name, label.color) == (where, "Police", "#00AA00")
    assert "+ Police" not in links_of(client, where)


def test_a_taken_name_is_an_error_of_the_form(cast: Cast, where: Folder) -> None:
    labels.create_label(actor=cast.actor("admin"), folder=where, name="Größe", color="#123456")
    response = signed_in(cast.admin).post(ADD, {"folder": where.pk, "name": "GRÖSSE", "color": "#123456"})
    assert response.context["errors"]
    assert FolderLabel.objects.count() == 1


def test_a_label_is_renamed_and_deleted_on_its_page(cast: Cast, where: Folder) -> None:
    label = labels.create_label(actor=cast.actor("admin"), folder=where, name="Alt", color="#123456")
    client = signed_in(cast.admin)
    page = f"/admin/docms/folderlabel/{label.pk}/"
    client.post(f"{page}change/", {"name": "Neu", "color": "#654321", "expected_version": label.row_version})
    label.refresh_from_db()
    assert (label.name, label.color, label.folder) == ("Neu", "#654321", where)
    client.post(f"{page}delete/", {"post": "yes"})
    assert not FolderLabel.objects.exists()


def test_markup_in_names_is_text(cast: Cast, where: Folder) -> None:
    name = "<b>fett</b>"
    labels.create_label(actor=cast.actor("admin"), folder=where, name=name, color="#123456")
    suggest(cast, name)
    client = signed_in(cast.admin)
    for url in (
        f"/admin/docms/folder/{where.pk}/change/",
        "/admin/docms/folderlabel/",
        "/admin/docms/labelsuggestion/",
    ):
        text = client.get(url).content.decode()
        assert "&lt;b&gt;fett&lt;/b&gt;" in text
        assert name not in text


def test_suggestions_are_kept_by_administrators(cast: Cast) -> None:
    client = signed_in(cast.admin)
    client.post("/admin/docms/labelsuggestion/add/", {"name": "Notiz", "color": "#123456"})
    found = LabelSuggestion.objects.get()
    assert (found.tenant, found.name) == (cast.tenant, "Notiz")
    again = client.post("/admin/docms/labelsuggestion/add/", {"name": "notiz", "color": "#123456"})
    assert again.context["errors"]
    client.post(f"/admin/docms/labelsuggestion/{found.pk}/delete/", {"post": "yes"})
    assert not LabelSuggestion.objects.exists()


def test_the_lists_cost_the_same_for_one_and_three(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    costs: dict[str, list[int]] = {}
    for names in (["A"], ["B", "C"]):
        for name in names:
            suggest(cast, name)
            labels.create_label(actor=cast.actor("admin"), folder=where, name=name, color="#123456")
        for url in (
            "/admin/docms/folderlabel/",
            "/admin/docms/labelsuggestion/",
            f"/admin/docms/folder/{where.pk}/change/",
        ):
            costs.setdefault(url, []).append(queries_of(client, url))
    assert all(one == three for one, three in costs.values()), costs
