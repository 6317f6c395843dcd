"""External applications of a tenant, the people they act for, and their keys (DOCMS-176, 177)."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Invalid
from core.services import audit, rows
from orgs.models import AccessToken, Application, ApplicationUser, Membership, Organization, User
from orgs.services import licences, oauth, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_THROUGH_APPS = ("app_key", "docms_session")
_OF_MEMBERS = (*_THROUGH_APPS, "basic")


@transaction.atomic
def create(*, tenant: Organization, values: Mapping[str, Any], user_ids: Iterable[int]) -> Application:
    """Register an application and the people it may act for; the caller is super administrator. Side effect: audit.

    Raises `Denied` (``license_required``), `core.services.rows.Taken` when the name is, `Invalid` for unknown people.
    """
    require(licences.may_use(tenant.pk, licences.APPLICATIONS))
    application = rows.create(Application, tenant=tenant, **values)
    _set_users(application, user_ids)
    return application


@transaction.atomic
def change(
    *,
    application: Application,
    values: Mapping[str, Any],
    user_ids: Iterable[int] | None,
    expected: int | None = None,
) -> Application:
    """Change name, end and people; None leaves the people. Side effects: keys and tokens of whoever is out, audit.

    Raises `core.services.rows.Taken` when the name is, `Invalid` for unknown people, `Changed` when somebody else was
    faster.
    """
    locked = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    rows.change(locked, values, expected=expected)
    if user_ids is not None:
        _set_users(locked, user_ids)
    _revoke_unusable(Q(application=locked))
    return locked


@transaction.atomic
def delete(*, application: Application) -> None:
    """Remove an application with its keys and tokens; log entries keep its number. Side effect: audit."""
    rows.delete(application)


def _set_users(application: Application, user_ids: Iterable[int]) -> None:
    wanted = set(user_ids)
    known = set(
        Membership.objects.living()
        .filter(organization=application.tenant_id, user__in=wanted)
        .values_list("user_id", flat=True)
    )
    if unknown := sorted(wanted - known):
        problem = _("Unknown: %(ids)s") % {"ids": ", ".join(map(str, unknown[:20]))}
        raise Invalid(problem, code="unknown_id", fields={"user_ids": [problem]})
    now = set(ApplicationUser.objects.filter(application=application).values_list("user_id", flat=True))
    if wanted == now:
        return
    ApplicationUser.objects.filter(application=application, user__in=now - wanted).delete()
    ApplicationUser.objects.bulk_create(
        [
            ApplicationUser(tenant_id=application.tenant_id, application=application, user_id=user_id)
            for user_id in sorted(wanted - now)
        ]
    )
    audit.record("people_set", application, {"user_ids": [sorted(now), sorted(wanted)]})


# --- Keys -----------------------------------------------------------------------------------------------------


@transaction.atomic
def issue_key(*, application: Application, user_id: int, created_by: User) -> tuple[str, AccessToken]:
    """A new key for one person, who loses the earlier one; its plain text is returned once. Side effect: audit.

    Raises `Invalid` for somebody the application does not list, `Denied` (``license_required``).
    """
    require(licences.may_use(application.tenant_id, licences.APPLICATIONS))
    locked = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    if not is_usable(locked.pk, user_id):
        problem = _("The application does not act for this person, or is switched off.")
        raise Invalid(problem, fields={"user_id": [problem]})
    AccessToken.objects.filter(kind="app_key", application=locked, user=user_id, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    key, row = tokens.issue(
        kind=AccessToken.Kind.APP_KEY,
        user=User.objects.get(pk=user_id),
        expires_in=None,
        application=locked,
        organization_id=locked.tenant_id,
        created_by=created_by,
    )
    audit.record("key_issued", locked, {"user": [None, user_id]})
    return key, row


def is_usable(application_id: int, user_id: int) -> bool:
    """Whether the application is switched on and acts for this person, at this moment (DOCMS-176)."""
    return (
        ApplicationUser.objects.filter(application=application_id, user=user_id, user__erased_at=None)
        .filter(Q(application__deactivated_at=None) | Q(application__deactivated_at__gt=timezone.now()))
        .exists()
    )


# --- What has ended -------------------------------------------------------------------------------------------


def _revoke_unusable(which: Q) -> int:
    """Revoke keys and tokens of applications that are switched off, or no longer act for their person."""
    now = timezone.now()
    listed = ApplicationUser.objects.filter(application=OuterRef("application"), user=OuterRef("user"))
    usable = listed.filter(Q(application__deactivated_at=None) | Q(application__deactivated_at__gt=now))
    return (
        AccessToken.objects.filter(which, kind__in=_THROUGH_APPS, revoked_at=None, application__isnull=False)
        .exclude(Exists(usable))
        .update(revoked_at=now)
    )


def revoke_for(key: AccessToken) -> None:
    """Revoke what one person holds of an application that may not be used."""
    _revoke_unusable(Q(application=key.application_id, user=key.user_id))


def apply_deactivations(now: datetime.datetime | None = None) -> dict[str, int]:
    """Revoke tokens and keys of people and applications whose end has come; requests ask for it themselves anyway."""
    now = now or timezone.now()
    gone = Membership.objects.filter(
        user=OuterRef("user"), organization=OuterRef("organization"), deactivated_at__lte=now
    )
    with scope.unit_of_work(door="job"), scope.all_tenants():
        people = AccessToken.objects.filter(Exists(gone), kind__in=_OF_MEMBERS, revoked_at=None).update(revoked_at=now)
        people += oauth.end_of_deactivated(now)
        return {"of_people": people, "of_applications": _revoke_unusable(Q())}
