"""Wrong input, through the doors that people and programs use: a clear word, nothing half-done, nothing lost.

What one service refuses is tested beside it. Here counts what the person reads, and that nothing else has happened.
Codes that let nobody in are in `test_wrong_codes.py`, servers that are down in `test_servers_down.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from core import tasks as core_tasks
from core.models import Blob, Upload
from docms import tasks as docms_tasks
from docms.models import Document, Folder, Group
from orgs import tasks as orgs_tasks
from orgs.models import Community, Contact, ImportRun, Occupancy, Unit, User
from tests.core import material
from tests.docms.door import Answer, Caller, b64
from tests.docms.door import signed_in as called_by
from tests.factories import pdf
from tests.portal.pages import create_upload, documents_url, house_folder, sent, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

IMPORT = "/admin/orgs/importrun/add/"
PUBLISH = "/admin/docms/document/upload/"
PAPER = pdf()


def text_of(response: Any) -> str:
    """The page that came."""
    return str(response.content.decode())


def speak(user: User, language: str) -> None:
    """From now on in that language."""
    User.objects.filter(pk=user.pk).update(language=language)


# --- A register -------------------------------------------------------------------------------------------

OPEN_QUOTE = "A quotation mark opens a cell and does not close it."
HEAD = "community_ref;community;street;unit_ref;unit;contact_ref;last_name;role;from"
ROW = "Q;Haus Q;Weg 1;1;Wohnung 1;K1;Quast;renter;01.01.2024"


def register(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Community, Unit, Contact, Occupancy))


def imported(cast: Cast, content: bytes) -> tuple[ImportRun, str]:
    """What became of a register that the administrator uploads, and the page that says so."""
    client = signed_in(cast.admin)
    url = client.post(IMPORT, {"file": SimpleUploadedFile("register.csv", content)})["Location"]
    run = ImportRun.objects.latest("id")
    orgs_tasks.import_register(run.pk)
    run.refresh_from_db()
    return run, text_of(client.get(url))


@pytest.mark.parametrize(
    ("content", "row", "column", "problem"),
    [
        (b" \n\n", 1, "", "Die Datei ist leer."),
        (b"\xef\xbb\xbf", 1, "", "Die Datei ist leer."),
        (register(), 1, "", "Die Datei hat eine Kopfzeile, aber keine weiteren Zeilen."),
        (register("Q;Haus Q", head="community_ref;community"), 1, "unit_ref", "Diese Spalte fehlt."),
        (register("Q;1;rot", head="community_ref;unit_ref;Farbe"), 1, "Farbe", "Diese Spalte ist nicht bekannt."),
        (register("Q;1;2", head="community_ref;unit_ref;unit_ref"), 1, "unit_ref", "Diese Spalte kommt zweimal vor."),
        (b"community_ref;unit_ref\nCaf\xe9 \x81;1", 1, "", "Die Datei ist weder Text in UTF-8 noch in Windows-1252."),
        (register(ROW).decode().encode("utf-16"), 1, "", "Die Datei ist weder Text in UTF-8 noch in Windows-1252."),
        (material.docx(), 1, "", "Die Datei ist weder Text in UTF-8 noch in Windows-1252."),
        (register(ROW, ROW.replace("Quast", "Qu\x00ast")), 3, "last_name", "Enthält Steuerzeichen."),
        (register(ROW.replace("Weg", "W\x00eg")), 2, "street", "Enthält Steuerzeichen."),
        (register(ROW.replace("renter", "renter\x00")), 2, "role", "Erlaubt sind: owner, renter, additional."),
        (register(ROW.replace("Quast", "Q" * 101)), 2, "last_name", "Länger als 100 Zeichen."),
        (register(ROW.replace("Quast", "Q" * 200_000)), 2, "", "Länger als 131072 Zeichen."),
        (register(ROW, ROW.replace("Quast", '"Quast'), *[ROW] * 5), 3, "", OPEN_QUOTE),
        (register(ROW, ROW.replace("Q;", '"Q;'), ROW.replace("Weg 1", '"Weg 1"')), 3, "", OPEN_QUOTE),
        (register(ROW, ROW.replace("Quast", '"Quast'), *[ROW] * 3000), 3, "", OPEN_QUOTE),
    ],
    ids=[
        "blank", "only a mark", "only a heading", "missing column", "unknown column", "column twice", "neither encoding", "UTF-16",
        "an Office file", "NUL in a name", "NUL in a street", "NUL in a role", "long cell", "endless cell", "open quote",
        "open quote before others", "open quote in a long file",
    ],
)  # fmt: skip
def test_a_wrong_register_is_refused_by_row_and_column(
    cast: Cast, content: bytes, row: int, column: str, problem: str
) -> None:
    with translation.override("de"):
        problem = gettext(problem)
    before = counts()
    run, page = imported(cast, content)
    assert run.state == "refused", (run.state, run.failure)
    assert [row, column, problem] in run.report
    assert f"<td>{row}</td><td>{column or '–'}</td><td>{problem}</td>" in page
    assert "nichts wurde importiert" in page
    assert counts() == before


def test_an_empty_register_never_becomes_an_import(cast: Cast) -> None:
    response = signed_in(cast.admin).post(IMPORT, {"file": SimpleUploadedFile("register.csv", b"")})
    assert "Die übermittelte Datei ist leer." in text_of(response)
    response = signed_in(cast.admin).post(IMPORT, {"csrfmiddlewaretoken": "x"})
    assert "Dieses Feld ist erforderlich." in text_of(response)
    assert not ImportRun.objects.exists()


def test_a_binary_heading_does_not_fill_the_page(cast: Cast) -> None:
    run, page = imported(cast, b"\xff" * 100_000 + b"\n1")
    assert run.state == "refused"
    assert len(json.dumps(run.report)) < 2000
    assert len(page) < 200_000


def test_the_errors_speak_the_language_of_the_sender(cast: Cast) -> None:
    speak(cast.admin, "pl")
    run, page = imported(cast, register(ROW.replace("renter", "king")))
    assert run.state == "refused"
    assert "Dozwolone: owner, renter, additional." in page


# --- Damaged and protected files --------------------------------------------------------------------------

FILES = {"encrypted": material.pdf(password="geheim"), "broken": PAPER[:400]}
NO_PREVIEW = {
    ("encrypted", "de"): "Keine Vorschau: Die Datei ist mit einem Passwort geschützt.",
    ("encrypted", "pl"): "Brak podglądu: plik jest chroniony hasłem.",
    ("broken", "de"): "Keine Vorschau: Die Datei ist beschädigt.",
    ("broken", "pl"): "Brak podglądu: plik jest uszkodzony.",
}


def by_upload(cast: Cast, where: Folder, name: str, content: bytes) -> Document:
    """Dropped onto the upload page."""
    client = signed_in(cast.admin)
    handle = sent(client, cast.tenant.pk, name, content)
    response = client.post(PUBLISH, {"folder": where.pk, "upload": handle, "allow_download": "on"})
    assert response.status_code == 302, text_of(response)
    return Document.objects.latest("id")


def by_form(cast: Cast, where: Folder, name: str, content: bytes) -> Document:
    """Sent by a browser without scripts."""
    values = {"folder": str(where.pk), "allow_download": "on"}
    response = post_raw(signed_in(cast.admin), PUBLISH, values, {"files": (name, content)})
    assert response.status_code == 302, text_of(response)
    return Document.objects.latest("id")


def by_api(cast: Cast, where: Folder, name: str, content: bytes) -> Document:
    """In JSON."""
    body = {"folder_id": where.pk, "filename": name, "file_data": b64(content)}
    made = called_by(cast.admin, cast.tenant).ok("POST", "/files", body)
    return Document.objects.get(pk=made["file_id"])


def by_multipart(cast: Cast, where: Folder, name: str, content: bytes) -> Document:
    """In a part of its own."""
    answer = api_multipart(called_by(cast.admin, cast.tenant), {"folder_id": where.pk}, name, content)
    assert answer.status == 200, answer.raw
    return Document.objects.get(pk=answer.body["file_id"])


def raw_body(values: dict[str, str], files: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart body whose file names arrive as they are: test clients tidy them."""
    boundary = "----quartier"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in values.items()
    ]
    for key, (name, content) in files.items():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"; filename="{quoted}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n")
    return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def post_raw(client: Client, url: str, values: dict[str, str], files: dict[str, tuple[str, bytes]]) -> Any:
    body, kind = raw_body(values, files)
    return client.generic("POST", url, body, content_type=kind)


def api_multipart(caller: Caller, fields: dict[str, Any], name: str, content: bytes) -> Answer:
    body, kind = raw_body({"metadata": json.dumps(fields)}, {"content": (name, content)})
    return caller.call("POST", "/files", data=body, content_type=kind)


DOORS = {"upload": by_upload, "form": by_form, "api": by_api, "multipart": by_multipart}


def downloads(cast: Cast, document: Document) -> list[bytes]:
    """What the portal and the API hand out."""
    portal = signed_in(cast.renter).get(f"/app/documents/{document.pk}/download")
    api = called_by(cast.renter, cast.tenant).call(
        "GET", f"/files/{document.pk}/download", accept="application/octet-stream"
    )
    assert (portal.status_code, api.status) == (200, 200)
    return [portal.getvalue(), api.raw]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", FILES)
@pytest.mark.parametrize("door", ["upload", "api"])
def test_a_paper_without_preview_is_kept_as_it_is(cast: Cast, door: str, state: str) -> None:
    where = house_folder(cast)
    document = DOORS[door](cast, where, "abrechnung.pdf", FILES[state])
    core_tasks.make_preview(document.current.blob_id)
    docms_tasks.index_document(document.pk)
    assert Blob.objects.get(pk=document.current.blob_id).preview_state == state
    assert downloads(cast, document) == [FILES[state]] * 2
    assert "abrechnung.pdf" in text_of(signed_in(cast.renter).get(documents_url(cast)))
    found = called_by(cast.renter, cast.tenant).ok("POST", "/files/search", {"search": "Abrechnung"})
    assert found == [document.pk]


@pytest.mark.parametrize("language", ["de", "pl"])
@pytest.mark.parametrize("state", FILES)
def test_both_pages_say_why_there_is_no_preview(cast: Cast, state: str, language: str) -> None:
    document = by_form(cast, house_folder(cast), "abrechnung.pdf", FILES[state])
    core_tasks.make_preview(document.current.blob_id)
    for who in (cast.renter, cast.admin):
        speak(who, language)
    portal = signed_in(cast.renter).get(documents_url(cast, f"?doc={document.pk}"))
    office = signed_in(cast.admin).get(f"/admin/docms/document/{document.pk}/change/")
    assert NO_PREVIEW[state, language] in text_of(portal)
    assert NO_PREVIEW[state, language] in text_of(office)


def test_an_empty_paper_is_refused_at_every_door(cast: Cast) -> None:
    where, client, caller = house_folder(cast), signed_in(cast.admin), called_by(cast.admin, cast.tenant)
    announced = create_upload(client, cast.tenant.pk, "leer.pdf", 0)
    assert (announced.status_code, announced.json()["message"]) == (400, "Die Datei ist leer.")
    form = post_raw(client, PUBLISH, {"folder": str(where.pk)}, {"files": ("leer.pdf", b"")})
    assert "Die Datei ist leer." in text_of(form)
    answer = api_multipart(caller, {"folder_id": where.pk}, "leer.pdf", b"")
    assert (answer.status, answer.body["message"]) == (400, "content: Die Datei ist leer.")
    caller.refused("POST", "/files", 400, {"folder_id": where.pk, "filename": "leer.pdf", "file_data": ""})
    assert (Document.objects.count(), Upload.objects.count(), Blob.objects.count()) == (0, 0, 0)


# --- Names ------------------------------------------------------------------------------------------------

# What is sent → what is kept.
NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\x\\y.pdf": "y.pdf",
    "a/b.pdf": "b.pdf",
    ".htaccess": ".htaccess",
    "con": "con",
    "rechnung\u202efdp.exe": "rechnungfdp.exe",
    "a\r\nSet-Cookie: x=1.pdf": "aSet-Cookie: x=1.pdf",
    "n" * 300 + ".pdf": "n" * 251 + ".pdf",
}  # fmt: skip
IN_JSON = [name for name in NAMES if len(name) <= 255 and "/" not in name and "\\" not in name]
# A line break ends the header of a part: there is no such name in a form.
IN_FORMS = [name for name in NAMES if "\n" not in name]


def disposition(response: Any) -> str:
    return unquote(response["Content-Disposition"].removeprefix("attachment; ")).removeprefix("filename*=utf-8''")


@pytest.mark.parametrize(
    ("door", "name"),
    [
        *(("upload", name) for name in NAMES),
        *(("api", name) for name in IN_JSON),
        *((door, name) for door in ("form", "multipart") for name in IN_FORMS),
    ],
)
def test_a_name_loses_its_tricks_before_it_is_kept(cast: Cast, door: str, name: str) -> None:
    document = DOORS[door](cast, house_folder(cast), name, PAPER)
    assert (document.filename, document.title) == (NAMES[name], NAMES[name][:250])
    response = signed_in(cast.renter).get(f"/app/documents/{document.pk}/download")
    assert disposition(response) in (NAMES[name], f'filename="{NAMES[name]}"')
    assert response.getvalue() == PAPER


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\y.pdf", "a/b.pdf", "..", "x\x00.pdf", "n" * 300 + ".pdf"])
def test_the_api_names_the_field_and_keeps_nothing(cast: Cast, name: str) -> None:
    caller, where = called_by(cast.admin, cast.tenant), house_folder(cast)
    error = caller.refused("POST", "/files", 400, {"folder_id": where.pk, "filename": name, "file_data": b64(PAPER)})
    assert "filename" in error["message"] or "nicht erlaubt" in error["message"] or "keinen Namen" in error["message"]
    assert (Document.objects.count(), Blob.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["x\x00.pdf", "...", "/"])
def test_a_name_that_cannot_be_kept_is_refused_before_a_byte_is_sent(cast: Cast, name: str) -> None:
    response = create_upload(signed_in(cast.admin), cast.tenant.pk, name, 10)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filename")
    assert response.json()["message"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("door", ["form", "multipart"])
def test_a_nul_byte_in_the_name_of_a_part_never_arrives(cast: Cast, door: str) -> None:
    assert DOORS[door](cast, house_folder(cast), "x\x00y.pdf", PAPER).filename == "xy.pdf"


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/folders", "name"),
        ("PUT", "/folders/{folder}", "name"),
        ("POST", "/groups", "name"),
        ("PUT", "/files/{file}", "title"),
        ("PUT", "/files/{file}", "filename"),
    ],
)
def test_the_api_refuses_nul_bytes_in_texts(cast: Cast, method: str, path: str, field: str) -> None:
    where = house_folder(cast)
    paper = by_api(cast, where, "brief.pdf", PAPER)
    before = (Folder.objects.count(), Group.objects.count())
    url = path.format(folder=where.pk, file=paper.pk)
    error = called_by(cast.admin, cast.tenant).refused(method, url, 400, {field: "Vor\x00stand"})
    assert error["message"] == f"{field}: Der Text enthält Zeichen, die nicht erlaubt sind."
    assert (Folder.objects.count(), Group.objects.count()) == before
    where.refresh_from_db()
    paper.refresh_from_db()
    assert (where.name, paper.title, paper.filename) == ("Versammlungen", "brief.pdf", "brief.pdf")


@pytest.mark.parametrize("page", ["folder/add", "group/add", "folder/{folder}/change", "document/{file}/change"])
def test_the_back_office_refuses_nul_bytes_at_the_field(cast: Cast, page: str) -> None:
    where = house_folder(cast)
    paper = by_form(cast, where, "brief.pdf", PAPER)
    before = (Folder.objects.count(), Group.objects.count())
    url = f"/admin/docms/{page.format(folder=where.pk, file=paper.pk)}/"
    values = {"name": "Vor\x00stand", "title": "Vor\x00stand", "folder": where.pk, "file_delete_files": "0"}
    response = signed_in(cast.admin).post(url, values)
    errors = response.context["adminform"].form.errors
    assert set(errors) == {"title" if "document" in page else "name"}
    assert "Nullzeichen sind nicht erlaubt." in text_of(response)
    assert (Folder.objects.count(), Group.objects.count()) == before
    assert (Folder.objects.get().name, Document.objects.get().title) == ("Versammlungen", "brief.pdf")


@pytest.mark.django_db(transaction=True)
def test_a_nul_byte_in_a_title_leaves_the_upload_usable(cast: Cast) -> None:
    where, client = house_folder(cast), signed_in(cast.admin)
    handle = sent(client, cast.tenant.pk, "brief.pdf", PAPER)
    values = {"folder": where.pk, "upload": handle, f"title-{handle}": "Bri\x00ef"}
    assert "Der Text enthält Zeichen, die nicht erlaubt sind." in text_of(client.post(PUBLISH, values))
    assert not Document.objects.exists()
    assert client.post(PUBLISH, values | {f"title-{handle}": "Brief"}).status_code == 302
    assert Document.objects.get().title == "Brief"


@pytest.mark.parametrize(
    "address", ["docms/document/?q=%00", "orgs/contact/?kind=%00", "docms/folder/{folder}/person/?q=%00", "?x=%00"]
)
def test_a_nul_byte_in_an_address_of_the_back_office_names_nothing(cast: Cast, address: str) -> None:
    where = house_folder(cast)
    assert signed_in(cast.admin).get(f"/admin/{address.format(folder=where.pk)}").status_code == 404


@pytest.mark.parametrize("nonsense", ["\x00", "²", "abc", "9" * 5000])
def test_what_is_no_id_picks_nothing(cast: Cast, nonsense: str) -> None:
    where, client = house_folder(cast), signed_in(cast.admin)
    form = client.post("/admin/orgs/unit/add/", {"name": "Wohnung", "community": nonsense}).context["adminform"].form
    assert set(form.errors) == {"community"}
    assert not Unit.objects.filter(name="Wohnung").exists()
    asked = {"folder": nonsense, "user": nonsense}
    if nonsense != "\x00":
        assert client.get(f"{PUBLISH}recipients/", asked).status_code == 200
        assert client.get(f"/admin/docms/folder/{where.pk}/person/", asked).status_code == 404
    assert client.post("/admin/tenant/", {"tenant": nonsense}).status_code == 302
