"""The tus protocol over HTTP, with an unmodified client (tuspy) and with bytes on a socket."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import secrets
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client
from django.utils import timezone
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from core.models import AuditEntry, Upload
from core.services import blobs, uploads
from core.storage import storage
from orgs.models import User
from tests.core.material import pdf, person, tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.core.material")]
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}"


class Browser(requests.Session):
    """A signed-in person's cookies and token, at one server."""

    def __init__(self, server: str, user: User | None) -> None:
        super().__init__()
        self.server, self.trust_env = server, False
        token = secrets.token_hex(16)
        self.headers["X-CSRFToken"] = token
        self.cookies.set("csrftoken", token)
        if user:
            client = Client()
            client.force_login(user)
            self.cookies.set("user_session", client.cookies["user_session"].value)

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        return super().request(method, self.server + str(url), *args, **options)

    def create(self, size: int, folder: str = "/app/uploads/", **metadata: str) -> requests.Response:
        pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
        return self.post(folder, headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": pairs})

    @property
    def raw_headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        return {"Cookie": cookies, "X-CSRFToken": str(self.headers["X-CSRFToken"])}


@pytest.fixture
def mira(live_server: Any) -> Browser:
    return Browser(live_server.url, person())


def piece(offset: int, **more: str) -> dict[str, str]:
    return PIECE | {"Upload-Offset": str(offset)} | more


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestTuspy:
    def client(self, browser: Browser) -> TusClient:
        return TusClient(browser.server + "/app/uploads/", headers=browser.raw_headers)

    def test_a_file_arrives_in_pieces(self, mira: Browser) -> None:
        content, here = os.urandom(1_000_003), tenant()
        uploader = self.client(mira).uploader(
            file_stream=io.BytesIO(content),
            chunk_size=300_000,
            metadata={"filename": "Plan Ä.bin", "tenant": str(here.pk)},
        )
        uploader.upload()
        upload = Upload.objects.get()
        assert (upload.name, upload.tenant_id, upload.received) == ("Plan Ä.bin", here.pk, len(content))
        with blobs.open_blob(uploads.attach(upload.handle, user_id=upload.user_id, door="web")) as file:
            assert file.read() == content

    def test_checksums_are_verified(self, mira: Browser) -> None:
        uploader = self.client(mira).uploader(file_stream=io.BytesIO(pdf()), chunk_size=400, upload_checksum=True)
        uploader.upload()
        assert Upload.objects.get().blob is not None

    def test_it_goes_on_where_it_stopped(self, mira: Browser) -> None:
        content = os.urandom(10_000)
        uploader = self.client(mira).uploader(file_stream=io.BytesIO(content), chunk_size=4000)
        uploader.upload_chunk()
        again = self.client(mira).uploader(file_stream=io.BytesIO(content), url=uploader.url, chunk_size=4000)
        assert again.offset == 4000
        again.upload()
        with blobs.open_blob(Upload.objects.get().blob) as file:  # type: ignore[arg-type]
            assert file.read() == content

    def test_an_empty_file_is_refused(self, mira: Browser) -> None:
        with pytest.raises(TusCommunicationError, match="400"):
            self.client(mira).uploader(file_stream=io.BytesIO(b"")).upload()

    def test_a_stranger_cannot_go_on(self, mira: Browser) -> None:
        uploader = self.client(mira).uploader(file_stream=io.BytesIO(b"0123456789"), chunk_size=4)
        uploader.upload_chunk()
        stranger = self.client(Browser(mira.server, person("fremd")))
        with pytest.raises((TusCommunicationError, TusUploadFailed)):
            stranger.uploader(file_stream=io.BytesIO(b"0123456789"), url=uploader.url)


class TestProtocol:
    def test_the_server_says_what_it_can(self, live_server: Any, settings: Any) -> None:
        answer = requests.options(live_server.url + "/app/uploads/", timeout=10)
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,expiration,checksum,termination"
        assert answer.headers["Tus-Max-Size"] == str(settings.UPLOAD_LIMIT)
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"

    def test_creation_names_place_and_end(self, mira: Browser) -> None:
        answer = mira.create(10, filename="Plan.pdf")
        handle = Upload.objects.get().handle
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/app/uploads/{handle}"
        assert answer.headers["Upload-Expires"].endswith("GMT")
        assert answer.headers["Tus-Resumable"] == "1.0.0"

    def test_creation_may_bring_the_bytes(self, mira: Browser) -> None:
        answer = mira.post("/app/uploads/", data=pdf(), headers=PIECE | {"Upload-Length": str(len(pdf()))})
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(pdf())))
        assert Upload.objects.get().blob.mime == "application/pdf"  # type: ignore[union-attr]

    def test_the_state_is_told_and_never_cached(self, mira: Browser) -> None:
        place = mira.create(10, filename="Plan.pdf").headers["Location"]
        mira.patch(place, data=b"0123", headers=piece(0))
        answer = mira.head(place, headers=TUS)
        assert answer.status_code == 200
        assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("4", "10")
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_piece_moves_the_offset(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        answer = mira.patch(place, data=b"0123", headers=piece(0))
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "4")
        assert "Upload-Expires" in answer.headers

    def test_termination_removes_everything(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        mira.patch(place, data=b"0123", headers=piece(0))
        assert mira.delete(place, headers=TUS).status_code == 204
        assert mira.head(place, headers=TUS).status_code == 404
        assert list(storage().names("parts")) == []

    def test_another_method_may_be_named_in_a_post(self, mira: Browser) -> None:
        place = mira.create(4).headers["Location"]
        answer = mira.post(place, data=b"0123", headers=piece(0) | {"X-HTTP-Method-Override": "PATCH"})
        assert answer.status_code == 204

    def test_a_get_cannot_become_another_method(self, mira: Browser) -> None:
        place = mira.create(4).headers["Location"]
        assert mira.get(place, headers=TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 405
        assert Upload.objects.exists()

    @pytest.mark.parametrize("name", ["sha1", "sha256"])
    def test_a_right_checksum_is_taken(self, mira: Browser, name: str) -> None:
        place = mira.create(4).headers["Location"]
        digest = base64.b64encode(hashlib.new(name, b"0123").digest()).decode()
        answer = mira.patch(place, data=b"0123", headers=piece(0) | {"Upload-Checksum": f"{name} {digest}"})
        assert answer.status_code == 204

    def test_a_wrong_checksum_discards_the_piece(self, mira: Browser) -> None:
        place = mira.create(4).headers["Location"]
        digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        answer = mira.patch(place, data=b"0123", headers=piece(0) | {"Upload-Checksum": f"sha256 {digest}"})
        assert code(answer) == (460, "checksum_mismatch")
        assert mira.head(place, headers=TUS).headers["Upload-Offset"] == "0"

    @pytest.mark.parametrize("header", ["md5 AAAA", "sha1", "sha1 %%%"])
    def test_an_unknown_checksum_is_refused(self, mira: Browser, header: str) -> None:
        place = mira.create(4).headers["Location"]
        answer = mira.patch(place, data=b"0123", headers=piece(0) | {"Upload-Checksum": header})
        assert code(answer) == (400, "invalid_checksum")

    def test_progress_is_written_down_within_one_request(self, mira: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.tus.PIECE", 1000)
        content = os.urandom(3500)
        counted = []
        advance = uploads._advance
        monkeypatch.setattr(
            uploads, "_advance", lambda row, **values: (counted.append(values["received"]), advance(row, **values))
        )
        place = mira.create(4000).headers["Location"]
        assert mira.patch(place, data=content, headers=piece(0)).headers["Upload-Offset"] == "3500"
        assert counted == [1000, 2000, 3000, 3500]
        assert [size for _key, size in Upload.objects.get().parts] == [3500]  # one file that grew

    def test_what_comes_in_one_request_is_written_once(self, mira: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.tus.PIECE", 1000)
        joined = []
        monkeypatch.setattr(uploads, "_joined", lambda upload: joined.append(upload) or iter(()))
        content = os.urandom(3500)
        place = mira.create(3500).headers["Location"]
        assert mira.patch(place, data=content, headers=piece(0)).status_code == 204
        blob = Upload.objects.get().blob
        assert blob is not None
        assert bytes(blob.sha256) == hashlib.sha256(content).digest()
        with blobs.open_blob(blob) as file:
            assert file.read() == content
        assert not joined
        assert list(storage().names("parts")) == []

    def test_what_comes_in_two_requests_is_joined(self, mira: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.tus.PIECE", 1000)
        content = os.urandom(3500)
        place = mira.create(3500).headers["Location"]
        assert mira.patch(place, data=content[:1800], headers=piece(0)).status_code == 204
        assert mira.patch(place, data=content[1800:], headers=piece(1800)).status_code == 204
        blob = Upload.objects.get().blob
        assert blob is not None
        assert bytes(blob.sha256) == hashlib.sha256(content).digest()
        with blobs.open_blob(blob) as file:
            assert file.read() == content
        assert list(storage().names("parts")) == []

    def test_upload_and_blob_stand_in_the_audit_with_door_and_person(self, mira: Browser) -> None:
        mira.patch(mira.create(4).headers["Location"], data=b"0123", headers=piece(0))
        entries = AuditEntry.objects.filter(object_type__in=["core.upload", "core.blob"]).order_by("id")
        assert [(e.verb, e.door, e.user_id) for e in entries] == [
            ("created", "web", User.objects.get().pk),
            ("stored", "web", User.objects.get().pk),
        ]


class TestRefusals:
    def test_a_visitor_must_sign_in(self, live_server: Any) -> None:
        assert code(Browser(live_server.url, None).create(10)) == (401, "not_authenticated")

    def test_another_site_cannot_upload(self, mira: Browser, settings: Any) -> None:
        settings.CSRF_FAILURE_VIEW = "tests.core.material.refused"
        del mira.headers["X-CSRFToken"]
        assert mira.create(10).status_code == 403
        assert not Upload.objects.exists()

    def test_another_version_is_refused(self, mira: Browser) -> None:
        answer = mira.post("/app/uploads/", headers={"Tus-Resumable": "0.2.2", "Upload-Length": "1"})
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")

    @pytest.mark.parametrize("length", ["", "-1", "ten", "1.5", "٣", "9" * 30])
    def test_a_wrong_length_is_refused(self, mira: Browser, length: str) -> None:
        answer = mira.post("/app/uploads/", headers=TUS | {"Upload-Length": length.encode()})
        assert code(answer) == (400, "invalid_header")

    def test_too_much_is_refused(self, mira: Browser, settings: Any) -> None:
        assert code(mira.create(settings.UPLOAD_LIMIT + 1)) == (413, "too_large")

    def test_more_than_announced_is_refused(self, mira: Browser) -> None:
        place = mira.create(3).headers["Location"]
        assert code(mira.patch(place, data=b"0123", headers=piece(0))) == (413, "too_large")

    def test_a_wrong_offset_is_refused(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        assert code(mira.patch(place, data=b"0123", headers=piece(2))) == (409, "wrong_offset")

    def test_another_content_type_is_refused(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        headers = piece(0) | {"Content-Type": "application/octet-stream"}
        assert code(mira.patch(place, data=b"0123", headers=headers)) == (415, "wrong_type")

    def test_an_unknown_handle_is_not_found(self, mira: Browser) -> None:
        assert code(mira.patch("/app/uploads/" + "0" * 40, data=b"0", headers=piece(0))) == (404, "not_found")

    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
    def test_a_foreign_handle_is_not_found(self, mira: Browser, method: str) -> None:
        place = mira.create(10).headers["Location"]
        stranger = Browser(mira.server, person("fremd"))
        assert stranger.request(method, place, data=b"0", headers=piece(0)).status_code == 404
        assert Upload.objects.get().received == 0

    def test_a_handle_of_another_door_is_not_found(self, mira: Browser) -> None:
        place = mira.create(10, "/admin/uploads/").headers["Location"]
        assert place.startswith("/admin/uploads/")
        assert mira.head(place.replace("/admin/", "/app/"), headers=TUS).status_code == 404

    def test_an_expired_upload_is_gone(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        Upload.objects.update(expires_at=timezone.now())
        assert code(mira.patch(place, data=b"0123", headers=piece(0))) == (410, "expired")

    def test_a_name_with_nul_is_refused(self, mira: Browser) -> None:
        assert code(mira.create(10, filename="Plan\x00.pdf")) == (400, "invalid_filename")

    @pytest.mark.parametrize("header", ["filename %%%", "filename /w==", "filename aGk=, x y z"])
    def test_broken_metadata_is_refused(self, mira: Browser, header: str) -> None:
        answer = mira.post("/app/uploads/", headers=TUS | {"Upload-Length": "4", "Upload-Metadata": header})
        assert code(answer) == (400, "invalid_header")

    def test_a_folder_takes_no_pieces(self, mira: Browser) -> None:
        assert mira.patch("/app/uploads/", data=b"0", headers=piece(0)).status_code == 405


class TestLines:
    """What happens on the wire when lines break and senders compete."""

    def open(self, browser: Browser, place: str, offset: int, length: int) -> socket.socket:
        server = urlsplit(browser.server)
        wire = socket.create_connection((server.hostname, server.port), timeout=10)
        headers = piece(offset) | browser.raw_headers | {"Host": server.netloc, "Content-Length": str(length)}
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        wire.sendall(f"PATCH {place} HTTP/1.1\r\n{lines}\r\n".encode())
        return wire

    def settle(self, browser: Browser, place: str, offset: str) -> str:
        """The offset once the server has noticed."""
        for _attempt in range(100):
            found = browser.head(place, headers=TUS).headers["Upload-Offset"]
            if found == offset:
                break
        return found

    def test_a_broken_line_keeps_what_arrived(self, mira: Browser) -> None:
        content = os.urandom(500_000)
        place = mira.create(len(content)).headers["Location"]
        wire = self.open(mira, place, 0, len(content))
        wire.sendall(content[:200_000])
        wire.close()
        assert self.settle(mira, place, "200000") == "200000"
        assert mira.patch(place, data=content[200_000:], headers=piece(200_000)).status_code == 204
        with blobs.open_blob(Upload.objects.get().blob) as file:  # type: ignore[arg-type]
            assert file.read() == content

    def test_of_two_senders_one_wins(self, mira: Browser) -> None:
        place = mira.create(10).headers["Location"]
        slow = self.open(mira, place, 0, 10)
        slow.sendall(b"aaaaa")
        assert mira.patch(place, data=b"b" * 10, headers=piece(0)).status_code == 204
        slow.sendall(b"aaaaa")
        assert slow.recv(100).startswith(b"HTTP/1.1 409")
        slow.close()
        with blobs.open_blob(Upload.objects.get().blob) as file:  # type: ignore[arg-type]
            assert file.read() == b"b" * 10
