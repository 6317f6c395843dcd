"""Invitations: codes that travel by mail or letter and register one person each."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict, Denied, Expired, Invalid, Unknown, Used, Withdrawn
from core.services import rows, throttle
from core.tokens import keyed_hash
from orgs.languages import user_language
from orgs.models import Community, Contact, Invite, Membership, Occupancy, Organization, Unit, User
from orgs.services import passwords
from orgs.services.accounts import create_account
from orgs.services.contacts import link_account
from orgs.services.occupancies import seat
from orgs.services.tenants import ensure_member
from orgs.signals import invite_issued

# Without look-alikes: no 0 O, 1 I L, 2 Z, 5 S, 8 B, U V (PORTAL-047).
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
LENGTH = 12
STAFF_DAYS = 3  # PORTAL-042


def new_code() -> str:
    """A code of 12 characters, 54 bits, without look-alikes."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def code_hash(code: str) -> bytes:
    """What is stored to find a code by, without regard to case, blanks and hyphens."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    return keyed_hash("invite", plain)


def readable(code: str) -> str:
    """The code in groups of four, as letters show it."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


@dataclass
class InviteReport:
    """What became of inviting many: who was invited, and who could not be and why."""

    invited: list[Invite] = field(default_factory=list)
    without_email: list[Contact] = field(default_factory=list)
    with_account: list[Contact] = field(default_factory=list)
    already_invited: list[Contact] = field(default_factory=list)


@transaction.atomic
def invite_contact(
    *, contact: Contact, invited_by: User, community: Community, unit: Unit | None, is_admin: bool = False
) -> Invite:
    """Invite one person of the register by mail. Announces `invite_issued`.

    Raises `Conflict` with ``already_member`` for somebody who has an account here (PORTAL-044) and
    ``already_invited`` for a pending invitation of the address (PORTAL-045); an expired one is renewed.
    """
    if contact.user_id is not None:
        raise Conflict(_("This person has an account already."), code="already_member")
    pending = (
        Invite.objects.pending()
        .select_for_update()
        .filter(tenant=contact.tenant_id, kind=Invite.Kind.RESIDENT, community=community, unit=unit)
        .filter(email__iexact=contact.email)
        .exclude(email="")
        .first()
    )
    if pending is not None:
        if not is_expired(pending):
            raise Conflict(_("This address has a pending invitation already."), code="already_invited")
        return renew(pending)
    code = new_code()
    try:
        invite = _insert(contact, code, invited_by=invited_by, community=community, unit=unit, is_admin=is_admin)
    except rows.Taken as taken:  # another click was faster
        raise Conflict(_("This address has a pending invitation already."), code="already_invited") from taken
    invite_issued.send(sender=Invite, invite=invite, code=code)
    return invite


def _insert(contact: Contact, code: str, **values: Any) -> Invite:
    return rows.create(
        Invite,
        verb="invited",
        tenant_id=contact.tenant_id,
        kind=Invite.Kind.RESIDENT,
        contact=contact,
        membership_role=Membership.Role.RESIDENT,
        email=contact.email,
        first_name=contact.first_name,
        last_name=contact.last_name,
        code=code,
        code_hash=code_hash(code),
        invited_at=timezone.now(),
        expires_on=_last_day(contact),
        **values,
    )


def _last_day(contact: Contact) -> datetime.date:
    days = contact.tenant.settings.invite_days
    return contact.tenant.today() + datetime.timedelta(days=days)


def is_expired(invite: Invite) -> bool:
    """Whether the last day is over in the tenant's zone (PORTAL-041)."""
    return invite.expires_on < invite.tenant.today()


@transaction.atomic
def renew(invite: Invite) -> Invite:
    """Give an invitation its days anew; the same code works again and is mailed again (PORTAL-040, 046)."""
    if invite.accepted_at or invite.withdrawn_at:
        raise Conflict(_("This invitation is over."), code="not_pending")
    days = STAFF_DAYS if invite.kind == Invite.Kind.STAFF else invite.tenant.settings.invite_days
    rows.change(
        invite,
        {"expires_on": invite.tenant.today() + datetime.timedelta(days=days), "invited_at": timezone.now()},
        verb="renewed",
    )
    invite_issued.send(sender=Invite, invite=invite, code=invite.code)
    return invite


@transaction.atomic
def withdraw(invite: Invite) -> None:
    """Take an invitation back; its code answers 410 from now on."""
    if invite.accepted_at is None and invite.withdrawn_at is None:
        rows.change(invite, {"withdrawn_at": timezone.now()}, verb="withdrawn")


def invite_many(occupancies: Iterable[Occupancy], *, invited_by: User) -> InviteReport:
    """Invite everyone with a valid occupancy, an address and no account; the others are listed."""
    report, seen = InviteReport(), set()
    for occupancy in occupancies:
        contact = occupancy.contact
        if contact.pk in seen:
            continue
        seen.add(contact.pk)
        if contact.user_id is not None:
            report.with_account.append(contact)
        elif not contact.email:
            report.without_email.append(contact)
        else:
            try:
                report.invited.append(
                    invite_contact(
                        contact=contact,
                        invited_by=invited_by,
                        community=occupancy.unit.community,
                        unit=occupancy.unit,
                        is_admin=occupancy.is_admin,
                    )
                )
            except Conflict:
                report.already_invited.append(contact)
    return report


def occupants_of(
    *, community: Community | None = None, unit: Unit | None = None, contact: Contact | None = None
) -> list[Occupancy]:
    """Valid occupancies of a community, a unit or a person, with all that inviting reads."""
    some = community or unit or contact
    assert some is not None
    occupancies = Occupancy.objects.valid_on(some.tenant.today()).select_related(
        "contact__tenant__settings", "unit__community"
    )
    if community is not None:
        occupancies = occupancies.filter(unit__community=community)
    if unit is not None:
        occupancies = occupancies.filter(unit=unit)
    if contact is not None:
        occupancies = occupancies.filter(contact=contact)
    return list(occupancies.order_by("id"))


# --- The invited person -----------------------------------------------------------------------------------


def _address(ip: str | None) -> throttle.Counter:
    return throttle.Counter("invite", f"address:{ip}")


def _look_up(code: str, *, lock: bool = False) -> Invite:
    found = Invite.objects.select_related("contact", "unit", "community", "tenant__settings", "invited_by")
    if lock:
        found = found.select_for_update(of=("self",))
    invite = found.filter(code_hash=code_hash(code)).first() if 6 <= len(code) <= 64 else None
    if invite is None:
        raise Unknown
    if invite.withdrawn_at is not None or invite.erased_at is not None:
        raise Withdrawn
    if invite.accepted_at is not None:
        raise Used
    if is_expired(invite):
        raise Expired
    return invite


_T = TypeVar("_T")


def _counted(ip: str | None, work: Callable[[], _T]) -> _T:
    """Run a look-up in units of work of its own, counting what PORTAL-106 calls a failure per client address."""
    with scope.unit_of_work(door="web", ip=ip):
        throttle.check(_address(ip))
    try:
        with scope.unit_of_work(door="web", ip=ip), scope.all_tenants():
            return work()
    except (Unknown, Used, Expired):
        with scope.unit_of_work(door="web", ip=ip):
            throttle.fail(_address(ip))
        raise


def find(code: str, *, ip: str | None) -> Invite:
    """Who is invited by a code; looking does not use it up (PORTAL-049).

    Raises `Unknown`, `Used`, `Withdrawn` or `Expired`, each of which counts as a failure of the client
    address, and `Blocked` during the wait that follows from them (PORTAL-050, 051, 106).
    """

    def work() -> Invite:
        invite = _look_up(code)
        if invite.opened_at is None:
            Invite.objects.filter(pk=invite.pk).update(opened_at=timezone.now())
        return invite

    return _counted(ip, work)


def company_of(code: str) -> Organization:
    """Who has invited with a code that `find` knows, be it used, withdrawn or expired. Counts nothing."""
    with scope.unit_of_work(door="web"), scope.all_tenants():
        return Invite.objects.select_related("tenant__settings").get(code_hash=code_hash(code)).tenant


def register(
    *,
    code: str,
    ip: str | None,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    password: str,
    language: str = "",
) -> User:
    """Create the account of an invited person and let it in (PORTAL-037 … 039, 108).

    Of two simultaneous uses of a code one succeeds. Raises as `find`, `Invalid` for a weak password or a
    missing name or address, `Conflict` ``account_exists`` and, without points of the licence, `Denied`
    ``license_required``, both of which leave the invitation usable.
    """

    def work() -> User:
        invite = _look_up(code, lock=True)
        address = (email or invite.email).strip()
        names = {"first_name": first_name or invite.first_name, "last_name": last_name or invite.last_name}
        missing = [name for name, value in {"email": address, **names}.items() if not value]
        if invite.contact and invite.contact.kind == Contact.Kind.COMPANY:
            missing = [name for name in missing if name == "email"]
        if missing:
            required = _("This field is required.")
            raise Invalid(required, code="required", fields={name: [required] for name in missing})
        passwords.check(password)
        user = create_account(
            email=address,
            password=password,
            language=language
            or (invite.contact.language if invite.contact else "")
            or user_language(invite.tenant.language),
            home_tenant=invite.tenant,
            # The mailed code proves the address it was mailed to, no other.
            email_verified_at=timezone.now() if address.lower() == invite.email.lower() else None,
            **names,
        )
        _admit(invite, user)
        return user

    return _counted(ip, work)


def accept(*, code: str, user: User, ip: str | None) -> Invite:
    """Let an existing account in by a code.

    Raises as `find`, and `Denied` for one that the company deactivated or for whom its licence has no point.
    """

    def work() -> Invite:
        invite = _look_up(code, lock=True)
        if invite.contact and invite.contact.user_id not in (None, user.pk):
            raise Conflict(_("This person has an account already."), code="already_member")
        _admit(invite, user)
        return invite

    return _counted(ip, work)


def _admit(invite: Invite, user: User) -> None:
    scope.identify(user.pk)
    if Membership.objects.filter(user=user, organization=invite.tenant, deactivated_at__lte=timezone.now()).exists():
        raise Denied(_("This account was deactivated. Please ask your property manager."), code="user_deactivated")
    rows.change(invite, {"accepted_at": timezone.now(), "accepted_by": user}, verb="accepted")
    try:
        _seat(invite, user)
    except Denied as error:
        if error.code != "license_required":
            raise
        advice = _("%(problem)s Please turn to %(company)s. Your invitation stays valid.")
        raise Denied(advice % {"problem": error.message, "company": invite.tenant.name}, code=error.code) from error


def _seat(invite: Invite, user: User) -> None:
    """Raises `Denied` (``license_required``) without points of the licence."""
    if invite.kind == Invite.Kind.STAFF:
        ensure_member(user=user, organization=invite.tenant, role=invite.membership_role or Membership.Role.STAFF)
        return
    contact = invite.contact
    assert contact is not None
    link_account(contact, user)
    contact.refresh_from_db()
    if contact.joined_at is None:
        rows.change(contact, {"joined_at": timezone.now(), "from_invite": True}, check=False)
    seat(contact)
