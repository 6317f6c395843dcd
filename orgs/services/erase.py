"""Erasure of people: an account becomes a tombstone, an entry of the register a number (one-model, conflict 19).

What others wrote to or about somebody stays where it belongs, without the name: authorship, logs and the history keep
the number of the account, and every page says "former user". The floors above drop what they hold on the signals; the
history is emptied, and its chain still proves the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast, Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.errors import Conflict, NotFound
from core.models import AuditEntry, Upload
from core.services import audit, rows, sealing, uploads
from core.services.destruction import remove_bytes_later
from orgs import rules
from orgs.models import (
    AccessRequest,
    AccessToken,
    ApplicationUser,
    Contact,
    ContactIndex,
    Engagement,
    Hold,
    Invite,
    Membership,
    OAuthClient,
    OAuthRefreshToken,
    Occupancy,
    OneTimeLink,
    Organization,
    OwnerInvitation,
    RecoveryCode,
    Responsibility,
    SecondFactor,
    Session,
    SignInLog,
    User,
    UserIdentity,
)
from orgs.services import members, oauth
from orgs.services.holds import keep_still
from orgs.signals import contact_erased, user_erased

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# What an account is without a person.
NOBODY: dict[str, Any] = {
    "first_name": "", "last_name": "", "name_as_given": "", "telephone": "", "mobile": "", "avatar": None,
    "language": "de", "darkmode": False, "profile_visible": False, "is_superuser": False, "home_tenant": None,
    "email_mode": User.EmailMode.OFF, "muted_types": [], "channels": {}, "password_change_due": False,
    "email_verified_at": None, "last_login": None,
}  # fmt: skip
# The same of an entry of the register; its number stays, because letters and cases name it.
NO_CONTACT: dict[str, Any] = {
    "reference_id": "", "salutation": "", "title": "", "first_name": "", "last_name": "", "company": "", "sort_key": "",
    "email": "", "telephone": "", "mobile": "", "fax": "", "street": "", "postal_code": "", "city": "", "country": "",
    "language": "", "picture": None, "joined_at": None, "user": None, "is_primary": True,
}  # fmt: skip
_EMPTY_INVITE = {"email": "", "first_name": "", "last_name": "", "code": ""}
# Everything that somebody signs in with.
_CREDENTIALS: tuple[type[Any], ...] = (
    Session,
    AccessToken,
    OneTimeLink,
    SecondFactor,
    RecoveryCode,
    UserIdentity,
    ApplicationUser,
)


# --- Accounts -------------------------------------------------------------------------------------------


@transaction.atomic
def erase_account(*, user: User) -> User:
    """Erase profile, credentials, tokens and notifications of a person at once; returns the tombstone (PORTAL-098).

    Memberships end, and what they held goes. Entries of the register stay the company's, without the account; one that
    was made only because the account acted (it never lived anywhere and was responsible for nothing) is emptied as well.

    Side effects: tokens, sessions, keys and identities are deleted; who was invited, and where invitations to own went,
    is emptied; requests to be let in from this address go; signal `user_erased` (and `contact_erased`); the history of
    account, places and those entries is emptied; an audit entry with verb ``erased``.

    Raises `NotFound` when the account is erased already, `Conflict`: ``last_owner``, ``last_super_admin`` and
    ``last_operator`` until somebody else has the right (ORGS-041, DOCMS-058), ``held`` while a legal hold covers the
    person.
    """
    with scope.all_tenants():
        keep_still(Contact.objects.filter(user=user.pk).order_by().values_list("tenant_id", flat=True))
        person = _locked(user)
        contacts = list(Contact.objects.select_for_update(of=("self",)).filter(user=person).order_by("pk"))
        _refuse_held(contacts)
        shadows = [contact for contact in contacts if _is_shadow(contact)]
        address, told = person.email, _audited(person, shadows)
        _end_places(person)
        _unlink(contacts)
        _drop_credentials(person)
        _forget_invitations(person, address)
        for upload in Upload.objects.filter(user=person, attached_at=None):
            uploads.terminate(upload)
        _bury(person)
        user_erased.send(sender=User, user=person, address=address)
        for contact in shadows:
            _empty(contact)
        _empty_history(told)
        audit.record("erased", person)
    return person


def _locked(user: User) -> User:
    """The account's row, and before it those of the organizations that it may be the last to have a right in."""
    powers = Membership.objects.filter(Q(role=Membership.Role.OWNER) | Q(super_admin_perm=True), user=user.pk)
    places = Organization.objects.filter(pk__in=powers.values("organization"), closed_at=None)
    list(places.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    if user.is_superuser:  # of two operators who go at once, one stays
        list(User.objects.select_for_update().filter(is_superuser=True).order_by("pk").values_list("pk"))
    person: User | None = User.objects.select_for_update().filter(pk=user.pk, erased_at=None).first()
    if person is None:
        raise NotFound
    answer = rules.may_be_erased(person)
    if not answer:
        raise Conflict(answer.reason, code=answer.code)
    return person


def _refuse_held(contacts: Collection[Contact]) -> None:
    """Raise `Conflict` ``held`` when a legal hold covers one of these people, or a place where one has ever lived."""
    lived = Occupancy.objects.filter(contact__in=contacts).order_by()
    covering = Hold.objects.in_force().filter(
        Q(contact__in=contacts) | Q(unit__in=lived.values("unit")) | Q(community__in=lived.values("unit__community"))
    )
    titles = list(covering.order_by("pk").values_list("title", flat=True))
    if titles:
        raise Conflict(_("A legal hold covers this person: %s.") % ", ".join(titles), code="held")


def _end_places(person: User) -> None:
    now = timezone.now()
    empty = {"description": "", "login_text": "", "login_logo": None, "login_popup_enabled": False}
    for membership in Membership.objects.select_related("organization").filter(user=person).order_by("pk"):
        end = {} if membership.is_deactivated else {"deactivated_at": now}
        changes = {**members.NO_RIGHTS, **empty, **end}
        if membership.organization.closed_at is not None:  # nobody needs an owner there any more
            rows.change(membership, changes, check=False)
        else:
            members.change(membership=membership, changes=changes, communities=())
    Engagement.objects.filter(user=person, ended_at=None).update(ended_at=now)


def _is_shadow(contact: Contact) -> bool:
    """Whether an entry was made only because the account acted: it belongs nowhere, and nobody invited it."""
    ties = (contact.occupancies, contact.responsibilities, contact.invites)
    return contact.kind == Contact.Kind.PERSON and not any(tie.exists() for tie in ties)


def _unlink(contacts: Iterable[Contact]) -> None:
    for contact in contacts:
        changes = {"user": None, "is_primary": True, "account_erased_at": timezone.now()}
        rows.change(contact, changes, verb="account_unlinked", check=False)


def _drop_credentials(person: User) -> None:
    for model in _CREDENTIALS:
        model.objects.filter(user=person).delete()
    oauth.end_all(person)
    OAuthRefreshToken.objects.filter(user=person).delete()
    OAuthClient.objects.filter(user=person).update(user=None)
    SignInLog.objects.filter(user=person).exclude(ip=None).update(ip=None)


def _forget_invitations(person: User, address: str) -> None:
    now = timezone.now()
    accepted = Invite.objects.filter(accepted_by=person, erased_at=None)
    accepted.update(**_EMPTY_INVITE, erased_at=now, updated_at=now)
    asked = OwnerInvitation.objects.filter(user=person)
    asked.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
    asked.update(email="", updated_at=now)
    AccessRequest.objects.filter(email__iexact=address).delete()


def _bury(person: User) -> None:
    """Not by `rows.change`: the history would hold what goes."""
    now, picture = timezone.now(), person.avatar_id
    name = f"erased-{person.uuid}"
    for column, value in NOBODY.items():
        setattr(person, column, value)
    person.username = person.email = name
    person.erased_at = person.credentials_changed_at = person.updated_at = now
    person.row_version += 1
    person.set_unusable_password()
    person.save()
    if picture is not None:
        remove_bytes_later([picture])


# --- Entries of the register ----------------------------------------------------------------------------


@transaction.atomic
def erase_contact(*, contact: Contact) -> Contact:
    """Empty an entry of the register that no running business needs; what others wrote stays, with its number.

    The entries that were merged into it are the same person and go with it. The caller has asked the floors above
    whether something there is open. Side effects: how it is found, and who was invited, goes; signal `contact_erased`;
    its history is emptied; an audit entry with verb ``erased``.

    Raises `NotFound` when it is erased already, `Conflict`: ``held`` while a legal hold covers the person, ``account``
    while it has an account (which is erased first), ``in_use`` for the company's own entry, for one that was merged into
    another, and while it lives, will live, or is responsible somewhere.
    """
    with scope.all_tenants():
        keep_still([contact.tenant_id])
        found = Contact.objects.select_for_update(of=("self",)).filter(pk=contact.pk, erased_at=None).first()
        if found is None:
            raise NotFound
        same = list(Contact.objects.select_for_update(of=("self",)).filter(merged_into=found, erased_at=None))
        everyone = [found, *same]
        _refuse_held(everyone)
        _refuse_used(found, everyone)
        told = _audited(None, everyone)
        for entry in everyone:
            _empty(entry)
        _empty_history(told)
        for entry in everyone:
            audit.record("erased", entry)
    return found


def _refuse_used(found: Contact, everyone: list[Contact]) -> None:
    if any(entry.user_id for entry in everyone):
        raise Conflict(_("This entry has an account. Please erase the account first."), code="account")
    if found.kind == Contact.Kind.SELF:
        raise Conflict(_("This is the company's own entry."), code="in_use")
    if found.merged_into_id is not None:
        raise Conflict(_("This entry was merged into another one. Please erase that one."), code="in_use")
    today = found.tenant.today()
    for tie in (Occupancy.objects.filter(revoked_at=None), Responsibility.objects.all()):
        running = Q(period__endswith=None) | Q(period__endswith__gt=today)
        if tie.filter(running, contact__in=everyone).exists():
            problem = _("This person still lives in a unit or is responsible for a community.")
            raise Conflict(problem, code="in_use")


def _empty(contact: Contact) -> None:
    now, address, picture = timezone.now(), contact.email, contact.picture_id
    Contact.objects.filter(pk=contact.pk).update(
        **NO_CONTACT, erased_at=now, updated_at=now, row_version=F("row_version") + 1
    )
    contact.refresh_from_db()
    ContactIndex.objects.filter(contact=contact).delete()
    invites = Invite.objects.filter(contact=contact, erased_at=None)
    invites.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)
    invites.update(**_EMPTY_INVITE, erased_at=now, updated_at=now)
    if picture is not None:
        remove_bytes_later([picture])
    contact_erased.send(sender=Contact, contact=contact, address=address)


# --- History --------------------------------------------------------------------------------------------


def _audited(person: User | None, contacts: Collection[Contact]) -> dict[type[models.Model], list[int]]:
    """What the history tells of that concerns nobody but the person; read before it goes."""
    told: dict[type[models.Model], list[int]] = {Contact: [contact.pk for contact in contacts]}
    of_invites = Q(contact__in=contacts)
    if person is not None:
        told[User] = [person.pk]
        own: tuple[type[Any], ...] = (Membership, OwnerInvitation, *_CREDENTIALS)
        for model in own:
            told[model] = list(model.objects.filter(user=person).values_list("pk", flat=True))
        of_invites |= Q(accepted_by=person)
    told[Invite] = list(Invite.objects.filter(of_invites).values_list("pk", flat=True))
    return told


def _empty_history(told: dict[type[models.Model], list[int]]) -> None:
    tenants = sorted(scope.current().tenants)
    for model, ids in told.items():
        found = AuditEntry.objects.filter(object_type=model._meta.label_lower, object_id__in=[str(pk) for pk in ids])
        sealing.erase(found.filter(tenant=None))
        sealing.erase(found.filter(tenant__in=tenants))


def forget_outsider(address: str) -> int:
    """Delete requests to be let in from an address, and empty whatever else the history says with it, of shares, mails or
    invitations; returns how many entries.

    Reads the whole history: for commands, not for requests. Joins the running transaction.
    """
    AccessRequest.objects.filter(email__iexact=address).delete()
    said = Lower(Cast("changes", models.TextField()))
    with scope.all_tenants():
        return sealing.erase(AuditEntry.objects.annotate(said=said).filter(said__contains=address.lower()))
