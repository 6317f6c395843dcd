"""One account, one password, one policy; links to set it; and what a change ends."""

from __future__ import annotations

import datetime
import functools
import gzip
from pathlib import Path
from typing import Any

import django.contrib.auth.password_validation as django_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import scope
from core.errors import Conflict, Invalid, Unknown
from core.services import audit, rows, throttle
from core.tokens import new_token, token_hash
from orgs.models import AccessToken, InstallationSettings, OneTimeLink, Organization, Session, User
from orgs.services import accounts, oauth
from orgs.services.installation import installation
from orgs.signals import password_link_issued

RESET_MINUTES = 60  # PORTAL-011; the docms door brings its own hours
LINKS_PER_HOUR = 3  # DOCMS-036
MIN_LENGTH = 10  # PORTAL-037, whatever the installation sets below it


@functools.cache
def common_passwords() -> frozenset[str]:
    """The 20,000 commonest passwords, as Django ships them."""
    path = Path(django_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


def problems(password: str) -> list[str]:
    """What the policy misses in a password, in the active language (DOCMS-029, PORTAL-037)."""
    policy: InstallationSettings = installation()
    found = []
    least = max(policy.pw_min_length, MIN_LENGTH)
    if len(password) < least:
        found.append(ngettext("Use at least %d character.", "Use at least %d characters.", least) % least)
    lower, upper, digits, special = _needs(policy)
    kinds = (
        (
            lower,
            str.islower,
            ngettext("Use at least %d lower-case letter.", "Use at least %d lower-case letters.", lower),
        ),
        (
            upper,
            str.isupper,
            ngettext("Use at least %d upper-case letter.", "Use at least %d upper-case letters.", upper),
        ),
        (digits, str.isdigit, ngettext("Use at least %d digit.", "Use at least %d digits.", digits)),
        (
            special,
            lambda c: not c.isalnum(),
            ngettext("Use at least %d special character.", "Use at least %d special characters.", special),
        ),
    )
    found += [text % need for need, is_kind, text in kinds if sum(map(is_kind, password)) < need]
    if len(password) > 1000:
        found.append(_("Use at most 1000 characters."))
    if password.lower() in common_passwords():
        found.append(_("This password is on the list of common passwords."))
    return found


def _needs(policy: InstallationSettings) -> tuple[int, int, int, int]:
    return policy.pw_min_lower_case, policy.pw_min_upper_case, policy.pw_min_numbers, policy.pw_min_special


def policy_hint() -> str:
    """The policy in one sentence, for the hint under the field; what is not demanded is not named."""
    policy = installation()
    least = max(policy.pw_min_length, MIN_LENGTH)
    lower, upper, digits, special = _needs(policy)
    kinds = [
        text % need
        for need, text in (
            (lower, ngettext("%d lower-case letter", "%d lower-case letters", lower)),
            (upper, ngettext("%d upper-case letter", "%d upper-case letters", upper)),
            (digits, ngettext("%d digit", "%d digits", digits)),
            (special, ngettext("%d special character", "%d special characters", special)),
        )
        if need
    ]
    length = ngettext("%d character", "%d characters", least) % least
    if not kinds:
        return _("At least %(length)s. Best a sentence that only you know.") % {"length": length}
    return _("At least %(length)s, among them %(kinds)s. Best a sentence that only you know.") % {
        "length": length,
        "kinds": get_text_list(kinds, _("and")),
    }


def check(password: str, *, field: str = "password") -> None:
    """Raise `Invalid` naming ``field`` unless the policy is met (DOCMS-029, PORTAL-037)."""
    found = problems(password)
    if found:
        raise Invalid(" ".join(found), code="weak_password", fields={field: found})


class PolicyValidator:
    """The same policy for Django's own forms and `changepassword`."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` with what is missing."""
        found = problems(password)
        if found:
            raise ValidationError(found)

    def get_help_text(self) -> str:
        """The policy in words."""
        return policy_hint()


def set_password(
    user: User, password: str, *, keep_session: bytes | None = None, keep_token: int | None = None
) -> None:
    """Store a password and end every other sign-in of the account (DOCMS-031, PORTAL-011).

    Sessions and bearer tokens of people end; application keys and basic credentials stay. ``keep_session``
    is the stored key of the session, ``keep_token`` the id of the token that may live on.
    """
    check(password)
    user.set_password(password)
    now = timezone.now()
    rows.change(
        user,
        {"credentials_changed_at": now, "password_change_due": False},
        verb="password_changed",
        check=False,
    )
    User.objects.filter(pk=user.pk).update(password=user.password)
    Session.objects.filter(user=user).exclude(session_key=keep_session or b"").delete()
    AccessToken.objects.filter(user=user, revoked_at=None, kind__in=("docms_session", "personal", "refresh")).exclude(
        pk=keep_token or 0
    ).update(revoked_at=now)
    oauth.end_all(user)
    OneTimeLink.objects.filter(user=user, used_at=None, purpose__startswith="password").update(used_at=now)


def change_password(
    user: User, *, current: str, new: str, keep_session: bytes | None = None, keep_token: int | None = None
) -> None:
    """Replace the own password. Raises `Invalid` for a wrong current or a weak new one (DOCMS-030)."""
    if not user.check_password(current):
        raise wrong_password()
    check(new, field="new_password")
    set_password(user, new, keep_session=keep_session, keep_token=keep_token)


def wrong_password() -> Invalid:
    """The refusal of a current password; also where it was not even looked at, so that nobody learns which it was."""
    wrong = _("The current password is not right.")
    return Invalid(wrong, code="wrong_password", fields={"current_password": [wrong]})


@transaction.atomic
def issue_link(
    user: User, *, purpose: str, lifetime: datetime.timedelta, tenant: Organization | None = None, token: str = ""
) -> str:
    """Make a link that works once and void all earlier ones of its kind; announces `password_link_issued`.

    Returns the token, which exists nowhere else. ``lifetime`` is set by the door that issues it. Raises `NotFound` for an
    erased account.
    """
    user = accounts.lock_living(user.pk)
    token = token or new_token()
    now = timezone.now()
    OneTimeLink.objects.filter(user=user, used_at=None, purpose__startswith="password").update(used_at=now)
    OneTimeLink.objects.create(
        user=user,
        purpose=purpose,
        address=user.email.lower(),
        token_hash=token_hash(token),
        expires_at=now + lifetime,
    )
    audit.record("password_link_issued", user, {"purpose": [None, purpose]})
    hours = max(1, round(lifetime.total_seconds() / 3600))
    password_link_issued.send(sender=User, user=user, purpose=purpose, token=token, tenant=tenant, hours=hours)
    return token


def first_or_reset_link(user: User, *, tenant: Organization | None = None) -> str:
    """An init link for an account without password, a reset link for any other (DOCMS-032, 035)."""
    policy = installation()
    if user.has_usable_password():
        return issue_link(
            user,
            purpose=OneTimeLink.Purpose.PASSWORD_RESET,
            lifetime=datetime.timedelta(hours=policy.pw_link_reset_hours),
            tenant=tenant,
        )
    return issue_link(
        user,
        purpose=OneTimeLink.Purpose.PASSWORD_INIT,
        lifetime=datetime.timedelta(hours=policy.pw_link_init_hours),
        tenant=tenant,
    )


def _has_links_left(user: User) -> bool:
    """At most three link mails an hour go to one address, whoever has it (DOCMS-036), and none to that of an erased account;
    the account stays locked until the commit, and its address with it.
    """
    account = User.objects.select_for_update(of=("self",)).filter(pk=user.pk, erased_at=None).first()
    if account is None:
        return False
    address = account.email.lower()
    hour = timezone.now() - datetime.timedelta(hours=1)
    sent = OneTimeLink.objects.filter(address=address, purpose__startswith="password", created_at__gt=hour)
    return sent.count() < LINKS_PER_HOUR


def welcome_link(user: User, *, tenant: Organization) -> None:
    """The first link of a new account; none after three to its address within an hour (DOCMS-036): others may have made,
    and taken away, accounts with it."""
    if _has_links_left(user):
        first_or_reset_link(user, tenant=tenant)


@transaction.atomic
def send_link(user: User, *, tenant: Organization) -> None:
    """Mail a link for a password because an administrator asks for it.

    Raises `Conflict` (``too_many_links``) after three within an hour, `NotFound` for an erased account.
    """
    accounts.lock_living(user.pk)
    if not _has_links_left(user):
        raise Conflict(_("Three links went to this address within an hour. Please wait."), code="too_many_links")
    first_or_reset_link(user, tenant=tenant)


@transaction.atomic
def request_reset(
    email: str, *, ip: str | None = None, lifetime: datetime.timedelta = datetime.timedelta(minutes=RESET_MINUTES)
) -> None:
    """Mail a reset link if the address belongs to an account; silent either way (PORTAL-010, DOCMS-034, 036).

    ``lifetime`` is set by the door: an hour at the portal, `pw_link_reset_hours` at docms (DOCMS-032). At most three
    links an hour go to one address.
    """
    user = User.objects.with_address(email).first()
    if user is None or not _has_links_left(user):
        return
    tenant = Organization.objects.tenants().filter(memberships__user=user).order_by("id").first()
    issue_link(user, purpose=OneTimeLink.Purpose.PASSWORD_RESET, lifetime=lifetime, tenant=tenant)


def find_link(token: str) -> OneTimeLink:
    """The unused link of a token. Raises `Unknown` for an unknown, used or expired one (DOCMS-033)."""
    link = (
        OneTimeLink.objects.select_related("user")
        .filter(token_hash=token_hash(token), used_at=None, expires_at__gt=timezone.now(), user__erased_at=None)
        .filter(purpose__startswith="password")
        .first()
    )
    if link is None:
        raise Unknown(_("This link is not valid (any more). Please ask for a new one."))
    return link


def set_by_link(token: str, password: str) -> User:
    """Set the password of the link's account, use the link up, clear failures (DOCMS-033, 040).

    Raises `Unknown` for a link that does not work and `Invalid` for a weak password, which leaves the link usable.
    """
    with transaction.atomic():
        link = find_link(token)
        link = OneTimeLink.objects.select_for_update().select_related("user").get(pk=link.pk)
        if link.used_at is not None:
            raise Unknown(_("This link is not valid (any more). Please ask for a new one."))
        check(password)
        user = link.user
        scope.identify(user.pk)
        set_password(user, password)
        now = timezone.now()
        OneTimeLink.objects.filter(pk=link.pk).update(used_at=now)
        if user.email_verified_at is None:
            rows.change(user, {"email_verified_at": now}, check=False)
        throttle.clear(*account_counters(user))
    return user


def account_counters(user: User) -> tuple[throttle.Counter, throttle.Counter]:
    """Failures of an account at the portal and at the docms door, counted apart."""
    return (
        throttle.Counter("login", f"account:{user.pk}"),
        throttle.Counter("docms", f"account:{user.pk}", policy="lock"),
    )
