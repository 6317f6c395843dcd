"""What a page of the portal may cost on a first visit: requests and bytes, as a browser with an empty cache counts them.

And nothing moves that is there already.
"""

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
SHIFT = 0.01  # of the view, times how far it moves
WATCH = """new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift = (window.shift || 0) + entry.value;
}).observe({ type: 'layout-shift', buffered: true });"""


def visit(chromium: Browser, base_url: str, state: Any, url: str) -> tuple[list[str], int, float]:
    """The addresses that a first visit asks for, the bytes of their answers, and how much moved."""
    context = chromium.new_context(
        base_url=base_url, storage_state=state, viewport={"width": 390, "height": 844}, locale="de-DE"
    )
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a method of a list is no listener
    page.add_init_script(WATCH)
    page.goto(url, wait_until="networkidle")
    moved = page.evaluate("window.shift || 0")
    found, size = [], 0
    for answer in answers:
        body = answer.body() if answer.status == 200 else b""
        is_packed = answer.headers.get("content-type", "").startswith(PACKED)
        found.append(answer.url.removeprefix(base_url))
        size += len(gzip.compress(body)) if is_packed else len(body)
    context.close()
    return found, size, moved


def test_a_first_visit_takes_few_requests_and_bytes_and_nothing_moves(
    chromium: Browser, live_server: Any, house: dict[str, Any]
) -> None:
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
            found, size, moved = visit(chromium, live_server.url, state, url)
            assert found, url
            if len(found) > REQUESTS or size > BYTES or moved > SHIFT:
                beyond[f"{who} {url}"] = (len(found), size, moved, found)
    assert beyond == {}
