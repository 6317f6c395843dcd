"""A thousand tickets filed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import at_once
from tickets.models import Ticket

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

CALLERS, EACH = 40, 25


@pytest.mark.django_db(transaction=True)
def test_a_thousand_creations_at_once_number_without_gap(cast: Cast, file: File) -> None:
    def some() -> int:
        return len([file() for _again in range(EACH)])

    assert at_once(*[some] * CALLERS) == [EACH] * CALLERS
    for column in ("number", "identifier"):
        found = sorted(int(value) for value in Ticket.objects.values_list(column, flat=True))
        assert found == list(range(1, CALLERS * EACH + 1)), column
