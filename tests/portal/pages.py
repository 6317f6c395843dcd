"""What the tests of the web pages share: signing in, uploading, and papers that residents of house A see."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import scope
from docms.services import groups
from tests.factories import folder, publish

if TYPE_CHECKING:
    from docms.models import Document, Folder
    from orgs.models import User
    from tests.cast import Cast


def signed_in(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user, backend="orgs.auth.SessionBackend")
    return client


def house_folder(cast: Cast, name: str = "Versammlungen", **values: Any) -> Folder:
    """A folder for everybody of house A."""
    with scope.unit_of_work(door="test"):
        circle = groups.derived_group(tenant=cast.tenant, community=cast.house_a)
        return folder(cast, name, circle, community=cast.house_a, **values)


def paper(cast: Cast, where: Folder, title: str = "Einladung", **values: Any) -> Document:
    """A paper with real bytes."""
    with scope.unit_of_work(door="test"):
        return publish(cast, where, title=title, **values)


def documents_url(cast: Cast, query: str = "") -> str:
    """The documents of house A."""
    return f"/app/c/{cast.house_a.pk}/info/documents{query}"


def status_of(client: Client, url: str) -> int:
    """The status of an answer, which is read to its end: an open file would stay open."""
    response = client.get(url)
    response.getvalue()
    return response.status_code


def queries_of(client: Client, url: str) -> int:
    """How many queries a page costs, after a first visit that settles the session."""
    assert client.get(url).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def create_upload(client: Client, tenant_id: int, name: str, size: int) -> Any:
    """The answer to the announcement of a file, as the browser's widget makes it."""
    encoded = {"filename": name, "tenant": str(tenant_id)}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in encoded.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": metadata}
    return client.post("/admin/uploads/", headers=headers, content_type="text/plain")


def sent(client: Client, tenant_id: int, name: str, content: bytes) -> str:
    """A file as the browser's widget sends it: announced, then in one piece. Returns the handle."""
    response = create_upload(client, tenant_id, name, len(content))
    assert response.status_code == 201, response.content
    url = response["Location"]
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    response = client.patch(url, content, headers=headers, content_type="application/offset+octet-stream")
    assert response.status_code == 204
    return str(url.rsplit("/", 1)[1])
