"""Licences: which one is in force, its features, and its points – one for each member who is in use."""

from __future__ import annotations

import datetime
import hmac
import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import YES, Answer, no
from core.errors import Conflict, Denied, Invalid
from core.models import SystemLog
from core.services import rows
from core.services.wake import wake
from orgs.models import License, Membership, Organization
from orgs.services import licence_keys
from orgs.services.licence_keys import FEATURES

BIG_FILES, SHARING, GROUP_ADMINISTRATORS, APPLICATIONS = FEATURES
SETUP_CODE = r"^[A-Z0-9]{5}(-[A-Z0-9]{5}){4}\Z"


def is_over(moment: datetime.datetime | None) -> bool:
    """Whether a moment of deactivation has come."""
    return moment is not None and moment <= timezone.now()


# --- What is in force -------------------------------------------------------------------------------------


def _candidates(tenant_id: int) -> QuerySet[License]:
    found = License.objects.filter(Q(organization=tenant_id) | Q(organization=None))
    return found.order_by(F("organization").asc(nulls_last=True))


def in_force(tenant_id: int) -> License | None:
    """The tenant's own licence, else the installation's, expired or not; None = community variant (DOCMS-173)."""
    return _candidates(tenant_id).first()


def features_of(tenant_id: int) -> list[int]:
    """Codes of the licensed add-ons; without any licence all (DOCMS-173), with an expired one none (DOCMS-175)."""
    licence = in_force(tenant_id)
    if licence is None:
        return list(FEATURES)
    return [] if licence.is_expired else sorted(licence.features)


def may_use(tenant_id: int, feature: int, reason: object = "") -> Answer:
    """Whether an add-on is licensed at present (``license_required`` where it is not)."""
    if feature in features_of(tenant_id):
        return YES
    return no(reason or _("This needs an add-on that is not licensed."), code="license_required")


def used_points(licence: License | None, tenant_id: int) -> int:
    """One for each membership in use (DOCMS-174): in the tenant, or anywhere when the installation is licensed."""
    used = Membership.objects.active()
    if licence is None or licence.organization_id is not None:
        return used.filter(organization=tenant_id).count()
    with scope.all_tenants():
        return used.filter(organization__is_tenant=True).count()


def free_points(tenant_id: int) -> int | None:
    """How many more members there may be at present, none with an expired licence; None = no limit. Nothing is locked."""
    licence = in_force(tenant_id)
    if licence is None or not (licence.max_points or licence.is_expired):
        return None
    return 0 if licence.is_expired else max(licence.max_points - used_points(licence, tenant_id), 0)


def require_point(tenant: Organization) -> None:
    """Ask for a point before a member is made or revived; none is needed without licence (DOCMS-173 … 175).

    The licence stays locked until the transaction ends, so two at once do not take the same last point. Raises
    `Denied` (``license_required``).
    """
    licence = _candidates(tenant.pk).select_for_update().first()
    if licence is None:
        return
    if licence.is_expired:
        raise Denied(_("The licence has expired."), code="license_required")
    if licence.max_points and used_points(licence, tenant.pk) >= licence.max_points:
        raise Denied(_("The licence has no points left."), code="license_required")


# --- Setting it ---------------------------------------------------------------------------------------------


@transaction.atomic
def set_key(*, tenant: Organization, key: str) -> License:
    """Let a key be the tenant's licence from now on; the caller is the operator. Side effect: audit.

    Raises `Invalid` (``invalid_license``) for a key that is forged, expired or another tenant's: the stored one stays
    (DOCMS-172).
    """
    terms = licence_keys.read(key)
    if terms.tenant not in (None, tenant.uuid):
        raise Invalid(_("This licence key belongs to another tenant."), code="invalid_license")
    if is_over(terms.valid_until):
        raise Invalid(_("This licence key has expired."), code="invalid_license")
    Organization.objects.select_for_update(of=("self",)).get(pk=tenant.pk)  # of two keys at once, the later one stays
    stored = License.objects.filter(organization=tenant).first()
    columns = terms.columns(key.strip())
    if stored is None:
        stored = rows.create(License, organization=tenant, **columns)
    else:
        rows.change(stored, columns)
    transaction.on_commit(lambda: wake("docms.check_license"), robust=True)
    return stored


@transaction.atomic
def bootstrap(*, secret: str, code: str) -> License:
    """Complete the set-up: install the licence that the code unlocks, or the demo's. Side effect: audit.

    Raises `Denied` when the environment is not prepared for it or the secret is wrong (DOCMS-170, 171), `Conflict` once
    there is any licence, `Invalid` for a wrong code.
    """
    expected = settings.SETUP_SECRET
    if not settings.BOOTSTRAP or not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise Denied(_("This installation is not waiting for its set-up."))
    if License.objects.exists():
        raise Conflict(_("A licence is installed already."))
    wrong = Invalid(_("This licence code is not valid."), code="invalid_license")
    if not re.match(SETUP_CODE, code, re.ASCII):
        raise wrong
    if settings.BOOTSTRAP == "demo":
        return rows.create(
            License, organization=None, license_type="demo", license_variant="demo", features=list(FEATURES)
        )
    try:
        terms = licence_keys.read(settings.BOOTSTRAP_LICENSE)
    except Invalid:
        raise wrong from None
    if not terms.is_unlocked_by(code) or terms.tenant is not None or is_over(terms.valid_until):
        raise wrong
    return rows.create(License, organization=None, **terms.columns(settings.BOOTSTRAP_LICENSE))


# --- The daily look -------------------------------------------------------------------------------------------


def check_all() -> dict[str, int]:
    """Look at every licence anew; what is wrong is told in the system log, and the stored terms stay as they are.

    Wrong is a key that no longer verifies or says other terms than its row, an end that has come, and more members in
    use than points. Returns how many there are, and how many of each.
    """
    counts = {"licenses": 0, "forged": 0, "expired": 0, "exceeded": 0, "used_points": 0}
    with scope.unit_of_work(door="job"), scope.all_tenants():
        for licence in License.objects.order_by("id"):
            used = used_points(licence, licence.organization_id or 0)
            counts["licenses"] += 1
            counts["used_points"] += used
            for problem in _problems(licence, used):
                counts[problem] += 1
                SystemLog.objects.create(
                    tenant_id=licence.organization_id, category="license", action=f"license {licence.pk}: {problem}"
                )
    return counts


def _problems(licence: License, used: int) -> list[str]:
    found = []
    if licence.key and not _still_verifies(licence):
        found.append("forged")
    if licence.is_expired:
        found.append("expired")
    if licence.max_points and used > licence.max_points:
        found.append("exceeded")
    return found


def _still_verifies(licence: License) -> bool:
    try:
        columns: dict[str, Any] = licence_keys.read(licence.key).columns(licence.key)
    except Invalid:
        return False
    return all(getattr(licence, name) == value for name, value in columns.items())
