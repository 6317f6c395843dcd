"""Numbers, jobs, client addresses, masked logs, units of work."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from core import scope
from core.logs import mask
from core.middleware import client_ip, door_of
from core.models import JobRun, NumberCounter
from core.services import jobs
from core.services.numbers import next_number
from tests.cast import Cast, load


def test_numbers_start_at_one_per_scope_and_grow_by_one(cast: Cast) -> None:
    kw = {"tenant_id": cast.tenant.pk, "kind": "t"}
    assert [next_number(**kw), next_number(**kw), next_number(**kw, scope_id=5)] == [1, 2, 1]
    assert next_number(**kw, count=10) == 3
    assert next_number(**kw) == 13


def test_a_rollback_gives_the_number_back(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        next_number(tenant_id=cast.tenant.pk, kind="t")
        raise ZeroDivisionError
    assert next_number(tenant_id=cast.tenant.pk, kind="t") == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_writers_never_share_a_number_and_leave_no_gap() -> None:
    cast, taken = load(), []

    def take() -> None:
        for _ in range(5):
            with scope.unit_of_work(door="test"):
                taken.append(next_number(tenant_id=cast.tenant.pk, kind="t"))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 21))
    assert NumberCounter.objects.get(kind="t").last == 20


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_once_at_a_time() -> None:
    inside, release, second = threading.Event(), threading.Event(), []

    def slow() -> dict[str, int]:
        inside.set()
        release.wait(10)
        return {"rows": 1}

    def first() -> None:
        jobs.run("test.once", slow)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    second.append(jobs.run("test.once", lambda: {"rows": 2}))
    release.set()
    thread.join()
    assert second == [None]
    assert JobRun.objects.get(name="test.once").counts == {"rows": 1}


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "client"),
    [
        ("203.0.113.5", "", [], "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", [], "203.0.113.5"),
        ("10.0.0.2", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.1, 10.0.0.9", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.2", "nonsense", ["10.0.0.0/8"], "10.0.0.2"),
        ("10.0.0.2", "fe80::1%eth0", ["10.0.0.0/8"], "fe80::1"),
    ],
)
def test_the_client_address_comes_from_a_trusted_proxy_only(
    settings: Any, remote: str, forwarded: str, trusted: list[str], client: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert client_ip(request) == client


@pytest.mark.parametrize(
    ("path", "door"),
    [("/docms/api/v1/login", "docms"), ("/admin/", "back_office"), ("/app/", "web"), ("/api/v1/tickets", "portal"),
     ("/api/v1/organizations", "orgs"), ("/api/processes/1", "processes"), ("/support/tickets/v1", "tickets")],
)  # fmt: skip
def test_a_path_belongs_to_a_door(path: str, door: str) -> None:
    assert door_of(path) == door


@pytest.mark.parametrize(
    "text",
    [
        "GET /app/invite/GEHEIM123 200",
        "PUT /docms/api/v1/password/token/GEHEIM123",
        "POST /docms/api/v1/tfa/GEHEIM123/verify",
        "Authorization: Bearer GEHEIM123",
        "Authorization: Basic GEHEIM123",
        '{"password": "GEHEIM123"}',
        "token=GEHEIM123&x=1",
    ],
)
def test_logs_hold_no_secret(text: str) -> None:
    assert "GEHEIM123" not in mask(text)


@pytest.mark.django_db
def test_a_unit_of_work_tells_the_database_its_tenants() -> None:
    def seen() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('quartier.tenants', true)")
            return str(cursor.fetchone()[0])

    with scope.unit_of_work(door="job", tenants=[3, 1]):
        assert seen() == "{1,3}"
        scope.enter_tenants([7])
        assert seen() == "{7}"
    assert scope.current().door == ""


def test_all_tenants_lasts_as_long_as_its_block(cast: Cast) -> None:
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        with scope.all_tenants():
            assert {cast.tenant.pk, cast.other_tenant.pk} <= scope.current().tenants
        assert scope.current().tenants == {cast.tenant.pk}


def test_an_exception_undoes_the_unit_of_work(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), scope.unit_of_work(door="test"):
        next_number(tenant_id=cast.tenant.pk, kind="u")
        raise ZeroDivisionError
    assert not NumberCounter.objects.filter(kind="u").exists()
