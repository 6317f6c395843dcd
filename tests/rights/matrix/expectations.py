"""What is expected: the tables, the routes that have no line in them, and what a contract wants otherwise.

A new route is one line in one of the tables; a new noun of the back office is a line for each page that somebody may
open. `test_matrix.py` prints the lines that are missing, filled in with what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from tests.rights.matrix.lines import Line, places_in, read
from tests.rights.matrix.routes import Route
from tests.rights.matrix.table_admin import NOUNS, PAGES
from tests.rights.matrix.table_admin_permissions import PERMISSIONS
from tests.rights.matrix.table_docms import DOCMS
from tests.rights.matrix.table_docms_people import DOCMS_PEOPLE
from tests.rights.matrix.table_docms_settings import DOCMS_SETTINGS
from tests.rights.matrix.table_docms_texts import TEXTS
from tests.rights.matrix.table_orgs import ORGS
from tests.rights.matrix.table_portal import PORTAL
from tests.rights.matrix.table_tickets import TICKETS
from tests.rights.matrix.world import ROLES

# Where somebody learns that a thing exists which is not theirs to see, because a contract has it so.
EXCEPTIONS = {
    "GET docms/api/v1/groups/<int:group_id>": "DOCMS-062: a group of the tenant one does not belong to is 401",
    "POST app/owner/<int:organization_id>/<str:token>": "ORGS-049: who is not invited is told so",
    **{
        line.name: "ORGS-008: an organization that exists is 403 to whoever has no access"
        for line in read(ORGS)
        if "organization_id" in line.keywords
    },
    # Of the folder, which they see. Nothing is told of the person: none is looked up before.
    **{line.name: "DOCMS-091: refused whomever the address names" for line in read(PERMISSIONS)},
}

# The line that says who sees what a keyword names. Whoever is refused elsewhere (403) must see it there.
SEEN_BY = {
    "file_id": "GET docms/api/v1/files/<int:file_id>",
    "folder_id": "GET docms/api/v1/folders/<int:folder_id>",
    "group_id": "GET docms/api/v1/groups/<int:group_id>",
    "user_id": "GET docms/api/v1/users/<int:user_id>",
    "document_id": "GET app/documents/<int:document_id>",
    "organization_id": "GET api/v1/organization/<str:organization_id>",
    "community_id": "GET app/c/<int:community_id>/",
    "id": "GET support/tickets/v1/<str:id>",
}

_BACK_OFFICE = ROLES[ROLES.index("elsewhere") :]
_OUTSIDE = {role: "in" if role == "anonymous" else "no" for role in ROLES if role not in _BACK_OFFICE}
_ROW = "<path:object_id>/"
# Which requests a page of a noun is.
_REQUESTS = {
    "list": [("GET", ""), ("POST", "")],
    "see": [("GET", f"{_ROW}change/"), ("GET", f"{_ROW}history/"), ("POST", f"{_ROW}history/")],
    "add": [("GET", "add/"), ("POST", "add/")],
    "change": [("POST", f"{_ROW}change/")],
    "delete": [("GET", f"{_ROW}delete/"), ("POST", f"{_ROW}delete/")],
    "redirect": [("GET", _ROW)],
}


def _nouns() -> Iterator[Line]:
    pages: dict[str, dict[str, list[str]]] = {}
    for text in NOUNS.strip().splitlines():
        words = text.partition("--")[0].split()
        if words:
            noun, page, *cells = words
            assert page in _REQUESTS and len(cells) == len(_BACK_OFFICE), text
            pages.setdefault(noun, {})[page] = cells
    for noun, lines in pages.items():
        assert {"list", "see"} <= lines.keys(), f"{noun} needs a line for its list and one for its rows"
        lines["redirect"] = ["+"] * len(_BACK_OFFICE)
        for page, requests in _REQUESTS.items():
            cells = _OUTSIDE | dict(zip(_BACK_OFFICE, lines.get(page, ["no"] * len(_BACK_OFFICE)), strict=True))
            for method, end in requests:
                yield Line(method, f"admin/{noun.replace('.', '/')}/{end}", cells=cells)


@cache
def lines() -> dict[str, Line]:
    """Every line by its name. The root, which has no name of its own, is written as ``/``."""
    doors = (PORTAL, DOCMS, DOCMS_SETTINGS, DOCMS_PEOPLE, TEXTS, ORGS, TICKETS, PAGES, PERMISSIONS)
    found = [*(line for table in doors for line in read(table)), *_nouns()]
    named = {line.name: line for line in found}
    assert len(named) == len(found), sorted(line.name for line in found if found.count(line) > 1)
    return named


def missing(routes: Iterable[Route]) -> list[Line]:
    """A line without expectations for each method of a route that has none."""
    known = {f"{line.method} {line.pattern}" for line in lines().values()}
    asked = [Line(method, route.pattern) for route in routes for method in route.methods]
    return [line for line in asked if line.name not in known]


def left_over(routes: Iterable[Route]) -> list[str]:
    """Lines of routes that are no more."""
    served = {(method, route.pattern) for route in routes for method in route.methods}
    return [name for name, line in lines().items() if (line.method, line.pattern) not in served]


def told() -> list[str]:
    """Where the tables have somebody refused who does not see the thing: its existence is told."""
    found = []
    for name, line in lines().items():
        for keyword in line.keywords:
            for role, cell in line.cells.items():
                refused = places_in(cell)[1]
                if refused - _sees(line, keyword, role):
                    found.append(f"{name} {role}: {cell}")
    return found


def _sees(line: Line, keyword: str, role: str) -> set[str]:
    """The places whose things a role sees; all of them where no line says so."""
    name = SEEN_BY.get(keyword, "")
    if keyword == "object_id":
        name = f"GET {line.pattern.partition(_ROW)[0]}{_ROW}change/"
    return places_in(lines()[name].cells[role])[0] if name in lines() else set("ABX")
