"""Requests for parts of a document, or for one that has not changed: what counts as opening it, and what ends it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from core.errors import Conflict, NotFound
from docms.models import Document, DocumentLog, ReadMark
from docms.services import delivery, documents
from tests.factories import folder, manual_group, publish, stored

if TYPE_CHECKING:
    from tests.cast import Cast

BYTES = b"Abrechnung 2025"


@pytest.fixture
def paper(cast: Cast) -> Document:
    """A document that the renter may take."""
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    return publish(cast, where, content=BYTES, filename="abrechnung.txt")


@pytest.fixture
def soon() -> tuple[datetime.datetime, datetime.datetime]:
    """Tomorrow and the day after."""
    day = datetime.timedelta(days=1)
    return timezone.now() + day, timezone.now() + 2 * day


def download(cast: Cast, paper: Document, **headers: str) -> tuple[int, bytes]:
    """Status and content of a download by the renter."""
    request = RequestFactory().get("/", headers=headers)
    answer: Any = delivery.download(document_id=paper.pk, actor=cast.actor("renter"), request=request)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    for close in answer._resource_closers:  # `close()` would end the test's connection, too
        close()
    return answer.status_code, content


def proofs(paper: Document) -> tuple[int, int, list[int]]:
    """Entries of the log, the counter, and which versions are marked as read."""
    paper.refresh_from_db()
    logged = DocumentLog.objects.filter(document_id=paper.pk, action="download").count()
    return logged, paper.access_counter, list(ReadMark.objects.values_list("version_no", flat=True))


@pytest.mark.rule("DOCMS-119")
@pytest.mark.parametrize(
    ("headers", "status"), [({"If-None-Match": "*"}, 304), ({"Range": "bytes=900-"}, 416), ({"Range": "bytes=-0"}, 416)]
)
def test_an_answer_without_content_proves_nothing(
    cast: Cast, paper: Document, headers: dict[str, str], status: int
) -> None:
    assert download(cast, paper, **headers) == (status, b"")
    assert proofs(paper) == (0, 0, [])
    assert paper.first_access is None
    assert download(cast, paper) == (200, BYTES)
    assert proofs(paper) == (1, 1, [1])


def test_a_later_part_goes_on_with_what_was_opened(cast: Cast, paper: Document) -> None:
    assert download(cast, paper, Range="bytes=0-4") == (206, BYTES[:5])
    assert download(cast, paper, Range="bytes=5-") == (206, BYTES[5:])
    assert proofs(paper) == (1, 1, [1])


@pytest.mark.rule("DOCMS-119", "DOCMS-126")
def test_a_later_part_of_a_new_version_is_an_access_of_its_own(cast: Cast, paper: Document) -> None:
    download(cast, paper)
    documents.change_document(
        actor=cast.actor("admin"), document=paper, changes={}, blob=stored(cast.tenant, b"Version zwei")
    )
    assert download(cast, paper, Range="bytes=1-") == (206, b"ersion zwei")
    assert proofs(paper) == (2, 2, [2])


@pytest.mark.rule("DOCMS-122")
@pytest.mark.parametrize("headers", [{"If-None-Match": "*"}, {"Range": "bytes=900-"}])
def test_a_document_stays_while_nothing_of_it_went(cast: Cast, paper: Document, headers: dict[str, str]) -> None:
    Document.objects.filter(pk=paper.pk).update(delete_after_next_download=True)
    download(cast, paper, **headers)
    paper.refresh_from_db()
    assert paper.claimed_at is None
    assert download(cast, paper) == (200, BYTES)


@pytest.mark.rule("DOCMS-122")
@pytest.mark.parametrize("sendfile", ["", "x-accel"])
@pytest.mark.parametrize("part", ["bytes=0-0", "bytes=5-", "bytes=-3"])
def test_what_goes_with_its_download_goes_as_a_whole(
    cast: Cast, paper: Document, part: str, sendfile: str, settings: Any
) -> None:
    settings.SENDFILE = sendfile
    Document.objects.filter(pk=paper.pk).update(delete_after_next_download=True)
    assert download(cast, paper, Range=part) == (200, BYTES)
    with pytest.raises(NotFound):
        download(cast, paper)


@pytest.mark.rule("DOCMS-105")
@pytest.mark.parametrize("target", ["none", "sooner"])
def test_moving_is_no_way_around_the_protection_of_a_folder(
    cast: Cast, soon: tuple[datetime.datetime, datetime.datetime], target: str
) -> None:
    sooner, later = soon
    protected = folder(cast, "Schutz", allow_delete_files=later)
    other = folder(cast, "Anderswo", allow_delete_files=sooner if target == "sooner" else None)
    longer = folder(cast, "Länger", allow_delete_files=later)
    paper = publish(cast, protected)
    with pytest.raises(Conflict) as refused:
        documents.change_document(actor=cast.actor("admin"), document=paper, changes={"folder": other})
    assert refused.value.code == "deletion_locked"
    documents.change_document(actor=cast.actor("admin"), document=paper, changes={"folder": longer})
    Document.objects.get(pk=paper.pk, folder=longer)
