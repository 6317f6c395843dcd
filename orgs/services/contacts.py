"""The register of people: numbers, names, what they are found by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from core.planned import NUMBER, Found
from core.services import rows
from core.services.numbers import next_number
from core.text import sort_key
from orgs.models import Contact, ContactIndex, Organization, User


def next_contact_number(tenant_id: int, count: int = 1) -> str:
    """The next number of the register; with ``count`` the first of that many."""
    return str(next_number(tenant_id=tenant_id, kind="contact", count=count))


def contact_sort_key(last_name: str, first_name: str, company: str) -> str:
    """Last name first; companies by their name."""
    return sort_key(f"{last_name} {first_name}".strip() or company)


def search_text(contact: Contact) -> str:
    """Name, address and the digits of telephone numbers."""
    digits = [re.sub(r"\D", "", number) for number in (contact.telephone, contact.mobile)]
    parts = (
        contact.first_name,
        contact.last_name,
        contact.company,
        contact.email,
        contact.number,
        contact.reference_id,
    )
    return " ".join(part for part in (*parts, *digits) if part)


def create_contact(*, tenant: Organization, number: str = "", **values: Any) -> Contact:
    """Add a person or company to the register, findable at once. Raises `ValidationError`."""
    contact = rows.create(
        Contact,
        tenant=tenant,
        number=number or next_contact_number(tenant.pk),
        sort_key=contact_sort_key(values.get("last_name", ""), values.get("first_name", ""), values.get("company", "")),
        **values,
    )
    index([contact])
    return contact


def change_contact(
    contact: Contact, changes: dict[str, Any], *, expected: int | None = None
) -> dict[str, tuple[Any, Any]]:
    """Change a contact and what it is found and sorted by."""
    names = {f: changes.get(f, getattr(contact, f)) for f in ("last_name", "first_name", "company")}
    changed = rows.change(contact, {**changes, "sort_key": contact_sort_key(**names)}, expected=expected)
    if changed:
        index([contact])
    return changed


def index(contacts: Iterable[Contact]) -> None:
    """Rewrite what contacts are found by."""
    ContactIndex.objects.bulk_create(
        [ContactIndex(contact=contact, text=search_text(contact)) for contact in contacts],
        update_conflicts=True,
        unique_fields=["contact"],
        update_fields=["text"],
    )


def link_account(contact: Contact, user: User) -> None:
    """Tie a contact to an account; the first of a tenant is the account's primary one."""
    if contact.user_id == user.pk:
        return
    has_primary = Contact.objects.filter(tenant=contact.tenant_id, user=user, is_primary=True).exists()
    changes = {"user_id": user.pk, "is_primary": not has_primary, "account_erased_at": None}
    rows.change(contact, changes, verb="account_linked", check=False)


_PRIMARY = Found(
    lambda tenant, user: Contact.objects.filter(tenant=tenant, user=user, is_primary=True).order_by("id")[:1],
    tenant=NUMBER, user=NUMBER,
)  # fmt: skip


def contact_for(user: User, tenant: Organization) -> Contact:
    """The account's primary contact in a tenant, made when staff first act there; once, however many do so at once."""
    contact = _PRIMARY.first(tenant=tenant.pk, user=user.pk)
    if contact is not None:
        return contact
    try:
        with transaction.atomic():
            return create_contact(
                tenant=tenant,
                user=user,
                kind=Contact.Kind.PERSON,
                party_type=2,
                first_name=user.first_name,
                last_name=user.last_name,
                email=user.email,
                language=user.language,
            )
    except rows.Taken:
        return Contact.objects.get(tenant=tenant, user=user, is_primary=True)
