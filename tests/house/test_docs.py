"""Pages that list things list all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tests.house.test_settings import _compose_variables, _variables

ROOT = Path(__file__).resolve().parents[2]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found.group().lower()


def _direct_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    return {_name(requirement) for requirement in listed}


def test_every_direct_dependency_has_a_reason() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    reasons = {
        name.lower(): reason.strip() for name, reason in re.findall(r"^\| `([^`]+)` \| (.+?) \|", text, re.MULTILINE)
    }
    assert set(reasons) == _direct_dependencies()
    assert all(reasons.values())


def test_every_direct_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    assert [requirement for requirement in listed if ">=" not in requirement] == []


def test_every_script_is_described() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    scripts = [path.name for path in (ROOT / "script").iterdir() if path.is_file() and "." not in path.name]
    assert scripts
    assert [name for name in scripts if f"`script/{name}`" not in text] == []


def test_pages_link_to_pages_that_exist() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


# --- What pages name -----------------------------------------------------------------------------------------

_PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_OPERATE = sorted((ROOT / "docs" / "operate").glob("*.md"))
# Read by programs around us, not by our settings.
_FOREIGN = {"DJANGO_SETTINGS_MODULE", "GUNICORN_CMD_ARGS", "TMPDIR", "WEB_CONCURRENCY", "NAME_FILE", "LOGGING"}


def test_every_task_has_a_page_and_every_page_is_listed() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert {f"operate/{page.name}" for page in _OPERATE} == set(re.findall(r"\]\((operate/[^)]+)\)", text))
    assert "docs/operate.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = set(re.findall(r"manage\.py ([a-z]\w+)", text))
    assert commands <= get_commands().keys(), commands - get_commands().keys()
    scripts = set(re.findall(r"script/([a-z_]+)", text))
    assert [name for name in scripts if not (ROOT / "script" / name).exists()] == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_option_of_a_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, arguments in re.findall(r"manage\.py ([a-z]\w+)([^\n`|;]*)", text):
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", arguments)) <= known, f"{name}{arguments}"


@pytest.mark.parametrize("page", [ROOT / "docs" / "operate.md", *_OPERATE], ids=lambda page: page.name)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", text))
    assert named - _variables() - _compose_variables() - _FOREIGN == set()


@pytest.mark.parametrize("page", _OPERATE, ids=lambda page: page.name)
def test_every_service_and_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for line in re.findall(r"docker compose (?:stop|exec -T|ps|logs|run --rm) ([^\n`]*)", text):
        first = re.sub(r"-v \S+|--user \S+|\\", "", line).split()
        named = [word for word in first[: first.index("python")] if word] if "python" in first else first[:1]
        assert set(named) <= services.keys(), line
    paths = re.findall(r"`((?:core|docs|config|orgs|docms|messaging)/[\w./-]+)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    tables = set(re.findall(r"\b(?:UPDATE|FROM) ([a-z]+_[a-z]+)", text))
    assert tables <= {model._meta.db_table for model in apps.get_models()}


@pytest.mark.parametrize("page", _OPERATE, ids=lambda page: page.name)
def test_every_job_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    jobs = set(re.findall(r'(?:job="|job `)((?:core|messaging|orgs|docms)\.\w+)', text))
    assert jobs <= settings.CELERY_BEAT_SCHEDULE.keys()
