"""Pictures do not tell where they were taken, whatever door they come through; else they stay as they are."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from core.models import Blob, Upload
from core.services import blobs
from tests.cast import Cast
from tests.tickets.material import File, upload
from tickets.models import TicketAttachment
from tickets.services import comments, photos
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from collections.abc import Callable

ORIENTATION, GPS, EXIF, MAKE, COMMENT = 0x0112, 0x8825, 0x8769, 0x010F, 0x9286
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="50,56.28N" exif:Make="Muster">'
    b"<exif:GPSLongitude>6,57.4E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def exif(place: bool = True) -> Image.Exif:
    """Turned by a quarter, taken in Cologne."""
    made = Image.Exif()
    made[ORIENTATION], made[MAKE] = 6, "Muster"
    made.get_ifd(EXIF)[COMMENT] = b"ASCII\x00\x00\x00Bad"
    if place:
        made.get_ifd(GPS).update({1: "N", 2: (50.0, 56.0, 17.25), 3: "E", 4: (6.0, 57.0, 24.5), 29: "2026:11:17"})
    return made


def picture(kind: str = "JPEG", *, place: bool = True, **values: object) -> bytes:
    """Half red, half blue, so that one sees which way it lies."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (0, 0, 20, 20))
    out = io.BytesIO()
    image.save(out, kind, exif=exif(place), **values)
    return out.getvalue()


def mime(kind: str) -> str:
    return f"image/{kind.lower()}"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_position_goes_and_orientation_stays(kind: str) -> None:
    told = picture(kind)
    before = Image.open(io.BytesIO(told))
    assert before.getexif().get_ifd(GPS)
    kept = Image.open(io.BytesIO(photos.remove_position(told, mime(kind))))
    found = kept.getexif()
    assert not found.get_ifd(GPS) and GPS not in found
    assert (found[ORIENTATION], found[MAKE]) == (6, "Muster")
    assert found.get_ifd(EXIF)[COMMENT].endswith(b"Bad")
    assert ImageOps.exif_transpose(kept).tobytes() == ImageOps.exif_transpose(before).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
def test_what_it_said_is_gone_from_the_bytes(kind: str) -> None:
    told = exif().tobytes()[6:] if kind == "TIFF" else picture(kind)  # Exif is a TIFF file; Pillow writes no other
    kept = photos.remove_position(told, mime(kind))
    assert b"2026:11:17" in told and b"2026:11:17" not in kept
    assert len(kept) == len(told)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_without_a_position_stays_byte_by_byte(kind: str) -> None:
    told = picture(kind, place=False)
    assert photos.remove_position(told, mime(kind)) == told


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_coordinates_of_xmp_are_blanked_and_the_rest_stays(kind: str) -> None:
    kept = photos.remove_position(picture(kind, place=False, xmp=XMP), mime(kind))
    assert b"50,56.28N" not in kept and b"6,57.4E" not in kept
    assert b'exif:Make="Muster"' in kept
    Image.open(io.BytesIO(kept)).load()


@pytest.mark.parametrize("packed", [True, False])
def test_xmp_of_a_png_goes_even_when_it_is_packed(packed: bool) -> None:
    said = PngInfo()
    said.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=packed)
    said.add_text("Title", "Fleck")
    kept = photos.remove_position(picture("PNG", pnginfo=said), "image/png")
    found = Image.open(io.BytesIO(kept))
    found.load()  # its checksums are right
    assert b"50,56" not in str(found.info).encode() and found.info["Title"] == "Fleck"


def test_exif_kept_as_text_in_a_png_goes() -> None:
    said = PngInfo()
    said.add_text("Raw profile type exif", "\nexif\n 4\n4d4d002a\n", zip=True)
    assert b"Raw profile" not in photos.remove_position(picture("PNG", place=False, pnginfo=said), "image/png")


def test_the_exif_of_a_heic_loses_it_too() -> None:
    """Its Exif lies somewhere among the data, as an item of its own."""
    body = b"\x00\x00\x00\x06" + exif().tobytes()
    told = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x01\x02" * 500 + body + b"\x03" * 500
    kept = photos.remove_position(told, "image/heic")
    found = Image.Exif()
    found.load(kept[kept.index(b"Exif\x00\x00") :])
    assert found[ORIENTATION] == 6 and not found.get_ifd(GPS)
    assert len(kept) == len(told) and b"2026:11:17" not in kept


@pytest.mark.parametrize("order", ["II*\x00", "MM\x00*"])
@pytest.mark.parametrize("tail", [b"", b"\xff" * 40, b"\x08\x00\x00\x00" * 9, b"\x00\x00\x00\x08" * 9])
def test_damaged_metadata_do_no_harm(order: str, tail: bytes) -> None:
    for kind in photos.KINDS - {"image/png"}:
        assert len(photos.remove_position(order.encode("latin-1") + tail, kind)) == 4 + len(tail)


def test_directories_in_a_ring_come_to_an_end() -> None:
    ring = b"II*\x00\x08\x00\x00\x00\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00"
    assert photos.remove_position(ring, "image/tiff") == ring


def test_a_cut_png_keeps_what_is_there() -> None:
    told = picture("PNG")[:60]
    assert photos.remove_position(told, "image/png") == told


def test_the_checksum_of_a_png_is_right() -> None:
    kept = photos.remove_position(picture("PNG"), "image/png")
    at = kept.index(b"eXIf")
    length = int.from_bytes(kept[at - 4 : at], "big")
    body = kept[at : at + 4 + length]
    assert int.from_bytes(kept[at + 4 + length : at + 8 + length], "big") == zlib.crc32(body)


def stored(file: TicketAttachment) -> bytes:
    with blobs.open_blob(file.blob) as content:
        return content.read()


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["web_tickets", "support", "mail"])
def test_no_door_lets_a_position_through(cast: Cast, file: File, where: str) -> None:
    ticket = file()
    handle = upload(cast, "renter", picture(), door=where, name="fleck.jpg")
    comments.add_comment(
        actor=cast.actor("renter"), ticket=ticket, source="web", text="Da.", files=Files([handle], where)
    )
    kept = stored(TicketAttachment.objects.select_related("blob").get(ticket=ticket))
    assert not Image.open(io.BytesIO(kept)).getexif().get_ifd(GPS)
    assert kept == photos.remove_position(picture(), "image/jpeg")


@pytest.mark.django_db
def test_the_bytes_that_told_it_are_given_up(
    cast: Cast, file: File, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    handle = upload(cast, "renter", picture(), door="web_tickets", name="fleck.jpg")
    told = Upload.objects.get(handle=handle).blob_id
    file(files=Files([handle], "web_tickets"))
    assert Upload.objects.get(handle=handle).blob_id != told
    assert not TicketAttachment.objects.filter(blob=told).exists()


@pytest.mark.django_db
def test_what_the_scanner_holds_is_not_touched(cast: Cast, file: File) -> None:
    handle = upload(cast, "renter", picture(), door="web_tickets", name="fleck.jpg")
    Blob.objects.filter(uploads__handle=handle).update(scan="infected")
    file(files=Files([handle], "web_tickets"))
    assert TicketAttachment.objects.get().blob.scan == "infected"


@pytest.mark.django_db
def test_a_picture_that_waits_for_the_scanner_is_stored_anew_and_waits_again(
    cast: Cast, file: File, settings: object
) -> None:
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"  # type: ignore[attr-defined]
    handle = upload(cast, "renter", picture(), door="web_tickets", name="fleck.jpg")
    file(files=Files([handle], "web_tickets"))
    kept = TicketAttachment.objects.select_related("blob").get().blob
    assert kept.scan == "pending"
    assert bytes(kept.sha256) == hashlib.sha256(photos.remove_position(picture(), "image/jpeg")).digest()
