"""B5: a resident's search over 100,000 texts, against the floor (`floor/`).

Wanted: p95 at most twice the floor's. `POST /files/search` is asked through a server; the portal's first page of hits,
ranked, counted, quoted and marked, without one, because the page around it is the same as ever.
"""

from __future__ import annotations

import json

from script.benches._load import Request, Result, Round, race, table
from script.benches._searches import SEARCHES
from script.benches._world import SMALL, World
from script.embedded import ServerError
from script.embedded.postgres import OWNER


def main() -> None:
    """Both searches at both places."""
    with World(SMALL) as world:
        visitor = world.visitor()
        product = world.gunicorn("config.wsgi") + "/docms/api/v1"
        floor = world.gunicorn("script.benches.floor.wsgi", FLOOR_DATABASE_URL=world.postgres.url(OWNER))
        headers = {"Authorization": f"Bearer {visitor['token']}", "Content-Type": "application/json"}
        for name, words in SEARCHES.items():
            body = json.dumps({"search": words}).encode()
            requests = {
                place: Request(f"{url}/files/search", headers, body)
                for place, url in (("Quartier", product), ("floor", floor))
            }
            found = {place: json.loads(request.ask()) for place, request in requests.items()}
            if found["Quartier"] != found["floor"] or not found["floor"]:
                raise ServerError(f"{name}: the floor finds something else: {found}")
            print(f"\n### POST /files/search, {name} ({len(found['floor'])} found)\n")
            print(table(race(requests, rounds=5, seconds=2, warm_up=1), base="floor"), flush=True)
        told = json.loads(world.python("-m", "script.benches._searches", stdin=json.dumps(visitor)))
        results = {name: Result(name, [Round(*figures) for figures in rounds]) for name, rounds in told.items()}
        for name in SEARCHES:
            base = f"floor: {name}"
            print(f"\n### first page of hits without a server, {name}\n")
            print(table({name: results[name], base: results[base]}, base=base))


if __name__ == "__main__":
    main()
