"""Handles: made by one person, for one door, used once, gone after a day."""

from __future__ import annotations

import datetime
import io
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.utils import timezone, translation

from core import scope, tasks
from core.errors import Conflict, Expired, Invalid, NotFound, TooLarge
from core.models import Blob, JobRun, Upload
from core.services import blobs, sweeps, uploads
from core.storage import storage
from tests.core.material import LIMIT, person, tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

unit: Callable[[], AbstractContextManager[Any]] = partial(scope.unit_of_work, door="test")


@pytest.fixture(params=["disk", "s3"], autouse=True)
def own_storage(request: pytest.FixtureRequest, settings: Any, tmp_path: Any) -> None:
    """Pieces lie in a folder or in a bucket."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    else:
        settings.STORAGE_URL = f"file://{tmp_path}"


def opened(size: int, user_id: int, tenant_id: int | None = None, name: str = "Plan.pdf") -> Upload:
    return uploads.create(user_id=user_id, tenant_id=tenant_id, door="web", name=name, size=size, limit=LIMIT)


def send(upload: Upload, offset: int, content: bytes) -> Upload:
    piece, _broken = uploads.read_piece(io.BytesIO(content), len(content))
    return uploads.append(upload, offset, piece, unit)


def finished(user_id: int, content: bytes = b"Hausordnung", **options: Any) -> Upload:
    given = {"tenant_id": None, "door": "web", "name": "Plan.txt", "limit": LIMIT} | options
    return uploads.receive(io.BytesIO(content), user_id=user_id, **given)


def pieces() -> list[str]:
    return [name for name, _at in storage().names("parts")]


def content_of(blob: Blob) -> bytes:
    with blobs.open_blob(blob) as file:
        return file.read()


@pytest.mark.django_db
class TestCreate:
    def test_a_handle_lives_a_day_and_cannot_be_guessed(self) -> None:
        upload = opened(10, person().pk)
        assert len(upload.handle) == 40
        assert abs(upload.expires_at - timezone.now() - datetime.timedelta(hours=24)) < datetime.timedelta(minutes=1)

    def test_folders_are_cut_from_the_name(self) -> None:
        assert opened(10, person().pk, name="..\\..\\Plan.pdf").name == "Plan.pdf"

    def test_a_nul_byte_in_the_name_is_refused(self) -> None:
        with translation.override("en"), pytest.raises(Invalid, match="characters"):
            opened(10, person().pk, name="Plan\x00.pdf")

    def test_an_empty_file_is_refused(self) -> None:
        with pytest.raises(Invalid) as refused:
            opened(0, person().pk)
        assert refused.value.code == "empty_file"

    def test_too_much_is_refused(self) -> None:
        with pytest.raises(TooLarge):
            opened(LIMIT + 1, person().pk)


@pytest.mark.django_db
class TestPieces:
    def test_pieces_are_joined_in_order(self) -> None:
        upload = opened(9, person().pk, tenant().pk)
        for offset, piece in ((0, b"Haus"), (4, b"ord"), (7, b"er")):
            upload = send(upload, offset, piece)
        blob = uploads.finish(upload, unit).blob
        assert blob is not None
        assert content_of(blob) == b"Hausorder"
        assert blob.tenant_id == upload.tenant_id

    def test_a_wrong_offset_is_refused_and_leaves_nothing(self) -> None:
        upload = send(opened(9, person().pk), 0, b"Haus")
        with pytest.raises(Conflict) as refused:
            send(upload, 0, b"Haus")
        assert refused.value.code == "wrong_offset"
        assert len(pieces()) == 1

    def test_more_than_announced_is_refused(self) -> None:
        with pytest.raises(TooLarge):
            send(opened(3, person().pk), 0, b"Haus")
        assert pieces() == []

    def test_a_broken_source_keeps_what_arrived(self) -> None:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                chunk = super().read(2)
                if not chunk:
                    raise OSError("line broke")
                return chunk

        piece, broken = uploads.read_piece(Broken(b"Haus"), 9)
        assert (piece.size, broken) == (4, True)
        piece.discard()

    def test_finishing_twice_gives_the_same_blob(self) -> None:
        upload = send(opened(4, person().pk), 0, b"Haus")
        one, two = uploads.finish(upload, unit), uploads.finish(upload, unit)
        assert one.blob_id == two.blob_id

    def test_sending_to_an_ended_upload_is_not_found(self) -> None:
        upload = opened(4, person().pk)
        uploads.terminate(upload)
        with pytest.raises(NotFound):
            send(upload, 0, b"Haus")
        assert pieces() == []


@pytest.mark.django_db
class TestFind:
    def test_the_own_handle_is_found(self) -> None:
        upload = opened(4, person().pk)
        with unit():
            assert uploads.find(upload.handle, user_id=upload.user_id, door="web") == upload

    def test_a_foreign_handle_is_not_found(self) -> None:
        upload, stranger = opened(4, person().pk), person("fremd")
        with unit(), pytest.raises(NotFound):
            uploads.find(upload.handle, user_id=stranger.pk, door="web")

    def test_another_door_is_not_found(self) -> None:
        upload = opened(4, person().pk)
        with unit(), pytest.raises(NotFound):
            uploads.find(upload.handle, user_id=upload.user_id, door="back_office")

    def test_a_used_handle_is_not_found(self) -> None:
        upload = finished(person().pk)
        uploads.attach(upload.handle, user_id=upload.user_id, door="web")
        with unit(), pytest.raises(NotFound):
            uploads.find(upload.handle, user_id=upload.user_id, door="web")

    @pytest.mark.parametrize("handle", ["", "\x00", "a" * 5000])
    def test_what_cannot_be_a_handle_is_not_found(self, handle: str) -> None:
        with unit(), pytest.raises(NotFound):
            uploads.find(handle, user_id=person().pk, door="web")

    def test_an_expired_handle_says_so(self) -> None:
        upload = opened(4, person().pk)
        Upload.objects.update(expires_at=timezone.now())
        with unit(), pytest.raises(Expired):
            uploads.find(upload.handle, user_id=upload.user_id, door="web")


@pytest.mark.django_db
class TestAttach:
    def refused(self, handle: str, user_id: int, door: str = "web", **options: Any) -> str:
        with pytest.raises(Invalid) as refused:
            uploads.attach(handle, user_id=user_id, door=door, **options)
        return refused.value.code

    def test_the_uploader_attaches_once(self) -> None:
        upload = finished(person().pk)
        assert content_of(uploads.attach(upload.handle, user_id=upload.user_id, door="web")) == b"Hausordnung"
        assert self.refused(upload.handle, upload.user_id) == "invalid_upload"

    def test_claim_gives_the_name_along(self) -> None:
        upload = finished(person().pk, name="folder/Grüße.txt")
        assert uploads.claim(upload.handle, user_id=upload.user_id, door="web").name == "Grüße.txt"

    def test_nobody_else_attaches(self) -> None:
        assert self.refused(finished(person().pk).handle, person("fremd").pk) == "invalid_upload"

    def test_no_other_door_attaches(self) -> None:
        upload = finished(person().pk)
        assert self.refused(upload.handle, upload.user_id, "tickets") == "invalid_upload"

    def test_an_unfinished_upload_is_refused(self) -> None:
        upload = send(opened(9, person().pk), 0, b"Haus")
        assert self.refused(upload.handle, upload.user_id) == "invalid_upload"

    def test_an_expired_upload_is_refused(self) -> None:
        upload = finished(person().pk)
        Upload.objects.update(expires_at=timezone.now())
        assert self.refused(upload.handle, upload.user_id) == "invalid_upload"

    @pytest.mark.parametrize("handle", ["", "x", "x" * 41, "\x00" * 40, "' OR 1=1 --"])
    def test_what_is_no_handle_is_refused(self, handle: str) -> None:
        assert self.refused(handle, person().pk) == "invalid_upload"

    def test_a_refused_request_gives_the_handle_back(self) -> None:
        upload = finished(person().pk)
        with pytest.raises(RuntimeError), transaction.atomic():
            uploads.attach(upload.handle, user_id=upload.user_id, door="web")
            raise RuntimeError
        assert uploads.attach(upload.handle, user_id=upload.user_id, door="web")

    def test_a_server_that_died_before_the_last_step_is_made_up_for(self) -> None:
        upload = send(opened(4, person().pk), 0, b"Haus")
        blob = uploads.attach(upload.handle, user_id=upload.user_id, door="web")
        assert content_of(blob) == b"Haus"

    def test_an_attached_upload_cannot_be_ended(self) -> None:
        upload = finished(person().pk)
        uploads.attach(upload.handle, user_id=upload.user_id, door="web")
        with pytest.raises(Conflict):
            uploads.terminate(upload)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_one_handle_used_at_once_is_attached_once(self) -> None:
        upload, outcome = finished(person().pk), []
        start = threading.Barrier(5)

        def use() -> None:
            start.wait(10)
            try:
                uploads.attach(upload.handle, user_id=upload.user_id, door="web")
                outcome.append("attached")
            except Invalid as error:
                outcome.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=use) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcome) == ["attached"] + ["invalid_upload"] * 4

    def test_two_senders_of_one_piece_one_wins(self) -> None:
        upload, outcome = opened(400_000, person().pk), []
        start = threading.Barrier(2)

        def sender(letter: bytes) -> None:
            start.wait(10)
            try:
                send(upload, 0, letter * 300_000)
                outcome.append("kept")
            except Conflict as error:
                outcome.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=sender, args=(letter,)) for letter in (b"a", b"b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcome) == ["kept", "wrong_offset"]
        assert len(pieces()) == 1

    def test_finishing_removes_the_pieces(self) -> None:
        uploads.finish(send(opened(4, person().pk), 0, b"Haus"), unit)
        assert pieces() == []

    def test_ending_removes_the_pieces(self) -> None:
        uploads.terminate(send(opened(9, person().pk), 0, b"Haus"))
        assert pieces() == []
        assert not Upload.objects.exists()

    def test_after_a_day_the_job_removes_handle_pieces_and_bytes(self) -> None:
        mira = person().pk
        send(opened(9, mira), 0, b"Haus")
        finished(mira)
        kept = finished(mira, b"bleibt")
        Upload.objects.exclude(pk=kept.pk).update(expires_at=timezone.now())
        Blob.objects.update(created_at=timezone.now() - datetime.timedelta(days=2))
        tasks.expire_uploads()
        assert list(Upload.objects.all()) == [kept]
        assert pieces() == []
        assert JobRun.objects.get(name="core.expire_uploads").counts == {"uploads": 2}
        assert sweeps.sweep_unreferenced() == {"blobs": 1}
        assert Blob.objects.get() == kept.blob
