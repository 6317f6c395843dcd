"""Time-based codes: personal keys of an account, and docms keys of an account in one tenant.

The rules (one-model, section 3): docms accepts the tenant's key, else the personal one; portal and back
office accept any confirmed key of the account and force enrolment where it is demanded.
"""

from __future__ import annotations

import base64
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django_otp.oath import TOTP

from core import scope
from core.errors import Conflict, Denied
from core.services import audit
from core.tokens import keyed_hash
from orgs.models import Membership, Organization, RecoveryCode, SecondFactor, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orgs.actor import Actor

REQUIRED = "second_factor_required"
STEP = 30  # seconds
RECOVERY_CODES = 10


def now() -> float:
    """The clock of the codes, in seconds since 1970; tests stop it here."""
    return time.time()


def verify(*, factor: SecondFactor, code: str) -> bool:
    """Whether the code is right now, or one step before or after; a time step is never accepted twice (DOCMS-025)."""
    code = code.strip().replace(" ", "")
    if len(code) != 6 or not code.isdigit():
        return False
    generator = TOTP(base64.b32decode(factor.secret), step=STEP, t0=0, digits=6)
    generator.time = now()  # read once: between two readings a step may end
    for generator.drift in (0, -1, 1):
        if constant_time_compare(f"{generator.token():06d}", code):
            step = generator.t()
            # The row says which steps are spent: of two simultaneous uses one wins.
            return bool(SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step))
    return False


def confirmed(user: User, organization: Organization | None = None) -> SecondFactor | None:
    """The confirmed key for a tenant (its own first, else the personal one); without tenant any of the account."""
    keys = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False)
    if organization is not None:
        keys = keys.filter(Q(organization=organization) | Q(organization=None))
        return keys.order_by("organization_id").first()  # nulls come last
    return keys.order_by("-organization_id").first()


def verify_any(user: User, code: str) -> bool:
    """Whether the code fits any confirmed key of the account, or an unused recovery code."""
    for factor in SecondFactor.objects.filter(user=user, confirmed_at__isnull=False):
        if verify(factor=factor, code=code):
            return True
    wanted = keyed_hash(f"recovery:{user.pk}", code.strip().replace("-", "").lower())
    return bool(RecoveryCode.objects.filter(user=user, code_hash=wanted, used_at=None).update(used_at=timezone.now()))


def obliged(user: User, organization: Organization | None = None) -> bool:
    """Whether a second factor is demanded: by the membership, its organization or an ancestor (DOCMS-020)."""
    memberships = Membership.objects.active().filter(user=user, organization__closed_at=None)
    if organization is not None:
        memberships = memberships.filter(organization=organization)
    with scope.all_tenants():  # asked before it is known where the person belongs
        return bool(demanding(memberships.select_related("organization")))


def demanding(memberships: Iterable[Membership]) -> list[Organization]:
    """Those of the memberships' organizations in which a second factor is demanded: of this member, by the organization
    itself, or by one above it (ORGS-053), whose name is none of the member's business.

    Asks the database only where something lies above.
    """
    places = [(m, m.organization) for m in memberships]
    above = {pk for _m, organization in places for pk in organization.ancestors}
    strict = set(
        Organization.objects.filter(pk__in=above, enforces_second_factor=True).values_list("pk", flat=True)
        if above
        else ()
    )
    return [
        organization
        for membership, organization in places
        if membership.tfa_force or organization.enforces_second_factor or not strict.isdisjoint(organization.ancestors)
    ]


def owed(actor: Actor) -> list[Organization]:
    """The organizations that demand a second factor of somebody who has none; until one is set up the person stays
    outside, however long the session or the token has been open (ORGS-054). Usually costs no query.
    """
    found = demanding(actor.memberships_list)
    return [] if not found or actor.has_second_factor else found


def require_none_owed(actor: Actor) -> None:
    """Raise `Denied` (``second_factor_required``) for whoever owes one; for doors that cannot lead to its set-up."""
    if owed(actor):
        raise Denied(_("Your company demands a second factor. Please set one up in your profile."), code=REQUIRED)


def named(organizations: Iterable[Organization]) -> str:
    """Who demands it, for a sentence."""
    return ", ".join(dict.fromkeys(organization.name for organization in organizations))


def start(user: User, organization: Organization | None = None) -> SecondFactor:
    """A new key that replaces an earlier unconfirmed one and has no effect until confirmed (DOCMS-021).

    Raises `Conflict` while a confirmed key exists (DOCMS-022).
    """
    if SecondFactor.objects.filter(user=user, organization=organization, confirmed_at__isnull=False).exists():
        raise Conflict(code="second_factor_exists")
    with transaction.atomic():
        SecondFactor.objects.filter(user=user, organization=organization, confirmed_at=None).delete()
        secret = base64.b32encode(secrets.token_bytes(20)).decode()
        return SecondFactor.objects.create(
            user=user, organization=organization, secret=secret, name="totp", confirmed=False
        )


def pending(user: User, organization: Organization | None = None) -> SecondFactor | None:
    """The key that waits for its first code."""
    return SecondFactor.objects.filter(user=user, organization=organization, confirmed_at=None).order_by("-id").first()


def confirm(factor: SecondFactor, code: str) -> bool:
    """Confirm a pending key with a right code; a wrong one leaves it pending (DOCMS-023)."""
    if not verify(factor=factor, code=code):
        return False
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now(), confirmed=True)
    audit.record("second_factor_confirmed", factor.user)
    return True


def address(factor: SecondFactor, issuer: str) -> str:
    """The otpauth:// address that authenticator apps read as a QR code."""
    label = quote(f"{issuer}:{factor.user.email}")
    return f"otpauth://totp/{label}?secret={factor.secret}&issuer={quote(issuer)}&digits=6&period={STEP}"


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, each good for one sign-in; they replace the earlier ones and are shown once."""
    codes = [
        "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(10)) for _ in range(RECOVERY_CODES)
    ]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, code_hash=keyed_hash(f"recovery:{user.pk}", code)) for code in codes
        )
        audit.record("recovery_codes_made", user)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def remove(user: User, organization: Organization | None = None) -> int:
    """Remove the keys of one level; recovery codes go with the personal key."""
    removed = SecondFactor.objects.filter(user=user, organization=organization).delete()[0]
    if organization is None:
        RecoveryCode.objects.filter(user=user).delete()
    if removed:
        audit.record("second_factor_removed", user)
    return removed


def remove_all(user: User) -> None:
    """Remove every key of an account, of whichever organization, and its recovery codes."""
    removed = SecondFactor.objects.filter(user=user).delete()[0]
    RecoveryCode.objects.filter(user=user).delete()
    if removed:
        audit.record("second_factor_removed", user)
