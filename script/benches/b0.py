"""B0: a list of 50 rows against the same list in FastAPI + SQLAlchemy on asyncpg, and in django-ninja.

All look the token up, apply the rule of rights and answer the same JSON, which is compared before anything is measured.
Each is served by two processes. The issue wants at least the throughput of the better one.
"""

from __future__ import annotations

import json

from script.benches._load import Request, race, table
from script.benches._stack import WORKERS
from script.benches._world import SMALL, World
from script.embedded import ServerError
from script.embedded.postgres import OWNER


def main() -> None:
    """One run."""
    with World(SMALL) as world:
        visitor = world.visitor()
        owned = world.postgres.url(OWNER)
        path = f"/folders/{visitor['folder']}/files"
        headers = {"Authorization": f"Bearer {visitor['token']}"}
        fastapi = world.serve(
            "fastapi",
            ["-m", "uvicorn", "script.benches.rivals.fastapi_app:app", "--workers", str(WORKERS), "--port", "{port}",
             "--no-access-log", "--log-level", "warning"],
            RIVAL_DATABASE_URL=owned.replace("postgresql://", "postgresql+asyncpg://"),
        )  # fmt: skip
        contestants = {
            "Quartier": Request(world.gunicorn("config.wsgi") + "/docms/api/v1" + path, headers),
            "FastAPI + SQLAlchemy (asyncpg)": Request(fastapi + path, headers),
            "django-ninja": Request(
                world.gunicorn("script.benches.rivals.ninja_wsgi", DATABASE_URL=owned) + path, headers
            ),
        }
        answers = {name: json.loads(request.ask()) for name, request in contestants.items()}
        rows = answers["Quartier"]
        if len(rows) != 50:
            raise ServerError(f"The folder holds {len(rows)} documents, not 50.")
        for name, answer in answers.items():
            if answer != rows:
                raise ServerError(f"{name} answers something else.")
        results = race(contestants)
        print(table(results, base="Quartier"))
        best = max((r for name, r in results.items() if name != "Quartier"), key=lambda r: r.median("rate"))
        ratio = results["Quartier"].ratio("rate", best)
        print(f"\nQuartier answers {ratio:.2f} times as many requests as {best.name} (wanted: 1.00 or more).")


if __name__ == "__main__":
    main()
