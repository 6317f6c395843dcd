"""Tickets of the cast, through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File
    from tickets.models import Ticket


@pytest.fixture
def file(cast: Cast) -> File:
    """File a ticket of house A: `file("renter", "Es tropft.")`."""

    from tickets.services import filing

    def filed(who: str = "renter", text: str = "Der Wasserhahn tropft.", **values: Any) -> Ticket:
        values = {"community": cast.house_a, "source": "web"} | values
        return filing.file_ticket(actor=cast.actor(who), text=text, **values).ticket

    return filed
