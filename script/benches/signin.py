"""Sign-ins a second through the docms login and the portal login, against bare password checks a second.

16 clients, the 16 threads of the web server, and 16 threads that only verify a scrypt hash as it is stored, in turns. A
sign-in should cost little beside its hash. Needs wrk (Debian: apt-get install wrk). `script/bench signin -- 20000` takes
another number of accounts in the table.
"""

from __future__ import annotations

import base64
import http.client
import re
import shutil
import subprocess
import sys
import threading
import time
from urllib.parse import urlencode

from script.benches import _residents
from script.benches._stack import HEADERS, HOST, Stack, median, table

THREADS = 16
SECONDS = 8
ROUNDS = 3
_SECRET = "a" * 32  # of the forms: a cookie and a field that agree
_LUA = """
local place = 0
local threads = 0
function setup(thread) thread:set("place", threads * 97) threads = threads + 1 end
local basic = {{{basic}}}
local forms = {{{forms}}}
function request()
  place = place + 1
  local headers = {{ ["Host"] = "{host}", ["X-Forwarded-Proto"] = "https" }}
  if "{door}" == "docms" then
    headers["Authorization"] = "Basic " .. basic[place % #basic + 1]
    return wrk.format("GET", "/docms/api/v1/login", headers)
  end
  headers["Content-Type"] = "application/x-www-form-urlencoded"
  headers["Origin"] = "https://{host}"
  headers["Cookie"] = "csrftoken={secret}"
  return wrk.format("POST", "/app/login", headers, forms[place % #forms + 1])
end
"""


def main() -> None:
    """One run."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with Stack() as stack:
        house = _residents.build(count)
        web = stack.web()
        names = [person.username for person in house.residents[:200]]
        _check(web.port, names[0])
        hashed = house.residents[0].password
        ways: dict[str, list[float]] = {"password check alone": [], "docms login": [], "portal login": []}
        for _round in range(ROUNDS):
            ways["password check alone"].append(bare(hashed))
            for door in ("docms", "portal"):
                ways[f"{door} login"].append(through(stack, web.port, door, names))
        floor = median(ways["password check alone"])
        table(
            ("way", "a second", "ratio", "target"),
            [
                (way, f"{median(rates):.1f}", f"{median(rates) / floor:.2f}", "≥ 0.90" if "login" in way else "")
                for way, rates in ways.items()
            ],
        )


def bare(hashed: str) -> float:
    """Verifications a second by as many threads as the web server has."""
    from django.contrib.auth.hashers import check_password

    end = time.perf_counter() + SECONDS
    done = [0] * THREADS

    def work(place: int) -> None:
        while time.perf_counter() < end:
            assert check_password(_residents.PASSWORD, hashed)
            done[place] += 1

    begin = time.perf_counter()
    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begin)


def through(stack: Stack, port: int, door: str, names: list[str]) -> float:
    """Sign-ins a second; each of these people in turn."""
    basic = ", ".join(f'"{_basic(name)}"' for name in names)
    forms = ", ".join(f'"{_form(name)}"' for name in names)
    script = stack.folder / "signin.lua"
    script.write_text(_LUA.format(basic=basic, forms=forms, host=HOST, door=door, secret=_SECRET))
    done = subprocess.run(
        ["wrk", "-t2", f"-c{THREADS}", f"-d{SECONDS}s", "--timeout", "60s", "-s", script, f"http://127.0.0.1:{port}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found.group(1))


def _basic(name: str) -> str:
    return base64.b64encode(f"{name}:{_residents.PASSWORD}".encode()).decode()


def _form(name: str) -> str:
    return urlencode({"csrfmiddlewaretoken": _SECRET, "username": name, "password": _residents.PASSWORD})


def _check(port: int, name: str) -> None:
    """Both doors sign this person in with what is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/docms/api/v1/login", headers={**HEADERS, "Authorization": f"Basic {_basic(name)}"})
    answer = connection.getresponse()
    assert (answer.status, b"token" in answer.read()) == (200, True)
    headers = {
        **HEADERS, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}",
        "Cookie": f"csrftoken={_SECRET}",
    }  # fmt: skip
    connection.request("POST", "/app/login", _form(name), headers)
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, "user_session" in (answer.getheader("Set-Cookie") or "")) == (302, True)
    connection.close()


if __name__ == "__main__":
    main()
