"""Behind a pooler in transaction mode: the same answers, no tenant in somebody else's transaction, jobs run once.

The product is served by gunicorn through PgBouncer with two connections for eight threads, so that transactions of two
companies take turns on each of them.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from core import scope
from core.models import JobRun
from core.services import blobs, jobs
from docms.models import Document, Folder
from docms.services import documents, folders, groups
from script.embedded import Pooler, Postgres
from script.embedded.pooler import PORT, program
from script.embedded.postgres import APP
from tests.cast import load
from tests.docms.door import PREFIX
from tests.docms.door import signed_in as door_signed_in
from tests.factories import folder, manual_group, publish
from tests.portal.pages import house_folder, paper, signed_in
from tests.servers import eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
POOL = 2
pytestmark = [
    pytest.mark.skipif(program() is None, reason="no pgbouncer on this machine (apt-get install pgbouncer)"),
    pytest.mark.skipif(
        not os.environ.get("QUARTIER_TEST_EMBEDDED"), reason="DATABASE_URL names a server of somebody else's"
    ),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def pooler() -> Iterator[Pooler]:
    """In front of this process's database."""
    session = Path(os.environ["QUARTIER_TEST_FOLDER"])
    database = str(connection.settings_dict["NAME"])
    made = Pooler(session, postgres=Postgres(session).sockets, database=database, role=APP, size=POOL)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def port(pooler: Pooler, tmp_path: Path) -> Iterator[int]:
    """Of the product, served through the pooler."""
    port, log = free_port(), tmp_path / "web.log"
    with log.open("wb") as output:
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
             "--threads", "8", "--no-control-socket"],
            cwd=ROOT, env={**os.environ, "DATABASE_URL": pooler.url(APP), "DATABASE_POOLED": "true"},
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        assert eventually(lambda: _is_up(port), seconds=60), log.read_text()
        yield port
    finally:
        web.terminate()
        web.wait(20)


def _is_up(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body."""
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        caller.request("GET", path, headers={"Host": "localhost", **headers})
        answer = caller.getresponse()
        return answer.status, answer.read()
    finally:
        caller.close()


@pytest.fixture
def two() -> Cast:
    """Both companies have a paper in a folder that their resident reaches; so has house A."""
    cast = load()
    with scope.unit_of_work(door="test"):
        publish(cast, folder(cast, "Hier", group=manual_group(cast, "Alle", "renter")), filename="hier.pdf")
        boss = cast.actor("stranger")
        circle = groups.create_group(actor=boss, tenant=cast.other_tenant, name="Alle", user_ids=[cast.foreigner.pk])
        there = folders.create_folder(actor=boss, tenant=cast.other_tenant, name="Dort", group_ids=[circle.pk])
        blob = blobs.store([b"Dort"], tenant_id=cast.other_tenant.pk, limit=100)
        documents.publish(actor=boss, folder=there, blob=blob, filename="dort.txt")
    paper(cast, house_folder(cast), "Einladung")
    return cast


def bearer(cast: Cast, who: str, tenant: Any) -> dict[str, str]:
    """The header of somebody signed in at the docms door."""
    with scope.unit_of_work(door="test"):
        return {"Authorization": f"Bearer {door_signed_in(getattr(cast, who), tenant).token}"}


def servers_of(pooler: Pooler) -> int:
    """How many connections the pool has to PostgreSQL."""
    with psycopg.connect(
        host=str(pooler.folder), port=PORT, dbname="pgbouncer", user="postgres", autocommit=True
    ) as admin:
        return len(admin.cursor(binary=False).execute("SHOW SERVERS").fetchall())


def test_the_answers_are_those_without_a_pooler(two: Cast, port: int) -> None:
    renter = bearer(two, "renter", two.tenant)
    direct = Client(headers=renter)
    for path in ("/folders", "/files", "/files/unread", f"/folders/{Folder.objects.get(name='Hier').pk}/files"):
        expected = direct.get(f"{PREFIX}{path}")
        assert expected.status_code == 200
        assert json.loads(expected.content), path
        assert get(port, f"{PREFIX}{path}", **renter) == (200, expected.content)


def test_a_page_of_the_portal_is_served_through_it(two: Cast, port: int) -> None:
    browser = signed_in(two.renter)
    cookie = f"user_session={browser.cookies['user_session'].value}"
    status, body = get(port, f"/app/c/{two.house_a.pk}/", Cookie=cookie, **{"Accept-Language": "de"})
    assert status == 200
    assert "Einladung" in body.decode()


def test_transactions_of_two_companies_that_share_connections_see_only_their_own(
    two: Cast, port: int, pooler: Pooler
) -> None:
    callers = {"hier.pdf": bearer(two, "renter", two.tenant), "dort.txt": bearer(two, "foreigner", two.other_tenant)}

    def names(expected: str) -> tuple[str, set[str]]:
        status, body = get(port, f"{PREFIX}/files", **callers[expected])
        assert status == 200, body
        return expected, {row["filename"] for row in json.loads(body)}

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(names, ["hier.pdf", "dort.txt"] * 60))
    for expected, found in seen:
        assert expected in found
        assert found.isdisjoint(callers.keys() - {expected})
    assert servers_of(pooler) <= POOL


def test_what_a_transaction_was_told_is_unknown_to_the_next_on_its_connection(
    two: Cast, port: int, pooler: Pooler
) -> None:
    renter = bearer(two, "renter", two.tenant)
    for _ in range(5):
        assert get(port, f"{PREFIX}/files", **renter)[0] == 200
    with psycopg.connect(pooler.url(APP)) as one, psycopg.connect(pooler.url(APP)) as other:
        for client in (one, other):  # both connections of the pool: each is held by an open transaction
            told = client.execute("SELECT coalesce(current_setting('quartier.tenants', true), '')").fetchone()
            assert told == ("",)
            assert client.execute("SELECT count(*) FROM docms_document").fetchone() == (0,)
    assert Document.objects.count() > 0


@pytest.fixture
def pooled(pooler: Pooler, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process's next connections go through the pooler."""
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "host", str(pooler.folder))
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "port", PORT)
    connection.close()
    yield
    connection.close()


def test_a_job_runs_once_at_a_time_through_it(pooled: None, pooler: Pooler) -> None:
    inside, release = threading.Event(), threading.Event()
    first: list[Any] = []

    def slow() -> dict[str, int]:
        inside.set()
        assert release.wait(30)
        return {"rows": 1}

    def run() -> None:
        first.append(jobs.run("test.pooled", slow))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert inside.wait(30)
        # Whoever asks gets the pool's other connection, or the same one again: neither has the name to give.
        assert [jobs.run("test.pooled", lambda: {"rows": 2}) for _ in range(4)] == [None] * 4
    finally:
        release.set()
        thread.join()
    assert first == [{"rows": 1}]
    assert jobs.run("test.pooled", lambda: {"rows": 3}) == {"rows": 3}
    assert list(JobRun.objects.order_by("id").values_list("counts", flat=True)) == [{"rows": 1}, {"rows": 3}]


def test_the_name_of_a_job_is_free_when_its_process_dies(pooled: None) -> None:
    held = (
        "import django, time; django.setup()\n"
        "from core.services import jobs\n"
        "with jobs.alone('test.killed') as mine:\n"
        "    print(mine, flush=True); time.sleep(60)"
    )
    options = connection.settings_dict["OPTIONS"]
    url = f"postgresql://{APP}@/{connection.settings_dict['NAME']}?host={options['host']}&port={options['port']}"
    with subprocess.Popen(
        [sys.executable, "-c", held],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "True\n"
            with jobs.alone("test.killed") as mine:
                assert mine is False
        finally:
            child.kill()

    def got() -> bool:
        with jobs.alone("test.killed") as mine:
            return mine

    assert eventually(got)
