"""Suggested labels over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from docms.models import LabelSuggestion
from tests.docms.door import Caller, cost_of, make_folder, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
PATH = "/label-suggestions"


def suggest(caller: Caller, name: str, color: str = "#123456") -> None:
    """Suggest a label."""
    caller.ok("POST", PATH, {"name": name, "color": color})


def test_every_member_gets_the_suggestions_by_name(cast: Cast, plain_admin: Caller, renter: Caller) -> None:
    for name in ("Vertrag", "Abrechnung", "Notiz"):
        suggest(plain_admin, name)
    suggest(signed_in(cast.stranger, cast.other_tenant), "Fremd")
    found = renter.ok("GET", PATH)
    assert found == [{"name": name, "color": "#123456"} for name in ("Abrechnung", "Notiz", "Vertrag")]


def test_only_administrators_write(admin: Caller, renter: Caller) -> None:
    suggest(admin, "Vertrag")
    for method, path in (("POST", PATH), ("PUT", f"{PATH}/Vertrag"), ("DELETE", f"{PATH}/Vertrag")):
        renter.refused(method, path, 403, None if method == "DELETE" else {"name": "Neu", "color": "#000000"})
    assert [label["name"] for label in renter.ok("GET", PATH)] == ["Vertrag"]


def test_a_name_is_taken_in_any_case(cast: Cast, admin: Caller) -> None:
    suggest(admin, "Vertrag")
    suggest(admin, "Notiz")
    for taken in ("vertrag", "VERTRAG"):
        admin.refused("POST", PATH, 409, {"name": taken, "color": "#000000"})
        admin.refused("PUT", f"{PATH}/Notiz", 409, {"name": taken, "color": "#000000"})
    admin.ok("PUT", f"{PATH}/vertrag", {"name": "VERTRAG", "color": "#000000"})  # its own
    suggest(signed_in(cast.stranger, cast.other_tenant), "Vertrag")
    assert [label["name"] for label in admin.ok("GET", PATH)] == ["Notiz", "VERTRAG"]


def test_wrong_names_and_colours_are_refused(admin: Caller) -> None:
    for wrong in (
        {"name": "", "color": "#123456"}, {"name": "x" * 101, "color": "#123456"}, {"name": "x"}, {"color": "#123456"},
        {"name": "x", "color": "rot"}, {"name": "x", "color": "#12345"}, {"name": None, "color": "#123456"},
        {"name": ["x"], "color": "#123456"}, [],
    ):  # fmt: skip
        admin.refused("POST", PATH, 400, wrong)
    assert not LabelSuggestion.objects.exists()


@pytest.mark.rule("DOCMS-191")
@pytest.mark.parametrize("name", ["Haus & Hof", "Größe Ł", "a/b", "100 %", "a%2Fb", "?#+;"])
def test_names_in_paths_are_decoded_once(admin: Caller, name: str) -> None:
    suggest(admin, name)
    path = f"{PATH}/{quote(name, safe='')}"
    admin.ok("PUT", path, {"name": name, "color": "#ABCDEF"})
    assert admin.ok("GET", PATH) == [{"name": name, "color": "#ABCDEF"}]
    twice = quote(quote(name, safe=""), safe="")
    admin.refused("DELETE", f"{PATH}/{twice}", 404)
    admin.ok("DELETE", path)
    assert admin.ok("GET", PATH) == []
    admin.refused("DELETE", path, 404)


def test_labels_of_folders_lead_their_own_life(admin: Caller) -> None:
    suggest(admin, "Vertrag")
    folder = make_folder(admin, "F")
    admin.ok("POST", f"/folders/{folder}/labels", {"name": "Vertrag", "color": "#123456"})
    admin.ok("PUT", f"{PATH}/Vertrag", {"name": "Anders", "color": "#000000"})
    admin.ok("DELETE", f"{PATH}/Anders")
    assert admin.ok("GET", f"/folders/{folder}/labels") == [{"name": "Vertrag", "color": "#123456"}]


def test_names_of_another_company_are_unknown(cast: Cast, admin: Caller) -> None:
    other = signed_in(cast.stranger, cast.other_tenant)
    suggest(other, "Fremd")
    admin.refused("PUT", f"{PATH}/Fremd", 404, {"name": "Meins", "color": "#000000"})
    admin.refused("DELETE", f"{PATH}/Fremd", 404)
    assert [label["name"] for label in other.ok("GET", PATH)] == ["Fremd"]


def test_the_list_costs_the_same_for_one_and_three(admin: Caller) -> None:
    suggest(admin, "A")
    one = cost_of(admin, PATH)
    suggest(admin, "B"), suggest(admin, "C")
    assert cost_of(admin, PATH) == one
