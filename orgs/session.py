"""The session store: like Django's, but the table knows the person, and the cookie's value only as a hash."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.utils import timezone

from core.tokens import token_hash
from orgs.models import Session

IDLE = datetime.timedelta(hours=12)
IDLE_REMEMBERED = datetime.timedelta(days=30)  # PORTAL-008
TOUCH = datetime.timedelta(minutes=5)  # how stale `last_seen_at` may get before a request writes it


class SessionStore(SessionBase):
    """Sessions in `orgs.Session`. Loading an expired or unknown one gives an empty new one."""

    browser = ""
    ip: str | None = None
    row: Session | None = None

    def _find(self, key: str | None) -> Session | None:
        if not key:
            return None
        return Session.objects.filter(session_key=token_hash(key), expires_at__gt=timezone.now()).first()

    def load(self) -> dict[str, Any]:
        """The data of the session, empty when it is unknown or idle for too long."""
        self.row = self._find(self.session_key)
        if self.row is None:
            self._session_key = None
            return {}
        return self.decode(self.row.data)

    def exists(self, session_key: str) -> bool:
        """Whether a row of that key exists, expired or not."""
        return Session.objects.filter(session_key=token_hash(session_key)).exists()

    def create(self) -> None:
        """Start a session under a fresh key."""
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Write the row. Raises `UpdateError` when the session was ended elsewhere meanwhile."""
        if self.session_key is None:
            return self.create()
        now = timezone.now()
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        user_id = data.get("_auth_user_id")
        values = {
            "data": self.encode(data),
            "user_id": int(user_id) if user_id else None,
            "last_seen_at": now,
            "expires_at": now + (IDLE_REMEMBERED if data.get("remember") else IDLE),
            "remember": bool(data.get("remember")),
            "second_factor_at": data.get("second_factor_at"),
            "browser": self.browser[:300],
            "ip": self.ip,
        }
        if must_create:
            _row, created = Session.objects.get_or_create(session_key=token_hash(self.session_key), defaults=values)
            if not created:
                raise CreateError
        elif not Session.objects.filter(session_key=token_hash(self.session_key)).update(**values):
            raise UpdateError
        return None

    def delete(self, session_key: str | None = None) -> None:
        """End the session."""
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=token_hash(key)).delete()

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Seconds the cookie lives; each visit renews it."""
        return int((IDLE_REMEMBERED if self.get("remember") else IDLE).total_seconds())

    def get_expire_at_browser_close(self) -> bool:
        """Never: the server's idle time decides."""
        return False

    def touch(self) -> None:
        """Renew idle time, at most every five minutes."""
        known = self.session_key and self._get_session()  # type: ignore[attr-defined]
        if known and self.row and timezone.now() - self.row.last_seen_at > TOUCH:
            self.modified = True

    @classmethod
    def clear_expired(cls) -> None:
        """Delete what nobody can use any more."""
        Session.objects.filter(expires_at__lte=timezone.now()).delete()
