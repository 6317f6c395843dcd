"""The bucket, on a real S3 server: refusals without the key, big objects in parts, a server that goes and comes back.

That a bucket keeps every promise of a folder, `test_blobs.py` and `test_uploads.py` hold: they run on both.
"""

from __future__ import annotations

import datetime
import io
import os
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone

from core.bucket import PART as S3_PART
from core.disk import TempObject
from core.errors import StorageDown
from core.models import Blob, SystemLog, Upload
from core.services import blobs, previews, sweeps
from core.storage import blob_name, preview_name, storage
from script.embedded.s3 import BUCKET
from tests.core.material import pdf, person, stored
from tests.core.test_tus import Browser, piece
from tests.docms.door import OCTETS
from tests.docms.door import signed_in as called_by
from tests.portal.pages import house_folder, paper, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from script.embedded import S3
    from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("s3")
MIB = 1024 * 1024


def put(name: str, content: bytes) -> None:
    temp = storage().begin()
    temp.write(content)
    storage().commit(temp, name)


def names(prefix: str = "blobs") -> list[str]:
    return [name for name, _at in storage().names(prefix)]


def status_of(url: str, method: str = "GET", data: bytes | None = None) -> int:
    """What the S3 server itself says, asked without the product."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, data=data, timeout=10).status_code


def peak_of(work: Callable[[], object]) -> int:
    """Bytes of memory that Python needed for it, beyond what it had."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- Objects ----------------------------------------------------------------------------------------------


class TestObjects:
    def test_what_was_committed_is_read(self) -> None:
        put("blobs/a", b"0123456789")
        assert storage().exists("blobs/a")
        assert storage().size("blobs/a") == 10
        with storage().open("blobs/a") as file:
            assert file.read() == b"0123456789"
            file.seek(3)
            assert file.read(2) == b"34"

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, None, b"0123456789"), (4, None, b"456789"), (2, 3, b"234"), (8, 99, b"89"), (3, 0, b"")],
    )
    def test_a_part_is_streamed(self, start: int, length: int | None, expected: bytes) -> None:
        put("blobs/a", b"0123456789")
        assert b"".join(storage().stream("blobs/a", start, length)) == expected

    def test_what_was_discarded_never_was(self) -> None:
        temp = storage().begin()
        temp.write(b"verworfen")
        temp.discard()
        assert names("") == names() == []

    def test_an_object_is_replaced_whole(self) -> None:
        put("blobs/a", b"lang und alt")
        put("blobs/a", b"neu")
        with storage().open("blobs/a") as file:
            assert file.read() == b"neu"

    def test_deleting_twice_is_fine(self) -> None:
        put("blobs/a", b"x")
        storage().delete("blobs/a")
        storage().delete("blobs/a")
        assert not storage().exists("blobs/a")

    def test_names_are_told_by_folder_with_their_moment(self) -> None:
        for name in ("blobs/aa/bb/1", "blobs/aa/cc/2", "previews/aa/bb/3", "blobsnot/4"):
            put(name, b"x")
        found = dict(storage().names("blobs"))
        assert found.keys() == {"blobs/aa/bb/1", "blobs/aa/cc/2"}
        assert all(abs(timezone.now() - at) < datetime.timedelta(minutes=1) for at in found.values())

    def test_more_names_than_one_page_of_the_server(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        backend: Any = storage().backend
        pages = backend._client.get_paginator("list_objects_v2")
        for number in range(5):
            put(f"blobs/{number}", b"x")
        asked = list(pages.paginate(Bucket=BUCKET, Prefix="blobs/", PaginationConfig={"PageSize": 2}))
        assert len(asked) == 3
        assert len(names()) == 5

    @pytest.mark.parametrize("read", ["open", "size", "stream"])
    def test_what_does_not_exist_is_not_found(self, read: str) -> None:
        with pytest.raises(FileNotFoundError, match="blobs/a"):
            list(storage().stream("blobs/a", 0, 5)) if read == "stream" else getattr(storage(), read)("blobs/a")

    def test_there_is_no_path_but_a_copy(self) -> None:
        put("blobs/a", b"Haus")
        assert storage().local_path("blobs/a") is None
        with storage().local_copy("blobs/a") as path:
            assert path.read_bytes() == b"Haus"
        assert not path.exists()

    def test_a_big_object_travels_in_parts_and_arrives_whole(self, s3: S3) -> None:
        content = os.urandom(2 * S3_PART + 12345)
        put("blobs/a", content)
        assert b"".join(storage().stream("blobs/a")) == content
        assert b"".join(storage().stream("blobs/a", S3_PART - 5, 10)) == content[S3_PART - 5 : S3_PART + 5]
        etag = s3.client().head_object(Bucket=BUCKET, Key="blobs/a")["ETag"]
        assert etag.endswith('-3"')  # the server joined three parts

    def test_a_piece_of_an_upload_travels_at_once(self, s3: S3) -> None:
        put("blobs/a", bytes(S3_PART))
        assert "-" not in s3.client().head_object(Bucket=BUCKET, Key="blobs/a")["ETag"]

    def test_memory_does_not_grow_with_the_object(self) -> None:
        def upload() -> None:
            temp = storage().begin()
            for _ in range(112):
                temp.write(bytes(MIB))
            storage().commit(temp, "blobs/a")

        def download() -> None:
            assert sum(len(chunk) for chunk in storage().stream("blobs/a")) == 112 * MIB

        assert peak_of(upload) < 90 * MIB
        assert peak_of(download) < 8 * MIB


# --- Without the key --------------------------------------------------------------------------------------


class TestRefusals:
    @pytest.fixture
    def url(self, s3: S3) -> str:
        """The signed address of an object, good for a minute; it works, or the refusals below would tell nothing."""
        put("blobs/a", b"geheim")
        parameters = {"Bucket": BUCKET, "Key": "blobs/a"}
        url = str(s3.client().generate_presigned_url("get_object", Params=parameters, ExpiresIn=60))
        assert status_of(url) == 200
        return url

    def test_nobody_reads_without_signature(self, url: str) -> None:
        assert status_of(url.partition("?")[0]) == 403

    def test_a_tampered_signature_is_refused(self, url: str) -> None:
        assert status_of(url[:-1] + ("0" if url[-1] != "0" else "1")) == 403

    def test_a_signature_is_good_for_its_object_only(self, url: str) -> None:
        put("blobs/b", b"auch geheim")
        assert status_of(url.replace("blobs/a", "blobs/b")) == 403

    def test_a_signature_is_good_for_reading_only(self, url: str) -> None:
        assert status_of(url, "DELETE") == 403
        assert storage().exists("blobs/a")

    @pytest.mark.parametrize("path", ["", "?list-type=2", "blobs/"])
    def test_nobody_lists_the_bucket(self, url: str, s3: S3, path: str) -> None:
        assert status_of(f"{s3.endpoint}/{BUCKET}/{path}") == 403

    def test_nobody_writes_without_signature(self, url: str) -> None:
        assert status_of(url.partition("?")[0], "PUT", b"anders") == 403
        with storage().open("blobs/a") as file:
            assert file.read() == b"geheim"

    def test_nobody_deletes_without_signature(self, url: str) -> None:
        assert status_of(url.partition("?")[0], "DELETE") == 403
        assert storage().exists("blobs/a")

    @pytest.mark.django_db
    @pytest.mark.parametrize("wrong", [{"secret": "guessed"}, {"key": "stranger"}])
    def test_a_wrong_key_stores_nothing_and_says_so(
        self, s3: S3, settings: Any, caplog: pytest.LogCaptureFixture, wrong: dict[str, str]
    ) -> None:
        right, settings.STORAGE_URL = settings.STORAGE_URL, s3.url_of(**wrong)
        with pytest.raises(StorageDown) as refused:
            stored(b"Haus", None)
        assert refused.value.reason in ("refused: SignatureDoesNotMatch", "refused: InvalidAccessKeyId")
        assert refused.value.reason in caplog.text
        assert not any(secret in caplog.text for secret in ("guessed", s3.url))
        assert not Blob.objects.exists()
        settings.STORAGE_URL = right
        assert names() == []

    @pytest.mark.django_db
    def test_a_key_that_was_withdrawn_loses_no_file(self, s3: S3, settings: Any) -> None:
        blob = stored(b"Haus", None)
        settings.STORAGE_URL = s3.url_of(secret="old")
        with pytest.raises(StorageDown):
            blobs.mark_missing(blob.pk)
        blob.refresh_from_db()
        assert blob.missing_since is None


# --- Without the bucket, without the server ---------------------------------------------------------------


@pytest.mark.django_db
class TestBucket:
    @pytest.fixture(autouse=True)
    def elsewhere(self, s3: S3, settings: Any) -> None:
        settings.STORAGE_URL = s3.url_of(bucket="nowhere")

    def test_nothing_is_stored_and_the_bucket_is_named(self, s3: S3) -> None:
        with pytest.raises(StorageDown) as refused:
            stored(b"Haus", None)
        assert refused.value.reason == "the bucket nowhere does not exist"
        assert not Blob.objects.exists()
        assert [bucket["Name"] for bucket in s3.client().list_buckets()["Buckets"]] == [BUCKET]

    def test_readyz_names_the_bucket(self, client: Client, s3: S3, settings: Any) -> None:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["storage"] == "failed: the bucket nowhere does not exist"
        settings.STORAGE_URL = s3.url
        assert client.get("/readyz").json()["checks"]["storage"] == "ok"
        assert names("health") == []

    def test_no_file_counts_as_lost(self, s3: S3, settings: Any) -> None:
        settings.STORAGE_URL, wrong = s3.url, settings.STORAGE_URL
        blob = stored(b"Haus", None)
        settings.STORAGE_URL = wrong
        with pytest.raises(StorageDown):
            blobs.mark_missing(blob.pk)
        with pytest.raises(StorageDown):
            blobs.open_blob(blob)
        blob.refresh_from_db()
        assert blob.missing_since is None


def killing(server: S3, content: bytes, after: int) -> Any:
    """A file in the middle of which the server dies."""

    class Fatal(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            chunk = super().read(size)
            if self.tell() > after and server.running:
                server.stop()
            return chunk

    return Fatal(content)


class TestServerDown:
    @pytest.mark.django_db
    def test_an_object_that_broke_off_never_was(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        temp = TempObject(killing(s3, bytes(5 * S3_PART), 3 * S3_PART), None)
        with pytest.raises(StorageDown):
            storage().commit(temp, "blobs/a")
        assert not s3.running
        s3.start()
        assert not storage().exists("blobs/a")
        assert names() == []
        left = s3.client().list_multipart_uploads(Bucket=BUCKET)["Uploads"]
        assert [upload["Key"] for upload in left] == ["blobs/a"]

        assert sweeps.sweep_objects()["pieces"] == 0  # it might still go on
        later = timezone.now() + datetime.timedelta(days=2, minutes=1)
        monkeypatch.setattr(sweeps.timezone, "now", lambda: later)
        assert sweeps.sweep_objects()["pieces"] == 1
        assert "Uploads" not in s3.client().list_multipart_uploads(Bucket=BUCKET)

    @pytest.mark.django_db
    def test_a_blob_whose_server_died_leaves_no_row(self, client: Client, s3: S3) -> None:
        s3.stop()
        assert client.get("/readyz").json()["checks"]["storage"].startswith("failed: no answer")
        with pytest.raises(StorageDown) as refused:
            stored(b"Haus", None)
        assert refused.value.reason == "no answer: EndpointConnectionError"
        assert not Blob.objects.exists()
        s3.start()
        assert names() == []
        with blobs.open_blob(stored(b"Haus", None)) as file:
            assert file.read() == b"Haus"


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.core.material")
def test_an_upload_goes_on_after_the_server_was_away(s3: S3, live_server: Any) -> None:
    """In pieces over HTTP: the piece that fell into the gap counts as not sent."""
    mira = Browser(live_server.url, person())
    content = os.urandom(3_000_000)
    url = mira.create(len(content), filename="Zahlen.bin").headers["Location"]
    assert mira.patch(url, content[:1_000_000], headers=piece(0)).status_code == 204
    s3.stop()
    gap = mira.patch(url, content[1_000_000:2_000_000], headers=piece(1_000_000))
    assert (gap.status_code, gap.json()["code"]) == (503, "storage_down")
    assert SystemLog.objects.filter(stacktrace__contains="StorageDown").count() == 1
    assert mira.head(url, headers={"Tus-Resumable": "1.0.0"}).headers["Upload-Offset"] == "1000000"
    s3.start()
    assert len(names("parts")) == 1
    for start in (1_000_000, 2_000_000):
        assert mira.patch(url, content[start : start + 1_000_000], headers=piece(start)).status_code == 204
    blob = Upload.objects.get().blob
    assert blob is not None
    with blobs.open_blob(blob) as file:
        assert file.read() == content
    assert names("parts") == []


# --- Through the product ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_preview_is_drawn_from_the_bucket_into_the_bucket() -> None:
    blob = stored(pdf(), None)
    assert previews.make_preview(blob.pk) == "ready"
    blob.refresh_from_db()
    assert blob.preview_key is not None
    with storage().open(preview_name(blob.preview_key)) as file:
        assert file.read(4) == b"RIFF"


@pytest.mark.django_db
def test_the_command_removes_objects_that_no_row_knows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = stored(b"da", None)
    put(f"blobs/aa/bb/{'ab' * 16}", b"verwaist")
    put("parts/1/ab", b"vergessen")
    call_command("sweep_objects")
    assert capsys.readouterr().out == "0 objects, 0 pieces\n"  # too young
    later = timezone.now() + datetime.timedelta(days=2, minutes=1)
    monkeypatch.setattr(sweeps.timezone, "now", lambda: later)
    call_command("sweep_objects")
    assert capsys.readouterr().out == "1 objects, 1 pieces\n"
    assert names() == [blob_name(kept.storage_key)]


@pytest.mark.django_db(transaction=True)
class TestDoors:
    def test_the_portal_streams_a_big_paper_in_small_chunks(self, cast: Cast) -> None:
        content = os.urandom(1024) * (40 * 1024)  # 40 MiB
        document = paper(cast, house_folder(cast), content=content)
        response = signed_in(cast.renter).get(f"/app/documents/{document.pk}/download")
        assert response["Content-Length"] == str(len(content))
        assert response.streaming
        received = []

        def read() -> None:
            received.extend(len(chunk) for chunk in response.streaming_content)

        assert peak_of(read) < 8 * MIB
        assert sum(received) == len(content)
        assert max(received) <= 256 * 1024

    def test_the_portal_sends_ranges_and_knows_what_the_browser_has(self, cast: Cast) -> None:
        content = os.urandom(100_000)
        url = f"/app/documents/{paper(cast, house_folder(cast), content=content).pk}/download"
        client = signed_in(cast.renter)
        whole = client.get(url)
        assert whole.getvalue() == content
        part = client.get(url, headers={"Range": "bytes=500-999"})
        assert (part.status_code, part["Content-Range"]) == (206, "bytes 500-999/100000")
        assert part.getvalue() == content[500:1000]
        assert client.get(url, headers={"Range": "bytes=100000-"}).status_code == 416
        assert client.get(url, headers={"If-None-Match": whole["ETag"]}).status_code == 304

    def test_no_answer_names_bucket_key_or_server(self, cast: Cast, s3: S3) -> None:
        url = f"/app/documents/{paper(cast, house_folder(cast), content=pdf()).pk}/download"
        response = signed_in(cast.renter).get(url)
        told = str(response.headers) + str(response.getvalue()[:0])
        assert not any(word in told for word in (BUCKET + "/", "quartier:", s3.endpoint))

    def test_both_doors_say_so_while_the_server_is_away(self, cast: Cast, s3: S3) -> None:
        content = pdf()
        document = paper(cast, house_folder(cast), content=content)
        portal, api = signed_in(cast.renter), called_by(cast.renter, cast.tenant)
        page, path = f"/app/documents/{document.pk}/download", f"/files/{document.pk}/download"
        s3.stop()
        shown = portal.get(page)
        assert (shown.status_code, shown["Retry-After"]) == (503, "60")
        answer = api.call("GET", path, accept=OCTETS)
        assert (answer.status, answer["Retry-After"]) == (503, "60")
        assert answer.body["error"] == "Service Unavailable"
        assert SystemLog.objects.filter(stacktrace__contains="StorageDown").count() == 2
        s3.start()
        assert portal.get(page).getvalue() == api.call("GET", path, accept=OCTETS).raw == content
