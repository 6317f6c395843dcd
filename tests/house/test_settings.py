"""Every variable is documented, and production does not start half configured."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings.reading import Env

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "settings-of-a-test-0123456789-0123456789-0123456789",
    "FIELD_ENCRYPTION_KEYS": "3Oq0TN0CDkDxLjzBNTXHLuCXHnyEw1VU3W-MzzO8UTg=",
    "AUDIT_KEY": "audit-of-a-test-0123456789-0123456789",
    "PUBLIC_URL": "https://quartier.example",
    "ALLOWED_HOSTS": "quartier.example",
    "DATABASE_URL": "postgresql://quartier_app:x@db.invalid/quartier",
    "MIGRATION_DATABASE_URL": "postgresql://quartier_owner:x@db.invalid/quartier",
    "REDIS_URL": "redis://valkey.invalid:6379/0",
    "STORAGE_URL": "file:///var/lib/quartier",
    "EMAIL_URL": "smtp://mail.invalid:25",
}


def _variables() -> set[str]:
    """The first argument of every `env.…("NAME")` call in the settings."""
    names = set()
    for path in (ROOT / "config" / "settings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] == "env" and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    names.add(str(argument.value))
    return names


def _compose_variables() -> set[str]:
    """What compose.yaml takes from its environment: `${NAME}` with or without a default."""
    return set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def _check(**variables: str) -> subprocess.CompletedProcess[str]:
    return _manage("check", **variables)


def _manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return _run("manage.py", *arguments, **variables)


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def _assert_refused(done: subprocess.CompletedProcess[str], name: str, value: str = "") -> None:
    """The last line names the variable, and nothing says its value."""
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}:" in done.stderr
    assert len(value) < 10 or value not in done.stderr


def test_the_settings_read_variables() -> None:
    assert {"DATABASE_URL", "SECRET_KEY"} <= _variables()


def test_every_variable_is_in_the_example_file() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert (_variables() | _compose_variables()) - listed == set()


def test_every_variable_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", text, re.MULTILINE))
    known = _variables() | _compose_variables()
    assert known - documented == set()
    assert documented - known == set(), "documented, but nobody reads it"


def test_production_starts_with_good_settings() -> None:
    done = _check(**GOOD)
    assert done.returncode == 0, done.stderr


@pytest.mark.rule("PORTAL-007")
@pytest.mark.parametrize("name", ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
def test_production_sends_cookies_over_tls_only(name: str) -> None:
    done = _manage("shell", "--no-imports", "-c", f"from django.conf import settings; print(settings.{name})", **GOOD)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.rule("DOCMS-171")
def test_production_waits_for_no_set_up_without_secret_or_licence() -> None:
    _assert_refused(_check(**GOOD, BOOTSTRAP="demo"), "SETUP_SECRET")
    prepared = {**GOOD, "SETUP_SECRET": "set-up-0123456789-abcdef"}
    _assert_refused(_check(**prepared, BOOTSTRAP="license"), "BOOTSTRAP_LICENSE")
    done = _check(**prepared, BOOTSTRAP="demo")
    assert done.returncode == 0, done.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{GOOD['SECRET_KEY']}\n")
    variables = {**GOOD, "SECRET_KEY_FILE": str(secret)}
    del variables["SECRET_KEY"]
    done = _manage(
        "shell", "--no-imports", "-c", "from django.conf import settings; print(settings.SECRET_KEY)", **variables
    )
    assert done.stdout == f"{GOOD['SECRET_KEY']}\n", done.stderr


# Web and workers need not know the owner: only `migrate` does.
@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"MIGRATION_DATABASE_URL"}))
def test_production_names_the_missing_setting(name: str) -> None:
    done = _check(**{key: value for key, value in GOOD.items() if key != name})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}:" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-" + GOOD["SECRET_KEY"]),
        ("FIELD_ENCRYPTION_KEYS", "A" * 43 + "="),
        ("AUDIT_KEY", "short"),
        ("AUDIT_KEY", "a" * 60),
        ("AUDIT_KEY", GOOD["SECRET_KEY"]),
        ("PUBLIC_URL", "http://quartier.example"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "other.example"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
        ("SETUP_SECRET", "short"),
        ("SETUP_SECRET", "a" * 40),
        ("MIGRATION_DATABASE_URL", GOOD["DATABASE_URL"]),
        ("MIGRATION_DATABASE_URL", GOOD["DATABASE_URL"] + "?sslmode=require"),
    ],
)
def test_production_names_the_unsafe_setting(name: str, value: str) -> None:
    _assert_refused(_check(**{**GOOD, name: value}), name, value)


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", ""), ("UPLOAD_LIMIT", "abc"), ("AUDIT_KEY_FILE", "/none")])
def test_gunicorn_does_not_start_either(name: str, value: str) -> None:
    _assert_refused(_run("-m", "gunicorn", "config.wsgi", "--check-config", **{**GOOD, name: value}), name, value)


def test_a_command_that_changes_the_schema_wants_its_owner() -> None:
    variables = {key: value for key, value in GOOD.items() if key != "MIGRATION_DATABASE_URL"}
    _assert_refused(_manage("migrate", **variables), "MIGRATION_DATABASE_URL")


# --- Values that cannot be meant --------------------------------------------------------------------------

WRONG = [
    ("FIELD_ENCRYPTION_KEYS", "keys", "notafernetkey"),
    ("FIELD_ENCRYPTION_KEYS", "keys", GOOD["FIELD_ENCRYPTION_KEYS"] + ",geheim"),
    ("PUBLIC_URL", "origin", "quartier.example"),
    ("PUBLIC_URL", "origin", "https://"),
    ("PUBLIC_URL", "origin", "https://quartier.example/app"),
    ("PUBLIC_URL", "origin", "https://user:geheim@quartier.example"),
    ("PUBLIC_URL", "origin", "https://quartier.example:geheim"),
    ("ALLOWED_HOSTS", "hosts", "https://quartier.example"),
    ("ALLOWED_HOSTS", "hosts", "quartier.example:443"),
    ("ALLOWED_HOSTS", "hosts", "*.quartier.example"),
    ("CSRF_TRUSTED_ORIGINS", "origins", "quartier.example"),
    ("CSRF_TRUSTED_ORIGINS", "origins", "https://quartier.example/"),
    ("TRUSTED_PROXIES", "networks", "bogus"),
    ("TRUSTED_PROXIES", "networks", "10.0.0.1/8"),
    ("LOCAL_NETWORKS", "networks", "10.0.0.0/33"),
    ("DATABASE_URL", "database", "sqlite:///x.db"),
    ("DATABASE_URL", "database", "bogus"),
    ("DATABASE_URL", "database", "postgresql://user:geheim@host"),
    ("DATABASE_URL", "database", "postgresql://user:geheim@host:port/name"),
    ("MIGRATION_DATABASE_URL", "database", "mysql://user:geheim@host/name"),
    ("REDIS_URL", "broker", "bogus"),
    ("REDIS_URL", "broker", "redis://"),
    ("REDIS_URL", "broker", "redis://host:6379/name"),
    ("REDIS_URL", "broker", "redis://host:70000/0"),
    ("REDIS_URL", "broker", "unix://"),
    ("STORAGE_URL", "storage", "ftp://x"),
    ("STORAGE_URL", "storage", "/var/lib/quartier"),
    ("STORAGE_URL", "storage", "file://var/lib/quartier"),
    ("STORAGE_URL", "storage", "s3://key:geheim@host"),
    ("EMAIL_URL", "mail", "foo://bar"),
    ("EMAIL_URL", "mail", "consolemail://"),
    ("EMAIL_URL", "mail", "smtp://"),
    ("EMAIL_URL", "mail", "smtp://user:ge#heim@host:25"),
    ("DEFAULT_FROM_EMAIL", "sender", "nobody"),
    ("UPLOAD_LIMIT", "number", "abc"),
    ("UPLOAD_LIMIT", "number", "-1"),
    ("UPLOAD_LIMIT", "number", "5G"),
    ("UPLOAD_LIMIT", "number", "9" * 5000),
    ("DATABASE_POOLED", "flag", "maybe"),
    ("LICENSE_PUBLIC_KEY", "public_key", "geheim"),
    ("LICENSE_PUBLIC_KEY", "public_key", "A" * 40),
    ("UPDATER_URL", "address", "updater:8000"),
    ("UPDATER_URL", "address", "https://user:geheim@updater.test/"),
    ("UPDATER_URL", "address", "https:///newest"),
]


@pytest.mark.parametrize(("name", "read", "value"), WRONG)
def test_a_value_that_cannot_be_meant_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, read: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    defaults = {"origin": "", "sender": "", "broker": "", "number": 1, "flag": False}
    with pytest.raises(ImproperlyConfigured) as refusal:
        getattr(Env(), read)(name, **({"default": defaults[read]} if read in defaults else {}))
    assert str(refusal.value).startswith(f"{name}: ")
    assert "\n" not in str(refusal.value)
    assert "geheim" not in str(refusal.value)
    assert refusal.value.__suppress_context__, "an error behind it may quote the value"


RIGHT = [
    ("PUBLIC_URL", "origin", "https://quartier.example:8443/", "https://quartier.example:8443"),
    ("ALLOWED_HOSTS", "hosts", "quartier.example, .example.org,[::1]", ["quartier.example", ".example.org", "[::1]"]),
    ("CSRF_TRUSTED_ORIGINS", "origins", "https://*.example.org", ["https://*.example.org"]),
    ("TRUSTED_PROXIES", "networks", "10.0.0.0/8, ::1", ["10.0.0.0/8", "::1"]),
    ("REDIS_URL", "broker", "rediss://:p@host:6380/1?ssl_cert_reqs=none", None),
    ("REDIS_URL", "broker", "unix:///run/valkey.sock", None),
    ("STORAGE_URL", "storage", "s3://key:secret@s3.test:9000/bucket?region=eu", None),
    ("EMAIL_URL", "mail", "smtp+tls://user:p%40ss@mail.test:587", None),
    ("DATABASE_POOLED", "flag", "Yes", True),
    ("LICENSE_PUBLIC_KEY", "public_key", "-_" * 21 + "8=", b"\xfb\xff\xbf" * 10 + b"\xfb\xff"),
    ("LICENSE_PUBLIC_KEY", "public_key", "-_" * 21 + "8", b"\xfb\xff\xbf" * 10 + b"\xfb\xff"),  # without padding
    ("LICENSE_PUBLIC_KEY", "public_key", "", b""),
    ("UPDATER_URL", "address", "https://updater.test:8443/newest?channel=beta", None),
    ("UPLOAD_LIMIT", "number", " 7 ", 7),
    ("UPLOAD_LIMIT", "number", "", 1),
]


@pytest.mark.parametrize(("name", "read", "value", "meant"), RIGHT)
def test_a_value_is_read(monkeypatch: pytest.MonkeyPatch, name: str, read: str, value: str, meant: Any) -> None:
    monkeypatch.setenv(name, value)
    defaults = {"origin": "", "sender": "", "broker": "", "number": 1, "flag": False}
    found = getattr(Env(), read)(name, **({"default": defaults[read]} if read in defaults else {}))
    assert found == (value if meant is None else meant)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://app:p%40ss@db.test:5433/house?sslmode=require", ("app", "p@ss", "db.test", 5433, "house")),
        ("postgres://app@/house?host=/run/postgresql", ("app", "", "", "", "house")),
        ("postgresql://app@one.test:1,two.test:2/house", ("app", "", "one.test,two.test", "1,2", "house")),
    ],
)
def test_a_database_is_read(monkeypatch: pytest.MonkeyPatch, url: str, parts: tuple[Any, ...]) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    found = Env().database("DATABASE_URL")
    assert found["ENGINE"] == "core.database"
    assert tuple(found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == parts


def test_a_choice_names_what_there_is_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDFILE", "nginx")
    with pytest.raises(ImproperlyConfigured, match=r"^SENDFILE: must be one of x-accel\.$"):
        Env().text("SENDFILE", among=("", "x-accel"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match=r"^AUDIT_KEY_FILE: the file ") as refusal:
        Env().text("AUDIT_KEY")
    assert refusal.value.__suppress_context__


def test_a_secret_may_begin_with_a_dollar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "$PATH")
    assert Env().text("SECRET_KEY") == "$PATH"


@pytest.mark.parametrize("module", ["base", "production", "tryout", "test"])
def test_settings_are_read_by_nothing_else(module: str) -> None:
    text = (ROOT / "config" / "settings" / f"{module}.py").read_text(encoding="utf-8")
    assert "environ" not in text.replace("environment", "")
