"""Real files, and the people and addresses that the tests of stored bytes need."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from fpdf import FPDF
from PIL import Image

from core import scope, tus
from core.errors import DomainError
from core.models import Blob
from core.services import blobs, delivery
from orgs.models import Organization, User

if TYPE_CHECKING:
    import uuid

LIMIT = 50 * 1024 * 1024


def tenant(name: str = "Verwaltung Nord") -> Organization:
    """An organization that is a tenant."""
    row = Organization.objects.create(name=name)
    Organization.objects.filter(pk=row.pk).update(is_tenant=True, tenant_id=row.pk)
    row.refresh_from_db()
    scope.enter_tenants(scope.current().tenants | {row.pk})
    return row


def person(name: str = "mira") -> User:
    """An account."""
    return User.objects.create(username=name, email=f"{name}@example.test")


def stored(content: bytes, tenant_id: int | None, **options: Any) -> Blob:
    """A blob of these bytes."""
    return blobs.store(io.BytesIO(content), tenant_id=tenant_id, limit=LIMIT, **options)


def pdf(text: str = "Hausordnung", password: str = "") -> bytes:
    """One A4 page."""
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=20)
    document.cell(text=text)
    if password:
        document.set_encryption(owner_password="owner" + password, user_password=password)
    return bytes(document.output())


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A red picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


def archive(**members: bytes) -> bytes:
    """A ZIP file; two underscores stand for a slash and a dot ends as ``_xml``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def docx() -> bytes:
    """As small as a Word document can be told."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("word/document.xml", "<document/>")
    return out.getvalue()


def show(request: HttpRequest, key: uuid.UUID, how: str) -> HttpResponseBase:
    """A view that hands out a blob as doors do."""
    blob = Blob.objects.get(storage_key=key)
    try:
        if how == "preview":
            return delivery.deliver_preview(blob, request)
        return delivery.deliver(blob, filename="Plan Ä.pdf", inline=how == "inline", request=request)
    except DomainError as error:
        return JsonResponse({"code": error.code}, status=error.status)


def widget(request: HttpRequest) -> HttpResponse:
    """A page with the upload widget and nothing else."""
    scripts = "".join(
        f'<script src="/static/{name}" defer></script>' for name in ("vendor/tus/tus.min.js", "js/upload.js")
    )
    return HttpResponse(f"""<!DOCTYPE html><html lang="de"><head><title>Hochladen</title>
      <link rel="icon" href="data:,">{scripts}</head><body><main>
      <h1>Hochladen</h1><form method="get" action="/sent">
      <input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">
      <div data-upload data-endpoint="/app/uploads/" data-finish="#save" data-max="30000000"
        data-text-progress="{{percent}} %, {{sent}} von {{total}}" data-text-done="Fertig, {{total}}"
        data-text-waiting="Wartet" data-text-offline="Verbindung weg" data-text-failed="Ging nicht"
        data-text-empty="Die Datei ist leer." data-text-large="Größer als {{total}}."
        data-text-busy="Bitte warten." data-text-all-done="{{count}} Dateien hochgeladen.">
        <ul data-upload-list></ul>
        <div data-upload-drop><label for="files">Dateien</label>
          <input id="files" type="file" name="files" multiple></div>
        <p data-upload-status aria-live="polite"></p>
        <template data-upload-row><li><span data-part="name"></span> <span data-part="state"><progress data-part="bar"
          max="100" value="0"></progress> <span data-part="text"></span></span>
          <button type="button" data-part="retry" hidden>Noch einmal</button>
          <button type="button" data-part="remove">Entfernen</button></li></template>
      </div><button id="save">Sichern</button></form></main></body></html>""")


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF refusal without the pages of upper floors."""
    return HttpResponse(reason, status=403)


def _tenant_of(request: HttpRequest, metadata: dict[str, str]) -> int | None:
    return int(metadata["tenant"]) if "tenant" in metadata else None


urlpatterns = [
    path("app/uploads/", include(tus.urls("web", _tenant_of))),
    path("admin/uploads/", include(tus.urls("back_office", _tenant_of, name="admin-uploads"))),
    path("widget", widget),
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("sent", lambda request: JsonResponse(dict(request.GET))),
    path("blobs/<uuid:key>/<str:how>", show),
]
