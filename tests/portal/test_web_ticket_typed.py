"""What somebody sent when the session had ended is there again after signing in, for that person and nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core import typed
from orgs.models import Session
from tests.portal.pages import signed_in
from tests.portal.test_web_ticket_new import DOOR, form_url
from tests.portal.test_web_tickets import close, file, picture
from tests.tickets.material import upload
from tests.tickets.test_services_answers import a_type, ids
from tickets.models import Ticket, TicketActivity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast
    from tickets.models import TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def late(client: Client, shown: str, target: str, **values: Any) -> Any:
    """A page is drawn, the session ends, the form is sent; returns the answer."""
    writer = re.search(r'name="writer" value="([^"]+)"', client.get(shown).content.decode())
    assert writer is not None
    Session.objects.all().delete()
    return client.post(target, {"writer": writer[1], **values})


@pytest.fixture
def kind(cast: Cast) -> TicketType:
    fields = ({"field_type": "TEXTBOX"}, {"field_type": "CHECKBOX"}, {"field_type": "FILE"})
    return a_type(cast.tenant, "Wasser", *fields)


def test_a_new_ticket_is_typed_once(cast: Cast, kind: TicketType) -> None:
    url, (text, box, photos) = form_url(cast, kind), (f"f{pk}" for pk in ids(kind))
    handle = upload(cast, "renter", door=DOOR)
    values = {text: "Es tropft <b>", box: "on", photos: handle, "unit": ""}
    answer = late(signed_in(cast.renter), url, url, **values)
    assert answer.url == f"/app/login?next={url}"
    assert not Ticket.objects.exists()
    client = signed_in(cast.renter)
    page = client.get(url)
    form, words = page.context["form"], page.content.decode()
    assert (form[text].value(), form[box].value(), form["unit"].value()) == ("Es tropft <b>", "on", "")
    assert "Es tropft &lt;b&gt;" in words and f'value="{handle}"' in words
    assert "Sie waren abgemeldet" in words
    assert not client.get(url).context["came_back"]  # only once
    client.post(url, values)
    assert "Es tropft <b>" in Ticket.objects.get().description


def test_a_comment_comes_back_to_its_page(cast: Cast) -> None:
    ticket = file(cast)
    url, handle = f"/app/tickets/{ticket.uuid}", upload(cast, "renter", door=DOOR)
    sent = {"text": "Und morgen?", "upload": handle, "upload-files": SimpleUploadedFile("f.jpg", picture())}
    answer = late(signed_in(cast.renter), url, f"{url}/comment", **sent)
    assert answer.url == f"/app/login?next={url}"
    page = signed_in(cast.renter).get(url)
    assert ">Und morgen?</textarea>" in page.content.decode()
    assert [one.handle for one in page.context["files"]["kept"]] == [handle]
    assert page.context["lost"]  # what a browser without scripts sends with the form has to be chosen again
    assert not TicketActivity.objects.filter(kind="comment").exists()


def test_a_rating_comes_back_to_its_page(cast: Cast) -> None:
    ticket = close(cast, file(cast))
    url = f"/app/tickets/{ticket.uuid}"
    late(signed_in(cast.renter), url, f"{url}/rating", rating="4", comment="Flott.")
    page = signed_in(cast.renter).get(url).content.decode()
    assert re.search(r'value="4" checked', page) and ">Flott.</textarea>" in page


def test_who_signs_in_next_at_that_browser_sees_nothing_of_it(cast: Cast) -> None:
    ticket = file(cast)
    url, client = f"/app/tickets/{ticket.uuid}", signed_in(cast.renter)
    late(client, url, f"{url}/comment", text="Geheim")
    client.force_login(cast.admin)
    page = client.get(url)
    assert page.status_code == 200 and "Geheim" not in page.content.decode()
    assert "Geheim" in signed_in(cast.renter).get(url).content.decode()


def test_another_page_neither_shows_it_nor_loses_it(cast: Cast) -> None:
    one, other = file(cast), file(cast)
    url = f"/app/tickets/{one.uuid}"
    late(signed_in(cast.renter), url, f"{url}/comment", text="Hierher")
    client = signed_in(cast.renter)
    assert "Hierher" not in client.get(f"/app/tickets/{other.uuid}").content.decode()
    assert "Hierher" in client.get(url).content.decode()


@pytest.mark.parametrize("writer", ["", "erfunden", "ä"])
def test_a_form_that_does_not_prove_whose_it_is_is_not_kept(cast: Cast, writer: str) -> None:
    url = f"/app/tickets/{file(cast).uuid}"
    answer = Client().post(f"{url}/comment", {"text": "Untergeschoben", "writer": writer})
    assert answer.status_code == 302
    assert "Untergeschoben" not in signed_in(cast.renter).get(url).content.decode()


def test_what_is_kept_is_sealed_and_small(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"/app/tickets/{file(cast).uuid}"
    late(signed_in(cast.renter), url, f"{url}/comment", text="Geheim")
    assert b"Geheim" not in cache.get(f"typed:{cast.renter.pk}")
    cache.clear()
    monkeypatch.setattr(typed, "MOST", 100)
    late(signed_in(cast.renter), url, f"{url}/comment", text="x" * 100)
    assert cache.get(f"typed:{cast.renter.pk}") is None


def test_without_the_cache_one_signs_in_all_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_values: Any) -> None:
        raise ConnectionError

    url = f"/app/tickets/{file(cast).uuid}"
    monkeypatch.setattr(typed.cache, "set", broken)
    monkeypatch.setattr(typed.cache, "get", broken)
    assert late(signed_in(cast.renter), url, f"{url}/comment", text="Weg").status_code == 302
    assert signed_in(cast.renter).get(url).status_code == 200
