"""Alive and ready: what fails is named."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import scope
from core.services import audit, jobs, sealing
from messaging.models import Message


@pytest.mark.django_db
def test_healthz_answers_without_asking_anybody(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_is_ok_when_every_part_answers(client: Client, smtp: Any, settings: Any) -> None:
    settings.EMAIL_URL = smtp.url
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == dict.fromkeys(
        ("database", "broker", "storage", "mail", "outbox", "audit", "scanner"), "ok"
    )


@pytest.mark.django_db
def test_readyz_names_a_mail_server_that_is_down(client: Client, smtp: Any, settings: Any) -> None:
    settings.EMAIL_URL = smtp.url
    smtp.stop()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failed: mail"


@pytest.mark.django_db
def test_readyz_names_a_broker_that_is_down(client: Client, broker: Any) -> None:
    broker.stop()
    assert client.get("/readyz").json()["status"] == "failed: broker"


@pytest.mark.django_db
def test_readyz_names_the_oldest_mail_that_should_be_out(client: Client) -> None:
    late = timezone.now() - datetime.timedelta(hours=1)
    message = Message.objects.create(
        channel="mail",
        kind="test",
        subject="x",
        language="de",
        message_id="<1@test>",
        dedupe_key="1",
        state="queued",
        not_before=late,
    )
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert f"message {message.pk}" in answer.json()["checks"]["outbox"]


@pytest.mark.django_db
def test_readyz_names_the_oldest_entry_that_should_be_sealed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ago = timezone.now() - sealing.LATE - datetime.timedelta(seconds=1)
    with scope.unit_of_work(door="test"), monkeypatch.context() as earlier:
        earlier.setattr(audit.timezone, "now", lambda: ago)
        entry = audit.entry_for("changed", object_type="core.blob", object_id=1, tenant_id=None)
        entry.save()
    answer = client.get("/readyz")
    assert answer.json()["status"] == "failed: audit"
    assert f"entry {entry.pk}" in answer.json()["checks"]["audit"]
    sealing.seal()
    assert client.get("/readyz").json()["checks"]["audit"] == "ok"


@pytest.mark.django_db
def test_readyz_shows_the_last_run_of_each_job(client: Client) -> None:
    jobs.run("test.job", lambda: {"rows": 3})
    with pytest.raises(ZeroDivisionError):
        jobs.run("test.broken", lambda: {"rows": 1 // 0})
    shown = client.get("/readyz").json()["jobs"]
    assert shown["test.job"]["counts"] == {"rows": 3}
    assert shown["test.broken"]["error"].startswith("ZeroDivisionError")
