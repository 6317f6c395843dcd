"""System checks: each finds what it is there for, and each is documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks as framework
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config import checks
from tests.house.test_settings import GOOD
from tests.servers import owner

ROOT = Path(__file__).resolve().parents[2]


def ids(found: list[framework.CheckMessage]) -> list[str]:
    return [str(message.id) for message in found]


def of_database() -> list[str]:
    return ids(checks.check_database(databases=["default"]))


def test_each_id_is_documented_with_its_remedy_and_each_documented_id_exists() -> None:
    raised = re.findall(r'id="(quartier\.[EW]\d{3})"', Path(checks.__file__).read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(quartier\.[EW]\d{3})` \| .+ \| .+ \|$", page, re.MULTILINE)
    assert sorted(table) == sorted(set(raised))
    assert table


def test_django_runs_them() -> None:
    ours = {check for check in framework.registry.registry.get_checks(True) if check.__module__ == "config.checks"}
    assert {check.__name__ for check in ours} == {name for name in vars(checks) if name.startswith("check_")}


# --- The database -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_is_wrong_with_the_database_of_web_and_workers() -> None:
    assert of_database() == []


def test_commands_of_the_owner_and_checks_without_database_ask_nothing(settings: Any) -> None:
    assert checks.check_database(databases=None) == []
    settings.AS_OWNER = True
    assert of_database() == []


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (("r", True, False, 0), "superuser"),
        (("r", False, True, 0), "BYPASSRLS"),
        (("r", False, False, 3), "owns 3 tables"),
    ],
)
def test_a_role_that_no_policy_binds_is_named_with_the_reason(row: tuple[Any, ...], word: str) -> None:
    assert word in checks._unbound(row)


@pytest.mark.django_db
def test_the_owner_of_the_tables_is_found(django_db_setup: None) -> None:
    with owner() as asked:
        row = asked.execute(checks._ROLE, [checks._tables()]).fetchone()
    assert "owns" in checks._unbound(row)


@pytest.mark.django_db
def test_a_table_that_the_role_may_not_read_is_named() -> None:
    with owner() as asked:
        asked.execute("REVOKE SELECT ON core_jobrun FROM quartier_app")
        try:
            found = checks.check_database(databases=["default"])
        finally:
            asked.execute("GRANT SELECT ON core_jobrun TO quartier_app")
    assert ids(found) == ["quartier.E002"]
    assert "core_jobrun" in found[0].msg
    assert "quartier_app" in str(found[0].hint)


@pytest.mark.django_db
def test_migrations_that_are_not_applied_are_counted() -> None:
    MigrationRecorder.Migration.objects.filter(app="processes").delete()
    found = checks.check_database(databases=["default"])
    assert ids(found) == ["quartier.E003"]
    assert "processes" in found[0].msg


@pytest.mark.django_db
def test_clocks_that_differ_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    here = checks.time.time()
    monkeypatch.setattr(checks, "time", SimpleNamespace(time=lambda: here - 60))
    assert of_database() == ["quartier.W001"]


# --- Starting as the owner --------------------------------------------------------------------------------


def as_owner() -> dict[str, str]:
    """Production, but web and workers got the owner's URL."""
    values = {**GOOD, "DATABASE_URL": os.environ["MIGRATION_DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}
    del values["MIGRATION_DATABASE_URL"]
    return {**values, "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ["gunicorn", "config.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket", "--check-config"],
        ["celery", "-A", "config", "worker", "-P", "solo", "--without-mingle", "--without-gossip"],
    ],
    ids=lambda command: command[0],
)
def test_web_and_workers_do_not_start_as_the_owner_of_the_tables(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=as_owner(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0
    assert "DATABASE_URL: The role quartier_owner owns" in done.stderr
    assert "(quartier.E001)" in done.stderr


@pytest.mark.django_db
def test_check_names_the_owner_of_the_tables() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default"],
        cwd=ROOT, env=as_owner(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "quartier.E001" in done.stderr


@pytest.mark.django_db
def test_the_role_of_web_and_workers_starts() -> None:
    checks.hold_role()


@pytest.mark.django_db
def test_the_try_out_starts_and_says_so(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(checks, "_unbound", lambda row: "The role x is a superuser.")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL: The role x"):
        checks.hold_role()
    settings.TRYOUT = True
    checks.hold_role()
    assert "The role x is a superuser." in caplog.text


def test_a_database_that_is_down_does_not_hold_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)
    checks.hold_role()
    assert "could not be looked at" in caplog.text


# --- This machine and the installation --------------------------------------------------------------------


def test_a_folder_that_takes_no_files_is_named(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}/not/made/yet"
    assert checks.check_storage() == []
    (tmp_path / "file").touch()
    settings.STORAGE_URL = f"file://{tmp_path}/file/below"
    assert ids(checks.check_storage()) == ["quartier.E004"]
    settings.STORAGE_URL = "s3://key:secret@s3.test/bucket"
    assert checks.check_storage() == []


def test_a_folder_of_somebody_else_is_named(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}"
    monkeypatch.setattr(checks.os, "access", lambda path, mode: False)  # tests may run as root, who may all
    assert ids(checks.check_storage()) == ["quartier.E004"]


def test_static_files_that_nobody_collected_are_found(settings: Any, tmp_path: Path) -> None:
    assert checks.check_static_files() == []
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    settings.STATIC_ROOT = tmp_path
    assert ids(checks.check_static_files()) == ["quartier.E005"]
    (tmp_path / "staticfiles.json").touch()
    assert checks.check_static_files() == []


def test_a_disk_without_room_for_one_upload_is_named(settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1
    assert checks.check_room() == []
    settings.UPLOAD_LIMIT = 2**60
    assert set(ids(checks.check_room())) == {"quartier.W002"}


def test_a_proxy_that_nobody_believes_is_found(settings: Any) -> None:
    assert checks.check_proxies() == []  # no proxy
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ids(checks.check_proxies()) == ["quartier.W003"]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert checks.check_proxies() == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://u:p@mail.test", ["quartier.W004"]),
        ("smtp+tls://u:p@mail.test", []),
        ("smtp://mail.test", []),
        ("smtp://u:p@127.0.0.1:25", []),
    ],
)
def test_a_password_of_mail_in_plain_is_found(settings: Any, url: str, found: list[str]) -> None:
    settings.EMAIL_URL, settings.DEFAULT_FROM_EMAIL = url, "house@quartier.test"
    assert ids(checks.check_mail()) == found


def test_a_sender_at_localhost_is_found(settings: Any) -> None:
    settings.EMAIL_URL, settings.DEFAULT_FROM_EMAIL = "", "quartier@localhost"
    assert ids(checks.check_mail()) == ["quartier.W005"]


def test_the_try_out_is_no_installation(settings: Any) -> None:
    assert checks.check_tryout() == []
    settings.TRYOUT = True
    assert ids(checks.check_tryout()) == ["quartier.E006"]
