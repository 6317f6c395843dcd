"""Jobs of this floor: what nobody can use any more goes, what is in use stays."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from core.models import JobRun
from orgs import tasks
from orgs.models import AccessToken, OneTimeLink, RecoveryCode, SecondFactor, Session

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


def hashed(number: int) -> bytes:
    """A hash of its own."""
    return bytes([number]) * 32


def test_tokens_sessions_factors_and_codes_go_when_nobody_can_use_them(cast: Cast) -> None:
    now = timezone.now()
    long_ago, lately, later = now - 25 * HOUR, now - 23 * HOUR, now + HOUR
    ends: list[dict[str, Any]] = [
        {"expires_at": long_ago}, {"revoked_at": long_ago}, {"expires_at": lately}, {"revoked_at": lately},
        {"expires_at": later}, {},
    ]  # fmt: skip
    tokens = [
        AccessToken.objects.create(kind="personal", user=cast.renter, token_hash=hashed(n), **end)
        for n, end in enumerate(ends)
    ]
    Session.objects.create(user=cast.renter, session_key=hashed(10), expires_at=now - HOUR)
    session = Session.objects.create(user=cast.renter, session_key=hashed(11), expires_at=later)
    factors = [
        SecondFactor.objects.create(
            user=cast.renter, name="x", secret="A" * 16, created_at=made, confirmed_at=confirmed
        )
        for made, confirmed in ((long_ago, None), (lately, None), (long_ago, long_ago))
    ]
    codes = [
        RecoveryCode.objects.create(user=cast.renter, code_hash=hashed(20 + n), used_at=used)
        for n, used in enumerate((long_ago, lately, None))
    ]
    tasks.purge_tokens()
    assert list(AccessToken.objects.order_by("pk")) == tokens[2:]
    assert list(Session.objects.filter(user=cast.renter)) == [session]
    assert list(SecondFactor.objects.order_by("pk")) == factors[1:]
    assert list(RecoveryCode.objects.order_by("pk")) == codes[1:]
    counts = {"tokens": 2, "sessions": 1, "factors": 1, "codes": 1, "waits": 0}
    assert JobRun.objects.get(name="docms.purge_tokens").counts == counts


def test_used_and_expired_links_go_after_a_day(cast: Cast) -> None:
    now = timezone.now()
    long_ago, lately, later = now - 25 * HOUR, now - 23 * HOUR, now + HOUR
    links = [
        OneTimeLink.objects.create(
            user=cast.renter, purpose="password_reset", token_hash=hashed(n), expires_at=expires, used_at=used
        )
        for n, (expires, used) in enumerate(
            ((long_ago, None), (later, long_ago), (lately, None), (later, lately), (later, None))
        )
    ]
    tasks.purge_links()
    assert list(OneTimeLink.objects.order_by("pk")) == links[2:]
    assert JobRun.objects.get(name="docms.purge_links").counts == {"links": 2}
