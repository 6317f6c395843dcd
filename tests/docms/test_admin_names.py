"""Names that are taken, said at the field, in forms of the back office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from docms.services import labels
from tests.factories import folder, manual_group
from tests.fuzz.forms import as_it_stands
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.mark.parametrize("noun", ["folder", "group", "folderlabel", "labelsuggestion"])
def test_a_name_that_is_taken_is_an_error_at_the_name(cast: Cast, noun: str) -> None:
    client, url, actor = signed_in(cast.admin), f"/admin/docms/{noun}/add/", cast.actor("admin")
    with scope.unit_of_work(door="test"):
        where = folder(cast, "Beirat")
        manual_group(cast, "Beirat")
        labels.create_label(actor=actor, folder=where, name="Beirat", color="#123456")
        labels.create_suggestion(actor=actor, tenant_id=cast.tenant.pk, name="Beirat", color="#123456")
    sent: dict[str, Any] = as_it_stands(client.get(url).content.decode())
    refused = client.post(url, {**sent, "name": "BEIRAT", "color": "#123456", "folder": where.pk})
    assert refused.context["adminform"].form.errors.keys() == {"name"}


def test_beside_a_picker_nothing_is_deleted(cast: Cast) -> None:
    page = signed_in(cast.admin).get("/admin/docms/folder/add/").content.decode()
    assert "add_id_parent" in page
    assert "delete_id_parent" not in page
