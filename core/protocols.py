"""What core asks of whoever acts. `orgs.actor.Actor` satisfies it; core imports no upper floor."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Actor(Protocol):
    """The caller of one request, reduced to what read rules need."""

    @property
    def user_id(self) -> int | None: ...

    @property
    def is_operator(self) -> bool: ...

    @property
    def tenants(self) -> Collection[int]: ...

    @property
    def admin_tenants(self) -> Collection[int]: ...
