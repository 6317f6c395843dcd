"""A client that a public generator makes of the served document: it compiles, and it does the main job."""

from __future__ import annotations

import base64
import compileall
import importlib
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from django.test import Client

from docms.models import DocumentLog
from tests.cast import PASSWORD, Cast, load
from tests.docms.door import PDF, b64

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PACKAGE = "generated_docms"
CONFIG = {
    # It knows no body of plain text (two operations send a licence); as bytes it sends the same.
    "content_type_overrides": {"text/plain": "application/octet-stream"},
    # It forgets to import a name where a required body has two forms (one operation, the upload).
    "post_hooks": ["find api -name '*.py' -exec sed -i 's/^from ...types import Response, UNSET$/&, Unset/' {} +"],
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As it is served to everybody."""
    answer = Client().get("/api/schema/docms/")
    assert answer.status_code == 200
    return dict(yaml.safe_load(answer.content))


@pytest.fixture(scope="module")
def client(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that the generator makes."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "docms.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", "docms.yaml", "--config", "config.yaml",
            "--output-path", PACKAGE, "--meta", "none", "--fail-on-warning",
        ],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module(PACKAGE)
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]


def modules(client: ModuleType) -> list[str]:
    return [found.name for found in pkgutil.walk_packages(client.__path__, f"{PACKAGE}.")]


def test_every_module_compiles_and_imports(client: ModuleType) -> None:
    (folder,) = client.__path__
    assert compileall.compile_dir(folder, quiet=1, force=True)
    for name in modules(client):
        importlib.import_module(name)


def test_every_operation_is_there(client: ModuleType, document: dict[str, Any]) -> None:
    methods = {"get", "put", "post", "delete", "patch"}
    operations = [o for path in document["paths"].values() for method, o in path.items() if method in methods]
    made = [name for name in modules(client) if ".api." in name and name.count(".") == 3]
    assert len(made) == len(operations) > 100


opened: list[Any] = []


@pytest.fixture(autouse=True)
def _connections_end() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


class Api:
    """The package in the hands of a person: operations by name, refusals as exceptions."""

    def __init__(self, client: ModuleType, url: str, token: str = "", **headers: str) -> None:
        options: dict[str, Any] = {"httpx_args": {"trust_env": False}, "raise_on_unexpected_status": True}
        base = f"{url}/docms/api/v1"
        if token:
            self.client = client.AuthenticatedClient(base, token=token, **options)
        else:
            self.client = client.Client(base, headers=headers, **options)
        opened.append(self.client.get_httpx_client())

    def answer(self, operation: str, *path: Any, **arguments: Any) -> Any:
        """The whole answer."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync_detailed(*path, client=self.client, **arguments)

    def __call__(self, operation: str, *path: Any, **arguments: Any) -> Any:
        """What a success brings, as the type that the package has for it."""
        answer = self.answer(operation, *path, **arguments)
        assert answer.status_code == 200, answer
        return answer.parsed


def signed_in(client: ModuleType, url: str, who: str, tenant_id: int) -> Api:
    """User name and password, then the choice of the tenant."""
    basic = base64.b64encode(f"{who}@quartier.test:{PASSWORD}".encode()).decode()
    token = Api(client, url, Authorization=f"Basic {basic}")("authentication.login").token
    api = Api(client, url, token)
    assert tenant_id in [tenant.tenant_id for tenant in api("authentication.list_assigned_tenants")]
    api("authentication.select_tenant", tenant_id)
    return api


@pytest.mark.django_db(transaction=True)
def test_it_tells_the_story(client: ModuleType, live_server: Any) -> None:
    cast: Cast = load()
    models = importlib.import_module(f"{PACKAGE}.models")
    office = signed_in(client, live_server.url, "admin", cast.tenant.pk)

    # A group, a folder for it, and a paper in the folder.
    people = office("groups.create_group", body=models.GroupCreate(name="Haus A", user_ids=[cast.renter.pk]))
    folder = office("folders.create_folder", body=models.FolderCreate(name="Papiere", group_ids=[people.group_id]))
    paper = office(
        "files.upload_file",
        body=models.FileCreate(
            folder_id=folder.folder_id, filename="abrechnung.pdf", file_data=b64(PDF), title="Abrechnung 2025"
        ),
    )
    assert (paper.title, paper.size_bytes, paper.read_by_user) == ("Abrechnung 2025", len(PDF), False)

    # The resident finds it among what is new, searches for it and takes it home; somebody else does not see it.
    mine = signed_in(client, live_server.url, "renter", cast.tenant.pk)
    assert [file.file_id for file in mine("files.list_unread_files")] == [paper.file_id]
    assert [file.title for file in mine("files.list_files_in_folder", folder.folder_id)] == ["Abrechnung 2025"]
    assert mine("files.search_files", body=models.FileSearch(search="abrechnung")) == [paper.file_id]
    taken = mine("files.download_file", paper.file_id)
    assert (taken.filename, base64.b64decode(taken.data)) == ("abrechnung.pdf", PDF)
    assert mine("files.list_unread_files") == []
    neighbour = signed_in(client, live_server.url, "neighbour", cast.tenant.pk)
    unseen = neighbour.answer("files.get_file", paper.file_id)
    assert (unseen.status_code, type(unseen.parsed).__name__) == (404, "Error")

    # The office reads the proof.
    proof = office("logs.list_file_logs", paper.file_id)
    assert [(entry.user_id, entry.action) for entry in proof] == [
        (cast.admin.pk, "create"),
        (cast.renter.pk, "download"),
    ]
    assert DocumentLog.objects.filter(document_id=paper.file_id, user=cast.renter, action="download").count() == 1
    assert office("files.get_file", paper.file_id).access_counter == 1

    # A new title, the end of the paper, and of the sign-in.
    changed = office("files.update_file", paper.file_id, body=models.FileUpdate(title="Abrechnung, neu"))
    assert changed.title == "Abrechnung, neu"
    office("files.delete_file", paper.file_id)
    assert mine.answer("files.get_file", paper.file_id).status_code == 404
    office("authentication.logout")
    assert office.answer("files.list_files").status_code == 401
