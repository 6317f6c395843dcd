"""B1: pages of an ordinary resident among 100,000 and among 1,000,000 documents, against the floor (`floor/`).

Wanted: p50 and p95 at most twice the floor's, and at a million at most 1.2 times what they are at a hundred thousand.
Both companies have the same shape, so the resident reaches as much; both are asked in the same rounds. The start page's
floor renders a bare page around the same statements; the lists of that page are measured without a server, too.
"""

from __future__ import annotations

import json
import re
import sys
import time

from script.benches._load import Request, Result, Round, race, table
from script.benches._world import LARGE, SMALL, World
from script.embedded import ServerError
from script.embedded.postgres import OWNER

QUESTIONS = ("folder page of 50", "page of 50 by ids", "page of 200 by ids", "start page")


def main() -> None:
    """Both worlds at once; `script/bench b1 -- small` asks the smaller one only."""
    if "small" in sys.argv[1:]:
        with World(SMALL) as world:
            measure({"100,000": world})
    else:
        with World(SMALL) as small, World(LARGE) as large:
            measure({"100,000": small, "1,000,000": large})


def measure(worlds: dict[str, World]) -> None:
    """Question by question."""
    requests = {size: _requests(world) for size, world in worlds.items()}
    for question in QUESTIONS:
        contestants: dict[str, Request] = {}
        for size, asked in requests.items():
            product, bare = asked[question]
            _same(question, product.ask(), bare.ask())
            contestants |= {f"Quartier, {size}": product, f"floor, {size}": bare}
        _tell(question, race(contestants, rounds=5, seconds=3, warm_up=2), list(worlds))
    for size, world in worlds.items():
        everything(size, world)
        told = json.loads(world.python("-m", "script.benches._questions", "times", stdin=json.dumps(world.visitor())))
        results = {name: Result(name, [Round(*figures) for figures in rounds]) for name, rounds in told.items()}
        for name in ("new for me, with the count", "count of unread"):
            base = f"floor: {name}"
            print(f"\n### {name}, without a server, {size} documents\n")
            print(table({name: results[name], base: results[base]}, base=base))


def everything(size: str, world: World) -> None:
    """`GET /files?all=true` of an administrator: how long, how large, and what it does to the memory of the server."""
    bearer = {"Authorization": f"Bearer {world.visitor()['office']}"}
    url = world.gunicorn("config.wsgi")
    few = Request(f"{url}/docms/api/v1/files/unread", bearer)
    for _both_workers in range(8):
        few.ask()
    before = world.peak()
    begin = time.perf_counter()
    rows = len(json.loads(Request(f"{url}/docms/api/v1/files?all=true", bearer).ask()))
    took = time.perf_counter() - begin
    print(
        f"\nall {rows:,} documents of {size}: {took:.1f} s; a worker's most memory {before:.0f} MiB, then {world.peak():.0f}"
    )


def _requests(world: World) -> dict[str, tuple[Request, Request]]:
    """For each question the product's address and the floor's."""
    visitor = world.visitor()
    product = world.gunicorn("config.wsgi")
    floor = world.gunicorn("script.benches.floor.wsgi", FLOOR_DATABASE_URL=world.postgres.url(OWNER))
    api = product + "/docms/api/v1"
    bearer = {"Authorization": f"Bearer {visitor['token']}"}
    cookie = {"Cookie": f"user_session={visitor['session']}", "Accept-Language": "de"}
    paths = (f"/folders/{visitor['folder']}/files", "/files/paging", f"{visitor['community']}")
    body = json.dumps({"ids": visitor["files"], "limit": 50}).encode()
    larger = json.dumps({"ids": visitor["more_files"], "limit": 200}).encode()
    sent = {**bearer, "Content-Type": "application/json"}
    return dict(
        zip(
            QUESTIONS,
            (
                (Request(api + paths[0], bearer), Request(floor + paths[0], bearer)),
                (Request(api + paths[1], sent, body), Request(floor + paths[1], sent, body)),
                (Request(api + paths[1], sent, larger), Request(floor + paths[1], sent, larger)),
                (Request(f"{product}/app/c/{paths[2]}/", cookie), Request(f"{floor}/start/{paths[2]}", cookie)),
            ),
            strict=True,
        )
    )


def _same(question: str, product: bytes, floor: bytes) -> None:
    """Both answer the same: JSON to the letter, pages by the papers they name, in their order."""
    if question == "start page":
        named = [re.findall(rb"doc=(\d+)", page) for page in (product, floor)]
        found = [list(dict.fromkeys(names)) for names in named]
        if found[0] != found[1] or len(found[1]) != 6:
            raise ServerError(f"The start pages name other papers: {found}")
    elif json.loads(product) != json.loads(floor) or len(json.loads(floor)) != (200 if "200" in question else 50):
        raise ServerError(f"{question}: the floor answers something else.")


def _tell(question: str, results: dict[str, Result], sizes: list[str]) -> None:
    for size in sizes:
        floor = f"floor, {size}"
        print(f"\n### {question}, {size} documents\n")
        print(table({name: result for name, result in results.items() if name.endswith(f", {size}")}, base=floor))
    if len(sizes) > 1:
        small, large = (results[f"Quartier, {size}"] for size in sizes)
        grown = ", ".join(f"{figure} {large.ratio(figure, small):.2f}" for figure in ("p50", "p95"))
        print(f"\n{sizes[1]} ÷ {sizes[0]}: {grown} (wanted: 1.20 or less)")


if __name__ == "__main__":
    main()
