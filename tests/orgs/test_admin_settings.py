"""The settings of a tenant in the back office: its logo."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from core.models import Blob
from orgs.models import OrganizationSettings
from tests.cast import Cast
from tests.portal.pages import signed_in


def picture(kind: str = "PNG") -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (432, 88), "#335577").save(out, kind)
    return out.getvalue()


@pytest.fixture
def form(cast: Cast) -> dict[str, object]:
    """What the form holds as it is opened."""
    page = signed_in(cast.admin).get(url_of(cast)).context["adminform"].form
    return {
        n: value for n, value in page.initial.items() if n in page.fields and value is not None and value is not False
    }


def url_of(cast: Cast) -> str:
    """The page of the settings."""
    return f"/admin/orgs/organizationsettings/{cast.tenant.settings.pk}/change/"


def row(cast: Cast) -> OrganizationSettings:
    """The settings as they are stored."""
    return OrganizationSettings.objects.select_related("logo").get(organization=cast.tenant)


def test_the_logo_is_put_up_and_taken_down(cast: Cast, form: dict[str, object]) -> None:
    client, url = signed_in(cast.admin), url_of(cast)
    assert "drop_logo" not in client.get(url).context["adminform"].form.fields
    answer = client.post(url, form | {"new_logo": SimpleUploadedFile("logo.png", picture(), "image/png")})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert f"/app/brand/{cast.tenant.pk}/logo" in signed_in(cast.renter).get("/app", follow=True).content.decode()
    shown = Client().get(f"/app/brand/{cast.tenant.pk}/logo")
    assert b"".join(shown.streaming_content) == picture()
    again = client.post(url, form | {"imprint": "Neu"})
    assert again.status_code == 302 and row(cast).logo is not None  # saving without a file keeps it
    assert client.post(url, form | {"drop_logo": "on"}).status_code == 302
    assert row(cast).logo is None


@pytest.mark.parametrize(("content", "words"), [(b"<svg onload=alert(1)></svg>", "PNG"), (picture("GIF"), "PNG"),
                                                (b"\x89PNG" * 200_000, "512")])  # fmt: skip
def test_what_is_no_logo_is_refused_at_its_field(
    cast: Cast, form: dict[str, object], content: bytes, words: str
) -> None:
    answer = signed_in(cast.admin).post(url_of(cast), form | {"new_logo": SimpleUploadedFile("logo.png", content)})
    assert words in str(answer.context["adminform"].form.errors["new_logo"])
    assert row(cast).logo is None
    assert not Blob.objects.filter(tenant=cast.tenant).exists()


@pytest.mark.rule("DOCMS-162")
@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://localhost/", "https://192.168.1.1/"])
def test_the_gateway_of_text_messages_lies_outside(cast: Cast, form: dict[str, object], url: str) -> None:
    client = signed_in(cast.admin)
    answer = client.post(url_of(cast), form | {"sms_send_url": url})
    assert answer.context["adminform"].form.errors.keys() == {"sms_send_url"}
    assert row(cast).sms_send_url == ""
    assert client.post(url_of(cast), form | {"sms_send_url": "https://8.8.8.8/"}).status_code == 302
    assert row(cast).sms_send_url == "https://8.8.8.8/"
