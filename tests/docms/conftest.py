"""Who calls at the door, in most of its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.docms.door import Caller


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """Super administrator of Brandt & Keller."""
    from tests.docms.door import signed_in

    return signed_in(cast.admin, cast.tenant)


@pytest.fixture
def plain_admin(cast: Cast) -> Caller:
    """Administrator, but no super administrator."""
    from core.services import rows
    from tests.docms.door import signed_in

    rows.change(cast.membership("staff"), {"admin_perm": True})
    return signed_in(cast.staff, cast.tenant)


@pytest.fixture
def renter(cast: Cast) -> Caller:
    """A resident."""
    from tests.docms.door import signed_in

    return signed_in(cast.renter, cast.tenant)
