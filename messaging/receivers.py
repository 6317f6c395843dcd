"""What the floor below announces becomes mail, or ends mails, in the same transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.dispatch import receiver
from django.utils import timezone

from core import scope
from core.logs import mask
from core.models import SystemLog
from messaging.services import erase
from messaging.services.outbox import is_refused, queue
from messaging.services.split import Recipient
from orgs.models import Contact, Invite, Membership, Organization, OwnerInvitation, User
from orgs.services.installation import public_url
from orgs.services.invites import readable
from orgs.signals import (
    contact_erased,
    invite_issued,
    owner_invited,
    password_link_issued,
    user_created,
    user_erased,
)

log = logging.getLogger(__name__)


def undoes_nothing(write: Callable[..., None]) -> Callable[..., None]:
    """A mail that cannot be written leaves what it tells of as it is, and a word in the system log (DOCMS-156)."""

    @wraps(write)
    def inner(sender: Any, **values: Any) -> None:
        try:
            with transaction.atomic():
                write(sender, **values)
        except (OperationalError, InterfaceError):
            raise  # nothing can be stored at all
        except Exception as error:
            log.exception("%s wrote no mail", write.__name__)
            SystemLog.objects.create(
                category="messaging.receivers",
                action=write.__name__,
                user_id=scope.current().user_id,
                stacktrace=mask(f"{type(error).__name__}: {error}")[:20000],
            )

    return inner


@receiver(invite_issued, dispatch_uid="messaging.mail_invite")
def mail_invite(sender: Any, *, invite: Invite, code: str, **_: Any) -> None:
    """The invitation with its code; without an address it goes out as a letter, and nothing is mailed."""
    if not invite.email:
        return
    if invite.contact is not None:
        person = Recipient.of_contact(invite.contact, invite.email)
    else:
        person = Recipient(invite.email, name=f"{invite.first_name} {invite.last_name}".strip())
    queue(
        kind="invite",
        tenant=invite.tenant,
        to=person,
        context={
            "inviter_name": invite.invited_by.get_full_name() or invite.tenant.name,
            "community": invite.community.name if invite.community else "",
            "unit": (invite.unit.name or invite.unit.identifier) if invite.unit else "",
            "code": readable(code),
            "link": public_url(f"/app/invite/{code}"),
            "valid_until": invite.expires_on,
        },
        caused_by=invite.invited_by,
        dedupe_key=f"invite:{invite.pk}:{invite.invited_at.isoformat()}",
    )


@receiver(owner_invited, dispatch_uid="messaging.mail_owner_invitation")
def mail_owner_invitation(sender: Any, *, invitation: OwnerInvitation, token: str, **_: Any) -> None:
    """The only place where the token of an owner's invitation goes (ORGS-047); without the mail there is none."""
    organization = invitation.organization
    queue(
        kind="owner_invitation",
        tenant=organization.tenant,
        to=Recipient.of_user(invitation.user),
        context={
            "inviter_name": invitation.invited_by.get_full_name() if invitation.invited_by else organization.name,
            "organization_name": organization.name,
            "link": public_url(f"/app/owner/{organization.pk}/{token}"),
            "valid_until": timezone.localdate(invitation.expires_at, organization.zone),
        },
        caused_by=invitation.invited_by,
        dedupe_key=f"owner_invitation:{hashlib.sha256(token.encode()).hexdigest()}",
    )


@receiver(password_link_issued, dispatch_uid="messaging.mail_password_link")
@undoes_nothing
def mail_password_link(
    sender: Any, *, user: User, purpose: str, token: str, tenant: Organization | None, hours: int, **_: Any
) -> None:
    """The first-password or reset link, in the language of the account (DOCMS-035)."""
    queue(
        kind=purpose,
        tenant=tenant,
        to=Recipient.of_user(user),
        context={"link": public_url(f"/app/password/{token}"), "valid_hours": hours},
        caused_by=_causer(),
        dedupe_key=f"password:{hashlib.sha256(token.encode()).hexdigest()}",
    )


@receiver(user_created, dispatch_uid="messaging.mail_welcome")
@undoes_nothing
def mail_welcome(sender: Any, *, membership: Membership, welcome: bool, **_: Any) -> None:
    """The additional welcome mail, unless it was not wanted (DOCMS-051)."""
    if not welcome or is_refused(
        kind="welcome", tenant=membership.organization.tenant, about=f"membership {membership.pk}"
    ):
        return
    queue(
        kind="welcome",
        tenant=membership.organization.tenant,
        to=Recipient.of_user(membership.user),
        context={"link": public_url("/app/login")},
        caused_by=_causer(),
        dedupe_key=f"welcome:{membership.pk}",
    )


def _causer() -> User | None:
    """Who works in the running unit of work; nobody is behind a forgotten password."""
    user_id = scope.current().user_id
    return User.objects.filter(pk=user_id).first() if user_id else None


@receiver(user_erased, dispatch_uid="messaging.forget_person")
def forget_person(sender: Any, *, user: User, **_: Any) -> None:
    """Addresses and texts of what went to the account go; what still waits for it is cancelled."""
    erase.person(user)


@receiver(contact_erased, dispatch_uid="messaging.forget_contact")
def forget_contact(sender: Any, *, contact: Contact, **_: Any) -> None:
    """The same of an entry of the register."""
    erase.contact(contact)
