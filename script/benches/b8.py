"""B8: a help desk of 500,000 tickets and 3,000,000 entries, asked through the support door with basic credentials.

Wanted: a filtered list of 25, a thread of 200 entries and a clerk's search at most twice the floor's p50 and p95 (the floor,
a bare Django view behind the same server, does the same work by hand-written SQL, sign-in and rights included); filing by
eight clients at least 0.4 of its rate, without a gap in the numbers; page 1,000 as fast as page 1; and of django-helpdesk
with the same rows, asked by the pages it has, 15 times the list, 50 times the thread and 2.5 times the filing.
`script/bench b8 -- 50000` asks for fewer.

The search is asked without a server, because its page is the back office's and the floor has no house around it.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import html
import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from script.benches._desk_search import SEARCHES
from script.benches._load import Request, Result, Round, race, table
from script.benches._stack import alternately, median
from script.benches._world import World
from script.embedded import ServerError
from script.embedded.postgres import OWNER
from script.tryout.folder import data_folder

HOUSES = {"communities": 50, "residents": 5_000, "folders": 500, "groups": 200, "documents": 0}
TICKETS, ENTRIES, CLIENTS, ROUNDS, FILED = 500_000, 6, 8, 7, 240
TICKETS_PATH = "/support/tickets/v1"
TEXT = "Der Wasserhahn tropft."


class HelpDesk(World):
    """The world with tickets."""

    def __init__(self, count: int) -> None:
        super().__init__(HOUSES)
        self.count = count
        filled_by = hashlib.sha256(str(count).encode())
        for name in ("_help_desk.py", "rivals/helpdesk_fill.py"):
            filled_by.update((Path(__file__).parent / name).read_bytes())
        self.folder = data_folder() / "bench" / f"{self.folder.name}-{filled_by.hexdigest()[:8]}"
        self.env["SUPPORT_RATE_LIMIT"] = "0"  # a bench asks faster than people

    def _build(self) -> None:
        super()._build()
        print(f"filing {self.count:,} tickets …", flush=True)
        self.python("-m", "script.benches._help_desk", str(self.count), str(ENTRIES))
        print("giving them to django-helpdesk …", flush=True)
        self.rival("fill")
        self.postgres.psql("CHECKPOINT")

    def rival(self, what: str) -> str:
        """See `rivals.helpdesk_fill`."""
        return self.python(
            "-m", "script.benches.rivals.helpdesk_fill", what, RIVAL_DATABASE_URL=self.postgres.url(OWNER)
        )


def main() -> None:
    """Question by question."""
    with HelpDesk(int(sys.argv[1]) if len(sys.argv) > 1 else TICKETS) as world:
        visitor = json.loads(world.python("-m", "script.benches._desk_visitor"))
        visitor["clerk"] = json.loads(world.rival("visitor"))
        product = world.gunicorn("config.wsgi")
        floor = world.gunicorn("script.benches.floor.wsgi", FLOOR_DATABASE_URL=world.postgres.url(OWNER))
        helpdesk = world.gunicorn("script.benches.rivals.helpdesk_wsgi", RIVAL_DATABASE_URL=world.postgres.url(OWNER))
        read(product, floor, helpdesk, visitor)
        deep(product, visitor)
        search(world)
        file(product, floor, helpdesk, visitor)
        no_gap(world, visitor)


def _basic(pair: list[str]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(pair).encode()).decode()}


def read(product: str, floor: str, helpdesk: str, visitor: dict[str, Any]) -> None:
    """List and thread, to which product and floor answer to the letter."""
    staff = _basic(visitor["staff"])
    questions = {
        "25 of the open tickets of a house": (
            f"{TICKETS_PATH}?locationRef={visitor['community']}&status=new,inProgress",
            f"/datatables_ticket_list/{_rival_query(visitor)}?draw=1&start=0&length=25",
        ),
        "thread of 200 entries": (f"{TICKETS_PATH}/{visitor['thread']}", f"/tickets/{visitor['thread_id']}/"),
    }
    for question, (path, of_rival) in questions.items():
        asked = {"Quartier": Request(product + path, staff), "floor": Request(floor + path, staff)}
        answers = [json.loads(request.ask()) for request in asked.values()]
        for answer in answers:
            for name in ("nextPageToken", "searchQueryNext"):
                answer.pop(name, None)
        if answers[0] != answers[1]:
            raise ServerError(f"{question}: the floor answers something else:\n{answers[0]}\n{answers[1]}"[:4000])
        print(f"\n### {question}\n")
        print(table(race(asked, rounds=ROUNDS, seconds=3, warm_up=2), base="floor"), flush=True)
        rival = Request(helpdesk + of_rival, visitor["clerk"])
        _same_as_rival(answers[0], rival.ask())
        both = {"django-helpdesk": rival, "Quartier": asked["Quartier"]}
        print(f"\n### {question}, against django-helpdesk\n")
        print(table(race(both, rounds=3, seconds=10, warm_up=5), base="Quartier"), flush=True)


def _rival_query(visitor: dict[str, Any]) -> str:
    """What its list page asks its server for: open tickets of a queue, newest first."""
    filters = {"queue__id__in": [visitor["community_id"]], "status__in": [1, 2]}
    asked = {"filtering": filters, "filtering_null": {}, "sorting": "created", "sortreverse": True, "search_string": ""}
    return base64.b64encode(json.dumps(asked).encode()).decode()


def _same_as_rival(answer: dict[str, Any], told: bytes) -> None:
    """Raise `ServerError` where it does not show the same tickets, or not all that was said."""
    if "tickets" in answer:
        ours = [datetime.datetime.fromisoformat(ticket["createDate"]) for ticket in answer["tickets"]]
        theirs = [datetime.datetime.fromisoformat(row["created"]) for row in json.loads(told)["data"]]
        same = ours == theirs
    else:
        said = [entry["data"]["text"] for entry in answer["activities"] if entry["type"] == "comment"]
        same = len(said) > 150 and all(html.escape(text) in html.unescape(told.decode()) for text in said)
    if not same:
        raise ServerError(f"django-helpdesk shows something else: {told[:2000]!r}")


def deep(product: str, visitor: dict[str, Any]) -> None:
    """Page 1,000 of the first house against page 1: nine a page, fewer where the house has fewer tickets.

    With ten it would be the last page, for which PostgreSQL makes a plan each time, because it expects fewer rows there than
    the plan that it keeps is made for.
    """
    staff = _basic(visitor["staff"])
    limit = max(1, min(9, visitor["count"] // 1100))
    pages = min(1000, visitor["count"] // limit - 1)
    first = f"{product}{TICKETS_PATH}?locationRef={visitor['community']}&limit={limit}"
    url = first
    for _page in range(pages - 1):
        url = f"{product}{TICKETS_PATH}?{json.loads(Request(url, staff).ask())['searchQueryNext']}"
    asked = {f"page {pages:,}": Request(url, staff), "page 1": Request(first, staff)}
    print(f"\n### page {pages:,} of {limit} tickets each\n")
    print(table(race(asked, rounds=ROUNDS, seconds=2, warm_up=1), base="page 1"), flush=True)


def search(world: HelpDesk) -> None:
    """The work list's first page of hits."""
    told = json.loads(world.python("-m", "script.benches._desk_search"))
    results = {name: Result(name, [Round(*figures) for figures in rounds]) for name, rounds in told["rounds"].items()}
    for name, words in SEARCHES.items():
        base = f"floor: {name}"
        print(f"\n### search without a server, {name}: “{words}” ({told['counts'][name]} found)\n")
        print(table({name: results[name], base: results[base]}, base=base), flush=True)


def file(product: str, floor: str, helpdesk: str, visitor: dict[str, Any]) -> None:
    """Tickets of one house filed by eight clients at once."""
    sent = {"ticket": {"locationRef": visitor["filing"], "text": TEXT}}
    to_rival = {"queue": visitor["filing_id"], "title": "Sonstiges", "description": TEXT, "priority": 3, "status": 1}
    headers = _basic(visitor["filer"])
    ours, bare, theirs = alternately(
        ROUNDS,
        lambda: _rate(product + TICKETS_PATH, sent, headers),
        lambda: _rate(floor + TICKETS_PATH, sent, headers),
        lambda: _rate(
            f"{helpdesk}/api/tickets/", to_rival | {"submitter_email": visitor["filer_email"]}, visitor["clerk"]
        ),
    )
    print(f"\n### filing by {CLIENTS} clients\n\n{median(ours):.0f} tickets a second")
    for name, others, wanted in (("floor", bare, 0.4), ("django-helpdesk", theirs, 2.5)):
        ratio = statistics.median(mine / other for mine, other in zip(ours, others, strict=True))
        print(f"{name} {median(others):.0f}: {ratio:.2f} (wanted: ≥ {wanted})", flush=True)


def _rate(url: str, sent: dict[str, Any], headers: dict[str, str]) -> float:
    """Tickets a second."""
    body, place = json.dumps(sent).encode(), urlsplit(url)

    def client(share: int) -> None:
        line = http.client.HTTPConnection(place.netloc, timeout=60)
        for _one in range(share):
            line.request("POST", place.path, body, headers | {"Content-Type": "application/json"})
            answer = line.getresponse()
            told = answer.read()
            if answer.status != 201:
                raise ServerError(f"{answer.status} {told[:300]!r}")
        line.close()

    begin = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, [FILED // CLIENTS] * CLIENTS))
    return FILED / (time.perf_counter() - begin)


def no_gap(world: World, visitor: dict[str, Any]) -> None:
    """The numbers of that house are 1, 2, 3 …"""
    told = world.postgres.psql(
        f"SELECT count(*), min(number), max(number) FROM tickets_ticket WHERE community_id = {visitor['filing_id']}", "quartier"
    )  # fmt: skip
    print(f"\nnumbers of the house (count, least, greatest): {told}")


if __name__ == "__main__":
    main()
