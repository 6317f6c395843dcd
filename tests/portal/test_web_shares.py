"""The page behind the link of a shared document: the code, the document, and the end of it."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import Blob, SystemLog
from core.storage import storage
from docms.models import Document, DocumentLog, DocumentShare
from docms.services import shares
from orgs.models import OrganizationSettings
from tests.docms.door import link_and_code
from tests.portal.pages import house_folder, paper

if TYPE_CHECKING:
    from docms.models import Folder
    from tests.cast import Cast

PAGE = {"accept-language": "en"}


@pytest.fixture
def where(cast: Cast) -> Folder:
    row = OrganizationSettings.objects.get(organization=cast.tenant)
    row.sms_send_url, row.sms_api_key, row.sms_sender_id = "https://sms.example/", "geheim", "Brandt"
    row.save()
    return house_folder(cast)


@pytest.fixture
def document(cast: Cast, where: Folder) -> Document:
    return paper(cast, where, "Kaufvertrag", filename="kauf.pdf")


@pytest.fixture
def given(cast: Cast, document: Document) -> tuple[str, str]:
    """The address of the page, and the code."""
    row = shares.share(
        actor=cast.actor("admin", tenant=cast.tenant),
        document=Document.objects.select_related("folder__tenant", "current").get(pk=document.pk),
        name="Nina Notar",
        email="nina@kanzlei.test",
        mobile_number="+491701234567",
    )
    token, code = link_and_code(row.pk)
    return f"/app/shares/{token}", code


def send(url: str, code: Any, **extra: Any) -> Any:
    return Client().post(url, {"code": code}, headers=PAGE, **extra)


def test_the_page_tells_whose_it_is_and_nothing_of_the_document(
    cast: Cast, given: tuple[str, str], client: Client
) -> None:
    page = client.get(given[0], headers=PAGE)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Brandt &amp; Keller shares a document with you" in text
    for secret in ("Kaufvertrag", "kauf.pdf", "Nina", "Versammlungen", given[1]):
        assert secret not in text
    assert page.headers["Cache-Control"].startswith("max-age=0")
    assert DocumentShare.objects.get().access_count == 0


@pytest.mark.parametrize(("language", "words"), [("de", 'lang="de"'), ("fr", 'lang="fr"'), ("pl", 'lang="pl"')])
def test_the_page_speaks_the_visitors_language(
    given: tuple[str, str], client: Client, language: str, words: str
) -> None:
    assert words in client.get(given[0], headers={"accept-language": language}).content.decode()


def test_the_right_code_is_answered_with_the_document(given: tuple[str, str], document: Document) -> None:
    url, code = given
    response = send(url, f" {code[:4]} {code[4:].lower()}")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == 'attachment; filename="kauf.pdf"'
    assert b"".join(response.streaming_content).startswith(b"%PDF")
    document.refresh_from_db()
    assert document.access_counter == 1
    assert document.first_access is not None
    assert DocumentShare.objects.get().access_count == 1
    assert DocumentLog.objects.filter(action="share_access", document_id=document.pk, user=None).count() == 1


@pytest.mark.rule("DOCMS-160")
def test_five_wrong_codes_end_it_and_both_doors_count_together(given: tuple[str, str]) -> None:
    url, code = given
    for left in (4, 3):
        page = send(url, "XXXXXX")
        assert page.status_code == 422
        assert f"Attempts left: {left}." in page.content.decode()
        assert page.content.decode().count("aria-invalid") == 1
    api = "/docms/api/v1/shares/" + url.rpartition("/")[2]
    for _number in range(2):
        assert Client().post(api, {"code": "YYYYYY"}, content_type="application/json").status_code == 401
    page = send(url, "XXXXXX")
    assert page.status_code == 404
    assert "does not work any more" in page.content.decode()
    assert send(url, code).status_code == 404
    assert DocumentShare.objects.get().revoked_at is not None


@pytest.mark.parametrize("code", ["", "   ", "x" * 101, "\x00"])
def test_what_is_no_code_is_told_at_the_field_and_does_not_count(given: tuple[str, str], code: str) -> None:
    page = send(given[0], code)
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"code"}
    assert DocumentShare.objects.get().failures == 0


@pytest.mark.rule("DOCMS-161")
def test_unknown_withdrawn_and_ended_links_look_alike(given: tuple[str, str], document: Document) -> None:
    def bare(url: str) -> bytes:
        page = Client().get(url, headers=PAGE)
        assert page.status_code == 404
        return page.content.replace(url.encode(), b"")

    url, code = given
    unknown = bare(f"/app/shares/{'x' * 43}")

    def same(one: bytes, other: bytes) -> bool:
        changing = rb'name="csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"|shares/[\w-]+'
        return re.sub(changing, b"", one) == re.sub(changing, b"", other)

    Document.objects.filter(pk=document.pk).update(allow_download=False)
    assert same(bare(url), unknown)
    assert send(url, code).status_code == 404
    DocumentShare.objects.update(ended_at=None, revoked_at=timezone.now())
    assert same(bare(url), unknown)
    DocumentShare.objects.update(revoked_at=None, expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert same(bare(url), unknown)
    assert DocumentShare.objects.get().ended_at is not None


@pytest.mark.parametrize("token", ["x", "%00", "a%0Ab", "ä" * 40, "x" * 2000])
def test_odd_links_are_unknown(db: None, token: str) -> None:
    assert Client(raise_request_exception=False).get(f"/app/shares/{token}").status_code == 404
    assert Client(raise_request_exception=False).post(f"/app/shares/{token}", {"code": "A"}).status_code == 404
    assert not SystemLog.objects.exists()


def test_what_is_being_checked_is_told_and_not_counted(given: tuple[str, str]) -> None:
    Blob.objects.update(scan="pending")
    page = send(*given)
    assert page.status_code == 409
    assert page.headers["Retry-After"] == "30"
    assert "still being checked" in page.content.decode()
    assert DocumentShare.objects.get().access_count == 0


def test_content_that_is_lost_is_told_and_nothing_is_claimed(given: tuple[str, str], document: Document) -> None:
    from core.services.blobs import blob_name

    Document.objects.filter(pk=document.pk).update(delete_after_next_download=True)
    storage().delete(blob_name(document.current.blob.storage_key))
    page = send(*given)
    assert page.status_code == 404
    assert "The content of this file is missing" in page.content.decode()
    document.refresh_from_db()
    assert document.claimed_at is None
    assert document.access_counter == DocumentShare.objects.get().access_count == 0


def test_a_form_from_elsewhere_is_refused(given: tuple[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(given[0], {"code": given[1]}).status_code == 403
    assert DocumentShare.objects.get().access_count == 0


@pytest.mark.rule("DOCMS-182")
def test_the_secret_stands_in_no_log(given: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    from core.logs import mask

    url, code = given
    send(url, "XXXXXX")
    send(f"{url}x", code)
    assert mask(f"GET {url} HTTP/1.1") == "GET /app/shares/*** HTTP/1.1"
    assert url.rpartition("/")[2] not in "".join(mask(record.getMessage()) for record in caplog.records)


def test_other_methods_are_refused(given: tuple[str, str]) -> None:
    assert Client().put(given[0]).status_code == 405
    assert Client().head(given[0]).status_code == 200
