"""Who calls at the door of organizations, and what they have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.orgs.door import Caller


@pytest.fixture
def me(cast: Cast) -> Caller:
    """`owner`, with a personal token."""
    from tests.orgs.door import person

    return person(cast.owner)


@pytest.fixture
def top(me: Caller) -> dict[str, Any]:
    """An organization that `owner` has made."""
    return me.make("Oben")
