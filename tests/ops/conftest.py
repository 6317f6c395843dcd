"""The product as the image holds it: built by the Dockerfile's own steps, read-only, served as another account.

Nothing of the product is imported up here: it would name its settings before `tests/conftest.py` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polib
import pytest
import yaml

from tests.ops.confine import confined, give
from tests.ops.dockerfile import Stage, stages
from tests.servers import eventually, free_port, locked
from tests.tables import truncate_all

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

ROOT = Path(__file__).resolve().parents[2]
BIN = str(Path(sys.executable).parent)
HOST = "quartier.example"


@dataclass
class Image:
    """A tree like the image's `/app`, and the stage that it comes from."""

    app: Path
    stage: Stage

    def environment(self, folder: Path, **more: str) -> dict[str, str]:
        """The image's, and good settings for the servers of this test. ``folder`` is all that may be written."""
        from tests.house.test_settings import GOOD

        return {
            **self.stage.environment,
            **GOOD,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": "/nonexistent",
            "TMPDIR": str(folder / "tmp"),
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "REDIS_URL": os.environ["REDIS_URL"],
            "STORAGE_URL": f"file://{folder / 'files'}",
            "EMAIL_URL": "smtp://127.0.0.1:1",
            "ALLOWED_HOSTS": HOST,
            "PUBLIC_URL": f"https://{HOST}",
            **more,
        }


@dataclass
class Process:
    """A process of the product and what it has said."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def text(self) -> str:
        """Standard output and error so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@pytest.fixture(scope="session")
def image() -> Image:
    """Built once per session: copied, translated, static files collected; then nobody may write to it."""
    build, final = stages(ROOT / "Dockerfile")
    folder = Path(os.environ["QUARTIER_TEST_FOLDER"])
    app = folder / "image" / "app"
    with locked(folder / "image.lock"):
        if not (folder / "image.ready").exists():
            _build(build, app)
            subprocess.run(["chmod", "-R", "a-w,a+rX", str(app)], check=True)
            (folder / "image.ready").touch()
    return Image(app, final)


def _build(stage: Stage, app: Path) -> None:
    app.mkdir(parents=True)
    for copy in stage.all("COPY"):
        *sources, target = copy.words
        for source in sources:
            if target.startswith("/"):
                continue  # requirements.txt: installed already
            destination = app / source if target == "./" else app / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, destination, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
            else:
                shutil.copy(ROOT / source, destination)
    (translate,) = [run.value for run in stage.all("RUN") if "msgfmt" in run.value]
    (collect,) = [run.value for run in stage.all("RUN") if "collectstatic" in run.value]
    if shutil.which("msgfmt"):
        (step,) = [part for part in translate.split("&&") if "msgfmt" in part]
        subprocess.run(["sh", "-ec", step], cwd=app, check=True)
    else:
        for source in app.glob("locale/*/LC_MESSAGES/django.po"):
            polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(["sh", "-ec", collect], cwd=app, env=environment, check=True)


@pytest.fixture(scope="module")
def writable() -> Iterator[Path]:
    """The volume and the tmpfs of a container: all that its account may write. The tests keep their files there, too."""
    from django.test import override_settings

    base = Path(os.environ["QUARTIER_TEST_FOLDER"]) / f"volume-{free_port()}"
    for name in ("files", "tmp"):
        (base / name).mkdir(parents=True)
        give(base / name)
    socket = Path(urlsplit(os.environ["REDIS_URL"]).path)
    if socket.is_socket():
        socket.chmod(0o777)
    with override_settings(STORAGE_URL=f"file://{base / 'files'}"):
        yield base
    shutil.rmtree(base, ignore_errors=True)


Serve = Callable[..., Process]


@pytest.fixture(scope="module")
def run(image: Image, writable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`run(command, **environment)`: a process of the image, as an account that owns nothing of it."""
    started: list[Process] = []
    logs = tmp_path_factory.mktemp("logs")

    def start(command: list[str], *, port: int = 0, **more: str) -> Process:
        log = logs / f"{len(started)}.log"
        environment = image.environment(writable, **more)
        with log.open("wb") as output:
            process = subprocess.Popen(
                confined(command, writable=writable),
                cwd=image.app,
                env=environment,
                stdout=output,
                stderr=output,
                umask=0o022,
            )
        started.append(Process(process, log, port))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture(scope="module")
def serve(image: Image, run: Serve) -> Serve:
    """`serve(**environment)`: the web server by the image's own CMD, on a free port."""

    def start(*arguments: str, **more: str) -> Process:
        port = free_port()
        command = [f"127.0.0.1:{port}" if word == "0.0.0.0:8000" else word for word in image.stage.last("CMD").listed]
        web = run([*command, *arguments], port=port, **more)
        assert eventually(lambda: _answers(port) or web.process.poll() is not None, seconds=60), web.text
        assert web.process.poll() is None, web.text
        return web

    return start


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": HOST})
    try:
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - to the server above
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """compose.yaml, with what `<<` brings."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rows that a module's fixtures make are there for other processes, and gone when the module is through."""
    from tests.everywhere import everywhere

    with django_db_blocker.unblock(), everywhere():
        truncate_all()
        yield
        truncate_all()
