"""Previews: drawn by a process with limits, and an honest word when there is none."""

from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from PIL import Image

from core import tasks
from core.models import Blob, JobRun
from core.services import previews, wake
from core.storage import blob_name, preview_name, storage
from tests.core.material import pdf, picture, stored

if TYPE_CHECKING:
    from django.test import Client


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Any) -> None:
    settings.STORAGE_URL = f"file://{tmp_path}"


def drawn(content: bytes) -> tuple[str, Image.Image | None]:
    """State and picture of a preview."""
    blob = stored(content, None)
    state = previews.make_preview(blob.pk)
    blob.refresh_from_db()
    assert blob.preview_state == state
    if blob.preview_key is None:
        return state, None
    with storage().open(preview_name(blob.preview_key)) as file:
        return state, Image.open(io.BytesIO(file.read()))


@pytest.mark.django_db
class TestDrawing:
    def test_the_first_page_of_a_pdf(self) -> None:
        state, shown = drawn(pdf())
        assert state == "ready"
        assert shown is not None
        assert (shown.format, shown.width) == ("WEBP", 900)
        assert shown.height == pytest.approx(900 * 2**0.5, abs=2)

    def test_an_encrypted_pdf_says_so(self) -> None:
        assert drawn(pdf(password="geheim")) == ("encrypted", None)

    @pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), pdf()[:40]])
    def test_a_damaged_pdf_says_so(self, content: bytes) -> None:
        assert drawn(content) == ("broken", None)

    def test_a_large_picture_becomes_small(self) -> None:
        state, shown = drawn(picture("PNG", (2400, 1200)))
        assert state == "ready"
        assert shown is not None
        assert shown.size == (900, 450)

    def test_a_small_picture_stays(self) -> None:
        _state, shown = drawn(picture("GIF", (40, 30)))
        assert shown is not None
        assert shown.size == (40, 30)

    def test_a_picture_is_turned_upright_and_loses_its_place(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
        content = picture("JPEG", (400, 300), exif=exif)
        assert b"Exif" in content
        _state, shown = drawn(content)
        assert shown is not None
        assert shown.size == (300, 400)
        assert not shown.getexif()

    def test_a_transparent_picture_stays_transparent(self) -> None:
        out = io.BytesIO()
        Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
        _state, shown = drawn(out.getvalue())
        assert shown is not None
        assert shown.mode == "RGBA"

    def test_a_damaged_picture_says_so(self) -> None:
        assert drawn(picture("PNG", (300, 300))[:60]) == ("broken", None)

    def test_a_decompression_bomb_gets_none(self) -> None:
        out = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(out, "PNG")
        assert drawn(out.getvalue()) == ("none", None)

    def test_other_files_get_none(self) -> None:
        assert drawn(b"nur Text") == ("none", None)

    def test_a_drawing_that_takes_too_long_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(previews, "PATIENCE", 0.01)
        assert drawn(pdf()) == ("none", None)

    def test_repeating_changes_nothing(self) -> None:
        blob = stored(pdf(), None)
        previews.make_preview(blob.pk)
        before = Blob.objects.get()
        assert previews.make_preview(blob.pk) == "ready"
        assert Blob.objects.get().preview_key == before.preview_key
        assert len(list(storage().names("previews"))) == 1

    def test_a_row_that_is_gone_is_no_error(self) -> None:
        tasks.make_preview(4711)

    def test_an_object_that_is_gone_stays_pending(self) -> None:
        blob = stored(pdf(), None)
        storage().delete(blob_name(blob.storage_key))
        assert previews.make_preview(blob.pk) == "pending"


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.core.material")
def test_a_preview_is_delivered(client: Client) -> None:
    blob = stored(pdf(), None)
    previews.make_preview(blob.pk)
    answer = client.get(f"/blobs/{blob.storage_key}/preview")
    assert answer["Content-Type"] == "image/webp"
    assert answer.getvalue()[8:12] == b"WEBP"


@pytest.mark.django_db(transaction=True)
class TestBroker:
    @pytest.fixture(autouse=True)
    def awake(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wake._broker, "silent_until", 0.0)

    def queued(self) -> int:
        import redis
        from django.conf import settings

        with redis.Redis.from_url(settings.REDIS_URL) as client:
            return int(client.llen("celery"))

    def test_storing_wakes_the_worker_after_commit(self) -> None:
        before = self.queued()
        stored(pdf(), None)
        assert self.queued() == before + 1

    def test_text_wakes_nobody(self) -> None:
        before = self.queued()
        stored(b"nur Text", None)
        assert self.queued() == before

    def test_a_dead_broker_costs_neither_upload_nor_time(self, broker: Any) -> None:
        broker.stop()
        started = timezone.now()
        blob = stored(pdf(), None)
        assert timezone.now() - started < datetime.timedelta(seconds=2)
        assert blob.preview_state == "pending"

    def test_a_broker_that_came_back_is_used_again(self, broker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        assert wake.wake("core.make_preview", 0)
        broker.stop()
        assert not wake.wake("core.make_preview", 0)
        broker.start()
        monkeypatch.setattr(wake._broker, "silent_until", 0.0)
        assert wake.wake("core.make_preview", 0)

    def test_the_job_makes_what_was_missed(self) -> None:
        stored(pdf(), None)
        Blob.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=11))
        tasks.catch_up_previews()
        assert Blob.objects.get().preview_state == "ready"
        assert JobRun.objects.get(name="core.catch_up_previews").counts == {"previews": 1}
