"""Signing in with a password, for every door: counted, logged, with the place for a second factor.

These functions open their own units of work. A refusal is an outcome, not an exception, so that the failure
it counts is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.contrib.auth import SESSION_KEY
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils import timezone

from core import scope
from core.services import throttle
from orgs.models import SignInLog, User
from orgs.services import passwords, second_factor

Outcome = Literal["ok", "refused", "blocked", "code_needed", "code_wrong", "enrol_needed"]


@dataclass(frozen=True)
class SignIn:
    """What became of an attempt. ``retry_after`` is in seconds; ``user`` is set for every right password."""

    outcome: Outcome
    user: User | None = None
    retry_after: int = 0


def find_user(identifier: str) -> User | None:
    """The account of a user name or address, without regard to case."""
    identifier = identifier.strip()
    if not identifier or "\x00" in identifier:
        return None
    return User.objects.named(identifier).first()


def _log(kind: str, user: User | None, door: str, ip: str | None) -> None:
    SignInLog.objects.create(user=user, type=kind, door=door, ip=ip)


def _password_is_right(user: User | None, password: str) -> bool:
    if user is None or not user.has_usable_password():
        make_password(password)  # as long as a real check, so that the answer's time tells nothing
        return False
    return user.check_password(password)


def sign_in(*, identifier: str, password: str, door: str, ip: str | None, code: str = "") -> SignIn:
    """Check a password, and the second factor where one is confirmed or demanded (PORTAL-010, 053, 110).

    The wait counts per account and per client address; a success resets the account only. An unknown
    account and a wrong password are refused alike.
    """
    with scope.unit_of_work(door=door, ip=ip):
        user = find_user(identifier)
        key = f"account:{user.pk}" if user else f"unknown:{identifier.strip().lower()}"
        account, address = throttle.Counter("login", key), throttle.Counter("login", f"address:{ip}")
        left = throttle.remaining(account, address)
        if left:
            _log(SignInLog.Type.LOCKED, user, door, ip)
            return SignIn("blocked", retry_after=left)
        if not _password_is_right(user, password):
            throttle.fail(account)
            throttle.fail(address)
            _log(SignInLog.Type.LOGIN_FAILED, user, door, ip)
            return SignIn("refused")
        assert user is not None
        scope.identify(user.pk)
        if second_factor.confirmed(user):
            if not code:
                return SignIn("code_needed", user)
            if not second_factor.verify_any(user, code):
                throttle.fail(account)
                throttle.fail(address)
                _log(SignInLog.Type.TFA_FAILED, user, door, ip)
                return SignIn("code_wrong", user)
        elif second_factor.obliged(user):
            return SignIn("enrol_needed", user)
        throttle.clear(account)
        _log(SignInLog.Type.LOGIN, user, door, ip)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        return SignIn("ok", user)


def sign_in_locking(*, identifier: str, password: str, ip: str | None) -> SignIn:
    """The docms door: five failures in a row lock the account, longer each time (DOCMS-038 … 040).

    While locked, the right password is refused like a wrong one, and the login log says so. Where a second factor is
    confirmed, the password alone is no success yet: the door clears the counter when the code was right, else wrong
    codes would never add up (DOCMS-025).
    """
    door = "docms"
    with scope.unit_of_work(door=door, ip=ip):
        user = find_user(identifier)
        right = _password_is_right(user, password)
        account = (
            passwords.account_counters(user)[1]
            if user
            # Refused like any other, but forgotten: whoever makes names up must not fill the table for good.
            else throttle.Counter("docms", f"unknown:{identifier.strip().lower()}")
        )
        if throttle.remaining(account):
            _log(SignInLog.Type.LOCKED, user, door, ip)
            return SignIn("refused")
        if not right or user is None:
            throttle.fail(account)
            _log(SignInLog.Type.LOGIN_FAILED, user, door, ip)
            return SignIn("refused")
        scope.identify(user.pk)
        if second_factor.confirmed(user) is None:
            throttle.clear(account)
        _log(SignInLog.Type.LOGIN, user, door, ip)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        return SignIn("ok", user)


def start_session(request: HttpRequest, user: User, *, remember: bool, second_factor: bool) -> None:
    """Sign the browser in under a fresh session key (PORTAL-007)."""
    if SESSION_KEY in request.session:  # else Django's login does it
        request.session.cycle_key()
    django_login(request, user, backend="orgs.auth.SessionBackend")
    request.session["remember"] = remember
    if second_factor:
        request.session["second_factor_at"] = timezone.now().isoformat()


def end_session(request: HttpRequest) -> None:
    """Sign this browser out and log it."""
    if request.user.is_authenticated:
        SignInLog.objects.create(
            user=request.user,
            type=SignInLog.Type.LOGOUT,
            door="web",
            ip=request.client_ip,  # type: ignore[attr-defined]
        )
    django_logout(request)
