"""Accounts: made once per person, attached to tenants, changed by their owner."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid, NotFound
from core.services import rows
from orgs.models import User


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a docms ``name``: split at the comma, else the first word is the surname."""
    name = " ".join(name.split())
    if "," in name:
        last, first = (part.strip() for part in name.split(",", 1))
    else:
        last, _space, first = name.partition(" ")
    return first[:100], last[:100]


def create_account(
    *,
    email: str,
    username: str = "",
    first_name: str = "",
    last_name: str = "",
    name_as_given: str = "",
    language: str = "de",
    password: str | None = None,
    **values: Any,
) -> User:
    """Make an account. Without password none can be used until a link sets one.

    Raises `Conflict` with code ``account_exists`` when user name or address is taken, without regard to case
    (DOCMS-052, PORTAL-039), also by somebody who is faster; `Invalid` for an address too long to sign in with.
    """
    email = email.strip()
    username = (username or email).strip()
    limit = User._meta.get_field("username").max_length or 0
    if len(username) > limit:
        problem = _("Longer than %d characters.") % limit
        raise Invalid(problem, code="too_long", fields={"email" if username == email else "username": [problem]})
    taken = Conflict(_("There is an account with this address already."), code="account_exists")
    wanted = [email.lower(), username.lower()]
    if User.objects.annotate(u=Lower("username"), e=Lower("email")).filter(Q(u__in=wanted) | Q(e__in=wanted)).exists():
        raise taken
    try:
        return rows.create(
            User,
            password=make_password(password),  # None makes an unusable one
            email=email,
            username=username,
            first_name=first_name,
            last_name=last_name,
            name_as_given=name_as_given,
            language=language,
            **values,
        )
    except rows.Taken as error:
        raise taken from error


def lock_living(user_id: int) -> User:
    """The account's row, which stays as it is until the transaction ends: nobody is erased meanwhile.

    Raises `NotFound` for an erased account, as for one that never was (PORTAL-098).
    """
    user: User | None = (
        User.objects.select_for_update(of=("self",), no_key=True).filter(pk=user_id, erased_at=None).first()
    )
    if user is None:
        raise NotFound
    return user


def change_profile(user: User, changes: dict[str, Any], *, expected: int | None = None) -> dict[str, tuple[Any, Any]]:
    """What people change of their own account: names, language, telephone, look, visibility.

    Raises `NotFound` for an erased account; one that is erased meanwhile is `Changed`.
    """
    if user.erased_at is not None:
        raise NotFound
    if {"first_name", "last_name"} & changes.keys():
        changes = {**changes, "name_as_given": ""}
    return rows.change(user, changes, expected=expected)
