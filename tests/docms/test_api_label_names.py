"""Names of labels over HTTP: what they may be made of."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.docms.door import Caller, make_folder

pytestmark = pytest.mark.django_db
COLOR = "#123456"


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x1bb", "a\x7fb"])
def test_labels_stand_on_one_line(admin: Caller, name: str) -> None:
    """A path that breaks a line leads nowhere, so such a label could be neither changed nor deleted (DOCMS-191)."""
    path = f"/folders/{make_folder(admin, 'F')}/labels"
    admin.ok("POST", path, {"name": "Vertrag", "color": COLOR})
    assert "name" in admin.refused("POST", path, 400, {"name": name, "color": COLOR})["message"]
    assert "name" in admin.refused("PUT", f"{path}/Vertrag", 400, {"name": name, "color": COLOR})["message"]
    assert admin.ok("GET", path) == [{"name": "Vertrag", "color": COLOR}]


@pytest.mark.parametrize("name", [".", "..", " .. "])
@pytest.mark.parametrize("suggested", [False, True])
def test_a_name_that_clients_take_out_of_paths_is_refused(admin: Caller, name: str, suggested: bool) -> None:
    path = "/label-suggestions" if suggested else f"/folders/{make_folder(admin, 'F')}/labels"
    assert "name" in admin.refused("POST", path, 400, {"name": name, "color": COLOR})["message"].lower()
    assert admin.ok("GET", path) == []


@pytest.mark.rule("DOCMS-186", "DOCMS-191")
@pytest.mark.parametrize("name", ["Größe Ł 😀", "a\u2028b", "Ende \\ %0A"])
def test_other_letters_do_come_back(admin: Caller, name: str) -> None:
    path = f"/folders/{make_folder(admin, 'F')}/labels"
    admin.ok("POST", path, {"name": name, "color": COLOR})
    assert admin.ok("GET", path) == [{"name": name, "color": COLOR}]
    admin.ok("DELETE", f"{path}/{quote(name, safe='')}")
    assert admin.ok("GET", path) == []
