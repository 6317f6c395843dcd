"""B8: a help desk of 500,000 tickets and 3,000,000 entries, asked through the support door with basic credentials.

Wanted: a filtered list of 25 and a thread of 200 entries at most twice the floor's p50 and p95 (the floor, a bare Django
view behind the same server, does the same work by hand-written SQL, sign-in and rights included); filing by eight clients
at least 0.4 of its rate, without a gap in the numbers; page 1,000 as fast as page 1. `script/bench b8 -- 50000` asks for fewer.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from script.benches._load import Request, race, table
from script.benches._stack import alternately, median
from script.benches._world import World
from script.embedded import ServerError
from script.embedded.postgres import OWNER
from script.tryout.folder import data_folder

HOUSES = {"communities": 50, "residents": 5_000, "folders": 500, "groups": 200, "documents": 0}
TICKETS, ENTRIES, CLIENTS, ROUNDS, FILED = 500_000, 6, 8, 5, 400
TICKETS_PATH = "/support/tickets/v1"


class HelpDesk(World):
    """The world with tickets."""

    def __init__(self, count: int) -> None:
        super().__init__(HOUSES)
        self.count = count
        filled_by = hashlib.sha256(f"{count}{Path(__file__).with_name('_help_desk.py').read_text()}".encode())
        self.folder = data_folder() / "bench" / f"{self.folder.name}-{filled_by.hexdigest()[:8]}"
        self.env["SUPPORT_RATE_LIMIT"] = "0"  # a bench asks faster than people

    def _build(self) -> None:
        super()._build()
        print(f"filing {self.count:,} tickets …", flush=True)
        self.python("-m", "script.benches._help_desk", "fill", str(self.count), str(ENTRIES))
        self.postgres.psql("CHECKPOINT")


def main() -> None:
    """Question by question."""
    with HelpDesk(int(sys.argv[1]) if len(sys.argv) > 1 else TICKETS) as world:
        visitor = json.loads(world.python("-m", "script.benches._help_desk", "visitor"))
        product = world.gunicorn("config.wsgi")
        floor = world.gunicorn("script.benches.floor.wsgi", FLOOR_DATABASE_URL=world.postgres.url(OWNER))
        read(product, floor, visitor)
        deep(product, visitor)
        file(product, floor, visitor)
        no_gap(world, visitor)


def _basic(pair: list[str]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(pair).encode()).decode()}


def read(product: str, floor: str, visitor: dict[str, Any]) -> None:
    """List and thread, which both answer to the letter."""
    staff = _basic(visitor["staff"])
    questions = {
        "25 of the open tickets of a house": f"{TICKETS_PATH}?locationRef={visitor['community']}&status=new,inProgress",
        "thread of 200 entries": f"{TICKETS_PATH}/{visitor['thread']}",
    }
    for question, path in questions.items():
        asked = {"Quartier": Request(product + path, staff), "floor": Request(floor + path, staff)}
        answers = [json.loads(request.ask()) for request in asked.values()]
        for answer in answers:
            for name in ("nextPageToken", "searchQueryNext"):
                answer.pop(name, None)
        if answers[0] != answers[1]:
            raise ServerError(f"{question}: the floor answers something else:\n{answers[0]}\n{answers[1]}"[:4000])
        print(f"\n### {question}\n")
        print(table(race(asked, rounds=ROUNDS, seconds=3, warm_up=2), base="floor"))


def deep(product: str, visitor: dict[str, Any]) -> None:
    """Page 1,000 of the first house, ten a page, against page 1."""
    staff = _basic(visitor["staff"])
    first = f"{product}{TICKETS_PATH}?locationRef={visitor['community']}&limit=10"
    pages, url = min(1000, visitor["count"] // 10 - 1), first
    for _page in range(pages - 1):
        url = f"{product}{TICKETS_PATH}?{json.loads(Request(url, staff).ask())['searchQueryNext']}"
    asked = {f"page {pages:,}": Request(url, staff), "page 1": Request(first, staff)}
    print(f"\n### page {pages:,} of ten\n")
    print(table(race(asked, rounds=ROUNDS, seconds=2, warm_up=1), base="page 1"))


def file(product: str, floor: str, visitor: dict[str, Any]) -> None:
    """Tickets of one house filed by eight clients at once."""
    body = json.dumps({"ticket": {"locationRef": visitor["community"], "text": "Der Wasserhahn tropft."}}).encode()
    headers = _basic(visitor["renter"]) | {"Content-Type": "application/json"}

    def rate(url: str) -> float:
        def client(share: int) -> None:
            line = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=60)
            for _one in range(share):
                line.request("POST", TICKETS_PATH, body, headers)
                answer = line.getresponse()
                told = answer.read()
                if answer.status != 201:
                    raise ServerError(f"{answer.status} {told[:300]!r}")
            line.close()

        begin = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(client, [FILED // CLIENTS] * CLIENTS))
        return FILED / (time.perf_counter() - begin)

    for url in (product, floor):
        rate(url)
    ours, bare = alternately(ROUNDS, lambda: rate(product), lambda: rate(floor))
    ratio = statistics.median(mine / other for mine, other in zip(ours, bare, strict=True))
    print(f"\n### filing by {CLIENTS} clients\n\n{median(ours):.0f} tickets a second, floor {median(bare):.0f}: {ratio:.2f} (wanted: ≥ 0.40)")  # fmt: skip


def no_gap(world: World, visitor: dict[str, Any]) -> None:
    """The numbers of that house are 1, 2, 3 …"""
    told = world.postgres.psql(
        f"SELECT count(*), min(number), max(number) FROM tickets_ticket WHERE community_id = {visitor['community_id']}", "quartier"
    )  # fmt: skip
    print(f"\nnumbers of the house (count, least, greatest): {told}")


if __name__ == "__main__":
    main()
