"""The one cast of personas for all tests. Tests say who by name: `cast.renter`, `cast.stranger`.

Brandt & Keller manage house A (two entrances, three units) and house B (one unit); Nordhaus is another company.

=============  ====================================================================================
``operator``   runs the installation, belongs to no company
``admin``      owner and super administrator of Brandt & Keller, with every document flag
``staff``      staff of Brandt & Keller, looks after house A only, document flags but no administrator
``owner``      owns unit A1
``renter``     rents unit A2
``additional`` lives in A2 as additional user without `is_admin`
``former``     rented A2 until the day before yesterday
``neighbour``  rents unit B1
``guest``      outside recipient, in no group by itself
``stranger``   owner and super administrator of Nordhaus
``foreigner``  rents a unit of Nordhaus
=============  ====================================================================================
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import connection

from core import scope
from core.services import rows
from orgs.actor import Actor, actor_for
from orgs.models import (
    Building,
    Community,
    CommunityAssignment,
    Contact,
    Membership,
    Occupancy,
    Organization,
    Unit,
    User,
)
from orgs.services import contacts, occupancies
from orgs.services.accounts import create_account
from orgs.services.tenants import add_member, create_tenant
from tests.tables import Kept, tables_with_rows

PASSWORD = "Ein-guter-Satz-1"

DOCUMENT_FLAGS = (
    "read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "log_perm", "mail_perm",
)  # fmt: skip

CASE_FLAGS = ("process_create_perm", "process_update_perm", "process_delete_perm")

PEOPLE = (
    "operator", "admin", "staff", "owner", "renter", "additional", "former", "neighbour", "guest", "stranger", "foreigner",
)  # fmt: skip

KEPT = Kept()


@dataclass
class Cast:
    """Who and where. Everything is reachable by name, so that a test reads like a sentence."""

    tenant: Organization
    other_tenant: Organization
    house_a: Community
    house_b: Community
    foreign_house: Community
    entrance_1: Building
    entrance_2: Building
    unit_a1: Unit
    unit_a2: Unit
    unit_a3: Unit
    unit_b1: Unit
    foreign_unit: Unit
    operator: User
    admin: User
    staff: User
    owner: User
    renter: User
    additional: User
    former: User
    neighbour: User
    guest: User
    stranger: User
    foreigner: User

    def actor(self, who: str | User, *, door: str = "test", tenant: Organization | None = None) -> Actor:
        """The actor of a persona, as a request would build it."""
        user = getattr(self, who) if isinstance(who, str) else who
        return actor_for(user, door=door, tenant_id=tenant.pk if tenant else None)

    def membership(self, who: str | User, tenant: Organization | None = None) -> Membership:
        """The row of a persona on the tenant node."""
        user = getattr(self, who) if isinstance(who, str) else who
        return Membership.objects.get(user=user, organization=tenant or self.tenant)

    def occupancy(self, who: str) -> Occupancy:
        """The occupancy of a resident."""
        return Occupancy.objects.select_related("contact__tenant", "unit__community").get(
            contact__user=getattr(self, who)
        )

    def contact(self, who: str) -> Contact:
        """The contact of a resident."""
        return Contact.objects.get(user=getattr(self, who), is_primary=True)


def account(name: str, **values: object) -> User:
    """An account `name@quartier.test` with the cast's password."""
    return create_account(
        email=f"{name}@quartier.test", first_name=name.title(), last_name="Muster", password=PASSWORD, **values
    )


def resident(name: str, unit: Unit, role: str, *, last: datetime.date | None = None, is_admin: bool = False) -> User:
    """A person of the register with an account, living in a unit since 2020."""
    user = account(name)
    contact = contacts.create_contact(tenant=unit.tenant, first_name=name.title(), last_name="Muster", email=user.email)
    contacts.link_account(contact, user)
    contact.refresh_from_db()
    occupancies.move_in(
        contact=contact, unit=unit, role=role, first=datetime.date(2020, 1, 1), last=last, is_admin=is_admin
    )
    return user


def build() -> Cast:
    """Make the cast through the services that make real people."""
    operator = account("operator", is_superuser=True)
    tenant = create_tenant(name="Brandt & Keller", created_by=operator)
    other = create_tenant(name="Nordhaus", created_by=operator)

    def house(organization: Organization, ref: str) -> Community:
        return rows.create(
            Community,
            tenant=organization,
            organization=organization,
            identifier=ref,
            name=f"Haus {ref}",
            sort_key=f"haus {ref.lower()}",
        )

    def unit(community: Community, ref: str, building: Building | None = None) -> Unit:
        return rows.create(
            Unit,
            tenant=community.tenant,
            community=community,
            building=building,
            identifier=ref,
            number=ref,
            name=f"Wohnung {ref}",
        )

    a, b, foreign = house(tenant, "A"), house(tenant, "B"), house(other, "X")
    one = rows.create(Building, tenant=tenant, community=a, street="Ahornstraße 1")
    two = rows.create(Building, tenant=tenant, community=a, street="Ahornstraße 2", position=1)
    a1, a2, a3 = unit(a, "A1", one), unit(a, "A2", two), unit(a, "A3", two)
    b1, x1 = unit(b, "B1"), unit(foreign, "X1")
    every_flag = dict.fromkeys(DOCUMENT_FLAGS, True)
    people = {"operator": operator}
    for name, organization in (("admin", tenant), ("stranger", other)):
        people[name] = account(name)
        add_member(
            user=people[name],
            organization=organization,
            role="owner",
            admin_perm=True,
            super_admin_perm=True,
            **every_flag,
        )
    people["staff"] = account("staff")
    member = add_member(user=people["staff"], organization=tenant, role="staff", **every_flag)
    rows.create(CommunityAssignment, tenant=tenant, membership=member, community=a)
    people["guest"] = account("guest")
    add_member(user=people["guest"], organization=tenant, role="guest", read_perm=True, download_perm=True)
    people["owner"] = resident("owner", a1, "owner")
    people["renter"] = resident("renter", a2, "renter")
    people["additional"] = resident("additional", a2, "additional")
    people["former"] = resident("former", a2, "renter", last=tenant.today() - datetime.timedelta(days=2))
    people["neighbour"] = resident("neighbour", b1, "renter")
    people["foreigner"] = resident("foreigner", x1, "renter")
    return Cast(
        tenant=tenant, other_tenant=other, house_a=a, house_b=b, foreign_house=foreign, entrance_1=one, entrance_2=two,
        unit_a1=a1, unit_a2=a2, unit_a3=a3, unit_b1=b1, foreign_unit=x1, **people,
    )  # fmt: skip


def stand() -> None:
    """See that the cast is in the database: the session made it once, and a transactional test takes it away with all."""
    if User.objects.filter(email__in=[f"{name}@quartier.test" for name in PEOPLE]).count() == len(PEOPLE):
        return
    is_committed = not connection.in_atomic_block
    if is_committed and KEPT.restore():
        tenants = Organization.objects.filter(is_tenant=True).values_list("id", flat=True)
        scope._tell_database(frozenset(tenants))  # as building it does, see `tests/everywhere.py`
        return
    is_alone = is_committed and not tables_with_rows()
    with scope.unit_of_work(door="test"):
        build()
    if is_alone:
        KEPT.take()


def load() -> Cast:
    """The cast, as it stands in the database."""
    stand()
    people = {u.email.partition("@")[0]: u for u in User.objects.filter(email__endswith="@quartier.test")}
    tenant, other = (
        Organization.objects.filter(name__in=["Brandt & Keller", "Nordhaus"]).select_related("settings").order_by("id")
    )
    houses = {c.identifier: c for c in Community.objects.select_related("tenant", "organization").order_by("id")}
    entrances = list(Building.objects.filter(community=houses["A"]).order_by("position"))
    units = {u.identifier: u for u in Unit.objects.select_related("tenant", "community", "building")}
    return Cast(
        tenant=tenant, other_tenant=other, house_a=houses["A"], house_b=houses["B"], foreign_house=houses["X"],
        entrance_1=entrances[0], entrance_2=entrances[1], unit_a1=units["A1"], unit_a2=units["A2"], unit_a3=units["A3"],
        unit_b1=units["B1"], foreign_unit=units["X1"], **{name: people[name] for name in PEOPLE},
    )  # fmt: skip
