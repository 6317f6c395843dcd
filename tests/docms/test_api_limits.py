"""How often the door may be knocked at, and what its logs keep to themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.services import rate
from orgs.services import passwords
from tests.docms.door import Caller, contract, signed_in
from tests.servers import eventually, free_port

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A minute of this test alone, whose seconds are counted by hand."""

    class Clock:
        now = float(int.from_bytes(os.urandom(4)) * rate.WINDOW)

    monkeypatch.setattr(rate, "now", lambda: Clock.now)
    return Clock


@pytest.fixture
def limited(settings: Any, clock: Any) -> Any:
    """Thirty requests a minute with a token, three without."""
    settings.DOCMS_RATE_LIMIT = 30
    return clock


# --- The rate limit -------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-182")
def test_a_token_may_ask_so_often_a_minute(cast: Cast, limited: Any) -> None:
    busy, calm = signed_in(cast.renter, cast.tenant), signed_in(cast.renter, cast.tenant)
    for _request in range(30):
        busy.ok("GET", "/groups")
    limited.now += 12.4
    for method, path, body in (("GET", "/groups", None), ("POST", "/files/search", {"search": "x"})):
        answer = busy.call(method, path, body)
        assert answer.status == 429
        assert answer["Retry-After"] == "48"
        assert answer.body["error"] == "Too Many Requests"
    calm.ok("GET", "/groups")
    Caller(address=busy.address).ok("GET", "/app-settings/public")
    limited.now += 48
    busy.ok("GET", "/groups")


@pytest.mark.rule("DOCMS-182")
def test_without_a_token_the_address_counts(cast: Cast, limited: Any) -> None:
    knocks = [
        ("GET", "/app-settings/public", Caller(), 200),
        ("GET", "/no/such/path", Caller(), 404),
        ("GET", "/groups", Caller("geraten-1"), 401),
    ]
    for method, path, caller, status in knocks:
        assert caller.call(method, path).status == status
    limited.now += 59.9
    for method, path, caller, _status in [*knocks, ("GET", "/groups", Caller("geraten-2"), 401)]:
        answer = caller.call(method, path)
        assert (answer.status, answer["Retry-After"]) == (429, "1")
    wrong = Caller().call("GET", "/login", basic="renter@quartier.test:falsch")
    assert wrong.status == 429
    assert not passwords.account_counters(cast.renter)[1].rows.exists()  # nobody looked at the password
    Caller(address="198.51.100.7").ok("GET", "/app-settings/public")
    signed_in(cast.renter, cast.tenant).ok("GET", "/groups")  # the neighbour behind the same address


def test_zero_is_no_limit(cast: Cast, settings: Any) -> None:
    settings.DOCMS_RATE_LIMIT = 0
    for _request in range(5):
        Caller().ok("GET", "/app-settings/public")


def test_a_dead_server_lets_everybody_through_and_is_logged_once(
    cast: Cast, limited: Any, broker: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rate, "PAUSE", 0.0)

    def told() -> list[str]:
        return [record.message for record in caplog.records if record.name == rate.__name__]

    broker.stop()
    for _request in range(5):
        Caller().ok("GET", "/app-settings/public")
    assert len(told()) == 1
    assert "not counted" in told()[0]
    broker.start()
    for _request in range(3):
        Caller().ok("GET", "/app-settings/public")
    assert len(told()) == 2
    Caller().refused("GET", "/app-settings/public", 429)


def test_a_dead_server_is_not_asked_again_for_a_while(
    limited: Any, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    client = rate._client
    monkeypatch.setattr(rate, "_client", lambda url: asked.append(url) or client(url))
    monkeypatch.setattr(rate._server, "silent_until", 0.0)
    broker.stop()
    for _request in range(3):
        Caller().ok("GET", "/app-settings/public")
    assert len(asked) == 1
    rate._server.silent_until = 0.0
    rate._server.is_lost = False


# --- Masks ----------------------------------------------------------------------------------------------

SECRET = "GEHEIM-0123456789"


def secret_paths() -> list[tuple[str, str]]:
    """Every path of the contract with a secret or an address in it: as called, and as it may be shown."""
    names = {"tfainput", "code", "token", "mail", "shareToken"}
    parameter = re.compile(r"\{(\w+)\}")
    paths = [path for path in contract()["paths"] if names & set(parameter.findall(path))]
    return [(parameter.sub(SECRET, path), parameter.sub("***", path)) for path in paths]


@pytest.mark.rule("DOCMS-182")
def test_secrets_are_masked_in_path(cast: Cast) -> None:
    paths = secret_paths()
    assert len(paths) == 5
    for path, shown in paths:
        for method in ("GET", "PUT", "POST"):
            answer = Caller().call(method, path, {} if method != "GET" else None)
            assert answer.status >= 400
            assert SECRET not in answer.raw.decode()
            assert answer.body["path"] == "/docms/api/v1" + shown
    answer = Caller().call("GET", f"/tfa/{SECRET}/and/more")
    assert answer.body["path"] == "/docms/api/v1/tfa/***/and/more"
    # What only looks like a secret stays readable.
    for path in ("/users/5/tfa/all-tenants", "/files/5/shares/7", "/password/user/5"):
        assert Caller().call("DELETE", path).body["path"] == "/docms/api/v1" + path


@pytest.mark.rule("DOCMS-182")
@pytest.mark.django_db(transaction=True)
def test_secrets_are_masked_in_what_the_server_logs(tmp_path: Path) -> None:
    """The web server exactly as the image starts it, with its access log switched on."""
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nCMD ")[2].replace("\\\n", "")
    command = json.loads(image)
    assert command[0] == "gunicorn"
    for argument in ("--worker-tmp-dir", "--bind"):  # what belongs to the container
        at = command.index(argument)
        del command[at : at + 2]
    port, log = free_port(), tmp_path / "web.log"
    command = [sys.executable, "-m", *command, "--bind", f"127.0.0.1:{port}", "--access-logfile", "-"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=output, stderr=output)
    try:
        assert eventually(lambda: b"Listening at" in log.read_bytes(), seconds=60), log.read_text()
        for path, _shown in secret_paths():
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/docms/api/v1{path}?token={SECRET}",
                data=b"{}",
                headers={"Authorization": f"Bearer {SECRET}", "Host": "testserver", "Referer": f"http://x{path}"},
                method="POST",
            )
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=60)  # noqa: S310 - to the server above
            refused.value.close()
        for _path, shown in secret_paths():
            line = f'"POST /docms/api/v1{shown}?token=*** HTTP/1.1"'
            assert eventually(lambda line=line: line in log.read_text(), seconds=10), log.read_text()
    finally:
        server.terminate()
        server.wait(20)
    text = log.read_text()
    assert SECRET not in text
    # Django's own line about the refusal is there, too, without the request that it prints.
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    refusals = [record for record in records if record["logger"] == "django.request"]
    assert len(refusals) == len(secret_paths())
    assert all("request" not in record for record in refusals)
    assert any("/tfa/***" in record["message"] for record in refusals)
