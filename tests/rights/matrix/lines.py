"""What a line of the matrix says, and what was measured in the same words.

A cell says what one role is answered::

    +        yes, whatever id is named (2xx, or a redirect to anywhere but the sign-in)
    in       sign in first (401, or a redirect there)
    no       refused (403)
    -        does not exist (404)
    405      that status
    AB       yes for the ids of house A and B; what is not named does not exist for this role (404)
    Ab       yes for those of A; those of B are seen, but this is refused (403)
    Ab409    the same, refused with 409
    AB!400   what does not exist for this role is answered 400: an unknown id in a body
    A!200    what does not exist is silently left out of the answer

Whatever is answered like an id that names nothing is answered so byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.rights.matrix import payloads, routes
from tests.rights.matrix.asking import Answer, ask
from tests.rights.matrix.world import HOMES, ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.rights.matrix.world import World

_GROUP = re.compile(r"([A-Z])|([a-z]+)(\d{3})?")


@dataclass(frozen=True)
class Line:
    """One method of one route, perhaps with a query or a payload of its own, and a cell for each role."""

    method: str
    pattern: str
    variant: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return f"{self.method} {self.pattern}{self.variant}"

    @property
    def keywords(self) -> tuple[str, ...]:
        """Names of the ids in the path."""
        return routes.keywords(self.pattern)

    @property
    def query(self) -> str:
        """What stands behind the address."""
        return self.variant if self.variant.startswith("?") else ""

    @property
    def payload(self) -> Any:
        """What is sent."""
        named = payloads.PAYLOADS.get(self.name)
        return payloads.PAYLOADS.get(f"{self.method} {self.pattern}") if named is None else named

    @property
    def named(self) -> tuple[str, ...]:
        """Keywords of the query and the payload."""
        return payloads.named_in([self.query, self.payload])

    def written(self, cells: Mapping[str, str]) -> str:
        """A line of the table."""
        return f"{self.name:<78} " + " ".join(f"{cells.get(role, '?'):<6}" for role in ROLES).rstrip()


def read(table: str) -> Iterator[Line]:
    """The lines of a table: method, route, then a cell for each role. ``--`` begins a comment."""
    for text in table.strip().splitlines():
        words = text.partition("--")[0].split()
        if not words:
            continue
        method, route, *cells = words
        assert len(cells) == len(ROLES), f"{len(cells)} cells instead of {len(ROLES)}: {text}"
        yield Line(method, *_split(route), dict(zip(ROLES, cells, strict=True)))


def _split(route: str) -> tuple[str, str]:
    found = re.search(r"#\w+$|\?[\w=&{}%-]+$", route)
    return (route[: found.start()], found[0]) if found else (route, "")


@dataclass
class Measured:
    """What one role was answered: the cell, and what is wrong with the answers whatever the table says."""

    cell: str
    asked: int
    wrong: list[str]


# Whose ids a role names: those of the three places, and 0, which is nobody's.
_EVERYWHERE = dict.fromkeys(ROLES, "AX0") | {"anonymous": "A0", "renter": "ABX0", "elsewhere": "ABX0", "staff": "ABX0"}
# In the back office each role asks for what tells it from the others. It turns residents away before it looks at the
# address: the renter names what does not exist as well, the others see no page of what they live in.
_BACK_OFFICE = dict.fromkeys(ROLES, "A0") | {"anonymous": "A", "staff": "AB0", "admin": "AX0"}


def places_asked(line: Line, role: str) -> str:
    """Whose ids a role names. Where the table expects one answer for all, it is enough that an id that names nothing
    gets the same one; a method that a view does not know is refused before anything else, so three roles try."""
    asked = _EVERYWHERE[role]
    if line.pattern.startswith("admin/") and not line.pattern.startswith("admin/uploads/"):
        asked = _BACK_OFFICE[role]
        if role in ("owner", "additional", "household", "former"):
            asked = "A" if line.method == "GET" else ""
    cell = line.cells.get(role, "")
    if cell == "405":
        return "A" if role in ("anonymous", "renter", "admin") else ""
    if cell in ("in", "no", "+") or cell.isdigit():
        home = HOMES.get(role, "A")
        return (home if home in asked else asked[:1]) + ("0" if "0" in asked else "")
    return asked


def measure(world: World, line: Line, role: str) -> Measured:
    """Ask for the ids of each place and of none, and compare."""
    asked = places_asked(line, role)
    if not asked:
        return Measured(line.cells.get(role, "?"), 0, [])
    questions = {place: _question(world, line, role, place) for place in asked}
    if len({repr(question) for question in questions.values()}) == 1:
        answer = _ask(world, line, role, questions[asked[0]])
        return Measured(_word(answer), 1, _errors({"": answer}))
    answers = {place: _ask(world, line, role, question) for place, question in questions.items()}
    unknown = answers.pop("0")
    wrong, seen = _errors(answers | {"nowhere": unknown}), {}
    for place, answer in answers.items():
        problem = answer.differs(unknown)
        # Of two successes the one that is meant to show more has shown something.
        shows = problem and answer.status < 400 and expects(line.cells.get(role, ""), place)
        if shows or answer.status != unknown.status:
            seen[place] = answer
        elif problem:
            wrong.append(f"{place} is told from what does not exist: {problem}")
    swapped = list(_swapped(world, line, role))
    wrong += [problem for problem in swapped if problem]
    return Measured(_cell(seen, unknown), len(questions) + 2 * len(swapped), wrong)


def _question(world: World, line: Line, role: str, place: str, **other: Any) -> tuple[str, Any, tuple[object, ...]]:
    values = {**world.values(line.pattern, role, place), **other}
    # Where a query or a payload is what the line is about, the path names what is one's own.
    own = world.values(line.pattern, role, HOMES.get(role, "A")) if line.variant else values
    query = re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), line.query)
    path = routes.address(line.pattern, own) + query
    return path, payloads.filled(line.payload, values), tuple(values[name] for name in line.named)


def _ask(world: World, line: Line, role: str, question: tuple[str, Any, tuple[object, ...]]) -> Answer:
    path, payload, named = question
    return ask(world, role, line.method, path, payload, named=named)


def _swapped(world: World, line: Line, role: str) -> Iterator[str]:
    """Where a path names several things: one of them foreign or unknown, the others one's own."""
    home, foreign = HOMES.get(role, "A"), "A" if role == "other" else "X"
    if line.variant or home not in places_asked(line, role) or role in ("anonymous", "operator"):
        return
    own, theirs, none = (world.values(line.pattern, role, place) for place in (home, foreign, "0"))
    names = [name for name in routes.keywords(line.pattern) if own[name] != none[name]]
    if len(names) < 2:
        return
    for name in names:
        if theirs[name] == own[name] or (name == "organization_id" and line.pattern.startswith("api/v1/")):
            continue  # ORGS-008 tells an organization that exists from an unknown one
        one, other = (
            _ask(world, line, role, _question(world, line, role, home, **{name: values[name]}))
            for values in (theirs, none)
        )
        problem = one.differs(other)
        yield f"a foreign {name} is told from an unknown one: {problem}" if problem else ""


def _errors(answers: Mapping[str, Answer]) -> list[str]:
    return [f"{place}: status {a.status}" for place, a in answers.items() if a.status >= 500]


def _word(answer: Answer) -> str:
    if answer.leads_to_sign_in:
        return "in"
    if answer.status < 400:
        return "+"
    return {403: "no", 404: "-"}.get(answer.status, str(answer.status))


def _cell(seen: Mapping[str, Answer], unknown: Answer) -> str:
    if not seen:
        return _word(unknown)
    cell, refused = "", {}
    for place, answer in seen.items():
        if _word(answer) == "+":
            cell += place
        else:
            refused.setdefault(answer.status, []).append(place.lower())
    for status, places in sorted(refused.items()):
        cell += "".join(places) + ("" if status == 403 else str(status))
    return cell + ("" if unknown.status == 404 else f"!{unknown.status}")


def places_in(cell: str) -> tuple[set[str], set[str]]:
    """The places a cell says yes for, and those it refuses."""
    if cell in ("-", "in", "no", "+") or cell.isdigit():
        return set(), set()
    yes, refused = set(), set()
    for upper, lower, _status in _GROUP.findall(cell.partition("!")[0]):
        yes |= {upper} - {""}
        refused |= set(lower.upper())
    return yes, refused


def expects(cell: str, place: str) -> bool:
    """Whether a cell says yes for the ids of a place."""
    return place in places_in(cell)[0]
