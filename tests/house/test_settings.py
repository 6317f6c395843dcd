"""Every variable is documented, and production does not start half configured."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "s" * 60,
    "FIELD_ENCRYPTION_KEYS": "3Oq0TN0CDkDxLjzBNTXHLuCXHnyEw1VU3W-MzzO8UTg=",
    "AUDIT_KEY": "a" * 40,
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
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


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


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 60)
    variables = {**GOOD, "SECRET_KEY_FILE": str(secret)}
    del variables["SECRET_KEY"]
    done = _check(**variables)
    assert done.returncode == 0, done.stderr


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
        ("AUDIT_KEY", "short"),
        ("PUBLIC_URL", "http://quartier.example"),
        ("ALLOWED_HOSTS", "*"),
        ("MIGRATION_DATABASE_URL", GOOD["DATABASE_URL"]),
    ],
)
def test_production_names_the_unsafe_setting(name: str, value: str) -> None:
    done = _check(**{**GOOD, name: value})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}:" in done.stderr
