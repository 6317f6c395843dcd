"""The life of stored bytes, from the stream to the sweep."""

from __future__ import annotations

import datetime
import hashlib
import io
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils import timezone

from core import scope
from core.errors import Invalid, TooLarge
from core.models import AuditEntry, Blob
from core.services import blobs, sweeps
from core.storage import BlobStorage, blob_name, storage
from orgs.models import User
from tests.core.material import LIMIT, pdf, person, picture, stored, tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

urls = pytest.mark.urls("tests.core.material")


def objects() -> set[str]:
    """Every object that lies in the storage, finished or not."""
    return {name for folder in ("blobs", "previews", "tmp", "parts") for name, _at in storage().names(folder)}


def content_of(blob: Blob) -> bytes:
    with blobs.open_blob(blob) as file:
        return file.read()


def other_connection() -> psycopg.Connection[Any]:
    """Somebody else at the same database."""
    given = connection.get_connection_params()
    return psycopg.connect(**{key: given[key] for key in ("dbname", "user", "host", "port") if key in given})


def age(blob: Blob, **past: int) -> None:
    Blob.objects.filter(pk=blob.pk).update(created_at=timezone.now() - datetime.timedelta(**past))


@pytest.fixture(params=["disk", "s3"], autouse=True)
def own_storage(request: pytest.FixtureRequest, settings: Any, tmp_path: Any) -> None:
    """A folder and a bucket keep the same promises."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    else:
        settings.STORAGE_URL = f"file://{tmp_path}"


on_disk = pytest.mark.parametrize("own_storage", ["disk"], indirect=True)


@pytest.fixture
def in_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep comes later: the age of an object is the storage's to say."""
    later = timezone.now() + datetime.timedelta(days=2, minutes=1)
    monkeypatch.setattr(sweeps.timezone, "now", lambda: later)


@pytest.mark.django_db
class TestStore:
    def test_bytes_hash_size_and_type_are_kept(self) -> None:
        content = pdf()
        blob = stored(content, tenant().pk)
        assert bytes(blob.sha256) == hashlib.sha256(content).digest()
        assert (blob.size, blob.mime, blob.preview_state) == (len(content), "application/pdf", "pending")
        with blobs.open_blob(blob) as file:
            assert file.read() == content

    def test_chunks_of_an_iterable_are_taken_too(self) -> None:
        blob = blobs.store([b"Haus", b"ordnung"], tenant_id=tenant().pk, limit=LIMIT)
        assert content_of(blob) == b"Hausordnung"

    def test_a_stream_is_read_in_small_chunks(self) -> None:
        asked = []

        class Stream(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                asked.append(size)
                return super().read(size)

        blobs.store(Stream(b"x" * 3_000_000), tenant_id=tenant().pk, limit=LIMIT)
        assert set(asked) == {256 * 1024}

    def test_equal_content_is_stored_once_per_tenant(self) -> None:
        here = tenant()
        assert stored(b"gleich", here.pk).pk == stored(b"gleich", here.pk).pk
        assert len(objects()) == 1

    def test_two_tenants_share_nothing(self) -> None:
        one, two = stored(b"gleich", tenant("A").pk), stored(b"gleich", tenant("B").pk)
        assert one.storage_key != two.storage_key

    def test_bytes_without_tenant_are_stored_once(self) -> None:
        assert stored(b"gleich", None).pk == stored(b"gleich", None).pk

    def test_pictures_know_their_dimensions(self) -> None:
        blob = stored(picture("PNG", (40, 30)), None)
        assert (blob.width, blob.height) == (40, 30)

    def test_what_has_no_preview_is_born_so(self) -> None:
        assert stored(b"nur Text", None).preview_state == "none"

    def test_too_much_is_refused_and_leaves_nothing(self) -> None:
        with pytest.raises(TooLarge):
            blobs.store(io.BytesIO(b"x" * 101), tenant_id=None, limit=100)
        assert objects() == set()
        assert not Blob.objects.exists()

    def test_a_too_large_announcement_is_refused_before_reading(self) -> None:
        source = io.BytesIO(b"x")
        with pytest.raises(TooLarge):
            blobs.store(source, tenant_id=None, limit=100, expected_size=101)
        assert source.tell() == 0

    def test_an_empty_file_is_refused(self) -> None:
        with pytest.raises(Invalid) as refused:
            stored(b"", None)
        assert refused.value.code == "empty_file"
        assert objects() == set()

    def test_a_wrong_length_is_refused(self) -> None:
        with pytest.raises(Invalid) as refused:
            stored(b"abc", None, expected_size=4)
        assert refused.value.code == "incomplete"
        assert objects() == set()

    def test_a_source_that_breaks_leaves_nothing(self) -> None:
        def broken() -> Iterator[bytes]:
            yield b"Anfang"
            raise OSError("line broke")

        with pytest.raises(OSError, match="line broke"):
            blobs.store(broken(), tenant_id=None, limit=LIMIT)
        assert objects() == set()

    def test_storing_is_audited_once(self) -> None:
        stored(b"einmal", None)
        stored(b"einmal", None)
        assert AuditEntry.objects.filter(object_type="core.blob", verb="stored").count() == 1

    def test_a_lost_object_is_healed_by_the_next_upload(self) -> None:
        blob = stored(b"verloren", None)
        storage().delete(blob_name(blob.storage_key))
        again = stored(b"verloren", None)
        assert again.pk == blob.pk
        assert content_of(again) == b"verloren"

    def test_a_lost_object_is_written_down_and_found_again(self) -> None:
        blob = stored(b"verloren", None)
        storage().delete(blob_name(blob.storage_key))
        assert blobs.mark_missing(blob.pk)
        assert not Blob.objects.deliverable().exists()
        stored(b"verloren", None)
        assert Blob.objects.deliverable().exists()


@pytest.mark.django_db(transaction=True)
class TestTransaction:
    def test_an_undone_transaction_takes_the_object_along(self) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            stored(b"fort", None)
            assert len(objects()) == 1
            raise RuntimeError
        assert objects() == set()

    def test_a_refused_request_takes_the_object_along(self) -> None:
        with transaction.atomic():
            stored(b"fort", None)
            transaction.set_rollback(True)
        assert objects() == set()

    def test_an_undone_savepoint_takes_only_its_object_along(self) -> None:
        with transaction.atomic():
            kept = stored(b"bleibt", None)
            with pytest.raises(RuntimeError), transaction.atomic():
                stored(b"geht", None)
                raise RuntimeError
        assert objects() == {blob_name(kept.storage_key)}

    def test_a_commit_keeps_the_object_even_when_a_callback_fails(self) -> None:
        def fail() -> None:
            raise RuntimeError("callback")

        with pytest.raises(RuntimeError, match="callback"), transaction.atomic():
            transaction.on_commit(fail)
            blob = stored(b"bleibt", None)
        assert objects() == {blob_name(blob.storage_key)}

    def test_a_broken_connection_leaves_the_object_to_the_sweep(self) -> None:
        with pytest.raises(Exception, match=r"terminat|closed|consuming"), transaction.atomic():
            stored(b"ungewiss", None)
            raw = connection.connection
            raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert len(objects()) == 1
        assert not Blob.objects.exists()

    def test_equal_uploads_at_once_give_one_row_and_one_object(self) -> None:
        here, found, errors = tenant().pk, [], []
        start = threading.Barrier(6)

        def upload() -> None:
            try:
                start.wait(10)
                with scope.unit_of_work(door="test"):
                    found.append(stored(b"gleichzeitig" * 1000, here).pk)
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=upload) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert errors == []
        assert len(found) == 6
        assert len(set(found)) == 1
        assert len(objects()) == 1


@pytest.mark.django_db(transaction=True)
class TestSweep:
    def test_every_reference_to_a_blob_is_known(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint "
                "WHERE contype = 'f' AND confrelid = 'core_blob'::regclass "
            )
            tables = {row[0] for row in cursor.fetchall()}
        assert {field.model._meta.db_table for field in sweeps.referencing_fields()} == tables
        assert {"core_upload", "orgs_user", "orgs_contact", "docms_documentversion"} <= tables

    def test_an_old_blob_without_reference_goes_with_its_object(self) -> None:
        age(stored(b"alt", None), hours=25)
        assert sweeps.sweep_unreferenced() == {"blobs": 1}
        assert objects() == set()

    def test_a_young_blob_stays(self) -> None:
        age(stored(b"jung", None), hours=23)
        assert sweeps.sweep_unreferenced() == {"blobs": 0}

    def test_a_referenced_blob_stays(self) -> None:
        blob = stored(picture(), None)
        age(blob, days=400)
        User.objects.create(username="mira", email="mira@example.test", avatar=blob)
        assert sweeps.sweep_unreferenced() == {"blobs": 0}
        assert User.objects.get().avatar_id == blob.pk

    def test_destruction_is_audited(self) -> None:
        age(stored(b"alt", None), days=2)
        sweeps.sweep_unreferenced()
        assert AuditEntry.objects.filter(verb="destroyed", object_type="core.blob").count() == 1

    def test_an_object_that_cannot_be_removed_keeps_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            age(stored(b"%d" % number, None), days=2)
        names = sorted(objects())
        remove = storage().delete

        def broken(name: str) -> None:
            if name == names[0]:
                raise OSError("the disk is read-only")
            remove(name)

        monkeypatch.setattr(storage(), "delete", broken)
        assert sweeps.sweep_unreferenced() == {"blobs": 3}
        assert objects() == {names[0]}

    def test_more_than_one_batch_is_swept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweeps, "BATCH", 2)
        for number in range(5):
            age(stored(b"%d" % number, None), days=2)
        assert sweeps.sweep_unreferenced() == {"blobs": 5}

    def test_a_blob_taken_up_by_an_open_upload_is_spared(self) -> None:
        blob = stored(b"wieder gebraucht", None)
        age(blob, days=2)
        with other_connection() as other:
            other.execute("SELECT 1 FROM core_blob WHERE id = %s FOR KEY SHARE", [blob.pk])
            assert sweeps.sweep_unreferenced() == {"blobs": 0}
        assert sweeps.sweep_unreferenced() == {"blobs": 1}

    def test_a_racing_reference_fails_cleanly(self) -> None:
        """Who refers without `store` or `hold` is told by the foreign key; nothing dangles."""
        blob, mira = stored(picture(), None), person()
        age(blob, days=2)
        with other_connection() as other:
            other.execute("UPDATE orgs_user SET avatar_id = %s WHERE id = %s", [blob.pk, mira.pk])
            assert sweeps.sweep_unreferenced() == {"blobs": 1}
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                other.commit()
        mira.refresh_from_db()
        assert mira.avatar_id is None

    def test_an_object_without_row_goes_after_a_day(self, in_two_days: None) -> None:
        kept, orphan = stored(b"da", None), stored(b"verwaist", None)
        Blob.objects.filter(pk=orphan.pk).delete()
        assert sweeps.sweep_objects() == {"objects": 1, "pieces": 0}
        assert objects() == {blob_name(kept.storage_key)}

    def test_a_young_object_without_row_stays(self) -> None:
        orphan = stored(b"gerade erst", None)
        Blob.objects.filter(pk=orphan.pk).delete()
        assert sweeps.sweep_objects() == {"objects": 0, "pieces": 0}

    def test_a_wrong_database_does_not_cost_the_files(self, in_two_days: None) -> None:
        for number in range(25):
            stored(b"%d" % number, None)
        Blob.objects.all().delete()
        with pytest.raises(sweeps.SuspiciousSweepError):
            sweeps.sweep_objects()
        assert len(objects()) == 25
        assert sweeps.sweep_objects(force=True)["objects"] == 25


@urls
@pytest.mark.django_db
class TestDelivery:
    def get(self, client: Client, blob: Blob, how: str = "inline", **headers: str) -> Any:
        answer: Any = client.get(f"/blobs/{blob.storage_key}/{how}", headers=headers)
        answer.body = answer.getvalue()
        return answer

    def test_whole_file_with_its_headers(self, client: Client) -> None:
        content = pdf()
        answer = self.get(client, stored(content, None))
        assert answer.body == content
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Length"] == str(len(content))
        assert answer["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Accept-Ranges"] == "bytes"
        assert "default-src 'none'" in answer["Content-Security-Policy"]

    def test_the_name_survives_with_umlauts(self, client: Client) -> None:
        answer = self.get(client, stored(pdf(), None), "attachment")
        kind, _blank, name = answer["Content-Disposition"].partition("; ")
        assert kind == "attachment"
        assert unquote(name) == "filename*=utf-8''Plan Ä.pdf"

    @pytest.mark.parametrize("content", [b"<html><script>1</script>", b"<svg onload='1'/>", b"PK\x03\x04" + bytes(60)])
    def test_active_content_is_never_shown_inline(self, client: Client, content: bytes) -> None:
        answer = self.get(client, stored(content, None))
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Security-Policy"].startswith("sandbox;")

    def test_pictures_are_shown_in_a_sandbox(self, client: Client) -> None:
        answer = self.get(client, stored(picture(), None))
        assert answer["Content-Disposition"].startswith("inline")
        assert answer["Content-Security-Policy"].startswith("sandbox;")

    def test_text_is_shown_as_text_in_a_sandbox(self, client: Client) -> None:
        answer = self.get(client, stored("Müll <script>1</script>".encode(), None))
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["Content-Disposition"].startswith("inline")
        assert answer["Content-Security-Policy"].startswith("sandbox;")
        assert answer["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("wish", "start", "end"),
        [("bytes=0-4", 0, 4), ("bytes=5-", 5, 9), ("bytes=-3", 7, 9), ("bytes=8-99", 8, 9), ("bytes=-99", 0, 9)],
    )
    def test_one_range_is_sent(self, client: Client, wish: str, start: int, end: int) -> None:
        answer = self.get(client, stored(b"0123456789", None), Range=wish)
        assert answer.status_code == 206
        assert answer.body == b"0123456789"[start : end + 1]
        assert answer["Content-Range"] == f"bytes {start}-{end}/10"
        assert answer["Content-Length"] == str(end - start + 1)

    @pytest.mark.parametrize("wish", ["bytes=10-", "bytes=99-100", "bytes=-0"])
    def test_a_range_outside_is_refused(self, client: Client, wish: str) -> None:
        answer = self.get(client, stored(b"0123456789", None), Range=wish)
        assert answer.status_code == 416
        assert answer["Content-Range"] == "bytes */10"

    @pytest.mark.parametrize("wish", ["bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=-", "bytes=4-2", "bytes=a-b"])
    def test_other_wishes_get_the_whole_file(self, client: Client, wish: str) -> None:
        answer = self.get(client, stored(b"0123456789", None), Range=wish)
        assert (answer.status_code, answer.body) == (200, b"0123456789")

    def test_a_range_of_another_version_gets_the_whole_file(self, client: Client) -> None:
        headers = {"Range": "bytes=0-1", "If-Range": '"other"'}
        assert self.get(client, stored(b"0123456789", None), **headers).status_code == 200

    def test_what_the_browser_has_is_not_sent_again(self, client: Client) -> None:
        blob = stored(b"0123456789", None)
        etag = self.get(client, blob)["ETag"]
        assert self.get(client, blob, **{"If-None-Match": etag}).status_code == 304

    @on_disk
    def test_nginx_sends_the_bytes_by_setting(self, client: Client, settings: Any) -> None:
        settings.SENDFILE = "x-accel"
        blob = stored(pdf(), None)
        answer = self.get(client, blob)
        assert answer["X-Accel-Redirect"] == f"/_stored/{blob_name(blob.storage_key)}"
        assert answer.body == b""

    @pytest.mark.parametrize(("scan", "code"), [("pending", "being_checked"), ("infected", "infected")])
    def test_unchecked_and_infected_bytes_stay(self, client: Client, scan: str, code: str) -> None:
        blob = stored(pdf(), None)
        Blob.objects.filter(pk=blob.pk).update(scan=scan)
        answer = self.get(client, blob)
        assert (answer.status_code, answer.json()["code"]) == (409, code)

    def test_a_lost_object_is_not_found_and_says_so(self, client: Client) -> None:
        blob = stored(pdf(), None)
        storage().delete(blob_name(blob.storage_key))
        answer = self.get(client, blob)
        assert (answer.status_code, answer.json()["code"]) == (404, "file_missing")

    def test_a_missing_preview_is_not_found(self, client: Client) -> None:
        assert self.get(client, stored(pdf(), None), "preview").status_code == 404


class TestStorage:
    def test_names_cannot_leave_the_folder(self) -> None:
        with pytest.raises(Exception, match="outside"):
            storage().exists("../../etc/passwd")

    @pytest.mark.parametrize("url", ["", "/var/files", "file://host/path", "ftp://host/x", "s3://host:1/"])
    def test_a_wrong_url_names_the_setting(self, url: str, settings: Any) -> None:
        settings.STORAGE_URL = url
        with pytest.raises(ImproperlyConfigured, match="STORAGE_URL"):
            BlobStorage().exists("x")

    def test_it_serves_as_a_django_storage(self) -> None:
        name = storage().save("exports/a.txt", io.BytesIO(b"abc"))
        with storage().open(name) as file:
            assert file.read() == b"abc"
        assert storage().size(name) == 3

    def test_an_address_names_a_bucket(self) -> None:
        backend: Any = BlobStorage("s3://key:se%2Fcret@127.0.0.1:8333/files?region=eu&secure=0").backend
        assert (backend.bucket, backend.s3.endpoint_url) == ("files", "http://127.0.0.1:8333")
        assert (backend.s3.access_key, backend.s3.secret_key, backend.s3.region_name) == ("key", "se/cret", "eu")
