"""A company with residents for benches: made through the services, the many rows by bulk insert."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docms.models import Document, Folder
    from orgs.models import Community, Organization, User

PASSWORD = "Ein-guter-Satz-1"


@dataclass
class House:
    """Brandt & Keller, one community, its administrator and its residents."""

    tenant: Organization
    community: Community
    admin: User
    residents: list[User]


def build(count: int, languages: Sequence[str] = ("de",)) -> House:
    """``count`` residents of one community, each in a flat of the own, in the languages by turns."""
    from core import scope
    from core.services import rows
    from orgs.models import Community
    from orgs.services.accounts import create_account
    from orgs.services.tenants import add_member, create_tenant

    with scope.unit_of_work(door="command"):
        admin = create_account(email="admin@quartier.bench", first_name="Ada", last_name="Brandt", password=PASSWORD)
        tenant = create_tenant(name="Brandt & Keller", created_by=admin)
        flags = ("read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "mail_perm")
        add_member(
            user=admin, organization=tenant, role="owner", admin_perm=True, super_admin_perm=True,
            **dict.fromkeys(flags, True),
        )  # fmt: skip
        community = rows.create(
            Community, tenant=tenant, organization=tenant, identifier="A", name="Ahornhof", sort_key="ahornhof"
        )
        return House(tenant, community, admin, _residents(community, count, languages))


def _residents(community: Community, count: int, languages: Sequence[str]) -> list[User]:
    from django.contrib.auth.hashers import make_password
    from django.db.backends.postgresql.psycopg_any import DateRange

    from orgs.models import Contact, Membership, Occupancy, Unit, User

    tenant, password = community.tenant, make_password(PASSWORD)  # one hash: it costs a tenth of a second each
    users = User.objects.bulk_create(
        [
            User(
                username=f"person{n}@residents.bench",
                email=f"person{n}@residents.bench",
                first_name="Erika",
                last_name=f"Müller {n}",
                language=languages[n % len(languages)],
                password=password,
            )
            for n in range(count)
        ],
        batch_size=1000,
    )
    Membership.objects.bulk_create(
        [
            Membership(user=u, organization=tenant, tenant=tenant, role="resident", read_perm=True, download_perm=True)
            for u in users
        ],
        batch_size=1000,
    )
    contacts = Contact.objects.bulk_create(
        [
            Contact(
                tenant=tenant, user=u, number=f"R{n}", first_name=u.first_name, last_name=u.last_name,
                sort_key=f"muller {n} erika", email=u.email, language=u.language,
            )
            for n, u in enumerate(users)
        ],
        batch_size=1000,
    )  # fmt: skip
    units = Unit.objects.bulk_create(
        [
            Unit(tenant=tenant, community=community, identifier=f"W{n}", number=f"W{n}", name=f"Wohnung {n}")
            for n in range(count)
        ],
        batch_size=1000,
    )
    since = DateRange(datetime.date(2020, 1, 1), None)
    Occupancy.objects.bulk_create(
        [
            Occupancy(tenant=tenant, contact=c, unit=u, role="renter", period=since)
            for c, u in zip(contacts, units, strict=True)
        ],
        batch_size=1000,
    )
    return users


def folder_of(house: House, name: str, **settings: Any) -> Folder:
    """A folder that all residents and the administrator reach."""
    from core import scope
    from docms.services import folders, groups
    from orgs.actor import enter

    with scope.unit_of_work(door="command"):
        actor = enter(house.admin, door="command")
        ours = groups.derived_group(tenant=house.tenant, community=house.community)
        return folders.create_folder(actor=actor, tenant=house.tenant, name=name, group_ids=[ours.pk], **settings)


def publish(house: House, folder: Folder, content: object, filename: str) -> Document:
    """A document with this content (a readable file or chunks) of the administrator."""
    from core import scope
    from core.services import blobs
    from docms.services import documents
    from orgs.actor import enter

    with scope.unit_of_work(door="command"):
        actor = enter(house.admin, door="command")
        blob = blobs.store(content, tenant_id=house.tenant.pk, limit=5 * 1024**3)  # type: ignore[arg-type]
        return documents.publish(actor=actor, folder=folder, blob=blob, filename=filename)


def token_of(user: User, tenant: Organization) -> str:
    """A docms session of this person in the tenant, as after sign-in and choice of tenant."""
    from core import scope
    from orgs.models import AccessToken
    from orgs.services import tokens

    with scope.unit_of_work(door="command", tenants=[tenant.pk]):
        token, _row = tokens.issue(
            kind=AccessToken.Kind.DOCMS_SESSION,
            user=user,
            expires_in=datetime.timedelta(hours=8),
            organization=tenant,
            state=AccessToken.State.ACTIVE,
        )
        return token
