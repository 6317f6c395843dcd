"""Sign-ins a second through the docms login and the portal login, against bare password checks a second.

16 clients, the 16 threads of the web server, and 16 threads that only verify a scrypt hash as it is stored, in turns. A
sign-in should cost little beside its hash. `script/bench signin -- 20000` takes another number of accounts in the table.
"""

from __future__ import annotations

import base64
import http.client
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from urllib.parse import urlencode

from script.benches import _residents
from script.benches._stack import HEADERS, HOST, Stack, median, table

THREADS = 16
SECONDS = 10
ROUNDS = 3
_SECRET = "a" * 32  # of the forms: a cookie and a field that agree
_FORM = {
    "Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}", "Cookie": f"csrftoken={_SECRET}",
}  # fmt: skip


Door = Callable[[http.client.HTTPConnection, str], None]


def main() -> None:
    """One run."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with Stack() as stack:
        house = _residents.build(accounts)
        web = stack.web()
        names = [person.username for person in house.residents[:200]]
        hashed = house.residents[0].password
        doors = {"docms login": _docms, "portal login": _portal}
        ways: dict[str, list[float]] = {"password check alone": [], **{name: [] for name in doors}}
        for door in doors.values():
            through(web.port, door, names, seconds=2)  # both workers have served
        for _round in range(ROUNDS):
            ways["password check alone"].append(bare(hashed))
            for name, door in doors.items():
                ways[name].append(through(web.port, door, names))
        floor = median(ways["password check alone"])
        table(
            ("way", "a second", "range", "ratio", "target"),
            [
                (
                    way, f"{median(rates):.1f}", f"{min(rates):.1f}–{max(rates):.1f}", f"{median(rates) / floor:.2f}",
                    "≥ 0.90" if "login" in way else "",
                )
                for way, rates in ways.items()
            ],
        )  # fmt: skip


def bare(hashed: str) -> float:
    """Verifications a second by as many threads as the web server has."""
    from django.contrib.auth.hashers import check_password

    def client() -> Callable[[], None]:
        def check() -> None:
            assert check_password(_residents.PASSWORD, hashed)

        return check

    return _together(client, SECONDS)


def through(port: int, door: Door, names: list[str], seconds: float = SECONDS) -> float:
    """Sign-ins a second; each of these people in turn."""
    place = count()

    def client() -> Callable[[], None]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        return lambda: door(connection, names[next(place) % len(names)])

    return _together(client, seconds)


def _together(client: Callable[[], Callable[[], None]], seconds: float) -> float:
    """How often a second all threads together are through; what was begun in time is waited for and counted."""
    done = [0] * THREADS
    begin = time.perf_counter()

    def work(place: int) -> None:
        call = client()
        while time.perf_counter() < begin + seconds:
            call()
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(done), "a client failed"
    return sum(done) / (time.perf_counter() - begin)


def _docms(connection: http.client.HTTPConnection, name: str) -> None:
    connection.request("GET", "/docms/api/v1/login", headers={**HEADERS, "Authorization": f"Basic {_basic(name)}"})
    answer = connection.getresponse()
    assert (answer.status, b"token" in answer.read()) == (200, True)


def _portal(connection: http.client.HTTPConnection, name: str) -> None:
    connection.request("POST", "/app/login", _form(name), {**HEADERS, **_FORM})
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, "user_session" in (answer.getheader("Set-Cookie") or "")) == (302, True)


def _basic(name: str) -> str:
    return base64.b64encode(f"{name}:{_residents.PASSWORD}".encode()).decode()


def _form(name: str) -> str:
    return urlencode({"csrfmiddlewaretoken": _SECRET, "username": name, "password": _residents.PASSWORD})


if __name__ == "__main__":
    main()
