"""Tenants: an organization that the operator admits, with its settings and its own party in the register."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import scope
from core.errors import Invalid, NotFound
from core.services import audit, rows
from core.text import is_blank
from orgs.models import Contact, Membership, Organization, OrganizationSettings, User
from orgs.services import licences
from orgs.services.contacts import next_contact_number


def create_organization(
    *,
    name: str,
    parent: Organization | None = None,
    language: str = "",
    timezone_name: str = "",
    created_by: User | None,
    **values: Any,
) -> Organization:
    """Add a node to the tree; language and zone default to the parent's (ORGS-017). ``values`` are further columns.

    Raises `Invalid` for a blank name.
    """
    name = name.strip()
    if is_blank(name):
        raise Invalid(fields={"name": ["blank"]})
    return rows.create(
        Organization,
        name=name,
        parent=parent,
        ancestors=[*parent.ancestors, parent.pk] if parent else [],
        tenant_id=parent.tenant_id if parent else None,
        language=language or (parent.language if parent else "de"),
        timezone=timezone_name or (parent.timezone if parent else "Europe/Berlin"),
        created_by=created_by,
        **values,
    )


@transaction.atomic
def create_tenant(
    *, name: str, language: str = "de", timezone_name: str = "Europe/Berlin", created_by: User | None
) -> Organization:
    """Create an organization and admit it: settings, and the company's own party (PROCESSES-028).

    The row is inserted plain and made a tenant by UPDATE, since its id must be known.
    """
    organization = create_organization(name=name, language=language, timezone_name=timezone_name, created_by=created_by)
    return admit(organization)


@transaction.atomic
def admit(organization: Organization) -> Organization:
    """Make an organization a tenant. Does nothing when it is one already."""
    if organization.is_tenant:
        return organization
    Organization.objects.filter(pk=organization.pk).update(is_tenant=True, tenant_id=organization.pk)
    organization.refresh_from_db()
    scope.enter_tenants(scope.current().tenants | {organization.pk})
    rows.create(OrganizationSettings, tenant=organization, organization=organization)
    rows.create(
        Contact,
        tenant=organization,
        kind=Contact.Kind.SELF,
        party_type=2,
        number=next_contact_number(organization.pk),
        company=organization.name,
    )
    audit.record("tenant_admitted", organization)
    return organization


def add_member(
    *,
    user: User,
    organization: Organization,
    role: str,
    check: bool = True,
    **flags: Any,
) -> Membership:
    """Give an account a place in an organization.

    Raises `ValidationError` when it has one already, `Denied` without points of the licence (DOCMS-174), `NotFound` when the
    account is erased.
    """
    if user.erased_at is not None:
        raise NotFound
    licences.require_point(organization)
    return rows.create(
        Membership,
        check=check,
        user=user,
        organization=organization,
        tenant_id=organization.tenant_id,
        role=role,
        **flags,
    )


def add_operator(*, operator: User, tenant: Organization) -> Membership:
    """Make the operator a super administrator of a company, without whose membership the docms door stays shut.

    (DOCMS-005, 041, conflict 24.) A membership that is there stays as it is. Raises `Denied` without points of the
    licence (DOCMS-174).
    """
    return ensure_member(
        user=operator, organization=tenant, role=Membership.Role.STAFF, admin_perm=True, super_admin_perm=True
    )


def ensure_member(*, user: User, organization: Organization, role: str, **flags: Any) -> Membership:
    """The membership of an account: found, or made (residents get reading and downloading).

    A deactivated one stays so: a residence or an invitation does not undo what an administrator decided, let alone
    bring old rights back (one-model, conflict 40). Raises `Denied` without points of the licence (DOCMS-174).
    """
    membership = Membership.objects.filter(user=user, organization=organization).first()
    if membership is not None:
        return membership
    return add_member(user=user, organization=organization, role=role, **flags)
