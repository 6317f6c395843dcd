"""How a browser session leads back to its account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from orgs.models import User


class SessionBackend(BaseBackend):
    """Finds the account of a session. Passwords are checked by `orgs.services.sign_in`, which counts failures."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Nobody signs in past the throttle and the second factor."""
        return

    def get_user(self, user_id: int) -> User | None:
        """The account, unless it was erased."""
        return User.objects.filter(pk=user_id, erased_at=None).first()
