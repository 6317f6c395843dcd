"""`/metrics`: each family with real rows, who may read it, and what it costs."""

from __future__ import annotations

import datetime
import io
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config import gauges
from config.celery import app
from config.metrics import read
from core import scope
from core.metrics import MetricsMiddleware
from core.models import AuditEntry, JobRun
from core.services import audit, blobs, jobs, sealing, uploads
from messaging.models import Message
from tests.cast import PASSWORD, Cast
from tests.factories import folder, manual_group, publish
from tests.messaging.helpers import people, queue_all
from tests.servers import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "m" * 20 + "0123456789abcdef"
ELSEWHERE = "203.0.113.7"
_ANEW = re.compile(r"\b[A-Za-z0-9]{64}\b")  # the token of a form: another one each time

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    read.forget()
    yield
    read.forget()


def _samples(text: str) -> Samples:
    """Every sample, read by the parser of the library."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _scrape(client: Client | None = None, **meta: str) -> Samples:
    read.forget()
    answer = (client or Client()).get("/metrics", **meta)
    assert answer.status_code == 200
    return _samples(answer.content.decode())


def _value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"quartier_{name}", frozenset(labels.items())))


# --- Who may ask --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_this_machine_reads_the_text_format(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": ELSEWHERE},
        {"REMOTE_ADDR": ELSEWHERE, "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": ELSEWHERE},  # a proxy nobody has named
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": f"for={ELSEWHERE}"},
        {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": ELSEWHERE},  # through a Unix socket
        {"REMOTE_ADDR": ELSEWHERE, "HTTP_AUTHORIZATION": "Bearer wrong"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer wrong"},
        {"REMOTE_ADDR": ELSEWHERE, "HTTP_AUTHORIZATION": f"Basic {TOKEN}"},
    ],
)
def test_to_anybody_else_it_does_not_exist(client: Client, settings: Any, meta: dict[str, str]) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer, nothing = client.get("/metrics", **meta), client.get("/metricz", **meta)
    assert answer.status_code == 404
    shown, expected = (_ANEW.sub("", found.content.decode()) for found in (answer, nothing))
    assert shown == expected.replace("/metricz", "/metrics")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "proxies", "meta"),
    [
        ([], [], {"REMOTE_ADDR": ELSEWHERE, "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}),
        (["203.0.113.0/24"], [], {"REMOTE_ADDR": ELSEWHERE}),
        (["203.0.113.0/24"], ["10.0.0.0/8"], {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": ELSEWHERE}),
        ([], [], {"REMOTE_ADDR": "::1"}),
    ],
)
def test_the_token_and_the_networks_of_the_installation_open_it(
    client: Client, settings: Any, networks: list[str], proxies: list[str], meta: dict[str, str]
) -> None:
    settings.METRICS_TOKEN, settings.LOCAL_NETWORKS, settings.TRUSTED_PROXIES = TOKEN, networks, proxies
    assert client.get("/metrics", **meta).status_code == 200


@pytest.mark.django_db
def test_an_empty_token_opens_nothing(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.django_db
def test_details_of_readyz_are_for_insiders(client: Client) -> None:
    inside = client.get("/readyz").json()
    outside = client.get("/readyz", REMOTE_ADDR=ELSEWHERE).json()
    assert {"checks", "jobs"} <= inside.keys()
    assert outside == {"status": inside["status"]}


# --- Requests -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_requests_are_counted_by_door_method_route_and_status(client: Client, cast: Cast) -> None:
    def counted(samples: Samples) -> float:
        labels = {"door": "web", "method": "GET", "route": "app/c/<int:community_id>/"}
        found = _value(samples, "requests_total", status="200", **labels) or 0
        timed = _value(samples, "request_seconds_count", **labels) or 0
        assert timed >= found
        return found

    client.post("/app/login", {"username": cast.renter.email, "password": PASSWORD})
    before = counted(_scrape(client))
    assert client.get(f"/app/c/{cast.house_a.pk}/").status_code == 200
    assert counted(_scrape(client)) == before + 1


@pytest.mark.django_db
def test_no_path_no_id_and_no_invented_method_becomes_a_label(client: Client, cast: Cast) -> None:
    for number in range(30):
        client.get(f"/nowhere/{number}-geheim")
        client.get(f"/docms/api/v1/nowhere/{number}-geheim")
        client.get(f"/app/invite/{number}-geheim")
        client.get(f"/static/{number}-geheim.css")
        client.generic(f"BREW{number}", "/app/login")
    before = _scrape(client)
    for number in range(30, 60):
        client.get(f"/nowhere/{number}-geheim")
        client.get(f"/docms/api/v1/nowhere/{number}-geheim")
        client.get(f"/app/invite/{number}-geheim")
        client.get(f"/static/{number}-geheim.css")
        client.generic(f"BREW{number}", "/app/login")
    after = _scrape(client)
    assert {key for key in after if key[0].startswith("quartier_request")} == {
        key for key in before if key[0].startswith("quartier_request")
    }
    labels = {value for _name, pairs in after for _label, value in pairs}
    assert {"unmatched", "static", "other"} <= labels
    assert not [value for value in labels if "geheim" in value or "BREW" in value]


def test_counting_a_request_costs_less_than_20_microseconds(rf: RequestFactory) -> None:
    request, answer = rf.get("/app/login"), HttpResponse()
    counting = MetricsMiddleware(lambda request: answer)

    def best(call: Callable[[Any], Any]) -> float:
        times = []
        for _round in range(20):
            begin = time.perf_counter()
            for _turn in range(500):
                call(request)
            times.append((time.perf_counter() - begin) / 500)
        return min(times)

    assert best(counting) - best(lambda request: answer) < 20e-6


@pytest.mark.django_db(transaction=True)
def test_workers_of_gunicorn_count_together_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Two real workers, which are replaced after a few requests: nothing that was counted is lost."""
    port, log, folder_ = free_port(), tmp_path / "web.log", tmp_path / "counters"
    folder_.mkdir()
    (folder_ / "counter_99.db").write_bytes(b"left by a crash")
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--config", "config/gunicorn.py"]
    command += ["--bind", f"127.0.0.1:{port}", "--max-requests", "10", "--max-requests-jitter", "0"]
    with log.open("wb") as output:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder_)}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def get(path: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "localhost"})
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - to the server above
            return str(answer.read().decode())

    def asked() -> bool:
        try:
            get("/healthz")
        except OSError:  # the moment in which a worker goes
            return False
        return True

    try:
        assert eventually(lambda: b"Listening at" in log.read_bytes(), seconds=60), log.read_text()
        answered = 0
        while answered < 60:
            answered += asked()
        samples = _samples(get("/metrics"))
    finally:
        server.terminate()
        server.wait(20)
    assert log.read_text().count("Booting worker") >= 4, "workers were replaced"
    assert _value(samples, "requests_total", door="web", method="GET", route="healthz", status="200") == answered
    assert {path.name for path in folder_.iterdir()} <= {
        f"{kind}_{place}.db" for kind in ("counter", "histogram") for place in range(2)
    }


# --- What it reads ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_jobs_tell_when_they_ran_and_how_it_went(client: Client) -> None:
    jobs.run("core.expire_uploads", lambda: {"rows": 3})
    with pytest.raises(ZeroDivisionError):
        jobs.run("docms.remove_content", lambda: {"rows": 1 // 0})
    JobRun.objects.create(name="core.seal_audit", started_at=timezone.now())
    jobs.run("somebody.elses", dict)
    found = _scrape(client)
    now = time.time()
    assert _value(found, "job_last_success_timestamp_seconds", job="core.expire_uploads") == pytest.approx(now, abs=60)
    assert _value(found, "job_last_start_timestamp_seconds", job="docms.remove_content") == pytest.approx(now, abs=60)
    assert _value(found, "job_last_duration_seconds", job="core.expire_uploads") == pytest.approx(0, abs=60)
    assert _value(found, "job_last_success_timestamp_seconds", job="docms.remove_content") is None
    assert _value(found, "job_failures", job="docms.remove_content") == 1
    assert _value(found, "job_failed", job="docms.remove_content") == 1
    assert _value(found, "job_failures", job="core.expire_uploads") == 0
    assert _value(found, "job_running", job="core.seal_audit") == 1
    assert _value(found, "job_running", job="core.expire_uploads") == 0
    assert not [key for key in found if ("job", "somebody.elses") in key[1]]


@pytest.mark.django_db
def test_the_last_success_of_a_job_is_remembered_while_it_fails(client: Client) -> None:
    """Failed runs are forgotten after a day; the last one that went well is not."""
    jobs.run("docms.remove_content", dict)
    JobRun.objects.filter(name="docms.remove_content").update(
        started_at=timezone.now() - datetime.timedelta(days=9), ended_at=timezone.now() - datetime.timedelta(days=9)
    )
    for _run in range(2):
        with pytest.raises(ZeroDivisionError):
            jobs.run("docms.remove_content", lambda: {"rows": 1 // 0})
    last = _value(_scrape(client), "job_last_success_timestamp_seconds", job="docms.remove_content")
    assert last == pytest.approx(time.time() - 9 * 86400, abs=60)


@pytest.mark.django_db
def test_the_outbox_tells_what_waits_and_for_how_long(client: Client, cast: Cast) -> None:
    """Of every company: the row policies would hide them from a request that belongs to none."""
    empty = _scrape(client)
    queue_all(cast.tenant, people(3))
    queue_all(cast.other_tenant, people(2), dedupe_key="doc:2")
    with scope.unit_of_work(door="test"):
        ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        ago = timezone.now() - datetime.timedelta(hours=2)
        Message.objects.filter(pk=ids[0]).update(not_before=ago)
        Message.objects.filter(pk=ids[1]).update(state="sending", lease_until=timezone.now())
        Message.objects.filter(pk=ids[2]).update(state="failed", error_msg="550")
    found = _scrape(client)
    assert _value(empty, "outbox_oldest_seconds") == 0
    assert _value(found, "outbox_messages", state="queued") == len(ids) - 2
    assert _value(found, "outbox_messages", state="sending") == 1
    assert _value(found, "outbox_lost_messages", state="failed") == 1
    assert _value(found, "outbox_lost_messages", state="bounced") == 0
    assert _value(found, "outbox_oldest_seconds") == pytest.approx(7200, abs=60)


@pytest.mark.django_db
def test_readyz_sees_late_mail_of_companies(client: Client, cast: Cast) -> None:
    (message,) = queue_all(cast.tenant, people(1))
    Message.objects.filter(pk=message.pk).update(not_before=timezone.now() - datetime.timedelta(hours=1))
    assert client.get("/readyz").json()["status"] == "failed: outbox"


@pytest.mark.django_db
def test_the_audit_tells_what_waits_for_the_sealer(client: Client, cast: Cast) -> None:
    sealing.seal()
    assert _value(_scrape(client), "audit_unsealed_entries") == 0
    with scope.unit_of_work(door="test"), scope.all_tenants(), pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(audit.timezone, "now", lambda: timezone.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        audit.entry_for("changed", object_type="core.blob", object_id=1, tenant_id=cast.tenant.pk).save()
    found = _scrape(client)
    assert _value(found, "audit_unsealed_entries") == AuditEntry.objects.filter(seq=None).count() == 1
    age = time.time() - datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    assert _value(found, "audit_unsealed_oldest_seconds") == pytest.approx(age, abs=60)


@pytest.mark.django_db
def test_storage_tells_files_bytes_and_room(client: Client, cast: Cast) -> None:
    before = _scrape(client)
    for tenant, content in ((cast.tenant, b"a" * 1000), (cast.other_tenant, b"b" * 500)):
        blobs.store(io.BytesIO(content), tenant_id=tenant.pk, limit=10**6)
    uploads.create(user_id=cast.admin.pk, tenant_id=cast.tenant.pk, door="test", name="x.bin", size=9, limit=10)
    found = _scrape(client)

    def grown(name: str) -> float:
        return (_value(found, name) or 0) - (_value(before, name) or 0)

    assert grown("blobs") == 2
    assert grown("blob_bytes") == 1500
    assert grown("uploads_waiting") == 1
    free, size = _value(found, "storage_free_bytes"), _value(found, "storage_size_bytes")
    assert free and size and 0 < free <= size


@pytest.mark.django_db
def test_many_files_are_estimated_from_a_sample(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """5,000 rows on some 90 pages, of which 30 are looked at."""
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_blob (created_at, updated_at, row_version, tenant_id, sha256, size, mime, storage_key, scan,"
            " preview_state) SELECT now(), now(), 1, %s, sha256(n::text::bytea), 100, 'text/plain', gen_random_uuid(),"
            " 'clean', 'none' FROM generate_series(1, 5000) AS n",
            [cast.tenant.pk],
        )
    exact = _scrape(client)
    monkeypatch.setattr(gauges, "SAMPLE", 30)
    found = _scrape(client)
    assert (_value(exact, "blobs") or 0) >= 5000
    assert _value(found, "blobs") != _value(exact, "blobs"), "the sample was not smaller than the table"
    assert _value(found, "blobs") == pytest.approx(_value(exact, "blobs"), rel=0.8)


@pytest.mark.django_db
def test_the_database_tells_its_connections(client: Client) -> None:
    found = _scrape(client)
    assert (_value(found, "database_connections", state="active") or 0) >= 1
    assert _value(found, "database_connections_max") == 200
    assert _value(found, "database_lock_waits") == 0
    assert (_value(found, "database_bytes") or 0) > 10**6


@pytest.mark.django_db
def test_the_queue_tells_what_waits_for_a_worker(client: Client) -> None:
    app.control.purge()
    assert _value(_scrape(client), "queue_tasks") == 0
    app.send_task("core.expire_uploads")
    try:
        assert _value(_scrape(client), "queue_tasks") == 1
    finally:
        app.control.purge()


@pytest.mark.django_db
def test_what_cannot_be_read_is_named_and_the_rest_is_there(client: Client, broker: Any) -> None:
    broker.stop()
    found = _scrape(client)
    assert _value(found, "scrape_failed", part="queue") == 1
    assert _value(found, "scrape_failed", part="jobs") == 0
    assert _value(found, "queue_tasks") is None
    assert _value(found, "audit_unsealed_entries") is not None


@pytest.mark.django_db
def test_a_query_that_takes_too_long_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "PATIENCE", 0.1)
    monkeypatch.setattr(gauges, "_AUDIT", "SELECT count(*), now() FROM (SELECT pg_sleep(5) LIMIT %s) AS waiting")
    begin = time.monotonic()
    found = _scrape(client)
    assert time.monotonic() - begin < 4
    assert _value(found, "scrape_failed", part="audit") == 1
    assert _value(found, "outbox_messages", state="queued") is not None


@pytest.mark.django_db
def test_every_figure_is_explained_and_every_explained_one_exists(client: Client) -> None:
    """docs/operate/monitor.md, alerts included."""
    jobs.run("core.expire_uploads", dict)
    names = {name for name, _labels in _scrape(client)}
    text = (ROOT / "docs" / "operate" / "monitor.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"\bquartier_\w+", text))
    parts = ("_bucket", "_count", "_sum")
    families = {name.removesuffix(next((p for p in parts if name.endswith(p)), "")) for name in names}
    assert families - explained == set()
    assert explained - families - names == set()


# --- What it costs, and what it does not say --------------------------------------------------------------------


@pytest.mark.django_db
def test_the_number_of_queries_is_constant(client: Client, cast: Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            _scrape(client)
        return len(found)

    before = queries()
    queue_all(cast.tenant, people(40))
    for number in range(5):
        jobs.run("core.expire_uploads", dict)
        publish(cast, folder(cast, f"Ordner {number}", manual_group(cast, f"Gruppe {number}", "renter")))
    assert queries() == before
    assert before < 35


@pytest.mark.django_db
def test_the_database_is_asked_once_in_ten_seconds(client: Client) -> None:
    _scrape(client)
    with CaptureQueriesContext(connection) as found:
        assert client.get("/metrics").status_code == 200
    assert len(found) == 0


@pytest.mark.django_db
def test_nobody_is_named(client: Client, cast: Cast) -> None:
    queue_all(cast.tenant, people(3))
    publish(cast, folder(cast, "Ordner", manual_group(cast, "Gruppe", "renter")), filename="geheim.pdf")
    read.forget()
    text = client.get("/metrics").content.decode()
    for word in ("Brandt", "Keller", "Nordhaus", "quartier.test", "example.test", "geheim", "Muster", "Ordner"):
        assert word not in text
