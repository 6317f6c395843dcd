"""What a page of the portal may cost on a first visit: requests and bytes, as a browser with an empty cache counts them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from core.services.previews import make_preview
from orgs import audience
from tests.cast import Cast
from tests.journeys.test_portal_look import house, sign_in
from tests.portal.test_web_tickets import file, with_photo
from tickets.services import sharing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
REQUESTS = 12
BYTES = 120_000
PACKED = ("text/", "application/javascript", "image/svg", "application/json")  # what the server sends compressed


def visit(chromium: Browser, base_url: str, state: Any, url: str) -> tuple[list[str], int]:
    """The addresses that a first visit asks for, and the bytes of their answers."""
    context = chromium.new_context(
        base_url=base_url, storage_state=state, viewport={"width": 390, "height": 844}, locale="de-DE"
    )
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a method of a list is no listener
    page.goto(url, wait_until="networkidle")
    found, size = [], 0
    for answer in answers:
        body = answer.body() if answer.status == 200 else b""
        is_packed = answer.headers.get("content-type", "").startswith(PACKED)
        found.append(answer.url.removeprefix(base_url))
        size += len(gzip.compress(body)) if is_packed else len(body)
    context.close()
    return found, size


def test_a_first_visit_takes_few_requests_and_bytes(chromium: Browser, live_server: Any, house: dict[str, Any]) -> None:
    cast: Cast = house["cast"]
    ticket = file(cast)
    make_preview(with_photo(cast, ticket).blob_id)
    keys = [audience.community(cast.house_a.pk)]
    sharing.share(actor=cast.actor("renter"), ticket=ticket, keys=keys)
    beyond = {}
    for who, urls in (
        ("", house["outside"]),
        ("renter", [*house["inside"], f"/app/tickets/{ticket.uuid}"]),
        ("owner", [f"/app/tickets/{ticket.uuid}"]),
    ):
        context = chromium.new_context(base_url=live_server.url, locale="de-DE")
        if who:
            sign_in(context.new_page(), f"{who}@quartier.test")
        state = context.storage_state()
        context.close()
        for url in urls:
            found, size = visit(chromium, live_server.url, state, url)
            assert found, url
            if len(found) > REQUESTS or size > BYTES:
                beyond[f"{who} {url}"] = (len(found), size, found)
    assert beyond == {}
