"""Failed attempts: two policies over one table, one atomic statement per failure.

*wait* (portal, invite codes): after failure n, from the third on, 2^(n-3) seconds, at most 900 (PORTAL-050);
forgotten after 60 idle minutes. *lock* (docms): every fifth failure locks, 60 seconds the first time, five
times longer each time, at most 24 hours (DOCMS-038); not forgotten until a success or a reset.

Failures must survive the refusal they cause, so callers run this in a unit of work of its own.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from core.errors import Blocked
from core.models import Throttle
from core.tokens import keyed_hash

IDLE = datetime.timedelta(minutes=60)
WAIT_MAX = 900  # seconds
LOCK_EVERY = 5
LOCK_FIRST = 60  # seconds
LOCK_MAX = 24 * 3600  # seconds
SKEW = datetime.timedelta(minutes=1)  # by which the clocks of two servers may differ


@dataclass(frozen=True)
class Counter:
    """Which failures are counted together: a scope and a key (an account, an address, a share)."""

    scope: str
    key: str
    policy: str = "wait"

    @property
    def key_hash(self) -> bytes:
        """What is stored of the key."""
        return keyed_hash(f"throttle:{self.scope}", self.key.lower())

    @property
    def rows(self) -> QuerySet[Throttle]:
        """The row of this counter, if there is one."""
        return Throttle.objects.filter(scope=self.scope, key_hash=self.key_hash)


def wait_after(failures: int) -> int:
    """Seconds to wait after that many consecutive failures."""
    return min(2 ** (failures - 3), WAIT_MAX) if failures >= 3 else 0


def lock_after(failures: int, locks: int) -> int:
    """Seconds of the lock that this failure brings, 0 for none; ``locks`` counts the earlier ones."""
    return min(LOCK_FIRST * 5**locks, LOCK_MAX) if failures and failures % LOCK_EVERY == 0 else 0


def remaining(*counters: Counter) -> int:
    """Whole seconds until the last of the counters lets the next attempt through, 0 when none blocks.

    A block that begins in the future was set by a clock that was wrong: it would hold for as long as that.
    """
    now, left = timezone.now(), 0.0
    for counter in counters:
        blocking = counter.rows.filter(blocked_until__gt=now, last_failure_at__lt=now + SKEW)
        until = blocking.values_list("blocked_until", flat=True).first()
        if until:
            left = max(left, (until - now).total_seconds())
    return int(-(-left // 1))


def check(*counters: Counter) -> None:
    """Raise `Blocked` while one of the counters blocks."""
    left = remaining(*counters)
    if left:
        raise Blocked(left)


def fail(counter: Counter) -> Throttle:
    """Count one failure and set the block that follows from it."""
    now = timezone.now()
    forget = now - IDLE if counter.policy == "wait" else datetime.datetime.min.replace(tzinfo=datetime.UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_throttle (scope, key_hash, policy, failures, locks, last_failure_at)
            VALUES (%(scope)s, %(key)s, %(policy)s, 1, 0, %(now)s)
            ON CONFLICT (scope, key_hash) DO UPDATE SET
              failures = CASE WHEN core_throttle.last_failure_at < %(forget)s THEN 1 ELSE core_throttle.failures + 1 END,
              last_failure_at = %(now)s
            RETURNING id, failures, locks
            """,
            {
                "scope": counter.scope,
                "key": counter.key_hash,
                "policy": counter.policy,
                "now": now,
                "forget": forget,
            },
        )
        row_id, failures, locks = cursor.fetchone()
    seconds = wait_after(failures) if counter.policy == "wait" else lock_after(failures, locks)
    row = Throttle.objects.get(pk=row_id)
    if seconds:
        row.blocked_until = now + datetime.timedelta(seconds=seconds)
        row.locks = locks + (counter.policy == "lock")
        row.save(update_fields=["blocked_until", "locks"])
    return row


def clear(*counters: Counter) -> int:
    """Forget the failures of these counters; returns how many rows went."""
    return sum(counter.rows.delete()[0] for counter in counters)


def forget_idle() -> int:
    """Delete waits that nobody remembers any more; what locks accounts stays until success or reset."""
    return Throttle.objects.filter(policy="wait", last_failure_at__lt=timezone.now() - IDLE).delete()[0]
